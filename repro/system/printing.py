"""Print text on a terminal or into a pipe: the one way out for text of this program.

Names and reasons come from files, records and other programs, and may hold anything. What is
printed has no control characters, no invisible ones and no lone surrogates: they are shown escaped.
It shows no secret of a path or an address. Characters that the terminal's encoding lacks are
replaced.
"""

import codecs
import re
import sys
import unicodedata

from repro.system import private

PLAIN_LETTERS = "repro.plain"  # name of the way to encode what an encoding lacks
SIGNS = {
    "—": "-",
    "–": "-",
    "−": "-",
    "─": "-",
    "±": "+/-",
    "×": "x",
    "≤": "<=",
    "≥": ">=",
    "≈": "~",
    "α": "alpha",
    "Δ": "diff",
    "²": "^2",
    "…": "...",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    **dict(zip("▁▂▃▄▅▆▇█", "_.-:=+*#", strict=True)),
}
_COLOUR = re.compile(r"(\x1b\[[\d;]*m)")
_JOINERS = "\u200c\u200d"  # of words and signs
_LINK = re.compile(r"\](?=\()|^\s*\[[^\]\n]*\](?=:)", re.MULTILINE)
_ELEMENT = re.compile(r"<(?=[A-Za-z/!?])")
_UNPRINTED = re.compile(r"[^\n\t]")


def say(text: object, *, err: bool = False, coloured: bool = False) -> None:
    """Print text and a line end.

    Args:
        text: May have several lines.
        err: To standard error instead of standard output.
        coloured: Keep its colours, which only this program may have put there.
    """
    stream = sys.stderr if err else sys.stdout
    if stream is None:  # a program without a terminal
        return
    stream.write(encodable(f"{printable(str(text), coloured=coloured)}\n", stream.encoding))
    stream.flush()


def printable(text: str, *, coloured: bool = False) -> str:
    """Text of several lines that is safe to print; tabs and line ends stay."""
    parts = _COLOUR.split(private.without_secrets(text)) if coloured else None
    if parts is None:
        return _shown(private.without_secrets(text))
    return "".join(part if odd % 2 else _shown(part) for odd, part in enumerate(parts))


def one_line(text: str) -> str:
    """A name, or another text of one line, with line ends and tabs escaped, too."""
    text = private.without_secrets(text)
    return "".join(_escaped(letter) if hides(letter) else letter for letter in text)


def as_markdown(text: str) -> str:
    """Plain text in Markdown: its brackets make no link, and its angles no element of HTML."""
    return _LINK.sub(lambda found: f"{found[0]}\\", _ELEMENT.sub(r"\\<", text))


def encodable(text: str, encoding: str | None) -> str:
    """The text with plain letters in place of those that the encoding lacks."""
    try:
        return text.encode(encoding or "utf-8", PLAIN_LETTERS).decode(encoding or "utf-8")
    except LookupError:
        return text.encode("ascii", PLAIN_LETTERS).decode()


def hides(letter: str) -> bool:
    """Whether a character is invisible or a control character: no letter, sign or space."""
    if letter.isprintable() or letter in _JOINERS:
        return False
    return unicodedata.category(letter) != "Zs"


def _shown(text: str) -> str:
    if text.isprintable():
        return text
    return _UNPRINTED.sub(lambda found: _escaped(found[0]) if hides(found[0]) else found[0], text)


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode()


def _in_plain_letters(error: UnicodeError) -> tuple[str, int]:
    """Signs of this program in ASCII, any other character by its code point."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(SIGNS.get(letter) or _escaped(letter) for letter in missing), error.end


codecs.register_error(PLAIN_LETTERS, _in_plain_letters)
