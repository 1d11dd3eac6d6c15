"""No study changes between stacks and single runs unasked."""

import shutil

import pytest
import stacks_here
from click.testing import CliRunner
from faults import studies

from repro.cli import main
from repro.errors import ReproError
from repro.execution import runner
from repro.execution.executors.executor_options import Place
from repro.execution.executors.executor_registry import executor_at
from repro.study import study
from repro.study.resources import PLAIN

SINGLY = (
    "6 runs of it were trained in stacks of 4, and would be trained again singly: pass --stack 4 "
    "to go on as before, or --stack 1 if that is meant"
)
HERE = Place(executor="inline")


def run(file, results, place):
    """Run a study; training takes no time."""
    with stacks_here.canned(), executor_at(place, PLAIN, remark=print) as executor:
        resolved = study.load(file)
        runner.run(resolved, results, executor=executor, on_event=lambda _: None, asked=place.asked)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A study whose six runs were trained in stacks of four, with its results."""
    folder = tmp_path_factory.mktemp("made")
    run(studies.toy(folder), folder / "results", Place(stack=4))
    assert stacks_here.kernels(folder / "results") == {"stacked-4"}
    return folder / "toy.yaml", folder / "results"


@pytest.fixture
def stacked(made, tmp_path):
    """The same, with results that may be changed."""
    file, results = made
    shutil.copytree(results, tmp_path / "results")
    return file, tmp_path / "results"


def said(command, made, *options):
    """What a command prints of the study."""
    file, results = made
    given = [command, str(file), "--results", str(results), *map(str, options)]
    with stacks_here.canned():
        return CliRunner().invoke(main, given)


def test_a_study_in_stacks_does_not_go_on_singly_unasked(made):
    """It stops before it trains, and `repro plan` says so; with the option all is done."""
    file, results = made
    before = studies.identities(results)
    with pytest.raises(ReproError) as error:
        run(file, results, HERE)

    assert str(error.value) == f"toy@embedded: {SINGLY}"
    planned = said("plan", made, "--no-calibration", "--executor", "inline")
    assert f"Warning: `repro run` stops: {SINGLY}\n" in planned.output
    run(file, results, Place(stack=4))
    assert studies.identities(results) == before


def test_with_the_option_it_goes_on_singly_and_back(stacked):
    """Each has its records, which are all used again."""
    file, results = stacked

    run(file, results, Place(executor="inline", stack=1))
    after = studies.identities(results)
    assert len(after) == 12
    for place in (HERE, Place(stack=4), HERE):
        run(file, results, place)
    assert studies.identities(results) == after


def test_a_stack_of_another_size_has_runs_of_its_own(stacked):
    """Nobody has to say so twice."""
    file, results = stacked
    run(file, results, Place(stack=3))

    assert stacks_here.kernels(results) == {"stacked-4", "stacked-3"}
    assert len(studies.identities(results)) == 12


def test_a_study_whose_choices_changed_is_not_stopped(made, tmp_path):
    """Its runs are others anyway."""
    shutil.copytree(made[0].parent, tmp_path / "copy")
    file, results = (tmp_path / "copy" / path.name for path in made)
    file.write_text(file.read_text().replace("epochs: 3", "epochs: 2"))
    run(file, results, HERE)

    assert len(studies.identities(results)) == 12


def test_runs_of_a_stack_are_verified_in_one(made):
    """Bit by bit, as many as are asked for."""
    done = said("verify", made, "--runs", 3, "--stack", 4)

    assert done.output.splitlines()[-1] == "3 of 3 runs are bit-identical"
    assert done.exit_code == 0


def test_verify_says_with_which_option_runs_were_trained(made):
    """Nothing is trained without it."""
    done = said("verify", made, "--runs", 3)

    assert (done.exit_code, done.output) == (
        1,
        "Error: toy@embedded: 3 runs of it were trained in stacks of 4, and would be compared with "
        "single runs: pass --stack 4 to train them again as they were, or --stack 1 if that is "
        "meant\n",
    )


def test_a_stack_of_another_size_is_compared_if_it_is_asked_for(made):
    """The line names the difference; canned training depends on the name of the run."""
    assert "kernels stacked-4 -> stacked-3" in said("verify", made, "--stack", 3).output
