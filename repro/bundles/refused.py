"""The error of a file that is no bundle, or a damaged, hostile or changed one."""

from pathlib import Path

from repro.errors import ReproError


class BadBundle(ReproError):
    """A bundle cannot be used; the text has its path, what is wrong, and what to do."""

    def __init__(self, path: Path, why: str) -> None:
        """Name the file and the reason."""
        super().__init__(f"{path}: {why}; ask the sender for it again")
