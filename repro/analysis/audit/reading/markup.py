"""Text without the marks of Markdown, HTML and LaTeX that only change how it looks.

What a mark would move above or below the line stays told apart: `_` before an index, `^` before
an exponent. A command of LaTeX that is not known here stays as it is written.
"""

import html
import re
from collections.abc import Iterator

from repro.analysis.audit.reading.latex_commands import DROPPED, PRINTED, SHOWN, SMALLER, SPACES

_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_SPECIAL_TAGS = (
    (re.compile(r"<br\s*/?>", re.IGNORECASE), " "),
    (re.compile(r"<sub\b[^<>]*>", re.IGNORECASE), "_"),
    (re.compile(r"<sup\b[^<>]*>", re.IGNORECASE), "^"),
)
_MARKDOWN = (
    (re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)"), r"\1"),
    (re.compile(r"(\*{1,3}|~~|`+)(?=\S)([^*~`]*[^*~`\s])\1"), r"\2"),
    (re.compile(r"(?<!\w)(_{1,3})(?=[^\s_])([^_]*[^_\s])\1(?!\w)"), r"\2"),
    (re.compile(r"\\([!-/:-@\[-`{-~])"), r"\1"),
)

_NEEDLESS = re.compile(r"[_^]\s*(?=[±*†‡§¶])")  # what follows says itself what it is
MOST_ARGUMENT = 10_000  # letters of an argument in braces
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_BLANKS = re.compile(r"\s*")
_TOKEN = re.compile(r"\\[A-Za-z]+\*?\s*|\\.|[{}$~]|[^\\{}$~]+|\\", re.DOTALL)


def from_markdown(text: str) -> str:
    """Without emphasis, code marks, links, HTML tags and escapes."""
    for tag, mark in _SPECIAL_TAGS:
        text = tag.sub(mark, text)
    text = html.unescape(_TAG.sub("", text))
    for marks, plain in _MARKDOWN:
        text = marks.sub(plain, text)
    return " ".join(text.split())


def from_latex(text: str) -> str:
    """Without braces, dollar signs, faces, sizes, colours, references and phantoms."""
    return " ".join(_NEEDLESS.sub("", "".join(_printed(text))).split())


def unmarked(text: str) -> str:
    """Without the marks of any of these languages."""
    if "\\" in text or "$" in text:
        return from_latex(from_markdown(text))
    return _NEEDLESS.sub("", from_markdown(text).replace("{", "").replace("}", ""))


def _printed(text: str) -> Iterator[str]:
    """What LaTeX prints, piece by piece."""
    at = 0
    while found := _TOKEN.match(text, at):
        token, at = found.group(), found.end()
        if token in ("{", "}", "$"):
            continue
        if token == "~":
            yield " "
        elif not token.startswith("\\"):
            yield token
        else:
            name = token[1:].strip().rstrip("*")
            if name == "\\":
                at = after_arguments(text, at, 0)
                yield " "
            elif name in DROPPED:
                at = after_arguments(text, at, DROPPED[name])
            else:
                yield _of_command(name, token)


def _of_command(name: str, token: str) -> str:
    if name in SHOWN:
        return " " if name in SMALLER else ""  # else 84.1{\tiny 0.4} would be one number
    if not name or name in SPACES:
        return "" if name == "!" else " "
    if name in PRINTED:
        return PRINTED[name]
    return token if name.isalpha() else name


def after_arguments(text: str, at: int, count: int) -> int:
    """The position after arguments in square brackets and `count` in braces."""
    while found := _BLANKS.match(text, at):
        start = found.end()
        opened = text[start : start + 1]
        if opened == "[" and (end := text.find("]", start)) >= 0:
            at = end + 1
        elif opened == "*":
            at = start + 1
        elif opened == "{" and count:
            at, count = closing(text, start) + 1, count - 1
        else:
            break
    return at


def closing(text: str, start: int) -> int:
    """The position of the brace that closes the one at `start`; the last one looked at if none."""
    depth, end = 0, min(len(text), start + MOST_ARGUMENT)
    for found in _BRACE.finditer(text, start, end):
        depth += {"{": 1, "}": -1}.get(found.group(), 0)
        if depth == 0:
            return found.start()
    return end - 1
