"""Outcomes against published values: reproduced, not reproduced or cannot tell, and why.

Both sides are the same statistic under the source's definition. Values, directions and the order of
the arms are judged separately. If data or protocol differ, no verdict is given, with the reason.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice
from math import comb
from typing import Any

import numpy as np

from repro.analysis import arm_differences
from repro.analysis.arm_differences import QUANTITIES, UNIT, Quantity
from repro.analysis.outcomes import Arm, Outcomes
from repro.stats import agreement, disparity, rounding, selection
from repro.stats.agreement import Statistic, Word
from repro.stats.disparity import DEFINITIONS, Definition
from repro.stats.intervals import NOWHERE, Integers, Interval, sd
from repro.study.merge import merge
from repro.study.published import Published, PublishedRow

NO_INTERVAL = "the runs give no interval: a single one, or no spread between them"
SUBSETS = 2000  # sampled subsets if there are more runs than in the publication
HARMLESS = (
    "data.",
    "replicates=",
    "seeds.",
    "select.",
)  # overrides that `refusals` checks by the protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One verdict.

    Attributes:
        subject: Name of the arm or arms.
        claim: What is judged: ``recall``, ``variance``, a direction or an order.
        printed: The published value or order.
        ours: The same statistic of our runs.
        interval: 95 % prediction interval for a number, confidence interval for a direction.
        word: The verdict.
        reason: One sentence.
        numbers: Published and ours, in the published unit; NaN for an order of arms.
        ends: Of the interval, in the published unit; NaN without one.
    """

    subject: str
    claim: str
    printed: str
    ours: str
    interval: str
    word: Word
    reason: str
    numbers: tuple[float, float] = (float("nan"), float("nan"))
    ends: Interval = NOWHERE


def refusals(outcomes: Outcomes, published: Published) -> list[str]:
    """Why the results cannot be compared with the published values; empty if they can."""
    if outcomes.synthetic:
        return ["the data are synthetic"]
    if outcomes.refused:
        return list(outcomes.refused)
    changed = [label for label in outcomes.changed if not label.startswith(HARMLESS)]
    found = [f"changed on the command line: {', '.join(changed)}"] if changed else []
    protocol = published.protocol
    rows = {row.arm: row for row in published.rows}
    compared = [arm for arm in outcomes.arms if arm.runs and arm.name in rows]
    for arm in compared:
        sizes = {name: int(n) for name, n in zip(arm.groups, arm.sizes, strict=True)}
        if sizes != protocol.groups:
            found.append(
                f"the test portraits differ: {_sizes(sizes)}, not {_sizes(protocol.groups)}"
            )
        if protocol.training_images:
            found += _other_training(arm, protocol.training_images)
        wanted = merge(protocol.configuration, rows[arm.name].configuration)
        for configuration in arm.configurations[:1]:
            found += _contradictions(wanted, configuration)
    if not compared:
        found.append("no arm with runs has published values")
    return list(dict.fromkeys(found))


