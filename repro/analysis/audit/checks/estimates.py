"""A column over some arms, with errors over runs: from single runs, or from what ± is.

Shares are in percent, variances in percent squared.
"""

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from repro.analysis.audit.checks.group_shares import GroupShares, divisions, shares_of
from repro.analysis.audit.reading.arm_keys import Key
from repro.analysis.audit.reading.description import Description
from repro.analysis.audit.reading.published_table import Cell, PublishedTable, Row
from repro.stats import intervals
from repro.stats.contrasts import Estimate, contrast
from repro.stats.quantities import plain_variance

WORDS = {
    "variance": "variance between groups",
    "sd": "standard deviation between groups",
    "gap": "gap",
    "worst": "share of the worst group",
    "overall": "overall share",
}
VARIANCE = plain_variance()
NORMAL = 1.959963984540054  # the 97.5 % point
ASK_SPREAD = "what ± is: --spread sd, sem, ci95_t or ci95_normal"
ASK_RUNS = "the number of runs behind each mean: --runs N"
ASK_ERRORS = "single runs of each arm, or the spread of its mean over runs (a column, or ±)"


@dataclass(frozen=True, slots=True)
class Number:
    """A number of one row.

    Attributes:
        error: What ± is, or what a column of errors has; None without.
    """

    shown: str
    value: float
    error: float | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """One column over some arms.

    Attributes:
        what: `variance`, `sd`, `gap`, `worst`, `overall`, or the name of a group.
        words: The same in a text.
        shown: The values, one for each arm.
        estimates: With their errors; None if some are missing.
        missing: What would give the missing errors, or say what they are; else empty.
    """

    what: str
    words: str
    shown: tuple[str, ...]
    estimates: tuple[Estimate, ...] | None
    missing: str = ""


def all_series(table: PublishedTable, arms: Sequence[Key]) -> Iterator[Series]:
    """Every column that has a number for each of these arms, and what follows from its groups.

    Args:
        table: Of the arms.
        arms: In order.
    """
    for what in ("variance", "sd", "gap"):
        if found := _aggregates(table, arms, what):
            yield found
    division = next(iter(divisions(table.groups)), ())
    if division and not any(row.variance or row.sd for row in table.rows):
        yield from _computed_variance(table, arms, division)
    yield from ranked_series(table, arms)
    for group in table.groups:
        if found := _printed(table, arms, group, functools.partial(_share, group=group)):
            yield found


def ranked_series(table: PublishedTable, arms: Sequence[Key]) -> Iterator[Series]:
    """The worst group and the overall share, by which arms are ranked; arguments as before."""
    for what in ("worst", "overall"):
        if found := _aggregates(table, arms, what):
            yield found
    division = next(iter(divisions(table.groups)), ())
    if division and not any(row.overall for row in table.rows):
        pooled = functools.partial(_pooled, table=table, division=division)
        if (found := _printed(table, arms, "overall", pooled)) and found.estimates:
            yield found


def _aggregates(table: PublishedTable, arms: Sequence[Key], what: str) -> Series | None:
    return _printed(table, arms, what, functools.partial(_aggregate, what=what))


def _aggregate(row: Row, *, what: str) -> Number | None:
    cell: Cell | None = getattr(row, what)
    return _number(cell)


def _share(row: Row, *, group: str) -> Number | None:
    share = row.groups.get(group)
    if share and share.detected is not None and share.n:
        value = 100 * share.detected / share.n
        return Number(f"{value:.2f}", value)
    return _number(share.cell if share else None)


def _pooled(row: Row, *, table: PublishedTable, division: Sequence[str]) -> Number | None:
    """All groups together, of a single run."""
    shares = shares_of(table, row, division) if row.run is not None else None
    if shares is None or not shares.sizes:
        return None
    wrong = table.description.measure == "error"
    value = 100 * (1 - shares.pooled if wrong else shares.pooled)
    return Number(f"{value:.2f}", value)


def _number(cell: Cell | None) -> Number | None:
    if cell is None or cell.value is None:
        return None
    error = float(cell.error) if cell.error else None
    return Number(str(cell.value), float(cell.value), error)


