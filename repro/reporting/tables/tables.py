"""The tables of outcomes: the paper's columns and all others. Never loads torch or MLflow.

Numbers become text here, and fractions become percent. The footnotes come from `notes` and
`run_notes`.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from repro.analysis import (
    operating_points,
    reference_rows,
    thresholds,
    verdicts,
)
from repro.analysis.arm_differences import QUANTITIES, Quantity
from repro.analysis.outcomes import Arm, Outcomes
from repro.errors import ReproError
from repro.reporting.tables import (
    claim_table,
    comparison_notes,
    comparison_table,
    declaration_notes,
    false_alarm_table,
    gap_table,
    group_tables,
    inequality_table,
    interval_notes,
    look_notes,
    method_notes,
    metric_columns,
    notes,
    number_format,
    placebo_table,
    reference_notes,
    run_notes,
    specification_curve,
    tone_table,
    verdict_notes,
)
from repro.reporting.tables.cell import DASH, Cell, Number
from repro.reporting.tables.table_part import Part, Style
from repro.stats import intervals
from repro.stats.disparity import DEFINITIONS, Definition
from repro.stats.intervals import Floats
from repro.system.count_progress import each

MOST = 50  # runs of an arm; up to this many, each run is shown
RECALL, VARIANCE = "E[A]: Recall", "Var[A]: Measure of Bias"


def parts(outcomes: Outcomes, *, style: Style, definition: str | None = None) -> list[Part]:
    """Every table for which the outcomes have data, in the order of `PARTS`.

    Args:
        outcomes: Of a study or an audited file.
        style: The paper's two columns, or all.
        definition: Name of the definition of E[A] and Var[A]; None for the published source's.
    """
    name = definition or outcomes.definition_name
    if style == "paper":
        return [results(outcomes, name, style="paper")]
    made = (_MAKERS[which](outcomes, name) for which in PARTS)
    return [part for part in made if part is not None]


def part(outcomes: Outcomes, which: str, *, definition: str | None = None) -> Part | None:
    """One table of the full style or of `ASKED_FOR`; None if the outcomes have no data for it."""
    return _MAKERS[which](outcomes, definition or outcomes.definition_name)


def only(found: Sequence[Part], which: str | None) -> list[Part]:
    """The parts of this name; all if no name is given.

    Raises:
        ReproError: There is no part of this name.
    """
    named = [one for one in found if which in (None, one.name)]
    if not named:
        raise ReproError(f"there is no data for --part {which}")
    return named


def results(outcomes: Outcomes, name: str, *, style: Style = "full") -> Part:
    """The paper's columns; in full also published values, the mean of all runs and each run."""
    definition = DEFINITIONS[name]
    with each("table of results", outcomes.arms, unit="arms") as arms:
        rows = [_result_cells(outcomes, arm, definition, style) for arm in arms]
    rows += [_reference_cells(one, definition, style) for one in outcomes.detectors]
    told = [
        *run_notes.of_selection(outcomes, name),
        *method_notes.of_methods(outcomes),
        *run_notes.of_recall_alone(outcomes),
        *run_notes.of_single_groups(outcomes),
        *run_notes.of_runs(outcomes),
        *run_notes.of_machines(outcomes),
        *look_notes.of_looks(outcomes),
        *declaration_notes.of_declaration(outcomes),
    ]
    if style == "full":
        told += look_notes.of_expected(outcomes)
        told += interval_notes.of_intervals(outcomes) + interval_notes.of_bad_runs(outcomes)
        told += notes.of_published(outcomes, name) + notes.of_strength(outcomes, definition)
        told += metric_columns.notes(outcomes)
    told += reference_notes.of_detectors(outcomes, have_intervals=style == "full")
    return Part(
        name="results",
        title=outcomes.caption,
        table=number_format.frame(
            rows, [arm.name for arm in (*outcomes.arms, *outcomes.detectors)]
        ),
        remarks=told,
        below=len(outcomes.detectors),
    )


def _result_cells(
    outcomes: Outcomes, arm: Arm, definition: Definition, style: Style
) -> dict[str, str]:
    row: dict[str, str] = _paper_cells(arm, outcomes.keep, definition)
    if style == "full":
        row |= _expected_cells(arm, outcomes, definition)
        row |= _printed_cells(arm, outcomes, definition)
        row |= metric_columns.cells(outcomes, arm)
        row |= _run_cells(outcomes, arm, definition)
    return row


