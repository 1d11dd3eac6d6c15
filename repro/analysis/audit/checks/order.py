"""Whether the arm that a table puts first is told from the others by more than its spread."""

from collections.abc import Iterator, Sequence

from repro.analysis.audit.checks.estimates import ASK_ERRORS, Series, ranked_series
from repro.analysis.audit.checks.finding import Finding, Result
from repro.analysis.audit.checks.p_values import LEVEL, first_rows, p_words
from repro.analysis.audit.checks.trends import series_of
from repro.analysis.audit.reading.arm_keys import Key
from repro.analysis.audit.reading.published_table import PublishedTable
from repro.stats import contrasts

CHECK = "Order"


def findings(table: PublishedTable) -> Iterator[Finding]:
    """The highest arm (of errors the lowest), by overall and by worst group, against all others.

    Not for arms of one trend.
    """
    arms = table.keys
    if len(arms) < 2 or any(len(series) == len(arms) for series, _ in series_of(arms, "")):
        return
    for series in ranked_series(table, arms):
        yield _order(table, arms, series)


def _order(table: PublishedTable, arms: Sequence[Key], series: Series) -> Finding:
    sign, extreme = (-1, "lowest") if table.description.measure == "error" else (1, "highest")
    best = max(range(len(arms)), key=lambda at: sign * float(series.shown[at]))
    first = f"{arms[best].name} ({series.shown[best]})"
    if series.estimates is None:
        text = f"By {series.words} {first} is {extreme} of {len(arms)} arms. "
        text += "Whether that is chance cannot be judged without the spread over runs."
        return Finding(CHECK, table.title, "cannot tell", text, series.missing or ASK_ERRORS)
    pairs = len(arms) * (len(arms) - 1) // 2
    behind: list[str] = []
    near: list[str] = []
    for at, arm in enumerate(arms):
        if at != best:
            found = contrasts.difference(series.estimates[best], series.estimates[at])
            p = min(1.0, pairs * found.p)  # Bonferroni: NaN stays NaN
            words = f"{arm.name} {series.shown[at]}"
            (behind if p <= LEVEL else near).append(f"{words} ({p_words(p)})")
    how = f"Welch's t, p times the {pairs} pairs" if pairs > 1 else "Welch's t"
    text = f"By {series.words} {first} is {extreme} of {len(arms)} arms ({how})"
    if behind:
        text += f"; above by more than chance: {first_rows(behind)}"
    if near:
        text += f"; not told from it: {first_rows(near)}"
    settle = series.missing or "more runs of each arm" if not behind else ""
    result: Result = "more than chance" if behind else "cannot tell"
    return Finding(CHECK, table.title, result, f"{text}.", settle)
