"""A broken detector is told in a sentence, is never recorded, and disturbs nothing."""

import importlib.util
import os
import random

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from scoring_here import here

from faults import bad_detectors, studies
from repro.cli import main
from repro.detectors.given import of_option
from repro.errors import ReproError
from repro.execution import detector_scoring
from repro.study import study

needs_onnx = pytest.mark.skipif(
    importlib.util.find_spec("onnxruntime") is None, reason="the extra onnx is not installed"
)


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A study in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return studies.toy(tmp_path, arms=studies.ONE_ARM, replicates=2, keep=1)


def refused(toy, model, *options):
    """What is said; nothing is recorded."""
    with here():
        result = CliRunner().invoke(main, ["score", str(toy), "--model", model, *options])
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    assert not (toy.parent / "results" / "detectors").exists()
    return result.output


@pytest.mark.parametrize("what", bad_detectors.PYTHON)
def test_a_broken_file_of_python_is_told(toy, what, tally):
    """With file and line where it has one."""
    make, told = bad_detectors.PYTHON[what]
    make(toy.parent / "theirs.py")
    tally.bad_inputs += 1

    assert told in refused(toy, "theirs.py:theirs")


def broken(toy, entry, tally):
    """What is said of a file is what is expected."""
    ending, make, options, told = entry
    make(toy.parent / f"theirs{ending}")
    tally.bad_inputs += 1

    assert told in refused(toy, f"theirs{ending}", *options)


@pytest.mark.parametrize("what", bad_detectors.FILES)
def test_a_broken_file_of_another_kind_is_told(toy, what, tally):
    """By what it should be."""
    broken(toy, bad_detectors.FILES[what], tally)


@needs_onnx
@pytest.mark.parametrize("what", bad_detectors.ONNX)
def test_a_broken_onnx_file_is_told(toy, what, tally):
    """As onnxruntime says it, in a sentence."""
    broken(toy, bad_detectors.ONNX[what], tally)


def test_what_a_detector_changes_is_as_before_for_others(toy, tally):
    """Random states, threads, types, the folder, the environment."""
    body = (
        "import os, random, torch; np.random.seed(1); random.seed(1); torch.manual_seed(1); "
        "torch.set_default_dtype(torch.float64); torch.set_num_threads(2); os.chdir('/'); "
        "os.environ['X_OF_A_DETECTOR'] = '1'; pictures[0][:] = 0; return np.zeros(1)"
    )
    bad_detectors.own(body)(toy.parent / "theirs.py")
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002
    with here():
        result = CliRunner().invoke(main, ["score", str(toy), "--model", "theirs.py:theirs"])
    after = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002
    tally.faults += 1

    assert result.exit_code == 0, result.output
    assert after == before
    assert torch.get_default_dtype() == torch.float32
    assert os.getcwd() == str(toy.parent)
    assert "X_OF_A_DETECTOR" not in os.environ


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("import time; time.sleep(1000)", "used no CPU time and said nothing for 3 s"),
        ("import os; os.kill(os.getpid(), 11)", "killed by SIGSEGV"),
    ],
    ids=["hangs", "crashes"],
)
def test_a_detector_that_hangs_or_crashes_ends_alone(toy, body, told, tally):
    """Its process is ended, and nothing is recorded."""
    bad_detectors.own(body)(toy.parent / "theirs.py")
    tally.faults += 1

    with pytest.raises(ReproError, match=told):
        detector_scoring.score(
            study.load(toy, profile=None, overrides=()),
            of_option("theirs.py:theirs"),
            toy.parent / "results",
            stall=3.0,
        )
    assert not (toy.parent / "results" / "detectors").exists()
