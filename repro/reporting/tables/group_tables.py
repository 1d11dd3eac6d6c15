"""Tables with a number for each group: recall, area, and accuracy as the lab draws it.

Up to `WIDE` groups, each group has a column; with more, each arm and group has a row. Numbers
become text here; each table has its own footnotes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from repro.analysis import (
    operating_points,
    portrait_clusters,
    reference_rows,
    thresholds,
)
from repro.analysis.operating_points import Estimate
from repro.analysis.outcomes import LOGIT_0, Arm, Outcomes
from repro.analysis.wording import count
from repro.reporting.tables import (
    interval_notes,
    number_format,
    reference_notes,
    run_notes,
)
from repro.reporting.tables.cell import DASH, Cell, Number
from repro.reporting.tables.table_part import Part
from repro.stats import disparity, intervals, noise, rounding
from repro.stats.disparity import DEFINITIONS, Definition

WIDE = 8  # up to this many groups, each has a column
OVERALL, PROBABILITY = "Overall", "Probability of crops"
_SUMMARY = ("Variance", "Variance without noise", "Gap", "Worst group", "False positives")
_POOLED = DEFINITIONS["dehaan2020"]
_Rows = Iterator[tuple[str, dict[str, str]]]


def groups(outcomes: Outcomes, name: str) -> Part | None:
    """Recall of each group and their inequality, over all runs with results, at logit 0."""
    definition = DEFINITIONS[name]
    arms = [arm for arm in outcomes.arms if arm.runs]
    if not arms and not outcomes.detectors:
        return None
    wide = _is_wide([*arms, *outcomes.detectors])
    make = _wide if wide else _long
    rows = [row for arm in arms for row in make(_of_arm(outcomes, arm, definition))]
    below = [row for one in outcomes.detectors for row in make(_of_detector(one, definition))]
    return Part(
        name="groups",
        title=f"{outcomes.name}: groups, all runs with results, no selection.",
        table=_table([*rows, *below], last=_SUMMARY),
        keys=0 if wide else 2,
        below=len(below),
        remarks=[
            *(_said_of_groups(outcomes, definition) if arms else ()),
            *reference_notes.of_detectors(outcomes),
            *run_notes.of_recall_alone(outcomes),
            *run_notes.of_single_groups(outcomes),
        ],
    )


def _table(rows: Sequence[tuple[str, dict[str, str]]], *, last: Sequence[str] = ()) -> pd.DataFrame:
    """The rows as a table, with the given columns after those of the groups."""
    table = number_format.frame([row for _, row in rows], [arm for arm, _ in rows])
    first = [name for name in table.columns if name not in last]
    return table[[*first, *(name for name in last if name in table.columns)]]


def _is_wide(arms: Sequence[Arm]) -> bool:
    """Whether every group of every arm can have its own column."""
    names = {name for arm in arms for name in arm.groups}
    names |= {name for arm in arms if arm.crops for name in arm.crops.groups}
    return len(names) <= WIDE and not names & {*_SUMMARY, OVERALL, "Measure"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """What the table of groups shows of an arm or a detector.

    Attributes:
        arm: The arm.
        recalls: Of each group.
        pooled: Recall over all portraits.
        read: Estimates at its threshold.
        clean: Variance without noise.
        false: False positives.
    """

    arm: Arm
    recalls: list[Estimate]
    pooled: Estimate
    read: Mapping[str, Estimate]
    clean: Cell
    false: Estimate


def _of_arm(outcomes: Outcomes, arm: Arm, definition: Definition) -> _Row:
    return _Row(
        arm=arm,
        recalls=operating_points.group_estimates(outcomes, arm),
        pooled=operating_points.reading(outcomes, arm, _POOLED).of["recall"],
        read=operating_points.reading(outcomes, arm, definition).of,
        clean=_without_noise(outcomes, arm, definition),
        false=operating_points.false_positives(outcomes, arm),
    )


def _of_detector(detector: Arm, definition: Definition) -> _Row:
    clean = reference_rows.without_noise(detector, definition)
    return _Row(
        arm=detector,
        recalls=reference_rows.group_estimates(detector),
        pooled=reference_rows.reading(detector, _POOLED).of["recall"],
        read=reference_rows.reading(detector, definition).of,
        clean=number_format.estimate(clean, "variance"),
        false=reference_rows.false_positives(detector),
    )


def _wide(row: _Row) -> _Rows:
    recalls = dict(zip(row.arm.groups, _recalls(row), strict=True))
    yield row.arm.name, recalls | _summary(row)


def _long(row: _Row) -> _Rows:
    """A row for all portraits, one for each group, then the summary of the arm."""
    arm, recalls = row.arm, _recalls(row)
    pooled = number_format.estimate(row.pooled, "recall")
    yield arm.name, _long_row("Recall", pooled, "all portraits", f"{int(arm.sizes.sum())}")
    for k, group in enumerate(arm.groups):
        yield arm.name, _long_row("Recall", recalls[k], group, f"{arm.sizes[k]}")
    for measure, text in _summary(row).items():
        if measure == "Worst group" and text != DASH:
            k = arm.groups.index(text)
            yield arm.name, _long_row(measure, recalls[k], text, f"{arm.sizes[k]}")
        else:
            yield arm.name, _long_row(measure, text)


def _long_row(measure: str, value: str, group: str = "", portraits: str = "") -> dict[str, str]:
    return {"Measure": measure, "Group": group, "Portraits": portraits, "Value": value}


def _recalls(row: _Row) -> list[Cell]:
    """Recall of each group: mean over the runs with its interval."""
    return [number_format.estimate(one, "recall") for one in row.recalls]


def _summary(row: _Row) -> dict[str, str]:
    arm = row.arm
    found = (
        number_format.estimate(row.read["variance"], "variance"),
        row.clean,
        number_format.estimate(row.read["gap"], "gap"),
        arm.groups[rounding.lowest(arm.recall.mean(axis=0))] if arm.can_differ else DASH,
        number_format.false_positives(row.false),
    )
    return dict(zip(_SUMMARY, found, strict=True))


def _without_noise(outcomes: Outcomes, arm: Arm, definition: Definition) -> Cell:
    """The variance without noise; from counts alone the least and the largest it can be."""
    found = operating_points.without_noise(outcomes, arm, definition)
    if not np.isnan(found.value) or arm.scores is not None or not arm.can_differ:
        return number_format.estimate(found, "variance")
    low, high = noise.unbiased_bounds(arm.recall, arm.sizes, definition)
    if np.isnan(low):
        return number_format.estimate(found, "variance")
    if low == high:
        return number_format.estimate(replace(found, value=low), "variance")
    return Cell(f"{1e4 * low:.2f} to {1e4 * high:.2f}", {"least": 1e4 * low, "most": 1e4 * high})


def _said_of_groups(outcomes: Outcomes, definition: Definition) -> list[str]:
    """Footnotes: intervals, noise correction, noise floor."""
    arms = [arm for arm in outcomes.arms if arm.runs]
    seen = any(arm.false_positive_rate is not None for arm in arms)
    what = "Groups and false positives" if seen else "Groups"
    found = [
        f"{what}: mean over the runs. All runs see the same photographs, so more runs do not "
        "remove the uncertainty that other photographs would bring."
    ]
    if all(arm.runs == 1 for arm in arms):
        found = [f"{what}: of single runs, without intervals."]
    found += interval_notes.of_intervals(outcomes)
    differ = [arm for arm in arms if arm.can_differ]
    if not differ:
        return found
    noisy = "portraits" if definition.runs == "last" else "seeds and portraits"
    found.append(
        f"Variance: {definition}. Variance without noise: what {noisy} add on average is removed, "
        "so that it is unbiased for new ones. Below 0 the groups differ by no more than chance."
    )
    if any(map(_has_bounds, differ)) and definition.runs == "first":
        found.append(
            "From counts alone the noise is known within bounds: all runs miss the same portraits, "
            "or as different ones as possible."
        )
    if any(arm.sizes.min() < 2 for arm in differ):
        found.append("The noise cannot be estimated if a group has a single portrait.")
    if definition.runs == "first" and any(arm.runs < 2 for arm in differ):
        found.append("The noise of seeds cannot be estimated from a single run.")
    return [*found, *_floor(outcomes, differ, definition)]


def _floor(outcomes: Outcomes, arms: Sequence[Arm], definition: Definition) -> list[str]:
    """The noise floor: of run averages if the table shows those and the noise is known."""
    first, pooled = arms[0], float(np.mean([arm.recall.mean() for arm in arms]))
    if not 0 < pooled < 1:
        return []
    known = _averaged_noise(outcomes, arms, definition) if definition.runs == "first" else {}
    if known:
        first = next(iter(known))
        floor = noise.averaged_floor(
            max(float(np.mean(list(known.values()))), 0.0), len(first.groups), definition
        )
        return [
            "Noise floor: if all groups had the same expected recall, seeds and portraits alone "
            f"would give these averages of {first.runs} runs {_told_of_floor(floor)}. It is the "
            f"mean over {count(len(known), 'arm')} of the variance minus that "
            "without noise."
        ]
    counted = [arm for arm in arms if _has_bounds(arm)] if definition.runs == "first" else []
    if counted:
        return [_counted_floor(counted, definition)]
    if any(arm.scores is not None and arm.scores.cluster is not None for arm in arms):
        return []  # of one run it would be that of independent portraits
    floor = noise.noise_floor(pooled, first.sizes, definition.ddof)
    return [
        f"Noise floor: with an equal recall of {100 * pooled:.1f} % in all {len(first.groups)} "
        f"groups of these sizes, portraits alone would give one run {_told_of_floor(floor)}."
    ]


def _has_bounds(arm: Arm) -> bool:
    """Whether an arm's counts bound the noise of its averages."""
    return arm.scores is None and arm.runs > 1 and bool(arm.sizes.min() > 1)


