"""Each script in benchmarks/ runs, at a size that says nothing about speed."""

import json
import math
import os
import re
import runpy
import sys
from dataclasses import replace
from pathlib import Path

import audit_rates
import bench
import breakdown
import contenders
import embedded
import gpu
import gpu_cells
import gpu_checks
import gpu_place
import plain_environment
import pytest
import scale
from builders import RECORD
from click.testing import CliRunner
from places import ROOT

from repro.cli import main
from repro.execution import calibration, measuring, paper_cost
from repro.execution.calibration import Cost
from repro.execution.executors import hardware, process_pool
from repro.execution.paper_cost import Rates
from repro.metrics import Count
from repro.records import records


@pytest.fixture(autouse=True)
def _beginning_at_once(monkeypatch):
    """Contenders are forked from a process that has loaded torch."""
    monkeypatch.setattr(contenders, "START", "forkserver")


def figures(printed):
    """The measured column of a Markdown table."""
    rows = [line.split("|") for line in printed.splitlines() if line.startswith("| ")]
    return [float(row[2]) for row in rows[1:]]


@pytest.mark.parametrize(("name", "rows"), [("parts", 4), ("rest", 2)])
def test_the_comparison_with_the_peer_ends_in_a_table(capsys, name, rows):
    """A figure in each row."""
    bench.main(["--toy", name])
    found = figures(capsys.readouterr().out)

    assert len(found) == rows
    assert all(math.isfinite(figure) and figure >= 0 for figure in found)


def test_epochs_are_compared_with_the_peer_the_papers_batch_first(capsys):
    """Three kinds and a roofline at 24, two rows for each other kind of kernels; six rows at 8."""
    bench.main(["--toy", "epoch"])
    printed = capsys.readouterr().out
    found = figures(printed)

    assert len(found) == 4 + 2 * len(contenders.other_kernels()) + 6
    assert all(math.isfinite(figure) and figure >= 0 for figure in found)
    assert re.findall(r"decoder on all, batch (\d+), two runs at once, over", printed) == [
        "24",
        "8",
    ]


def test_an_embedded_study_is_timed_and_compared_with_its_plan(capsys, monkeypatch):
    """A figure in each row; what is measured for the plan is not tried here."""
    cost = Cost(start=2.0, load=3.0, epoch=1.5, scan=4.0, memory=5e8)
    rates = Rates(trained=0.001, validated=0.0001, window=0.0002, windows=87.0)
    found = {calibration.measure: cost, paper_cost.measure: rates}
    monkeypatch.setattr(
        measuring,
        "measured",
        lambda works, *_, **__: {name: [found[work.measure]] for name, work in works.items()},
    )
    bench.main(["--toy", "study"])
    printed = figures(capsys.readouterr().out)

    assert len(printed) == 5
    assert all(math.isfinite(figure) and figure >= 0 for figure in printed)


class Here:
    """A worker that executes its runs in this process, when it is heard."""

    def __init__(self, prepare, device, *, stall):
        """It has loaded all."""
        self.device, self.tasks, self.connection = device, (), None
        self.execute, self.said = prepare(), []
        STARTED.append(device)

    def send(self, request):
        """Keep it for later."""
        self.request = request

    def heard(self):
        """Its next event, and whether it was the last one."""
        if not self.said:
            self.said.append(self.execute(self.request, self.said.append))
        event = self.said.pop(0)
        return event, not self.said

    def stop(self):
        """Nothing is left to do."""

    join = stop


STARTED = []  # the devices of all workers


@pytest.fixture
def in_process(monkeypatch):
    """Workers of executors are no processes of their own, and there is one at a time."""
    STARTED.clear()
    monkeypatch.setattr(process_pool, "Worker", Here)
    monkeypatch.setattr(process_pool, "wait", lambda connections, timeout: connections)
    monkeypatch.setattr(hardware, "slots", lambda device, *_, **__: [device])


