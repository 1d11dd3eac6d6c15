"""``repro sync``: whatever happened to the mirror, it ends equal to the records."""

import contextlib
import fcntl
import shutil
import sqlite3
from dataclasses import replace
from types import SimpleNamespace

import mirrors
import pytest
from click.testing import CliRunner
from mirrors import (
    FIGURES,
    INDEX,
    RECORD,
    TABLE,
    client_of,
    experiment_of,
    folder_of,
    holding,
    one_run_of,
    runs_of,
    summary_of,
    write_study,
)

from repro.cli import exhibits, main
from repro.errors import RecordError, ReproError
from repro.records import records
from repro.records.mlflow import bulk_writer, sqlite_store, synchronisation
from repro.records.mlflow.mirror import Mirror
from repro.records.records import ArmIndex
from repro.reporting.tables import tables

OTHER = replace(
    INDEX, name="resampling", reference="max", arms=[ArmIndex(name="max", keys=["a-seed0"])]
)


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    return mirrors.template(tmp_path_factory)


@pytest.fixture
def results(template, tmp_path):
    """Two studies that share a run, each mirrored run by run."""
    folder = mirrors.copy_template(template, tmp_path / "results")
    found = write_study(folder)
    records.write_index(OTHER, folder)
    mirror = Mirror(folder)
    for record in found:
        mirror.add(INDEX, "alpha 0.1", record)
    mirror.finish(INDEX, TABLE, files=FIGURES)
    mirror.add(OTHER, "max", found[0])
    mirror.finish(OTHER, TABLE, files=FIGURES)
    return folder


def synchronise(folder, only=None):
    return synchronisation.synchronise(folder, only=only, summary=lambda _: (TABLE, FIGURES))


def did(changes):
    return changes.added, changes.renewed, changes.removed, changes.pages


def test_a_mirror_built_at_once_equals_one_kept_run_by_run(results, tmp_path):
    """All that it holds and shows is the same, but for identifiers and the time of the tables."""
    kept = holding(results)
    again = shutil.copytree(results, tmp_path / "again", ignore=lambda *_: {"mlflow"})

    changes = synchronise(again)

    assert did(changes) == (3, 0, 0, 2)
    assert holding(again) == kept
    assert len(kept) == 3  # with MLflow's own, empty experiment


def test_an_equal_mirror_is_left_alone(results):
    """No byte of the database is written."""
    before = sqlite_store.database(results).read_bytes()

    changes = synchronise(results)

    assert str(changes) == "3 runs in 2 studies: 0 added, 0 renewed, 0 removed"
    assert sqlite_store.database(results).read_bytes() == before


def delete_a_run(client, folder):
    client.delete_run(one_run_of(folder).info.run_id)


def leave_a_run_half_written(client, folder):
    experiment = experiment_of(folder).experiment_id
    client.create_run(experiment, tags={"repro.key": "a-seed0", "repro.arm": "alpha 0.1"})


def interrupt_a_run(client, folder):
    client.update_run(one_run_of(folder).info.run_id, status="RUNNING")


def rename_a_run(client, folder):
    client.update_run(one_run_of(folder).info.run_id, name="best")


def change_a_tag(client, folder):
    client.set_tag(one_run_of(folder).info.run_id, "repro.data.train", "0")


def change_the_arm_tag(client, folder):
    client.set_tag(one_run_of(folder).info.run_id, "repro.arm", "another")


def add_a_tag(client, folder):
    client.set_tag(one_run_of(folder).info.run_id, "repro.failure", "none")


def add_a_parameter(client, folder):
    client.log_param(one_run_of(folder).info.run_id, "extra", 1)


def add_a_wrong_metric(client, folder):
    client.log_metric(one_run_of(folder).info.run_id, "test/recall", 0.99, step=0)


def write_as_before_a_metric_existed(client, folder):
    run = one_run_of(folder).info.run_id
    with contextlib.closing(sqlite3.connect(sqlite_store.database(folder))) as connection:
        for table in ("metrics", "latest_metrics"):
            query = f"DELETE FROM {table} WHERE run_uuid = ? AND key = 'test/worst_group'"
            assert connection.execute(query, (run,)).rowcount == 1
        connection.commit()


def add_an_epoch(client, folder):
    client.log_metric(one_run_of(folder).info.run_id, "train/loss", 0.1, step=3)


def remove_an_artifact(_, folder):
    (folder_of(one_run_of(folder)) / "model.safetensors").unlink()


