"""Commands in processes of their own, with less to do where a test needs less."""

import os
import sys

FIGURE = "recall"  # the one that is drawn
WITH_A_FIGURE = f"""\
from repro.cli import main
from repro.reporting.figures import figure_registry
figure_registry.FIGURES = {{"{FIGURE}": figure_registry.FIGURES["{FIGURE}"]}}
main(prog_name="repro")
"""


def with_a_figure(*arguments):
    """Words of a `repro` that knows one figure: to draw all of a study takes longest."""
    return [sys.executable, "-c", WITH_A_FIGURE, *map(str, arguments)]


def with_all_figures(*arguments):
    """Words of a `repro` as it is."""
    return [sys.executable, "-m", "repro.cli", *map(str, arguments)]


def without_mlflow(folder):
    """The environment of a process to which it is not installed, so that nothing is mirrored.

    Args:
        folder: For a module that stands in its place.
    """
    absent = "raise ModuleNotFoundError(\"No module named 'mlflow'\", name='mlflow')\n"
    (folder / "mlflow.py").write_text(absent)
    return {"PYTHONPATH": str(folder)}


def on_one_core():
    """In a new process: a study would train as many runs at once as there are cores."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
