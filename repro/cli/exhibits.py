"""Collects what a study's tables and figures show, from records, weights and data.

Presentation never uses a network; results that need one come from `gallery` and `rarity`, which
load torch, and only if there are pictures to show. Drawing modules are loaded only to draw.
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from repro.analysis import study_data
from repro.analysis.samples import Floats
from repro.errors import ReproError
from repro.records import left_out, records
from repro.records.records import BriefRecord, StudyIndex
from repro.reporting.figures import study_view
from repro.reporting.figures.study_view import StudyView
from repro.reporting.report.study_chapter import Chapter
from repro.reporting.tables import rendering
from repro.reporting.tables.table_part import Part
from repro.system.printing import printable

if TYPE_CHECKING:
    from repro.reporting.figures.illustration import Form

SHOWN: "tuple[Form, ...]" = ("svg", "png")  # SVG for pages, PNG for everything else


def of_study(
    index: StudyIndex, results: Path, *, with_images: bool, warn: Callable[[str], None]
) -> StudyView:
    """The data of a study's figures, including pictures.

    Args:
        index: Index of the study.
        results: The results folder.
        with_images: Whether real faces may be shown; synthetic ones always are.
        warn: Called with a sentence if there can be no pictures.
    """
    view = without_pictures(index, results)
    return with_pictures(view, results, with_images=with_images, warn=warn)


def without_pictures(index: StudyIndex, results: Path) -> StudyView:
    """The data from records alone; enough for tables."""
    found = records.read_study(index, results)
    runs = {arm.name: _finished(arm.keys, found) for arm in index.arms}
    return StudyView(
        index=index,
        found=found,
        records=runs,
        outcomes=study_data.of_study(index, found, results),
        weights=_weights(index, runs, results),
        whole=lambda record: records.read_record(record.key, results),
    )


def with_pictures(
    view: StudyView, results: Path, *, with_images: bool, warn: Callable[[str], None]
) -> StudyView:
    """The view with data that needs networks or data sets; arguments as for `of_study`."""
    ended = [record for of_arm in view.runs.values() for record in of_arm]
    if not any(with_images or record.shows_synthetic_faces for record in ended):
        return view
    if not any({records.MODEL, records.WEIGHTS} & record.files.keys() for record in ended):
        warn("no pictures of faces: no run has a checkpoint")  # torch takes 300 MB
        return view
    if records.MODEL in left_out.names(results):
        warn("no pictures of faces: the bundle was written without --weights")
        return view
    try:
        from repro.execution import draw_rates, sample_faces
    except Exception as error:  # noqa: BLE001 - a library that is missing may raise anything
        raise ReproError(f"torch cannot be loaded here ({type(error).__name__}: {error})") from None

    drawn = replace(view.index, arms=study_view.drawn_arms(view.index))
    faces: sample_faces.Faces = "all" if with_images else "synthetic"
    try:
        specimens = sample_faces.of_study(drawn, view.found, results, faces=faces)
    except ReproError as error:
        warn(f"no pictures of faces: {error}")
        specimens = ()
    measured = draw_rates.of_study(
        drawn.first(study_view.drawn_weights(view.index)), view.found, results
    )
    return replace(view, specimens=specimens, rarity=measured)


def conclusion(view: StudyView) -> str:
    """The final output of a study: its answer and one table."""
    from repro.reporting.tables import output_formats
    from repro.reporting.tables.presentation import Presentation
    from repro.reporting.tables.terminal_table import Screen

    name = view.index.address
    more = f"More: repro table {name} --style full; with figures: repro report {name}"
    screen = Screen.here() if sys.stdout.isatty() else Screen()
    presentation = Presentation(form="terminal")
    return output_formats.text(view.outcomes, presentation, screen=screen, closing=[more])


def chapter(view: StudyView, *, study_file: str) -> Chapter:
    """A study as a chapter of a report."""
    from repro.reporting.figures import figure_registry

    return Chapter(
        index=view.index,
        records=view.found,
        outcomes=view.outcomes,
        illustrations=figure_registry.draw(view),
        study_file=study_file,
    )


def page(
    view: StudyView, parts: Sequence[Part], *, drawn: Mapping[str, bytes] | None = None
) -> tuple[str, dict[str, bytes]]:
    """A study's MLflow page: a text, and all tables and figures by path.

    The text is the answer, the question, and means and standard deviations over the runs.

    Args:
        view: The study.
        parts: Its tables.
        drawn: What `figures` made of all of them; None: it is done here.
    """
    from repro.records.mlflow import study_pages
    from repro.reporting.tables import answer, run_means

    label, told = view.index.name, answer.of_study(view.outcomes)
    means = rendering.render([run_means.part(view.outcomes)], form="markdown", label=label)
    tables = rendering.render(parts, form="markdown", label=label, opening=told.told)
    files = {"table.md": printable(tables).encode()}
    files |= figures(view) if drawn is None else drawn
    return study_pages.text(view.index, means, answer=told.text), files


def figures(view: StudyView, wanted: Iterable[str] | None = None) -> dict[str, bytes]:
    """The files of a study's figures, by path; of those of some names, or of all."""
    from repro.reporting.figures import figure_registry
    from repro.reporting.figures.illustration import encode

    shown = figure_registry.draw(view, wanted)
    return {f"figures/{one.name}.{form}": encode(one, form) for one in shown for form in SHOWN}


def _finished(keys: Sequence[str], found: Mapping[str, BriefRecord]) -> list[BriefRecord]:
    return [found[key] for key in keys if key in found and found[key].finished]


def _weights(
    index: StudyIndex, runs: Mapping[str, Sequence[BriefRecord]], results: Path
) -> dict[str, list[Floats]]:
    """The weights that figures show, by arm."""
    most = study_view.drawn_weights(index)
    found = {}
    for arm in study_view.drawn_arms(index):
        read = (records.read_weights(record, results) for record in runs[arm.name][:most])
        found[arm.name] = [weights for weights in read if weights is not None]
    return found
