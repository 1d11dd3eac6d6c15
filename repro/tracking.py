"""Records -> MLflow: a mirror to browse in, never a source of numbers.

Only the parent process writes here, one ended run at a time, and nothing is read back into a table.
Whatever goes wrong costs one warning and the rest of the mirror, never a study: a record that the
mirror lacks is added the next time that its study runs.
Each study variant is an experiment ``STUDY/VARIANT`` of flat runs; its saved view groups them by
arm. Importing MLflow takes a second, so it happens when the first run is mirrored.
"""

import base64
import contextlib
import json
import math
import os
import re
import sqlite3
import sys
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repro.records import Record, StudyIndex

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment, Run

QUIET = {  # read by MLflow when it is imported
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",  # below that it prints tracebacks of what we report
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
VIEW_KEY = "arms"  # of the saved view that groups an experiment's runs by arm
METRICS_AT_ONCE, PARAMS_AT_ONCE, TAGS_AT_ONCE = 1000, 100, 100  # MLflow's limits
LONGEST_PARAM, LONGEST_TAG, LONGEST_DESCRIPTION = 6000, 8000, 5000  # it cuts what is longer
RUNS_PER_PAGE = 1000
PATIENCE = 2.0  # seconds for another writer; MLflow itself would wait 20 and retry for 100

Point = tuple[str, float, int]  # metric, value, step


def database(results: Path) -> Path:
    """Where the mirror's database is, or would be."""
    return results.resolve() / "mlflow" / "mlflow.db"


def artifacts(results: Path) -> Path:
    """Where the mirror's artifacts are, or would be."""
    return results.resolve() / "mlflow" / "artifacts"


def store_uri(results: Path) -> str:
    """The mirror's address for MLflow, absolute."""
    return f"sqlite:///{database(results).as_posix()}"


def experiment_name(index: StudyIndex) -> str:
    """The experiment of a study's variant."""
    return f"{index.name}/{index.variant}"


@dataclass(slots=True)
class _Opened:
    """An experiment, and the (arm, key) of the runs that it holds."""

    id: str
    mirrored: set[tuple[str, str]]


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
        content = _content(index, arm, record)
        with self._one_warning():
            client = self._connect()
            experiment = self._open(client, index)
            if (arm, record.key) not in experiment.mirrored:
                _write(client, experiment.id, content)
                experiment.mirrored.add((arm, record.key))

    def finish(self, index: StudyIndex, table_markdown: str) -> None:
        """Describe the study's experiment: question, data, table."""
        if self._is_off:
            return
        text = description(index, table_markdown)
        with self._one_warning():
            client = self._connect()
            experiment = self._open(client, index)
            client.set_experiment_tag(experiment.id, "mlflow.note.content", text)

    def _connect(self) -> "MlflowClient":
        """A client of a database that is there, whole, and not held by another writer."""
        path = database(self.results)
        if self._client is None:
            if not path.exists():
                create_database(path)
            _probe(path)
            self._client = connect(store_uri(self.results))
        else:
            _probe(path)
        return self._client

    def _open(self, client: "MlflowClient", index: StudyIndex) -> _Opened:
        name = experiment_name(index)
        if name not in self._opened:
            experiment = _experiment(client, name, artifacts(self.results))
            _save_view(client, experiment, index)
            mirrored = _mirrored(client, experiment.experiment_id, index)
            self._opened[name] = _Opened(experiment.experiment_id, mirrored)
        return self._opened[name]

    @contextlib.contextmanager
    def _one_warning(self) -> Iterator[None]:
        """Turn the first failure into a sentence, and the mirror off."""
        try:
            with quiet():
                yield
        except failures() as error:
            self._is_off = True
            reason = str(error).strip() or type(error).__name__
            self.warn(
                f"{database(self.results)}: not mirrored to MLflow from here on "
                f"({reason.splitlines()[0]}); the records are safe, and a later `repro run` "
                "completes the mirror (if this comes again, move the folder away first)"
            )


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep MLflow from reporting home, logging, and warning of what only its authors can mend."""
    os.environ.update(QUIET)
    with warnings.catch_warnings():
        # MLflow's tables use a loader that SQLAlchemy 2.1 deprecates
        warnings.filterwarnings("ignore", ".*``noload``", DeprecationWarning)
        yield


def failures() -> tuple[type[Exception], ...]:
    """What may come out of MLflow, its database and its migrations."""
    own = [OSError, ImportError, sqlite3.Error]
    inner = [AttributeError, LookupError, RuntimeError, TypeError, ValueError]
    named = [
        ("mlflow.exceptions", "MlflowException"),
        ("sqlalchemy.exc", "SQLAlchemyError"),
        ("alembic.util", "CommandError"),
    ]
    loaded = [getattr(sys.modules[module], name) for module, name in named if module in sys.modules]
    return (*own, *inner, *loaded)


def connect(uri: str) -> "MlflowClient":
    """A client of a store; within ``quiet``.

    Raises:
        ValueError: The path has a character that MLflow and SQLAlchemy read in two ways.
    """
    if "%" in uri or "?" in uri:
        raise ValueError("MLflow cannot use a path with % or ? in it")
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def create_database(path: Path) -> None:
    """Build the database aside, then put it in place whole; within ``quiet``.

    Two processes that build one in place, or one that is killed while it does, break it for good.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.touch()  # MLflow would try for long where this fails at once
    try:
        connect(f"sqlite:///{partial.as_posix()}").search_experiments(max_results=1)
        with contextlib.suppress(FileExistsError):  # another process was first: its stays
            path.hardlink_to(partial)
    finally:
        partial.unlink(missing_ok=True)


def _probe(path: Path) -> None:
    """Raise at once where MLflow would wait: not a database, not writable, held by a writer."""
    address = f"{path.as_uri()}?mode=rw"  # without it a missing file would be made, empty
    connecting = sqlite3.connect(address, timeout=PATIENCE, uri=True, isolation_level=None)
    with contextlib.closing(connecting) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("SELECT count(*) FROM sqlite_master")
        connection.execute("ROLLBACK")


def _experiment(client: "MlflowClient", name: str, folder: Path) -> "Experiment":
    """The experiment of that name, created or taken out of MLflow's bin."""
    found = client.get_experiment_by_name(name)
    if found is None:
        return client.get_experiment(
            client.create_experiment(name, artifact_location=(folder / name).as_uri())
        )
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return found


def _mirrored(client: "MlflowClient", experiment: str, index: StudyIndex) -> set[tuple[str, str]]:
    """The runs that are mirrored; ours that are half written or not wanted any more are binned."""
    wanted = {(arm, key) for arm, _, key in index.wanted()}
    found: set[tuple[str, str]] = set()
    for run in _runs(client, experiment):
        key, arm = run.data.tags.get("repro.key"), run.data.params.get("arm", "")
        if key is None:
            continue  # somebody's own run
        if run.info.status == "RUNNING" or (arm, key) not in wanted or (arm, key) in found:
            client.delete_run(run.info.run_id)
        else:
            found.add((arm, key))
    return found


def _runs(client: "MlflowClient", experiment: str) -> list["Run"]:
    page = client.search_runs([experiment], max_results=RUNS_PER_PAGE)
    found = list(page)
    while page.token:
        page = client.search_runs([experiment], max_results=RUNS_PER_PAGE, page_token=page.token)
        found += page
    return found


def _save_view(client: "MlflowClient", experiment: "Experiment", index: StudyIndex) -> None:
    """Save a view that shows a line per arm, its mean over seeds.

    MLflow's page reads this tag; the format is its own and undocumented, found in the page's
    script (MLflow 3.17). A page that does not understand it shows the runs one by one.
    """
    state = {
        "groupBy": {
            "aggregateFunction": "average",
            "groupByKeys": [{"mode": "param", "groupByData": "arm"}],
        },
        "groupsExpanded": {f"param.arm.{arm.name}": False for arm in index.arms},
        "runsHiddenMode": "SHOW_ALL",
        "useGroupedValuesInCharts": True,
    }
    packed = base64.b64encode(zlib.compress(json.dumps(state).encode())).decode()
    view = {
        "name": "Arms (means over seeds)",
        "createdAt": experiment.creation_time,
        "updatedAt": experiment.creation_time,
        "state": f"deflate;{packed}",
    }
    tag, value = f"mlflow.sharedViewState.{VIEW_KEY}", json.dumps(view)
    if experiment.tags.get(tag) != value and len(value) <= LONGEST_DESCRIPTION:
        client.set_experiment_tag(experiment.experiment_id, tag, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    """A run as MLflow will hold it; times in milliseconds since 1970, or None."""

    name: str
    status: str
    started: int | None
    ended: int | None
    params: dict[str, str]
    tags: dict[str, str]
    points: list[Point]


def _content(index: StudyIndex, arm: str, record: Record) -> _Content:
    started, ended = _times(record.provenance)
    params = {**flatten(record.configuration), "arm": arm, "seed": str(record.seed)}
    return _Content(
        name=f"{arm}, seed {record.seed}",
        status="FINISHED" if record.finished else "FAILED",
        started=started,
        ended=ended,
        params={name: value[:LONGEST_PARAM] for name, value in params.items()},
        tags={name: value[:LONGEST_TAG] for name, value in _tags(index, record).items()},
        points=[point for point in _points(record) if math.isfinite(point[1])],
    )


def _write(client: "MlflowClient", experiment: str, content: _Content) -> None:
    """Write a run; until its last line it is RUNNING, and so done again if cut short."""
    from mlflow.entities import Metric, Param

    run = client.create_run(
        experiment, start_time=content.started, tags=content.tags, run_name=content.name
    ).info
    time = run.start_time if content.ended is None else content.ended
    params = [Param(name, value) for name, value in content.params.items()]
    metrics: list[Metric] = [
        Metric(name, value, time, step) for name, value, step in content.points
    ]
    for start in range(0, len(params), PARAMS_AT_ONCE):
        client.log_batch(run.run_id, params=params[start : start + PARAMS_AT_ONCE])
    for start in range(0, len(metrics), METRICS_AT_ONCE):
        client.log_batch(run.run_id, metrics=metrics[start : start + METRICS_AT_ONCE])
    client.set_terminated(run.run_id, status=content.status, end_time=content.ended)


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Every leaf of a nested mapping under its dotted path; a list is one leaf."""
    leaves: dict[str, str] = {}
    for name, value in tree.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping):
            leaves |= flatten(value, f"{path}.")
        else:
            leaves[path] = json.dumps(value) if isinstance(value, list | tuple) else str(value)
    return leaves


def _tags(index: StudyIndex, record: Record) -> dict[str, str]:
    tags = {
        "repro.key": record.key,
        "repro.status": "finished" if record.finished else "failed",
        "repro.record": f"runs/{record.key}/record.json",
        **{f"repro.data.{part}": digest for part, digest in record.data.items()},
        "mlflow.user": "repro",
        "mlflow.source.name": f"repro run {index.name}",
        "mlflow.source.type": "LOCAL",
    }
    if record.failure is not None:
        failure = record.failure
        tags["repro.failure"] = f"epoch {failure['epoch']}: {failure['term']}: {failure['reason']}"
    if record.provenance.get("commit") is not None:
        tags["mlflow.source.git.commit"] = str(record.provenance["commit"])
    return tags


def _points(record: Record) -> Iterator[Point]:
    """Epochs as curves, then single numbers; what precedes the slash is a section of charts."""
    for epoch in record.history:
        for name, value in epoch.items():
            if name != "epoch":
                yield _history_name(name), float(value), int(epoch["epoch"])
    for name, value in record.metrics.items():
        final = name.removeprefix("val_")
        yield (f"test/{name}" if final == name else f"val/final_{final}"), float(value), 0
    for group, count in record.groups.items():
        yield f"test/recall_{re.sub(r'[^A-Za-z0-9_. -]', '_', group)}", count.share, 0


def _history_name(name: str) -> str:
    section, _, rest = name.partition("_")
    return f"{section}/{rest}" if section in ("train", "val") else f"debias/{name}"


def _times(provenance: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Start and end, as far as the record says."""
    if "started" not in provenance:
        return None, None
    started = round(datetime.fromisoformat(provenance["started"]).timestamp() * 1000)
    if "seconds" not in provenance:
        return started, None
    return started, started + round(provenance["seconds"] * 1000)


def description(index: StudyIndex, table_markdown: str) -> str:
    """The Markdown text of a study's experiment.

    Its first line is plain, because the list of experiments shows the text raw.
    A table that is too long for MLflow loses its last rows, and says so.
    """
    kind = " (synthetic)" if index.synthetic else ""
    head = [
        " ".join(index.question.split()),
        "",
        f"Data: {index.data}{kind}. Reference arm: {index.reference}.",
    ]
    rest = f"The table goes on: `repro table {index.name}`."
    lines = [*head, "", *table_markdown.strip().splitlines()]
    room = LONGEST_DESCRIPTION - len(rest) - 2
    kept: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            return "\n".join([*kept, "", rest])
        kept.append(line)
    return "\n".join(kept)
