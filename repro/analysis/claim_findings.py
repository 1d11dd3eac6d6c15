"""What a study says to a claim: effect, interval and word; and what more would decide it."""

import math
from dataclasses import dataclass

from repro.analysis import looks, own_metrics
from repro.plugins.declared import Plugin
from repro.stats import share_power, word_power
from repro.stats.conclusions import Word
from repro.stats.intervals import LEVEL, NOWHERE, Interval
from repro.study.claims import Claim, Declared

PERCENT, SQUARED = 1e2, 1e4  # table units per unit used here
SPARE = 2  # times the seeds that would do with endless photographs, where these are too few


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a study says to one of its claims; numbers in percentage points or percent squared.

    Attributes:
        declared: The claim and its arms.
        word: The answer.
        effect: Value of the last arm minus that of the first; NaN if unknown. For the expectation
            ``largest`` the smallest difference between the group's gain and another group's.
        interval: Of the effect; ends are NaN if there is none.
        level: Of the interval.
        smallest: The smallest effect that matters, above 0; NaN for a ratio of an unknown value.
        first: Value of the arm that is subtracted; NaN if unknown.
        last: Value of the arm that is compared with it.
        pairs: Number of seeds that all arms have results for.
        started: Number of seeds that were planned.
        spread: Standard deviation of the effect between pairs, ddof 1; NaN if unknown.
        noise: Variance of the effect from the photographs; NaN if unknown.
        exceeds: Whether even effects below the smallest one are excluded.
        opposite: Whether the effect is in the other direction than expected.
        reason: Why there is no interval; empty if there is one.
        doubts: Why the interval cannot be trusted, by arm.
        metric: The plug-in that its quantity is; None if it is built in, or not here.
        hopeless: Whether no number of seeds decides it, because clusters of portraits are too few.
        sampled: What more of would narrow its noise: ``photographs``, or clusters of them.
    """

    declared: Declared
    word: Word
    effect: float = float("nan")
    interval: Interval = NOWHERE
    level: float = LEVEL
    smallest: float = float("nan")
    first: float = float("nan")
    last: float = float("nan")
    pairs: int = 0
    started: int = 0
    spread: float = float("nan")
    noise: float = float("nan")
    exceeds: bool = False
    opposite: bool = False
    reason: str = ""
    doubts: tuple[str, ...] = ()
    metric: Plugin | None = None
    sampled: str = "photographs"
    hopeless: bool = False

    @property
    def claim(self) -> Claim:
        """As written."""
        return self.declared.claim

    @property
    def unit(self) -> str:
        """Of the effect."""
        if self.claim.is_metric:
            return own_metrics.unit_of_difference(self.metric)
        return "percent squared" if is_variance(self.claim) else "points"

    @property
    def sign(self) -> int:
        """1 if a higher value is expected, else -1; 1 for ``kept`` and ``largest``."""
        return -1 if self.claim.expect == "lower" else 1

    @property
    def turned(self) -> tuple[float, Interval]:
        """Effect and interval with the expected side positive."""
        ends = sorted(self.sign * end for end in self.interval)
        return self.sign * self.effect, Interval(*ends)


def is_variance(claim: Claim) -> bool:
    """Whether its unit is percent squared."""
    return claim.quantity in ("variance", "auc_variance")


@dataclass(frozen=True, slots=True)
class Needed:
    """What would decide a claim with 80 % probability, from the spread that was seen.

    Attributes:
        pairs: Seeds per arm; None if unknown, or if no number does.
        times: How many times as many photographs it takes beside them; 1 if there are enough.
    """

    pairs: int | None = None
    times: float = 1.0


def needed(found: Finding) -> Needed:
    """What would decide a claim; nothing where no spread is known.

    It is more than there is, also where as many seeds decide most studies: these did not.
    """
    if found.claim.is_share:
        return _runs_needed(found)
    known = found.spread > 0 and found.smallest > 0 and found.noise >= 0
    if not known or found.pairs < 2 or not found.level < looks.WIDEST:
        return Needed()
    kept = found.claim.expect == "kept"
    find = word_power.pairs_needed_to_keep if kept else word_power.pairs_needed
    spread, smallest, level = found.spread, found.smallest, found.level
    pairs = find(spread, smallest, level=level, photographs=found.noise)
    if pairs is not None:
        return Needed(max(pairs, found.pairs + 1))
    fewest = find(spread, smallest, level=level)
    if fewest is None:
        return Needed()
    wanted = max(SPARE * fewest, found.pairs)
    more = word_power.photographs_needed(
        wanted, spread, smallest, found.noise, level=level, keeps=kept
    )
    return Needed(wanted, more) if more else Needed()


def _runs_needed(found: Finding) -> Needed:
    """Runs of each arm for a claim on a share of runs, from the smaller of the shares seen."""
    less, smallest = min(found.first, found.last) / PERCENT, found.smallest / PERCENT
    if math.isnan(less) or found.claim.expect == "kept" or less + smallest > 1:
        return Needed()
    runs = share_power.runs_needed(less, smallest, level=found.level)
    return Needed(runs and max(runs, found.pairs + 1))
