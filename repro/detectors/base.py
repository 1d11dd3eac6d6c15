"""What a detector is: something that was trained elsewhere and gives pictures a number each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from repro.errors import ReproError
from repro.plugins.plugin_text import PluginText

Pixels = NDArray[np.uint8]
Reads = Literal["windows", "whole"]
Channels = Literal["rgb", "bgr"]
Range = Literal["unit", "raw"]  # of pixels: 0 to 1, or 0 to 255
Kind = Literal["python", "pt2", "torchscript", "onnx", "safetensors", "package"]


class DetectorError(ReproError):
    """A detector cannot be read, loaded or used; its text is the whole message."""


class Detector(Protocol):
    """A detector, ready to be called.

    It may have `threshold`, a number: the score from which on it says face, 0 without it.
    """

    @property
    def name(self) -> str:
        """Its name in tables."""

    @property
    def reads(self) -> Reads:
        """``windows``: the study's sliding windows, as its own networks do; ``whole``: pictures."""

    def scores(self, pictures: Pixels | Sequence[Pixels]) -> NDArray[np.float64]:
        """One number for each picture, larger for a face; shape (N,).

        Args:
            pictures: RGB in 0 to 255: windows of shape (N, 64, 64, 3), or a list of one whole
                picture of shape (H, W, 3).

        Returns:
            Finite numbers; -inf where a detector of whole pictures found nothing.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A detector as a user names it: read and digested, and nothing of it has been run.

    It is sent to the process that scores, so what is run is what was digested.

    Attributes:
        kind: What it is made of, see `loading`.
        name: Its name in tables.
        origin: As it was given: ``file.py:load``, ``model.pt2``, ``haar``.
        digest: Of its text, file or package, 32 hex digits.
        where: Its path, as the user gave it; empty for a package.
        reads: What it is given; None: the detector says so itself.
        threshold: Score from which on a picture is a face; None: the detector's own, or else 0.
        settings: How pictures are handed to it, and what else decides its scores; plain values,
            part of the record's key.
        attribute: Of a file of Python, the name of the function or object.
        text: Of a file of Python.
        content: Of any other file, its bytes.
    """

    kind: Kind
    name: str
    origin: str
    digest: str
    where: str = ""
    reads: Reads | None = None
    threshold: float | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    attribute: str = ""
    text: PluginText | None = field(default=None, repr=False)
    content: bytes = field(default=b"", repr=False)

    @property
    def asked(self) -> dict[str, Any]:
        """All settings, with what the user said or did not say of `reads` and `threshold`."""
        return {**self.settings, "reads": self.reads, "threshold": self.threshold}
