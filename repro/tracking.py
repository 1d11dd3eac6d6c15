"""Records -> MLflow: a mirror to browse in, never a source of numbers.

One process writes a study, one ended run at a time, and nothing is read back into a table.
What cannot be written is an error in a sentence. It may be tried again, or left to
`synchronisation`: a mirror that is opened puts right what a process that was killed left there.
Each study variant is an experiment ``STUDY/VARIANT`` of flat runs, and one more run that holds its
tables and figures; its saved view groups the runs by arm.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from repro import mlflow_pages, mlflow_runs, mlflow_store
from repro.errors import ReproError
from repro.records import Record, StudyIndex

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment, Run

STUDY_TAG = "repro.study"  # of an experiment of ours
SHOWS_TAG = "repro.shows"  # of a summary: what it is made from
WHOLE = ("FINISHED", "FAILED")  # how a run of ours ends
Name = tuple[str, str]  # of a run within a study: arm and key


def experiment_name(index: StudyIndex) -> str:
    """The experiment of a study's variant."""
    return f"{index.name}/{index.variant}"


@dataclass(slots=True)
class Mirror:
    """What one process writes to MLflow.

    Every method raises a `ReproError` that says why MLflow cannot be written, and may be called
    again; where the database was replaced, that helps in another process only.

    Attributes:
        results: The results folder.
    """

    results: Path
    _client: "MlflowClient | None" = None
    _file: int = 0  # which file the client has open
    _opened: dict[str, tuple[str, set[Name]]] = field(default_factory=dict)

    def add(self, index: StudyIndex, arm: str, record: Record) -> None:
        """Mirror a run that ended; one that is mirrored already is left alone."""
        content = mlflow_runs.content(index, arm, record, self.results)
        with self._failing_in_a_sentence():
            client = self._connect()
            experiment, mirrored = self._open(client, index)
            if (arm, record.key) not in mirrored:
                mlflow_runs.write(client, experiment, content)
                mirrored.add((arm, record.key))

    def wants_page(self, index: StudyIndex) -> bool:
        """Whether what a study comes to has to be shown anew: of these runs, nothing is shown."""
        with self._failing_in_a_sentence():
            client = self._connect()
            experiment, _ = self._open(client, index)
            runs = mlflow_runs.runs_of(client, experiment)
            shown = [run.data.tags.get(SHOWS_TAG) for run in runs if is_summary(run)]
            return shown != [digest_of(index, runs)]

    def finish(
        self, index: StudyIndex, table_markdown: str, *, files: Mapping[str, bytes] | None = None
    ) -> None:
        """Show what a study comes to; what is shown already is left alone.

        Args:
            index: The study.
            table_markdown: For the experiment's description, and the ``table.md`` of its summary.
            files: More for the summary, by path, such as ``figures/recall.png``.
        """
        with self._failing_in_a_sentence():
            client = self._connect()
            experiment, _ = self._open(client, index)
            show(client, client.get_experiment(experiment), index, table_markdown, files=files)

    def _connect(self) -> "MlflowClient":
        """A client of a database that is there, whole, and not held by another writer."""
        path = mlflow_store.database(self.results)
        if self._client is None:
            self._client = mlflow_store.open_store(self.results)
            self._file = path.stat().st_ino
        elif path.stat().st_ino != self._file:
            raise OSError("it was replaced")  # MLflow would go on writing to the one that is gone
        else:
            mlflow_store.probe(path)
        return self._client

    def _open(self, client: "MlflowClient", index: StudyIndex) -> tuple[str, set[Name]]:
        """The study's experiment, and the names of the runs that are whole there."""
        name = experiment_name(index)
        if name not in self._opened:
            experiment = open_experiment(client, index, self.results).experiment_id
            wanted = {(arm, key) for arm, _, key in index.wanted()}
            mirrored, _ = sort_out(
                client,
                experiment,
                lambda name, run: name in wanted and mlflow_runs.is_of(run, name[1], self.results),
            )
            self._opened[name] = (experiment, mirrored)
        return self._opened[name]

    @contextlib.contextmanager
    def _failing_in_a_sentence(self) -> Iterator[None]:
        try:
            with mlflow_store.quiet():
                yield
        except mlflow_store.failures() as error:
            self._opened.clear()  # a run may be half written
            path = mlflow_store.database(self.results)
            raise ReproError(f"{path}: {mlflow_store.sentence_of(error)}") from None


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
    ours = {STUDY_TAG: index.name}
    identifier = (
        client.create_experiment(name, artifact_location=folder.as_uri(), tags=ours)
        if found is None
        else found.experiment_id
    )
    experiment = client.get_experiment(identifier)
    view = mlflow_pages.view([arm.name for arm in index.arms], created=experiment.creation_time)
    set_tags(client, experiment, {**ours, mlflow_pages.VIEW_TAG: view})
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
        bin_run(client, run)
    return bool(ours)


def bin_run(client: "MlflowClient", run: "Run") -> None:
    """Put a run into MLflow's bin; none lies there as if it were still running."""
    if run.info.status not in WHOLE:
        client.set_terminated(run.info.run_id, status="KILLED")
    client.delete_run(run.info.run_id)


def sort_out(
    client: "MlflowClient", experiment: str, is_right: Callable[[Name, "Run"], bool]
) -> tuple[set[Name], list[Name]]:
    """Bin our runs that are not whole, not right, or there twice; others' own are left alone.

    Args:
        client: Of the store.
        experiment: Its identifier.
        is_right: Whether a whole run of that name should stay.

    Returns:
        The names of the runs that stay and of those that went.
    """
    kept: set[Name] = set()
    binned = []
    for run in mlflow_runs.runs_of(client, experiment):
        name, is_whole = run_name(run), run.info.status in WHOLE
        if name is None:
            if is_summary(run) and not is_whole:
                bin_run(client, run)
        elif name not in kept and is_whole and is_right(name, run):
            kept.add(name)
        else:
            bin_run(client, run)
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


def digest_of(index: StudyIndex, runs: Iterable["Run"]) -> str:
    """Stands for a study and those of the runs that are its own: what a summary is made from."""
    names = sorted(name for run in runs if (name := run_name(run)) is not None)
    return hashlib.sha256(json.dumps([asdict(index), names]).encode()).hexdigest()


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
    runs = mlflow_runs.runs_of(client, identifier)
    shows = {SHOWS_TAG: digest_of(index, runs)}
    content = mlflow_pages.summary(index, table_markdown, files or {}, tags=shows)
    kept, stale = None, []
    for run in filter(is_summary, runs):
        if kept is None and mlflow_runs.holds(client, run, content):
            kept = run.info.run_id
        else:
            stale.append(run)
    for run in stale:
        bin_run(client, run)
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