@pytest.mark.usefixtures("in_process")
def test_a_study_whose_runs_share_is_compared_with_one_whose_runs_do_not(capsys):
    """Ratios over two other ways; of these one starts a worker for each of the five runs."""
    bench.main(["--toy", "sharing"])
    found = figures(capsys.readouterr().out)

    assert len(found) == 4
    assert all(math.isfinite(figure) and figure > 0 for figure in found)
    assert len(STARTED) == 5 + 1 + 1


@pytest.mark.parametrize(
    ("measured", "goal", "verdict"),
    [
        *((2.3, (2.3, 2.0), "reached"), (2.1, (2.3, 2.0), "floor"), (1.9, (2.3, 2.0), "missed")),
        *((2.0, (2, 4), "reached"), (3.0, (2, 4), "floor"), (4.1, (2, 4), "missed")),
        (1.0, None, ""),
    ],
)
def test_a_row_says_whether_its_goal_was_reached(capsys, measured, goal, verdict):
    """A target above its floor is to be reached, one below to be stayed under."""
    bench.Table().row("speed", measured, goal)
    row = capsys.readouterr().out.splitlines()[-1].split("|")

    assert row[-2].strip() == verdict
    assert len(row) == 7


def test_the_table_begins_with_the_processor(capsys):
    """Its name, cores and kernels, before the head."""
    bench.Table()

    assert re.match(
        r".+ cores, torch [\d.+a-z]+\. Kernels: \w+.*\n\n\| what", capsys.readouterr().out
    )


def test_a_script_starts_again_without_what_workers_start_without(monkeypatch):
    """Once: the second time nothing is to be cleared."""
    started = []
    monkeypatch.setattr(os, "execve", lambda *given: started.append(given))
    plain_environment.start_again({"OPENBLAS_CORETYPE": "Haswell", "HOME": "/home"})
    (_, command, environment), *_ = started
    plain_environment.start_again(environment)

    assert len(started) == 1
    assert command[0] == sys.executable
    assert "OPENBLAS_CORETYPE" not in environment
    assert environment["HOME"] == "/home"


@pytest.mark.parametrize("script", ["bench", "breakdown", "gpu"])
def test_a_script_that_computes_starts_again_before_all_else(script, monkeypatch):
    """So it runs where variables are set that a process that computes is refused for."""
    monkeypatch.setattr(plain_environment, "start_again", lambda: sys.exit("started again"))

    with pytest.raises(SystemExit, match="started again"):
        runpy.run_path(str(ROOT / "benchmarks" / f"{script}.py"), run_name="__main__")


def test_a_benchmark_that_is_not_there_is_refused(capsys):
    """By its name."""
    with pytest.raises(SystemExit):
        bench.main(["--toy", "epochs"])

    assert "there is no benchmark epochs" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("what", "lines"), [("step", 4), ("batch", 4), ("latents", 1), ("images", 1), ("windows", 3)]
)
def test_each_breakdown_prints_its_lines(capsys, what, lines):
    """One for each size."""
    breakdown.main([what, "--toy"])
    printed = capsys.readouterr().out

    assert len(re.findall(r"ms a step|images/s|training.*ms|portrait,.*ms", printed, re.M)) == lines


KINDS = {cell["cell"]: cell for cell in gpu.cells_of(toy=True)}  # one cell of each kind


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("in_process")
def test_each_measurement_for_a_gpu_runs_on_the_cpu(kind, monkeypatch):
    """A finite time in each row."""
    monkeypatch.setenv("REPRO_KERNELS", "torch")
    arguments = {name: value for name, value in KINDS[kind].items() if name != "cell"}
    rows = list(gpu_cells.CELLS[kind](gpu_place.Place("cpu", toy=True), **arguments))

    assert rows
    assert all(math.isfinite(row["ms"]) and row["ms"] > 0 for row in rows)


