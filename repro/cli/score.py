"""``repro score``: a detector that was trained elsewhere, beside a study's arms."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from repro.cli import completion_words, options
from repro.cli.shared import load, warn
from repro.errors import ReproError
from repro.system.printing import say

if TYPE_CHECKING:
    from repro.study.study import Study

NO_MODEL = (
    "--model names the detector, such as --model FILE.py:load; --detectors scores those that "
    "people use; --remove NAME takes one out"
)
MORE = "More: repro table {}"
OF_A_MODEL = ("name", "threshold", "reads", "input_size", "architecture", "weights")


@click.command()
@click.argument("study", shell_complete=completion_words.studies)
@click.option(
    "--model",
    metavar="FILE",
    help="FILE.py:NAME, an exported program (.pt2), TorchScript (.pt), ONNX (.onnx), or weights "
    "(.safetensors, .pth) with --architecture.",
)
@click.option(
    "--detectors",
    is_flag=True,
    help="Score the face detectors that people use and that are installed: OpenCV's Haar cascade, "
    "dlib's HOG, MTCNN.",
)
@click.option(
    "--detector",
    "packaged",
    type=click.Choice(["haar", "hog", "mtcnn"]),
    multiple=True,
    help="Score one of these; can be repeated.",
)
@click.option("--name", help="Its name in tables [default: the file's].")
@click.option(
    "--threshold",
    type=float,
    help="Score from which on a picture is a face [default: the detector's own, or 0].",
)
@click.option(
    "--reads",
    type=click.Choice(["windows", "whole"]),
    help="The study's sliding windows, or whole pictures [default: windows].",
)
@click.option(
    "--input-size",
    type=click.IntRange(1, 4096),
    metavar="PIXELS",
    help="Side of the squares that it is given [default: what its file says, or 64 for windows].",
)
@click.option(
    "--channels",
    type=click.Choice(["rgb", "bgr"]),
    default="rgb",
    show_default=True,
    help="Order of the colours.",
)
@click.option(
    "--range",
    "values",
    type=click.Choice(["unit", "raw"]),
    default="unit",
    show_default=True,
    help="Pixels from 0 to 1, or from 0 to 255.",
)
@click.option("--architecture", help="Network of a file of weights: dehaan2020, or a plug-in's.")
@click.option(
    "--weights",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A file that the function of FILE.py:NAME is given, opened; it is part of the digest.",
)
@click.option(
    "--check",
    is_flag=True,
    help="Of one that was scored before: score it again, and end with status 1 if scores differ.",
)
@click.option(
    "--remove",
    metavar="NAME",
    shell_complete=completion_words.detectors,
    help="Take the detector of this name, or haar, hog or mtcnn, out of the study.",
)
@options.variant
def score(
    study: str,
    profile: str | None,
    overrides: tuple[str, ...],
    results: Path,
    model: str | None,
    detectors: bool,
    packaged: tuple[str, ...],
    check: bool,
    remove: str | None,
    values: Literal["unit", "raw"],
    **given: Any,
) -> None:
    """Score a detector that was trained elsewhere on the pictures of STUDY.

    It is a row of its own below the arms in every table, and in no test or claim. FILE.py, .pt2 and
    .pt files are code, and are run: give only files that you trust. STUDY need not have been run.
    """
    if remove is not None:
        _remove(study, profile, overrides, results, remove)
        return
    if detectors or packaged:
        _require_alone(model, given)
        resolved = _loaded(study, profile, overrides, results)
        _score_packaged(resolved, results, packaged, check=check)
        return
    if model is None:
        raise click.UsageError(NO_MODEL)
    from repro.detectors.given import of_option
    from repro.execution import detector_scoring

    detector = of_option(model, range=values, **given)
    resolved = _loaded(study, profile, overrides, results)
    found = detector_scoring.score(resolved, detector, results, check=check)
    say(detector_scoring.told(found))
    say(MORE.format(found.index.address))
    sys.exit(1 if found.differing else 0)


def _loaded(study: str, profile: str | None, overrides: tuple[str, ...], results: Path) -> "Study":
    """The study; of ``NAME@ID`` the variant with results, from the file of this name."""
    from repro.cli import resolve
    from repro.study import study_files

    name, at, _ = study.partition("@")
    if not at or study_files.is_path(study) or study_files.is_bundle(study):
        return load(study, profile, overrides)
    index = resolve.one(results, study, profile=profile, overrides=overrides)
    cut = [one for one in index.overrides if one.startswith("data.")]
    if cut:
        raise ReproError(
            f"{study}: its results do not say where its data are ({', '.join(cut)}): give the "
            "study's name or file with the same --profile and --set"
        )
    return load(name, index.profile, tuple(index.overrides))


def _require_alone(model: str | None, given: Mapping[str, Any]) -> None:
    """Refuse options that describe a detector of one's own."""
    own = {"model": model, **{one: given[one] for one in OF_A_MODEL}}
    for option, value in own.items():
        if value is not None:
            raise click.UsageError(
                f"--{option.replace('_', '-')} is for a detector of your own: leave it out, or "
                "leave out --detectors and --detector"
            )


def _score_packaged(study: "Study", results: Path, names: tuple[str, ...], *, check: bool) -> None:
    """Score the named ones, or all that are installed."""
    from repro.execution import detector_scoring, reference_detectors

    differs, address = False, study.name
    for one in reference_detectors.given_all(study, names, warn=warn):
        found = detector_scoring.score(study, one, results, check=check)
        say(detector_scoring.told(found))
        address = found.index.address
        differs |= bool(found.differing)
    say(MORE.format(address))
    sys.exit(1 if differs else 0)


def _remove(
    study: str, profile: str | None, overrides: tuple[str, ...], results: Path, name: str
) -> None:
    from repro.cli import resolve
    from repro.execution import detector_scoring

    index = resolve.one(results, study, profile=profile, overrides=overrides)
    detector_scoring.remove(index, name, results)
    say(f"{index.address}: {name} is taken out; `repro clean` removes its record")