def _reference_cells(detector: Arm, definition: Definition, style: Style) -> dict[str, str]:
    """A detector that was trained elsewhere: nothing was selected, and it has a single run.

    In full the paper's columns are of selected runs alone.
    """
    if style == "paper":
        return dict(_paper_cells(detector, 1, definition))
    found = reference_rows.reading(detector, definition)
    return {"Recall, all runs": number_format.estimate(found.of["recall"], "recall")}


def _paper_cells(arm: Arm, keep: int, definition: Definition) -> dict[str, str]:
    found = operating_points.of_kept(arm, keep, definition)
    recall, variance = (number_format.number(found[q], q) for q in QUANTITIES)
    return {
        RECALL: Cell.of(replace(recall, shows="none")),
        VARIANCE: Cell.of(replace(variance, shows="none")),
    }


def _expected_cells(arm: Arm, outcomes: Outcomes, definition: Definition) -> dict[str, str]:
    """What a selection of the paper's kind is expected to show, from all runs of a grown study."""
    if not outcomes.has_grown:
        return {}
    recall, variance = float("nan"), float("nan")
    keep, of = outcomes.keep, outcomes.block
    if arm.runs >= of:
        recall = 100 * verdicts.expected_recall(arm, definition, keep=keep, of=of)
        if arm.can_differ:
            variance = 1e4 * verdicts.expected_variance(arm, definition, keep=keep, of=of)
    return {
        "Expected recall": Cell.of(Number(value=recall)),
        "Expected variance": Cell.of(Number(value=variance, unit="percent_squared")),
    }


def _printed_cells(arm: Arm, outcomes: Outcomes, definition: Definition) -> dict[str, str]:
    published = outcomes.published
    if published is None or outcomes.synthetic:
        return {}
    row = next((row for row in published.rows if row.arm == arm.name), None)
    found: dict[Quantity, float | None] = dict.fromkeys(QUANTITIES)
    if row and len(published.protocol.groups) > 1:
        found = verdicts.restated(row, published, definition)
    elif row:
        found["recall"] = row.recall  # for one group, pooled and averaged are the same
    recall, variance = (float("nan") if v is None else v for v in found.values())
    return {
        "Published recall": Cell.of(Number(value=recall)),
        "Published variance": Cell.of(Number(value=variance, unit="percent_squared")),
    }


def _run_cells(outcomes: Outcomes, arm: Arm, definition: Definition) -> dict[str, str]:
    low, high = number_format.scaled(intervals.wilson(arm.runs, arm.wanted), 100)
    ran = Cell(
        f"{arm.runs}/{arm.wanted} [{low:.2f}, {high:.2f}]",
        {"": arm.runs, "wanted": arm.wanted, "percent_low": low, "percent_high": high},
    )
    told = dict.fromkeys(("Recall, all runs", "Median [range]", "Recall of each run"), DASH)
    if arm.runs:
        values = arm.run_recall(definition)
        found = operating_points.reading(outcomes, arm, definition).of["recall"]
        cells = number_format.estimate(found, "recall"), _median(values), _each(arm, values)
        told = dict(zip(told, cells, strict=True))
    return {**told, "Runs with results": ran}


def _median(values: Floats) -> Cell:
    """The median of the runs and their range; a dash for a single run."""
    if len(values) < 2:
        return Cell(DASH)
    ends = [100 * float(one(values)) for one in (np.median, np.min, np.max)]
    middle, low, high = ends
    names = ("percent", "least_percent", "most_percent")
    return Cell(f"{middle:.2f} [{low:.2f}, {high:.2f}]", dict(zip(names, ends, strict=True)))


def _each(arm: Arm, values: Floats) -> Cell:
    """The value of each run; of more than `MOST` runs the range and the quartiles."""
    if len(values) <= MOST:
        told = " ".join(number_format.percent(float(value)) for value in values)
        seeds = zip(arm.seeds, values, strict=True)
        return Cell(told, {f"seed_{seed}_percent": 100 * float(value) for seed, value in seeds})
    found = [float(q) for q in np.quantile(values, np.linspace(0, 1, 5))]
    low, *quartiles, high = map(number_format.percent, found)
    names = ("least", "quartile_1", "median", "quartile_3", "most")
    return Cell(
        f"{low} to {high}, quartiles {' '.join(quartiles)}",
        {f"{name}_percent": 100 * q for name, q in zip(names, found, strict=True)},
    )


