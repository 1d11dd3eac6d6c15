"""Values separated by commas, semicolons or tabs -> their lines.

A separator is taken if every line has as many of it; if two would do, the file has to say.
"""

import re
from collections.abc import Iterator, Sequence

from repro.analysis.audit.reading.block import ONE_COLUMN, Block, Lines, are_plain
from repro.analysis.audit.reading.cell_text import has_value
from repro.analysis.audit.reading.problems import Problems
from repro.system import csv_file

NAMES = {",": "comma", ";": "semicolon", "\t": "tab"}
LOOKED_AT = 200  # lines
_BLANK = " \r\n,;\t"
_LINE_END = re.compile("\r\n|\r|\n")  # as the reader of CSV counts lines


def holds_one(text: str) -> bool:
    """Whether the file says its separator, or all its lines have one."""
    return bool(csv_file.declared(text)[0] or _common(_first_lines(text)))


def read(text: str, problems: Problems) -> Iterator[Block]:
    """The table of a file, or several with blank lines between, as `repro table` writes them.

    Lines of one cell above a header are its caption.
    """
    separator = _separator(text, problems)
    if separator is None:
        return
    _, start = csv_file.declared(text)
    blank = [not line.strip(_BLANK) for line in _LINE_END.split(text)]
    caption, lines = list[str](), Lines()
    try:
        for line, cells in csv_file.split(text, separator, start):
            if not are_plain(line, cells, problems):
                continue
            meant = tuple(csv_file.as_meant(cell) for cell in cells)
            after_blank = 1 < line <= len(blank) and blank[line - 2]
            if len(lines) > 1 and after_blank and not any(map(has_value, meant)):
                yield Block(" ".join(caption), lines)
                caption, lines = [], Lines()
            if not lines and not any(meant[1:]):
                caption.append(meant[0])
            else:
                lines.append((line, meant))
    except csv_file.NotCsv as error:
        problems.report(error.line, str(error))
    if lines:
        yield Block(" ".join(caption), lines)
    elif caption:
        problems.report(1, ONE_COLUMN)


def _separator(text: str, problems: Problems) -> str | None:
    """What separates the cells; None if the choice is open, which is reported."""
    said, _ = csv_file.declared(text)
    present = _present(text)
    if not said and "\t" in present and problems.path.suffix.lower() in (".tsv", ".tab"):
        said = "\t"
    if said:
        return said
    even = [mark for mark in present if _is_even(text, mark)]
    if len(even) > 1:
        first, second = (NAMES[mark] for mark in even[:2])
        problems.report(
            1,
            f"a {first} or a {second} may separate the cells: write a line above, "
            f"'sep=' and the {first} or the {second}",
        )
        return None
    return next(iter(even or present), ",")


def _present(text: str) -> list[str]:
    """The separators in the first lines: those of all lines, or else of any."""
    lines = _first_lines(text)
    some = [mark for mark in csv_file.SEPARATORS if any(mark in line for line in lines)]
    return _common(lines) or some


def _common(lines: Sequence[str]) -> list[str]:
    return [mark for mark in csv_file.SEPARATORS if lines and all(mark in line for line in lines)]


def _first_lines(text: str) -> Sequence[str]:
    start = text[:1_000_000].splitlines()
    return [line for line in start if line.strip(_BLANK)][:LOOKED_AT]


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
