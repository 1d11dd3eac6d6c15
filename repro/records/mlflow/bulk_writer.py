"""Read and write many runs as rows of MLflow's own tables, with the client's result but faster.

The client writes a run in a dozen transactions, and reads an experiment with all content of its
runs, which takes seconds for hundreds of runs. Here it is one transaction for many runs and one
query for an experiment. This is done only for tested table revisions, and for content whose names
MLflow certainly accepts; everything else goes through the client. Independent of studies.
"""

import re
import secrets
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repro.records.mlflow import run_content, sqlite_store
from repro.records.mlflow.run_content import Content, Held, Listed

if TYPE_CHECKING:
    from mlflow import MlflowClient

TRIED = frozenset({"1b5f0d9ad7c1", "dc11669786a5"})  # revisions of MLflow's tables: 3.10, 3.17
AT_ONCE = 64  # runs per transaction: a tenth to a quarter of a second, and little memory
LONGEST_NAME = 250  # of a run, parameter, tag or metric
PLAIN = re.compile(r"\w[\w .:-]*(/\w[\w .:-]*)*", re.ASCII)  # a name that MLflow accepts unchanged
COLUMNS = {  # columns that are written; the others are null
    "runs": (
        "run_uuid, name, user_id, status, start_time, end_time, artifact_uri, experiment_id, "
        "source_type, source_name, entry_point_name, source_version, lifecycle_stage"
    ),
    "params": "run_uuid, key, value",
    "tags": "run_uuid, key, value",
    "metrics": "run_uuid, key, value, step, timestamp, is_nan",
    "latest_metrics": "run_uuid, key, value, step, timestamp, is_nan",
}
OUTDATED = ("UNKNOWN", "", "", "", "active")  # last columns of a run, as MLflow fills them
LISTING = """
    SELECT run_uuid, status, artifact_uri,
        (SELECT value FROM tags WHERE key = 'repro.key' AND run_uuid = runs.run_uuid),
        (SELECT value FROM params WHERE key = 'arm' AND run_uuid = runs.run_uuid),
        (SELECT value FROM tags WHERE key = 'repro.arm' AND run_uuid = runs.run_uuid),
        (SELECT value FROM tags WHERE key = 'repro.kind' AND run_uuid = runs.run_uuid),
        (SELECT value FROM tags WHERE key = 'repro.shows' AND run_uuid = runs.run_uuid)
    FROM runs WHERE experiment_id = ? AND lifecycle_stage = 'active'
    ORDER BY start_time DESC, run_uuid
"""

Rows = dict[str, list[tuple[Any, ...]]]  # by table


def silence() -> None:
    """A callback for `alive` that does nothing."""


@dataclass(frozen=True, slots=True)
class Store:
    """An MLflow database, to be used within `sqlite_store.quiet`.

    Attributes:
        client: Client of the database.
        path: Its file.
        alive: Called from time to time during long work.
    """

    client: "MlflowClient"
    path: Path
    alive: Callable[[], None] = silence

    def listing(self, experiment: str) -> list[Listed]:
        """Every run of an experiment that is not in MLflow's trash, the latest first."""
        with sqlite_store.opened(self.path) as connection:
            if _is_tried(connection):
                rows = connection.execute(LISTING, (int(experiment),))
                return [run_content.as_listed(*row) for row in rows]
        return list(run_content.listing(self.client, experiment, self.alive))

    def read(self, identifier: str) -> Held:
        """The whole content of a run."""
        with self.reading() as read:
            return read(identifier)

    @contextmanager
    def reading(self) -> Iterator[Callable[[str], Held]]:
        """Gives a function that reads the whole content of a run, by its identifier."""
        with sqlite_store.opened(self.path) as connection:
            tried = _is_tried(connection)
            yield partial(_read, connection) if tried else partial(run_content.read, self.client)

    def write(self, experiment: str, contents: Sequence[Content]) -> None:
        """Write runs to an experiment atomically; those that MLflow may reject come last."""
        rest = list(contents)
        with sqlite_store.opened(self.path) as connection:
            if _is_tried(connection):
                plain = [content for content in contents if is_plain(content)]
                rest = [content for content in contents if not is_plain(content)]
                for start in range(0, len(plain), AT_ONCE):
                    _write(connection, experiment, plain[start : start + AT_ONCE], self.alive)
        for content in rest:
            run_content.write(self.client, experiment, content)
            self.alive()


