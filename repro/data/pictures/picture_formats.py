"""The formats of picture files: their suffixes, and their decoders.

Pillow decodes all formats but HEIC, which the package ``pillow-heif`` reads if it is installed;
AVIF needs a Pillow built with it, as wheels are from 11.3 on.
"""

import functools
import importlib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from PIL import features

HEIC = frozenset({".heic", ".heif", ".hif"})
HEIC_DECODER = "pillow-heif"
_ALWAYS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
}


@functools.cache
def suffixes() -> frozenset[str]:
    """The suffixes of readable picture files, in lower case."""
    return frozenset({*_ALWAYS, *({".avif"} if _reads_avif() else ()), *(HEIC if _heic() else ())})


def allowed(file: Path) -> tuple[str, ...]:
    """Pillow's names of the formats that a file may have; others run other programs.

    HEIC is included only if the file has its suffix: names alone determine the decoder.
    """
    if file.suffix.lower() in HEIC and _heic():
        return ("HEIF",)
    return (*sorted(set(_ALWAYS.values())), *(("AVIF",) if _reads_avif() else ()))


def decoders(files: Iterable[Path]) -> list[str]:
    """Name and release of decoders other than Pillow that the files need."""
    release = _heic()
    used = release and any(file.suffix.lower() in HEIC for file in files)
    return [f"{HEIC_DECODER} {release}"] if used else []


def advice(suffix: str) -> str:
    """How a file with this suffix could be made readable; "" if unknown."""
    if suffix in HEIC and not _heic():
        return f"pip install {HEIC_DECODER}"
    if suffix == ".avif" and not _reads_avif():
        return "pip install 'pillow>=11.3'"
    return ""


@functools.cache
def _heic() -> str | None:
    """Register HEIC with Pillow; the decoder's release, or None if there is none."""
    try:
        found = version(HEIC_DECODER)
        importlib.import_module("pillow_heif").register_heif_opener()
    except (PackageNotFoundError, ImportError):
        return None
    return found


@functools.cache
def _reads_avif() -> bool:
    return "avif" in features.get_supported_modules()