def replace_an_artifact(_, folder):
    path = folder_of(one_run_of(folder)) / "model.safetensors"
    path.unlink()
    path.write_bytes(b"another")


def add_an_artifact(_, folder):
    (folder_of(one_run_of(folder)) / "notes.txt").write_text("mine")


def write_a_run_twice(_, folder):
    mirrors.write_run(folder, records.read_record("a-seed0", folder))


def add_a_run_that_no_study_wants(_, folder):
    mirrors.write_run(folder, replace(RECORD, key="b-seed0"))


def delete_the_summary(client, folder):
    client.delete_run(summary_of(folder).info.run_id)


def remove_a_figure(_, folder):
    (folder_of(summary_of(folder)) / "figures" / "recall.svg").unlink()


def change_the_summary(client, folder):
    client.set_tag(summary_of(folder).info.run_id, "mlflow.note.content", "mine")


def change_the_description(client, folder):
    experiment = experiment_of(folder).experiment_id
    client.set_experiment_tag(experiment, "mlflow.note.content", "mine")


def change_the_view(client, folder):
    experiment = experiment_of(folder).experiment_id
    client.set_experiment_tag(experiment, "mlflow.sharedViewState.arms", "{}")


def delete_the_experiment(client, folder):
    client.delete_experiment(experiment_of(folder).experiment_id)