def is_plain(content: Content) -> bool:
    """Whether MLflow would store a run unchanged: nothing to reject, truncate or add."""
    names = (*content.params, *content.tags, *(name for name, _, _ in content.points))
    values = (content.name, *content.params.values(), *content.tags.values())
    return (
        not content.note
        and run_content.NAME_TAG not in content.tags
        and 0 not in (content.started, content.ended)  # which MLflow treats as no time
        and len(content.name) <= LONGEST_NAME
        and all(map(_is_plain_name, names))
        and all(len(value) <= run_content.LONGEST_PARAM for value in content.params.values())
        and all(len(value) <= run_content.LONGEST_TAG for value in content.tags.values())
        and all(value.isascii() or _is_text(value) for value in values)
    )


@lru_cache(maxsize=1 << 14)
def _is_plain_name(name: str) -> bool:
    return len(name) <= LONGEST_NAME and PLAIN.fullmatch(name) is not None


def _is_text(value: str) -> bool:
    """Whether a database accepts the text; it rejects half a surrogate pair."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_tried(connection: sqlite3.Connection) -> bool:
    found = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    return len(found) == 1 and found[0][0] in TRIED


def _write(
    connection: sqlite3.Connection,
    experiment: str,
    contents: Sequence[Content],
    alive: Callable[[], None],
) -> None:
    """Write all runs in one transaction, after their artifacts, so that no run lacks any.

    Raises:
        ValueError: The experiment is in MLflow's trash.
    """
    where = "SELECT artifact_location FROM experiments WHERE experiment_id = ? AND "
    found = connection.execute(f"{where} lifecycle_stage = 'active'", (int(experiment),)).fetchone()
    if found is None:
        raise ValueError(f"experiment {experiment} was deleted")
    rows: Rows = {table: [] for table in COLUMNS}
    begun: list[Path] = []
    try:
        for content in contents:
            identifier = _identifier()
            place = f"{found[0]}/{identifier}"
            begun.append(sqlite_store.folder_of(place))
            for path, source in content.artifacts.items():
                run_content.put(source, begun[-1] / "artifacts" / path)
            _add_rows(rows, content, identifier, experiment, f"{place}/artifacts")
            alive()
        _insert(connection, rows)
    except BaseException:
        for folder in begun:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _identifier() -> str:
    """A new run identifier; begins with the time, because nearby index rows are found faster."""
    return f"{time.time_ns():016x}{secrets.token_hex(8)}"


def _add_rows(
    rows: Rows, content: Content, identifier: str, experiment: str, artifact_uri: str
) -> None:
    """Add the rows of a run to every table."""
    now = round(time.time() * 1000)
    started = now if content.started is None else content.started
    ended = now if content.ended is None else content.ended
    time_of_points = started if content.ended is None else content.ended
    tags = {**content.tags, run_content.NAME_TAG: content.name}
    user = content.tags.get(run_content.USER_TAG, "unknown")
    head = (identifier, content.name, user, content.status, started, ended, artifact_uri)
    rows["runs"].append((*head, int(experiment), *OUTDATED))
    rows["params"] += [(identifier, *pair) for pair in content.params.items()]
    rows["tags"] += [(identifier, *pair) for pair in tags.items()]
    latest: dict[str, tuple[int, float]] = {}
    for name, value, step in dict.fromkeys(content.points):
        rows["metrics"].append((identifier, name, value, step, time_of_points, False))
        latest[name] = max(latest.get(name, (step, value)), (step, value))
    rows["latest_metrics"] += [
        (identifier, name, value, step, time_of_points, False)
        for name, (step, value) in latest.items()
    ]


def _insert(connection: sqlite3.Connection, rows: Rows) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for table, columns in COLUMNS.items():
            places = ", ".join("?" for _ in columns.split(","))
            connection.executemany(
                f"INSERT INTO {table} ({columns}) VALUES ({places})", rows[table]
            )
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # some errors end it
            connection.execute("ROLLBACK")
        raise


def _read(connection: sqlite3.Connection, identifier: str) -> Held:
    def select(columns: str, table: str) -> list[Any]:
        query = f"SELECT {columns} FROM {table} WHERE run_uuid = ?"
        return connection.execute(query, (identifier,)).fetchall()

    ((name, status, started, ended, artifact_uri),) = select(
        "name, status, start_time, end_time, artifact_uri", "runs"
    )
    metrics = select("key, value, step, timestamp, is_nan", "metrics")
    return Held(
        identifier=identifier,
        name=name,
        status=status,
        started=started,
        ended=ended,
        artifact_uri=artifact_uri,
        params=dict(select("key, value", "params")),
        tags=dict(select("key, value", "tags")),
        points={(key, value, step, at) for key, value, step, at, is_nan in metrics if not is_nan}
        | {(key, float("nan"), step, at) for key, _, step, at, is_nan in metrics if is_nan},
    )
