"""A study at a real tracking server of MLflow: sent once, whatever happens in between."""

import base64
import contextlib
import json
import os
import shutil
import sqlite3
from dataclasses import replace
from types import SimpleNamespace

import mirrors
import pytest
import tracking_servers
from click.testing import CliRunner
from mirrors import FIGURES, INDEX, RECORD, TABLE, write_study

from repro.cli import exhibits, main
from repro.errors import ReproError
from repro.metrics import Count
from repro.records.mlflow import run_content, sqlite_store
from repro.records.mlflow.remote import destination, experiments, push, runs
from repro.reporting.tables import tables

pytest.importorskip("mlflow", reason="there is no MLflow here")

OWN = (runs.CREATED, run_content.NOTE)  # which hold a time and an identifier
SECRET = "canary-77d0"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The folder and the address of one server for all tests of this module."""
    folder = tmp_path_factory.mktemp("server")
    shutil.copyfile(mirrors.template(tmp_path_factory), folder / "server.db")  # builds no tables
    with tracking_servers.real(folder) as address:
        yield folder, address


@pytest.fixture
def at(server, request):
    """Arguments of a push to an experiment of this test's own."""
    return server[1], request.node.name


@pytest.fixture
def results(tmp_path):
    """Records of the small study."""
    write_study(tmp_path / "results")
    return tmp_path / "results"


def test_the_last_line_says_what_was_sent_or_that_all_was_there():
    """Only what was sent is named."""
    sent = push.Sent(where="at", runs=4, page=True)

    assert str(sent) == "at: sent the tables and figures; 4 runs have a record"
    assert str(replace(sent, new=2)) == (
        "at: sent 2 new and the tables and figures; 4 runs have a record"
    )
    assert str(replace(sent, page=False)) == "at: nothing to send: all of the 4 runs are there"


def send(results, at, index=INDEX, summary=lambda _: (TABLE, FIGURES), **options):
    """Push the small study."""
    address, experiment = at
    where = destination.parse(address)
    wish = push.Wish(destination=where, experiment=experiment, **options)
    return push.push(index, results, wish, summary=summary)


def client(at):
    """A client of the destination."""
    with sqlite_store.quiet():
        return sqlite_store.connect(at[0])


def sent_runs(at, kind=1):
    """Active runs of the experiment by name; kind 2 for deleted ones."""
    one = client(at)
    experiment = one.get_experiment_by_name(at[1])
    found = one.search_runs([experiment.experiment_id], run_view_type=kind)
    return {run.info.run_name: run for run in found}, found


def everything(at):
    """All that a destination has of an experiment, without identifiers and clocks."""
    one = client(at)
    return sorted(
        (
            run.info.run_name,
            run.info.status,
            run.info.start_time if "repro.key" in run.data.tags else None,
            sorted(run.data.params.items()),
            sorted(
                (k, v)
                for k, v in run.data.tags.items()
                if k not in (runs.CREATED, "mlflow.note.content")
            ),
            sorted(
                (name, p.value, p.step, p.timestamp)
                for name in run.data.metrics
                for p in one.get_metric_history(run.info.run_id, name)
            ),
            sorted((f.path, f.file_size) for f in one.list_artifacts(run.info.run_id)),
        )
        for run in sent_runs(at)[1]
    )


def test_a_study_arrives_whole_and_once(results, at, server, monkeypatch, capfd):
    """With its files at the server; a second push says that there is nothing to send."""
    monkeypatch.setenv("MLFLOW_RUN_ID", "0" * 32)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "other")
    first, second = send(results, at), send(results, at, summary=None)
    settings = os.environ["MLFLOW_RUN_ID"]  # of the user, and left alone
    found, _ = sent_runs(at)
    one = found["alpha 0.1, seed 0"]

    assert settings == "0" * 32
    assert (first.new, first.page, second.is_nothing) == (2, True, True)
    assert "nothing to send: all of the 2 runs are there" in str(second)
    assert set(found) == {"alpha 0.1, seed 0", "alpha 0.1, seed 1", "Tables and figures"}
    held = run_content.read(client(at), one.info.run_id)
    wanted = run_content.content(INDEX, "alpha 0.1", RECORD, results)
    assert held.params == wanted.params
    assert held.points == {(*point, wanted.ended) for point in wanted.points}
    assert wanted.tags.items() <= held.tags.items()
    assert (held.started, held.ended, held.status) == (wanted.started, wanted.ended, "FINISHED")
    folder = server[0] / "artifacts" / one.info.experiment_id / one.info.run_id / "artifacts"
    assert [path.name for path in folder.iterdir()] == ["record.json"]
    assert capfd.readouterr().out == ""


