"""An arm at a threshold: recall, variance, gap and worst group, with their intervals.

The threshold is logit 0, as in the papers, or that of a given false-positive rate: a detector with
more false positives has more recall and smaller gaps without being fairer. Intervals come from
the two-way bootstrap, so they are for new seeds, new portraits and, at equal false-positive rates,
new photographs without a face, which includes the uncertainty of the threshold.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from repro.analysis.object_cache import cached_by_owner
from repro.analysis.study_data import Arm
from repro.metrics import says_face
from repro.stats import bootstrap, disparity, intervals, operating
from repro.stats.bootstrap import Draws, Statistic
from repro.stats.disparity import Definition
from repro.stats.intervals import NOWHERE, Floats, Integers, Interval

ESTIMATED = ("recall", "variance", "gap", "worst")
DRAWN = 64  # arms whose bootstrap samples are cached, 64 kB each
BETTER = {"recall": 1, "variance": -1, "gap": -1, "worst": 1}  # sign of an improvement


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and its interval; its ends are NaN if undefined.

    Attributes:
        value: NaN if it is not defined.
        interval: 95 %.
        sd: Standard deviation of the values of single runs (ddof 1); NaN for one run.
    """

    value: float
    interval: Interval = NOWHERE
    sd: float = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One arm at one threshold, all runs with results.

    Attributes:
        rate: False-positive rate that sets each run's threshold; None for logit 0.
        false_positives: At logit 0 the observed mean over the runs; at a rate the true rate of a
            run's threshold, with the interval of its Beta distribution; NaN without photographs.
        recall: Of each run and group, in [0, 1], shape (R, K).
        of: Estimate by quantity: `ESTIMATED`.
    """

    rate: float | None
    false_positives: Estimate
    recall: Floats
    of: Mapping[str, Estimate]


def reading(arm: Arm, definition: Definition, *, rate: float | None = None) -> Reading:
    """Estimates of an arm at a threshold; without scores only at logit 0 and without intervals."""
    return _reading(arm, definition, rate)


@cached_by_owner()
def _reading(arm: Arm, definition: Definition, rate: float | None) -> Reading:
    recall, drawn = _recalls(arm, rate), _drawn(arm, definition, rate)
    found, own = {}, _own_quantities(recall, arm.sizes, definition)
    for name, value in _quantities(recall, arm.sizes, definition).items():
        interval = _bounded(name, float(value), drawn[name], arm) if drawn else NOWHERE
        found[name] = Estimate(float(value), interval, intervals.sd(own[name]))
    return Reading(rate=rate, false_positives=_false_positives(arm, rate), recall=recall, of=found)


def _quantities(recall: Floats, sizes: Integers, definition: Definition) -> dict[str, Floats]:
    """As `disparity.quantities`; NaN for the variance and gap of a single group."""
    if recall.shape[-1] > 1:
        return disparity.quantities(recall, sizes, definition)
    means = disparity.mean_recall(recall, sizes, definition)
    nowhere = np.full_like(means, np.nan)
    return {
        "recall": means,
        "variance": nowhere,
        "gap": nowhere,
        "worst": disparity.worst(recall),
    }


def _own_quantities(
    recall: Floats, sizes: Integers, definition: Definition
) -> Mapping[str, Floats]:
    """Quantities of each run, shape (R,); the worst group is that of the mean over runs."""
    nowhere = np.full(len(recall), np.nan)
    differ = recall.shape[1] > 1
    return {
        "recall": disparity.run_recall(recall, sizes, definition),
        "variance": disparity.run_variance(recall, definition) if differ else nowhere,
        "gap": recall.max(axis=1) - recall.min(axis=1) if differ else nowhere,
        "worst": recall[:, int(recall.mean(axis=0).argmin())],
    }


def group_estimates(arm: Arm) -> list[Estimate]:
    """Recall of each group at logit 0, mean over the runs; no intervals without scores."""
    means = arm.recall.mean(axis=0)
    if not _can_be_drawn(arm):
        return [Estimate(float(mean)) for mean in means]
    both, by_runs = _draw(arm, None, disparity.group_means)
    return [
        Estimate(
            float(mean),
            bootstrap.share_interval(
                float(mean), both[:, k], by_runs[:, k], arm.runs, portraits=int(arm.sizes[k])
            ),
        )
        for k, mean in enumerate(means)
    ]


def standard_error(values: Floats) -> float:
    """Of the mean of runs' values: sample standard deviation over root of R; NaN for one run."""
    return intervals.sd(values) / float(np.sqrt(len(values)))