def curve(outcomes: Outcomes, _: str) -> Part | None:
    """Recall of each group by false-positive rate, one row for each arm and rate."""
    frames = []
    for arm in (*outcomes.arms, *outcomes.detectors):
        if arm.scores is None or not arm.scores.nonfaces.shape[1]:
            continue
        rates, runs = thresholds.curves(arm)
        frame = pd.DataFrame(runs.mean(axis=0), columns=pd.Index(arm.groups)).map("{:.6f}".format)
        frame.insert(0, "false_positive_rate", [f"{rate:.6f}" for rate in rates])
        frames.append(frame.set_index(pd.Index([arm.name] * len(frame), name="Arm")))
    if not frames:
        return None
    title = f"{outcomes.name}: recall against false-positive rate, mean over the runs."
    return Part(name="curve", title=title, table=pd.concat(frames).fillna(DASH), keys=1)


def withdrawn(outcomes: Outcomes, _: str) -> Part | None:
    """The portraits whose pictures were gone, one a row; None if none was."""
    if not outcomes.withdrawn:
        return None
    numbers = pd.Index([str(n) for n in range(1, len(outcomes.withdrawn) + 1)], name="Withdrawn")
    return Part(
        name="withdrawn",
        title=f"{outcomes.name}: portraits of the test set whose pictures were gone.",
        table=pd.DataFrame({"Portrait": list(outcomes.withdrawn)}, index=numbers),
        holds="words",
    )


def verdict(outcomes: Outcomes, name: str) -> Part | None:
    """The comparison with the published values, or the reason why there is none."""
    published = outcomes.published
    if published is None:
        return None
    title = f"{outcomes.name}: verdict on {published.source}, {published.printed}."
    against = verdicts.refusals(outcomes, published)
    if outcomes.margin is None:
        against.append("no margin is declared")
    if against:
        empty = pd.DataFrame(index=pd.Index([], name="Subject"))
        refusal = [f"No verdict: {'; '.join(against)}."]
        return Part(name="verdict", title=title, table=empty, remarks=refusal)
    gains = notes.gains(outcomes, DEFINITIONS[published.definition])
    judged = verdicts.judge(outcomes, told=gains)
    rows = [
        {
            "Claim": one.claim,
            "Published": _judged(one.printed, one.numbers[0]),
            "Ours": _judged(one.ours, one.numbers[1]),
            "95 % interval": Cell(one.interval, {"low": one.ends.low, "high": one.ends.high}),
            "Verdict": one.word,
            "Why": one.reason,
        }
        for one in judged
    ]
    return Part(
        name="verdict",
        title=title,
        table=number_format.frame(rows, [one.subject for one in judged], "Subject"),
        remarks=[
            *verdict_notes.of_verdict(outcomes, name),
            *comparison_notes.of_none(outcomes, DEFINITIONS[name]),
        ],
        holds="words",
        keys=1,
    )


def _judged(text: str, number: float) -> Cell:
    """The cell of a number, or of an order of arms."""
    return Cell(text, {"order": text} if np.isnan(number) and text != DASH else {"": number})


_MAKERS: dict[str, Callable[[Outcomes, str], Part | None]] = {
    "claims": claim_table.part,
    "gap_share": gap_table.part,
    "placebos": placebo_table.part,
    "results": results,
    "groups": group_tables.groups,
    "inequality": inequality_table.part,
    "accuracy": group_tables.accuracy,
    "false_alarms": false_alarm_table.part,
    "areas": group_tables.areas,
    "tone": tone_table.part,
    "comparisons": comparison_table.part,
    "specification": specification_curve.part,
    "verdict": verdict,
    "curve": curve,
    "tone_curve": tone_table.curve,
    "withdrawn": withdrawn,
}
ASKED_FOR = ("curve", "tone_curve", "withdrawn")  # which are shown only where they are asked for
PARTS = tuple(name for name in _MAKERS if name not in ASKED_FOR)
