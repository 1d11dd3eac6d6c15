"""A file -> its tables, whatever its format.

The format is told by marks that only it has (LaTeX's environments, Markdown's rule below a header,
the brackets of JSON), then by the file's suffix. What neither tells is refused.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from repro.analysis.audit.reading import (
    aligned_text,
    json_text,
    latex_text,
    markdown_text,
    separated_text,
    yaml_text,
)
from repro.analysis.audit.reading.block import MOST_TABLES, Block, decimal_mark, grid_of
from repro.analysis.audit.reading.grid import Grid, GridRow, NotATable
from repro.analysis.audit.reading.problems import Problems
from repro.analysis.wording import count, joined
from repro.system import csv_file

__all__ = ["SUFFIXES", "Grid", "GridRow", "NotATable", "read_grids"]

MOST_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class Format:
    """One way to write tables.

    Attributes:
        name: For people.
        suffixes: Of files that are written so.
        holds_one: Whether a text has its marks; always False if no mark is its own.
        read: The tables of a text.
    """

    name: str
    suffixes: tuple[str, ...]
    holds_one: Callable[[str], bool]
    read: Callable[[str, Problems], Iterator[Block]]


def _never(_: str) -> bool:
    return False


MARKED = (
    Format("JSON", (".json", ".jsonl", ".ndjson"), json_text.holds_one, json_text.read),
    Format("LaTeX", (".tex", ".latex"), latex_text.holds_one, latex_text.read),
    Format("Markdown", (".md", ".markdown"), markdown_text.holds_one, markdown_text.read),
)
YAML = Format("YAML", (".yaml", ".yml"), _never, yaml_text.read)
PLAIN = (
    Format(
        "separated values", (".csv", ".tsv", ".tab"), separated_text.holds_one, separated_text.read
    ),
    Format("aligned text", (".txt", ".text"), aligned_text.holds_one, aligned_text.read),
)
FORMATS = (*MARKED, YAML, *PLAIN)
SUFFIXES = frozenset(end for form in FORMATS for end in form.suffixes)
_FOREIGN = {
    "PK\x03\x04": "is a ZIP archive or an Excel workbook: save the sheet as 'CSV UTF-8'",
    "%PDF-": "is a PDF: copy the table into a text file",
    "<!DOCTYPE": "is an HTML page: copy the table into a text file",
    "<html": "is an HTML page: copy the table into a text file",
}


def read_grids(path: Path) -> list[Grid]:
    """The tables of a file, at least one, in their order.

    Raises:
        NotATable: The file cannot be read, or holds no table; the text lists all problems.
    """
    problems = Problems(path)
    text = _text(path, problems)
    form = None if problems.found else _format(path, text, problems)
    blocks = list(islice(form.read(text, problems), MOST_TABLES + 1)) if form else []
    if len(blocks) > MOST_TABLES:
        problems.refuse(f"more than {MOST_TABLES} tables: leave some out")
        raise NotATable(problems.texts)
    kept = [block for block in blocks if len(blocks) == 1 or block.holds_numbers]
    if form and not kept and not problems.found:
        problems.refuse(f"holds no table {'with numbers' if blocks else f'in {form.name}'}")
    mark = decimal_mark(kept, problems)
    found = [grid_of(path, form.name, block, mark, problems) for block in kept if form]
    if problems.found:
        raise NotATable(problems.texts)
    grids = [grid for grid in found if grid is not None]
    left_out = [block.lines[0][0] for block in blocks if block not in kept and block.lines]
    return [replace(grids[0], notes=(*grids[0].notes, *_left_out(left_out))), *grids[1:]]


def _left_out(lines: Sequence[int]) -> Iterator[str]:
    """A sentence on tables of words, by their first lines."""
    if lines:
        where = joined([str(line) for line in lines])
        yield (
            f"{count(len(lines), 'table')} without a column of numbers left out: "
            f"{'line' if len(lines) == 1 else 'lines'} {where}."
        )


def _text(path: Path, problems: Problems) -> str:
    """The text of a file; empty if there are problems."""
    try:
        text = csv_file.read_text(path, most_bytes=MOST_BYTES)
    except csv_file.NotCsv as error:
        if error.line and path.suffix.lower() in SUFFIXES - {".csv"}:
            problems.report(error.line, "is not UTF-8: save it in UTF-8")
        elif error.line:
            problems.report(error.line, str(error))
        else:
            problems.refuse(str(error))
        return ""
    if not text.strip(" \r\n,;\t"):
        problems.refuse("is empty: the first line names the columns")
    for start, what in _FOREIGN.items():
        if text.lstrip()[: len(start)].lower() == start.lower():
            problems.refuse(what)
    return text


def _format(path: Path, text: str, problems: Problems) -> Format | None:
    """The format of a text; None if it cannot be told, which is reported."""
    suffix = path.suffix.lower()
    own = next((form for form in FORMATS if suffix in form.suffixes), None)
    if own is YAML:
        return own
    fitting = [form for form in MARKED if form.holds_one(text)]
    if not fitting and own not in MARKED:
        fitting = [form for form in PLAIN if form.holds_one(text)]
    if own and (own in fitting or not fitting):
        return own
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = " and as ".join(form.name for form in fitting)
        ends = " or ".join(form.suffixes[0] for form in fitting)
        problems.refuse(f"can be read as {names}: give it the suffix {ends}")
    else:
        tried = ", ".join(form.name for form in FORMATS if form is not YAML)
        problems.refuse(f"holds no table that can be told: tried {tried}")
    return None