def difference(
    arm: Arm, reference: Arm, definition: Definition, *, rate: float | None = None
) -> Mapping[str, Estimate]:
    """Arm minus reference for each quantity, over their common seeds.

    With scores, both arms have the same seeds and photographs in every bootstrap sample.
    """
    return _difference(arm, reference, definition, rate)


@cached_by_owner()
def _difference(
    arm: Arm, reference: Arm, definition: Definition, rate: float | None
) -> Mapping[str, Estimate]:
    a, b = paired(arm, reference)
    ours, theirs = (_quantities(_recalls(one, rate), one.sizes, definition) for one in (a, b))
    own, others = (_own_quantities(_recalls(one, rate), one.sizes, definition) for one in (a, b))
    same = _same_photographs(a, b)
    one, other = (_drawn(a, definition, rate), _drawn(b, definition, rate)) if same else ({}, {})
    found = {}
    for name in ESTIMATED:
        value, interval = float(ours[name] - theirs[name]), NOWHERE
        if one and other and not np.isnan(value):
            both, by_runs = (x - y for x, y in zip(one[name], other[name], strict=True))
            interval = bootstrap.interval(value, both, by_runs, a.runs)
        found[name] = Estimate(value, interval, intervals.sd(own[name] - others[name]))
    return found


def of_kept(arm: Arm, keep: int, definition: Definition) -> Mapping[str, Estimate]:
    """The papers' columns: recall and variance of the best `keep` runs; NaN with fewer runs.

    The interval of the recall is Student's over these runs; the variance of averages has none.
    """
    kept = arm.kept(keep)
    if not kept:
        return dict.fromkeys(("recall", "variance"), Estimate(float("nan")))
    recall = arm.recall[kept]
    own = _own_quantities(recall, arm.sizes, definition)
    mean = float(disparity.mean_recall(recall, arm.sizes, definition))
    variance = float(disparity.variance(recall, definition)) if arm.can_differ else float("nan")
    return {
        "recall": Estimate(mean, intervals.t_interval(own["recall"]), intervals.sd(own["recall"])),
        "variance": Estimate(variance, sd=intervals.sd(own["variance"])),
    }


def selection_bias(arm: Arm, keep: int, definition: Definition) -> Mapping[str, float]:
    """The papers' columns minus the same of all runs; NaN with fewer runs or a single group."""
    kept = of_kept(arm, keep, definition)
    whole = _quantities(arm.recall, arm.sizes, definition)
    return {name: kept[name].value - float(whole[name]) for name in kept}


def _bounded(name: str, value: float, drawn: tuple[Floats, Floats], arm: Arm) -> Interval:
    """The interval on the scale on which the quantity is least skewed."""
    if np.isnan(value):
        return NOWHERE
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
    """Relative reduction of variance, or of missed faces, compared with the reference.

    Negative for an increase, NaN if the reference has none. The interval is that of the
    difference, divided by the reference's observed value.
    """
    a, b = paired(arm, reference)
    apart = difference(a, b, definition, rate=rate)[quantity]
    base = float(_quantities(_recalls(b, rate), b.sizes, definition)[quantity])
    room = base if quantity == "variance" else 1 - base
    if room <= 0:
        return Estimate(float("nan"))
    ends = sorted(BETTER[quantity] * end / room for end in apart.interval)
    return Estimate(BETTER[quantity] * apart.value / room, Interval(*ends))


def paired(arm: Arm, reference: Arm) -> tuple[Arm, Arm]:
    """Both arms with their common seeds, in the same order."""
    if arm.seeds == reference.seeds:
        return arm, reference
    known = set(reference.seeds)
    seeds = tuple(seed for seed in arm.seeds if seed in known)
    return _only(arm, seeds), _only(reference, seeds)


