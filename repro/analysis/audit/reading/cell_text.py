"""The text of a cell -> a number with what follows ±, a bound, no result, or a failed run.

Nothing is guessed: a text that could be two numbers is refused.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from repro.analysis.audit.reading.grid import DecimalMark
from repro.analysis.audit.reading.markup import unmarked
from repro.analysis.audit.reading.problems import quoted, short

State = Literal["number", "missing", "failed", "bound"]
MOST_DECIMALS = 25
MISSING = frozenset({"", "x", "/", ".", "...", "…", "n/a", "na", "n.a.", "none", "null"}) | {
    *("-", "--", "---", "–", "—")  # a minus, dashes
}
FAILED = frozenset({"failed", "fail", "failure", "diverged", "crashed", "oom"}) | {
    *("nan", "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"),
    *("#div/0!", "#n/a", "#num!", "#value!"),
}

_DIGITS = r"(?:\d+(?:[.,]\d{3})*(?:[.,]\d*)?|[.,]\d+)"
_SIZE = rf"{_DIGITS}(?:[eE][+-]?\d{{1,3}})?"
_NUMBER = rf"[+-]?{_SIZE}"
_PERCENT = r"\s*(?:%|percent)?"
_MARKS = r"[\s*†‡§¶↑↓#]*"  # of footnotes and tests, after the number
_ERROR = (
    rf"\s*±\s*(?P<error>{_SIZE})(?P<error_percent>{_PERCENT})"
    rf"|\s*\(\s*±?\s*(?P<bracket>{_SIZE})(?P<bracket_percent>{_PERCENT})\s*\)"
    rf"|\s*_\s*±?\s*(?P<index>{_SIZE})"
)
_INTERVAL = (
    rf"\s*[\[(]\s*(?:95{_PERCENT} CI:?\s+)?(?P<low>{_NUMBER}){_PERCENT}\s*(?:[,;–—-]|to)\s*"
    rf"(?P<high>{_NUMBER}){_PERCENT}\s*[\])]"
)
_VALUE = re.compile(
    rf"(?P<bound>[<>≤≥≲≳]=?|±)?\s*(?P<value>{_NUMBER})(?P<percent>{_PERCENT})"
    rf"(?:{_ERROR}|{_INTERVAL})?(?P<marks>{_MARKS})",
    re.ASCII,
)
_BOUNDS = {"<": "<", ">": ">", "<=": "<=", ">=": ">=", "≤": "<=", "≥": ">=", "≲": "<", "≳": ">"}
_THOUSAND = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)
_SIGNS = {"−": "-", "‐": "-", "‑": "-", "＋": "+", "\u00a0": " ", "\u202f": " ", "\u2009": " "}
_PLUS_MINUS = re.compile(r"\s*(?:\+\s*/\s*-|\+-|±|∓)\s*")
_NO_ERROR = re.compile(
    r"(?<=[\d%])\s*(±\s*(nan|n/?a|[-–—]+)|\(\s*(nan|n/?a|[-–—]+)\s*\))$", re.I
)  # one run


class NotANumber(ValueError):
    """A cell is no number, or could be several; the text says why."""


@dataclass(frozen=True, slots=True)
class CellText:
    """What a cell says.

    Attributes:
        state: `bound` for `<0.1`; `missing` and `failed` have no value.
        value: With the printed decimals, in the printed unit; of a bound, the bound.
        error: What follows ±, or stands in brackets or as an index; None if nothing does.
        interval: Lower and upper end, as in `84.1 [83.2, 85.0]`; None if there is none.
        percent: Whether a percent sign follows.
        bound: The sign of a bound: `<`, `>`, `<=` or `>=`; else empty.
    """

    state: State
    value: Decimal | None = None
    error: Decimal | None = None
    interval: tuple[Decimal, Decimal] | None = None
    percent: bool = False
    bound: str = ""


def read_cell(text: str, decimal_mark: DecimalMark | None = None) -> CellText:
    """What a cell says.

    Args:
        text: As printed; marks of Markdown and LaTeX around it are ignored.
        decimal_mark: Of the numbers of the file (`Grid.decimal_mark`); None if none has one.

    Raises:
        NotANumber: It is words, or could be several numbers; the text names the cell's text.
    """
    plain = _plain(text)
    if state := _without_number(plain):
        return CellText(state)
    found = _VALUE.fullmatch(plain)
    if not found:
        raise NotANumber(_why_not(text, plain))
    error = found["error"] or found["bracket"] or found["index"]
    ends = [_number(text, found[end], decimal_mark) for end in ("low", "high") if found[end]]
    bound = _BOUNDS.get(found["bound"] or "", "")
    shares = (found["percent"], found["error_percent"], found["bracket_percent"])
    return CellText(
        state="bound" if bound else "number",
        value=_number(text, found["value"], decimal_mark),
        error=None if error is None else _number(text, error, decimal_mark),
        interval=(ends[0], ends[1]) if ends else None,
        percent=any(part and part.strip() for part in shares),
        bound=bound,
    )


def is_number(text: str) -> bool:
    """Whether a cell holds digits that `read_cell` takes as a number or a bound."""
    return bool(_VALUE.fullmatch(_plain(text)))


def has_value(text: str) -> bool:
    """Whether a cell is a number, a bound, or says that there is none; not an empty cell."""
    plain = _plain(text)
    return bool(plain) and bool(_without_number(plain) or _VALUE.fullmatch(plain))


def _without_number(plain: str) -> Literal["missing", "failed"] | None:
    """What a cell without a number says; None if it may have one. `nan ± nan` is one run's nan."""
    low = plain.lower()
    head = low.partition("±")[0].strip() or low
    if head in FAILED:
        return "failed"
    return "missing" if head in MISSING else None


