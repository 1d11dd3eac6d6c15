"""`repro table` over records with scores, written as a study would leave them."""

import csv
import io
import shutil
from typing import get_args

import numpy as np
import pytest
from builders import study_index
from click.testing import CliRunner

from repro.cli import main
from repro.cli import options as shared
from repro.metrics import Count
from repro.records import records
from repro.records.records import Record
from repro.reporting.tables import tables
from repro.reporting.tables.table_part import Format
from repro.stats.disparity import DEFINITIONS
from repro.study.published import Published

GROUPS = ("darker_female", "darker_male", "lighter_female", "lighter_male")
ARMS = {"No debias": -0.5, "alpha = 0.1": 0.0, "alpha = 0.01": 0.5}
RUNS, EACH, OTHERS = 3, 20, 40


def scores(arm, seed):
    """Top logits of 80 portraits, darker ones lower, and of 40 photographs without a face."""
    generator = np.random.default_rng([seed, len(arm)])
    shift = np.repeat([ARMS[arm], ARMS[arm], 1.0, 1.0], EACH)
    return generator.normal(1 + shift), generator.normal(-1, 1, OTHERS)


def scores_csv(portraits, others):
    """A file of a run's scores in the layout of the records."""
    file = io.StringIO()
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(["set", "photograph", "group", "top_logit", "windows", "positive"])
    for i, logit in enumerate(portraits):
        rows.writerow(["portraits", f"p{i}", GROUPS[i // EACH], logit, 1, int(logit >= 0)])
    for i, logit in enumerate(others):
        rows.writerow(["nonfaces", f"n{i}", "", logit, 1, int(logit >= 0)])
    return file.getvalue().encode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The results of a study of three arms with three seeds each."""
    results = tmp_path_factory.mktemp("table")
    keys = {}
    for arm, alpha in zip(ARMS, (None, 0.1, 0.01), strict=True):
        keys[arm] = [f"{alpha}-seed{seed}" for seed in range(RUNS)]
        for seed, key in enumerate(keys[arm]):
            portraits, others = scores(arm, seed)
            found = (portraits >= 0).reshape(len(GROUPS), EACH).sum(axis=1)
            resampling = {"rule": "max" if alpha else "none", "alpha": alpha or 0.0}
            record = Record(
                key=key,
                seed=seed,
                configuration={"resampling": resampling},
                data={},
                groups={g: Count(EACH, int(n)) for g, n in zip(GROUPS, found, strict=True)},
                nonfaces=Count(OTHERS, int((others >= 0).sum())),
            )
            records.write_record(record, results, {"scores.csv": scores_csv(portraits, others)})
    select = {"keep": 2, "by": "recall", "split": "test"}
    records.write_index(study_index(keys, select=select), results)
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
    assert tuple(shared.FORMATS) == get_args(Format)
    assert shared.DEFINITIONS == list(DEFINITIONS) == sorted(named)
