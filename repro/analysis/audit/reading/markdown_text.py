"""Tables drawn with bars, in Markdown or as terminals and databases print them -> their lines."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from repro.analysis.audit.reading import own_notes
from repro.analysis.audit.reading.block import Block, Lines, are_plain, cells_within
from repro.analysis.audit.reading.markup import from_markdown
from repro.analysis.audit.reading.problems import Problems

_BOXES = str.maketrans(
    {
        **dict.fromkeys("│┃║", "|"),
        **dict.fromkeys("─━═╌╍", "-"),
        **dict.fromkeys("┌┐└┘├┤┬┴┼┏┓┗┛┣┫┳┻╋┡┩╇╞╡╪╘╛╧╭╮╰╯╒╕╤╟╢╫╔╗╚╝╠╣╦╩╬┠┨┯┷┿┢┪╈", "+"),
    }
)
_BAR = re.compile(r"(?<!\\)\|")
_BETWEEN = re.compile(r":?[-=]+:?")
_ESCAPED = "\\|"


def holds_one(text: str) -> bool:
    """Whether a line of bars and dashes stands below one with as many cells."""
    lines = _lines(text)
    return any(_begins(lines, at) for at in range(len(lines)))


def read(text: str, problems: Problems) -> Iterator[Block]:
    """The tables of a file, each with the text above it, or else the heading, as its caption."""
    lines = _lines(text)
    last: Block | None = None
    heading, words, at = "", list[str](), 0
    while at < len(lines):
        line = lines[at].strip()
        if _begins(lines, at):
            yield from _with_notes(last, words)
            caption = from_markdown(" ".join(_last_paragraph(words))) or heading
            at, last = _table(lines, at, caption, problems)
            words = []
            continue
        if line.startswith("#"):
            heading, words = from_markdown(line.strip("# ")), [*words, ""]
        elif not _is_rule(line) and not line.startswith(("```", "~~~")):
            words.append(line)
        at += 1
    yield from _with_notes(last, words)


def _last_paragraph(words: Sequence[str]) -> Sequence[str]:
    """The lines after the last blank one that has lines after it."""
    end = len(words)
    while end and not words[end - 1]:
        end -= 1
    start = end
    while start and words[start - 1]:
        start -= 1
    return words[start:end]


def _with_notes(block: Block | None, below: Sequence[str]) -> Iterator[Block]:
    """The block with what the text below it says."""
    if block:
        yield replace(block, description=own_notes.said_in(from_markdown(" ".join(below))))


def _lines(text: str) -> list[str]:
    return text.translate(_BOXES).splitlines()


def _cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|")
    if inner.endswith("|") and not inner.endswith(_ESCAPED):
        inner = inner[:-1]
    return [cell.strip() for cell in _BAR.split(inner)]


def _is_rule(line: str) -> bool:
    """Whether a line only separates rows."""
    bare = line.strip()
    parts = [part.strip() for part in bare.strip("|+").replace("+", "|").split("|")]
    return bool(bare) and "-" in bare.replace("=", "-") and all(map(_BETWEEN.fullmatch, parts))


def _begins(lines: Sequence[str], at: int) -> bool:
    """Whether a header stands in a line: the next one is a rule with as many parts."""
    if at + 1 >= len(lines) or "|" not in lines[at] or not _is_rule(lines[at + 1]):
        return False
    rule = lines[at + 1].strip()
    if _is_rule(lines[at]) or not set("|+") & set(rule):
        return False
    return len(_cells(lines[at])) == len(_cells(rule.replace("+", "|")))


def _table(lines: Sequence[str], at: int, caption: str, problems: Problems) -> tuple[int, Block]:
    """The line after a table, and the table."""
    rows, own = Lines(), problems.apart()
    for number in [at, *range(at + 2, len(lines))]:
        line = lines[number].strip()
        if number > at and ("|" not in line and not line.startswith("+")):
            break
        if line.startswith("+") or ("+" in line and _is_rule(line)):
            continue
        raw = _cells(line)
        if cells_within(number + 1, raw, own):
            cells = tuple(map(from_markdown, raw))
            if are_plain(number + 1, cells, own):
                rows.append((number + 1, cells))
    else:
        number = len(lines)
    return max(number, at + 2), Block(caption, rows, found=own.found)
