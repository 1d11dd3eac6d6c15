"""What the options of a place contradict is refused before anything starts."""

import multiprocessing

import pytest

from repro.errors import ReproError
from repro.execution.executors import executor_registry
from repro.execution.executors.executor_options import Place
from repro.execution.executors.local import Local
from repro.execution.executors.stacks import Stacks
from repro.study.resources import PLAIN

REFUSED = {
    "inline": (
        {"executor": "inline"},
        "--stack 25 is only for --executor local, not for inline",
    ),
    "ray": ({"executor": "ray"}, "--stack 25 is only for --executor local, not for ray"),
    "blocked kernels": (
        {"kernels": "blocked"},
        "--kernels blocked: they compute single runs, and --stack 25 trains 25 as one network, on "
        "torch's operators: leave one of the two options out",
    ),
    "no device": (
        {"device": "gpu"},
        "--device gpu: not a device; use cpu, cuda, cuda:0,cuda:1, or mps",
    ),
}


def at(**options):
    """The executor of a place; none of them begins."""
    return executor_registry.executor_at(Place(**options), PLAIN, remark=print)


@pytest.mark.parametrize(("options", "said"), REFUSED.values(), ids=[*REFUSED])
def test_a_stack_is_refused_where_there_can_be_none(options, said):
    """With the option that contradicts it."""
    with pytest.raises(ReproError) as error:
        at(stack=25, **options)

    assert str(error.value) == said


def test_a_daemonic_process_trains_no_stack(monkeypatch):
    """It must not start a process, and nothing is trained singly unasked."""

    class Daemon:
        daemon = True

    monkeypatch.setattr(multiprocessing, "current_process", Daemon)
    with pytest.raises(ReproError, match=r"^--stack 2: a stack needs a process of its own"):
        at(stack=2)


def test_a_stack_of_one_is_a_single_run():
    """As without the option."""
    assert isinstance(at(stack=1), Local)
    assert isinstance(at(stack=2), Stacks)
    assert at(stack=2, workers=3).workers == 3