def _counted_floor(arms: Sequence[Arm], definition: Definition) -> str:
    """The noise floor of run averages from counts, for arms with as many runs and groups."""
    alike = [arm for arm in arms if (arm.runs, arm.groups) == (arms[0].runs, arms[0].groups)]
    ends = []
    for arm in alike:
        low, high = noise.unbiased_bounds(arm.recall, arm.sizes, definition)
        variance = float(disparity.variance(arm.recall, definition))
        ends.append((max(variance - high, 0.0), max(variance - low, 0.0)))
    least, most = (1e4 * float(end) for end in np.mean(ends, axis=0))
    return (
        "Noise floor: if all groups had the same expected recall, seeds and portraits alone would "
        f"give these averages of {arms[0].runs} runs a variance of {least:.2f} to {most:.2f} on "
        f"average, the mean over {count(len(alike), 'arm')} of the variance minus that "
        "without noise."
    )


def _averaged_noise(
    outcomes: Outcomes, arms: Sequence[Arm], definition: Definition
) -> dict[Arm, float]:
    """What seeds and portraits add to the variance, for arms with as many runs and groups.

    Arms of too few clusters are left out: the variance without noise is too uncertain there.
    """
    found = {}
    for arm in (one for one in arms if not portrait_clusters.too_few_of(one)):
        clean = operating_points.without_noise(outcomes, arm, definition).value
        if not np.isnan(clean):
            read = operating_points.reading(outcomes, arm, definition).of["variance"]
            found[arm] = float(read.value - clean)
    alike = {(arm.runs, arm.groups) for arm in list(found)[:1]}
    return {arm: one for arm, one in found.items() if (arm.runs, arm.groups) in alike}


