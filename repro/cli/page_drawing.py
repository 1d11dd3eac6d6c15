"""The figures of a study's page in MLflow, drawn by two processes.

One draws the figures that show faces: it alone loads torch, the training pictures and networks. It
starts when the last runs of a study have begun and a processor is free, and draws when they have
ended, while this process draws the other figures. Both read records, so that the page is the same
as if one had drawn it; if the other process fails, this one draws all.
"""

import contextlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from repro.errors import ReproError
from repro.records.events import Event, OnEvent, RunRecorded, RunStarted, StudyStarted
from repro.records.records import StudyIndex
from repro.study.data_spec import Source, SyntheticTraining
from repro.system import count_progress
from repro.system.child_process import Answer, Child, ChildError, Gone, Say

if TYPE_CHECKING:
    from repro.reporting.figures.study_view import StudyView
    from repro.reporting.tables.table_part import Part
    from repro.study.study import Study

MOST = 1_000  # runs of a study whose records are read by both processes


class _Drawn(NamedTuple):
    """What the other process made: files by path, and sentences for the user."""

    files: dict[str, bytes]
    warnings: list[str]


class Drawing:
    """Draws the page of a study; leaving its context ends its process."""

    def __init__(self, study: "Study", results: Path) -> None:
        """Nothing is started yet.

        Args:
            study: That is run.
            results: The results folder.
        """
        self._results = results
        self._sources = {arm.configuration.data.train for arm in study.arms}
        self._child: Child | None = None
        self._total, self._begun = 0, set[str]()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self._end()

    def watching(self, on_event: OnEvent) -> OnEvent:
        """The same receiver of events; the process starts when no run is left to begin."""

        def on_event_here(event: Event) -> None:
            on_event(event)
            if isinstance(event, StudyStarted):  # of a study, or of more seeds of it
                self._end()
                self._total, self._begun = event.total - event.done, set()
            elif isinstance(event, RunStarted | RunRecorded):
                self._begun.add(event.key)
                if isinstance(event, RunRecorded) and len(self._begun) == self._total:
                    self._start()

        return on_event_here

    def page(
        self,
        view: "StudyView",
        tables: Callable[[], Sequence["Part"]],
        *,
        warn: Callable[[str], None],
    ) -> tuple[str, dict[str, bytes]]:
        """The page; see `exhibits.page`.

        Args:
            view: The study, without pictures.
            tables: Makes its tables.
            warn: As of `exhibits.with_pictures`.
        """
        from repro.cli import exhibits

        self._start()
        if self._child is not None and len(view.found) <= MOST:
            from repro.reporting.figures import figure_registry

            names = [*figure_registry.FIGURES]
            pictured = [name for name in names if name in figure_registry.PICTURED]
            self._child.send((view.index, self._results, pictured))
            parts = tables()
            files = exhibits.figures(view, [name for name in names if name not in pictured])
            with contextlib.suppress(Gone, ChildError, ReproError):  # met again below, and told
                drawn: _Drawn = self._answer()
                for sentence in drawn.warnings:
                    warn(sentence)
                files |= drawn.files
                paths = sorted(files, key=lambda path: names.index(Path(path).stem))
                return exhibits.page(view, parts, drawn={path: files[path] for path in paths})
        self._end()
        shown = exhibits.with_pictures(view, self._results, with_images=False, warn=warn)
        return exhibits.page(shown, tables())

    def _start(self) -> None:
        """Start the process, unless it is there or of no use; it loads what it needs."""
        shows_faces = any(isinstance(source, SyntheticTraining) for source in self._sources)
        is_worth_it = shows_faces and not _has_torch() and self._total <= MOST
        if self._child is None and is_worth_it:
            with contextlib.suppress(ReproError):
                self._child = Child(_prepare)
                self._child.send(self._sources)

    def _answer(self) -> Any:
        """The answer to the last request."""
        assert self._child is not None
        while not isinstance(answer := self._child.answer(), _Drawn):
            pass
        return answer

    def _end(self) -> None:
        if self._child is not None:
            self._child.stop()
            self._child.join()
            self._child = None


def _has_torch() -> bool:
    """Whether torch is loaded here: then it takes longer to load it again elsewhere."""
    return "torch" in sys.modules


def _prepare() -> Answer:
    """In the process: first read what figures are drawn from, then draw."""
    from repro.cli import exhibits
    from repro.execution import sample_faces
    from repro.reporting.figures import figure_registry  # noqa: F401 - loaded, as what it loads

    def answer(request: set[Source] | tuple[StudyIndex, Path, list[str]], _: Say) -> _Drawn | None:
        with count_progress.hidden():
            if isinstance(request, set):
                sample_faces.prepare(request)
                return None
            index, results, names = request
            warnings: list[str] = []
            view = exhibits.without_pictures(index, results)
            shown = exhibits.with_pictures(view, results, with_images=False, warn=warnings.append)
            return _Drawn(exhibits.figures(shown, names), warnings)

    return answer
