"""Files that people look at, written whole: the old one stays until the new one is complete."""

import contextlib
import os
from pathlib import Path

from repro.errors import ReproError


def put(path: Path, content: bytes) -> Path:
    """Write a file, making its folder if need be.

    Raises:
        ReproError: It cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        return partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise ReproError(
            f"{path}: cannot be written ({error.strerror}); pass --out with another folder"
        ) from None