def _sizes(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{n} {name}" for name, n in sorted(sizes.items()))


def _other_training(arm: Arm, expected: int) -> list[str]:
    if not arm.training_images or set(arm.training_images) == {expected}:
        return []
    count = arm.training_images[0]
    told = "an unknown number of" if count is None else f"{count:,}"
    return [f"trained on {told} images, not {expected:,}"]


def _contradictions(
    protocol: Mapping[str, Any], configuration: Mapping[str, Any], prefix: str = ""
) -> Iterator[str]:
    """Each key of the protocol whose value in the configuration differs."""
    for key, value in protocol.items():
        own = configuration.get(key)
        if isinstance(value, Mapping) and isinstance(own, Mapping):
            yield from _contradictions(value, own, f"{prefix}{key}.")
        elif own != value:
            yield f"{prefix}{key} is {own}, not {value}"


def judge(outcomes: Outcomes, *, told: Mapping[str, str]) -> list[Judgement]:
    """All verdicts; call it only if `refusals` is empty.

    Args:
        outcomes: With published values and a margin.
        told: For each arm, a sentence on its gains at equal false-positive rates.
    """
    published, margin = outcomes.published, outcomes.margin
    assert published is not None
    assert margin is not None
    found = []
    for row in published.rows:
        arm = outcomes.arm(row.arm)
        if arm is None:
            continue
        for quantity in QUANTITIES:
            printed = getattr(row, quantity)
            if printed is not None:
                delta = getattr(margin, quantity)
                found.append(_number(arm, printed, quantity, published, delta))
    return [*found, *_directions(outcomes, published, told), *_orders(outcomes, published)]


def statistic(arm: Arm, published: Published, quantity: Quantity) -> Statistic:
    """The published statistic for our runs: the best k of n, from n runs or more.

    Recall is a fraction; a variance is its square root, see `agreement.root`.
    """
    definition = DEFINITIONS[published.definition]
    keep, of = published.keep, published.replicates
    if quantity == "recall":
        values = arm.run_recall(definition)
        own = rounding.equal(values, arm.selector)
        value = selection.expected_best(values, arm.selector, keep=keep, of=of)
        deviation, selects = sd(values), "itself" if own else "another"
    else:
        value = float(np.sqrt(expected_variance(arm, definition, keep=keep, of=of)))
        kept = arm.recall[selection.best(arm.selector, max(1, round(keep / of * arm.runs)))]
        spread = sd(agreement.influence(arm.recall, kept, definition))
        deviation, selects = spread / (2 * max(value, 1e-9)), "another"
    return Statistic(
        value=value,
        deviation=deviation,
        runs=arm.runs,
        keep=keep,
        of=of,
        selects=selects,  # type: ignore[arg-type]
    )


def expected_recall(arm: Arm, definition: Definition, *, keep: int, of: int) -> float:
    """E[A] of the best `keep`, averaged over the sets of `of` runs; as a fraction."""
    values = arm.run_recall(definition)
    return selection.expected_best(values, arm.selector, keep=keep, of=of)


def expected_variance(arm: Arm, definition: Definition, *, keep: int, of: int) -> float:
    """Var[A] of the best `keep`, averaged over the sets of `of` runs; of fractions."""
    if comb(arm.runs, of) <= SUBSETS:
        subsets: Any = combinations(range(arm.runs), of)
    else:
        generator = np.random.default_rng([selection.SEED, arm.runs, of])
        subsets = (generator.permutation(arm.runs)[:of] for _ in range(SUBSETS))
    found = []
    for subset in islice(subsets, SUBSETS):
        runs = np.asarray(subset)
        kept = runs[selection.best(arm.selector[runs], keep)]
        found.append(disparity.variance(arm.recall[kept], definition))
    return float(np.mean(found))


def _number(
    arm: Arm, printed: float, quantity: Quantity, published: Published, delta: float
) -> Judgement:
    text = f"{printed:.{published.decimals}f}"
    unknown = Judgement(
        subject=arm.name,
        claim=quantity,
        printed=text,
        ours="—",
        interval="—",
        word="cannot tell",
        reason=f"{arm.runs} runs with results; the best {published.keep} of "
        f"{published.replicates} need {published.replicates}",
        numbers=(printed, float("nan")),
    )
    if arm.runs < published.replicates:
        return unknown
    ours, unit = statistic(arm, published, quantity), UNIT[quantity]
    value = unit * (ours.value**2 if quantity == "variance" else ours.value)
    told = f"{value:.2f}"
    if not has_spread(ours):
        return replace(unknown, ours=told, reason=NO_INTERVAL, numbers=(printed, value))
    half = 0.5 * 10.0**-published.decimals
    y = Interval((printed - half) / unit, (printed + half) / unit)
    root = agreement.root if quantity == "variance" else float
    word = agreement.verdict(ours, y, delta / unit, scale=root)
    shown = _predicted(ours, arm, quantity, published)
    inside = shown.low - half <= printed <= shown.high + half
    return replace(
        unknown,
        ours=told,
        interval=f"[{shown.low:.2f}, {shown.high:.2f}]",
        word=word,
        reason=_reason(word, value - printed, inside, delta),
        numbers=(printed, value),
        ends=shown,
    )


def _predicted(ours: Statistic, arm: Arm, quantity: Quantity, published: Published) -> Interval:
    """The prediction interval in the unit of the tables, within what the quantity can be."""
    low, high = (max(end, 0.0) for end in agreement.prediction_interval(ours))
    unit = UNIT[quantity]
    if quantity == "recall":
        return Interval(unit * low, unit * min(high, 1.0))
    ddof = DEFINITIONS[published.definition].ddof
    most = disparity.largest_variance(len(arm.groups), ddof)
    return Interval(unit * low**2, unit * min(high**2, most))


def has_spread(ours: Statistic) -> bool:
    """Whether the runs differ: equal ones do not say how far others are."""
    return ours.deviation > rounding.TOLERANCE


def _reason(word: Word, apart: float, inside: bool, delta: float) -> str:
    where = "inside" if inside else "outside"
    told = (
        f"{round(apart, 2) + 0.0:+.2f} from the published value, margin {delta:g}; the published "
        f"value is {where} its 95 % prediction interval"
    )
    if word == "reproduced":
        return f"{told}; the equivalence test at 5 % passes"
    if word == "not reproduced":
        return told
    return f"{told}; the runs are too few or vary too much for this margin"


def _directions(
    outcomes: Outcomes, published: Published, told: Mapping[str, str]
) -> Iterator[Judgement]:
    """Whether each arm differs from the reference in the published direction."""
    reference = outcomes.arm(outcomes.reference)
    printed = {row.arm: row for row in published.rows}
    if reference is None or outcomes.reference not in printed:
        return
    definition = DEFINITIONS[published.definition]
    for arm in outcomes.others:
        if arm.name not in printed:
            continue
        for quantity in QUANTITIES:
            ends = [getattr(printed[name], quantity) for name in (outcomes.reference, arm.name)]
            if None not in ends and (step := ends[1] - ends[0]):
                yield _direction(outcomes, arm, reference, quantity, step, definition, told)


def _direction(
    outcomes: Outcomes,
    arm: Arm,
    reference: Arm,
    quantity: Quantity,
    step: float,
    definition: Definition,
    told: Mapping[str, str],
) -> Judgement:
    apart = arm_differences.run_difference(outcomes, arm, reference, quantity, definition)
    low, high = apart.interval
    unit = UNIT[quantity]
    word: Word = "cannot tell"
    if (low > 0 and step > 0) or (high < 0 and step < 0):
        word = "reproduced"
    elif (low > 0 and step < 0) or (high < 0 and step > 0):
        word = "not reproduced"
    shows = "includes 0" if word == "cannot tell" else "excludes 0"
    kind = "paired t" if outcomes.paired else "Welch's t"
    reason = f"{kind} interval over single runs {shows}"
    if np.isnan(low):
        reason = NO_INTERVAL
    if told.get(arm.name):
        reason = f"{reason}; {told[arm.name]}"
    return Judgement(
        subject=f"{arm.name} against {reference.name}",
        claim=f"{quantity} {'rises' if step > 0 else 'falls'}",
        printed=f"{step:+.2f}",
        ours=f"{unit * apart.mean:+.2f}",
        interval="—" if np.isnan(low) else f"[{unit * low:.2f}, {unit * high:.2f}]",
        word=word,
        reason=reason,
        numbers=(step, unit * apart.mean),
        ends=Interval(unit * low, unit * high),
    )


def _orders(outcomes: Outcomes, published: Published) -> Iterator[Judgement]:
    """Whether the arms are in the published order, if there is one."""
    for quantity in QUANTITIES:
        known = [
            (arm, float(printed))
            for row in published.rows
            if (printed := getattr(row, quantity)) is not None and (arm := outcomes.arm(row.arm))
        ]
        if len(known) < 3 or min(arm.runs for arm, _ in known) < 2:
            continue
        places = rounding.ranks(np.array([value for _, value in known]))
        if places.max() > 0:
            definition = DEFINITIONS[published.definition]
            yield _order(outcomes, [arm for arm, _ in known], places, quantity, definition)


def _order(
    outcomes: Outcomes,
    arms: Sequence[Arm],
    places: Integers,
    quantity: Quantity,
    definition: Definition,
) -> Judgement:
    """Whether the quantity rises along these places; arms with equal published values share one."""
    found = arm_differences.trend(outcomes, arms, quantity, definition, places=places)
    word: Word = "cannot tell"
    if found.test.p <= 0.05:
        word = "reproduced" if found.rise > 0 else "not reproduced"
    least = found.test.attainable
    reach = f"smallest possible {least:.1g}" if least else "normal approximation"
    means = [arm_differences.run_values(arm, quantity, definition).mean() for arm in arms]
    return Judgement(
        subject="all arms",
        claim=f"order by {quantity}, lowest first",
        printed=_in_order(arms, places),
        ours=_in_order(arms, rounding.ranks(np.array(means))),
        interval="—",
        word=word,
        reason=f"Jonckheere-Terpstra along the published order: {found.rise:+.2f} of -1 to 1, "
        f"permutation p {found.test.p:.4f} (two-sided; {reach})",
    )


def _in_order(arms: Sequence[Arm], places: Integers) -> str:
    """The arms' names by place; those that share one stand together."""
    by_place: dict[int, list[str]] = {}
    for at in np.argsort(places, kind="stable"):
        by_place.setdefault(int(places[at]), []).append(arms[at].name)
    return "; ".join(
        f"{' and '.join(names)} (equal)" if len(names) > 1 else names[0]
        for names in by_place.values()
    )


def restated(
    row: PublishedRow, published: Published, definition: Definition
) -> dict[Quantity, float | None]:
    """A published row under another definition, in the published unit; None if not convertible.

    Exact from the means of groups if they are known and runs are averaged first; a change of ddof
    is a constant factor.
    """
    own = DEFINITIONS[published.definition]
    if definition == own:
        return {"recall": row.recall, "variance": row.variance}
    recall = row.recall if definition.mean == own.mean else None
    groups = len(published.protocol.groups)
    factor = (groups - own.ddof) / (groups - definition.ddof)
    same = definition.runs == own.runs
    variance = factor * row.variance if same and row.variance is not None else None
    if row.groups and set(row.groups) == set(published.protocol.groups) and own.runs == "first":
        share = np.array([[row.groups[name] / 100 for name in published.protocol.groups]])
        sizes = list(published.protocol.groups.values())
        if recall is None:
            recall = 100 * float(disparity.mean_recall(share, sizes, definition))
    return {"recall": recall, "variance": variance}
