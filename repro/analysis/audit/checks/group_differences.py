"""Whether the groups of an arm differ at all, by chi-squared of their counts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from repro.analysis.audit.checks.finding import Finding, Result
from repro.analysis.audit.checks.group_shares import (
    GroupShares,
    divisions,
    shares_of,
    sizes_words,
)
from repro.analysis.audit.checks.p_values import LEVEL, first_rows, p_words, results
from repro.analysis.audit.reading.arm_keys import Key
from repro.analysis.audit.reading.published_table import PublishedTable, Row
from repro.analysis.wording import count, joined
from repro.stats.chance import Homogeneity, homogeneity

CHECK = "Groups differ"
SAYS: dict[Result, str] = {
    "more than chance": "Groups differ by more than chance gives",
    "chance": "Groups differ by no more than chance gives",
    "cannot tell": "Groups may differ by chance",
}


@dataclass(frozen=True, slots=True)
class Differing:
    """The groups of one arm, tested.

    Attributes:
        runs: Behind the shares; None if not said.
        alone: Shares of single runs, each by itself; empty for a printed average.
        same, independent: If the runs miss the same portraits, and if they miss independent ones.
    """

    arm: Key
    shares: GroupShares
    runs: int | None
    alone: tuple[GroupShares, ...]
    same: Homogeneity
    independent: Homogeneity

    @property
    def p(self) -> tuple[float, float]:
        """At both ends."""
        return self.same.p, self.independent.p

    def __str__(self) -> str:
        """A row."""
        gap = 100 * float(np.ptp(self.shares.recall))
        chi2 = f"chi-squared {self.same.statistic:.4g}"
        if self.runs and self.runs > 1:
            chi2 += f" to {self.independent.statistic:.4g}"
        text = f"{self.arm.name} (gap {gap:.3g} points; {chi2}, df {self.same.degrees}, "
        text += p_words(*sorted(self.p))
        if len(self.alone) > 1:
            tests = [homogeneity(one.recall, one.sizes) for one in self.alone]
            reject = sum(test.p <= LEVEL for test in tests)
            text += f"; alone, {reject} of {count(len(tests), 'run')} at p up to {LEVEL}"
        return f"{text})"


def findings(table: PublishedTable) -> Iterator[Finding]:
    """Each division of the faces into groups: by gender, by skin tone, by both."""
    for division in divisions(table.groups):
        arms = [_arm(table, key, rows, division) for key, rows in table.by_arm.items()]
        tested = [arm for arm in arms if arm is not None]
        if tested:
            yield from _of_division(table, division, tested)
        elif _any_shares(table, division):
            text = f"Whether {joined(division)} differ takes the portraits of each group."
            settle = "the portraits of each group: --group NAME=N, once for each"
            yield Finding(CHECK, table.title, "cannot tell", text, settle)


def _any_shares(table: PublishedTable, division: Sequence[str]) -> bool:
    return any(shares_of(table, row, division) for row in table.rows)


def _arm(
    table: PublishedTable, key: Key, rows: Sequence[Row], division: Sequence[str]
) -> Differing | None:
    """The average over the runs that have numbers; None without sizes."""
    found = [shares for row in rows if (shares := shares_of(table, row, division))]
    if not found or not found[0].sizes or len({shares.sizes for shares in found}) > 1:
        return None
    single = all(row.run is not None for row in rows)
    if len(found) > 1 and not single:
        return None
    runs = len(found) if single else table.description.averaged
    mean = GroupShares(np.mean([shares.recall for shares in found], axis=0), found[0].sizes)
    same, independent = (
        homogeneity(mean.recall, mean.sizes, runs=runs or 1, correlation=rho) for rho in (1.0, 0.0)
    )
    return Differing(key, mean, runs, tuple(found) if single else (), same, independent)


def _of_division(
    table: PublishedTable, division: Sequence[str], tested: Sequence[Differing]
) -> Iterator[Finding]:
    """One finding for the arms of each result."""
    found = [
        "cannot tell" if one.runs is None and result == "chance" else result
        for one, result in zip(tested, results([one.p for one in tested]), strict=True)
    ]
    for result in dict.fromkeys(found):
        own = [one for one, its in zip(tested, found, strict=True) if its == result]
        text = _text(table, division, result, own)
        yield Finding(CHECK, table.title, result, text, _settle(result, own))


def _text(
    table: PublishedTable, division: Sequence[str], result: Result, own: Sequence[Differing]
) -> str:
    which = f" ({joined(division)})" if len(division) < len(table.groups) else ""
    text = f"{SAYS[result]}{which}, {sizes_words(own[0].shares.sizes)}: {first_rows(own)}."
    if any((one.runs or 1) > 1 for one in own):
        text += " Ranges are over runs that miss the same portraits and independent ones."
    return text


def _settle(result: Result, own: Sequence[Differing]) -> str:
    if result != "cannot tell":
        return ""
    if any(one.runs is None for one in own):
        return "the number of runs behind each share: --runs N"
    return "which portraits each run misses: a file of predictions"