DAMAGES = {
    delete_a_run: (1, 0, 0, 0),
    leave_a_run_half_written: (0, 0, 1, 0),
    interrupt_a_run: (0, 1, 0, 0),
    rename_a_run: (0, 1, 0, 0),
    change_a_tag: (0, 1, 0, 0),
    change_the_arm_tag: (0, 1, 0, 0),
    add_a_tag: (0, 1, 0, 0),
    add_a_parameter: (0, 1, 0, 0),
    add_a_wrong_metric: (0, 1, 0, 0),
    write_as_before_a_metric_existed: (0, 1, 0, 0),
    add_an_epoch: (0, 1, 0, 0),
    remove_an_artifact: (0, 1, 0, 0),
    replace_an_artifact: (0, 1, 0, 0),
    add_an_artifact: (0, 1, 0, 0),
    write_a_run_twice: (0, 0, 1, 0),
    add_a_run_that_no_study_wants: (0, 0, 1, 0),
    delete_the_summary: (0, 0, 0, 1),
    remove_a_figure: (0, 0, 0, 1),
    change_the_summary: (0, 0, 0, 1),
    change_the_description: (0, 0, 0, 1),
    change_the_view: (0, 0, 0, 0),
    delete_the_experiment: (0, 0, 0, 0),
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_mirror_ends_equal(results, damage):
    """What differs is done again, and nothing else."""
    whole = holding(results)
    damage(client_of(results), results)
    if damage is not delete_the_experiment:
        assert holding(results) != whole

    changes = synchronise(results)

    assert did(changes) == DAMAGES[damage]
    assert holding(results) == whole
    assert did(synchronise(results)) == (0, 0, 0, 0)


def test_a_database_that_nobody_tried_is_synchronised_by_the_client(results, monkeypatch):
    """What differs and what is too much, as in one that was."""
    whole = holding(results)
    monkeypatch.setattr(bulk_writer, "TRIED", frozenset())
    for damage in (add_an_epoch, add_a_run_that_no_study_wants, delete_the_summary):
        damage(client_of(results), results)

    assert did(synchronise(results)) == (0, 1, 1, 1)
    assert holding(results) == whole


def test_what_readers_wrote_themselves_is_left_alone(results):
    """Their runs, their experiments and their notes on a run are no business of ours."""
    client = client_of(results)
    own = client.create_run(experiment_of(results).experiment_id, run_name="mine").info.run_id
    elsewhere = client.create_run(client.create_experiment("mine/own")).info.run_id
    noted = one_run_of(results).info.run_id
    client.set_tag(noted, "mlflow.note.content", "Look at this one.")

    changes = synchronise(results)

    assert did(changes) == (0, 0, 0, 0)
    stages = {client.get_run(run).info.lifecycle_stage for run in (own, elsewhere, noted)}
    assert stages == {"active"}
    assert client.get_run(noted).data.tags["mlflow.note.content"] == "Look at this one."


def test_a_study_that_is_gone_is_binned_with_a_remark(results):
    """Its index was removed, or all its records were."""
    (results / "studies" / "resampling" / "embedded.json").unlink()

    changes = synchronise(results)

    assert str(changes).splitlines() == [
        "resampling/embedded has no records in these results: moved to MLflow's trash",
        "2 runs in 1 study: 0 added, 0 renewed, 0 removed",
    ]
    assert experiment_of(results, "resampling/embedded").lifecycle_stage == "deleted"
    assert not synchronise(results).remarks


def test_a_study_that_is_gone_keeps_the_runs_of_readers(results):
    """Only what we wrote goes."""
    client = client_of(results)
    experiment = experiment_of(results, "resampling/embedded").experiment_id
    own = client.create_run(experiment).info.run_id
    (results / "studies" / "resampling" / "embedded.json").unlink()

    synchronise(results)

    assert [run.info.run_id for run in client.search_runs([experiment])] == [own]
    assert experiment_of(results, "resampling/embedded").lifecycle_stage == "active"


def test_runs_whose_records_are_gone_are_removed(results):
    """The mirror shows what there is evidence for, and what it comes to is shown anew."""
    shutil.rmtree(results / "runs" / "a-seed1")

    assert did(synchronise(results)) == (0, 0, 1, 1)
    assert [run.data.tags["repro.key"] for run in runs_of(results)] == ["a-seed0"]


def test_one_study_can_be_synchronised_alone(results):
    """The others stay as they are, however that is."""
    client = client_of(results)
    for name in ("alpha_sweep/embedded", "resampling/embedded"):
        client.delete_run(runs_of(results, name)[0].info.run_id)

    changes = synchronise(results, only=records.read_indexes(results, "resampling")[0])

    assert str(changes) == "1 run in 1 study: 1 added, 0 renewed, 0 removed"
    assert len(runs_of(results)) == 1


def test_moved_results_get_artifacts_where_they_are_now(results, tmp_path):
    """And the new mirror equals the old one."""
    whole = holding(results)
    moved = results.rename(tmp_path / "moved")

    changes = synchronise(moved)

    assert did(changes) == (3, 0, 0, 2)
    assert holding(moved) == whole
    assert folder_of(one_run_of(moved)).is_relative_to(moved)


def test_a_run_of_a_reader_survives_a_move(results, tmp_path):
    """The experiment that was put aside stays in sight with it."""
    own = client_of(results).create_run(experiment_of(results).experiment_id).info.run_id
    moved = results.rename(tmp_path / "moved")
    synchronise(moved)
    synchronise(moved)

    aside = experiment_of(moved, "alpha_sweep embedded, aside 1")
    runs = client_of(moved).search_runs([aside.experiment_id])
    assert [run.info.run_id for run in runs] == [own]


def scribble(path):
    path.write_bytes(b"not a database" * 100)


def break_a_page(path):
    content = bytearray(path.read_bytes())
    content[40 * 4096 :] = b"\xff" * (len(content) - 40 * 4096)
    path.write_bytes(content)


def come_from_another_release(path):
    with sqlite3.connect(path) as other:
        other.execute("UPDATE alembic_version SET version_num = 'other'")
    other.close()


@pytest.mark.parametrize("damage", [scribble, break_a_page, come_from_another_release])
def test_a_database_that_cannot_be_read_is_kept_and_built_anew(results, tmp_path, damage):
    """Nothing is deleted, and the sentence says where it is now."""
    other = shutil.copytree(results, tmp_path / "other")  # MLflow has not connected to it yet
    (other / "mlflow.aside-1").mkdir()
    damage(sqlite_store.database(other))
    broken = sqlite_store.database(other).read_bytes()

    changes = synchronise(other)

    (remark,) = changes.remarks
    assert f"the folder is kept as {other / 'mlflow.aside-2'}, and a new mirror" in remark
    assert (other / "mlflow.aside-2" / "mlflow.db").read_bytes() == broken
    assert holding(other) == holding(results)


def test_a_database_that_another_writer_holds_is_not_set_aside(results, monkeypatch):
    """That passes; the sentence says so."""
    monkeypatch.setattr(sqlite_store, "PATIENCE", 0.1)
    writer = sqlite3.connect(sqlite_store.database(results), isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(
            ReproError, match=r"cannot be written \(database is locked\); make sure"
        ):
            synchronise(results)
    finally:
        writer.close()

    assert not (results / "mlflow.aside-1").exists()


def test_a_study_that_is_running_is_left_alone(results):
    """It writes its own runs, and a half written one must not be binned under its hands."""
    client_of(results).delete_run(one_run_of(results).info.run_id)
    with (results / "studies" / "alpha_sweep" / "embedded.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        changes = synchronise(results)

    assert str(changes).splitlines() == [
        "alpha_sweep/embedded: another process runs or mirrors it; left alone",
        "1 run in 1 study: 0 added, 0 renewed, 0 removed",
    ]
    assert did(synchronise(results)) == (1, 0, 0, 0)


def test_a_damaged_record_is_named(results):
    """It is mended first; the mirror stays as it was."""
    path = results / "runs" / "a-seed1" / "record.json"
    path.write_text(path.read_text().replace("kl", "vae"))

    with pytest.raises(RecordError, match="checksum"):
        synchronise(results)


def test_no_mirror_is_made_where_there_are_no_results(tmp_path):
    """A mistyped folder stays absent."""
    with pytest.raises(ReproError, match="no study to mirror"):
        synchronise(tmp_path / "reslts")

    assert not (tmp_path / "reslts").exists()


@pytest.fixture
def _plain_pages(monkeypatch):
    """The commands show a table of one row, and no figures: those have tests of their own."""
    monkeypatch.setattr(exhibits, "of_study", lambda *_, **__: SimpleNamespace(outcomes=None))
    monkeypatch.setattr(tables, "parts", lambda *_, **__: [])
    monkeypatch.setattr(exhibits, "page", lambda *_: (TABLE, {}))


@pytest.mark.usefixtures("_plain_pages")
def test_the_command_says_what_it_did(template, tmp_path):
    """And says nothing was to be done the second time."""
    results = mirrors.copy_template(template, tmp_path / "results")
    write_study(results)
    first = CliRunner().invoke(main, ["sync", "--results", str(results)])
    second = CliRunner().invoke(main, ["sync", "alpha_sweep", "--results", str(results)])

    assert (first.exception, second.exception) == (None, None)
    place = f"Written to {sqlite_store.database(results)}\n"
    assert first.output == (
        "2 runs in 1 study: 2 added, 0 renewed, 0 removed; tables and figures of 1 study renewed\n"
        f"{place}"
    )
    assert second.output == f"2 runs in 1 study: 0 added, 0 renewed, 0 removed\n{place}"


@pytest.mark.usefixtures("_plain_pages")
def test_an_address_that_is_not_followed_is_told(template, tmp_path, monkeypatch):
    """With the command that sends the study there, and without the password in it."""
    results = mirrors.copy_template(template, tmp_path / "results")
    write_study(results)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:canary@host.test")
    result = CliRunner().invoke(main, ["sync", "alpha_sweep", "--results", str(results)])

    assert result.stderr.splitlines()[-1] == (
        "MLFLOW_TRACKING_URI is set and was not followed. To send the study there: "
        'repro sync alpha_sweep@embedded --to "$MLFLOW_TRACKING_URI"'
    )
    assert "canary" not in result.output


@pytest.mark.parametrize(
    "options", [["--weights"], ["--experiment", "x"], ["toy", "--artifact-location", "s3://x"]]
)
def test_an_option_of_sending_needs_an_address(options):
    """It would do nothing without."""
    result = CliRunner().invoke(main, ["sync", *options])

    assert result.exit_code == 2
    assert "need --to URI" in result.output


def test_one_study_is_sent_and_not_all():
    """Nobody wants all of a folder on a server of others by a slip."""
    result = CliRunner().invoke(main, ["sync", "--to", "http://127.0.0.1:1"])

    assert result.exit_code == 2
    assert "--to sends one study: name it" in result.output


@pytest.mark.usefixtures("_plain_pages")
def test_the_command_ends_with_status_1_where_the_mirror_cannot_be_written(tmp_path):
    """One sentence, no traceback."""
    write_study(tmp_path)
    (tmp_path / "mlflow").write_text("in the way")
    result = CliRunner().invoke(main, ["sync", "--results", str(tmp_path)])

    assert result.exit_code == 1
    assert "mlflow.db: the mirror cannot be written" in result.output
    assert "Traceback" not in result.output


def test_the_command_names_the_studies_that_there_are(results):
    """For a name that is none of them."""
    result = CliRunner().invoke(main, ["sync", "alpha_swep", "--results", str(results)])

    assert result.exit_code == 1
    assert "alpha_sweep" in result.output
