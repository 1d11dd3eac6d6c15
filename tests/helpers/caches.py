"""What a process makes once for its user, kept from one run of the tests for the next.

The compiled kernels and matplotlib's list of fonts lie below a home, and tests have a new one.
Neither can be wrong: a library is named by the digest of its source, compiler and processor, and
matplotlib makes its list anew where it does not fit.
"""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

KEPT = ("matplotlib", "repro")  # below ~/.cache


def restore(folder):
    """Put what was kept there, if anything, into this home."""
    for kept in Path(folder).glob("*"):
        if kept.name in KEPT:
            shutil.copytree(kept, _home() / kept.name, dirs_exist_ok=True)


def keep(folder):
    """Keep what this home has, each whole, whoever else does so at the same time."""
    for name in KEPT:
        if (_home() / name).is_dir():
            with contextlib.suppress(OSError), tempfile.TemporaryDirectory(dir=folder) as inside:
                shutil.copytree(_home() / name, Path(inside) / "new")
                if (Path(folder) / name).exists():
                    os.rename(Path(folder) / name, Path(inside) / "old")
                os.rename(Path(inside) / "new", Path(folder) / name)


def _home():
    return Path.home() / ".cache"
