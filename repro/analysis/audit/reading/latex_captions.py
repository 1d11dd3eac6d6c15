"""The caption of each table of a LaTeX file."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from repro.analysis.audit.reading.markup import MOST_ARGUMENT, closing, from_latex

_HEADING = re.compile(r"\\(?:sub)*(?:section|paragraph)\*?\s*(?=\{)")
_CAPTION = re.compile(r"\\(?:sub)?caption(?:\[[^\]]*\])?\s*(?=\{)")
_FLOAT = re.compile(r"\\(?:begin|end)\s*\{(?:wrap|side|sub)?table\*?\}")


@dataclass(frozen=True, slots=True)
class Captions:
    """Where captions and headings stand in a text.

    Attributes:
        captions, headings: Positions of their opening braces.
        floats: Where floats begin or end.
    """

    text: str
    captions: Sequence[int]
    headings: Sequence[int]
    floats: Sequence[int]

    @classmethod
    def of(cls, text: str) -> "Captions":
        """Those of a file without its comments."""
        captions, headings, floats = (
            [found.end() for found in pattern.finditer(text)]
            for pattern in (_CAPTION, _HEADING, _FLOAT)
        )
        return cls(text, captions, headings, floats)

    def of_table(self, begin: int, end: int) -> str:
        """The caption in the table's float, the nearest above or else below; else the heading."""
        at = bisect_left(self.floats, begin)
        low, high = self.floats[at - 1] if at else 0, self._float_end(end)
        first, last = (bisect_left(self.captions, place) for place in (low, high))
        above = bisect_left(self.captions, end)
        headings = self.headings[: bisect_left(self.headings, begin)]
        nearest = [*self.captions[first:above][-1:], *self.captions[above:last], *headings[-1:]]
        if not nearest:
            return ""
        return from_latex(self.text[nearest[0] + 1 : closing(self.text, nearest[0])])

    def below(self, end: int) -> str:
        """The text between a table and the end of its float."""
        if not self.floats:
            return ""
        return from_latex(self.text[end : min(self._float_end(end), end + MOST_ARGUMENT)])

    def _float_end(self, end: int) -> int:
        at = bisect_left(self.floats, end)
        return self.floats[at] if at < len(self.floats) else len(self.text)
