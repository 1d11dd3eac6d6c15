"""Escape text for LaTeX, and make names for link anchors. Pure; knows nothing of tables.

The LaTeX needs no package and no font beyond TeX's own in their oldest encoding: accented letters
that inputenc knows are kept, symbols become mathematics, and any other character is shown by its
code point, so that nothing is silently lost.
"""

import re
import unicodedata
from functools import cache

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"$\mathdollar$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"$<$",
    ">": r"$>$",
    "|": r"$|$",
    "—": "--",
    "–": "--",
    "‒": "--",
    "‐": "-",
    "‑": "-",
    "“": "``",
    "”": "''",
    "„": ",,",
    "«": r"$\ll$",
    "»": r"$\gg$",
    "‘": "`",
    "’": "'",
    "…": r"\dots{}",
    "•": r"$\bullet$",
    "\u200b": r"\allowbreak{}",
    "¡": "!`",
    "¿": "?`",
    "⁄": "/",
    "€": "EUR",
    "©": "(c)",
    "®": "(R)",
    **dict(zip("ÐðĐđĦħŦŧ", "DdDdHhTt", strict=True)),
    "Þ": "Th",
    "þ": "th",
    "Ŋ": "Ng",
    "ŋ": "ng",
}
_SIGNS = {
    "±": r"\pm",
    "×": r"\times",
    "÷": r"\div",
    "·": r"\cdot",
    "−": "-",
    "≤": r"\le",
    "≥": r"\ge",
    "≠": r"\ne",
    "≈": r"\approx",
    "≡": r"\equiv",
    "∼": r"\sim",
    "∝": r"\propto",
    "∞": r"\infty",
    "∈": r"\in",
    "∑": r"\sum",
    "∏": r"\prod",
    "√": r"\surd",
    "∂": r"\partial",
    "∇": r"\nabla",
    "∅": r"\emptyset",
    "∩": r"\cap",
    "∪": r"\cup",
    "←": r"\leftarrow",
    "→": r"\rightarrow",
    "↑": r"\uparrow",
    "↓": r"\downarrow",
    "↔": r"\leftrightarrow",
    "⇒": r"\Rightarrow",
    "¬": r"\neg",
    "°": r"^{\circ}",
    "′": r"{}'",
    "µ": r"\mu",
    "§": r"\mathsection",
    "¶": r"\mathparagraph",
    "£": r"\pounds",
    "†": r"\dag",
    "‡": r"\ddag",
    **{character: f"^{{{digit}}}" for digit, character in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
    **{character: f"_{{{digit}}}" for digit, character in enumerate("₀₁₂₃₄₅₆₇₈₉")},
}


def _greek(character: str) -> str:
    """The LaTeX command named after the letter."""
    name = unicodedata.name(character).split()[-1].replace("LAMDA", "LAMBDA")
    return rf"$\{name.capitalize() if character.isupper() else name.lower()}$"


_LATEX = (
    _SPECIAL
    | {character: f"${command}$" for character, command in _SIGNS.items()}
    | {character: _greek(character) for character in "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ"}
    | dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΧο", "ABEZHIKMNOPTXo", strict=True))
    | {"ς": r"$\varsigma$"}
)
# Letters and accents that inputenc hands to the oldest encoding.
_LETTERS = "ÆæØøÅåßŁłŒœıȷ"
_ACCENTS = "\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c"
_CEDILLAS = "ÇçŞşŢţ"
_UNKNOWN = "\0"  # before the code point of an unknown character
_KEYS = re.compile(r"([\\{}$&#_%^~<>|\"'`])")
_CODES = re.compile(rf"(?:{_UNKNOWN}[0-9A-F]+)+")


def latex(text: str) -> str:
    """The text as LaTeX; unknown characters as ``[U+65E5 U+672C]``."""
    escaped = "".join(map(_typeset, unicodedata.normalize("NFC", text)))
    return _CODES.sub(_named, escaped)


def typed(text: str) -> str:
    """The text as LaTeX in a typewriter font, with straight quotes and plain hyphens."""
    parts = _KEYS.split(text)
    return "".join(
        rf"{{\char{ord(part)}}}" if _KEYS.fullmatch(part) else latex(part) for part in parts
    )


def _named(found: re.Match[str]) -> str:
    return f"[{' '.join(f'U+{code}' for code in found[0].split(_UNKNOWN)[1:])}]"


def anchor(*words: str) -> str:
    """The words as one link anchor of ASCII letters, digits, ``-`` and ``_``."""
    return "-".join(re.sub(r"[^A-Za-z0-9_]+", "-", word).strip("-") for word in words)


@cache
def _typeset(character: str) -> str:
    if character in _LATEX:
        return _LATEX[character]
    if " " <= character <= "~" or _is_known(character):
        return character
    kind = unicodedata.category(character)
    if kind in ("Cc", "Zs", "Zl", "Zp"):
        return " "
    if kind in ("Cf", "Mn"):  # invisible, or an accent that can be dropped
        return ""
    simpler = unicodedata.normalize("NFKD", character)
    if simpler != character:
        return "".join(map(_typeset, simpler))
    return f"{_UNKNOWN}{ord(character):04X}"


def _is_known(character: str) -> bool:
    """Whether inputenc and TeX's own fonts can set the character unchanged."""
    if character in _LETTERS or character in _CEDILLAS:
        return True
    parts = unicodedata.normalize("NFD", character)
    return "\xc0" <= character <= "\u017e" and len(parts) == 2 and parts[1] in _ACCENTS
