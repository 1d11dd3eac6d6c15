"""Malformed files of predictions are refused: where, why, and with nothing left behind."""

import pytest
from click.testing import CliRunner

from faults.bad_predictions import CASES, SOUND
from faults.bad_studies import write
from faults.refusals import check, listing
from repro.cli import main


@pytest.mark.parametrize("name", CASES)
def test_malformed_predictions_are_refused(name, tmp_path, tally):
    """Exit status 1, file and line, what is wrong; nothing is created."""
    path = tmp_path / "scores.csv"
    write(CASES[name][0], path)
    before = listing(tmp_path)
    done = CliRunner().invoke(main, ["audit", str(path), "--part", "results"])
    tally.bad_inputs += 1

    assert isinstance(done.exception, SystemExit)
    check(done.exit_code, done.stderr, f"{path}{CASES[name][1]}")
    assert listing(tmp_path) == before


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("logit", "--column 'logit': write NAME=VALUE, as in --column seed=run"),
        ("size=n", "--column names 'size', but the columns are arm, run, image, group, label"),
        ("group=race", "the column 'group' is declared as 'race'; a column of predictions is arm"),
    ],
)
def test_a_wrong_declaration_is_refused(column, message, tmp_path, tally):
    """It names what there is."""
    path = tmp_path / "scores.csv"
    path.write_text(SOUND)
    done = CliRunner().invoke(main, ["audit", str(path), "--column", column])
    tally.bad_inputs += 1

    assert done.exit_code == 1
    assert message in done.stderr