def _plain(text: str) -> str:
    """Without marks of a markup language, with one sign for ± and for minus."""
    for mark, plain in _SIGNS.items():
        text = text.replace(mark, plain)
    return _NO_ERROR.sub("", _PLUS_MINUS.sub("±", unmarked(text)))


def _why_not(text: str, plain: str) -> str:
    if re.fullmatch(rf"{_NUMBER}\s*/\s*{_NUMBER}", plain, re.ASCII):
        return f"{quoted(text)} is two numbers: give each a column of its own"
    if re.fullmatch(rf"{_NUMBER}{_PERCENT}\s*[(\[].*[)\]]{_MARKS}", plain, re.ASCII):
        return (
            f"{quoted(text)} is a number with something else in brackets: "
            "write it as 84.1 (0.4), as 84.1 [83.2, 85.0], or without"
        )
    return f"{quoted(text)} is not a number"


def _number(cell: str, digits: str, mark: DecimalMark | None) -> Decimal:
    """The number that digits with points and commas stand for."""
    if mark is None and _THOUSAND.fullmatch(digits):
        whole, part = digits.replace(",", ""), digits.replace(",", ".")
        raise NotANumber(f"{quoted(cell)} may be {whole} or {part}: write one of these")
    other = "." if mark == "," else ","
    text = digits.replace(other, "") if has_thousands(digits, other) else digits
    if other in text:
        raise NotANumber(f"{quoted(cell)} is not a number: {_ADVICE[other]}")
    text = text.replace(",", ".")
    if text.count(".") > 1:
        raise NotANumber(f"{quoted(cell)} is not a number")
    value = Decimal(text)
    if decimals(value) > MOST_DECIMALS:
        raise NotANumber(f"{short(cell)} has more than {MOST_DECIMALS} decimals")
    return value


_ADVICE = {
    ",": "write a decimal point, not a comma",
    ".": "the other numbers of this file have decimal commas",
}


def decimals(value: Decimal) -> int:
    """Digits after the point, of a finite number."""
    return max(0, -int(value.as_tuple().exponent))


def has_thousands(digits: str, mark: str) -> bool:
    """Whether a mark may stand between groups of three digits: ``1,270``, ``12.345,6``."""
    other = "." if mark == "," else ","
    groups = rf"[+-]?[1-9]\d{{0,2}}(?:{re.escape(mark)}\d{{3}})+(?:{re.escape(other)}\d*)?"
    return bool(re.fullmatch(groups, digits, re.ASCII))


def marks_of(texts: Iterable[str]) -> set[DecimalMark]:
    """The decimal marks that numbers surely have: of ``84,9`` a comma, of ``1,270`` none."""
    found: set[DecimalMark] = set()
    marks: tuple[DecimalMark, DecimalMark] = (".", ",")
    for text in texts:
        value = _VALUE.fullmatch(_plain(text)) if "." in text or "," in text else None
        for digits in filter(None, value.group(*_PLACES) if value else ()):
            last = max(digits.rfind("."), digits.rfind(","))
            found |= {mark for mark in marks if last >= 0 and _is_decimal(digits, mark, last)}
    return found


_PLACES = ("value", "error", "bracket", "index", "low", "high")


def _is_decimal(digits: str, mark: str, last: int) -> bool:
    return digits[last] == mark and digits.count(mark) == 1 and not has_thousands(digits, mark)