def test_the_command_says_where_it_sent_a_study(results, at, monkeypatch):
    """And the address of the experiment's page."""
    monkeypatch.setattr(exhibits, "of_study", lambda *_, **__: SimpleNamespace(outcomes=None))
    monkeypatch.setattr(tables, "parts", lambda *_, **__: [])
    monkeypatch.setattr(exhibits, "page", lambda *_: (TABLE, {}))
    words = ["sync", "alpha_sweep", "--results", str(results), "--to", at[0]]
    done = CliRunner().invoke(main, [*words, "--experiment", at[1]])
    number = client(at).get_experiment_by_name(at[1]).experiment_id

    assert done.stdout == (
        f"Experiment '{at[1]}' at {at[0]}/#/experiments/{number}: sent 2 new and the tables and "
        "figures; 2 runs have a record\n"
    )


def test_networks_are_sent_only_if_asked_for(results, at):
    """Afterwards, too: the run is not made again."""
    plain, asked, again = (send(results, at, weights=weights) for weights in (False, True, True))
    one = sent_runs(at)[0]["alpha 0.1, seed 0"]
    files = {file.path for file in client(at).list_artifacts(one.info.run_id)}

    assert (plain.weights, asked.weights, asked.new, again.is_nothing) == (0, 1, 0, True)
    assert files == {"record.json", "model.safetensors"}


@pytest.mark.parametrize("left", [3, 9, 14])
def test_a_push_goes_on_where_the_server_died(results, at, left, monkeypatch):
    """After as many requests; in the end it holds what an uninterrupted push gives."""
    whole = (at[0], f"{at[1]} whole")
    with tracking_servers.before(at[0], left=left) as (server, address):
        with monkeypatch.context() as patched:
            patched.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
            with pytest.raises(ReproError, match="run the same command again, and it goes on"):
                send(results, (address, at[1]))
        server.left = 10**6
        send(results, (address, at[1]))
    send(results, whole)

    assert everything(at) == everything(whole)


def test_a_half_written_run_is_completed_and_no_point_is_doubled(results, at):
    """It lacks its last tag, a parameter and a metric's point."""
    send(results, at)
    one = sent_runs(at)[0]["alpha 0.1, seed 0"]
    before = everything(at)
    client(at).delete_tag(one.info.run_id, runs.PUSHED)
    again = send(results, at)

    assert (again.completed, again.new, again.renewed) == (1, 0, 0)
    assert everything(at) == before


def test_a_run_with_another_content_is_made_again(results, at):
    """The old one is in MLflow's trash: nothing is lost."""
    send(results, at)
    changed = replace(RECORD, groups={"darker/female": Count(8, 2)})
    other = results.with_name("other")
    write_study(other, found=[replace(changed, metrics={"recall": 0.25})])
    again = send(other, at)

    assert again.renewed == 1
    assert sent_runs(at)[0]["alpha 0.1, seed 0"].data.metrics["test/recall"] == 0.25
    assert len(sent_runs(at, kind=2)[1]) == 1


def test_a_run_that_somebody_deleted_is_not_sent_again(results, at):
    """They had their reasons; the push says so."""
    send(results, at)
    one = sent_runs(at)[0]["alpha 0.1, seed 0"]
    client(at).delete_run(one.info.run_id)
    again = send(results, at)

    assert (again.trashed, again.new) == (1, 0)
    assert "1 runs were deleted there" in str(again)
    assert len(sent_runs(at)[1]) == 2


def test_of_two_pushes_at_once_the_older_run_stays(results, at):
    """MLflow knows no unique tags, so both may have made it."""
    send(results, at)
    one = sent_runs(at)[0]["alpha 0.1, seed 0"]
    tags = {**one.data.tags, runs.CREATED: str(2 * int(one.data.tags[runs.CREATED]))}
    double = client(at).create_run(one.info.experiment_id, tags=tags)
    send(results, at)
    ids = {run.info.run_id for run in sent_runs(at)[1]}

    assert one.info.run_id in ids
    assert double.info.run_id not in ids


