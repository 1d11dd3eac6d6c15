"""The tables of outcomes: the paper's columns and all others. Never loads torch or MLflow.

Numbers become text here, and fractions become percent. The footnotes come from `notes` and
`run_notes`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from repro.analysis import (
    arm_differences,
    matched,
    operating_points,
    reference_rows,
    thresholds,
    verdicts,
)
from repro.analysis.arm_differences import QUANTITIES, Comparison, Quantity
from repro.analysis.outcomes import Arm, Outcomes
from repro.errors import ReproError
from repro.reporting.tables import (
    claim_table,
    comparison_notes,
    declaration_notes,
    gap_table,
    group_tables,
    interval_notes,
    look_notes,
    matched_notes,
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
from repro.stats import comparisons, intervals, rounding
from repro.stats.disparity import DEFINITIONS, Definition
from repro.stats.intervals import Floats
from repro.system.count_progress import each

MOST = 50  # runs of an arm; up to this many, each run is shown
RECALL, VARIANCE = "E[A]: Recall", "Var[A]: Measure of Bias"
BOTH = "New seeds and portraits"  # column of the comparisons, if any has such an interval
MATCHED = "Difference, matched"  # column of the comparisons, if any reference can be matched


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


def false_alarms(outcomes: Outcomes, name: str) -> Part | None:
    """Every arm, and its difference from the reference, at equal false-positive rates."""
    definition = DEFINITIONS[name]
    arms = [arm for arm in outcomes.arms if arm.runs and thresholds.nonfaces(arm)]
    below = [
        (one.name, row)
        for one in outcomes.detectors
        if outcomes.rates and thresholds.nonfaces(one)
        for row in _reference_rows(outcomes, one, definition)
    ]
    with each("table at equal false-positive rates", arms, unit="arms") as shown:
        rows = [
            (arm.name, row)
            for arm in shown
            if outcomes.rates
            for row in _false_alarm_rows(outcomes, arm, definition)
        ]
    if not rows and not below:
        return None
    every = [*rows, *below]
    return Part(
        name="false_alarms",
        title=f"{outcomes.name}: at equal false-positive rates, all runs with results.",
        table=number_format.frame([row for _, row in every], [arm for arm, _ in every]),
        keys=1,
        below=len(below),
        remarks=[
            *(notes.of_false_alarms(outcomes, definition) if rows else ()),
            *reference_notes.of_detectors(outcomes, shown=bool(below)),
            *matched_notes.of_pairs(_compared(outcomes, arms), threshold=outcomes.threshold),
            *comparison_notes.of_none(outcomes, definition),
            *run_notes.of_single_groups(outcomes),
        ],
    )


def _compared(outcomes: Outcomes, arms: Sequence[Arm]) -> list[tuple[Arm, Arm]]:
    """The arms that share a seed with the reference, each with it."""
    reference = outcomes.arm(outcomes.reference)
    if reference is None:
        return []
    seeds = set(reference.seeds)
    return [
        (arm, reference) for arm in arms if arm.name != reference.name and seeds & set(arm.seeds)
    ]


def _false_alarm_rows(
    outcomes: Outcomes, arm: Arm, definition: Definition
) -> Iterator[dict[str, str]]:
    """At logit 0, there with the reference matched, then at each rate."""
    rates = [rate for rate in outcomes.rates if thresholds.can_read(arm, rate)]
    reference = next((other for _, other in _compared(outcomes, [arm])), None)
    for rate in (None, *rates):
        row = _reading_cells(outcomes, arm, definition, rate)
        if reference is not None:
            apart = operating_points.difference(arm, reference, definition, rate=rate)
            for q in QUANTITIES:
                row[_MINUS[q]] = number_format.difference(apart[q], q, decimals=_decimals(rate))
        yield row
        if reference is not None and rate is None and not matched.refusal(arm, reference):
            yield {
                "Threshold": f"{outcomes.threshold}, reference matched",
                "False positives": row["False positives"],
                **{
                    _MINUS[q]: matched_notes.difference(
                        arm, reference, q, definition, arms=len(outcomes.arms)
                    )
                    for q in QUANTITIES
                },
            }


_MINUS = {q: f"{q.capitalize()} minus reference" for q in QUANTITIES}


def _decimals(rate: float | None) -> int:
    """Intervals at given rates have a Monte Carlo error, which two decimals would hide."""
    return 2 if rate is None else 1


def _reading_cells(
    outcomes: Outcomes, arm: Arm, definition: Definition, rate: float | None
) -> dict[str, str]:
    read = operating_points.reading(outcomes, arm, definition, rate=rate)
    return _cells_of(read, arm, outcomes.threshold)


def _reference_rows(
    outcomes: Outcomes, detector: Arm, definition: Definition
) -> Iterator[dict[str, str]]:
    """A detector that was trained elsewhere, at its own threshold and at each rate."""
    rates = [rate for rate in outcomes.rates if reference_rows.can_read(detector, rate)]
    for rate in (None, *rates):
        read = reference_rows.reading(detector, definition, rate=rate)
        yield _cells_of(read, detector, "its own")


def _cells_of(read: operating_points.Reading, arm: Arm, threshold: str) -> dict[str, str]:
    rate = read.rate
    at = threshold if rate is None else f"{100 * rate:g} % false positives"
    worst = arm.groups[rounding.lowest(read.recall.mean(axis=0))]
    decimals = _decimals(rate)
    return {
        "Threshold": at,
        "False positives": number_format.false_positives(read.false_positives),
        **{
            q.capitalize(): number_format.estimate(read.of[q], q, decimals=decimals)
            for q in ("recall", "variance", "gap")
        },
        "Worst group": number_format.estimate(
            read.of["worst"], "worst", before=worst, decimals=decimals
        ),
    }


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


def compared(outcomes: Outcomes, name: str) -> Part | None:
    """Every arm compared with the reference, metric by metric, or why none is."""
    definition = DEFINITIONS[name]
    family = arm_differences.family(outcomes, definition)
    with each("table of comparisons", family.made, unit="comparisons") as made:
        rows = [_comparison_cells(outcomes, one, definition) for one in made]
    for optional in (BOTH, MATCHED):
        if all(row.get(optional, DASH) == DASH for row in rows):
            rows = [{head: row[head] for head in row if head != optional} for row in rows]
    told = comparison_notes.of_comparisons(outcomes, definition)
    if not told:
        return None
    if outcomes.paired:
        pairs = dict.fromkeys((one.arm, one.reference) for one in family.made)
        told += matched_notes.of_pairs(pairs, threshold=outcomes.threshold)
    return Part(
        name="comparisons",
        title=f"{outcomes.name}: arms compared with {outcomes.reference}, values of single runs.",
        table=number_format.frame(rows, [one.arm.name for one in family.made]),
        keys=1 if family.made else 0,
        remarks=told,
    )


_TESTS = {"t": "p, t", "sign_flip": "p, sign flip", "permutation": "p, permutation"}


def _comparison_cells(
    outcomes: Outcomes, one: Comparison, definition: Definition
) -> dict[str, str]:
    x, y = one.values, one.others
    row: dict[str, str] = {"Metric": one.quantity}
    row["Runs"] = Cell(f"{len(x)}, {len(y)}", {"": len(x), "reference": len(y)})
    row["Difference, new seeds"] = number_format.difference(one.difference, one.quantity)
    if outcomes.paired:
        both = operating_points.difference(one.arm, one.reference, replace(definition, runs="last"))
        row[BOTH] = Cell(DASH)
        if not np.isnan(both[one.quantity].interval.low):
            row[BOTH] = number_format.difference(both[one.quantity], one.quantity)
        row[MATCHED] = matched_notes.difference(
            one.arm,
            one.reference,
            one.quantity,
            replace(definition, runs="last"),
            arms=len(outcomes.arms),
        )
        row["r"] = number_format.ratio(one.apart.correlation if len(x) > 1 else float("nan"))
    row["Hedges' g"] = number_format.ratio(*comparisons.hedges_g(x, y), signed=True)
    if outcomes.paired:
        row["P(arm > reference)"] = number_format.ratio(*comparisons.superiority(x, y))
    row["Spread ratio"] = _spread_ratio(*comparisons.variance_ratio(x, y))
    row["p, Brown-Forsythe"] = number_format.p_value(comparisons.brown_forsythe(x, y))
    for kind, test in one.tests.items():
        row[_TESTS[kind]] = number_format.p_value(test.p, least=test.attainable)
    return row | {"p, Holm": number_format.p_value(one.adjusted)}


def _spread_ratio(ratio: float, ends: intervals.Interval) -> Cell:
    """The ratio of two variances with significant digits, because it may be very large or small."""
    if np.isnan(ratio):
        return Cell(DASH, {"": ratio})
    if np.isnan(ends.low):
        return Cell(f"{ratio:.3g}", {"": ratio})
    return Cell(
        f"{ratio:.3g} [{ends.low:.3g}, {ends.high:.3g}]",
        {"": ratio, "low": ends.low, "high": ends.high},
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
    "inequality": group_tables.inequality,
    "accuracy": group_tables.accuracy,
    "false_alarms": false_alarms,
    "areas": group_tables.areas,
    "tone": tone_table.part,
    "comparisons": compared,
    "specification": specification_curve.part,
    "verdict": verdict,
    "curve": curve,
    "tone_curve": tone_table.curve,
    "withdrawn": withdrawn,
}
ASKED_FOR = ("curve", "tone_curve", "withdrawn")  # which are shown only where they are asked for
PARTS = tuple(name for name in _MAKERS if name not in ASKED_FOR)
