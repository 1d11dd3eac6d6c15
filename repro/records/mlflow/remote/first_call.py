"""The first contact with a destination: whether it is there, lets us in, and is MLflow.

A client of MLflow would wait for minutes where nothing answers, take a page of a proxy for an
error of its own, and bring the tables of an older database up to date without being asked.
"""

import contextlib
import os
from typing import TYPE_CHECKING, Any

from repro.errors import ReproError
from repro.records.mlflow import sqlite_store
from repro.records.mlflow.remote import failures
from repro.records.mlflow.remote.destination import Destination

if TYPE_CHECKING:
    from mlflow import MlflowClient

PATIENCE = 10  # seconds for the first answer, unless MLFLOW_HTTP_REQUEST_TIMEOUT says less
VERSIONS = "SELECT version_num FROM alembic_version"
SEARCH = "/api/2.0/mlflow/experiments/search"  # cheap, and read only


def connect(destination: Destination) -> "MlflowClient":
    """A client of a destination that was asked once; within `destination.settings`.

    Raises:
        ReproError: It cannot be used; the sentence says why.
    """
    advice = "Check the address, and whether the server runs"
    with failures.in_a_sentence(destination, advice=advice):
        if destination.is_server:
            _ask(destination)
        else:
            _require_tables(destination)
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=destination.uri, registry_uri=destination.uri)


def _ask(destination: Destination) -> None:
    """One request, not repeated."""
    from mlflow.utils import credentials, rest_utils

    client: Any = rest_utils  # which has no types
    host: Any = credentials
    told = os.environ.get("MLFLOW_HTTP_REQUEST_TIMEOUT", "")
    answer: Any = client.http_request(
        host.get_default_host_creds(destination.uri),
        SEARCH,
        "POST",
        max_retries=0,
        raise_on_status=False,
        timeout=min(PATIENCE, int(told)) if told.isdecimal() and int(told) else PATIENCE,
        json={"max_results": 1},
    )
    if failure := failures.of_status(answer.status_code, destination):
        raise failure
    with contextlib.suppress(ValueError):
        if isinstance(answer.json(), dict):
            return
    raise ReproError(
        f"{destination.shown}: it answers, but not as MLflow does (no JSON): is another program "
        "there, or a page to log in?"
    )


def _require_tables(destination: Destination) -> None:
    """A database of the installed MLflow; a file of SQLite that is missing is made, whole."""
    import sqlalchemy
    from mlflow.store.db import utils

    tables: Any = utils  # which has no types
    if destination.file is not None and not destination.file.exists():
        sqlite_store.create_database(destination.file)
    if destination.file is not None:
        sqlite_store.probe(destination.file)
    engine = sqlalchemy.create_engine(destination.uri)
    try:
        versions = []
        if sqlalchemy.inspect(engine).has_table("alembic_version"):
            with engine.connect() as connection:
                rows = connection.execute(
                    sqlalchemy.text("SELECT version_num FROM alembic_version")
                )
                versions = [str(row[0]) for row in rows]
    finally:
        engine.dispose()
    expected = tables._get_latest_schema_revision()
    if versions != [expected]:
        raise ReproError(
            f"{destination.shown}: its tables are those of another release of MLflow (found "
            f"{', '.join(versions) or 'none'}, expected {expected}). They are left as they are: "
            "install that release, or let whoever keeps the database run `mlflow db upgrade`"
        )
