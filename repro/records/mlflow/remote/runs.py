"""Runs at a destination: found by a tag of ours, written in an order that can be resumed.

MLflow chooses the identifiers of runs, so a run is found by the tag `RUN`. It is written as
RUNNING with its tags, then parameters, metrics and files; then it ends, and last comes the tag
`PUSHED`, a digest of all of it. A run without that tag is gone over again. Metrics keep the times
of the record: the same point sent twice is one point.
"""

import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from repro.records.mlflow import run_content
from repro.records.mlflow.remote import parcels
from repro.records.mlflow.remote.parcels import Files, Parcel
from repro.records.mlflow.run_content import Content
from repro.records.records import StudyIndex

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

RUN = "repro.run"  # study/arm/key of a run of ours
CREATED = "repro.created"  # when it was sent first, in nanoseconds: the oldest of doubles is kept
PUSHED = "repro.pushed"  # digest of what was sent; the last thing that is written
PUSHED_WEIGHTS = "repro.pushed_weights"  # the same of the files of networks
AT_ONCE = {"metrics": 1000, "params": 100, "tags": 100}  # of a request
MOST_BYTES = 500_000  # of a request; MLflow takes a megabyte
ENDED = ("FINISHED", "FAILED")

One = TypeVar("One")


@dataclass(frozen=True, slots=True)
class There:
    """The runs of a study at a destination, by the tag `RUN`.

    Attributes:
        active: The run that counts of each name.
        doubles: Others of the same names.
        trashed: Names of runs that are only among the deleted ones.
    """

    active: dict[str, "Run"]
    doubles: list["Run"]
    trashed: set[str]


def there(client: "MlflowClient", experiment: str, index: StudyIndex) -> There:
    """What an experiment has of a study, deleted runs among them."""
    from mlflow.entities import ViewType

    active: dict[str, list[Run]] = {}
    trashed, token = set(), None
    while True:
        page = client.search_runs(
            [experiment],
            f"tags.`{RUN}` LIKE '{index.name}/%'",
            run_view_type=ViewType.ALL,
            max_results=run_content.RUNS_PER_PAGE,
            page_token=token,
        )
        for run in page:
            name = run.data.tags[RUN]
            if run.info.lifecycle_stage == "active":
                active.setdefault(name, []).append(run)
            else:
                trashed.add(name)
        token = page.token
        if not token:
            break
    kept = {name: min(runs, key=_rank) for name, runs in active.items()}
    doubles = [run for name, runs in active.items() for run in runs if run is not kept[name]]
    return There(kept, doubles, trashed - kept.keys())


def _rank(run: "Run") -> tuple[bool, int, str]:
    """Of doubles the first counts: one that is whole, then the oldest."""
    tags = run.data.tags
    created = tags.get(CREATED, "")
    return PUSHED not in tags, int(created) if created.isdecimal() else 0, run.info.run_id


def is_whole(run: "Run", wanted: Parcel) -> bool:
    """Whether a run is there with all of its content but for weights."""
    return bool(run.data.tags.get(PUSHED) == wanted.digest)


def has_weights(run: "Run", wanted: Parcel) -> bool:
    """Whether its weights are there, as far as they are wanted."""
    digest = wanted.weights_digest
    return not digest or run.data.tags.get(PUSHED_WEIGHTS) == digest


def can_be_completed(client: "MlflowClient", run: "Run", wanted: Parcel) -> bool:
    """Whether what a run has is a part of what it should have; otherwise it is made again."""
    content, info = wanted.content, run.info
    if content.started not in (None, info.start_time):
        return False
    if info.status in ENDED and content.ended not in (None, info.end_time):
        return False
    params = run.data.params.items()
    if not all(content.params.get(name, "").startswith(value) for name, value in params):
        return False  # a server may have cut a value, but not have another
    return _points_there(client, run) <= _timed(run, content)


def _points_there(client: "MlflowClient", run: "Run") -> set[tuple[Any, ...]]:
    return {
        (name, point.value, point.step, point.timestamp)
        for name in run.data.metrics
        for point in client.get_metric_history(run.info.run_id, name)
    }


def _timed(run: "Run", content: Content) -> set[tuple[Any, ...]]:
    """The points with their time: the end of the run, or its start if the end is not known."""
    at = run.info.start_time if content.ended is None else content.ended
    return {(*point, at) for point in content.points}


def create(client: "MlflowClient", experiment: str, wanted: Parcel) -> "Run":
    """A new run with all its tags; if another process made the same first, that one."""
    made = client.create_run(
        experiment,
        start_time=wanted.content.started,
        tags={**wanted.content.tags, RUN: wanted.name, CREATED: str(time.time_ns())},
        run_name=wanted.content.name,
    )
    key = wanted.content.tags.get("repro.key")
    if key is None:
        return made
    same = [
        run
        for run in client.search_runs([experiment], f"tags.`repro.key` = '{key}'")
        if run.data.tags.get(RUN) == wanted.name
    ]
    first = min([made, *same], key=_rank)
    if first.info.run_id != made.info.run_id:
        client.delete_run(made.info.run_id)
    return first


