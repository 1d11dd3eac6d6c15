"""Outcomes -> the tables: the paper's columns, and what they leave out. Never torch, never MLflow.

Numbers become text here, fractions percent. What the numbers cannot carry is said in `remarks`,
and which runs there are in `run_remarks`.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd

from repro import (
    cells,
    contrasts,
    group_tables,
    readings,
    remarks,
    run_remarks,
    specification,
    verdicts,
)
from repro.audit.inspection import Audit
from repro.contrasts import QUANTITIES, UNIT, Quantity
from repro.errors import ReproError
from repro.outcomes import Arm, Outcomes
from repro.readings import Estimate
from repro.rendering import DASH, Format, Part
from repro.stats import comparisons, disparity, intervals
from repro.stats.disparity import DEFINITIONS, Definition
from repro.stats.intervals import Floats

Style = Literal["paper", "full"]
MOST = 50  # runs of an arm that are shown one by one
RECALL, VARIANCE = "E[A]: Recall", "Var[A]: Measure of Bias"


def default_definition(outcomes: Outcomes) -> str:
    """The published source's, so that one table does not mix two."""
    return outcomes.published.definition if outcomes.published else "dehaan2020"


def parts(outcomes: Outcomes, *, style: Style, definition: str | None = None) -> list[Part]:
    """Every table that the outcomes have something for, in the order of `PARTS`.

    Args:
        outcomes: Of a study or an audited file.
        style: The paper's two columns, or all.
        definition: Name of what E[A] and Var[A] are; None for the published source's.
    """
    if style == "paper":
        return [results(outcomes, definition or default_definition(outcomes), style="paper")]
    found = (part(outcomes, which, definition=definition) for which in PARTS)
    return [one for one in found if one is not None]


def part(outcomes: Outcomes, which: str, *, definition: str | None = None) -> Part | None:
    """One table of the full style, or ``curve``; None if the outcomes have nothing for it."""
    return _MAKERS[which](outcomes, definition or default_definition(outcomes))


def shown(
    outcomes: Outcomes, *, form: Format, style: Style, definition: str | None, which: str | None
) -> list[Part]:
    """What a command shows: all tables of the style, one of them by name, or one for CSV.

    Raises:
        ReproError: The outcomes have nothing for the named table.
    """
    if which is None and form == "csv" and style == "full":
        which = "results"
    if which is None:
        return parts(outcomes, style=style, definition=definition)
    found = part(outcomes, which, definition=definition)
    if found is None:
        raise ReproError(f"{outcomes.name}: nothing to show for --part {which}")
    return [found]


def only(found: Sequence[Part], which: str | None) -> list[Part]:
    """The parts of this name; all where none is named.

    Raises:
        ReproError: There is none of this name.
    """
    named = [one for one in found if which in (None, one.name)]
    if not named:
        raise ReproError(f"nothing to show for --part {which}")
    return named


def audited(
    audit: Audit,
    outcomes: Sequence[Outcomes],
    *,
    style: Style,
    definition: str | None = None,
) -> list[Part]:
    """What was found in somebody's files, then the tables of their runs.

    Args:
        audit: What was read and found.
        outcomes: Of the runs, with print to answer to where there is any.
        style: Of the tables.
        definition: Name of what E[A] and Var[A] are.
    """
    tabled = (parts(one, style=style, definition=definition) for one in outcomes)
    return [_findings(audit), *(part for found in tabled for part in found)]


def _findings(audit: Audit) -> Part:
    rows = [
        {"About": one.about, "Result": one.result, "Finding": one.text} for one in audit.findings
    ]
    return Part(
        name="findings",
        title="What the numbers say of themselves.",
        table=cells.frame(rows, [one.check for one in audit.findings], "Check"),
        remarks=audit.sources,
        holds="words",
    )


def results(outcomes: Outcomes, name: str, *, style: Style = "full") -> Part:
    """The paper's columns; in full also print, the mean of all runs, each run, how many ran."""
    definition = DEFINITIONS[name]
    rows = []
    for arm in outcomes.arms:
        row = _paper_cells(arm, outcomes.keep, definition)
        if style == "full":
            row |= _printed_cells(arm, outcomes, definition) | _run_cells(arm, definition)
        rows.append(row)
    told = [
        *run_remarks.of_selection(outcomes, name),
        *run_remarks.of_single_groups(outcomes),
        *run_remarks.of_runs(outcomes),
        *run_remarks.of_machines(outcomes),
    ]
    if style == "full":
        told += remarks.of_published(outcomes, name) + remarks.of_strength(outcomes, definition)
    return Part(
        name="results",
        title=outcomes.caption,
        table=cells.frame(rows, [arm.name for arm in outcomes.arms]),
        remarks=told,
    )


