"""Outcomes -> the tables: the paper's columns, and what they leave out. Never torch, never MLflow.

Numbers become text here, fractions percent. What the numbers cannot carry is said in `remarks`.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd

from repro import contrasts, readings, remarks, verdicts
from repro.audit.inspection import Audit
from repro.contrasts import QUANTITIES, UNIT, Quantity
from repro.errors import ReproError
from repro.outcomes import Arm, Outcomes
from repro.readings import Estimate
from repro.rendering import DASH, Format, Part
from repro.stats import comparisons, disparity, intervals
from repro.stats.disparity import DEFINITIONS, Definition
from repro.stats.intervals import Floats, Interval

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
        table=_frame(rows, [one.check for one in audit.findings], "Check"),
        remarks=audit.sources,
        holds="words",
    )


def _frame(rows: Sequence[dict[str, str]], names: Sequence[str], head: str = "Arm") -> pd.DataFrame:
    return pd.DataFrame(rows, index=pd.Index(list(names), name=head)).fillna(DASH)


def results(outcomes: Outcomes, name: str, *, style: Style = "full") -> Part:
    """The paper's columns; in full also print, the mean of all runs, each run, how many ran."""
    definition = DEFINITIONS[name]
    rows = []
    for arm in outcomes.arms:
        row = _paper_cells(arm, outcomes.keep, definition)
        if style == "full":
            row |= _printed_cells(arm, outcomes, definition) | _run_cells(arm, definition)
        rows.append(row)
    told = remarks.of_selection(outcomes, name) + remarks.of_runs(outcomes)
    if style == "full":
        told += remarks.of_published(outcomes, name) + remarks.of_strength(outcomes, definition)
    return Part(
        name="results",
        title=outcomes.caption,
        table=_frame(rows, [arm.name for arm in outcomes.arms]),
        remarks=told,
    )


def _paper_cells(arm: Arm, keep: int, definition: Definition) -> dict[str, str]:
    kept = arm.kept(keep)
    if not kept:
        return {RECALL: DASH, VARIANCE: DASH}
    recall = disparity.mean_recall(arm.recall[kept], arm.sizes, definition)
    variance = disparity.variance(arm.recall[kept], definition)
    return {RECALL: percent(float(recall)), VARIANCE: f"{1e4 * float(variance):.2f}"}


def _printed_cells(arm: Arm, outcomes: Outcomes, definition: Definition) -> dict[str, str]:
    published = outcomes.published
    if published is None or outcomes.synthetic:
        return {}
    row = next((row for row in published.rows if row.arm == arm.name), None)
    found = verdicts.restated(row, published, definition) if row else dict.fromkeys(QUANTITIES)
    texts = {q: DASH if found[q] is None else f"{found[q]:.2f}" for q in QUANTITIES}
    return {"Published recall": texts["recall"], "Published variance": texts["variance"]}


def _run_cells(arm: Arm, definition: Definition) -> dict[str, str]:
    ran = f"{arm.runs}/{arm.wanted} {_ends(intervals.wilson(arm.runs, arm.wanted))}"
    if not arm.runs:
        return {"Recall, all runs": DASH, "Recall of each run": DASH, "Runs with numbers": ran}
    values = arm.run_recall(definition)
    half = intervals.t_half_width(values)
    spread = "" if np.isnan(half) else f" ± {percent(half)}"
    return {
        "Recall, all runs": f"{percent(float(values.mean()))}{spread}",
        "Recall of each run": _each(values),
        "Runs with numbers": ran,
    }


def _each(values: Floats) -> str:
    """Every value, or what very many range over."""
    if len(values) <= MOST:
        return " ".join(percent(float(value)) for value in values)
    low, *quartiles, high = (percent(float(q)) for q in np.quantile(values, np.linspace(0, 1, 5)))
    return f"{low} to {high}, quartiles {' '.join(quartiles)}"


def groups(outcomes: Outcomes, name: str) -> Part | None:
    """Recall of each group and how unequal they are, over all runs with numbers, at logit 0."""
    definition = DEFINITIONS[name]
    arms = [arm for arm in outcomes.arms if arm.runs]
    if not arms:
        return None
    return Part(
        name="groups",
        title=f"{outcomes.name}: groups, all runs with numbers, nothing selected.",
        table=_frame([_group_cells(arm, definition) for arm in arms], [arm.name for arm in arms]),
        remarks=remarks.of_groups(outcomes, definition),
    )


def _group_cells(arm: Arm, definition: Definition) -> dict[str, str]:
    share = arm.recall.mean(axis=0)
    cells = {}
    for group, value, size in zip(arm.groups, share, arm.sizes, strict=True):
        ends = intervals.wilson(float(value) * int(size), int(size))
        cells[group] = f"{percent(float(value))} {_ends(ends)}"
    read = readings.reading(arm, definition)
    cells["Variance"] = _estimate(read.of["variance"], 1e4)
    cells["Less noise"] = _less_noise(arm, definition)
    cells["Gap"] = _estimate(read.of["gap"], 1e2)
    cells["Worst group"] = arm.groups[int(share.argmin())]
    cells["False positives"] = _false_positives(arm)
    return cells


def _less_noise(arm: Arm, definition: Definition) -> str:
    """A single portrait in a group says nothing of the group's noise."""
    if arm.sizes.min() < 2:
        return DASH
    noise = None
    if arm.scores is not None:
        found = readings.detections(arm, None)
        noise = disparity.portrait_noise(found, arm.scores.group, len(arm.groups))
    corrected = disparity.corrected_variance(arm.recall, arm.sizes, definition, noise=noise)
    return f"{1e4 * corrected:.2f}"


