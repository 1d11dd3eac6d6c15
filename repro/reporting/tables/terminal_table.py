"""Format tables for a terminal: aligned columns, never wider than its window.

A table that is too wide first loses intervals of differences and digits, then is split into blocks
of columns, each with the row names.
"""

import io
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from repro.reporting.tables import column_widths
from repro.reporting.tables.cell import DASH, Cell, Number
from repro.reporting.tables.table_part import BRIEF, Part, by_column
from repro.system.printing import encodable, one_line

NARROW, PLAIN = 40, 100  # minimum width; width without a window
NAMES = 28  # letters per line of a row name
WORDS_GAP = 2  # letters between columns of sentences


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """The capabilities of a terminal.

    Attributes:
        width: Width in characters.
        colours: Whether bold and dim text and colours may be used.
        encoding: Character encoding.
    """

    width: int = PLAIN
    colours: bool = False
    encoding: str = "utf-8"

    @classmethod
    def here(cls) -> "Screen":
        """The window of standard output; respects ``NO_COLOR``, ``TERM`` and ``COLUMNS``."""
        console = Console()
        dumb = console.is_dumb_terminal  # rich always reports a width of 80 for it
        width = shutil.get_terminal_size().columns if dumb else console.width
        return cls(
            width=max(NARROW, width),
            colours=console.color_system is not None and not console.no_color,
            encoding=console.encoding,
        )


def text(
    parts: Sequence[Part],
    screen: Screen,
    *,
    opening: Sequence[str] = (),
    closing: Sequence[str] = (),
) -> str:
    """The tables with titles and footnotes.

    Args:
        parts: The tables.
        screen: The terminal.
        opening: Sentences before them, one paragraph: the answer of the study.
        closing: Lines after them, such as the next commands.
    """
    file = io.StringIO()
    console = Console(
        file=file,
        width=screen.width,
        force_terminal=screen.colours,
        color_system="standard" if screen.colours else None,
        no_color=not screen.colours,
        highlight=False,
        emoji=False,
        markup=False,
        legacy_windows=False,
        _environ={},
    )
    if opening:
        console.print(Text(_plain(" ".join(opening), screen), style="bold"))
        console.print()
    for position, part in enumerate(parts):
        if position:
            console.print()
        _show(console, part, screen)
    for line in closing:
        console.print(Text(_plain(line, screen), style="cyan"), soft_wrap=True)
    return file.getvalue().rstrip("\n")


def _show(console: Console, part: Part, screen: Screen) -> None:
    console.print(Text(_plain(part.title, screen), style="bold"))
    if len(part.table):
        made = _words(part, screen) if part.holds == "words" else _numbers(console, part, screen)
        for table in made:
            console.print(table)
    for remark in part.remarks:
        console.print(Text(_plain(remark, screen), style="dim"))


def _plain(text: str, screen: Screen) -> str:
    """A line without control characters, in characters that the encoding has."""
    return encodable(one_line(text.replace("\n", " ")), screen.encoding)


def _words(part: Part, screen: Screen) -> list[Table]:
    table = _empty(screen)
    found = by_column(part)
    room = screen.width - WORDS_GAP * (len(found) - 1)
    broad = column_widths.widths([[_plain(one, screen) for one in each] for each in found], room)
    for (head, *_), width in zip(found, broad, strict=True):
        table.add_column(
            _plain(head, screen), overflow="fold", justify="left", width=max(1, int(width))
        )
    for row in zip(*(cells for _, *cells in found), strict=True):
        table.add_row(*(_cell(cell, screen) for cell in row))
    return [table]


def _numbers(console: Console, part: Part, screen: Screen) -> list[Table]:
    """In the most detailed format that fits the window, or else in blocks."""
    columns = by_column(part)
    for refit in _FITS:
        table = _table(part, [_refitted(column, refit) for column in columns], screen)
        if _width(console, table) <= screen.width:
            return [table]
    table = _table(part, [_refitted(column, _compact) for column in columns], screen, gap=1)
    if _width(console, table) <= screen.width:
        return [table]
    return list(_blocks(console, part, [_refitted(one, _compact) for one in columns], screen))


