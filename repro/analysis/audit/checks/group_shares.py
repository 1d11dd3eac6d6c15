"""The groups of a row, as fractions of right answers, for the checks that compare groups."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from repro.analysis.audit.reading.column_names import group_words
from repro.analysis.audit.reading.published_table import PublishedTable, Row, Share
from repro.stats.forensics import whole_counts
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


def divisions(groups: Sequence[str]) -> list[tuple[str, ...]]:
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
    known_sizes = sizes_in(table, row)
    sizes = [known_sizes.get(group) for group in groups]
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


def sizes_in(table: PublishedTable, row: Row) -> dict[str, int]:
    """Portraits of the groups of a row that are said, or are sums of others: darker, of both."""
    own = {group: share.n for group, share in row.groups.items() if share.n}
    said = {**table.description.groups, **own}
    words = {group: group_words(group) for group in said}
    found = dict(said)
    for group in set(row.groups) - set(said):
        parts = [n for one, n in said.items() if group_words(group) < words[one]]
        if len(parts) > 1:
            found[group] = sum(parts)
    return found


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


def arm_name(row: Row) -> str:
    """The arm of a row, with its run if it is one."""
    return row.arm.name if row.run is None else f"{row.arm.name}, run {row.run}"
