"""What cannot be stacked is refused before anything is trained, at the arm and its setting."""

import pytest
from click.testing import CliRunner
from faults import studies

import repro
from repro.cli import main
from repro.errors import ReproError
from repro.execution import stackable
from repro.execution.executors.executor_options import Place
from repro.study import study

FINE = "  - {name: even, resampling: {combine: none}}\n"
CASES = {
    "decoder_input": (
        "  - {name: odd, decoder_input: faces}\n"
        "  - {name: odder, decoder_input: faces, latent_dim: 9}\n",
        ":{line}:32: --stack 3: with faces, batches have a different shape in each run, which "
        "cannot be trained as one network; all can (arms odd and odder); run this study without "
        "--stack",
    ),
    "objective": (
        "  - {name: odd, model: classifier, resampling: {combine: none}, objective: {name: lff}}\n",
        ": lff follows one network, and cannot be trained with others as one (arm odd); run this "
        "study without --stack",
    ),
}


def of(folder, arms):
    """A study with these arms after one that can be stacked."""
    return studies.toy(folder, arms=FINE + arms)


@pytest.mark.parametrize("command", ["plan", "run", "preregister"])
def test_an_arm_that_cannot_be_stacked_is_refused(command, tmp_path):
    """With file, line and column of the setting; nothing is created."""
    file = of(tmp_path, CASES["decoder_input"][0])
    line = file.read_text().splitlines().index("  - {name: odd, decoder_input: faces}") + 1
    arguments = [command, str(file), "--results", str(tmp_path / "results"), "--stack", "3"]
    done = CliRunner().invoke(main, arguments)

    assert done.exit_code == 1
    assert done.output == f"Error: {file}{CASES['decoder_input'][1].format(line=line)}\n"
    assert not (tmp_path / "results").exists()


def test_an_objective_of_its_own_is_refused(tmp_path):
    """It follows one network."""
    resolved = study.load(of(tmp_path, CASES["objective"][0]))
    with pytest.raises(ReproError) as error:
        stackable.refuse(resolved, Place(stack=3))

    assert CASES["objective"][1].removeprefix(": ") in str(error.value)
    stackable.refuse(resolved, Place(stack=1))
    stackable.refuse(resolved, Place())


def test_the_function_of_the_api_refuses_as_the_command_does(tmp_path):
    """Before anything is created."""
    file = of(tmp_path, CASES["decoder_input"][0])
    with pytest.raises(ReproError, match=r"arms odd and odder"):
        repro.run_study(file, results=tmp_path / "results", stack=3)

    assert not (tmp_path / "results").exists()