def test_a_measurement_that_breaks_is_told_and_the_next_one_is_made(tmp_path, capsys):
    """In the table, the JSON and the exit status."""
    cells = [{"cell": "streams"}, {"cell": "limits"}]
    options = ["--device", "cpu", "--toy", "--only", "speed", "--out", str(tmp_path)]
    with pytest.raises(SystemExit, match="1 checks or measurements failed"):
        gpu.main([*options, "--cells", json.dumps(cells)])
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]

    assert [row["part"] for row in rows] == ["device", "failed", *["limits"] * 3]
    assert capsys.readouterr().out == (tmp_path / "table.md").read_text()


def test_a_job_on_a_gpu_that_ran_out_of_time_says_so(tmp_path):
    """The row of a process that was ended for its time begins with the reason."""
    job = gpu.Job("slow", ["-c", "import time; time.sleep(60)"], tmp_path, seconds=0)
    while not job.ended():
        pass
    assert job.last_words().startswith("out of time")


@pytest.fixture(scope="module")
def two_arms(tmp_path_factory):
    """Records of both arms on two devices; the second's recall is higher by the given points."""
    folders = [str(tmp_path_factory.mktemp(name)) for name in ("cpu", "gpu", "far")]
    for folder, offset in zip(folders, (0.0, 0.001, 0.4), strict=True):
        for seed in range(3):
            for combine in ("none", "max"):
                key, recall = f"{combine}-seed{seed}", 0.5 + 0.01 * seed + offset
                record = replace(
                    RECORD,
                    key=key,
                    seed=seed,
                    configuration={"resampling": {"rule": combine}},
                    groups={"a": Count(1000, round(1000 * recall))},
                    metrics={"recall": recall, "val_accuracy": 0.9},
                )
                records.write_record(record, Path(folder), {})
    return folders


def test_answers_of_two_devices_are_compared_by_their_intervals(two_arms, capsys):
    """Near ones agree, far ones do not."""
    found = {}
    for other in two_arms[1:]:
        gpu_checks.compare(two_arms[0], other, "CPU and GPU")
        lines = capsys.readouterr().out.splitlines()
        rows = [json.loads(line.removeprefix("@row ")) for line in lines]
        found[other] = {row["what"]: row["ok"] for row in rows}

    recall = "recall, debiased, CPU and GPU"
    assert [found[other][recall] for other in two_arms[1:]] == [True, False]


@pytest.mark.usefixtures("in_process")
def test_methods_are_trained_twice_and_compared(tmp_path, monkeypatch, capsys):
    """A row for each run, here of one arm; on a GPU of every rule and objective."""
    arms, reference = (gpu_checks.METHODS.index(key) for key in ("arms:", "reference:"))
    one = gpu_checks.METHODS[:arms] + "arms: [{name: even}]\n" + gpu_checks.METHODS[reference:]
    monkeypatch.setattr(gpu_checks, "METHODS", one)
    gpu_checks.methods("cpu", str(tmp_path), "toy")
    (line,) = capsys.readouterr().out.splitlines()
    row = json.loads(line.removeprefix("@row "))

    assert row == {"part": "methods", "what": "standard, twice", "ok": True, "note": "same bits"}


@pytest.mark.usefixtures("in_process")
def test_stacks_are_trained_twice_and_compared(tmp_path, monkeypatch, capsys):
    """Six runs, four as one network; and some of them again, killed, with the same option."""
    smaller = gpu_checks.STUDY
    for given, instead in (
        ("faces: 60, nonfaces: 60", "faces: 30, nonfaces: 30"),
        ("per_group: 4}", "per_group: 1, size: 64}"),
        ("photographs: 8}", "photographs: 2, size: 64}"),
        ("epochs: 3\n    batch_size: 32", "epochs: 1\n    batch_size: 16"),
    ):
        smaller = smaller.replace(given, instead)
    monkeypatch.setattr(gpu_checks, "STUDY", smaller)
    killed = []
    monkeypatch.setattr(gpu_checks, "_killed", lambda *given, options: killed.append(options))
    gpu_checks.stack("cpu", str(tmp_path / "stack"), "toy")
    rows = [json.loads(line[5:]) for line in capsys.readouterr().out.splitlines()]

    assert [row["ok"] for row in rows] == [True, True]
    assert rows[0]["note"].endswith("kernels ['stacked-4']")
    assert killed == [("--stack", "4")]


