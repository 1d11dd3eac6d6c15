"""Runs, and rows of different arms, that are equal in every group, and what chance gives."""

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import comb

import numpy as np

from repro.analysis.audit.checks.finding import Finding
from repro.analysis.audit.checks.printed_shares import (
    is_number,
    listed,
    place,
    runs_behind,
    size_of,
)
from repro.analysis.audit.reading.published_table import PublishedTable, Row, Share
from repro.analysis.wording import count, joined
from repro.stats.intervals import Floats
from repro.stats.ties import chance_of_a_tie, pooled_covariance

RARE = 0.01  # expected pairs that are equal by chance, below which equal ones are evidence
SETTLE = "the outputs of both runs, or their seeds"


def findings(table: PublishedTable) -> Iterator[Finding]:
    """Equal runs where each row is a run; otherwise equal rows of different arms."""
    by_groups: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in table.rows:
        if row.groups and all(_key(share) is not None for share in row.groups.values()):
            by_groups[tuple(row.groups)].append(row)
    for rows in by_groups.values():
        single = [row for row in rows if row.run is not None]
        yield from _equal(table, single, "Copied runs")
        yield from _equal(table, [row for row in rows if row.run is None], "Copied rows")


def _key(share: Share) -> str | None:
    """What must be equal: the count, else the printed number."""
    if share.detected is not None:
        return f"{share.detected}/{share.n}"
    return str(share.cell.value) if share.cell is not None and is_number(share.cell) else None


def _equal(table: PublishedTable, rows: Sequence[Row], check: str) -> Iterator[Finding]:
    """Sets of equal rows, with the number of pairs that chance gives."""
    alike: dict[tuple[str | None, ...], list[Row]] = defaultdict(list)
    for row in rows:
        alike[tuple(_key(share) for share in row.groups.values())].append(row)
    sets = [same for same in alike.values() if len(same) > 1]
    if not sets:
        return
    pairs = sum(comb(len(same), 2) for same in sets)
    expected = _expected(table, rows)
    arms = list(dict.fromkeys(row.arm.name for same in sets for row in same))
    about = f"{table.title}: {arms[0]}" if len(arms) == 1 else table.title
    named = [joined([place(row) for row in same]) for same in sets]
    what = "run" if check == "Copied runs" else "row"
    text = (
        f"{count(pairs, 'pair')} of {what}s {'is' if pairs == 1 else 'are'} equal in all "
        f"{len(rows[0].groups)} groups: {listed(named)}."
    )
    if expected is None:
        text += " How often chance gives this cannot be told from so few."
        yield Finding(check, about, "cannot tell", text, SETTLE)
    elif expected <= RARE and len(rows[0].groups) > 1:
        text += f" Chance would give {expected:.2g} such pairs in a table like this. Copied?"
        yield Finding(check, about, "more than chance", text, SETTLE)
    else:
        text += (
            f" Chance gives about {expected:.2g} such pairs in a table like this: such shares "
            "vary little."
        )
        yield Finding(check, about, "chance", text)


def _expected(table: PublishedTable, rows: Sequence[Row]) -> float | None:
    """Pairs of rows that are equal by chance; None if nothing tells how rows vary."""
    by_arm: dict[str, list[list[float]]] = defaultdict(list)
    grains = [_grain(table, rows, group) for group in rows[0].groups]
    for row in rows:
        numbers = [_number(share) for share in row.groups.values()]
        by_arm[row.arm.name].append([n / grain for n, grain in zip(numbers, grains, strict=True)])
    blocks = [np.array(numbers) for numbers in by_arm.values()]
    within = pooled_covariance(blocks)
    if within is None:
        return _between(np.concatenate(blocks))
    least = min(comb(len(rows), 2), sum(comb(len(block), 2) for block in blocks))
    expected = least * chance_of_a_tie(within)
    return expected + _across(blocks, within)


def _number(share: Share) -> float:
    """The count, else the printed share."""
    if share.detected is not None:
        return float(share.detected)
    assert share.cell is not None
    assert share.cell.value is not None
    return float(share.cell.value)


def _grain(table: PublishedTable, rows: Sequence[Row], group: str) -> float:
    """The step between neighbouring numbers of a group: a portrait, or the last printed digit."""
    shares = [row.groups[group] for row in rows]
    if any(share.detected is not None for share in shares):
        return 1.0
    printed = [share.cell.value for share in shares if share.cell and share.cell.value]
    digit = 10.0 ** -max(one.decimals for one in printed)
    n, runs = size_of(table, shares[0], group), runs_behind(table, rows[0]) or 1
    return max(digit, 100 / (n * runs)) if n else digit


def _across(blocks: Sequence[Floats], within: Floats) -> float:
    """Equal pairs of runs of different arms: of arms that are as near as theirs are."""
    found = 0.0
    root = np.linalg.inv(within + np.eye(len(within)) / 12)
    for one, other in itertools.combinations(blocks[:50], 2):
        apart = one.mean(axis=0) - other.mean(axis=0)
        near = float(np.exp(-(apart @ root @ apart) / 4))
        found += len(one) * len(other) * chance_of_a_tie(within) * near
    return found


def _between(rows: Floats) -> float | None:
    """Equal pairs among rows of different arms, by how the arms vary."""
    if len(rows) < 3:
        return None
    covariance = np.diag(rows.var(axis=0, ddof=1))
    return comb(len(rows), 2) * chance_of_a_tie(covariance)
