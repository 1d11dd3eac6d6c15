"""Run published machine-learning experiments again and compare the results.

The public API: `losses`, `resampling`, `models`, `metrics`, `stats` and
`run_study`, as ``docs/api.md`` lists them. They are loaded on first use.
"""

import os
import sys

if sys.argv[:1] == ["-m"] and not sys.flags.safe_path:
    # `python -m repro.cli` looks for modules in the current folder first, and so would all that it
    # starts. A `random.py` there may be somebody else's.
    _folder = sys.path.pop(0)
    if _folder == os.path.dirname(os.path.dirname(__file__)):
        # A checkout is found after the standard library, and before another copy that is installed.
        _installed = (
            n for n, entry in enumerate(sys.path) if "-packages" in os.path.basename(entry)
        )
        sys.path.insert(next(_installed, len(sys.path)), _folder)

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from repro import losses, metrics, models, resampling, stats
    from repro.api import StudyResults, run_study, score_detector

__version__ = "0.2.0"
__all__ = [
    "StudyResults",
    "losses",
    "metrics",
    "models",
    "resampling",
    "run_study",
    "score_detector",
    "stats",
]


def __getattr__(name: str) -> Any:
    if name in ("StudyResults", "run_study", "score_detector"):
        return getattr(importlib.import_module("repro.api"), name)
    if name in __all__:
        return importlib.import_module(f"repro.{name}")
    raise AttributeError(f"module 'repro' has no attribute {name!r}")