def _blocks(
    console: Console, part: Part, columns: Sequence[list[str]], screen: Screen
) -> Iterator[Table]:
    names, others = columns[: 1 + part.keys], columns[1 + part.keys :]
    block: list[list[str]] = []
    for column in others:
        wider = _table(part, [*names, *block, column], screen)
        if block and _width(console, wider) > screen.width:
            yield _table(part, [*names, *block], screen)
            block = []
        block.append(column)
    yield _table(part, [*names, *block], screen)


def _width(console: Console, table: Table) -> int:
    return table.__rich_measure__(console, console.options.update(max_width=10_000)).maximum


def _table(part: Part, columns: Sequence[list[str]], screen: Screen, *, gap: int = 2) -> Table:
    table = _empty(screen, gap=gap)
    heads = [_halves(_plain(head, screen)) for head, *_ in columns]
    tallest = max(map(len, heads))
    for position, head in enumerate(heads):
        is_name = position <= part.keys
        table.add_column(
            "\n".join([""] * (tallest - len(head)) + head),
            justify="left" if is_name else "right",
            overflow="fold",
            no_wrap=not is_name,
            max_width=NAMES if is_name else None,
        )
    rows = list(zip(*(cells for _, *cells in columns), strict=True))
    for row in rows[: part.above]:
        table.add_row(*(_cell(cell, screen) for cell in row))
    below = rows[part.above :]
    if any(cell != DASH for row in below for cell in row[1 + part.keys :]):
        table.add_section()
        table.add_row(Text(_plain(f"{BRIEF}:", screen), style="italic"))
        for row in below:
            table.add_row(*(_cell(cell, screen) for cell in row))
    return table


def _halves(head: str) -> list[str]:
    """A header split into two lines of similar length."""
    words = head.split(" ")
    cuts = range(1, len(words))
    found = [(" ".join(words[:at]), " ".join(words[at:])) for at in cuts]
    return list(min(found, key=lambda both: max(map(len, both)))) if found else [head]


def _empty(screen: Screen, *, gap: int = 2) -> Table:
    line = "─" if screen.encoding.lower().startswith("utf") else "-"
    rule, blank = f" {line * 2} ", "    "
    ruled = [blank, blank, rule, blank, rule, *[blank] * 3]  # below the header, and in the body
    return Table(
        box=box.Box("\n".join(ruled) + "\n"),
        show_edge=False,
        pad_edge=False,
        padding=(0, gap - 1, 0, 0),
        header_style="",
    )


def _cell(cell: str, screen: Screen) -> Text:
    return Text(
        _plain(str(cell), screen), style="bold" if isinstance(cell, Cell) and cell.bold else ""
    )


Refit = Callable[[Number], str]


def _refitted(column: Sequence[str], refit: Refit) -> list[str]:
    head, *cells = column
    return [head, *(_fitted(cell, refit) for cell in cells)]


def _fitted(cell: str, refit: Refit) -> str:
    if not isinstance(cell, Cell) or cell.number is None:
        return cell
    return Cell(refit(cell.number), cell.columns, number=cell.number, bold=cell.bold)


def _whole(number: Number) -> str:
    return number.text


def _short(number: Number) -> str:
    """The text; a difference without its interval."""
    return replace(number, shows="none").text if number.signed else number.text


def _rounded(number: Number) -> str:
    """The text with at most one decimal."""
    return _short(_to(number, 1))


def _compact(number: Number) -> str:
    """The text with as few digits as a summary needs."""
    largest = max(abs(number.value), abs(number.interval.high), key=lambda x: -1 if x != x else x)
    fewer = _to(number, 0 if largest >= 100 and number.unit == "percent_squared" else 1)
    return _short(replace(fewer, after=number.after.removeprefix("p ")))


def _to(number: Number, decimals: int) -> Number:
    """Limit the decimals; numbers without a unit are unchanged."""
    return replace(number, decimals=min(number.decimals, decimals)) if number.unit else number


_FITS: tuple[Refit, ...] = (_whole, _short, _rounded, _compact)