def _paper_cells(arm: Arm, keep: int, definition: Definition) -> dict[str, str]:
    kept = arm.kept(keep)
    if not kept:
        return {RECALL: DASH, VARIANCE: DASH}
    recall = cells.percent(float(disparity.mean_recall(arm.recall[kept], arm.sizes, definition)))
    if not arm.can_differ:
        return {RECALL: recall, VARIANCE: DASH}
    variance = disparity.variance(arm.recall[kept], definition)
    return {RECALL: recall, VARIANCE: f"{1e4 * float(variance):.2f}"}


def _printed_cells(arm: Arm, outcomes: Outcomes, definition: Definition) -> dict[str, str]:
    published = outcomes.published
    if published is None or outcomes.synthetic:
        return {}
    row = next((row for row in published.rows if row.arm == arm.name), None)
    found: dict[Quantity, float | None] = dict.fromkeys(QUANTITIES)
    if row and len(published.protocol.groups) > 1:
        found = verdicts.restated(row, published, definition)
    elif row:
        found["recall"] = row.recall  # of one group: pooled and averaged are the same
    texts = {q: DASH if found[q] is None else f"{found[q]:.2f}" for q in QUANTITIES}
    return {"Published recall": texts["recall"], "Published variance": texts["variance"]}


def _run_cells(arm: Arm, definition: Definition) -> dict[str, str]:
    ran = f"{arm.runs}/{arm.wanted} {cells.ends(intervals.wilson(arm.runs, arm.wanted))}"
    if not arm.runs:
        return {"Recall, all runs": DASH, "Recall of each run": DASH, "Runs with numbers": ran}
    values = arm.run_recall(definition)
    half = intervals.t_half_width(values)
    spread = "" if np.isnan(half) else f" ± {cells.percent(half)}"
    return {
        "Recall, all runs": f"{cells.percent(float(values.mean()))}{spread}",
        "Recall of each run": _each(values),
        "Runs with numbers": ran,
    }


def _each(values: Floats) -> str:
    """Every value, or what very many range over."""
    if len(values) <= MOST:
        return " ".join(cells.percent(float(value)) for value in values)
    low, *quartiles, high = (
        cells.percent(float(q)) for q in np.quantile(values, np.linspace(0, 1, 5))
    )
    return f"{low} to {high}, quartiles {' '.join(quartiles)}"


def false_alarms(outcomes: Outcomes, name: str) -> Part | None:
    """Every arm at logit 0 and at equal shares of false alarms, and less the reference there."""
    definition = DEFINITIONS[name]
    rows, names = [], []
    reference = outcomes.arm(outcomes.reference)
    for arm in outcomes.arms:
        rates = [rate for rate in outcomes.rates if readings.can_read(arm, rate)]
        if not arm.runs or not rates:
            continue
        for rate in (None, *rates):
            read = readings.reading(arm, definition, rate=rate)
            at = "logit 0" if rate is None else f"{100 * rate:g} % false alarms"
            row = {"Read at": at, "False positives": cells.percent(read.false_positive_rate)}
            row["Recall"] = cells.estimate(read.of["recall"], 1e2)
            row["Variance"] = cells.estimate(read.of["variance"], 1e4)
            row["Gap"] = cells.estimate(read.of["gap"], 1e2)
            worst = arm.groups[int(read.recall.mean(axis=0).argmin())]
            row["Worst group"] = f"{worst} {cells.estimate(read.of['worst'], 1e2)}"
            if (
                reference is not None
                and arm.name != reference.name
                and set(arm.seeds) & set(reference.seeds)
            ):
                apart = readings.difference(arm, reference, definition, rate=rate)
                row["Recall less reference"] = cells.estimate(apart["recall"], 1e2, sign=True)
                row["Variance less reference"] = cells.estimate(apart["variance"], 1e4, sign=True)
            rows.append(row)
            names.append(arm.name)
    if not rows:
        return None
    return Part(
        name="false_alarms",
        title=f"{outcomes.name}: at equal false alarms, all runs with numbers.",
        table=cells.frame(rows, names),
        remarks=[
            *remarks.of_false_alarms(outcomes, definition),
            *run_remarks.of_single_groups(outcomes),
        ],
    )


def curve(outcomes: Outcomes, _: str) -> Part | None:
    """Recall of each group against false-positive rate, a row for each rate of each arm."""
    frames = []
    for arm in outcomes.arms:
        if arm.scores is None or not arm.scores.nonfaces.shape[1]:
            continue
        rates, runs = readings.curves(arm)
        frame = pd.DataFrame(runs.mean(axis=0), columns=pd.Index(arm.groups)).map("{:.6f}".format)
        frame.insert(0, "false_positive_rate", [f"{rate:.6f}" for rate in rates])
        frames.append(frame.set_index(pd.Index([arm.name] * len(frame), name="Arm")))
    if not frames:
        return None
    title = f"{outcomes.name}: recall against false-positive rate, mean over the runs."
    return Part(name="curve", title=title, table=pd.concat(frames).fillna(DASH))


