"""Mirrors records to MLflow, for browsing only; never a source of numbers.

One process writes a study, as its runs end, and nothing is read back into a table. A write that
fails raises an error with one sentence. It may be tried again, or left to `synchronisation`:
opening a mirror repairs what a killed process left. Each study variant is an experiment
``STUDY/VARIANT`` of flat runs, with one more run that holds its tables and figures; its saved view
groups the runs by arm.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from repro.errors import RecordError, ReproError
from repro.records import records
from repro.records.mlflow import run_content, sqlite_store, study_pages
from repro.records.mlflow.bulk_writer import Store, silence
from repro.records.mlflow.run_content import Content, Listed, Name
from repro.records.records import Record, StudyIndex

if TYPE_CHECKING:
    from mlflow.entities import Experiment

STUDY_TAG = "repro.study.study"  # tag of this program's experiments
WHOLE = ("FINISHED", "FAILED")  # final states of this program's runs


def experiment_name(index: StudyIndex) -> str:
    """The name of the experiment of a study's variant."""
    return f"{index.name}/{index.variant}"


@dataclass(slots=True)
class Mirror:
    """The MLflow mirror as written by one process.

    Every method raises a `ReproError` that says why MLflow cannot be written, and may be called
    again; if the database was replaced, only another process can succeed.

    Attributes:
        results: The results folder.
        alive: Called from time to time during long work.
    """

    results: Path
    alive: Callable[[], None] = silence
    _store: Store | None = None
    _file: int = 0  # identifies the file that the store has open
    _opened: dict[str, tuple[str, set[Name]]] = field(default_factory=dict)

    def add(self, index: StudyIndex, arm: str, record: Record) -> None:
        """Mirror a run that ended; one that is mirrored already is skipped."""
        self._write(
            index, {(arm, record.key): run_content.content(index, arm, record, self.results)}
        )

    def add_all(self, index: StudyIndex, *runs: Name) -> None:
        """Mirror runs by their records; runs without a readable record are skipped."""
        with self._failing_in_a_sentence():
            _, mirrored = self._open(self._connect(), index)
        contents = {}
        for arm, key in runs:
            if (arm, key) not in mirrored:
                with contextlib.suppress(RecordError):  # reported when tables are made
                    record = records.read_record(key, self.results)
                    contents[arm, key] = run_content.content(index, arm, record, self.results)
            self.alive()
        if contents:
            self._write(index, contents)

    def _write(self, index: StudyIndex, contents: Mapping[Name, Content]) -> None:
        with self._failing_in_a_sentence():
            store = self._connect()
            experiment, mirrored = self._open(store, index)
            missing = [content for name, content in contents.items() if name not in mirrored]
            store.write(experiment, missing)
            mirrored.update(contents)

    def wants_page(self, index: StudyIndex) -> bool:
        """Whether the summary run or the experiment's description is missing or out of date.

        The description is written last and links to the summary run: a description without that
        link belongs to an earlier summary.
        """
        with self._failing_in_a_sentence():
            store = self._connect()
            identifier, _ = self._open(store, index)
            runs = store.listing(identifier)
            summaries = [run for run in runs if run.is_summary]
            if [run.shows for run in summaries] != [digest_of(index, runs)]:
                return True
            link = study_pages.run_link(identifier, summaries[0].identifier)
            description = store.client.get_experiment(identifier).tags.get(run_content.NOTE, "")
            return link not in description

    def finish(
        self, index: StudyIndex, text: str, files: Mapping[str, bytes] | None = None
    ) -> None:
        """Show a study's results; what is up to date is skipped.

        Args:
            index: The study.
            text: What both of its pages begin with, as made by `study_pages.text`.
            files: More files for the summary, by path, such as ``figures/recall.png``.
        """
        with self._failing_in_a_sentence():
            store = self._connect()
            experiment, _ = self._open(store, index)
            show(store, store.client.get_experiment(experiment), index, text, files=files)

    def _connect(self) -> Store:
        """The database, once checked to be present, intact and not locked by another writer."""
        path = sqlite_store.database(self.results)
        if self._store is None:
            client = sqlite_store.open_store(self.results)
            self._store = Store(client, path, lambda: self.alive())  # which changes
            self._file = path.stat().st_ino
        elif path.stat().st_ino != self._file:
            raise OSError("it was replaced")  # MLflow would continue to write to the old file
        else:
            sqlite_store.probe(path)
        return self._store

    def _open(self, store: Store, index: StudyIndex) -> tuple[str, set[Name]]:
        """The study's experiment, and the names of its complete runs."""
        name = experiment_name(index)
        if name not in self._opened:
            experiment = open_experiment(store, index, self.results).experiment_id
            wanted = {(arm, key) for arm, _, key in index.wanted()}

            def is_right(name: Name, run: Listed) -> bool:
                self.alive()
                return name in wanted and run_content.is_of(run, name[1], self.results)

            self._opened[name] = (experiment, sort_out(store, experiment, is_right)[0])
        return self._opened[name]

    @contextlib.contextmanager
    def _failing_in_a_sentence(self) -> Iterator[None]:
        try:
            with sqlite_store.quiet():
                yield
        except sqlite_store.failures() as error:
            self._opened.clear()  # a run may be half written
            path = sqlite_store.database(self.results)
            raise ReproError(f"{path}: {sqlite_store.sentence_of(error)}") from None


