"""Tables with a number for each group: recall, area, and accuracy as the lab draws it.

Up to `WIDE` groups, each group has a column; with more, each arm and group has a row. Numbers
become text here; each table has its own footnotes.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from repro.analysis import operating_points, thresholds
from repro.analysis.study_data import Arm, Outcomes
from repro.reporting.tables import number_format, run_notes
from repro.reporting.tables.cell import DASH, Cell, Number
from repro.reporting.tables.table_part import Part
from repro.stats import disparity, intervals
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
    if not arms:
        return None
    wide = _is_wide(arms)
    rows = [row for arm in arms for row in (_wide if wide else _long)(arm, definition)]
    return Part(
        name="groups",
        title=f"{outcomes.name}: groups, all runs with results, no selection.",
        table=_table(rows, last=_SUMMARY),
        keys=0 if wide else 2,
        remarks=[
            *_said_of_groups(outcomes, definition),
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


def _wide(arm: Arm, definition: Definition) -> _Rows:
    recalls = {group: _recall(arm, k) for k, group in enumerate(arm.groups)}
    yield arm.name, recalls | _summary(arm, definition)


def _long(arm: Arm, definition: Definition) -> _Rows:
    """A row for all portraits, one for each group, then the summary of the arm."""
    values = arm.run_recall(_POOLED)
    pooled = number_format.share(float(values.mean()), sd=intervals.sd(values))
    yield arm.name, _long_row("Recall", pooled, "all portraits", f"{int(arm.sizes.sum())}")
    for k, group in enumerate(arm.groups):
        yield arm.name, _long_row("Recall", _recall(arm, k), group, f"{arm.sizes[k]}")
    for measure, text in _summary(arm, definition).items():
        if measure == "Worst group" and text != DASH:
            k = arm.groups.index(text)
            yield arm.name, _long_row(measure, _recall(arm, k), text, f"{arm.sizes[k]}")
        else:
            yield arm.name, _long_row(measure, text)


def _long_row(measure: str, value: str, group: str = "", portraits: str = "") -> dict[str, str]:
    return {"Measure": measure, "Group": group, "Portraits": portraits, "Value": value}


def _recall(arm: Arm, k: int) -> Cell:
    """Recall of a group: mean over the runs with Wilson's interval."""
    share, size = float(arm.recall[:, k].mean()), int(arm.sizes[k])
    return number_format.share(
        share, interval=intervals.wilson(share * size, size), sd=intervals.sd(arm.recall[:, k])
    )


def _summary(arm: Arm, definition: Definition) -> dict[str, str]:
    read = operating_points.reading(arm, definition).of
    found = (
        number_format.estimate(read["variance"], "variance"),
        _less_noise(arm, definition),
        number_format.estimate(read["gap"], "gap"),
        arm.groups[int(arm.recall.mean(axis=0).argmin())] if arm.can_differ else DASH,
        _false_positives(arm),
    )
    return dict(zip(_SUMMARY, found, strict=True))


def _less_noise(arm: Arm, definition: Definition) -> Cell:
    """The variance minus its sampling noise; NaN if a group has a single portrait."""
    if arm.sizes.min() < 2 or not arm.can_differ:
        return Cell.of(Number(value=float("nan"), unit="percent_squared"))
    noise = None
    if arm.scores is not None:
        found = thresholds.detections(arm, None)
        noise = disparity.portrait_noise(found, arm.scores.group, len(arm.groups))
    corrected = disparity.corrected_variance(arm.recall, arm.sizes, definition, noise=noise)
    return Cell.of(Number(value=1e4 * corrected, unit="percent_squared", better=-1))


def _false_positives(arm: Arm) -> Cell:
    if arm.false_positive_rate is None:
        return number_format.share(float("nan"))
    rate = float(arm.false_positive_rate.mean())
    return number_format.share(
        rate,
        interval=intervals.wilson(rate * arm.nonfaces, arm.nonfaces),
        sd=intervals.sd(arm.false_positive_rate),
        better=0,
    )


def _said_of_groups(outcomes: Outcomes, definition: Definition) -> list[str]:
    """Footnotes: intervals, noise correction, noise floor."""
    arms = [arm for arm in outcomes.arms if arm.runs]
    first = arms[0]
    pooled = float(np.mean([arm.recall.mean() for arm in arms]))
    found = [
        "Groups and false positives: mean over the runs with Wilson's 95 % interval for the number "
        "of photographs. All runs see the same photographs, so more runs do not narrow it.",
    ]
    if not any(arm.can_differ for arm in arms):
        return found
    found.append(
        f"Variance: {definition}. Variance without noise: the variance minus the mean contribution "
        "of the sampling of the portraits. Below 0 the groups differ by no more than chance."
    )
    if any(arm.sizes.min() < 2 for arm in arms):
        found.append("The noise cannot be estimated if a group has a single portrait.")
    if first.scores is not None:
        found.append(
            "Intervals of variance and gap: seed-by-portrait bootstrap with Student's quantile; "
            "they are for new seeds and new portraits."
        )
    if 0 < pooled < 1 and first.can_differ:
        floor = disparity.noise_floor(pooled, first.sizes, definition.ddof)
        found.append(
            f"Noise floor: with an equal recall of {100 * pooled:.1f} % in all {len(first.groups)} "
            f"groups of these sizes, one run has a variance of {1e4 * floor.variance:.2f} on "
            f"average, above {1e4 * floor.variance_95:.2f} in 5 % of the runs, and a gap of "
            f"{100 * floor.gap:.2f} points on average."
        )
    return found


def areas(outcomes: Outcomes, _: str) -> Part | None:
    """Area under the curve of recall against false-positive rate, for each group."""
    arms = [a for a in outcomes.arms if a.scores is not None and a.scores.nonfaces.shape[1]]
    if not arms:
        return None
    wide = _is_wide(arms)
    rows = [row for arm in arms for row in _area_rows(arm, wide=wide)]
    return Part(
        name="areas",
        title=f"{outcomes.name}: area under the curve of recall against false-positive rate.",
        table=_table(rows),
        keys=0 if wide else 1,
        remarks=[
            "Probability that a portrait of the group has a larger top logit than a photograph "
            "without a face: 0.5 is chance, 1 is perfect, independent of the threshold. Mean over "
            "the runs with Student's 95 % interval for new seeds and the same photographs."
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
        remarks=_said_of_accuracy(arms),
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


def _said_of_accuracy(arms: Sequence[Arm]) -> list[str]:
    """Footnotes: the standard error, and the crops."""
    found = [
        "Recall, which the papers call accuracy: the proportion of a group's portraits in which "
        "any window has a logit of 0 or more; overall, of all portraits. Mean over all runs with "
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
