"""Child processes that measure."""

import multiprocessing
import os
import signal

import pytest
from builders import configuration
from data_layouts import put

from repro.errors import ReproError
from repro.execution import calibration, measuring
from repro.execution.measuring import Work

SMALL = {
    "train": {"source": "synthetic", "faces": 30, "nonfaces": 30},
    "test": {"source": "synthetic", "per_group": 1, "size": 64},
    "nonfaces": {"source": "synthetic", "photographs": 2, "size": 64},
}


@pytest.mark.parametrize(
    ("names", "processes", "dealt"),
    [
        ("a", 2, [["a"], ["a"]]),
        ("ab", 2, [["a"], ["b"]]),
        ("abc", 2, [["a", "c"], ["b", "a"]]),
        ("ab", 1, [["a", "b"]]),
    ],
)
def test_every_process_measures_as_much_as_the_others(names, processes, dealt):
    """None measures alone, which would be faster than in the study."""
    assert measuring.shares(list(names), processes) == dealt


def test_where_nothing_is_to_be_measured_no_process_starts():
    """A plan without missing runs and without a paper."""
    assert measuring.measured({}, ["cpu"] * 2, kernels="torch") == {}


def test_a_users_mistake_in_a_calibrating_process_reaches_the_parent(tmp_path):
    """A folder that went away is an error with its name; no process stays."""
    picture = put(tmp_path / "gone" / "1.png", 1)
    gone = configuration(data=SMALL | {"nonfaces": str(tmp_path / "gone")})
    picture.unlink()
    picture.parent.rmdir()

    with pytest.raises(ReproError, match="gone: folder not found"):
        measuring.measured({"": Work(calibration.measure, gone)}, ["cpu"] * 2, kernels="torch")
    assert not multiprocessing.active_children()


def test_a_killed_calibrating_process_is_the_users_to_mend(monkeypatch):
    """How it ended and what helps are said; no process stays."""
    monkeypatch.setattr(measuring, "_prepare", _die)

    with pytest.raises(ReproError, match=r"killed by SIGKILL.*--no-calibration"):
        measuring.measured(
            {"": Work(calibration.measure, configuration())}, ["cpu"] * 2, kernels="torch"
        )
    assert not multiprocessing.active_children()


def _die():
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_gpu_that_is_not_here_is_refused_with_a_way_out():
    """The first that lacks, in one sentence; no process stays."""
    with pytest.raises(ReproError, match=r"^--device cuda:98: .* elsewhere add --no-calibration$"):
        measuring.require(["cpu", "cuda:98", "cuda:99"])
    assert not multiprocessing.active_children()


def test_a_processor_is_always_there(monkeypatch):
    """No process is started to ask."""
    monkeypatch.setattr(measuring, "Child", None)

    measuring.require(["cpu"] * 4)