def complete(client: "MlflowClient", run: "Run", wanted: Parcel) -> int:
    """Send what a run lacks, and mark it as whole.

    Returns:
        Number of parameters and tags that the server does not have whole.
    """
    content, identifier = wanted.content, run.info.run_id
    note = {run_content.NOTE: content.note.replace(run_content.THIS_RUN, identifier)}
    tags = {**content.tags, **(note if content.note else {})}
    _log(client, run, content.params, tags, content)
    _send_files(client, identifier, wanted.files)
    client.set_terminated(identifier, status=content.status, end_time=content.ended)
    found = client.get_run(identifier).data
    cut = {
        "params": parcels.lacking(wanted.whole.params, found.params),
        "tags": parcels.lacking(wanted.whole.tags, found.tags),
    }
    number = sum(map(len, cut.values()))
    if number and wanted.takes_files:
        _send_files(client, identifier, {parcels.LONG: parcels.as_json(cut)})
    client.set_tag(identifier, PUSHED, wanted.digest)
    return number


def send_weights(client: "MlflowClient", run: "Run", wanted: Parcel) -> None:
    """Send the files of the networks, and mark them as sent."""
    _send_files(client, run.info.run_id, wanted.weights)
    client.set_tag(run.info.run_id, PUSHED_WEIGHTS, wanted.weights_digest)


def _log(
    client: "MlflowClient",
    run: "Run",
    params: Mapping[str, str],
    tags: Mapping[str, str],
    content: Content,
) -> None:
    """Send parameters, tags and metrics that the run lacks, as many as a request takes."""
    from mlflow.entities import Metric, Param, RunTag

    data, identifier = run.data, run.info.run_id
    known = _points_there(client, run)
    new_params = [Param(k, v) for k, v in params.items() if k not in data.params]
    new_tags = [RunTag(k, v) for k, v in tags.items() if data.tags.get(k) != v]
    new_points = sorted(_timed(run, content) - known)
    for part in batches(new_params, AT_ONCE["params"], lambda one: len(one.key) + len(one.value)):
        client.log_batch(identifier, params=part)
    for tag_part in batches(new_tags, AT_ONCE["tags"], lambda one: len(one.key) + len(one.value)):
        client.log_batch(identifier, tags=tag_part)
    metrics = [Metric(name, value, at, step) for name, value, step, at in new_points]
    for metric_part in batches(metrics, AT_ONCE["metrics"], lambda one: len(one.key) + 100):
        client.log_batch(identifier, metrics=metric_part)


def batches(items: Sequence[One], most: int, size: Any) -> Iterator[list[One]]:
    """The items in parts of at most that many, and of at most `MOST_BYTES`.

    Args:
        items: To be sent.
        most: Of a request.
        size: Gives the letters of an item; in JSON a letter may take six bytes.
    """
    part: list[One] = []
    room = MOST_BYTES
    for item in items:
        needed = 6 * size(item)
        if part and (len(part) == most or needed > room):
            yield part
            part, room = [], MOST_BYTES
        part.append(item)
        room -= needed
    if part:
        yield part


def _send_files(client: "MlflowClient", identifier: str, files: Files) -> None:
    """Copy files to the store of the run; the sizes that it tells afterwards must be theirs.

    Raises:
        OSError: A file is not there whole.
    """
    sizes: dict[str, int] = {}
    for path, source in files.items():
        folder = path.rpartition("/")[0] or None
        if isinstance(source, bytes):
            sizes[path] = len(source)
            with tempfile.TemporaryDirectory(prefix="repro-sync-") as here:
                file = Path(here) / path.rpartition("/")[2]
                file.write_bytes(source)
                client.log_artifact(identifier, str(file), folder)
        else:
            sizes[path] = source.stat().st_size
            client.log_artifact(identifier, str(source), folder)
    told = _sizes(client, identifier, {path.rpartition("/")[0] for path in files})
    wrong = [path for path, size in sizes.items() if told.get(path, size) != size]
    if wrong:
        raise OSError(f"the file {wrong[0]} did not arrive whole: is there a limit on its size?")


def _sizes(client: "MlflowClient", identifier: str, folders: Collection[str]) -> dict[str, int]:
    """What the store tells of the files in these folders of a run."""
    return {
        one.path: one.file_size
        for folder in folders
        for one in client.list_artifacts(identifier, folder or None)
        if one.file_size is not None and not one.is_dir
    }
