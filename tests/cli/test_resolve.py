"""Which variant of a study a command shows, over records written by hand."""

import pytest
from builders import study_index
from click.testing import CliRunner

from repro.cli import main, resolve
from repro.errors import ReproError
from repro.metrics import Count
from repro.records import records
from repro.records.records import Record

PLAIN = {"variant": "embedded"}
CHANGED = {"variant": "embedded-1a2b3c", "overrides": ["epochs=2"]}
OTHER = {"variant": "embedded-1a9999", "overrides": ["epochs=3"]}
PAPER = {"variant": "paper", "profile": "paper"}
PAPER_CHANGED = {"variant": "paper-1a2b3c", "profile": "paper", "overrides": ["epochs=2"]}
STUDY = "name: toy\nprofiles: {embedded: {}, paper: {}}\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with the study's file, in which commands run."""
    (tmp_path / "toy.yaml").write_text(STUDY)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(results, *variants):
    """Results of these variants of one study, with one run each."""
    for variant in variants:
        key = f"{variant['variant']}-seed0"
        counts = {"a": Count(10, 5), "b": Count(10, 9)}
        record = Record(key=key, seed=0, configuration={}, data={}, groups=counts)
        records.write_record(record, results, {})
        records.write_index(study_index({"x": [key]}, **variant), results)


def meant(results, study, profile=None, overrides=()):
    return resolve.one(results, study, profile=profile, overrides=overrides).variant


@pytest.mark.parametrize(
    ("study", "profile", "overrides", "variant"),
    [
        ("toy", None, [], "embedded"),
        ("toy.yaml", None, [], "embedded"),
        ("toy", "embedded", [], "embedded"),
        ("toy", "paper", [], "paper"),
        ("toy", None, ["epochs=2"], "embedded-1a2b3c"),
        ("toy", "embedded", ["epochs=3"], "embedded-1a9999"),
        ("toy@1a2", None, [], "embedded-1a2b3c"),
        ("toy@1a2b3c", None, [], "embedded-1a2b3c"),
        ("toy@embedded-1a9999", None, [], "embedded-1a9999"),
        ("toy@paper", None, [], "paper"),
    ],
)
def test_a_name_means_one_variant(here, study, profile, overrides, variant):
    """As the file says; with the options that were given; or by its id."""
    write(here, PLAIN, CHANGED, OTHER, PAPER)

    assert meant(here, study, profile, overrides) == variant


def test_the_default_profile_is_the_first_of_the_file(here):
    """Not the first in the alphabet."""
    write(here, PLAIN, PAPER)
    (here / "toy.yaml").write_text("name: toy\nprofiles: {paper: {}, embedded: {}}\n")

    assert meant(here, "toy") == "paper"


@pytest.mark.parametrize(
    ("study", "options", "said"),
    [
        ("toy", {}, "no results of toy with profile embedded and nothing changed. Available:"),
        ("toy", {"overrides": ["epochs=9"]}, "with profile embedded and epochs=9. Available:"),
        ("toy@77", {}, "no variant '77' of toy. Available:"),
        ("toy@1a", {}, "3 variants of toy fit. Choose one:"),
        ("toy@1a2b3c", {}, "2 variants of toy fit. Choose one:"),
    ],
)
def test_what_is_not_one_variant_lists_all(here, study, options, said):
    """Each with its id and what differs; ids that are the same in full."""
    write(here, CHANGED, OTHER, PAPER_CHANGED)

    with pytest.raises(ReproError) as refused:
        meant(here, study, **options)
    lines = str(refused.value).splitlines()
    assert lines[0].endswith(said)
    assert "  toy@embedded-1a2b3c  profile embedded; changed: epochs=2" in lines
    assert "  toy@paper-1a2b3c  profile paper; changed: epochs=2" in lines


def test_an_id_and_options_together_are_refused(here):
    """Two ways to say which, that may contradict each other."""
    write(here, CHANGED)

    with pytest.raises(ReproError, match="names a variant: leave out --profile and --set"):
        meant(here, "toy@1a2b3c", overrides=["epochs=2"])


def test_without_the_file_two_profiles_are_told_apart_by_option(here):
    """No first profile is guessed."""
    write(here, PLAIN, PAPER)
    (here / "toy.yaml").unlink()

    assert meant(here, "toy", "paper") == "paper"
    with pytest.raises(ReproError, match="2 variants of toy fit"):
        meant(here, "toy")


@pytest.mark.parametrize("form", ["latex", "markdown", "html"])
@pytest.mark.parametrize("part", ["results", "groups"])
@pytest.mark.parametrize("wanted", ["toy@embedded", "toy@1a2b3c"])
def test_every_table_says_which_variant_it_is(here, form, part, wanted):
    """In its caption, by the words that choose it."""
    write(here, PLAIN, CHANGED)
    command = ["table", wanted, "--results", str(here), "--format", form, "--part", part]
    done = CliRunner().invoke(main, command)

    assert done.exit_code == 0, done.output
    assert f"{wanted}: " in done.stdout


@pytest.mark.parametrize("study", [["toy"], []])
def test_the_other_variants_are_listed_beside_a_table(here, study):
    """On standard error, so that a pipe has the table alone."""
    write(here, PLAIN, CHANGED)
    command = ["table", *study, "--results", str(here), "--format", "csv"]
    done = CliRunner().invoke(main, command)

    assert done.stderr.splitlines() == [
        "Shown:",
        "  toy@embedded  profile embedded",
        "Other variants:",
        "  toy@1a2b3c  profile embedded; changed: epochs=2",
    ]
    assert len(done.stdout.splitlines()) == 2


def test_status_names_each_variant_by_its_id(here):
    """With what differs."""
    write(here, PLAIN, CHANGED)
    done = CliRunner().invoke(main, ["status", "--results", str(here)])

    assert done.output.splitlines() == [
        "toy@1a2b3c (profile embedded; changed: epochs=2): 1 of 1 runs finished, 0 failed",
        "toy@embedded (profile embedded): 1 of 1 runs finished, 0 failed",
    ]


@pytest.mark.parametrize("command", ["table", "figures", "report", "verify", "sync", "ui"])
def test_every_command_about_results_asks_in_the_same_way(here, command):
    """One function finds the variant for all of them."""
    write(here, CHANGED)
    done = CliRunner().invoke(main, [command, "toy", "--results", str(here)])

    assert done.exit_code == 1
    assert "nothing changed. Available:\n  toy@1a2b3c  profile embedded;" in done.output
