"""An arm read at a threshold: recall, variance, gap and worst group, with their intervals.

At logit 0, as the papers do, or where an equal share of the photographs without a face is a false
alarm: a detector that says yes more often has more recall and smaller gaps without being fairer.
Intervals come from the two-way bootstrap, so they speak of new seeds, new portraits and, at equal
false alarms, new photographs without a face, that is of the threshold's own uncertainty.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from repro.outcomes import Arm
from repro.stats import bootstrap, disparity, operating
from repro.stats.bootstrap import Draws
from repro.stats.disparity import Definition
from repro.stats.intervals import NOWHERE, Floats, Integers, Interval

QUANTITIES = ("recall", "variance", "gap", "worst")
BETTER = {"recall": 1, "variance": -1, "gap": -1, "worst": 1}  # the direction that is a gain


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and its interval, nowhere where there is none."""

    value: float
    interval: Interval = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One arm at one threshold, all runs with numbers.

    Attributes:
        rate: False-positive rate that sets each run's threshold; None at logit 0.
        false_positive_rate: Mean over the runs of what came out; NaN without photographs.
        recall: Of each run and group, shape (R, K).
        of: Estimate by quantity: `QUANTITIES`.
    """

    rate: float | None
    false_positive_rate: float
    recall: Floats
    of: Mapping[str, Estimate]


def statistics(sizes: Integers, definition: Definition) -> dict[str, Callable[[Floats], Floats]]:
    """What each quantity is of recalls (..., R, K)."""
    return {
        "recall": lambda recall: disparity.mean_recall(recall, sizes, definition),
        "variance": lambda recall: disparity.variance(recall, definition),
        "gap": disparity.gap,
        "worst": disparity.worst,
    }


def reading(arm: Arm, definition: Definition, *, rate: float | None = None) -> Reading:
    """Read an arm; without scores at logit 0 only, and without intervals."""
    recall, drawn = _recalls(arm, rate), _drawn(arm, rate)
    found = {}
    for name, statistic in statistics(arm.sizes, definition).items():
        value = float(statistic(recall))
        interval = NOWHERE
        if drawn is not None:
            interval = _bounded(name, value, (statistic(drawn[0]), statistic(drawn[1])), arm)
        found[name] = Estimate(value, interval)
    return Reading(
        rate=rate, false_positive_rate=_false_positives(arm, rate), recall=recall, of=found
    )


def group_estimates(arm: Arm) -> list[Estimate]:
    """Recall of each group at logit 0, mean over the runs; without scores no intervals."""
    drawn, means = _drawn(arm, None), arm.recall.mean(axis=0)
    if drawn is None:
        return [Estimate(float(mean)) for mean in means]
    both, by_runs = (recall.mean(axis=1) for recall in drawn)
    return [
        Estimate(
            float(mean),
            bootstrap.share_interval(
                float(mean), both[:, k], by_runs[:, k], arm.runs, portraits=int(arm.sizes[k])
            ),
        )
        for k, mean in enumerate(means)
    ]


def difference(
    arm: Arm, reference: Arm, definition: Definition, *, rate: float | None = None
) -> dict[str, Estimate]:
    """Arm less reference for each quantity, over the seeds that both have.

    With scores, draw by draw: both arms meet the same seeds and photographs in every draw.
    """
    a, b = paired(arm, reference)
    ours, theirs = _recalls(a, rate), _recalls(b, rate)
    same = _same_photographs(a, b)
    one, other = (_drawn(a, rate), _drawn(b, rate)) if same else (None, None)
    found = {}
    base = statistics(b.sizes, definition)
    for name, statistic in statistics(a.sizes, definition).items():
        value = float(statistic(ours) - base[name](theirs))
        interval = NOWHERE
        if one is not None and other is not None:
            both, by_runs = (statistic(x) - base[name](y) for x, y in zip(one, other, strict=True))
            interval = bootstrap.interval(value, both, by_runs, a.runs)
        found[name] = Estimate(value, interval)
    return found


def _bounded(name: str, value: float, drawn: tuple[Floats, Floats], arm: Arm) -> Interval:
    """The interval on the scale on which the quantity is least skewed."""
    if name == "variance":
        return bootstrap.root_interval(value, *drawn, arm.runs)
    if name == "gap":
        low, high = bootstrap.interval(value, *drawn, arm.runs)
        return Interval(max(low, 0.0), min(high, 1.0))
    portraits = int(arm.sizes.sum() if name == "recall" else arm.sizes.min())
    return bootstrap.share_interval(value, *drawn, arm.runs, portraits=portraits)


def gain(
    arm: Arm,
    reference: Arm,
    quantity: str,
    definition: Definition,
    *,
    rate: float | None = None,
) -> Estimate:
    """By which share an arm has less variance, or misses fewer faces, than the reference.

    Negative for a loss, NaN where the reference leaves nothing to gain. The interval is of the
    difference, over the reference's value as it is.
    """
    a, b = paired(arm, reference)
    apart = difference(a, b, definition, rate=rate)[quantity]
    base = float(statistics(b.sizes, definition)[quantity](_recalls(b, rate)))
    room = base if quantity == "variance" else 1 - base
    if room <= 0:
        return Estimate(float("nan"))
    ends = sorted(BETTER[quantity] * end / room for end in apart.interval)
    return Estimate(BETTER[quantity] * apart.value / room, Interval(*ends))


def paired(arm: Arm, reference: Arm) -> tuple[Arm, Arm]:
    """Both arms with the seeds that both have, in the same order."""
    if arm.seeds == reference.seeds:
        return arm, reference
    seeds = [seed for seed in arm.seeds if seed in reference.seeds]
    return arm.only(seeds), reference.only(seeds)


def can_read(arm: Arm, rate: float) -> bool:
    """Whether there are scores, and photographs enough for a threshold at this rate."""
    return arm.scores is not None and rate * arm.scores.nonfaces.shape[1] >= 1


def areas(arm: Arm) -> Floats:
    """Area under recall against false-positive rate of each run and group, shape (R, K)."""
    assert arm.scores is not None
    return np.array(
        [
            [operating.area(logits[arm.scores.group == k], others) for k in range(len(arm.groups))]
            for logits, others in zip(arm.scores.portraits, arm.scores.nonfaces, strict=True)
        ]
    )


def curves(arm: Arm) -> tuple[Floats, Floats]:
    """Recall of each group against false-positive rate, of each run at the same rates.

    Returns:
        Rates 0, 1/M, ..., 1 and recalls, shape (R, M + 1, K).
    """
    assert arm.scores is not None
    rates: Floats = np.empty(0)
    runs = []
    for logits, others in zip(arm.scores.portraits, arm.scores.nonfaces, strict=True):
        groups = []
        for k in range(len(arm.groups)):
            rates, recall = operating.curve(logits[arm.scores.group == k], others)
            groups.append(recall)
        runs.append(np.stack(groups, axis=1))
    return rates, np.stack(runs)


def at(arm: Arm, rate: float) -> Arm:
    """The arm with the recalls that it has at this false-positive rate."""
    return replace(arm, recall=_recalls(arm, rate))


def detections(arm: Arm, rate: float | None) -> Floats:
    """1 or 0 for each run and portrait, shape (R, N)."""
    assert arm.scores is not None
    if rate is None:
        return (arm.scores.portraits >= 0).astype(np.float64)
    levels = operating.threshold(arm.scores.nonfaces, rate)
    return operating.detected(arm.scores.portraits, levels)


def _recalls(arm: Arm, rate: float | None) -> Floats:
    if rate is None:
        return arm.recall
    assert arm.scores is not None
    found = detections(arm, rate)
    columns = [found[:, arm.scores.group == k].mean(axis=1) for k in range(len(arm.groups))]
    return np.stack(columns, axis=1)


def _false_positives(arm: Arm, rate: float | None) -> float:
    if rate is None:
        rates = arm.false_positive_rate
        return float("nan") if rates is None else float(rates.mean())
    assert arm.scores is not None
    levels = operating.threshold(arm.scores.nonfaces, rate)
    return float(operating.detected(arm.scores.nonfaces, levels).mean())


@functools.lru_cache(maxsize=256)
def _drawn(arm: Arm, rate: float | None) -> tuple[Floats, Floats] | None:
    """Recalls of the bootstrap's draws: of runs and photographs, and of runs alone.

    Each of shape (DRAWS, R, K). None without scores or with a single run.
    """
    if arm.scores is None or arm.runs < 2:
        return None
    scores, groups = arm.scores, len(arm.groups)
    draws = _draws(arm.runs, scores.group.tobytes(), scores.nonfaces.shape[1])
    by_runs = bootstrap.of_runs(_recalls(arm, rate), draws)
    if rate is None:
        found = detections(arm, None)
        return bootstrap.recalls(found, scores.group, groups, draws), by_runs
    both = bootstrap.recalls_at(
        scores.portraits, scores.nonfaces, scores.group, groups, draws, rate=rate
    )
    return both, by_runs


@functools.lru_cache(maxsize=4)
def _draws(runs: int, group: bytes, nonfaces: int) -> Draws:
    return bootstrap.draw(runs, np.frombuffer(group, dtype=np.int64), nonfaces)


def _same_photographs(a: Arm, b: Arm) -> bool:
    if a.scores is None or b.scores is None:
        return False
    return (
        np.array_equal(a.scores.group, b.scores.group)
        and a.scores.nonfaces.shape == b.scores.nonfaces.shape
    )
