"""What the planned runs of a study can tell of each of its claims, before or while they are made.

The chance that a claim is decided is that of "holds" at the smallest effect, which is that of "does
not hold" without any effect. It depends on how much pairs of runs differ: as those that have a
record do, or as is assumed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from repro.analysis import claim_findings, claims, looks, tone
from repro.analysis.claim_findings import Finding, Needed
from repro.analysis.outcomes import Outcomes
from repro.analysis.wording import count
from repro.stats import conclusions, intervals, operating, proportions, word_power
from repro.stats.conclusions import Word
from repro.stats.intervals import LEVEL
from repro.study.claims import Claim
from repro.study.looks import Looks

ASSUMED = (0.5, 1.0, 2.0)  # standard deviations of pairs, in smallest effects, without records
EVEN = 0.5  # chance below which a claim is more likely to stay undecided


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """What can be told of a claim if pairs of runs differ by so much.

    Attributes:
        spread: Standard deviation of the pairs' differences, in smallest effects.
        chances: At each of the study's looks of which it speaks, that it is decided.
        needed: What decides it with 80 % probability at the level of the last look.
    """

    spread: float
    chances: tuple[float, ...]
    needed: Needed


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What the planned runs can tell of a claim.

    Attributes:
        found: What is known of it from the runs with a record.
        seeds: Of the looks: the first and the last one.
        seen: Whether the spread is that of runs with a record.
        prospects: For the spread that was seen, or for each one assumed; empty if there is none.
        attainable: The words that it can get.
        obstacles: Why it cannot be answered.
    """

    found: Finding
    seeds: tuple[int, ...]
    seen: bool
    prospects: tuple[Prospect, ...]
    attainable: tuple[Word, ...]
    obstacles: tuple[str, ...]

    @property
    def claim(self) -> Claim:
        """As written."""
        return self.found.claim

    @property
    def is_doubtful(self) -> bool:
        """Whether it stays undecided in more than half of all studies.

        Without records: even with the smallest of the assumed spreads.
        """
        return bool(self.prospects) and self.prospects[0].chances[-1] < EVEN


def of_study(
    outcomes: Outcomes,
    *,
    groups: Mapping[str, Sequence[str]],
    photographs: Mapping[str, int],
) -> list[Outlook]:
    """The outlook of each claim, in the order of the study.

    Args:
        outcomes: Of the planned study, with the runs that have a record and their scores.
        groups: For each arm, the groups of its test portraits.
        photographs: For each arm, the number of its photographs without a face.
    """
    return [
        _outlook(outcomes, found, groups=groups, photographs=photographs)
        for found in claims.findings(outcomes)
    ]


def _outlook(
    outcomes: Outcomes,
    found: Finding,
    *,
    groups: Mapping[str, Sequence[str]],
    photographs: Mapping[str, int],
) -> Outlook:
    arms, claim = found.declared.arms, found.claim
    seeds, levels = _looks(outcomes, found)
    obstacles = [
        *(why for arm in arms for why in _of_group(claim, groups[arm])),
        *(why for arm in arms for why in _of_photographs(claim, photographs[arm])),
        *_of_scale(claim, outcomes),
    ]
    if found.hopeless:
        obstacles.append(found.reason)
    attainable = _attainable(claim, seeds[-1], levels[-1])
    if set(attainable) <= {conclusions.CANNOT_TELL}:
        obstacles.append(f"{count(seeds[-1], 'seed')} an arm cannot decide it, whatever they show")
    seen = found.spread > 0 and found.smallest > 0
    spreads = [found.spread / found.smallest] if seen else list(ASSUMED)
    if found.hopeless or claims.is_share(claim) or set(attainable) <= {conclusions.CANNOT_TELL}:
        spreads = []
    found = replace(found, level=levels[-1])
    return Outlook(
        found=found,
        seeds=seeds,
        seen=seen,
        prospects=tuple(_prospect(found, one, seeds, levels, seen=seen) for one in spreads),
        attainable=attainable,
        obstacles=tuple(dict.fromkeys(obstacles)),
    )


