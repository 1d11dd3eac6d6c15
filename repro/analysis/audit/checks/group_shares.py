"""The groups of a row, as fractions of right answers, for the checks that compare groups."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from repro.analysis.audit.checks.printed_shares import size_of
from repro.analysis.audit.reading.column_names import group_words
from repro.analysis.audit.reading.published_table import PublishedTable, Row, Share
from repro.stats.grim import whole_counts
from repro.stats.intervals import Floats

ATTRIBUTES = {
    **dict.fromkeys(("male", "female"), "gender"),
    **dict.fromkeys(("darker", "lighter"), "tone"),
    **dict.fromkeys(("young", "old", "elderly", "adult", "child"), "age"),
}


@dataclass(frozen=True, slots=True)
class GroupShares:
    """Shares of the groups of a row.

    Attributes:
        recall: Share of right answers of each group, a fraction, shape (K,).
        sizes: Portraits of each group, shape (K,); empty if one is unknown.
    """

    recall: Floats
    sizes: tuple[int, ...]

    @property
    def pooled(self) -> float:
        """Over all portraits; over the groups if their sizes are unknown."""
        return float(np.average(self.recall, weights=self.sizes or None))


@functools.lru_cache(maxsize=64)
def divisions(groups: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The groups by what they divide: gender, skin tone, both; the finest division first.

    A face is in one group of each division. Names without gender, tone or age are one division.
    """
    found: dict[frozenset[str], list[str]] = {}
    for group in groups:
        words = group_words(group)
        kinds = {ATTRIBUTES[word] for word in words if word in ATTRIBUTES}
        found.setdefault(frozenset(kinds), []).append(group)
    several = [tuple(names) for names in found.values() if len(names) > 1]
    return sorted(several, key=len, reverse=True)


def shares_of(table: PublishedTable, row: Row, groups: Sequence[str]) -> GroupShares | None:
    """What a row says of these groups; None unless it has a number for each.

    A printed share of one run is taken for the whole count that prints as it, if there is one.
    """
    said = [row.groups.get(group) for group in groups]
    sizes = [
        size_of(table, share, group) if share else None
        for share, group in zip(said, groups, strict=True)
    ]
    single = row.run is not None or table.description.averaged == 1
    recall = [
        _recall(table, share, n, single=single) if share else None
        for share, n in zip(said, sizes, strict=True)
    ]
    known = [value for value in recall if value is not None]
    if len(known) < len(groups):
        return None
    all_sizes = tuple(n for n in sizes if n)
    return GroupShares(np.array(known), all_sizes if len(all_sizes) == len(groups) else ())


def _recall(table: PublishedTable, share: Share, n: int | None, *, single: bool) -> float | None:
    """Share of right answers; None if the row has no number here."""
    if share.detected is not None and n:
        return share.detected / n
    if share.cell is None or share.cell.value is None:
        return None
    value = float(share.cell.value) / 100
    if single and n:
        counts = whole_counts(share.cell.value, n)
        value = counts[0] / n if len(counts) == 1 else value
    return 1 - value if table.description.measure == "error" else value


def sizes_words(sizes: Sequence[int]) -> str:
    """Groups with their sizes: `10 groups of 200`, `4 groups of 271 to 386`."""
    low, high = min(sizes), max(sizes)
    return (
        f"{len(sizes)} groups of {low:,}" + (f" to {high:,}" if high > low else "") + " portraits"
    )
