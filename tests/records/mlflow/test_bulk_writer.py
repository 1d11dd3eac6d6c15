"""Runs written at once: what MLflow's client would have written, whole or not at all."""

import errno
import random
import sqlite3
import time
from contextlib import closing
from dataclasses import replace

import mirrors
import mlflow
import pytest
from mirrors import FAILED, INDEX, RECORD, TABLE, client_of, experiment_of, runs_of, write_study

from repro.errors import ReproError
from repro.records.mlflow import bulk_writer, run_content, sqlite_store
from repro.records.mlflow.bulk_writer import Store
from repro.records.mlflow.mirror import Mirror
from repro.records.mlflow.run_content import Content
from repro.records.records import ArmIndex

KEYS = [f"a-seed{seed}" for seed in range(4)]
STUDY = replace(INDEX, arms=[ArmIndex(name="alpha 0.1", keys=KEYS)])
NAMES = [("alpha 0.1", key) for key in KEYS]
WAYS = {"by rows": bulk_writer.TRIED, "by the client": frozenset()}
AWKWARD = Content(  # and yet nothing that MLflow refuses
    name="größer, 'best'; seed 0",
    status="FINISHED",
    tags={"empty": "", "long": "x" * run_content.LONGEST_TAG, "lines": "a\n\tb\0c ü €"},
    params={"empty": "", "long": "y" * run_content.LONGEST_PARAM, "a b/c-d.e:f_g": "½"},
    points=[
        *(("x/falls", 1 / step, step) for step in (3, 1, 2)),
        *[("x/twice", 0.5, 1), ("x/twice", 0.5, 1), ("x/twice", 0.75, 1), ("x/twice", 0.25, 1)],
        *[("zero", -0.0, 0), ("zero", 0.0, 0), ("small", 5e-324, -1), ("big", 1.7e308, 2**40)],
        *(("long", float(step), step) for step in range(1200)),
    ],
    artifacts={"deep/er/a.txt": b"a", "b.txt": b""},
)


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    return mirrors.template(tmp_path_factory)


@pytest.fixture
def results(template, tmp_path):
    """A study of four runs, the second of which failed, and an empty mirror."""
    folder = mirrors.copy_template(template, tmp_path / "my results, #1")
    found = [replace(RECORD, key=key, seed=seed) for seed, key in enumerate(KEYS)]
    found[1] = FAILED
    write_study(folder, STUDY, found)
    return folder


@pytest.fixture(autouse=True)
def _quiet():
    """Stores are made without a mirror around them."""
    with sqlite_store.quiet():
        yield


def store_of(results):
    return Store(client_of(results), sqlite_store.database(results))


def database_of(results):
    return closing(sqlite3.connect(sqlite_store.database(results)))


def folders_of(results):
    return [path.name for path in sqlite_store.artifacts(results).rglob("*") if path.is_dir()]


def tables(results):
    """Every row of every table, with the names of runs for their identifiers."""
    with database_of(results) as connection:
        names = dict(connection.execute("SELECT run_uuid, name FROM runs"))
        place = sqlite_store.artifacts(results).as_uri()
        found = {
            table: [
                repr(row).replace(place, "PLACE")
                for row in connection.execute(f"SELECT * FROM {table}")
            ]
            for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
        }
    for identifier, name in names.items():
        found = {t: [r.replace(identifier, f"<{name}>") for r in rows] for t, rows in found.items()}
    return {table: sorted(rows) for table, rows in found.items()}


def answers(results):
    """All that MLflow's client says of the runs, by their names."""
    client = client_of(results)
    experiment = client.get_experiment_by_name("x")
    by_loss = client.search_runs([experiment.experiment_id], order_by=["metrics.zero DESC"])
    found = {"order": [run.info.run_name for run in by_loss]}
    for listed in by_loss:
        run = client.get_run(listed.info.run_id)
        said = [run.to_dictionary(), listed.to_dictionary(), *map(vars, (run.inputs, run.outputs))]
        files = [vars(file) for file in client.list_artifacts(run.info.run_id)]
        curves = [
            [vars(point) for point in client.get_metric_history(run.info.run_id, name)]
            for name in run.data.metrics
        ]
        text = repr([said, files, sorted(curves, key=repr), sorted(run.data.metrics.items())])
        place = sqlite_store.artifacts(results).as_uri()
        found[run.info.run_name] = text.replace(run.info.run_id, "RUN").replace(place, "PLACE")
    return found