def _looks(outcomes: Outcomes, found: Finding) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Numbers of seeds of the first and last look to come, and the level of the interval there."""
    planned = outcomes.looks or Looks(planned=(outcomes.replicates,), level=LEVEL)
    if not found.claim.primary:
        last = max(outcomes.replicates, planned.planned[-1] if len(planned.planned) > 1 else 0)
        return (last,), (found.level,)
    if planned.include(outcomes.replicates):
        ahead = [one for one in planned.planned if one >= outcomes.replicates]
        ends = tuple(dict.fromkeys((ahead[0], ahead[-1])))
        return ends, (planned.level,) * len(ends)
    return (outcomes.replicates,), (looks.anytime_level(outcomes.replicates),)


def _of_group(claim: Claim, groups: Sequence[str]) -> Iterator[str]:
    if claim.group is not None and claim.group not in groups:
        yield f"no group is called '{claim.group}'; the groups are {', '.join(groups)}"
    if claim.quantity in ("variance", "gap", "auc_variance") and len(groups) < 2:
        yield f"the test portraits have one group, and a {claim.quantity} takes two"


def _of_photographs(claim: Claim, count: int) -> Iterator[str]:
    rate = claim.read_at.false_positive_rate if claim.read_at else None
    if not count and (
        rate is not None or claim.quantity in ("auc_variance", "false_positive_rate")
    ):
        yield "there are no photographs without a face"
    elif rate is not None and not operating.supports(rate, count):
        yield operating.too_few(rate, count)


def _of_scale(claim: Claim, outcomes: Outcomes) -> Iterator[str]:
    if claim.quantity == "tone_slope" and not outcomes.tone:
        yield tone.NO_SCALE


def _attainable(claim: Claim, seeds: int, level: float) -> tuple[Word, ...]:
    """The words that a claim can get with so many seeds in every arm."""
    if seeds < 2 or level >= looks.WIDEST:
        return (conclusions.CANNOT_TELL,)
    if claims.is_share(claim):
        return _attainable_of_shares(claim, seeds, level)
    if claim.expect == "kept":
        return tuple(word for word in conclusions.WORDS if word != conclusions.TOO_SMALL)
    return conclusions.WORDS


def _attainable_of_shares(claim: Claim, seeds: int, level: float) -> tuple[Word, ...]:
    """Of shares of runs: the words between no run and all runs of each arm."""
    assert claim.smallest_effect.absolute is not None
    found = set()
    for first, last in ((0, 0), (0, seeds), (seeds, 0)):
        low, high = proportions.difference_interval(last, seeds, first, seeds, level=level)
        sign = -1 if claim.expect == "lower" else 1
        ends = sorted((100 * sign * low, 100 * sign * high))
        judge = conclusions.equivalent if claim.expect == "kept" else conclusions.of_interval
        found.add(judge(intervals.Interval(*ends), claim.smallest_effect.absolute))
    return tuple(word for word in conclusions.WORDS if word in found)


def _prospect(
    found: Finding, spread: float, seeds: Sequence[int], levels: Sequence[float], *, seen: bool
) -> Prospect:
    """In units of the smallest effect; the photographs count as far as they are known."""
    noise = found.noise / found.smallest**2 if seen else 0.0
    kept = found.claim.expect == "kept"
    chances = [
        (
            word_power.kept(n, 0.0, 1.0, spread, level=level, photographs=noise)
            if kept
            else word_power.words(n, 1.0, 1.0, spread, level=level, photographs=noise)
        ).holds
        for n, level in zip(seeds, levels, strict=True)
    ]
    own = replace(found, smallest=1.0, spread=spread, noise=noise, pairs=2)
    return Prospect(spread=spread, chances=tuple(chances), needed=claim_findings.needed(own))
