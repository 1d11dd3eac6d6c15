"""Malformed files of published numbers are refused: where, why, and with nothing left behind."""

import pytest
from click.testing import CliRunner

from faults.bad_audits import BESIDE, CASES, GOOD, OPTIONS, counts
from faults.bad_studies import write
from faults.refusals import SECONDS, check, costs, listing
from repro.cli import main

QUICK = ["place: without an end", "shape: 100 MB"]


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


@pytest.mark.draws("costly", CASES, QUICK)
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
    assert (
        "tive.csv: in the same folder, left out: column 'detected': -80 is negative" in done.stdout
    )


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_that_does_not_suit_is_refused(name, tmp_path, tally):
    """The file is sound; the message says what would suit."""
    path = tmp_path / "table.csv"
    path.write_text(GOOD)
    given, said = OPTIONS[name]
    done = CliRunner().invoke(main, ["audit", str(path), *given])
    tally.bad_inputs += 1

    assert isinstance(done.exception, SystemExit)
    assert done.exit_code == 1
    assert said in done.stderr


@pytest.mark.parametrize("name", BESIDE)
def test_a_malformed_description_is_refused(name, tmp_path, tally):
    """The YAML beside the table, by its line and column."""
    path = tmp_path / "table.csv"
    path.write_text(GOOD)
    text, said = BESIDE[name]
    path.with_suffix(".yaml").write_text(text)
    done = CliRunner().invoke(main, ["audit", str(path)])
    tally.bad_inputs += 1

    assert isinstance(done.exception, SystemExit)
    check(done.exit_code, done.stderr, f"{path.with_suffix('')}{said}")
