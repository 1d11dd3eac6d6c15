"""A figure with its texts, and its bytes in each format; equal records give equal bytes."""

import contextlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from matplotlib import rc_context, rcParamsDefault
from matplotlib.figure import Figure

Form = Literal["png", "svg", "pdf", "webp"]
FORMS: tuple[Form, ...] = ("png", "svg", "pdf")  # of files; WebP is for pages with photographs
RESOLUTION = 200  # dots per inch of PNG, and of raster parts in the other formats

# Leaves out what differs between two runs of the program: dates, and random ids in SVG.
_HOW: Mapping[Form, dict[str, Any]] = {
    "png": {"metadata": {"Software": None}},
    "svg": {"metadata": {"Date": None, "Creator": None}},
    "pdf": {"metadata": {"CreationDate": None, "Creator": None, "Producer": None}},
    "webp": {"pil_kwargs": {"quality": 90, "method": 6}},
}
_NOT_OF_STYLE = ("backend", "backend_fallback", "interactive", "toolbar")
_STABLE: dict[Any, Any] = {"svg.hashsalt": "repro", "svg.fonttype": "path", "pdf.fonttype": 42}


@dataclass(frozen=True, slots=True, kw_only=True)
class Illustration:
    """A figure with its caption.

    Attributes:
        name: Name of its files, unique within a study.
        title: A heading of a few words.
        caption: Sentences made from the records: data, runs, seeds, definition, interval.
        alt: A description for readers who cannot see the figure.
        figure: The drawn figure.
        sources: The published figures that it corresponds to.
    """

    name: str
    title: str
    caption: str
    alt: str
    figure: Figure = field(repr=False)
    sources: str = ""

    @property
    def has_photographs(self) -> bool:
        """Whether it contains photographs, which vector formats store badly."""
        return any(axes.get_images() for axes in self.figure.axes)


@contextlib.contextmanager
def without_users_settings() -> Iterator[None]:
    """Draw as matplotlib does by itself: its settings may be those of a file in this folder."""
    plain = {name: value for name, value in rcParamsDefault.items() if name not in _NOT_OF_STYLE}
    with rc_context(plain):
        yield


def encode(illustration: Illustration, form: Form) -> bytes:
    """The bytes of a file; equal for equal figures."""
    stream = io.BytesIO()
    with without_users_settings(), rc_context(_STABLE):
        illustration.figure.savefig(stream, format=form, dpi=RESOLUTION, **_HOW[form])
    return stream.getvalue()
