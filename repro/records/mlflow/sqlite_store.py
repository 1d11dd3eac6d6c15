"""Where the MLflow mirror is kept: a database and a folder of artifacts below the results.

Databases are built aside and put in place whole, MLflow is kept quiet, and what it would wait for
is found out before. Nothing here knows a study. Importing MLflow takes a second, so it happens when
a store is first connected to.
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

QUIET = {  # read by MLflow when it is imported
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",  # below that it prints tracebacks of what we report
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
PATIENCE = 2.0  # seconds for another writer; MLflow itself would wait 20 and retry for 100
STALE = 3600.0  # seconds after which nobody is still building a database
BROKEN = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)  # the file's own fault, for good


def database(results: Path) -> Path:
    """Where the mirror's database is, or would be."""
    return results.resolve() / "mlflow" / "mlflow.db"


def artifacts(results: Path) -> Path:
    """Where the mirror's artifacts are, or would be."""
    return results.resolve() / "mlflow" / "artifacts"


def store_uri(results: Path) -> str:
    """The mirror's address for MLflow, absolute."""
    return f"sqlite:///{database(results).as_posix()}"


def folder_of(uri: str) -> Path:
    """The folder that a ``file:`` address names."""
    return Path(url2pathname(urlsplit(uri).path))


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """An environment without the user's MLflow settings: they are about other stores than ours."""
    kept = {k: v for k, v in given.items() if not k.lstrip("_").startswith("MLFLOW_")}
    return {**kept, **QUIET}


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep MLflow from reporting home, logging, and warning of what only its authors can mend.

    This process is left without the user's MLflow settings.
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
    """What may come out of MLflow, its database and its migrations."""
    own = [OSError, ImportError, sqlite3.Error]
    inner = [AttributeError, LookupError, RuntimeError, TypeError, ValueError]
    return (*own, *inner, *_refusals())


def _refusals() -> tuple[type[Exception], ...]:
    """What MLflow, SQLAlchemy and Alembic raise under their own names, as far as loaded."""
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
        ValueError: The path has a character that MLflow and SQLAlchemy read in two ways.
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
    """Build the database aside, then put it in place whole; within ``quiet``.

    Two processes that build one in place, or one that is killed while it does, break it for good.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_stale(path)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    partial.touch()  # MLflow would try for long where this fails at once
    try:
        connect(f"sqlite:///{partial.as_posix()}").search_experiments(max_results=1)
        with contextlib.suppress(FileExistsError):  # another process was first: its stays
            path.hardlink_to(partial)
    finally:
        partial.unlink(missing_ok=True)


def _remove_stale(path: Path) -> None:
    """What processes left that were killed while they built."""
    for left in path.parent.glob(f".{path.name}.*.partial*"):
        with contextlib.suppress(FileNotFoundError):  # another process was first
            if time.time() - left.stat().st_mtime > STALE:
                left.unlink()


def probe(path: Path) -> None:
    """Raise at once where MLflow would wait: not a database, not writable, held by a writer."""
    with opened(path) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("SELECT count(*) FROM sqlite_master")
        connection.execute("ROLLBACK")


def fault(path: Path) -> str | None:
    """Why a database that is there can never be read; None if it can; within ``quiet``.

    Raises:
        sqlite3.Error: It is not writable, or held by another writer: that may pass.
    """
    try:
        probe(path)
        with opened(path) as connection:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF not in BROKEN:  # the rest of it says where
            raise
        return str(error)
    if verdict != "ok":
        return str(verdict).splitlines()[0]
    # Under another name, because MLflow keeps the connections of every address that it was given.
    alias = f"sqlite:///{path.parent.as_posix()}/./{path.name}"
    try:
        connect(alias).search_experiments(max_results=1)
    except _refusals() as error:
        return sentence_of(error)
    return None


def set_aside(results: Path) -> Path:
    """Rename the whole mirror, so that a new one can be built; where it is now."""
    here = database(results).parent
    number = 1
    while (aside := here.with_name(f"{here.name}.aside-{number}")).exists():
        number += 1
    return here.rename(aside)


def sentence_of(error: Exception) -> str:
    """The first line of what went wrong, or its name."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


@contextlib.contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a database that is there; it waits a little for another writer."""
    address = f"{path.as_uri()}?mode=rw"  # without it a missing file would be made, empty
    connecting = sqlite3.connect(address, timeout=PATIENCE, uri=True, isolation_level=None)
    with contextlib.closing(connecting) as connection:
        yield connection
