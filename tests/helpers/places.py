"""Where tests and their files are."""

import fnmatch
import os
from pathlib import Path

TESTS = Path(__file__).parent.parent
ROOT = TESTS.parent
FILES = TESTS / "files"


def repository_files(*folders):
    """Paths of the repository's files below these folders, as git lists them; git is not needed.

    Tracked or new, but not those that ``.gitignore`` names.
    """
    lines = (ROOT / ".gitignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    found = []
    for folder in folders or ("",):
        for parent, inner, names in os.walk(ROOT / folder):
            place = Path(parent).relative_to(ROOT)
            links = [name for name in inner if (ROOT / place / name).is_symlink()]
            inner[:] = [name for name in inner if not _ignored(place / name, patterns, "/")]
            names = [name for name in [*names, *links] if not _ignored(place / name, patterns)]
            found += [str(place / name) for name in names]
    return sorted(found)


def _ignored(path, patterns, end=""):
    """Whether the last pattern that fits a file, or a folder (which ends in ``/``), ignores it."""
    ignored = path.name == ".git"
    for pattern in patterns:
        wanted = pattern.removeprefix("!")
        anchored = "/" in wanted[:-1]  # else it is for a name anywhere
        name = f"/{path}" if anchored else path.name
        fits = name.count("/") == wanted.rstrip("/").count("/")
        if fits and any(fnmatch.fnmatchcase(one, wanted) for one in (name, name + end)):
            ignored = not pattern.startswith("!")
    return ignored
