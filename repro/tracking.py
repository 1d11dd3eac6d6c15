"""Records -> MLflow: a mirror to browse in, never a source of numbers.

Only the parent process writes here, one ended run at a time, and nothing is read back into a table.
Whatever goes wrong costs one warning and the rest of the mirror, never a study: what the mirror
lacks is added the next time that its study runs, or by `synchronisation`.
Each study variant is an experiment ``STUDY/VARIANT`` of flat runs, and one more run that holds its
tables and figures; its saved view groups the runs by arm.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from repro import mlflow_pages, mlflow_runs, mlflow_store
from repro.records import Record, StudyIndex

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment, Run

STUDY_TAG = "repro.study"  # of an experiment of ours
Name = tuple[str, str]  # of a run within a study: arm and key


def experiment_name(index: StudyIndex) -> str:
    """The experiment of a study's variant."""
    return f"{index.name}/{index.variant}"


@dataclass(slots=True)
class _Opened:
    """An experiment, the runs that it holds, and whether they changed since it was opened."""

    id: str
    mirrored: set[Name]
    changed: bool


@dataclass(slots=True)
class Mirror:
    """What the parent process writes to MLflow.

    Attributes:
        results: The results folder.
        warn: Told once, in a sentence, if the mirror cannot be kept.
    """

    results: Path
    warn: Callable[[str], None]
    _is_off: bool = False
    _client: "MlflowClient | None" = None
    _opened: dict[str, _Opened] = field(default_factory=dict)

    def add(self, index: StudyIndex, arm: str, record: Record) -> None:
        """Mirror a run that ended; one that is mirrored already is left alone."""
        if self._is_off:
            return
        content = mlflow_runs.content(index, arm, record, self.results)
        with self._one_warning():
            client = self._connect()
            experiment = self._open(client, index)
            if (arm, record.key) not in experiment.mirrored:
                mlflow_runs.write(client, experiment.id, content)
                experiment.mirrored.add((arm, record.key))
                experiment.changed = True

    def wants_page(self, index: StudyIndex) -> bool:
        """Whether what a study comes to has to be shown anew: runs changed, or nothing is shown."""
        if self._is_off:
            return False
        with self._one_warning():
            client = self._connect()
            experiment = self._open(client, index)
            shown = any(map(is_summary, mlflow_runs.runs_of(client, experiment.id)))
            return experiment.changed or not shown
        return False

    def finish(
        self, index: StudyIndex, table_markdown: str, *, files: Mapping[str, bytes] | None = None
    ) -> None:
        """Show what a study comes to; what is shown already is left alone.

        Args:
            index: The study.
            table_markdown: For the experiment's description, and the ``table.md`` of its summary.
            files: More for the summary, by path, such as ``figures/recall.png``.
        """
        if self._is_off:
            return
        with self._one_warning():
            client = self._connect()
            experiment = self._open(client, index).id
            show(client, client.get_experiment(experiment), index, table_markdown, files=files)

    def _connect(self) -> "MlflowClient":
        """A client of a database that is there, whole, and not held by another writer."""
        if self._client is None:
            self._client = mlflow_store.open_store(self.results)
        else:
            mlflow_store.probe(mlflow_store.database(self.results))
        return self._client

    def _open(self, client: "MlflowClient", index: StudyIndex) -> _Opened:
        name = experiment_name(index)
        if name not in self._opened:
            experiment = open_experiment(client, index, self.results)
            wanted = {(arm, key) for arm, _, key in index.wanted()}
            mirrored, binned = sort_out(
                client,
                experiment.experiment_id,
                lambda name, run: name in wanted and run.info.status != "RUNNING",
            )
            self._opened[name] = _Opened(experiment.experiment_id, mirrored, bool(binned))
        return self._opened[name]

    @contextlib.contextmanager
    def _one_warning(self) -> Iterator[None]:
        """Turn the first failure into a sentence, and the mirror off."""
        try:
            with mlflow_store.quiet():
                yield
        except mlflow_store.failures() as error:
            self._is_off = True
            self.warn(
                f"{mlflow_store.database(self.results)}: not mirrored to MLflow from here on "
                f"({mlflow_store.sentence_of(error)}); the records are safe, and a later "
                "`repro sync` completes the mirror"
            )


