"""Printed spreads between groups against what equal groups give by chance."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from repro.analysis.audit.checks.finding import Finding, Result
from repro.analysis.audit.checks.group_shares import sizes_words
from repro.analysis.audit.checks.p_values import first_rows, p_words, results
from repro.analysis.audit.checks.printed_spreads import (
    COLUMNS,
    Column,
    Spread,
    number,
    recall_of,
    spread_of,
)
from repro.analysis.audit.checks.spread_definitions import Possible, possible
from repro.analysis.audit.reading.published_table import PublishedTable
from repro.analysis.wording import count
from repro.stats.chance import Law, nearby
from repro.stats.disparity import Definition

CHECK = "Chance"
NAMES: dict[Column, str] = {
    "variance": "Variance between groups",
    "sd": "Standard deviation between groups",
    "gap": "Gap",
    "worst": "Worst group",
}
SAYS: dict[Result, str] = {
    "more than chance": "more than chance gives",
    "chance": "no more than chance gives",
    "cannot tell": "chance may give as much",
}
MANY = 200  # rows of more share what is drawn for recalls near one another
ENDS = (1.0, 0.0)  # correlation of runs: they miss the same portraits, or independent ones


@dataclass(frozen=True, slots=True)
class Judged:
    """A spread under every assumption that may hold.

    Attributes:
        laws: What equal groups give, by assumption.
        p: Probability of as much, by assumption.
    """

    spread: Spread
    laws: tuple[Law, ...]
    p: tuple[float, ...]

    def __str__(self) -> str:
        """A row: what is printed, what chance gives, and how often it gives as much."""
        spread = self.spread
        average = _range([spread.shown(law.mean) for law in self.laws])
        most = _range([spread.shown(law.upper(0.95)) for law in self.laws])
        point = "5 % point" if spread.low_is_bad else "95 % point"
        return (
            f"{spread.name} {spread.cell.value} (by chance {average} on average, {point} {most}; "
            f"{p_words(min(self.p), max(self.p))})"
        )


def findings(table: PublishedTable) -> Iterator[Finding]:
    """Each printed variance, standard deviation, gap and worst group."""
    for column in COLUMNS:
        rows = [row for row in table.rows if number(row, column)]
        spreads = [found for row in rows if (found := spread_of(table, row, column))]
        if len(spreads) > MANY:
            spreads = [replace(one, recall=nearby(one.recall)) for one in spreads]
        if spreads:
            yield from _of_column(table, column, spreads)
        elif any(recall_of(table, row) is not None for row in rows):
            text = f"{NAMES[column]}: what chance gives takes the portraits of each group."
            settle = "the portraits of each group: --group NAME=N, once for each"
            yield Finding(CHECK, table.title, "cannot tell", text, settle)


def _of_column(
    table: PublishedTable, column: Column, spreads: Sequence[Spread]
) -> Iterator[Finding]:
    """One finding for the rows of each result."""
    allowed = possible(table, spreads)
    judged = _judged(spreads, allowed.definitions)
    found = _results(judged)
    for result in dict.fromkeys(found):
        own = [one for one, its in zip(judged, found, strict=True) if its == result]
        said = [_text(column, result, own), _ranges(own, allowed), allowed.why]
        said.append(_otherwise(own, result, allowed))
        text = " ".join(sentence for sentence in said if sentence)
        yield Finding(CHECK, table.title, result, text, _settle(result, own))


def _judged(spreads: Sequence[Spread], definitions: Sequence[Definition]) -> list[Judged]:
    ends = ENDS if any((spread.runs or 1) > 1 for spread in spreads) else ENDS[:1]
    found = []
    for spread in spreads:
        laws = tuple(spread.law(one, rho) for one in definitions for rho in ends)
        found.append(Judged(spread, laws, tuple(law.tail(spread.least) for law in laws)))
    return found


def _results(judged: Sequence[Judged]) -> list[Result]:
    """Of each row; an average of an unknown number of runs may show less by chance than one run."""
    return [
        "cannot tell" if one.spread.runs is None and result == "chance" else result
        for one, result in zip(judged, results([one.p for one in judged]), strict=True)
    ]


def _text(column: Column, result: Result, own: Sequence[Judged]) -> str:
    first = own[0].spread
    made = [sizes_words(first.sizes)]
    if first.runs is None:
        made.append("number of runs not said")
    elif first.runs > 1:
        made.append(count(first.runs, "run"))
    how = ", ".join(made)
    return f"{NAMES[column]}: {SAYS[result]} in equal groups ({how}): {first_rows(own)}."


def _range(shown: Sequence[str]) -> str:
    """From the lowest to the highest."""
    rising = sorted(shown, key=float)
    return rising[0] if rising[0] == rising[-1] else f"{rising[0]} to {rising[-1]}"


def _ranges(own: Sequence[Judged], allowed: Possible) -> str:
    """What the ranges go over."""
    over = []
    if any((one.spread.runs or 1) > 1 for one in own):
        over.append("runs that miss the same portraits and runs that miss independent ones")
    if (several := len(allowed.definitions)) > 1:
        over.append(f"the {several} definitions that the number may have")
    return f"Ranges are over {', and over '.join(over)}." if over else ""


def _otherwise(own: Sequence[Judged], result: Result, allowed: Possible) -> str:
    """That averages over runs would be judged otherwise, where the digits exclude them."""
    if any(one.runs == "first" for one in allowed.definitions) or result != "chance":
        return ""
    averages = _judged([one.spread for one in own], [replace(allowed.definitions[0], runs="first")])
    if set(_results(averages)) == {"chance"}:
        return ""
    independent = [p for one in averages for p in one.p[1 :: len(ENDS)]]
    return (
        "As a variance of run averages it would be judged otherwise: for runs that miss "
        f"independent portraits {p_words(min(independent), max(independent))}."
    )


def _settle(result: Result, own: Sequence[Judged]) -> str:
    if result != "cannot tell":
        return ""
    if any(one.spread.runs is None for one in own):
        return "the number of runs behind each number: --runs N"
    return (
        "which portraits each run misses (a file of predictions), or how the number is computed: "
        "of run averages, or of each run and then averaged"
    )