def test_a_long_value_is_whole_in_a_file(results, at):
    """MLflow would cut it without a word."""
    long = replace(RECORD, configuration={"text": "x" * 7000})
    results = results.with_name("long")
    write_study(results, found=[long])
    sent = send(results, at)
    one = sent_runs(at)[0]["alpha 0.1, seed 0"]
    with sqlite_store.quiet():
        path = client(at).download_artifacts(one.info.run_id, "long_values.json", str(results))
    with open(path) as file:
        found = json.load(file)

    assert found == {"params": {"text": "x" * 7000}, "tags": {}}
    assert one.data.params["text"].endswith(" ... [whole in long_values.json]")
    assert (sent.cut, len(one.data.params["text"])) == (1, 6000)
    assert send(results, at).is_nothing


def test_a_deleted_experiment_is_left_deleted(results, at):
    """Nothing is sent, and the sentence says how to restore it."""
    send(results, at)
    one = client(at)
    one.delete_experiment(one.get_experiment_by_name(at[1]).experiment_id)

    with pytest.raises(ReproError, match=r"somebody deleted the experiment .*mlflow experiments"):
        send(results, at)
    assert one.get_experiment_by_name(at[1]).lifecycle_stage == "deleted"


def test_files_are_not_written_where_only_the_server_would_look(results, at, tmp_path):
    """An experiment with a path: the client would write to a folder of its own machine."""
    folder = tmp_path / "of the server"
    client(at).create_experiment(at[1], artifact_location=folder.as_uri())
    sent = send(results, at)

    assert "Files of runs were left out" in str(sent)
    assert not folder.exists()
    assert sent_runs(at)[0]["alpha 0.1, seed 0"].data.metrics["test/recall"] == 0.75


def test_a_token_is_used_and_kept_nowhere(results, at, server, monkeypatch, capfd):
    """Neither printed, nor in the database of the server, nor in its files."""
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", SECRET)
    with tracking_servers.before(at[0], wanted=f"Bearer {SECRET}") as (passed, address):
        told = str(send(results, (address, at[1])))
    kept = [path.read_bytes() for path in server[0].rglob("*") if path.is_file()]

    assert passed.authorizations == {f"Bearer {SECRET}"}
    assert not any(SECRET.encode() in one for one in kept)
    assert SECRET not in told + "".join(capfd.readouterr())


def test_a_password_in_the_address_is_used_and_not_shown(results, at):
    """It is sent as the client sends user and password."""
    basic = base64.b64encode(f"me:{SECRET}".encode()).decode()
    with tracking_servers.before(at[0], wanted=f"Basic {basic}") as (passed, address):
        told = str(send(results, (address.replace("//", f"//me:{SECRET}@"), at[1])))

    assert passed.authorizations == {f"Basic {basic}"}
    assert SECRET not in told
    assert "http://127.0.0.1:" in told
    assert "me:" not in told


def test_a_database_gets_its_files_beside_it(results, tmp_path, tmp_path_factory, monkeypatch):
    """MLflow itself would put them into the folder in which the command is started."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "here").mkdir()
    shutil.copyfile(mirrors.template(tmp_path_factory), tmp_path / "elsewhere" / "all.db")
    monkeypatch.chdir(tmp_path / "here")
    at = ("sqlite:///../elsewhere/all.db", "mine/embedded")
    first, second = send(results, at), send(results, at)
    beside = tmp_path / "elsewhere" / "all-artifacts" / "mine_embedded"

    assert (first.new, second.is_nothing) == (2, True)
    assert len([*beside.rglob("record.json")]) == 2
    assert [*(tmp_path / "here").iterdir()] == []


def test_tables_of_another_release_are_left_as_they_are(results, tmp_path, tmp_path_factory):
    """The versions are told; MLflow would bring some of them up to date without being asked."""
    file = tmp_path / "old.db"
    file.write_bytes(mirrors.template(tmp_path_factory).read_bytes())
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'abc'")
        connection.execute("DROP TABLE metrics")
        connection.commit()
    before = file.read_bytes()

    with pytest.raises(ReproError, match=r"another release of MLflow \(found abc, expected \w+\)"):
        send(results, (f"sqlite:///{file}", "x"))
    assert file.read_bytes() == before


def test_a_database_elsewhere_needs_a_place_for_files(results):
    """Nobody would find them in a folder of this machine."""
    where = destination.parse(f"postgresql://me:{SECRET}@db.test/mlflow")
    with pytest.raises(ReproError, match="--artifact-location") as told:
        experiments._beside(where, "toy")

    assert SECRET not in str(told.value)


def test_a_study_without_a_record_is_not_sent(tmp_path):
    """Nobody is asked either."""
    with pytest.raises(ReproError, match="has no finished run to send"):
        send(tmp_path, ("http://127.0.0.1:1", "x"))
