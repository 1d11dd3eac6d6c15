"""What the fault tests share: how much they do, and what they add up to.

A quick part runs with every other test; ``make faults`` runs the whole list. The totals are printed
by the outer ``conftest``, which the process that prints always loads.
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


@pytest.fixture
def amount(request):
    """The first number, or the second where the whole list is asked for."""
    whole = request.config.getoption("--whole")
    return lambda quick, all_of_it: all_of_it if whole else quick