def test_a_run_written_in_bulk_is_the_one_that_the_client_writes(template, tmp_path, monkeypatch):
    """Every table is equal, and every answer, down to the time of what has none."""
    monkeypatch.setattr(time, "time", lambda: 1_800_000_000.25)
    monkeypatch.setattr(bulk_writer, "AT_ONCE", 2)
    contents = [
        run_content.content(INDEX, "alpha 0.1", record, tmp_path) for record in (RECORD, FAILED)
    ]
    contents[1] = replace(contents[1], started=7)  # or their order would be one of identifiers
    contents += [AWKWARD, replace(AWKWARD, name="timed", started=3, ended=5)]
    contents += [replace(AWKWARD, name="begun", started=1_700_000_000_000)]
    written = []
    for name, way in WAYS.items():
        monkeypatch.setattr(bulk_writer, "TRIED", way)
        results = mirrors.copy_template(template, tmp_path / name)
        place = (sqlite_store.artifacts(results) / "a, #1").as_uri()
        store = store_of(results)
        store.write(store.client.create_experiment("x", artifact_location=place), contents)
        written.append((tables(results), answers(results)))

    (rows, said), (rows_of_client, said_by_client) = written
    assert len(said) == 1 + len(contents)
    assert rows == rows_of_client
    assert said == said_by_client


def test_runs_are_listed_and_read_as_the_client_does(results, monkeypatch):
    """Ours, half of one, somebody's own, tables and figures, but none out of the bin."""
    mirror = Mirror(results)
    mirror.add_all(STUDY, *NAMES)
    mirror.finish(STUDY, TABLE)
    client, experiment = client_of(results), experiment_of(results).experiment_id
    client.create_run(experiment, tags={"repro.key": "b", "repro.arm": "c"}, start_time=5)
    client.create_run(experiment, tags={"repro.key": "b"}, start_time=5)
    own = client.create_run(experiment, run_name="mine").info.run_id
    client.log_metric(own, "none", float("inf"))
    client.delete_run(runs_of(results)[-1].info.run_id)
    said = []
    for way in WAYS.values():
        monkeypatch.setattr(bulk_writer, "TRIED", way)
        store = store_of(results)
        listed = store.listing(experiment)
        said.append([listed, [store.read(run.identifier) for run in listed]])

    assert len(said[0][0]) == 4 - 1 + 1 + 2 + 1
    assert said[0] == said[1]


@pytest.mark.parametrize("way", WAYS)
def test_runs_that_are_mirrored_together_are_there_once(results, monkeypatch, way):
    """Those that are there are left alone; revisions that nobody tried go through the client."""
    calls = []
    write = run_content.write
    monkeypatch.setattr(run_content, "write", lambda *given: [calls.append(given), write(*given)])
    monkeypatch.setattr(bulk_writer, "TRIED", WAYS[way])
    mirror = Mirror(results)
    mirror.add_all(STUDY, *NAMES[:2])
    mirror.add_all(STUDY, *NAMES)
    mirror.add_all(STUDY, *NAMES)
    counted = len(runs_of(results))
    Mirror(results).add_all(STUDY, *NAMES)

    assert counted == len(KEYS)
    assert sorted(run.data.tags["repro.key"] for run in runs_of(results)) == KEYS
    assert len(calls) == (0 if way == "by rows" else len(KEYS))


def test_the_tables_of_the_mlflow_that_is_installed_were_tried(template):
    """Else the mirror of a large study is slow."""
    if not mlflow.__version__.startswith(("3.10.", "3.17.")):
        pytest.skip(f"MLflow {mlflow.__version__} was not tried")
    with closing(sqlite3.connect(template)) as connection:
        found = {revision for (revision,) in connection.execute("SELECT * FROM alembic_version")}

    assert len(found) == 1
    assert found <= bulk_writer.TRIED


@pytest.mark.parametrize("key", [KEYS[1], KEYS[-1]])
def test_a_record_that_is_damaged_costs_none_of_the_others(results, key):
    """The tables say what is wrong with it."""
    path = results / "runs" / key / "record.json"
    path.write_text(path.read_text().replace("vae", "kl") + " ")
    Mirror(results).add_all(STUDY, *NAMES)

    assert sorted(run.data.tags["repro.key"] for run in runs_of(results)) == [
        other for other in KEYS if other != key
    ]


def fail_at_the_third_artifact(results, monkeypatch):
    put, calls = run_content.put, []

    def fail(source, target):
        calls.append(target)
        if len(calls) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        put(source, target)

    monkeypatch.setattr(run_content, "put", fail)
    return "No space left on device"


def fail_at_the_last_rows(results, monkeypatch):
    with database_of(results) as connection, connection:
        connection.execute(
            "CREATE TRIGGER fault BEFORE INSERT ON latest_metrics WHEN NEW.key = 'test/recall' "
            "BEGIN SELECT RAISE(ABORT, 'no more rows'); END"
        )
    return "no more rows"


