"""Studies by name: where they are found, `repro studies` and `repro new`."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from repro import api
from repro.cli import main
from repro.errors import ReproError
from repro.study import study, study_files

SHIPPED = study_files.shipped_folder()


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """An empty folder, in which commands run."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def invoke(*arguments):
    return CliRunner().invoke(main, arguments)


def copy_to(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(SHIPPED / "alpha_sweep.yaml", path)


def test_a_name_is_looked_for_here_then_in_studies_then_among_the_shipped(here):
    """The first that is there."""
    found = [study_files.find("alpha_sweep")]
    for folder in (here / "studies", here):
        copy_to(folder / "alpha_sweep.yaml")
        found.append(study_files.find("alpha_sweep"))

    paths = [SHIPPED / "alpha_sweep.yaml", Path("studies/alpha_sweep.yaml")]
    assert [one.path for one in found] == [*paths, Path("alpha_sweep.yaml")]
    assert [one.is_shipped for one in found] == [True, False, False]
    assert [one.hides for one in found] == [None, paths[0], paths[0]]


@pytest.mark.parametrize("path", ["alpha_sweep.yaml", "./alpha_sweep", "x.yml", Path("alpha")])
def test_a_path_is_a_path(path):
    """It is never looked for elsewhere."""
    assert study_files.find(path).path == Path(path)


def test_an_unknown_name_lists_those_that_there_are():
    """With the nearest."""
    with pytest.raises(ReproError, match=r"'alpha_swep'; did you mean 'alpha_sweep'.*choices"):
        study_files.find("alpha_swep")


def test_the_file_that_is_used_is_said(here):
    """And that it hides a shipped one; on standard error."""
    shipped = invoke("plan", "alpha_sweep", "--no-calibration")
    copy_to(here / "alpha_sweep.yaml")
    own = invoke("plan", "alpha_sweep", "--no-calibration")
    path = invoke("plan", "alpha_sweep.yaml", "--no-calibration")

    def told(result):  # but for the line about kernels
        return [line for line in result.stderr.splitlines() if not line.startswith("Kernels: ")]

    assert told(shipped) == [f"Study: {SHIPPED / 'alpha_sweep.yaml'}"]
    hidden = SHIPPED / "alpha_sweep.yaml"
    assert told(own) == [f"Study: alpha_sweep.yaml (in place of the shipped {hidden})"]
    assert told(path) == []
    assert shipped.stdout == own.stdout == path.stdout


def test_a_study_of_ones_own_answers_to_shipped_published_numbers(here):
    """Those beside it go first."""
    copy_to(here / "mine.yaml")
    shipped = study.load(here / "mine.yaml").published
    folder = here / "published"
    folder.mkdir()
    text = (SHIPPED / "published" / "dehaan2020_table3.yaml").read_text()
    own = text.replace("printed: ", "printed: in my own copy, ", 1)
    (folder / "dehaan2020_table3.yaml").write_text(own)

    assert shipped.rows == study.load(here / "mine.yaml").published.rows
    assert not shipped.printed.startswith("in my own copy")
    assert study.load(here / "mine.yaml").published.printed.startswith("in my own copy")


def test_published_numbers_go_by_name_in_an_audit():
    """As studies name them."""
    file = study_files.published_file("dehaan2020_table3")

    assert file == SHIPPED / "published" / "dehaan2020_table3.yaml"
    with pytest.raises(ReproError, match="did you mean 'dehaan2020_table3'"):
        study_files.published_file("dehaan2020_tabel3")


def test_studies_are_listed_with_what_they_ask_and_take(here):
    """Shipped ones, local ones, and one that cannot be read; other YAML files are none."""
    copy_to(here / "studies" / "mine.yaml")
    (here / "broken.yaml").write_text("arms: [")
    (here / "compose.yaml").write_text("services: {}\n")
    done = invoke("studies")
    listed = dict(block.split("\n", 1) for block in done.stdout.split("\n\n"))

    assert done.exit_code == 0
    assert [name for name in listed if not name.startswith(("broken", "mine"))] == sorted(
        path.stem for path in SHIPPED.glob("*.yaml")
    )
    question = "Does stronger resampling lower the variance between groups, and at what cost in"
    assert listed["mine"].splitlines() == [
        f"    {question} recall?",
        "    5 arms, 25 runs; profile embedded: 6 min on 2 cores of an AMD EPYC, 1.3 GB",
        "    local: studies/mine.yaml",
    ]
    assert listed["broken: cannot be read"].startswith("    broken.yaml:1:")


def test_every_shipped_study_says_what_it_takes():
    """In its default profile."""
    assert all(study.load(path).expected for path in SHIPPED.glob("*.yaml"))


def test_a_new_study_runs_as_it_is_written(here):
    """Small; its comments lead to the next commands."""
    written = invoke("new", "mine")
    small = {
        "epochs": 1,
        "replicates": 1,
        "data.train.faces": 30,
        "data.train.nonfaces": 30,
        "data.test": {"source": "synthetic", "per_group": 1, "size": 64},
        "data.nonfaces": {"source": "synthetic", "photographs": 2, "size": 64},
    }
    done = api.run_study("mine", overrides=small, executor="inline", results=here / "results")

    assert written.output == "mine.yaml\nRun it: repro run mine\n"
    assert len(done.runs) == 3
    assert (here / "mine.yaml").read_text().startswith("# Run it:           repro run mine\n")


def test_a_new_study_goes_into_studies_where_there_is_such_a_folder(here):
    """As a checkout has one."""
    (here / "studies").mkdir()

    assert invoke("new", "mine").stdout.startswith("studies/mine.yaml\n")
    assert study_files.find("mine").path == Path("studies/mine.yaml")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mine", "mine.yaml exists already: choose another name"),
        ("alpha_sweep", "alpha_sweep is a shipped study"),
        ("My-Study", "'My-Study': write a name of lower-case letters"),
        ("../mine", "'../mine': write a name of lower-case letters"),
    ],
)
def test_a_new_study_never_replaces_one(here, name, said):
    """Nor does it hide a shipped one."""
    (here / "mine.yaml").write_text("mine")
    done = invoke("new", name)

    assert (done.exit_code, done.output.startswith(f"Error: {said}")) == (1, True)
    assert [path.name for path in here.iterdir()] == ["mine.yaml"]
    assert (here / "mine.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    "words",
    [["run", "x.zip"], ["plan", "./x.ZIP"], ["sync", "x.zip"], ["replication", "x.zip", "y"]],
)
def test_a_command_that_does_not_read_bundles_says_which_do(words):
    """And not that a study of this name is missing."""
    done = invoke(*words)

    assert done.exit_code == 1
    assert "a bundle is only read, by table, report, figures, status, show" in done.output
