"""Which files are pictures: their suffixes, and who decodes them.

Pillow decodes all but HEIC, which the package ``pillow-heif`` reads where it is installed; AVIF is
read by any Pillow that was built with it, as wheels are from 11.3 on.
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
    """In lower case, of the files that can be read as pictures here."""
    return frozenset({*_ALWAYS, *({".avif"} if _reads_avif() else ()), *(HEIC if _heic() else ())})


def allowed(file: Path) -> tuple[str, ...]:
    """Pillow's names of the formats that a file may have; others hand files to other programs.

    HEIC is none of them unless the file is called so: the names alone say who decodes.
    """
    if file.suffix.lower() in HEIC and _heic():
        return ("HEIF",)
    return (*sorted(set(_ALWAYS.values())), *(("AVIF",) if _reads_avif() else ()))


def decoders(files: Iterable[Path]) -> list[str]:
    """Name and release of what decodes any of the files beside Pillow."""
    release = _heic()
    used = release and any(file.suffix.lower() in HEIC for file in files)
    return [f"{HEIC_DECODER} {release}"] if used else []


def advice(suffix: str) -> str:
    """How a file with such a suffix could be read after all; "" where nothing is known."""
    if suffix in HEIC and not _heic():
        return f"pip install {HEIC_DECODER}"
    if suffix == ".avif" and not _reads_avif():
        return "pip install 'pillow>=11.3'"
    return ""


@functools.cache
def _heic() -> str | None:
    """Make Pillow know HEIC; the decoder's release, or None where there is no decoder."""
    try:
        found = version(HEIC_DECODER)
        importlib.import_module("pillow_heif").register_heif_opener()
    except (PackageNotFoundError, ImportError):
        return None
    return found


@functools.cache
def _reads_avif() -> bool:
    return "avif" in features.get_supported_modules()