def open_experiment(store: Store, index: StudyIndex, results: Path) -> "Experiment":
    """The experiment of a study: created, or restored from MLflow's trash, with its saved view.

    MLflow fixes the path of an experiment's artifacts; if the results were moved since, the
    experiment is set aside and created again.
    """
    name = experiment_name(index)
    folder = sqlite_store.artifacts(results) / name
    if folder.resolve() != folder:
        raise OSError(f"{folder} leads to {folder.resolve()}: move the link away")
    found = store.client.get_experiment_by_name(name)
    if found is not None and found.lifecycle_stage == "deleted":
        store.client.restore_experiment(found.experiment_id)
    if found is not None and sqlite_store.folder_of(found.artifact_location) != folder:
        put_aside(store, found)
        found = None
    ours = {STUDY_TAG: index.name}
    identifier = (
        store.client.create_experiment(name, artifact_location=folder.as_uri(), tags=ours)
        if found is None
        else found.experiment_id
    )
    experiment = store.client.get_experiment(identifier)
    view = study_pages.view([arm.name for arm in index.arms], created=experiment.creation_time)
    set_tags(store, experiment, {**ours, study_pages.VIEW_TAG: view})
    return experiment


def put_aside(store: Store, experiment: "Experiment") -> None:
    """Rename an experiment, so that another may have its name."""
    plain, number = experiment.name.replace("/", " "), 1
    while store.client.get_experiment_by_name(f"{plain}, aside {number}") is not None:
        number += 1
    store.client.rename_experiment(experiment.experiment_id, f"{plain}, aside {number}")
    bin_experiment(store, experiment.experiment_id)


def bin_experiment(store: Store, experiment: str) -> bool:
    """Move an experiment to MLflow's trash; if it holds other people's runs, only our runs.

    Returns:
        Whether there was anything to move.
    """
    runs = store.listing(experiment)
    ours = [run for run in runs if run.name is not None or run.is_summary]
    if len(ours) == len(runs):
        store.client.delete_experiment(experiment)
        return True
    for run in ours:
        bin_run(store, run)
    return bool(ours)


def bin_run(store: Store, run: Listed) -> None:
    """Move a run to MLflow's trash, marked as ended."""
    if run.status not in WHOLE:
        store.client.set_terminated(run.identifier, status="KILLED")
    store.client.delete_run(run.identifier)


def sort_out(
    store: Store, experiment: str, is_right: Callable[[Name, Listed], bool]
) -> tuple[set[Name], list[Name]]:
    """Trash our runs that are incomplete, wrong or duplicate; other people's runs are kept.

    Args:
        store: The database.
        experiment: Its identifier.
        is_right: Whether a complete run of that name should be kept.

    Returns:
        The names of the kept runs and of the removed runs.
    """
    kept: set[Name] = set()
    binned = []
    for run in store.listing(experiment):
        name, is_whole = run.name, run.status in WHOLE
        if name is None:
            if run.is_summary and not is_whole:
                bin_run(store, run)
        elif name not in kept and is_whole and is_right(name, run):
            kept.add(name)
        else:
            bin_run(store, run)
            binned.append(name)
    return kept, binned


def digest_of(index: StudyIndex, runs: Iterable[Listed]) -> str:
    """A digest of a study and its mirrored runs, from which a summary is made."""
    names = sorted(run.name for run in runs if run.name is not None)
    return hashlib.sha256(json.dumps([asdict(index), names]).encode()).hexdigest()


def show(
    store: Store,
    experiment: "Experiment",
    index: StudyIndex,
    text: str,
    *,
    files: Mapping[str, bytes] | None,
) -> bool:
    """Update an experiment's description and summary run.

    Returns:
        Whether anything had to be updated.
    """
    identifier = experiment.experiment_id
    runs = store.listing(identifier)
    shows = {run_content.SHOWS_TAG: digest_of(index, runs)}
    content = study_pages.summary(index, text, files or {}, tags=shows)
    kept, stale = None, []
    for run in runs:
        if not run.is_summary:
            continue
        if kept is None and run_content.holds(store.read(run.identifier), content):
            kept = run.identifier
        else:
            stale.append(run)
    for run in stale:
        bin_run(store, run)
    summary = kept or run_content.write(store.client, identifier, content)
    link = study_pages.run_link(identifier, summary)
    described = study_pages.description(
        index, text, files=content.artifacts, run=summary, link=link
    )
    changed = set_tags(store, experiment, {run_content.NOTE: described})
    return changed or kept is None or bool(stale)


def set_tags(store: Store, experiment: "Experiment", tags: Mapping[str, str | None]) -> bool:
    """Set the tags of an experiment that differ and are not None; whether there were any."""
    differing = [
        (name, value)
        for name, value in tags.items()
        if value is not None and experiment.tags.get(name) != value
    ]
    for name, value in differing:
        store.client.set_experiment_tag(experiment.experiment_id, name, value)
    return bool(differing)
