"""`repro replication` as a user meets it."""

import json

import jsonschema
import pytest
import scored_study
from click.testing import CliRunner

from repro.cli import main
from repro.reporting.tables import json_output

GIVEN = ("--theirs", -20, 6, "--ours", -12, 5)
TABLE = "arm,recall,variance\nbase,92.4 ± 0.9,46.2 ± 12\ndebias,90.5 ± 1.1,22.0 ± 9\n"


def replication(*arguments):
    """Status, output and errors."""
    done = CliRunner().invoke(main, ["replication", *map(str, arguments)])
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The results of a study, its predictions and a table of means."""
    folder = tmp_path_factory.mktemp("replication")
    scored_study.write(folder)
    done = CliRunner().invoke(
        main, ["table", "toy", "--results", str(folder), "--format", "predictions"]
    )
    (folder / "toy.csv").write_text(done.stdout)
    (folder / "means.csv").write_text(TABLE)
    return folder


def test_two_given_effects_are_compared():
    """All measures, each with a sentence."""
    status, text, errors = replication(*GIVEN)

    assert status == 0, errors
    for words in (
        "| Theirs | -20.00 | 6.00 | [-31.76, -8.24] |",
        "| Prediction interval | -20 | — | [-35.31, -4.69] | Ours is what one would expect",
        "| Sceptical p (golden) | 0.00884 |",
        "| Small telescopes | 9.171 |",
        "| Replication Bayes factor | 0.1482 |",
    ):
        assert words in text


@pytest.mark.parametrize("form", ["terminal", "markdown", "html", "latex", "csv", "tsv"])
def test_there_is_every_format(form):
    """As of other commands."""
    status, text, errors = replication(*GIVEN, "--format", form)

    assert status == 0, errors
    assert "Sceptical p" in text


def test_json_is_valid_under_its_schema():
    """With every digit."""
    status, text, errors = replication(*GIVEN, "--format", "json")
    document = json.loads(text)
    jsonschema.validate(document, json_output.schema())

    assert status == 0, errors
    assert document["replication"]["sceptical_p"]["golden"] == pytest.approx(0.008840, abs=1e-6)
    assert document["replication"]["theirs"]["degrees_of_freedom"] is None


def test_a_study_is_compared_with_its_own_predictions(results):
    """They are the same runs, in pairs."""
    arms = ["--arm", "alpha = 0.01", "--less", "No debias", "--margin", "1000"]
    status, text, errors = replication(results / "toy.csv", "toy", "--results", results, *arms)

    assert status == 0, errors
    assert "| Equivalence | 0 |" in text
    assert text.count("variance of alpha = 0.01 less that of No debias; 3 pairs of runs.") == 2


def test_printed_means_are_compared_with_runs(results):
    """Names of arms differ; ± and runs are said by options."""
    status, text, errors = replication(
        *(results / "means.csv", results / "toy.csv", "--plus-minus", "sd", "--runs", 5),
        *("--their-arm", "debias", "--their-less", "base", "--arm", "alpha = 0.01"),
        *("--less", "No debias"),
    )

    assert status == 0, errors
    assert "variance of debias less that of base; printed means of 5 runs, unpaired." in text


def test_a_published_name_needs_a_standard_error(results):
    """It prints none; with one it is compared."""
    asked = ["dehaan2020_table3", results / "toy.csv", "--arm", "alpha = 0.01"]
    asked += ["--effect", "recall"]
    status, _, errors = replication(*asked)

    assert status == 1
    assert errors.endswith("give the standard error of the effect: --their-se SE\n")
    status, text, _ = replication(*asked, "--their-se", 2)
    assert status == 0
    assert "dehaan2020_table3: recall of alpha = 0.01; printed mean of the best 3 of 5 runs" in text
    assert "name the arm that it is compared with, --less ARM" in text


def test_published_runs_are_named_like_published_values(results):
    """The table beside the description of that name."""
    arms = ["--arm", "alpha = 0.01", "--less", "No debias"]
    status, text, errors = replication("dehaan2020_runs", results / "toy.csv", *arms)

    assert status == 0, errors
    assert "variance of alpha = 0.01 less that of No debias; 3 and 3 runs, unpaired" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name THEIRS and OURS: 0 were named"),
        (("a.csv",), "name THEIRS and OURS: 1 were named"),
        (("a.csv", *GIVEN), "both are given, so name no source: 1 were named"),
        (("a.csv", "b.csv", *GIVEN[:3]), "name OURS: 2 were named"),
        (("no_such_study", *GIVEN[3:]), "no published numbers are called 'no_such_study'"),
        (("no/such.csv", *GIVEN[3:]), "no/such.csv"),
        (("--theirs", 1, 0, "--ours", 1, 1), "theirs: write an effect, and its standard error"),
        ((*GIVEN, "--runs", 1), "theirs: a standard error takes at least 2 runs"),
        (
            ("a.csv", "b.csv", "--arm", "x", "--their-less", "y"),
            "--their-less compares two arms of theirs: name two of ours, --less ARM",
        ),
    ],
)
def test_mistakes_are_told_in_a_sentence(arguments, message):
    """Exit status 1."""
    status, text, errors = replication(*arguments)

    assert (status, text) == (1, "")
    assert message in errors