def open_experiment(client: "MlflowClient", index: StudyIndex, results: Path) -> "Experiment":
    """The experiment of a study: created, or taken out of MLflow's bin, and with its saved view.

    MLflow fixes where an experiment's artifacts are; if the results were moved since, it is put
    aside and begun anew.
    """
    name = experiment_name(index)
    folder = mlflow_store.artifacts(results) / name
    found = client.get_experiment_by_name(name)
    if found is not None and found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    if found is not None and mlflow_store.folder_of(found.artifact_location) != folder:
        put_aside(client, found)
        found = None
    identifier = (
        client.create_experiment(name, artifact_location=folder.as_uri())
        if found is None
        else found.experiment_id
    )
    experiment = client.get_experiment(identifier)
    view = mlflow_pages.view([arm.name for arm in index.arms], created=experiment.creation_time)
    set_tags(client, experiment, {STUDY_TAG: index.name, mlflow_pages.VIEW_TAG: view})
    return experiment


def put_aside(client: "MlflowClient", experiment: "Experiment") -> None:
    """Give up an experiment under its name: another may have it."""
    plain, number = experiment.name.replace("/", " "), 1
    while client.get_experiment_by_name(f"{plain}, aside {number}") is not None:
        number += 1
    client.rename_experiment(experiment.experiment_id, f"{plain}, aside {number}")
    bin_experiment(client, experiment.experiment_id)


def bin_experiment(client: "MlflowClient", experiment: str) -> bool:
    """Put an experiment into MLflow's bin; of one that holds somebody's own runs, only ours.

    Returns:
        Whether there was anything to bin.
    """
    runs = mlflow_runs.runs_of(client, experiment)
    ours = [run for run in runs if run_name(run) is not None or is_summary(run)]
    if len(ours) == len(runs):
        client.delete_experiment(experiment)
        return True
    for run in ours:
        client.delete_run(run.info.run_id)
    return bool(ours)


def sort_out(
    client: "MlflowClient", experiment: str, is_right: Callable[[Name, "Run"], bool]
) -> tuple[set[Name], list[Name]]:
    """Bin our runs that are not right, or there twice; somebody's own are left alone.

    Args:
        client: Of the store.
        experiment: Its identifier.
        is_right: Whether a run of that name should stay.

    Returns:
        The names of the runs that stay and of those that went.
    """
    kept: set[Name] = set()
    binned = []
    for run in mlflow_runs.runs_of(client, experiment):
        name = run_name(run)
        if name is None:
            continue
        if name not in kept and is_right(name, run):
            kept.add(name)
        else:
            client.delete_run(run.info.run_id)
            binned.append(name)
    return kept, binned


def run_name(run: "Run") -> Name | None:
    """Arm and key of a run of ours; None of a summary or of somebody's own."""
    key = run.data.tags.get("repro.key")
    if key is None:
        return None
    return run.data.params.get("arm", run.data.tags.get("repro.arm", "")), key


def is_summary(run: "Run") -> bool:
    """Whether it is the run that holds a study's tables and figures."""
    return run.data.tags.get("repro.kind") == "summary"


def show(
    client: "MlflowClient",
    experiment: "Experiment",
    index: StudyIndex,
    table_markdown: str,
    *,
    files: Mapping[str, bytes] | None,
) -> bool:
    """Make an experiment's description and summary run what they should be.

    Returns:
        Whether they were not.
    """
    identifier = experiment.experiment_id
    content = mlflow_pages.summary(index, table_markdown, files or {})
    kept, stale = None, []
    for run in filter(is_summary, mlflow_runs.runs_of(client, identifier)):
        if kept is None and mlflow_runs.holds(client, run, content):
            kept = run.info.run_id
        else:
            stale.append(run.info.run_id)
    for run_id in stale:
        client.delete_run(run_id)
    summary = kept or mlflow_runs.write(client, identifier, content)
    link = mlflow_pages.run_link(identifier, summary)
    text = mlflow_pages.description(index, table_markdown, link=link)
    changed = set_tags(client, experiment, {mlflow_runs.NOTE: text})
    return changed or kept is None or bool(stale)


def set_tags(
    client: "MlflowClient", experiment: "Experiment", tags: Mapping[str, str | None]
) -> bool:
    """Set those tags of an experiment that differ and are not None; whether there were any."""
    differing = [
        (name, value)
        for name, value in tags.items()
        if value is not None and experiment.tags.get(name) != value
    ]
    for name, value in differing:
        client.set_experiment_tag(experiment.experiment_id, name, value)
    return bool(differing)