def _told_of_floor(floor: noise.NoiseFloor) -> str:
    return (
        f"a variance of {1e4 * floor.variance:.2f} on average, above "
        f"{1e4 * floor.variance_95:.2f} in 5 % of the cases, and a gap of "
        f"{100 * floor.gap:.2f} points on average"
    )


def areas(outcomes: Outcomes, _: str) -> Part | None:
    """Area under the curve of recall against false-positive rate, for each group."""
    arms, others = (
        [a for a in every if a.scores is not None and a.scores.nonfaces.shape[1]]
        for every in (outcomes.arms, outcomes.detectors)
    )
    if not arms and not others:
        return None
    wide = _is_wide([*arms, *others])
    rows = [row for arm in arms for row in _area_rows(arm, wide=wide)]
    below = [row for one in others for row in _area_rows(one, wide=wide)]
    return Part(
        name="areas",
        title=f"{outcomes.name}: area under the curve of recall against false-positive rate.",
        table=_table([*rows, *below]),
        keys=0 if wide else 1,
        below=len(below),
        remarks=[
            "Probability that a portrait of the group has a larger top logit than a photograph "
            "without a face: 0.5 is chance, 1 is perfect, independent of the threshold. Mean over "
            "the runs with Student's 95 % interval, for new seeds and the same photographs only.",
            *reference_notes.of_areas(outcomes),
        ],
    )


