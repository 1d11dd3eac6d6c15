"""How the shares were rounded, and cells with fewer decimals than their column."""

from collections import defaultdict
from collections.abc import Iterator

from repro.analysis.audit.checks.finding import Finding, percent
from repro.analysis.audit.checks.grim import LEAST, WORDS, trials
from repro.analysis.audit.checks.printed_shares import is_number, listed, row_name, shares_of
from repro.analysis.audit.reading.published_table import PublishedTable
from repro.analysis.wording import joined
from repro.stats.forensics import Printed, shorter_cells
from repro.stats.rounding_modes import Shortening, shortening

UNROUNDED = 8  # decimals of a percentage; more are of floats that a program wrote
ENOUGH_TIES = 5  # to tell half up from half to even


def findings(table: PublishedTable) -> Iterator[Finding]:
    """Whether shares of known counts are rounded to the nearest, or cut."""
    if table.description.reading_error:
        return
    shares = [share for share in shares_of(table) if share.n is not None and share.runs is not None]
    found = shortening([(share.printed, trials(table, share)) for share in shares])
    if found.cells < LEAST:
        return
    if found.all("nearest"):
        yield Finding("Rounding", table.title, "fits", _nearest(found))
        return
    for mode, word in WORDS.items():
        if found.all(mode):
            text = (
                f"All {found.cells:,} shares of known counts are {word}; rounded to the nearest "
                f"only {found.possible['nearest']:,} are possible. Rounded numbers would all look "
                f"{word} with probability {percent(found.chance)}."
            )
            settle = "how the authors shortened their numbers"
            yield Finding("Rounding", table.title, "contradicts", text, settle)
            return


def _nearest(found: Shortening) -> str:
    """What is known of rounding to the nearest."""
    text = f"All {found.cells:,} shares of known counts are rounded to the nearest number."
    if found.ties < ENOUGH_TIES:
        return text
    if found.up == found.ties:
        return f"{text} All {found.ties} ties are rounded up."
    if found.even == found.ties:
        return f"{text} All {found.ties} ties are rounded to an even last digit."
    return (
        f"{text} Of {found.ties} ties {found.up} are rounded up and {found.even} to an even digit."
    )


# Decimals


COLUMNS = {
    "overall": "overall values",
    "worst": "worst groups",
    "best": "best groups",
    "gap": "gaps",
    "variance": "variances",
    "sd": "standard deviations",
}


def decimals(table: PublishedTable) -> Iterator[Finding]:
    """Cells with fewer decimals than the rest of their column; not of unrounded floats."""
    columns: dict[tuple[str, str], list[tuple[str, Printed]]] = defaultdict(list)
    for row in table.rows:
        cells = [("share", group, share.cell) for group, share in row.groups.items()]
        cells += [(what, what, getattr(row, what)) for what in COLUMNS]
        for what, column, cell in cells:
            if cell is not None and cell.value is not None and is_number(cell):
                columns[what, column].append((row_name(row), cell.value))
    longest = {key: max(n.decimals for _, n in cells) for key, cells in columns.items()}
    if not columns or max(longest.values()) > UNROUNDED:
        return
    shorter = [
        f"{column} {cells[at][1]} of {cells[at][0]}"
        for (_, column), cells in columns.items()
        for at in shorter_cells([printed for _, printed in cells])
    ]
    if shorter:
        text = (
            f"Published with fewer decimals than the rest: {listed(shorter)}. They are taken as "
            "rounded to these decimals; perhaps a trailing zero was dropped."
        )
        settle = "the same numbers with all their decimals"
        yield Finding("Decimals", table.title, "cannot tell", text, settle)
        return
    numbers: dict[str, set[int]] = defaultdict(set)
    for (what, _), number in longest.items():
        numbers[what].add(number)
    said = [
        f"{COLUMNS.get(what, 'shares')} {joined([str(n) for n in sorted(found)], 'or')}"
        for what, found in numbers.items()
    ]
    yield Finding("Decimals", table.title, "fits", f"Decimals throughout: {', '.join(said)}.")
