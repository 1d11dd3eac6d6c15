"""A figure with its words, and its bytes in each format: the same records give the same bytes."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from matplotlib import rc_context
from matplotlib.figure import Figure

Form = Literal["png", "svg", "pdf"]
FORMS: tuple[Form, ...] = ("png", "svg", "pdf")
RESOLUTION = 200  # dots an inch, of PNG and of what is no line in the others

# What would differ from one run of the program to the next: dates, and random names in SVG.
_WITHOUT_DATE: Mapping[Form, dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
_STABLE: dict[Any, Any] = {"svg.hashsalt": "repro", "svg.fonttype": "path", "pdf.fonttype": 42}


@dataclass(frozen=True, slots=True, kw_only=True)
class Illustration:
    """A figure, and what is said of it.

    Attributes:
        name: Of its files, unique within a study.
        title: A heading of a few words.
        caption: Sentences made from the records: data, runs, seeds, definition, interval.
        alt: What is to be seen, for those who cannot see it.
        figure: As drawn.
        sources: Which printed figures it answers to.
    """

    name: str
    title: str
    caption: str
    alt: str
    figure: Figure = field(repr=False)
    sources: str = ""


def encode(illustration: Illustration, form: Form) -> bytes:
    """The bytes of a file; equal for equal figures."""
    stream = io.BytesIO()
    with rc_context(_STABLE):
        illustration.figure.savefig(
            stream, format=form, dpi=RESOLUTION, metadata=_WITHOUT_DATE[form]
        )
    return stream.getvalue()
