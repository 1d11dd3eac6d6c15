"""Write the figures of a study to files, in every format, with their captions."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from repro.errors import ReproError
from repro.reporting.figures import figure_registry
from repro.reporting.figures.illustration import FORMS, Illustration, encode
from repro.reporting.figures.study_view import StudyView
from repro.study.merge import did_you_mean
from repro.system import atomic_files

CAPTIONS = "captions.md"


def write(view: StudyView, folder: Path, *, only: Sequence[str] = ()) -> Iterator[Path]:
    """Draw and write the figures one by one.

    Args:
        view: The study's data.
        folder: Created if missing; files of the same names are replaced.
        only: Names of figures; all if empty.

    Returns:
        The path of each file after it was written; the captions last.

    Raises:
        ReproError: A figure is unknown, the study has no data for it, or the folder cannot be
            written.
    """
    for name in only:
        if name not in figure_registry.FIGURES:
            known = figure_registry.FIGURES
            hint = did_you_mean(name, known) or f"; there are {', '.join(known)}"
            raise ReproError(f"--only {name}: unknown figure{hint}")
    drawn = []
    for name in only or figure_registry.FIGURES:
        illustration = figure_registry.drawn(name, view)
        if illustration is None and only:
            raise ReproError(f"{view.index.address}: there is no data for --only {name}")
        if illustration is not None:
            drawn.append(illustration)
            for form in FORMS:
                yield atomic_files.put(
                    folder / f"{illustration.name}.{form}", encode(illustration, form)
                )
    if drawn:
        yield atomic_files.put(folder / CAPTIONS, captions(drawn).encode())


def captions(drawn: Sequence[Illustration]) -> str:
    """Titles, pictures and captions in Markdown."""
    return "\n".join(
        f"## {one.title}\n\n![{one.alt}]({one.name}.svg)\n\n{one.caption}{_answers(one)}\n"
        for one in drawn
    )


def _answers(one: Illustration) -> str:
    return f" Corresponds to: {one.sources}." if one.sources else ""
