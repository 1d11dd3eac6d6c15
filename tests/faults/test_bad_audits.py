"""Malformed files of published numbers are refused: where, why, and with nothing left behind."""

import pytest
from click.testing import CliRunner

from faults.bad_audits import CASES, counts
from faults.bad_studies import write
from faults.refusals import SECONDS, check, costs, listing
from repro.cli import main

QUICK = ["place: without an end", "shape: 100 MB"]


def kind(name):
    """What is wrong, before the colon."""
    return name.partition(":")[0]


@pytest.mark.parametrize("name", CASES)
def test_a_malformed_file_is_refused(name, tmp_path, tally):
    """Exit status 1, file and line, what is wrong; nothing is created."""
    path = tmp_path / "table.csv"
    write(CASES[name][0], path)
    before = listing(tmp_path)
    done = CliRunner().invoke(main, ["audit", str(path)])
    tally.bad_inputs += 1

    assert isinstance(done.exception, SystemExit)
    check(done.exit_code, done.stderr, f"{path}{CASES[name][1]}")
    assert listing(tmp_path) == before


@pytest.mark.draws("costly", CASES, QUICK, kind)
def test_a_refusal_costs_little(costly, tmp_path, tally):
    """A process of its own ends within seconds, whatever the file holds."""
    path = tmp_path / "table.csv"
    write(CASES[costly][0], path)
    before = listing(tmp_path)
    status, errors, seconds, _ = costs(["audit", path], tmp_path)
    tally.bad_inputs += 1

    check(status, errors, f"{path}{CASES[costly][1]}")
    assert seconds < SECONDS
    assert listing(tmp_path) == before


def test_a_malformed_file_beside_a_sound_one_is_told(tmp_path, tally):
    """A pipe in the same folder stops nothing; a file with a mistake is named in a note."""
    (tmp_path / "sound.csv").write_text(counts(arms=2, runs=2))
    for name in ("place: pipe", "number: negative"):
        write(CASES[name][0], tmp_path / f"{name[-4:]}.csv")
        tally.bad_inputs += 1
    done = CliRunner().invoke(main, ["audit", str(tmp_path / "sound.csv")])

    assert done.exit_code == 0
    assert "tive.csv: in the same folder, but malformed: left out." in done.stdout
