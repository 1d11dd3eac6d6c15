"""Code of a plug-in changes nothing that others share."""

import os
import random
import sys
import warnings

import numpy as np
import pytest
import torch

from repro.plugins import guard

CHANGES = {
    "Python's random state": (random.getstate, lambda: random.seed(5)),
    "NumPy's random state": (
        lambda: np.random.get_state()[1].tolist(),  # noqa: NPY002 - the global one
        lambda: np.random.seed(5),  # noqa: NPY002
    ),
    "torch's random state": (lambda: torch.get_rng_state().tolist(), lambda: torch.manual_seed(5)),
    "NumPy's errors": (np.geterr, lambda: np.seterr(all="raise")),
    "dtype": (torch.get_default_dtype, lambda: torch.set_default_dtype(torch.float64)),
    "gradients": (torch.is_grad_enabled, lambda: torch.set_grad_enabled(False)),
    "deterministic": (
        torch.are_deterministic_algorithms_enabled,
        lambda: torch.use_deterministic_algorithms(
            not torch.are_deterministic_algorithms_enabled()
        ),
    ),
    "threads": (
        torch.get_num_threads,
        lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    ),
    "precision": (
        torch.get_float32_matmul_precision,
        lambda: torch.set_float32_matmul_precision("medium"),
    ),
    "choice of kernels": (
        lambda: (torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32),
        lambda: (
            setattr(torch.backends.cudnn, "benchmark", not torch.backends.cudnn.benchmark),
            setattr(torch.backends.cudnn, "allow_tf32", not torch.backends.cudnn.allow_tf32),
        ),
    ),
    "warnings": (lambda: [*warnings.filters], lambda: warnings.simplefilter("ignore", append=True)),
    "environment": (lambda: dict(os.environ), lambda: os.environ.update(REPRO_OTHER="1")),
    "folder": (os.getcwd, lambda: os.chdir("/")),
    "search path": (lambda: [*sys.path], lambda: sys.path.insert(0, "/other")),
}


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("fails", [False, True])
def test_what_a_process_shares_is_restored(what, fails):
    """Whether the code returned or raised."""
    look, change = CHANGES[what]
    before = look()

    with pytest.raises(ZeroDivisionError) if fails else guard.undisturbed(), guard.undisturbed():
        change()
        assert look() != before
        if fails:
            raise ZeroDivisionError

    assert look() == before


def test_what_it_prints_goes_to_standard_error(capsys):
    """So that tables and JSON stay clean, and without control characters."""
    with guard.undisturbed():
        print("a\x1b[2Jb")  # noqa: T201

    out, err = capsys.readouterr()
    assert (out, err) == ("", "a\\x1b[2Jb\n")


def test_what_it_prints_is_told_at_once(capsys):
    """A plug-in that prints without an end fills no memory."""
    with guard.undisturbed():
        print("one\ntwo")  # noqa: T201
        assert capsys.readouterr().err == "one\ntwo\n"
        print("rest", end="")  # noqa: T201

    assert capsys.readouterr().err == "rest\n"
