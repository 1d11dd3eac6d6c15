"""Storage of the MLflow mirror: a database and a folder of artifacts below the results.

Databases are built aside and moved into place whole, MLflow's output is silenced, and conditions on
which MLflow would wait are checked first. Independent of studies. Importing MLflow takes a second,
so it happens at the first connection to a store.
"""

import contextlib
import os
import secrets
import sqlite3
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

if TYPE_CHECKING:
    from mlflow import MlflowClient

QUIET = {  # environment variables that MLflow reads on import
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",  # below, it prints tracebacks of errors that we report
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
PATIENCE = 2.0  # seconds to wait for another writer; MLflow itself would wait 20 and retry for 100
STALE = 3600.0  # seconds after which a partial database is abandoned
BROKEN = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)  # permanent faults of the file itself


def database(results: Path) -> Path:
    """The path of the mirror's database, whether it exists or not."""
    return results.resolve() / "mlflow" / "mlflow.db"


def artifacts(results: Path) -> Path:
    """The path of the mirror's artifacts, whether it exists or not."""
    return results.resolve() / "mlflow" / "artifacts"


def store_uri(results: Path) -> str:
    """The mirror's absolute address for MLflow."""
    return f"sqlite:///{database(results).as_posix()}"


def folder_of(uri: str) -> Path:
    """The folder of a ``file:`` address."""
    return Path(url2pathname(urlsplit(uri).path))


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """An environment without the user's MLflow settings, which concern other stores."""
    kept = {k: v for k, v in given.items() if not k.lstrip("_").startswith("MLFLOW_")}
    return {**kept, **QUIET}


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Disable MLflow's telemetry, logging, and warnings about its own code.

    Removes the user's MLflow settings from this process.
    """
    wanted = environment(os.environ)
    for name in os.environ.keys() - wanted.keys():
        del os.environ[name]
    os.environ.update(wanted)
    with warnings.catch_warnings():
        # MLflow's tables use a loader that SQLAlchemy 2.1 deprecates
        warnings.filterwarnings("ignore", ".*``noload``", DeprecationWarning)
        yield


def failures() -> tuple[type[Exception], ...]:
    """The exceptions that MLflow, its database and its migrations may raise."""
    own = [OSError, ImportError, sqlite3.Error]
    inner = [AttributeError, LookupError, RuntimeError, TypeError, ValueError]
    return (*own, *inner, *_refusals())


def _refusals() -> tuple[type[Exception], ...]:
    """The exception classes of MLflow, SQLAlchemy and Alembic, as far as loaded."""
    named = [
        ("mlflow.exceptions", "MlflowException"),
        ("sqlalchemy.exc", "SQLAlchemyError"),
        ("alembic.util", "CommandError"),
    ]
    return tuple(
        getattr(sys.modules[module], name) for module, name in named if module in sys.modules
    )


def connect(uri: str) -> "MlflowClient":
    """A client of a store; within ``quiet``.

    Raises:
        ValueError: The path has a character that MLflow and SQLAlchemy interpret differently.
    """
    if "%" in uri or "?" in uri:
        raise ValueError("MLflow cannot use a path with % or ? in it")
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def open_store(results: Path) -> "MlflowClient":
    """A client of the mirror's database, built if it is missing; within ``quiet``.

    Raises:
        sqlite3.Error: The database is damaged, not writable, or held by another writer.
    """
    if not database(results).exists():
        create_database(database(results))
    probe(database(results))
    return connect(store_uri(results))


def create_database(path: Path) -> None:
    """Build the database aside, then move it into place whole; within ``quiet``.

    Two processes that build it in place, or one killed while building, would break it permanently.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_stale(path)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    partial.touch()  # fails at once, where MLflow would retry for long
    try:
        connect(f"sqlite:///{partial.as_posix()}").search_experiments(max_results=1)
        with contextlib.suppress(FileExistsError):  # another process was first: its file is kept
            path.hardlink_to(partial)
    finally:
        partial.unlink(missing_ok=True)


def _remove_stale(path: Path) -> None:
    """Remove what killed processes left while building."""
    for left in path.parent.glob(f".{path.name}.*.partial*"):
        with contextlib.suppress(FileNotFoundError):  # another process was first
            if time.time() - left.stat().st_mtime > STALE:
                left.unlink()


def probe(path: Path) -> None:
    """Raise at once where MLflow would wait: not a database, not writable, locked by a writer."""
    with opened(path) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("SELECT count(*) FROM sqlite_master")
        connection.execute("ROLLBACK")


def fault(path: Path) -> str | None:
    """Why an existing database can never be read; None if it can; within ``quiet``.

    Raises:
        sqlite3.Error: It is not writable, or locked by another writer: that may be temporary.
    """
    try:
        probe(path)
        with opened(path) as connection:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF not in BROKEN:  # the upper bits say where
            raise
        return str(error)
    if verdict != "ok":
        return str(verdict).splitlines()[0]
    # An alias, because MLflow caches the connections of every address that it was given.
    alias = f"sqlite:///{path.parent.as_posix()}/./{path.name}"
    try:
        connect(alias).search_experiments(max_results=1)
    except _refusals() as error:
        return sentence_of(error)
    return None


def set_aside(results: Path) -> Path:
    """Rename the whole mirror, so that a new one can be built; return its new path."""
    here = database(results).parent
    number = 1
    while (aside := here.with_name(f"{here.name}.aside-{number}")).exists():
        number += 1
    return here.rename(aside)


def sentence_of(error: Exception) -> str:
    """The first line of an error's message, or its class name."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


@contextlib.contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to an existing database; it waits briefly for another writer."""
    address = f"{path.as_uri()}?mode=rw"  # otherwise a missing file would be created, empty
    connecting = sqlite3.connect(address, timeout=PATIENCE, uri=True, isolation_level=None)
    with contextlib.closing(connecting) as connection:
        yield connection
