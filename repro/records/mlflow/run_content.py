"""A record as a run in MLflow: parameters, tags, metrics and artifacts.

A run's content is made from the record alone, then written, or compared with what MLflow holds.
Artifacts are hard links to the files beside the record, because the checkpoints of a study take
hundreds of megabytes; a file is copied only if it cannot be linked.
"""

import filecmp
import json
import math
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repro.records.mlflow.sqlite_store import folder_of
from repro.records.records import Record, StudyIndex
from repro.system import regular_file
from repro.system.printing import one_line

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

METRICS_AT_ONCE, PARAMS_AT_ONCE = 1000, 100  # MLflow's limits
LONGEST_PARAM, LONGEST_TAG = 6000, 8000  # longer values are truncated by MLflow
RUNS_PER_PAGE = 200
SHOWS_TAG = "repro.shows"  # of a summary: digest of what it is made from
NAME_TAG, USER_TAG = "mlflow.runName", "mlflow.user"
TRAINING_IMAGES = "training_images"  # of a record's metrics
NOTE = "mlflow.note.content"  # the tag that the pages show as a description
THIS_RUN = "{this run}"  # placeholder in a note for the identifier that MLflow gives the run

Name = tuple[str, str]  # of a run within a study: arm and key
Point = tuple[str, float, int]  # metric, value, step


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The content of a run in MLflow.

    Attributes:
        name: Name of the run.
        status: Status in MLflow's words.
        started: Milliseconds since 1970; None for the time of writing.
        ended: Like `started`.
        params: By name.
        tags: By name; all are written when the run is created.
        note: Markdown that the run's page shows, with `THIS_RUN` for its identifier; may be empty.
        points: Values of all metrics.
        artifacts: By path within the run: the file to link, or the content of a new one.
    """

    name: str
    status: str
    tags: Mapping[str, str]
    started: int | None = None
    ended: int | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    points: list[Point] = field(default_factory=list)
    artifacts: Mapping[str, Path | bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A run of an experiment, with the fields that identify it.

    Attributes:
        identifier: MLflow's run identifier.
        status: Status in MLflow's words.
        artifact_uri: Address of its artifacts.
        name: Arm and key of a run of ours; None for a summary or another program's run.
        is_summary: Whether it holds a study's tables and figures.
        shows: Digest of what a summary is made from.
    """

    identifier: str
    status: str
    artifact_uri: str
    name: Name | None
    is_summary: bool
    shows: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A run as MLflow holds it; other fields are those of `Content`.

    Attributes:
        identifier: MLflow's run identifier.
        artifact_uri: Address of its artifacts.
        points: Values of all metrics, each with its time.
    """

    identifier: str
    name: str
    status: str
    started: int
    ended: int | None
    artifact_uri: str
    params: Mapping[str, str]
    tags: Mapping[str, str]
    points: set[tuple[str, float, int, int]]


def content(index: StudyIndex, arm: str, record: Record, results: Path) -> Content:
    """A record as a run of its study; long values are cut as MLflow would cut them.

    Args:
        index: Index of the study.
        arm: Arm of the run in this study.
        record: Record of the run, finished or failed.
        results: The results folder.
    """
    found = whole(index, arm, record, results)
    return replace(
        found,
        params={name: value[:LONGEST_PARAM] for name, value in found.params.items()},
        tags={name: value[:LONGEST_TAG] for name, value in found.tags.items()},
    )


def whole(index: StudyIndex, arm: str, record: Record, results: Path) -> Content:
    """As `content`, with every value as long as it is."""
    started, ended = _times(record.provenance)
    params = {**flatten(record.configuration), "arm": arm, "seed": str(record.seed)}
    return Content(
        name=one_line(f"{arm}, seed {record.seed}"),
        status="FINISHED" if record.finished else "FAILED",
        started=started,
        ended=ended,
        params={name: one_line(value) for name, value in params.items()},
        tags=_tags(index, arm, record),
        points=[point for point in _points(index, record, results) if math.isfinite(point[1])],
        artifacts=_evidence(record, results),
    )


def listing(client: "MlflowClient", experiment: str, alive: Callable[[], None]) -> Iterator[Listed]:
    """Every run of an experiment that is not in MLflow's trash, the latest first.

    Args:
        client: Of the database.
        experiment: Its identifier.
        alive: Called after every page, for which MLflow reads all content of its runs.
    """
    token = None
    while True:
        page = client.search_runs([experiment], max_results=RUNS_PER_PAGE, page_token=token)
        yield from map(_listed, page)
        alive()
        token = page.token
        if not token:
            return


def _listed(run: "Run") -> Listed:
    info, tags = run.info, run.data.tags
    wanted = ("repro.key", "repro.arm", "repro.kind", SHOWS_TAG)
    key, *rest = (tags.get(name) for name in wanted)
    return as_listed(
        info.run_id, info.status, info.artifact_uri, key, run.data.params.get("arm"), *rest
    )


def as_listed(
    identifier: str,
    status: str,
    artifact_uri: str,
    key: str | None,
    arm: str | None,
    arm_tag: str | None,
    kind: str | None,
    shows: str | None,
) -> Listed:
    """A run from MLflow's fields; the arm is a parameter, or a tag if it was truncated."""
    told = arm if arm is not None else arm_tag
    return Listed(
        identifier=identifier,
        status=status,
        artifact_uri=artifact_uri,
        name=None if key is None else ("" if told is None else told, key),
        is_summary=kind == "summary",
        shows=shows,
    )


