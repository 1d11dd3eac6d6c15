"""What a user gives as a detector: read and digested; nothing of it is run or loaded here."""

import hashlib
from pathlib import Path
from typing import Any

from repro.detectors.base import Channels, DetectorError, Given, Kind, Range, Reads
from repro.plugins import plugin_text
from repro.plugins.plugin_text import DIGITS
from repro.system import input_file

MOST_BYTES = 2 << 30  # of a file
MOST_PIXELS = 4096  # side of a picture that is handed to it
OF_ENDINGS: dict[str, Kind] = {
    ".pt2": "pt2",
    ".pt": "torchscript",
    ".onnx": "onnx",
    ".safetensors": "safetensors",
    ".pth": "safetensors",
}
KNOWN = (
    "give FILE.py:NAME, an exported program (.pt2), TorchScript (.pt), ONNX (.onnx), or weights "
    "(.safetensors, .pth) with --architecture"
)
IS_CODE = ("python", "pt2", "torchscript")  # what can do anything when it is loaded or run


def of_option(
    model: str,
    *,
    name: str | None = None,
    reads: Reads | None = None,
    threshold: float | None = None,
    input_size: int | None = None,
    channels: Channels = "rgb",
    range: Range = "unit",
    architecture: str | None = None,
    weights: Path | None = None,
) -> Given:
    """The detector of ``repro score --model``.

    Args:
        model: ``FILE.py:NAME``, or a file of another kind.
        name: In tables; None: the file's name without its ending.
        reads: What it is given; None: windows, or what an object of Python says.
        threshold: Score from which on a picture is a face; None: an object's own, or else 0.
        input_size: Side of the squares that it is given, in pixels.
        channels: Their order.
        range: ``unit``: 0 to 1, ``raw``: 0 to 255.
        architecture: Of a file of weights: one of ours, or a network of the study's plug-ins.
        weights: File that a function of Python is given, opened.

    Raises:
        DetectorError: There is no such file, it is of no known kind, or an option does not apply.
        PluginError: A file of Python cannot be read, or lies in a folder of results.
    """
    path, attribute = _split(model)
    kind: Kind = "python" if attribute else _kind(path)
    if kind == "torchscript" and architecture is not None:
        kind = "safetensors"
    _require_options(path, kind, architecture, weights)
    settings: dict[str, Any] = {"input_size": input_size, "channels": channels, "range": range}
    if architecture is not None:
        settings["architecture"] = architecture
    asked: dict[str, Any] = {
        "name": name or path.stem,
        "reads": reads,
        "threshold": threshold,
        "where": str(path),
    }
    if kind in IS_CODE:
        plugin_text.require_no_results(path.resolve(), str(path))
    if kind == "python":
        settings |= {"attribute": attribute}
        return Given(kind=kind, settings=settings, **asked, **_of_python(path, attribute, weights))
    content = _content(path)
    return Given(
        kind=kind,
        origin=path.name,
        digest=_digest(content),
        settings=settings,
        content=content,
        **asked,
    )


def _of_python(path: Path, attribute: str, weights: Path | None) -> dict[str, Any]:
    """What a file of Python and the weights that it is given are: fields of `Given`."""
    text = plugin_text.read(path)
    content = _content(weights) if weights else b""
    return {
        "origin": f"{path.name}:{attribute}",
        "digest": text.digest if weights is None else _digest(text.digest.encode() + content),
        "attribute": attribute,
        "text": text,
        "content": content,
    }


def _split(model: str) -> tuple[Path, str]:
    """File and attribute; no attribute unless it is a file of Python."""
    file, colon, attribute = model.rpartition(":")
    if colon and (file.endswith(".py") or Path(file).is_dir()):
        if not attribute.isidentifier():
            raise DetectorError(f"{model}: {attribute!r} is no name of Python: give FILE.py:NAME")
        return Path(file), attribute
    if model.endswith(".py"):
        raise DetectorError(f"{model}: name what to use of it, as {model}:load")
    return Path(model), ""


def _kind(path: Path) -> Kind:
    kind = OF_ENDINGS.get(path.suffix.lower())
    if kind is None:
        raise DetectorError(f"{path}: its ending is of no kind of detector: {KNOWN}")
    return kind


def _require_options(
    path: Path, kind: Kind, architecture: str | None, weights: Path | None
) -> None:
    if kind == "safetensors" and architecture is None:
        raise DetectorError(
            f"{path}: a file of weights says nothing of its network: add --architecture, such as "
            "--architecture dehaan2020"
        )
    if kind != "safetensors" and architecture is not None:
        raise DetectorError(f"{path}: --architecture is for files of weights: leave it out")
    if kind != "python" and weights is not None:
        raise DetectorError(f"{path}: --weights is for functions of Python: leave it out")


def _content(path: Path) -> bytes:
    try:
        content = input_file.read(path, most_bytes=MOST_BYTES)
    except FileNotFoundError:
        raise DetectorError(f"{path}: file not found: {KNOWN}") from None
    except OSError as error:
        raise DetectorError(f"{path}: cannot be read: {error.strerror or error}") from None
    if not content:
        raise DetectorError(f"{path}: the file is empty")
    return content


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:DIGITS]
