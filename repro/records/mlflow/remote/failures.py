"""What goes wrong at a tracking server, in a sentence."""

import contextlib
import sys
from collections.abc import Iterator

from repro.errors import ReproError
from repro.records.mlflow import sqlite_store
from repro.records.mlflow.remote.destination import Destination

LONGEST = 300  # characters of MLflow's own words
WHO = (
    "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN "
    "(user and password win if all are set)"
)


def of_status(status: int, destination: Destination) -> ReproError | None:
    """What a status of HTTP says; None for success.

    Args:
        status: As 401.
        destination: That answered.
    """
    if status == 401:
        said = f"it does not accept who you are (401): {WHO}"
    elif status == 403:
        said = f"you may not do this there (403): ask for the right, or {WHO}"
    elif status == 404:
        said = "nothing of MLflow is at this address (404): is a part of its path missing?"
    elif status >= 500:
        said = f"it answers with an error of its own ({status}): its log says more; try later"
    elif status != 200:
        said = f"it answers {status}, which MLflow does not"
    else:
        return None
    return ReproError(f"{destination.shown}: {said}")


def sentence_of(error: Exception) -> str:
    """Why MLflow's client gave up: the connection, or the first line of its own words."""
    if isinstance(error, ImportError):
        return f"a package to reach it is not installed ({error})"
    beneath = error.__cause__ or error.__context__
    network = sys.modules.get("requests.exceptions")
    for one in (error, beneath):
        if network is None or one is None:
            continue
        reason = getattr(one.args[0], "reason", None) if one.args else None
        if isinstance(one, network.Timeout) or "Timeout" in type(reason).__name__:
            return "it did not answer in time (MLFLOW_HTTP_REQUEST_TIMEOUT, in seconds)"
        if isinstance(one, network.SSLError):
            return "its certificate is not accepted (MLFLOW_TRACKING_SERVER_CERT_PATH names one)"
        if isinstance(one, network.RetryError):
            return "it answered with errors of its own (500 or like it)"
        if isinstance(one, network.ConnectionError):
            return "nothing answers there, or the connection broke"
    return sqlite_store.sentence_of(error)[:LONGEST]


@contextlib.contextmanager
def in_a_sentence(destination: Destination, *, advice: str) -> Iterator[None]:
    """What MLflow raises within becomes a `ReproError` without a secret.

    Args:
        destination: Where it happens.
        advice: What to do.
    """
    try:
        yield
    except sqlite_store.failures() as error:
        said = destination.clean(sentence_of(error)).rstrip(". ")
        raise ReproError(f"{destination.shown}: {said}. {advice}") from None