def write(client: "MlflowClient", experiment: str, content: Content) -> str:
    """Write a run; it is RUNNING until it is complete, so an interrupted one is written again.

    Returns:
        Its identifier.
    """
    from mlflow.entities import Metric, Param

    run = client.create_run(
        experiment, start_time=content.started, tags=dict(content.tags), run_name=content.name
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
    for path, source in content.artifacts.items():
        put(source, folder_of(run.artifact_uri) / path)
    if content.note:
        client.set_tag(run.run_id, NOTE, content.note.replace(THIS_RUN, run.run_id))
    client.set_terminated(run.run_id, status=content.status, end_time=content.ended)
    return str(run.run_id)


def read(client: "MlflowClient", identifier: str) -> Held:
    """The whole content of a run."""
    run = client.get_run(identifier)
    info = run.info
    return Held(
        identifier=identifier,
        name=info.run_name,
        status=info.status,
        started=info.start_time,
        ended=info.end_time,
        artifact_uri=info.artifact_uri,
        params=run.data.params,
        tags=run.data.tags,
        points={
            (name, point.value, point.step, point.timestamp)
            for name in run.data.metrics
            for point in client.get_metric_history(identifier, name)
        },
    )


def holds(held: Held, content: Content) -> bool:
    """Whether a run equals what would be written, except MLflow's own tags and readers' notes."""
    expected = dict(content.tags)
    if content.note:
        expected[NOTE] = content.note.replace(THIS_RUN, held.identifier)
    tags = {k: v for k, v in held.tags.items() if k in expected or not k.startswith("mlflow.")}
    times = [(content.started, held.started), (content.ended, held.ended)]
    time = held.started if content.ended is None else content.ended
    return (
        (held.status, held.name) == (content.status, content.name)
        and all(wanted in (None, found) for wanted, found in times)
        and (held.params, tags) == (content.params, expected)
        and held.points == {(*point, time) for point in content.points}
        and _holds_artifacts(folder_of(held.artifact_uri), content.artifacts)
    )


def is_of(run: Listed, key: str, results: Path) -> bool:
    """Whether a run shows the current record of that key, which may have been trained again."""
    name = "record.json"
    found, wanted = folder_of(run.artifact_uri) / name, results / "runs" / key / name
    there = regular_file.is_there(found), regular_file.is_there(wanted)
    return _is_copy(found, wanted) if all(there) else not any(there)


def _holds_artifacts(folder: Path, wanted: Mapping[str, Path | bytes]) -> bool:
    """Whether a folder has these files alone; one that is not ours is left at the first other."""
    if not all(regular_file.is_there(folder / name) for name in wanted):
        return False
    others = (path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())
    return all(path.relative_to(folder).as_posix() in wanted for path in others) and all(
        _is_copy(folder / name, source) for name, source in wanted.items()
    )


def _is_copy(path: Path, source: Path | bytes) -> bool:
    if isinstance(source, bytes):
        return path.stat().st_size == len(source) and path.read_bytes() == source
    return path.samefile(source) or filecmp.cmp(path, source)


def put(source: Path | bytes, target: Path) -> None:
    """Make an artifact: a new file, a hard link, or a copy if it cannot be linked."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(source, bytes):
        target.write_bytes(source)
        return
    try:
        target.hardlink_to(source)
    except OSError:  # another file system, or one without links
        shutil.copy2(source, target)


def _evidence(record: Record, results: Path) -> dict[str, Path]:
    """The record and the existing files beside it, without links."""
    folder = results.resolve() / "runs" / record.key
    paths = [folder / name for name in ("record.json", *record.files)]
    return {path.name: path for path in paths if regular_file.is_there(path)}


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


def _tags(index: StudyIndex, arm: str, record: Record) -> dict[str, str]:
    tags = {
        "repro.key": record.key,
        "repro.arm": arm,
        "repro.seed": str(record.seed),
        "repro.status": "finished" if record.finished else "failed",
        "repro.record": f"runs/{record.key}/record.json",
        **{f"repro.data.{part}": digest for part, digest in record.data.items()},
        **{f"repro.plugin.{name}": digest for name, digest in record.plugins.items()},
        **source_tags(index),
    }
    if record.source:
        tags["repro.source_run"] = record.source
    if TRAINING_IMAGES in record.metrics:
        tags["repro.training_images"] = f"{record.metrics[TRAINING_IMAGES]:.0f}"
    if record.failure is not None:
        failure = record.failure
        tags["repro.failure"] = one_line(
            f"epoch {failure['epoch']}: {failure['term']}: {failure['reason']}"
        )
    if record.provenance.get("commit") is not None:
        commit = str(record.provenance["commit"])
        tags |= {"repro.commit": commit, "mlflow.source.git.commit": commit}
    return tags


def source_tags(index: StudyIndex) -> dict[str, str]:
    """User and source of a run in the pages."""
    return {
        "mlflow.user": "repro",
        "mlflow.source.name": f"repro run {index.name}",
        "mlflow.source.type": "LOCAL",
    }


def _points(index: StudyIndex, record: Record, results: Path) -> Iterator[Point]:
    """Epochs as curves, then single numbers; the part before the slash is a section of charts."""
    from repro.records.mlflow import run_metrics  # scipy, which a study's own process does not need

    for epoch in record.history:
        for name, value in epoch.items():
            if name != "epoch":
                yield _history_name(name), float(value), int(epoch["epoch"])
    for name, value in record.metrics.items():
        if name == TRAINING_IMAGES:
            continue  # the same for all runs: a tag
        final = name.removeprefix("val_")
        yield (f"test/{name}" if final == name else f"val/final_{final}"), float(value), 0
    found = run_metrics.of_record(record, run_metrics.rates(index), results)
    taken = {*found, *record.metrics}
    names = _recall_names(record.groups, taken)
    groups = {names[group]: count.share for group, count in record.groups.items()}
    for name, value in {**groups, **found}.items():
        yield f"test/{name}", value, 0


def _recall_names(groups: Iterable[str], taken: set[str]) -> dict[str, str]:
    """Names of the groups' metrics in letters that MLflow accepts, no two alike.

    Args:
        groups: Their names.
        taken: Names of other metrics.
    """
    found: dict[str, str] = {}
    for group in groups:
        plain = f"recall_{re.sub(r'[^A-Za-z0-9_. -]', '_', group)}"
        used = {*taken, *found.values()}
        numbered = (f"{plain}_{n}" for n in range(2, len(used) + 3))
        found[group] = next(name for name in (plain, *numbered) if name not in used)
    return found


def _history_name(name: str) -> str:
    section, _, rest = name.partition("_")
    return f"{section}/{rest}" if section in ("train", "val") else f"debias/{name}"


def _times(provenance: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Start and end, if the record has them."""
    if "started" not in provenance:
        return None, None
    started = round(datetime.fromisoformat(provenance["started"]).timestamp() * 1000)
    if "seconds" not in provenance:
        return started, None
    return started, started + round(provenance["seconds"] * 1000)
