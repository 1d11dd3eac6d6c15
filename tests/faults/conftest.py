"""What the fault tests share: how much they do, and what they add up to.

``make faults`` runs the whole list, ``make test`` some of its draws: what only the whole list did
would rot. So the quick part is taken from the whole list, here (`part`), and is never empty. The
totals are printed by the outer ``conftest``, which the process that prints always loads.
"""

from dataclasses import asdict, dataclass

import pytest


@dataclass
class Tally:
    """What one test did; a test that loses something or gets it wrong says so and fails."""

    faults: int = 0
    bad_inputs: int = 0
    lost: int = 0
    wrong: int = 0


@pytest.fixture
def tally(record_property):
    """Counts what a test does, for the totals below all tests."""
    counts = Tally()
    yield counts
    for name, count in asdict(counts).items():
        record_property(name, count)


def part(everything, quick, kind=None):
    """The draws that the quick part takes of a list.

    Args:
        everything: All draws.
        quick: How many of the first ones, or which ones.
        kind: What kind a draw is of; the first of each kind is taken, too.
    """
    everything = list(everything)
    chosen = everything[:quick] if isinstance(quick, int) else [*quick]
    if not chosen or len(chosen) > len(everything) or any(x not in everything for x in chosen):
        raise ValueError(f"not a part of the whole list: {quick}")
    firsts = {kind(one): one for one in reversed(everything)} if kind else {}
    return [one for one in everything if one in chosen or one in firsts.values()]


def is_whole(config):
    """Whether the whole list is asked for."""
    return config.getoption("--whole")


@pytest.fixture(scope="session")
def draws(request):
    """All draws of a list where the whole list is asked for, or `part` of them."""
    return list_of if is_whole(request.config) else part


def list_of(everything, quick, kind=None):
    """All draws; the part is made as well, so that it is never wrong."""
    part(everything, quick, kind)
    return list(everything)


@pytest.fixture(scope="session")
def amount(request):
    """The first number, or the second where the whole list is asked for: how many, how large."""
    whole = is_whole(request.config)
    return lambda quick, all_of_it: all_of_it if whole else quick


def pytest_generate_tests(metafunc):
    """A test for each draw of a list: ``pytest.mark.draws(name, everything, quick, kind)``."""
    for mark in metafunc.definition.iter_markers("draws"):
        name, *arguments = mark.args
        take = list_of if is_whole(metafunc.config) else part
        metafunc.parametrize(name, take(*arguments))