def test_what_no_earlier_run_measured_comes_first():
    """Default forms of a stack, whole studies, streams, compiled steps, large batches; all once."""
    cells = gpu.cells_of(toy=False)
    first = [(one["cell"], one.get("form"), one.get("batch")) for one in cells[1:12]]

    assert first == [
        *[("stacked", "default", 24)] * 2,
        *[("study", None, None)] * 2,
        *[("stacked", "default", 256)] * 2,
        *[("streams", None, 24)] * 2,
        *[("compiled", "unfolded", 24)] * 2,
        ("beside", None, None),
    ]
    assert len({json.dumps(one, sort_keys=True) for one in cells}) == len(cells)


def test_the_bookkeeping_is_measured_for_every_command(capsys, monkeypatch):
    """Here without processes of their own; `faults/test_scale.py` starts them."""

    def measure(*command):
        done = CliRunner().invoke(main, [str(word) for word in command], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return scale.Measured(1.0, 1.0, 1.0)

    monkeypatch.setattr(scale, "measure", measure)
    scale.main(["--rounds", "1", "--runs", "25"])

    assert len(figures(capsys.readouterr().out)) == 2 + 2 * len(scale.commands("a", "b"))


def _broken():
    """Work that fails before it is warm."""
    raise ValueError("broken on purpose")
    yield 0.0


def test_work_that_fails_ends_the_benchmark():
    """Instead of waiting for an answer that never comes."""
    with pytest.raises(RuntimeError, match="ended with an error"):
        contenders.Contender(_broken, times=1)


def test_the_rates_of_the_audit_are_a_table(capsys):
    """A row for each kind that is asked for."""
    audit_rates.main(["--tables", "2", "--processes", "1", "honest", "wrong n"])
    rows = capsys.readouterr().out.splitlines()[2:4]

    assert [row.split(" | ")[:2] for row in rows] == [["| honest", "2"], ["| wrong n", "2"]]


def test_a_planted_table_is_shown_with_what_the_audit_says(capsys):
    """And with the change."""
    audit_rates.main(["--show", "impossible share", "1"])
    printed = capsys.readouterr().out

    assert printed.startswith("planted: ")
    assert "to be named: ('GRIM',)" in printed


def test_rates_of_unknown_kinds_are_refused(capsys):
    """With the kinds that there are."""
    with pytest.raises(SystemExit):
        audit_rates.main(["wrong m"])

    assert "there is no kind 'wrong m'; there are honest, swapped digits" in capsys.readouterr().err


def test_two_versions_run_a_study_in_turn_and_leave_the_same_records(capsys, tmp_path, monkeypatch):
    """Without a process of its own; a second call measures nothing again."""

    def study(tree, results, changes, *, name):
        records.write_record(RECORD, results, {})
        return embedded.Measured(2.0, 3.0, 1.0)

    monkeypatch.setattr(embedded, "study", study)
    arguments = ["--before", str(ROOT), "--after", str(ROOT), "--toy", "--rounds", "1"]
    embedded.main([*arguments, "--keep", str(tmp_path)])
    first = capsys.readouterr().out
    embedded.main([*arguments, "--keep", str(tmp_path)])

    assert len(figures(first)) == 2  # the round and the median
    assert capsys.readouterr().out == first


@pytest.mark.parametrize(
    ("after", "told"),
    [({"a": 1}, "1 of 2 records differ, such as b"), ({"a": 1, "b": 3}, "1 of 2 records differ")],
)
def test_versions_with_other_records_are_not_compared(after, told):
    """A run is missing, or a number differs."""
    with pytest.raises(SystemExit, match=told):
        embedded.require_same({"a": 1, "b": 2}, after)
