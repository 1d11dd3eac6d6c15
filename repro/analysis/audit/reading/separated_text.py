"""Values separated by commas, semicolons or tabs -> their lines.

A separator is taken if every line has as many of it; if two would do, the file has to say.
"""

from collections.abc import Iterator

from repro.analysis.audit.reading.block import Block, are_plain
from repro.analysis.audit.reading.problems import Problems
from repro.system import csv_file

NAMES = {",": "comma-separated", ";": "semicolon-separated", "\t": "tab-separated"}
LOOKED_AT = 200  # lines


def separator_of(text: str, problems: Problems) -> str | None:
    """What separates the cells; None if the file has one column, or the choice is open."""
    said, _ = csv_file.declared(text)
    if said:
        return said
    lines = _first_lines(text)
    present = [mark for mark in csv_file.SEPARATORS if lines and mark in lines[0]]
    even = [mark for mark in present if _is_even(text, mark)]
    if len(even) > 1:
        first, second = (NAMES[mark].split("-")[0] for mark in even[:2])
        problems.report(
            1,
            f"the cells may be separated by a {first} or a {second}: "
            "write 'sep=' and the separator in a line above",
        )
        return None
    return next(iter(even or present), None)


def _first_lines(text: str) -> list[str]:
    start = text[:1_000_000].splitlines()
    return [line for line in start if line.strip(" \r\n,;\t")][:LOOKED_AT]


def _is_even(text: str, separator: str) -> bool:
    """Whether the first lines have the same number of cells."""
    widths = set()
    try:
        for number, (_, cells) in enumerate(csv_file.split(text, separator)):
            widths.add(len(cells))
            if number == LOOKED_AT or len(widths) > 1:
                break
    except csv_file.NotCsv:
        return False
    return len(widths) == 1


def read(text: str, problems: Problems) -> Iterator[Block]:
    """The one table of a file, or several with blank lines between (as `repro table` writes)."""
    separator = separator_of(text, problems)
    if separator is None:
        return
    _, start = csv_file.declared(text)
    lines = []
    try:
        for line, cells in csv_file.split(text, separator, start):
            if are_plain(line, cells, problems):
                lines.append((line, tuple(csv_file.as_meant(cell) for cell in cells)))
    except csv_file.NotCsv as error:
        problems.report(error.line, str(error))
    if lines:
        yield Block("", lines)