def _area_rows(arm: Arm, *, wide: bool) -> _Rows:
    texts: dict[str, str] = {}
    for group, values in zip(arm.groups, thresholds.areas(arm).T, strict=True):
        texts[group] = Cell.of(
            Number(
                value=float(values.mean()),
                unit="",
                decimals=4,
                interval=number_format.within_one(intervals.t_interval(values)),
                sd=intervals.sd(values),
                better=1,
            )
        )
    if wide:
        yield arm.name, texts
        return
    for group, text in texts.items():
        yield arm.name, {"Group": group, "Area": text}


def accuracy(outcomes: Outcomes, _: str) -> Part | None:
    """Recall of each group and mean probability of face crops, each ± its standard error."""
    arms = [arm for arm in outcomes.arms if arm.runs]
    if not arms:
        return None
    make = _wide_accuracy if _is_wide(arms) else _long_accuracy
    rows = [row for arm in arms for row in make(arm)]
    return Part(
        name="accuracy",
        title=f"{outcomes.name}: accuracy of each group as in the papers' figures, in percent.",
        table=_table(rows, last=(OVERALL,)),
        keys=1,
        remarks=_said_of_accuracy(arms, outcomes.threshold),
    )


def _wide_accuracy(arm: Arm) -> _Rows:
    for measure, found in _measures(arm).items():
        last: dict[str, str] = {OVERALL: found.pop("")}
        named: dict[str, str] = {"Measure": measure}
        yield arm.name, named | found | last


def _long_accuracy(arm: Arm) -> _Rows:
    """A row for each group of portraits or of crops, and one for all of them."""
    measures = _measures(arm)
    for group in dict.fromkeys(name for found in measures.values() for name in found):
        texts = {measure: found.get(group, DASH) for measure, found in measures.items()}
        yield arm.name, {"Group": group or OVERALL} | texts


def _measures(arm: Arm) -> dict[str, dict[str, str]]:
    """Text of each group by measure; all groups together under the empty name."""
    recall: dict[str, str] = {
        group: number_format.mean_and_error(arm.recall[:, k]) for k, group in enumerate(arm.groups)
    }
    found = {"Recall": recall | {"": number_format.mean_and_error(arm.run_recall(_POOLED))}}
    if arm.crops is not None:
        crops = arm.crops
        each = zip(crops.groups, crops.probability.T, strict=True)
        found[PROBABILITY] = {group: number_format.mean_and_error(values) for group, values in each}
        found[PROBABILITY][""] = number_format.mean_and_error(crops.overall)
    return found


def _said_of_accuracy(arms: Sequence[Arm], threshold: str) -> list[str]:
    """Footnotes: the standard error, and the crops."""
    detected = "that are detected"
    if any(arm.scores is not None for arm in arms):
        detected = "in which any window has a logit of 0 or more"
        if threshold != LOGIT_0:
            detected = f"with a {threshold} or more"
    found = [
        "Recall, which the papers call accuracy: the proportion of a group's portraits "
        f"{detected}; overall, of all portraits. Mean over all runs with "
        "results, no selection, ± the standard error of that mean (sample standard deviation "
        "divided by the square root of the number of runs), as in Amini, Soleimany et al. (2019). "
        "It is not a confidence interval: it does not cover other portraits, and for normally "
        "distributed runs it contains the mean of all seeds in 58 % of the cases with 3 runs and "
        "in 63 % with 5.",
    ]
    if any(arm.runs == 1 for arm in arms):
        found.append("A single run has no standard error.")
    if any(arm.crops is not None for arm in arms):
        found.append(
            f"{PROBABILITY}: the MIT lab's metric, the mean probability that a crop is a face, "
            f"over {run_notes.of_crops(arms)}. It needs no threshold. So few pictures cannot show "
            "a difference of a few points between groups."
        )
    return found
