"""Sentences below a table of `repro table` -> what they say, as a description says it."""

import re
from collections.abc import Mapping

_SELECTION = re.compile(
    r"E\[A\] and Var\[A\] are of (?:the best (?P<keep>\d+) of )?(?:the first |all )?"
    r"(?:(?P<runs>\d+) runs|a single run)"
)
_SPREAD = "Here ± is the standard deviation of the runs' own values"


def said_in(text: str) -> Mapping[str, object]:
    """Numbers of runs, and what ± is; empty for the text of another program.

    Args:
        text: Without marks of Markdown or LaTeX.
    """
    found: dict[str, object] = {}
    if selection := _SELECTION.search(text):
        found["replicates"] = int(selection["runs"] or 1)
        if selection["keep"]:
            found["keep"] = int(selection["keep"])
    if _SPREAD in text:
        found["spread"] = "sd"
    return found
