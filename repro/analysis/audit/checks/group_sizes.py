"""Groups whose stated size makes their shares impossible, and the size that would not."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from repro.analysis.audit.checks.finding import CHANCE, Finding, percent
from repro.analysis.audit.checks.grim import trials
from repro.analysis.audit.checks.printed_shares import PrintedShare, shares_of
from repro.analysis.audit.reading.published_table import PublishedTable
from repro.analysis.wording import joined
from repro.stats import grim
from repro.stats.forensics import Printed
from repro.stats.rounding_modes import MODES, shortening

AWAY = 0.2  # of the stated size, within which others are tried
MOST_AWAY = 100  # portraits
NAMED = 5  # sizes


def findings(table: PublishedTable) -> Iterator[Finding]:
    """For each group with more than one impossible share, the sizes that make all possible."""
    if table.description.reading_error:
        return
    by_group: dict[str, list[PrintedShare]] = defaultdict(list)
    known = [share for share in shares_of(table) if share.n is not None and share.runs is not None]
    every = shortening([(share.printed, trials(table, share)) for share in known])
    if any(every.all(mode) for mode in MODES):
        return
    for share in known:
        by_group[share.group].append(share)
    for group, shares in by_group.items():
        sizes = {share.n for share in shares}
        if len(sizes) == 1:
            yield from _of_group(table, group, shares)


def _of_group(
    table: PublishedTable, group: str, shares: Sequence[PrintedShare]
) -> Iterator[Finding]:
    stated = shares[0].n
    assert stated is not None
    factors = [trials(table, share) // stated for share in shares]
    cells = [(share.printed, factor) for share, factor in zip(shares, factors, strict=True)]
    wrong = sum(not _possible(cell, stated) for cell in cells)
    if wrong < 2 or 2 * wrong <= len(cells):
        return
    reach = min(MOST_AWAY, max(1, int(AWAY * stated)))
    sizes = [n for n in range(max(1, stated - reach), stated + reach + 1) if n != stated]
    others = [n for n in sizes if all(_possible(cell, n) for cell in cells)]
    chance = sum(
        grim.chance_of_shares((n * factor, printed.decimals) for printed, factor in cells)
        for n in sizes
    )
    if not others or chance > CHANCE:
        return  # the check of the shares has said it
    nearest = sorted(others, key=lambda n: abs(n - stated))[:NAMED]
    text = (
        f"{wrong:,} of {len(cells):,} shares of {group} are impossible for {stated:,} portraits; "
        f"for {joined([f'{n:,}' for n in nearest], 'or')} all would be possible. Random numbers "
        f"would be for some size within {reach} of the stated one with probability "
        f"{percent(chance)}."
    )
    settle = f"the portraits of {group}: --group {group}=N"
    yield Finding("Group sizes", f"{table.title}: {group}", "impossible", text, settle)


def _possible(cell: tuple[Printed, int], n: int) -> bool:
    printed, factor = cell
    return bool(grim.whole_counts(printed, n * factor))
