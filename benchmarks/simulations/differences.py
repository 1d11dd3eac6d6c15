"""Differences of pairs of runs, of which one run in five can be bad, in one arm or in both."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

BAD = 0.2  # share of bad runs
DROP = 10.0  # by which a bad run is lower, in standard deviations of the differences of good pairs

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Runs:
    """Which arms have bad runs.

    Attributes:
        told: For the tables.
        arm: Whether the arm has.
        reference: Whether the reference has.
    """

    told: str
    arm: bool = False
    reference: bool = False

    @property
    def alike(self) -> bool:
        """Whether both arms are."""
        return self.arm == self.reference


GOOD = Runs("none")
BOTH = Runs("one in five of both arms", arm=True, reference=True)
ARM = Runs("one in five of the arm alone", arm=True)
REFERENCE = Runs("one in five of the reference alone", reference=True)


def draw(runs: Runs, pairs: int, generator: Generator, *, studies: int = 1) -> Values:
    """Differences arm - reference whose expectation is 0, bad runs included.

    Args:
        runs: Which of them are bad.
        pairs: Of a study.
        generator: Of random numbers.
        studies: Number of studies.

    Returns:
        Shape (studies, pairs).
    """
    values = generator.standard_normal((studies, pairs))
    bad = generator.random((2, studies, pairs)) < BAD
    for faulty, sign, which in ((runs.arm, -1, bad[0]), (runs.reference, 1, bad[1])):
        if faulty:
            values += sign * DROP * (which - BAD)
    return values
