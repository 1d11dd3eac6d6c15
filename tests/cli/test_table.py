"""`repro table` over records with scores, written as a study would leave them."""

import shutil
from typing import get_args

import pytest
import reference_detectors
import scored_study
from builders import study_index
from click.testing import CliRunner
from scored_study import OTHERS

from repro.cli import main
from repro.cli import options as shared
from repro.records import records
from repro.reporting.tables import tables
from repro.reporting.tables.table_part import Format
from repro.stats.disparity import DEFINITIONS
from repro.study.published import Published


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The results of a study of three arms with three seeds each."""
    results = tmp_path_factory.mktemp("table")
    scored_study.write(results)
    return results


PARTS = (
    "results",
    "groups",
    "inequality",
    "accuracy",
    "false_alarms",
    "areas",
    "comparisons",
)


def table(folder, *options):
    """The output of a table that must print."""
    done = CliRunner().invoke(main, ["table", "toy", "--results", str(folder), *options])
    assert done.exit_code == 0, done.output
    return done.output


def test_every_part_of_the_full_table_can_be_asked_for(folder):
    """One table at a time; together they are the whole."""
    whole = table(folder, "--format", "markdown")
    parts = [table(folder, "--format", "markdown", "--part", name).strip() for name in PARTS]

    assert whole.strip() == "\n\n".join(parts)


def test_the_papers_columns_have_detectors_too(tmp_path):
    """Whose records are read for them, though no score of an arm is shown."""
    scored_study.write(tmp_path)
    reference_detectors.write(tmp_path, "Haar")
    rows = table(tmp_path, "--format", "csv").splitlines()

    assert rows[0] == "arm,recall_percent,variance_percent_squared,row"
    assert rows[-1] == "Haar,83.75,392.1875,detector"


def test_the_curve_is_csv(folder):
    """A row for each threshold of each arm, and one for nothing and one for everything."""
    rows = table(folder, "--format", "csv", "--part", "curve").splitlines()

    assert rows[0].startswith("arm,false_positive_rate,darker_female,")
    assert len(rows) == 1 + 3 * (OTHERS + 2)


def test_a_study_is_restated_by_definition(folder):
    """The sample variance of four groups is 4/3 of the population's."""
    ours, theirs = (
        [float(row.split(",")[-1]) for row in table(folder, *options).splitlines()[1:]]
        for options in (["--format", "csv"], ["--format", "csv", "--definition", "amini2019"])
    )

    assert theirs == pytest.approx([4 / 3 * value for value in ours], abs=0.02)


def test_a_page_holds_every_part(folder):
    """HTML is full by default and stands alone."""
    page = table(folder, "--format", "html")

    assert page.startswith("<!doctype html>")
    assert page.count("<section") == len(PARTS)


def test_the_same_records_give_the_same_bytes(folder):
    """Tables hold nothing of the clock, and what is simulated has its own seeds."""
    assert table(folder, "--format", "html") == table(folder, "--format", "html")


def test_a_part_that_there_is_nothing_for_is_a_users_mistake(folder):
    """A study that answers to no print has no verdict."""
    done = CliRunner().invoke(main, ["table", "toy", "--results", str(folder), "--part", "verdict"])

    assert (done.exit_code, done.output) == (
        1,
        "Error: toy@embedded: there is no data for --part verdict\n",
    )


def test_scores_that_were_changed_are_refused(folder, tmp_path):
    """A table over other scores than the record was written with would be a wrong number."""
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    path = copy / "runs" / "None-seed0" / "scores.csv"
    path.write_text(path.read_text().replace("p1,", "p01,"))
    done = CliRunner().invoke(
        main, ["table", "toy", "--results", str(copy), "--format", "markdown"]
    )

    assert done.exit_code == 1
    assert done.output.endswith(
        "scores.csv: its checksum does not match; remove its folder and run again\n"
    )


def test_two_studies_are_no_page(folder, tmp_path):
    """A page is one document."""
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    records.write_index(study_index({"x": ["None-seed0"]}, variant="other"), copy)
    done = CliRunner().invoke(main, ["table", "--results", str(copy), "--format", "html"])

    assert done.exit_code == 1
    assert "a page shows one study; name one" in done.output


def test_the_choices_of_the_command_are_those_of_the_tables():
    """They are written twice, because --help must not load what tables need."""
    named = get_args(Published.model_fields["definition"].annotation)

    assert tuple(shared.PARTS) == tables.PARTS
    assert (*shared.FORMATS, "predictions") == get_args(Format)
    assert shared.DEFINITIONS == list(DEFINITIONS) == sorted(named)