def _false_positives(arm: Arm) -> str:
    if arm.false_positive_rate is None:
        return DASH
    rate = float(arm.false_positive_rate.mean())
    ends = intervals.wilson(rate * arm.nonfaces, arm.nonfaces)
    return f"{percent(rate)} {_ends(ends)}"


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
            row = {"Read at": at, "False positives": percent(read.false_positive_rate)}
            row["Recall"] = _estimate(read.of["recall"], 1e2)
            row["Variance"] = _estimate(read.of["variance"], 1e4)
            row["Gap"] = _estimate(read.of["gap"], 1e2)
            worst = arm.groups[int(read.recall.mean(axis=0).argmin())]
            row["Worst group"] = f"{worst} {_estimate(read.of['worst'], 1e2)}"
            if (
                reference is not None
                and arm.name != reference.name
                and set(arm.seeds) & set(reference.seeds)
            ):
                apart = readings.difference(arm, reference, definition, rate=rate)
                row["Recall less reference"] = _estimate(apart["recall"], 1e2, sign=True)
                row["Variance less reference"] = _estimate(apart["variance"], 1e4, sign=True)
            rows.append(row)
            names.append(arm.name)
    if not rows:
        return None
    return Part(
        name="false_alarms",
        title=f"{outcomes.name}: at equal false alarms, all runs with numbers.",
        table=_frame(rows, names),
        remarks=remarks.of_false_alarms(outcomes, definition),
    )


def areas(outcomes: Outcomes, _: str) -> Part | None:
    """Area under recall against false-positive rate, per group."""
    arms = [a for a in outcomes.arms if a.scores is not None and a.scores.nonfaces.shape[1]]
    if not arms:
        return None
    rows = []
    for arm in arms:
        found = readings.areas(arm)
        rows.append(
            {
                group: f"{values.mean():.4f} {_ends(_share(intervals.t_interval(values)), 1, 4)}"
                for group, values in zip(arm.groups, found.T, strict=True)
            }
        )
    return Part(
        name="areas",
        title=f"{outcomes.name}: area under recall against false-positive rate.",
        table=_frame(rows, [arm.name for arm in arms]),
        remarks=remarks.of_areas(),
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
        if metric in outcomes.metrics
        if not outcomes.paired or set(arm.seeds) & set(reference.seeds)
    ]
    tests = [contrasts.tests(outcomes, arm, reference, metric, definition) for arm, metric in pairs]
    adjusted = comparisons.holm([test[outcomes.test].p for test in tests])
    rows = [
        _comparison_cells(outcomes, arm, reference, metric, definition)
        | {_TESTS[kind]: _p(test[kind]) for kind in test}
        | {"p, Holm": p_value(holm)}
        for (arm, metric), test, holm in zip(pairs, tests, adjusted, strict=True)
    ]
    return Part(
        name="comparisons",
        title=f"{outcomes.name}: against {reference.name}, runs' own values.",
        table=_frame(rows, [arm.name for arm, _ in pairs]),
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
    cells = {"Metric": metric, "Runs": f"{len(x)}, {len(y)}"}
    cells["Difference"] = _estimate(Estimate(apart.mean, apart.interval), unit, sign=True)
    if outcomes.paired:
        both = readings.difference(arm, reference, replace(definition, runs="last"))
        if not np.isnan(both[metric].interval.low):
            cells["New seeds and portraits"] = _estimate(both[metric], unit, sign=True)
        cells["r"] = f"{apart.correlation:.2f}" if len(x) > 1 else DASH
    g, ends = comparisons.hedges_g(x, y)
    cells["Hedges' g"] = f"{g:+.2f} {_ends(ends, 1)}" if not np.isnan(g) else DASH
    if outcomes.paired:
        share, ends = comparisons.superiority(x, y)
        cells["P(arm > reference)"] = f"{share:.2f} {_ends(ends, 1)}"
    ratio, ends = comparisons.variance_ratio(x, y)
    known = not np.isnan(ratio)
    cells["Spread ratio"] = f"{ratio:.3g} [{ends.low:.3g}, {ends.high:.3g}]" if known else DASH
    cells["p, Brown-Forsythe"] = p_value(comparisons.brown_forsythe(x, y))
    return cells


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
        table=_frame(rows, [one.subject for one in judged], "Subject"),
        remarks=remarks.of_verdict(outcomes, name),
        holds="words",
    )


def _estimate(estimate: Estimate, unit: float, *, sign: bool = False) -> str:
    value = unit * estimate.value
    text = f"{value:+.2f}" if sign else f"{value:.2f}"
    return text if np.isnan(estimate.interval.low) else f"{text} {_ends(estimate.interval, unit)}"


def _share(ends: Interval) -> Interval:
    """The ends, within [0, 1]."""
    return Interval(max(ends.low, 0.0), min(ends.high, 1.0)) if not np.isnan(ends.low) else ends


def _ends(ends: Interval, unit: float = 100, decimals: int = 2) -> str:
    if np.isnan(ends.low):
        return ""
    return f"[{unit * ends.low:.{decimals}f}, {unit * ends.high:.{decimals}f}]"


def percent(share: float) -> str:
    """A fraction as percent, two decimals."""
    return f"{100 * share:.2f}"


def p_value(p: float) -> str:
    """A p-value, or a dash where there is none."""
    if np.isnan(p):
        return DASH
    return f"{p:.4f}" if p >= 0.0001 else "<0.0001"


def _p(test: comparisons.Test) -> str:
    text = p_value(test.p)
    return text if not test.attainable else f"{text} (least {test.attainable:.3g})"


_MAKERS: dict[str, Callable[[Outcomes, str], Part | None]] = {
    "results": results,
    "groups": groups,
    "false_alarms": false_alarms,
    "areas": areas,
    "comparisons": compared,
    "verdict": verdict,
    "curve": curve,
}
PARTS = tuple(name for name in _MAKERS if name != "curve")
