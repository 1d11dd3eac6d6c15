"""Each script in benchmarks/ runs, at a size that says nothing about speed."""

import math
import re

import bench
import breakdown
import contenders
import gpu
import pytest
import scale
from click.testing import CliRunner

from repro.cli import main


@pytest.fixture(autouse=True)
def _beginning_at_once(monkeypatch):
    """Contenders are forked from a process that has loaded torch."""
    monkeypatch.setattr(contenders, "START", "forkserver")


def figures(printed):
    """The measured column of a Markdown table."""
    rows = [line.split("|") for line in printed.splitlines() if line.startswith("| ")]
    return [float(row[2]) for row in rows[1:]]


@pytest.mark.parametrize(("name", "rows"), [("epoch", 6), ("parts", 4), ("rest", 2)])
def test_the_comparison_with_the_peer_ends_in_a_table(capsys, name, rows):
    """A figure in each row."""
    bench.main(["--toy", name])
    found = figures(capsys.readouterr().out)

    assert len(found) == rows
    assert all(math.isfinite(figure) and figure >= 0 for figure in found)


def test_a_benchmark_that_is_not_there_is_refused(capsys):
    """By its name."""
    with pytest.raises(SystemExit):
        bench.main(["--toy", "epochs"])

    assert "there is no benchmark epochs" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("what", "lines"), [("step", 2), ("batch", 4), ("latents", 1), ("images", 1), ("windows", 3)]
)
def test_each_breakdown_prints_its_lines(capsys, what, lines):
    """One for each size."""
    breakdown.main([what, "--toy"])
    printed = capsys.readouterr().out

    assert len(re.findall(r"ms a step|images/s|training.*ms|portrait,.*ms", printed, re.M)) == lines


def test_the_benchmark_of_a_gpu_runs_on_the_cpu(capsys):
    """Both precisions, alone and beside another run."""
    gpu.main(["--device", "cpu", "--images", "48", "--batch", "24", "--at-once", "1", "2"])
    lines = capsys.readouterr().out.splitlines()

    assert [line.partition(" at once")[0] for line in lines] == [
        f"batch    24, {precision}, {times}" for precision in ("fp32", "bf16") for times in (1, 2)
    ]


def test_the_bookkeeping_is_measured_for_every_command(capsys, monkeypatch):
    """Here without processes of their own; `faults/test_scale.py` starts them."""

    def measure(*command):
        done = CliRunner().invoke(main, [str(word) for word in command], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return scale.Measured(1.0, 1.0, 1.0)

    monkeypatch.setattr(scale, "measure", measure)
    scale.main(["--rounds", "1", "--runs", "25"])

    assert len(figures(capsys.readouterr().out)) == 2 + 2 * len(scale.commands("a", "b"))
