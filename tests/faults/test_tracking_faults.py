"""A tracking server that is away, slow, closed or something else is told in a sentence, quickly."""

import contextlib
import socket
import time

import pytest
import tracking_servers
from mirrors import INDEX, write_study

from repro.errors import ReproError
from repro.records.mlflow.remote import destination, push

pytest.importorskip("mlflow", reason="there is no MLflow here")

SECRET = "canary-31aa"
ANSWERS = {  # of every request, and what the sentence says of it
    "401": ({"status": 401, "text": b'{"message": "no"}'}, "does not accept who you are .401."),
    "401 page": ({"status": 401, "text": b"<html>"}, "does not accept who you are .401."),
    "403": ({"status": 403, "text": b"no"}, "you may not do this there .403."),
    "404": ({"status": 404, "text": b"no"}, "nothing of MLflow is at this address .404."),
    "500": ({"status": 500, "text": b"Traceback"}, "an error of its own .500."),
    "503": ({"status": 503, "text": b""}, "an error of its own .503."),
    "204": ({"status": 204, "text": b""}, "answers 204"),
    "page": ({"text": b"<html>Welcome</html>"}, "not as MLflow does"),
    "list": ({"text": b"[]"}, "not as MLflow does"),
    "slow": ({"wait": 3.0}, "did not answer in time"),
}
BAD_ADDRESSES = (
    *("", "mlruns", "./mlruns", "file:///tmp/mlruns", "databricks", "databricks://x", "http://"),
    *("http:///x", "ftp://host", "sqlite://", "sqlite:///", "sqlite:///a%20b.db", "http://[::1"),
    *("sqlite:///x.db?mode=ro", "http://host?token=1", "http://host:port", "postgresql:///x"),
    *("sqlite:////no/such/folder/x.db", "http://host/#/experiments/1"),
)


def send(results, address, experiment="x"):
    """Push the small study."""
    wish = push.Wish(destination=destination.parse(address), experiment=experiment)
    return push.push(INDEX, results, wish, summary=lambda _: ("", {}))


@pytest.mark.parametrize("name", ANSWERS)
def test_a_wrong_answer_is_a_sentence(name, tmp_path, monkeypatch, tally):
    """With the address, without its password, and without MLflow's retries."""
    write_study(tmp_path)
    answer, said = ANSWERS[name]
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    began = time.monotonic()
    with (
        tracking_servers.wrong(**answer) as address,
        pytest.raises(ReproError, match=said) as told,
    ):
        send(tmp_path, address.replace("//", f"//me:{SECRET}@"))

    tally.faults += 1
    assert str(told.value).startswith(address)
    assert SECRET not in str(told.value)
    assert time.monotonic() - began < 20


def test_nobody_there_is_a_sentence(tmp_path, tally):
    """At once, where MLflow would try for minutes."""
    write_study(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    began = time.monotonic()
    with pytest.raises(ReproError, match="nothing answers there, or the connection broke"):
        send(tmp_path, address)

    tally.faults += 1
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("address", BAD_ADDRESSES)
def test_an_address_that_is_none_is_refused(address, tally):
    """With what is expected, before anything is asked or made."""
    tally.bad_inputs += 1
    with pytest.raises(ReproError, match=r"--to|no such folder"):
        destination.parse(address)


@pytest.mark.parametrize("content", [b"", b"not a database", b"SQLite format 3\0" + b"x" * 200])
def test_a_file_that_is_no_database_of_mlflow_is_left_alone(content, tmp_path, tally):
    """Its bytes do not change."""
    write_study(tmp_path)
    file = tmp_path / "x.db"
    file.write_bytes(content)

    tally.bad_inputs += 1
    with pytest.raises(ReproError, match=r"x\.db: "):
        send(tmp_path, f"sqlite:///{file}")
    assert file.read_bytes() == content


def test_the_pages_of_a_results_folder_are_no_destination(tmp_path, tally):
    """They are a mirror: what nobody has a record of would be moved to the trash."""
    write_study(tmp_path)
    (tmp_path / "mlflow").mkdir()

    tally.bad_inputs += 1
    with pytest.raises(ReproError, match="without --to"):
        destination.parse(f"sqlite:///{tmp_path}/mlflow/mlflow.db")


@pytest.mark.parametrize("name", ["", " ", "x" * 501])
def test_a_name_of_no_experiment_is_refused(name, tmp_path, tally):
    """Before a run is made."""
    write_study(tmp_path)
    tally.bad_inputs += 1
    with pytest.raises(ReproError, match="--experiment: a name has 1 to 500 characters"):
        send(tmp_path, f"sqlite:///{tmp_path}/x.db", name)


def test_a_driver_that_is_missing_is_told(tmp_path, tally):
    """Drivers of databases do not come with MLflow."""
    write_study(tmp_path)
    with contextlib.suppress(ImportError):
        import psycopg2  # noqa: F401

        pytest.skip("a driver for PostgreSQL is here")
    tally.faults += 1
    with pytest.raises(ReproError, match="package to reach it is not installed") as told:
        send(tmp_path, f"postgresql+psycopg2://me:{SECRET}@127.0.0.1:1/x")
    assert SECRET not in str(told.value)
