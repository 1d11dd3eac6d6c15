"""Makes the whole MLflow mirror equal to the records.

What is missing is added, what differs is trashed and written again, what no study wants is trashed.
MLflow's trash keeps everything, and a database that cannot be read is set aside: nothing is
deleted. Other people's runs and experiments are not changed, nor is a running study, which mirrors
itself.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from repro.errors import ReproError
from repro.records import locks, records
from repro.records.mlflow import mirror, run_content, sqlite_store, study_pages
from repro.records.mlflow.bulk_writer import AT_ONCE, Store
from repro.records.mlflow.run_content import Listed, Name
from repro.records.records import StudyIndex
from repro.system.count_progress import Advance, counting

if TYPE_CHECKING:
    from mlflow.entities import Experiment

Page = tuple[str, Mapping[str, bytes]]  # as made by `study_pages.text`, and files by path


@dataclass(slots=True)
class Changes:
    """The changes that a synchronisation made.

    Attributes:
        runs: Number of runs in the mirror now, of the studies examined.
        studies: Number of variants examined, without those that are running.
        added: Number of runs that were missing.
        renewed: Number of runs that were half written, or differed from their record.
        removed: Number of runs that no study wants.
        pages: Number of studies whose description, tables or figures were out of date.
        remarks: Sentences about other observations.
    """

    runs: int = 0
    studies: int = 0
    added: int = 0
    renewed: int = 0
    removed: int = 0
    pages: int = 0
    remarks: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        line = (
            f"{_count(self.runs, 'run')} in {_count(self.studies, 'study', 'studies')}: "
            f"{self.added} added, {self.renewed} renewed, {self.removed} removed"
        )
        if self.pages:
            line += f"; tables and figures of {_count(self.pages, 'study', 'studies')} renewed"
        return "\n".join([*self.remarks, line])


def synchronise(
    results: Path, *, only: StudyIndex | None = None, summary: Callable[[StudyIndex], Page]
) -> Changes:
    """Make the mirror equal to the records.

    Args:
        results: The results folder.
        only: The variant of a study to mirror; every variant of every study if None.
        summary: Gives the page content of a study that has records, as for `Mirror.finish`.

    Raises:
        RecordError: A record or an index is damaged.
        ReproError: The mirror cannot be written.
    """
    indexes = records.read_indexes(results) if only is None else [only]
    if not indexes and not sqlite_store.database(results).exists():
        raise ReproError(f"{results}: no study to mirror; run one first")
    changes = Changes()
    with _failing_in_a_sentence(results):
        _set_aside_if_broken(results, changes)
        store = Store(sqlite_store.open_store(results), sqlite_store.database(results))
    wanted = set()
    for index in indexes:
        name = mirror.experiment_name(index)
        with locks.of_study(index, results) as holder:
            if holder is not None:
                changes.remarks.append(f"{name}: another process runs or mirrors it; left alone")
                wanted.add(name)
            elif ended := _ended(index, results):
                page = summary(index)
                _synchronise_study(store, index, ended, results, page=page, changes=changes)
                wanted.add(name)
    with _failing_in_a_sentence(results):
        _bin_lost_studies(store, wanted, only, changes)
    return changes


def _ended(index: StudyIndex, results: Path) -> list[Name]:
    """The runs of a study that have a record."""
    return [(arm, key) for arm, _, key in index.wanted() if records.has_record(key, results)]


def _content(index: StudyIndex, results: Path, name: Name) -> run_content.Content:
    """What the mirror should hold of a run; made when it is needed, to hold few in memory."""
    arm, key = name
    return run_content.content(index, arm, records.read_record(key, results), results)


def _synchronise_study(
    store: Store,
    index: StudyIndex,
    ended: Sequence[Name],
    results: Path,
    *,
    page: Page,
    changes: Changes,
) -> None:
    text, files = page
    with _failing_in_a_sentence(results):
        experiment = mirror.open_experiment(store, index, results)
        with counting(f"{experiment.name} to MLflow", len(ended), unit="runs") as advance:
            make = partial(_content, index, results)
            _synchronise_runs(store, experiment, ended, make, advance, changes)
        changes.pages += mirror.show(store, experiment, index, text, files=files)
    changes.studies += 1
    changes.runs += len(ended)


def _synchronise_runs(
    store: Store,
    experiment: "Experiment",
    ended: Sequence[Name],
    make: Callable[[Name], run_content.Content],
    advance: Advance,
    changes: Changes,
) -> None:
    identifier, wanted = experiment.experiment_id, set(ended)
    with store.reading() as read:

        def is_right(name: Name, run: Listed) -> bool:
            right = name in wanted and run_content.holds(read(run.identifier), make(name))
            advance(right)
            return right

        kept, binned = mirror.sort_out(store, identifier, is_right)
    missing = [name for name in ended if name not in kept]
    for first in range(0, len(missing), AT_ONCE):
        part = missing[first : first + AT_ONCE]
        store.write(identifier, [make(name) for name in part])
        advance(len(part))
    renewed = len(set(missing) & set(binned))
    changes.added += len(missing) - renewed
    changes.renewed += renewed
    changes.removed += len(binned) - renewed


def _bin_lost_studies(
    store: Store, wanted: set[str], only: StudyIndex | None, changes: Changes
) -> None:
    """Trash the experiments of ours that no study with records wants any more."""
    for experiment in store.client.search_experiments():
        is_ours = mirror.STUDY_TAG in experiment.tags or study_pages.VIEW_TAG in experiment.tags
        is_meant = only is None or experiment.name == mirror.experiment_name(only)
        if not is_ours or not is_meant or experiment.name in wanted:
            continue
        if mirror.bin_experiment(store, experiment.experiment_id):
            changes.remarks.append(
                f"{experiment.name} has no records in these results: moved to MLflow's trash"
            )


def _set_aside_if_broken(results: Path, changes: Changes) -> None:
    path = sqlite_store.database(results)
    reason = sqlite_store.fault(path) if path.exists() else None
    if reason is not None:
        aside = sqlite_store.set_aside(results)
        changes.remarks.append(
            f"{path}: MLflow cannot read this ({reason}); the folder is kept as {aside}, and a new "
            "mirror is built"
        )


@contextlib.contextmanager
def _failing_in_a_sentence(results: Path) -> Iterator[None]:
    try:
        with sqlite_store.quiet():
            yield
    except sqlite_store.failures() as error:
        raise ReproError(
            f"{sqlite_store.database(results)}: the mirror cannot be written "
            f"({sqlite_store.sentence_of(error)}); make sure that the folder is writable and "
            "that nothing else writes there, then run the same command again"
        ) from None


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}"