def _only(arm: Arm, seeds: tuple[int, ...]) -> Arm:
    """The same object if the arm has only these seeds, so that its cache is reused."""
    return arm if arm.seeds == seeds else _part(arm, seeds)


@cached_by_owner()
def _part(arm: Arm, seeds: tuple[int, ...]) -> Arm:
    return arm.only(seeds)


def can_read(arm: Arm, rate: float) -> bool:
    """Whether there are scores and enough photographs for a threshold at this rate."""
    return arm.scores is not None and operating.supports(rate, nonfaces(arm))


def nonfaces(arm: Arm) -> int:
    """The number of photographs without a face whose scores are known."""
    return 0 if arm.scores is None else arm.scores.nonfaces.shape[1]


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
    """Recall of each group against expected false-positive rate, of each run at the same rates.

    Returns:
        Rates 0, 1 / (M + 1), ..., 1 and recalls, shape (R, M + 2, K).
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
    """The arm with its recalls at this false-positive rate."""
    return replace(arm, recall=_recalls(arm, rate))


def detections(arm: Arm, rate: float | None) -> Floats:
    """1 or 0 for each run and portrait, shape (R, N)."""
    assert arm.scores is not None
    if rate is None:
        return says_face(arm.scores.portraits).astype(np.float64)
    levels = operating.threshold(arm.scores.nonfaces, rate)
    return operating.detected(arm.scores.portraits, levels)


@cached_by_owner()
def _recalls(arm: Arm, rate: float | None) -> Floats:
    if rate is None:
        return arm.recall
    assert arm.scores is not None
    found = detections(arm, rate)
    columns = [found[:, arm.scores.group == k].mean(axis=1) for k in range(len(arm.groups))]
    return np.stack(columns, axis=1)


def _false_positives(arm: Arm, rate: float | None) -> Estimate:
    """Observed at logit 0; at a rate, that of the threshold among new photographs."""
    if rate is None:
        rates = arm.false_positive_rate
        return Estimate(float("nan") if rates is None else float(rates.mean()))
    count = nonfaces(arm)
    at_rank = operating.rank(rate, count)
    return Estimate(
        operating.expected_rate(at_rank, count), operating.rate_interval(at_rank, count)
    )


def ties(arm: Arm, rate: float) -> Floats:
    """Photographs without a face that each run detects beyond the threshold's rank, shape (R,)."""
    assert arm.scores is not None
    return operating.ties(arm.scores.nonfaces, rate)


@cached_by_owner(most=DRAWN)
def _drawn(
    arm: Arm, definition: Definition, rate: float | None
) -> Mapping[str, tuple[Floats, Floats]]:
    """Each quantity of the bootstrap samples: of runs and photographs, and of runs alone.

    Each of shape (DRAWS,). Empty without scores or with a single run.
    """
    if not _can_be_drawn(arm):
        return {}

    def quantities(recall: Floats) -> Floats:
        found = _quantities(recall, arm.sizes, definition)
        return np.stack([found[name] for name in ESTIMATED], axis=1)

    columns = (np.ascontiguousarray(drawn.T) for drawn in _draw(arm, rate, quantities))
    return dict(zip(ESTIMATED, zip(*columns, strict=True), strict=True))


def _can_be_drawn(arm: Arm) -> bool:
    return arm.scores is not None and arm.runs > 1


def _draw(arm: Arm, rate: float | None, of: Statistic) -> tuple[Floats, Floats]:
    """A statistic of the samples' recalls: of runs and photographs, and of runs alone."""
    assert arm.scores is not None
    scores, groups = arm.scores, len(arm.groups)
    draws = _draws(arm.runs, scores.group.tobytes(), scores.nonfaces.shape[1])
    by_runs = bootstrap.of_runs(_recalls(arm, rate), draws, of=of)
    if rate is None:
        found = detections(arm, None)
        return bootstrap.recalls(found, scores.group, groups, draws, of=of), by_runs
    both = bootstrap.recalls_at(
        scores.portraits, scores.nonfaces, scores.group, groups, draws, rate=rate, of=of
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
