"""A file -> its tables, whatever its format."""

from pathlib import Path

from repro.analysis.audit.reading import separated_text
from repro.analysis.audit.reading.block import decimal_mark, grid_of
from repro.analysis.audit.reading.grid import Grid, GridRow, NotATable
from repro.analysis.audit.reading.problems import Problems
from repro.system import csv_file

__all__ = ["Grid", "GridRow", "NotATable", "read_grids"]

MOST_BYTES = 2_000_000


def read_grids(path: Path) -> list[Grid]:
    """The tables of a file, at least one, in their order.

    Raises:
        NotATable: The file cannot be read, or holds no table; the text lists all problems.
    """
    problems = Problems(path)
    try:
        text = csv_file.read_text(path, most_bytes=MOST_BYTES)
    except csv_file.NotCsv as error:
        if error.line:
            problems.report(error.line, str(error))
        else:
            problems.refuse(str(error))
        raise NotATable(problems.texts) from None
    if not text.strip():
        problems.refuse("is empty: the first line names the columns")
    blocks = list(separated_text.read(text, problems))
    mark = decimal_mark(blocks, problems)
    found = [grid_of(path, "comma-separated values", block, mark, problems) for block in blocks]
    grids = [grid for grid in found if grid is not None]
    if problems.found or not grids:
        raise NotATable(problems.texts)
    return grids