def compared(outcomes: Outcomes, name: str) -> Part | None:
    """Every arm against the reference, metric by metric."""
    definition = DEFINITIONS[name]
    reference = outcomes.arm(outcomes.reference)
    if reference is None or not outcomes.others:
        return None
    pairs = [
        (arm, metric)
        for arm in outcomes.others
        for metric in QUANTITIES
        if metric in outcomes.metrics and metric in contrasts.defined(arm, reference)
        if not outcomes.paired or set(arm.seeds) & set(reference.seeds)
    ]
    if not pairs:
        return None
    tests = [contrasts.tests(outcomes, arm, reference, metric, definition) for arm, metric in pairs]
    adjusted = comparisons.holm([test[outcomes.test].p for test in tests])
    rows = [
        _comparison_cells(outcomes, arm, reference, metric, definition)
        | {_TESTS[kind]: _p(test[kind]) for kind in test}
        | {"p, Holm": cells.p_value(holm)}
        for (arm, metric), test, holm in zip(pairs, tests, adjusted, strict=True)
    ]
    return Part(
        name="comparisons",
        title=f"{outcomes.name}: against {reference.name}, runs' own values.",
        table=cells.frame(rows, [arm.name for arm, _ in pairs]),
        remarks=remarks.of_comparisons(outcomes, definition, pairs, tests, adjusted),
    )


_TESTS = {"t": "p, t", "sign_flip": "p, sign flip", "permutation": "p, permutation"}


def _comparison_cells(
    outcomes: Outcomes, arm: Arm, reference: Arm, metric: Quantity, definition: Definition
) -> dict[str, str]:
    a, b = readings.paired(arm, reference) if outcomes.paired else (arm, reference)
    x, y = (contrasts.run_values(one, metric, definition) for one in (a, b))
    unit = UNIT[metric]
    apart = contrasts.run_difference(outcomes, arm, reference, metric, definition)
    row = {"Metric": metric, "Runs": f"{len(x)}, {len(y)}"}
    row["Difference"] = cells.estimate(Estimate(apart.mean, apart.interval), unit, sign=True)
    if outcomes.paired:
        both = readings.difference(arm, reference, replace(definition, runs="last"))
        if not np.isnan(both[metric].interval.low):
            row["New seeds and portraits"] = cells.estimate(both[metric], unit, sign=True)
        row["r"] = f"{apart.correlation:.2f}" if len(x) > 1 else DASH
    g, ends = comparisons.hedges_g(x, y)
    row["Hedges' g"] = f"{g:+.2f} {cells.ends(ends, 1)}" if not np.isnan(g) else DASH
    if outcomes.paired:
        share, ends = comparisons.superiority(x, y)
        row["P(arm > reference)"] = f"{share:.2f} {cells.ends(ends, 1)}"
    ratio, ends = comparisons.variance_ratio(x, y)
    known = not np.isnan(ratio)
    row["Spread ratio"] = f"{ratio:.3g} [{ends.low:.3g}, {ends.high:.3g}]" if known else DASH
    row["p, Brown-Forsythe"] = cells.p_value(comparisons.brown_forsythe(x, y))
    return row


def verdict(outcomes: Outcomes, name: str) -> Part | None:
    """Against the printed numbers, or why there is no verdict."""
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
    gains = remarks.gains(outcomes, DEFINITIONS[published.definition])
    judged = verdicts.judge(outcomes, told=gains)
    rows = [
        {
            "Claim": one.claim,
            "Printed": one.printed,
            "Ours": one.ours,
            "95 % interval": one.interval,
            "Verdict": one.word,
            "Why": one.reason,
        }
        for one in judged
    ]
    return Part(
        name="verdict",
        title=title,
        table=cells.frame(rows, [one.subject for one in judged], "Subject"),
        remarks=remarks.of_verdict(outcomes, name),
        holds="words",
    )


def _p(test: comparisons.Test) -> str:
    text = cells.p_value(test.p)
    return text if not test.attainable else f"{text} (least {test.attainable:.3g})"


_MAKERS: dict[str, Callable[[Outcomes, str], Part | None]] = {
    "results": results,
    "groups": group_tables.groups,
    "accuracy": group_tables.accuracy,
    "false_alarms": false_alarms,
    "areas": group_tables.areas,
    "comparisons": compared,
    "specification": specification.part,
    "verdict": verdict,
    "curve": curve,
}
PARTS = tuple(name for name in _MAKERS if name != "curve")
