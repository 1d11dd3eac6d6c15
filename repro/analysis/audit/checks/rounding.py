"""How the shares were rounded, and cells with fewer decimals than their column."""

from collections import defaultdict
from collections.abc import Iterator

from repro.analysis.audit.checks.finding import Finding, percent
from repro.analysis.audit.checks.grim import LEAST, WORDS, trials
from repro.analysis.audit.checks.printed_shares import is_number, listed, row_name, shares_of
from repro.analysis.audit.reading.published_table import Cell, PublishedTable
from repro.analysis.wording import count
from repro.stats.forensics import Printed, shorter_cells
from repro.stats.rounding_modes import Shortening, shortening

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


def decimals(table: PublishedTable) -> Iterator[Finding]:
    """Cells with fewer decimals than the rest of their column."""
    columns: dict[str, list[tuple[str, Printed]]] = defaultdict(list)
    for row in table.rows:
        cells: list[Cell | None] = [share.cell for share in row.groups.values()]
        cells += [row.overall, row.worst, row.best, row.gap, row.variance, row.sd]
        for cell in cells:
            if cell is not None and cell.value is not None and is_number(cell):
                columns[cell.column].append((row_name(row), cell.value))
    if not columns:
        return
    shorter = [
        f"{column} {cells[at][1]} of {cells[at][0]}"
        for column, cells in columns.items()
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
    longest = {column: cells[0][1].decimals for column, cells in columns.items()}
    by_number: dict[int, list[str]] = defaultdict(list)
    for column, number in longest.items():
        by_number[number].append(column)
    text = "; ".join(
        f"{count(number, 'decimal')} in {', '.join(names)}" for number, names in by_number.items()
    )
    yield Finding("Decimals", table.title, "fits", f"Every column keeps its own: {text}.")
