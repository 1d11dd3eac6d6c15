"""Which files beside records a bundle leaves out on purpose: networks, unless they were asked for.

``results/left_out.json`` names them; a results folder of one's own has no such file.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from repro.system import regular_file

FILE = "left_out.json"
MOST_BYTES = 10_000


def text(names: Iterable[str]) -> bytes:
    """The file."""
    return f"{json.dumps(sorted(names))}\n".encode()


def names(results: Path) -> frozenset[str]:
    """Names of the files that are left out of every run's folder; empty if none are."""
    try:
        found = json.loads(regular_file.read(results / FILE, at_most=MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return frozenset()
    if not isinstance(found, list):
        return frozenset()
    return frozenset(name for name in found if isinstance(name, str))
