"""The command that shows one run."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from repro.cli import completion_words, options
from repro.cli.shared import place
from repro.errors import ReproError
from repro.system.printing import say

if TYPE_CHECKING:
    from repro.records.detectors import DetectorRecord


@click.command()
@options.results
@click.argument("run", shell_complete=completion_words.runs)
def show(run: str, results: Path) -> None:
    """Show one RUN: its state, choices, curve, detections, provenance and files.

    RUN is the key of a record, the beginning of one, or STUDY/ARM/SEED, such as
    alpha_sweep/alpha-0.1/3: blanks and signs of an arm's name can be written as one hyphen.
    The key of a detector that was trained elsewhere, detector-..., shows that one.
    A run of a bundle is FILE.zip/KEY, or FILE.zip/ARM/SEED.
    """
    from repro.cli import run_names
    from repro.records import records, run_view
    from repro.reporting.terminal import detector_details, run_details

    file, word = _in_bundle(run)
    at = place(file or "", results)
    indexes = records.read_indexes(at.results)
    if (record := _detector(word, at.results, file)) is not None:
        say(detector_details.text(record, at.results))
        return
    key = run_names.key_of(
        word, at.results, indexes, run_view.keys(at.results, indexes), bundle=at.bundle
    )
    say(run_details.text(run_view.view(key, at.results, indexes)))


def _detector(word: str, results: Path, bundle: str | None) -> "DetectorRecord | None":
    """The record of a detector whose key begins with this word; None if it is the word of a run.

    Raises:
        ReproError: There is none, or more than one.
    """
    from repro.records import detectors

    if not word.startswith("detector-") or "/" in word:
        return None
    found = sorted(path.name for path in (results / detectors.FOLDER).glob("detector-*"))
    fitting = [key for key in found if key.startswith(word)]
    if len(fitting) != 1:
        listed = ", ".join(fitting or found) or "none"
        where = bundle or results
        raise ReproError(f"{where}: {len(fitting)} detectors begin with {word!r}: {listed}")
    return detectors.read(fitting[0], results)


def _in_bundle(run: str) -> tuple[str | None, str]:
    """The bundle that a name of a run begins with, None without one, and the rest."""
    found = re.fullmatch(r"(.*?\.zip)(?:/(.*))?", run, re.IGNORECASE)
    if found is None or "://" in run:
        return None, run
    if not found[2]:
        raise ReproError(f"{run}: which run of it? Write {run}/ARM/SEED, or {run}/KEY")
    return found[1], found[2]
