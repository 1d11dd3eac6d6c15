"""When a study looks at its results: after how many seeds, and where it stops at the latest."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from repro.study.section import PositiveInt, Section

MOST_LOOKS = 100
BLOCKS = 8  # of seeds, where only `--until-answered` is given


class Stop(Section):
    """A study goes on until its primary claim is decided, and looks at it after each block.

    Attributes:
        every: Number of seeds of a block, after the first one, which has `replicates`.
        at_most: Number of seeds at which it ends undecided.
    """

    every: PositiveInt
    at_most: Annotated[PositiveInt, Field(le=10_000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """When a study is looked at, and was.

    Attributes:
        planned: Numbers of seeds, as planned before the first look.
        level: Of the primary claim's interval at each of these looks.
        taken: Numbers of seeds at which all runs had ended, in their order.
        decided: Number of seeds at which the primary claim was decided; None: at none.
        changed: Whether the plan is another one since the first look.
    """

    planned: tuple[int, ...]
    level: float = 0.95
    taken: tuple[int, ...] = ()
    decided: int | None = None
    changed: bool = False

    def at(self, started: int) -> "Looks":
        """The same after a look at this number of seeds."""
        return replace(self, taken=tuple(sorted({*self.taken, started})))

    def followed_by(self, today: "Looks") -> "Looks":
        """These looks under the plan of today.

        A study that was begun with a rule keeps it where today only the first look is planned, and
        one that is decided keeps the plan by which it was.
        """
        if not self.taken:
            return today
        same = today.planned in (self.planned, self.planned[:1]) or self.decided is not None
        return self if same else replace(self, changed=True)

    def include(self, started: int) -> bool:
        """Whether this number of seeds is one of the plan, and the plan was kept."""
        return not self.changed and started in self.planned


def looks(replicates: int, stop: Stop | None) -> tuple[int, ...]:
    """Numbers of seeds at which a study is looked at; without a rule only the replicates."""
    if stop is None:
        return (replicates,)
    return (*range(replicates, stop.at_most, stop.every), stop.at_most)


def problems(stop: Stop, replicates: int, *, claims: int) -> Iterable[tuple[str, str]]:
    """What is wrong with a rule: (its key, a sentence)."""
    if not claims:
        yield "", "stop needs a claim to decide: add claims, or remove stop"
    elif replicates < 2:
        yield "", "stop needs replicates: 2 or more, because a single pair of runs has no interval"
    elif stop.at_most <= replicates:
        needed = f"it must be more than the {replicates} replicates"
        yield "at_most", f"stop.at_most is {stop.at_most}: {needed}"
    elif (count := len(looks(replicates, stop))) > MOST_LOOKS:
        yield "every", f"{count:,} looks are planned; at most {MOST_LOOKS}: make stop.every larger"