def _printed(
    table: PublishedTable, arms: Sequence[Key], what: str, read: Callable[[Row], Number | None]
) -> Series | None:
    """A column; None unless each arm has a number."""
    rows = table.by_arm
    of_arms = [[n for row in rows[key] if (n := read(row))] for key in arms]
    if not all(of_arms):
        return None
    shown, estimates = [], []
    for numbers in of_arms:
        values = np.array([one.value for one in numbers])
        shown.append(numbers[0].shown if len(numbers) == 1 else f"{values.mean():.2f}")
        if len(numbers) > 1:
            estimates.append(Estimate.of_runs(values))
        elif (error := _standard_error(numbers[0].error, table.description)) is not None:
            estimates.append(Estimate(numbers[0].value, *error))
    known = tuple(estimates) if len(estimates) == len(arms) else None
    words = WORDS.get(what, f"share of {what}")
    if table.description.measure == "error":
        words = words.replace("share", "error")
    return Series(what, words, tuple(shown), known, _missing(table, of_arms))


def _missing(table: PublishedTable, of_arms: Sequence[Sequence[Number]]) -> str:
    """What would give the errors of all arms, or say what they are."""
    averages = [numbers[0] for numbers in of_arms if len(numbers) == 1]
    if not averages:
        return ""
    if table.single_runs or any(one.error is None for one in averages):
        return ASK_ERRORS
    if (table.description.averaged or 0) < 2:
        return ASK_RUNS
    return "" if table.description.spread else ASK_SPREAD


def _standard_error(error: float | None, description: Description) -> tuple[float, int] | None:
    """Standard error of a mean over runs and its degrees of freedom; None if it is not known.

    What ± is if nobody says is taken for the standard error: that is the largest of all it can be.
    """
    runs = description.averaged
    if error is None or runs is None or runs < 2:
        return None
    divisors = {
        "sd": math.sqrt(runs),
        "ci95_t": intervals.t_quantile(runs - 1),
        "ci95_normal": NORMAL,
    }
    return error / divisors.get(description.spread or "sem", 1.0), runs - 1


def _computed_variance(
    table: PublishedTable, arms: Sequence[Key], division: Sequence[str]
) -> Iterator[Series]:
    """The variance (ddof 1) of the groups' averages over runs, which nobody printed."""
    shown, estimates, missing = [], [], ""
    for rows in map(table.by_arm.__getitem__, arms):
        found = [shares for row in rows if (shares := shares_of(table, row, division))]
        if not found:
            return
        recall = 100 * np.stack([shares.recall for shares in found])
        value = float(VARIANCE.value(recall))
        shown.append(f"{value:.2f}")
        if len(found) > 1:
            error: float | None = Estimate.of_runs(VARIANCE.pseudo_values(recall)).error
            degrees: float = len(found) - 1
        else:
            error, degrees, missing = _propagated(table, rows[0], division, found[0])
        if error is not None:
            estimates.append(Estimate(value, error, degrees))
    known = tuple(estimates) if len(estimates) == len(arms) else None
    words = "variance (ddof 1) of the groups' averages"
    yield Series("variance", words, tuple(shown), known, missing)


def _propagated(
    table: PublishedTable, row: Row, division: Sequence[str], shares: GroupShares
) -> tuple[float | None, float, str]:
    """Error of a variance from those of its groups, which are taken for independent.

    Returns:
        The root of the sum of (2 (m_g - m) s_g / (K - 1))^2, its degrees of freedom, and what is
        missing for it.
    """
    numbers = [_share(row, group=group) for group in division]
    known = [[number] for number in numbers if number]
    errors = [_standard_error(one.error, table.description) for (one,) in known]
    missing = _missing(table, known)
    if len(known) < len(division) or any(error is None for error in errors):
        return None, 0.0, missing
    slopes = VARIANCE.slopes(100 * shares.recall[None])[0]
    parts = [Estimate(0.0, *error) for error in errors if error is not None]
    whole = contrast(parts, list(slopes))
    return whole.error, whole.degrees, missing