def fail_at_the_commit(results, monkeypatch):
    with database_of(results) as connection, connection:
        connection.execute(
            "CREATE TRIGGER fault BEFORE INSERT ON latest_metrics "
            "BEGIN SELECT RAISE(ROLLBACK, 'it ends by itself'); END"
        )
    return "it ends by itself"


@pytest.mark.parametrize(
    "fault", [fail_at_the_third_artifact, fail_at_the_last_rows, fail_at_the_commit]
)
def test_runs_that_cannot_all_be_written_leave_nothing(results, monkeypatch, fault):
    """No row and no artifact, but every record; the next try writes them."""
    mirror = Mirror(results)
    assert mirror.wants_page(STUDY)
    with monkeypatch.context() as patched:
        reason = fault(results, patched)
        with pytest.raises(ReproError, match=reason):
            mirror.add_all(STUDY, *NAMES)
    with database_of(results) as connection, connection:
        connection.execute("DROP TRIGGER IF EXISTS fault")
    left = (len(runs_of(results)), set(folders_of(results)))
    mirror.add_all(STUDY, *NAMES)

    assert left == (0, {"alpha_sweep", "embedded"})
    assert len(runs_of(results)) == len(KEYS)
    assert all((results / "runs" / key / "record.json").is_file() for key in KEYS)


def test_a_study_that_a_reader_deletes_meanwhile_is_taken_out_of_the_bin(results):
    """At the next try, as one that was deleted before."""
    mirror = Mirror(results)
    mirror.add_all(STUDY, *NAMES[:1])
    client_of(results).delete_experiment(experiment_of(results).experiment_id)
    with pytest.raises(ReproError, match="was deleted"):
        mirror.add_all(STUDY, *NAMES)
    mirror.add_all(STUDY, *NAMES)

    assert experiment_of(results).lifecycle_stage == "active"
    assert len(runs_of(results)) == len(KEYS)


def test_what_mlflow_refuses_costs_none_of_the_others(results):
    """It goes through the client, after them, and is refused there in MLflow's words."""
    store = store_of(results)
    good = replace(AWKWARD, tags={"repro.key": "good"})
    bad = replace(AWKWARD, tags={"repro.key": "bad"}, points=[("a@b", 1.0, 0)])
    place = sqlite_store.artifacts(results).as_uri()
    experiment = store.client.create_experiment("x", artifact_location=place)
    with pytest.raises(mlflow.MlflowException, match="a@b"):
        store.write(experiment, [bad, good])

    held = {run.name: run.status for run in store.listing(experiment)}
    assert held == {("", "good"): "FINISHED", ("", "bad"): "RUNNING"}


ODD = {
    "a note": {"note": "to be filled in"},
    "a name of its own": {"tags": {"mlflow.runName": "another"}},
    "no time": {"started": 0},
    "a long name": {"name": "x" * 251},
    "a long parameter": {"params": {"x": "y" * 6001}},
    "a long tag": {"tags": {"x": "y" * 8001}},
    "half a pair": {"params": {"x": "\udc80"}},
    "no name": {"params": {"": "y"}},
    "an odd parameter": {"params": {"x,y": "z"}},
    "an odd tag": {"tags": {"ü": "z"}},
    "an odd metric": {"points": [("a/../b", 1.0, 0)]},
}


@pytest.mark.parametrize("odd", ODD)
def test_what_mlflow_would_change_or_refuse_is_not_plain(odd):
    """It is for the client to say, and the other runs do not wait for it."""
    assert bulk_writer.is_plain(AWKWARD)
    assert not bulk_writer.is_plain(replace(AWKWARD, **ODD[odd]))


def test_mlflow_takes_every_name_that_is_plain():
    """Of 5,000 that are made of its own letters and of some that it does not like."""
    from mlflow.utils import validation

    dice = random.Random(5)
    names = ["".join(dice.choices("ab_1.. :-//@\nü", k=dice.randint(1, 6))) for _ in range(5_000)]
    simple = Content(name="", status="FINISHED", tags={})
    plain = [name for name in names if bulk_writer.is_plain(replace(simple, tags={name: ""}))]
    for name in plain:
        validation._validate_metric_name(name)
        validation._validate_param(name, "")
        validation._validate_tag(name, "")

    assert 500 < len(plain) < 4_500


def test_a_run_that_started_from_another_has_its_key_as_a_tag(tmp_path):
    """And the digest of each plug-in; other runs have neither tag."""
    more = replace(RECORD, source="b-seed0", plugins={"rule mine": "0f0f"})
    tags, plain = (
        run_content.content(INDEX, "alpha 0.1", one, tmp_path).tags for one in (more, RECORD)
    )

    assert {name: tags[name] for name in tags.keys() - plain.keys()} == {
        "repro.source_run": "b-seed0",
        "repro.plugin.rule mine": "0f0f",
    }
