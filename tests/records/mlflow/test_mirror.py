"""The MLflow mirror: what it holds, what it leaves alone, and how it fails."""

import base64
import errno
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
import zlib
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import mirrors
import pytest
from mirrors import (
    FAILED,
    FIGURES,
    INDEX,
    RECORD,
    TABLE,
    client_of,
    experiment_of,
    folder_of,
    runs_of,
    summary_of,
    write_study,
)

from repro.errors import ReproError
from repro.records.mlflow import run_content, server, sqlite_store, study_pages
from repro.records.mlflow.mirror import Mirror
from repro.records.records import ArmIndex


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    return mirrors.template(tmp_path_factory)


@pytest.fixture
def results(template, tmp_path):
    return mirrors.copy_template(template, tmp_path / "my results, #1")


@pytest.fixture
def mirror(results):
    return Mirror(results)


def mirrored(mirror, record):
    mirror.add(INDEX, "alpha 0.1", record)
    (run,) = runs_of(mirror.results)
    return run


def test_every_choice_of_a_finished_run_is_a_parameter(mirror):
    """Leaves stand under their dotted path, a list is one leaf, arm and seed are added."""
    run = mirrored(mirror, RECORD)

    assert run.data.params == {
        "data.train.faces": "12",
        "layers": "[8, 16]",
        "weight": "None",
        "arm": "alpha 0.1",
        "seed": "0",
    }


def test_a_finished_run_carries_status_times_and_source(mirror):
    """What a reader needs to find the evidence is on the run's page."""
    run = mirrored(mirror, RECORD)

    assert (run.info.status, run.info.run_name) == ("FINISHED", "alpha 0.1, seed 0")
    assert (run.info.start_time, run.info.end_time) == (1767323045000, 1767323046500)
    assert run.data.tags == {
        "repro.key": "a-seed0",
        "repro.arm": "alpha 0.1",
        "repro.seed": "0",
        "repro.commit": "c" * 40,
        "repro.status": "finished",
        "repro.record": "runs/a-seed0/record.json",
        "repro.data.train": "0123abcd",
        "mlflow.runName": "alpha 0.1, seed 0",
        "mlflow.user": "repro",
        "mlflow.source.name": "repro run alpha_sweep",
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": "c" * 40,
    }


def test_epochs_are_steps_and_single_numbers_have_names_of_their_own(mirror):
    """The validation accuracy of the checkpoint is not appended to the curve."""
    run = mirrored(mirror, RECORD)

    curves = {
        name: [
            (point.step, point.value)
            for point in client_of(mirror.results).get_metric_history(run.info.run_id, name)
        ]
        for name in run.data.metrics
    }
    assert curves == {
        "train/loss": [(1, 0.9), (2, 0.7)],
        "val/accuracy": [(1, 0.4), (2, 0.5)],
        "debias/ess": [(1, 11.0), (2, 12.0)],
        "val/final_accuracy": [(0, 0.5)],
        "test/recall": [(0, 0.75)],
        "test/recall_darker_female": [(0, 0.75)],
        "test/worst_group": [(0, 0.75)],
    }


def test_numbers_that_are_none_are_left_out(mirror):
    """MLflow would store infinity as the largest float."""
    run = mirrored(mirror, replace(RECORD, metrics={"x": float("inf"), "y": float("nan")}))

    assert not {"test/x", "test/y"} & set(run.data.metrics)


def test_a_long_run_is_written_in_pieces_that_mlflow_accepts(mirror):
    """More than 1000 points and 100 parameters arrive whole."""
    history = [{"epoch": float(e), "train_loss": 1 / e} for e in range(1, 1502)]
    configuration = {f"choice{i}": "x" * 7000 for i in range(150)}
    run = mirrored(mirror, replace(RECORD, history=history, configuration=configuration))

    points = client_of(mirror.results).get_metric_history(run.info.run_id, "train/loss")
    assert (len(points), len(run.data.params)) == (1501, 152)
    assert len(run.data.params["choice149"]) == 6000


def test_a_failed_run_is_failed_with_its_reason_and_without_numbers(mirror):
    """A failure stays visible, and nothing is invented for it."""
    run = mirrored(mirror, FAILED)

    assert (run.info.status, run.data.metrics) == ("FAILED", {})
    assert run.data.tags["repro.status"] == "failed"
    assert run.data.tags["repro.failure"] == "epoch 2: kl: not finite"


def test_a_run_is_mirrored_once(mirror, results):
    """Neither this process nor a later one repeats it."""
    mirror.add(INDEX, "alpha 0.1", RECORD)
    mirror.add(INDEX, "alpha 0.1", RECORD)
    Mirror(results).add(INDEX, "alpha 0.1", RECORD)

    assert len(runs_of(results)) == 1


def test_a_run_that_was_done_again_is_mirrored_again(results):
    """Its key is the same, and what MLflow holds is of a record that was moved away."""
    failure = {"epoch": 0, "term": "process", "reason": "killed"}
    lost = replace(RECORD, failure=failure, groups={}, metrics={})
    for record in (lost, RECORD):
        shutil.rmtree(results / "runs", ignore_errors=True)
        (read,) = write_study(results, found=[record])
        Mirror(results).add(INDEX, "alpha 0.1", read)

    (run,) = runs_of(results)
    assert run.info.status == "FINISHED"


def test_a_half_written_run_is_done_again(mirror, results):
    """A mirror that was cut short has a run without an end."""
    client = client_of(results)
    identifier = client.create_experiment("alpha_sweep/embedded")
    half = client.create_run(identifier, tags={"repro.key": "a-seed0"})

    run = mirrored(mirror, RECORD)

    assert run.info.run_id != half.info.run_id
    assert run.info.status == "FINISHED"


def test_runs_that_the_study_wants_no_more_leave_and_foreign_runs_stay(results):
    """Group means show the study as it is now."""
    Mirror(results).add(INDEX, "alpha 0.1", RECORD)
    foreign = client_of(results).create_run(experiment_of(results).experiment_id)
    changed = replace(INDEX, arms=[ArmIndex(name="alpha 0.1", keys=["b-seed0"])])
    Mirror(results).add(changed, "alpha 0.1", replace(RECORD, key="b-seed0"))

    keys = {run.info.run_id: run.data.tags.get("repro.key") for run in runs_of(results)}
    assert foreign.info.run_id in keys
    assert set(keys.values()) == {None, "b-seed0"}


def test_a_binned_experiment_comes_back(results):
    """The name of a deleted experiment cannot be created again."""
    Mirror(results).add(INDEX, "alpha 0.1", RECORD)
    client_of(results).delete_experiment(experiment_of(results).experiment_id)
    Mirror(results).add(INDEX, "alpha 0.1", FAILED)

    assert experiment_of(results).lifecycle_stage == "active"


def test_a_text_begins_with_the_answer():
    """Then come the question, the data and the table."""
    assert study_pages.text(INDEX, TABLE, answer="Bias falls:\n4 [1, 7].").splitlines() == [
        "Bias falls: 4 [1, 7].",
        "",
        "Does bias fall as alpha falls?",
        "",
        "Data: 12 faces (synthetic). Reference arm: alpha 0.1.",
        "",
        *TABLE.splitlines(),
    ]


def test_a_text_without_an_answer_begins_with_the_question():
    """The list of experiments shows the first line raw."""
    assert study_pages.text(INDEX, TABLE).startswith("Does bias fall as alpha falls?\n\nData: ")


def test_the_description_is_the_text_then_a_link_then_every_figure(mirror, results):
    """A second text replaces the first; the figures are artifacts of the run that is linked."""
    mirror.finish(INDEX, "Nothing is known.", files=FIGURES)
    mirror.finish(INDEX, "Bias falls.", files=FIGURES)

    run = summary_of(results).info.run_id
    assert experiment_of(results).tags["mlflow.note.content"] == (
        "Bias falls.\n\n"
        f"[Tables and figures](#/experiments/1/runs/{run}?workflowType=machine_learning)\n\n"
        f"![figures/recall.svg](get-artifact?path=figures%2Frecall.svg&run_uuid={run})"
    )


def test_a_long_description_keeps_its_answer_and_every_figure():
    """Rows of the table go first."""
    files = [f"figures/{i}.svg" for i in range(20)]
    text = study_pages.text(INDEX, "\n".join(["| 0.123456 |"] * 1000), answer="Bias falls.")
    told = study_pages.description(INDEX, text, files=files, run="f" * 32, link="#/there")

    assert len(told) <= study_pages.LONGEST_DESCRIPTION
    assert told.startswith("Bias falls.\n")
    assert told.count("get-artifact") == 20


def test_a_long_table_loses_whole_rows_and_says_so():
    """MLflow would cut in the middle of a row."""
    text = study_pages.description(INDEX, "\n".join(["| arm |", *["| 0.123456 |"] * 1000]))

    assert len(text) <= study_pages.LONGEST_DESCRIPTION
    assert text.endswith("| 0.123456 |\n\nThe table continues: `repro table alpha_sweep@embedded`.")


def test_a_long_description_keeps_its_link():
    """Rows go first."""
    text = study_pages.description(INDEX, "\n".join(["| 0.123456 |"] * 1000), link="#/there")

    assert len(text) <= study_pages.LONGEST_DESCRIPTION
    assert text.endswith("`repro table alpha_sweep@embedded`.\n\n[Tables and figures](#/there)")


def state_of(results):
    """What MLflow's page reads for ``viewStateShareKey``."""
    view = json.loads(experiment_of(results).tags["mlflow.sharedViewState.arms"])
    assert isinstance(view["createdAt"], int)
    return json.loads(zlib.decompress(base64.b64decode(view["state"].removeprefix("deflate;"))))


def test_the_saved_view_groups_runs_by_arm_and_shows_results_first(mirror, results):
    """Arms are closed groups; what has no arm is left out of the charts."""
    mirror.finish(INDEX, "")

    state = state_of(results)
    assert state["groupBy"]["groupByKeys"] == [{"mode": "param", "groupByData": "arm"}]
    assert state["groupsExpanded"] == {"param.arm.alpha 0.1": False}
    assert state["searchFilter"] == "attributes.run_name != 'Tables and figures'"
    sections = [section["name"] for section in state["compareRunSections"]]
    assert sections == ["test", "val", "train", "debias"]


def test_arms_that_mlflow_would_paint_alike_are_grouped_by_tag():
    """Both were seen in #137dae; by tag their colours differ."""
    assert study_pages.grouping(["alpha = 0.1", "alpha = 0.05"]) == ("tag", "repro.arm")
    assert study_pages.grouping(["alpha = 0.1", "alpha = 0.01"]) == ("param", "arm")


def test_a_view_that_mlflow_would_cut_is_left_out():
    """Half a view opens with an error; without one the page shows the runs one by one."""
    assert study_pages.view([f"arm {i**9}" for i in range(1000)], created=1) is None


def test_the_record_and_its_files_are_artifacts_that_take_no_room(mirror, results):
    """They are the same files under a second name."""
    record, _ = write_study(results)
    folder = folder_of(mirrored(mirror, record))

    names = sorted(path.name for path in folder.iterdir())
    assert names == ["model.safetensors", "record.json"]
    assert all((folder / n).samefile(results / "runs" / record.key / n) for n in names)


def test_artifacts_are_copies_where_links_cannot_be(mirror, results, monkeypatch):
    """As on another file system, or one without hard links."""

    def refuse(self, target):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    record, _ = write_study(results)
    mirror.finish(INDEX, "")  # builds what links databases
    monkeypatch.setattr(Path, "hardlink_to", refuse)
    mirror.add(INDEX, "alpha 0.1", record)

    (run,) = runs_of(results)
    assert (folder_of(run) / "model.safetensors").read_bytes() == b"a-seed0"
    assert not (folder_of(run) / "model.safetensors").samefile(
        results / "runs" / record.key / "model.safetensors"
    )


def test_nothing_is_written_behind_a_link_in_place_of_a_folder(mirror, results, tmp_path):
    """Results of somebody else may have one, to anywhere."""
    record, _ = write_study(results)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder = sqlite_store.artifacts(results)
    folder.mkdir(parents=True)
    (folder / INDEX.name).symlink_to(elsewhere)

    with pytest.raises(ReproError, match="move the link away"):
        mirror.add(INDEX, "alpha 0.1", record)
    assert [*elsewhere.iterdir()] == []


def test_tables_and_figures_are_a_run_without_an_arm(mirror, results):
    """Its page shows the table and every picture; its artifacts are all the files."""
    mirror.finish(INDEX, TABLE, files=FIGURES)

    run = summary_of(results)
    picture = f"get-artifact?path=figures%2Frecall.svg&run_uuid={run.info.run_id}"
    assert (run.info.status, run.info.run_name) == ("FINISHED", "Tables and figures")
    assert run.data.params == {}
    assert run.data.tags["mlflow.note.content"] == (
        f"{TABLE}\n\nAll tables and figures are files under Artifacts.\n\n"
        f"![figures/recall.svg]({picture})"
    )
    held = {p.relative_to(folder_of(run)).as_posix(): p for p in folder_of(run).rglob("*.*")}
    assert {name: path.read_bytes() for name, path in held.items()} == {
        "table.md": TABLE.encode(),
        **FIGURES,
    }


def test_tables_and_figures_are_asked_for_only_when_runs_changed(results):
    """Nothing is shown yet; it is; a later process finds it; a run is added."""
    first, second = (Mirror(results) for _ in range(2))
    asked = [first.wants_page(INDEX)]
    first.finish(INDEX, TABLE, files=FIGURES)
    asked += [first.wants_page(INDEX), second.wants_page(INDEX)]
    second.add(INDEX, "alpha 0.1", RECORD)
    asked.append(second.wants_page(INDEX))

    assert asked == [True, False, False, True]


def test_tables_and_figures_that_were_cut_short_are_asked_for_again(mirror, results):
    """What lies there is no page; opening the mirror puts it into the bin, as killed."""
    mirror.finish(INDEX, TABLE, files=FIGURES)
    half = summary_of(results).info.run_id
    client_of(results).update_run(half, status="RUNNING")
    again = Mirror(results)

    assert again.wants_page(INDEX)
    left = client_of(results).get_run(half).info
    assert (left.lifecycle_stage, left.status) == ("deleted", "KILLED")


def test_tables_and_figures_of_a_study_that_was_killed_are_asked_for_by_the_next(results):
    """Its runs were mirrored, and nobody came to show what they come to."""
    Mirror(results).finish(INDEX, TABLE)
    Mirror(results).add(INDEX, "alpha 0.1", RECORD)

    assert Mirror(results).wants_page(INDEX)


def test_tables_and_figures_without_a_description_are_asked_for_again(mirror, results, monkeypatch):
    """The process was killed after it had written them, before it described the experiment."""
    mirror.finish(INDEX, TABLE)
    text = experiment_of(results).tags["mlflow.note.content"]
    with monkeypatch.context() as patched:
        patched.setattr(study_pages, "description", Mock(side_effect=OSError))
        with pytest.raises(ReproError):
            mirror.finish(INDEX, TABLE, files=FIGURES)
    again = Mirror(results)
    asked = again.wants_page(INDEX)
    again.finish(INDEX, TABLE, files=FIGURES)
    told = experiment_of(results).tags["mlflow.note.content"]

    assert (asked, again.wants_page(INDEX)) == (True, False)
    assert summary_of(results).info.run_id in told
    assert told != text


def test_tables_and_figures_of_a_study_that_was_changed_are_asked_for(mirror):
    """Its runs are the same, and its table is not."""
    mirror.finish(INDEX, TABLE)

    assert mirror.wants_page(replace(INDEX, select={"keep": 2, "by": "recall", "split": "test"}))


def test_tables_and_figures_are_written_anew_only_when_they_changed(mirror, results):
    """MLflow has no way to replace an artifact, so the run is replaced."""
    mirror.finish(INDEX, TABLE, files=FIGURES)
    first = summary_of(results).info.run_id
    mirror.finish(INDEX, TABLE, files=FIGURES)
    second = summary_of(results).info.run_id
    mirror.finish(INDEX, TABLE, files={**FIGURES, "figures/recall.pdf": b"%PDF-2"})
    third = summary_of(results).info.run_id

    assert first == second
    assert second != third


def test_a_picture_is_shown_once_and_as_drawing_if_there_is_one():
    """The pages cannot scale a picture, and a PNG is wider than they are."""
    files = {"figures/a.png": b"", "figures/a.svg": b"", "figures/b.png": b"", "c.csv": b""}
    note = study_pages.summary(INDEX, TABLE, files, tags={}).note

    assert re.findall(r"!\[(.*?)\]", note) == ["figures/a.svg", "figures/b.png"]


def test_a_long_table_leaves_room_for_every_picture():
    """MLflow would cut the description in the middle of an address."""
    files = {f"figures/{i}.svg": b"" for i in range(20)}
    long = "\n".join(["| 0.123456 |"] * 2000)
    note = study_pages.summary(INDEX, long, files, tags={}).note
    whole = note.replace(run_content.THIS_RUN, "f" * 32)

    assert len(whole) <= run_content.LONGEST_TAG
    assert whole.count("get-artifact") == 20
    assert "The table continues in table.md." in whole


def test_the_experiment_of_moved_results_is_put_aside(results, tmp_path):
    """MLflow fixes where artifacts are, and they are not there any more."""
    Mirror(results).add(INDEX, "alpha 0.1", RECORD)
    moved = results.rename(tmp_path / "moved")
    Mirror(moved).add(INDEX, "alpha 0.1", RECORD)

    (run,) = runs_of(moved)
    assert folder_of(run).is_relative_to(moved)
    assert [x.name for x in client_of(moved).search_experiments()] == [
        "alpha_sweep/embedded",
        "Default",
    ]


def test_a_new_store_is_put_in_place_whole(template):
    """What it was built in is gone."""
    assert [path.name for path in template.parent.iterdir()] == ["mlflow.db"]


def test_a_store_that_another_process_made_first_stays(template, tmp_path, monkeypatch):
    """Both built one aside; the one in place is not replaced."""
    path = sqlite_store.database(tmp_path)
    path.parent.mkdir()
    path.write_text("theirs")
    client = sqlite_store.connect(f"sqlite:///{template}")
    monkeypatch.setattr(sqlite_store, "connect", lambda uri: client)

    sqlite_store.create_database(path)

    assert path.read_text() == "theirs"
    assert [path.name for path in path.parent.iterdir()] == ["mlflow.db"]


def test_what_a_killed_process_was_building_is_removed_when_it_is_old(tmp_path, template):
    """Another process may still be building the younger one."""
    path = sqlite_store.database(tmp_path)
    path.parent.mkdir()
    old, young = (path.with_name(f".mlflow.db.{word}.partial") for word in ("old", "young"))
    old.touch()
    young.touch()
    os.utime(old, (0, 0))

    with sqlite_store.quiet():
        sqlite_store.create_database(path)

    assert {path.name for path in path.parent.iterdir()} == {"mlflow.db", young.name}


def assert_refuses_at_once(results, reason):
    mirror = Mirror(results)
    started = time.perf_counter()
    for attempt in (
        lambda: mirror.add(INDEX, "alpha 0.1", RECORD),
        lambda: mirror.wants_page(INDEX),
        lambda: mirror.finish(INDEX, ""),
    ):
        with pytest.raises(ReproError, match=f"mlflow.db: .*{reason}"):
            attempt()

    assert time.perf_counter() - started < 30


def test_a_file_in_the_place_of_the_store_is_said(tmp_path):
    """So is all that follows: in a sentence, at every try."""
    (tmp_path / "mlflow").write_text("not a folder")

    assert_refuses_at_once(tmp_path, "Not a directory|File exists")


def test_a_folder_in_the_place_of_the_database_is_said(tmp_path):
    """MLflow alone would try again for minutes."""
    sqlite_store.database(tmp_path).mkdir(parents=True)

    assert_refuses_at_once(tmp_path, "unable to open database file")


def test_a_path_that_mlflow_misreads_is_refused(tmp_path):
    """SQLAlchemy decodes %41 to A, MLflow does not."""
    assert_refuses_at_once(tmp_path / "50%41", "cannot use a path with %")


def test_a_damaged_database_is_refused_without_a_wait(results):
    """MLflow alone would try again for minutes."""
    sqlite_store.database(results).write_bytes(b"not a database" * 100)

    assert_refuses_at_once(results, "file is not a database")


def test_a_locked_database_is_refused_after_a_short_wait(results, monkeypatch):
    """Another writer is waited for, but not for long."""
    monkeypatch.setattr(sqlite_store, "PATIENCE", 0.1)
    writer = sqlite3.connect(sqlite_store.database(results), isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    try:
        assert_refuses_at_once(results, "database is locked")
    finally:
        writer.close()


def test_a_database_of_another_mlflow_is_refused(results):
    """It is left as it is: migrating it is its owner's decision."""
    other = sqlite3.connect(sqlite_store.database(results))
    with other:
        other.execute("UPDATE alembic_version SET version_num = 'other'")
    other.close()

    assert_refuses_at_once(results, "out-of-date database schema")


def test_a_database_that_was_replaced_is_refused(mirror, results, template):
    """MLflow keeps the old one open, and would write to what nobody sees."""
    mirror.add(INDEX, "alpha 0.1", RECORD)
    other = results / "other.db"
    other.write_bytes(template.read_bytes())
    other.replace(sqlite_store.database(results))

    with pytest.raises(ReproError, match="it was replaced"):
        mirror.add(INDEX, "alpha 0.1", FAILED)


def test_a_run_that_could_not_be_written_whole_is_written_again(mirror, results, monkeypatch):
    """By the same mirror: the half is binned, and the run is there once."""
    record, _ = write_study(results)

    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(run_content, "put", fail)
        with pytest.raises(ReproError, match="No space left"):
            mirror.add(INDEX, "alpha 0.1", record)
    mirror.add(INDEX, "alpha 0.1", record)

    (run,) = runs_of(results)
    assert (run.info.status, run.data.tags["repro.key"]) == ("FINISHED", "a-seed0")


def test_settings_for_other_stores_of_the_user_do_not_reach_mlflow(monkeypatch):
    """Neither its address and password nor how MLflow should behave there."""
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_PASSWORD", "_MLFLOW_SERVER_FILE_STORE"):
        monkeypatch.setenv(name, "http://tracking.test")

    with sqlite_store.quiet():
        found = {k: v for k, v in os.environ.items() if k.lstrip("_").startswith("MLFLOW")}

    assert found == sqlite_store.QUIET


def test_our_own_mistake_is_not_taken_for_a_failure_of_mlflow(mirror):
    """A record of the wrong shape keeps its traceback."""
    with pytest.raises(KeyError, match="term"):
        mirror.add(INDEX, "alpha 0.1", replace(FAILED, failure={"epoch": 1}))


def test_mlflow_is_imported_late_and_without_telemetry(tmp_path):
    """In a process of its own, because tests switch telemetry off by themselves."""
    program = (
        "import sys; from repro.records.mlflow import server, sqlite_store, synchronisation\n"
        "assert 'mlflow' not in sys.modules\n"
        "with sqlite_store.quiet():\n"
        "    import mlflow.telemetry\n"
        "    assert mlflow.telemetry.get_telemetry_client() is None\n"
    )
    kept = {k: v for k, v in os.environ.items() if k not in ("CI", "PYTEST_CURRENT_TEST")}
    kept = {k: v for k, v in kept.items() if not k.startswith(("MLFLOW", "XDG"))}
    subprocess.run(
        [sys.executable, "-c", program],
        env={**kept, "HOME": str(tmp_path)},
        check=True,
        timeout=300,
    )

    assert not (tmp_path / ".config" / "mlflow").exists()


def test_the_server_takes_no_settings_of_the_user_s_for_mlflow(results, monkeypatch):
    """They cannot open it; and relative folders of modules would be others where it runs."""
    monkeypatch.setenv("MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE", "true")
    monkeypatch.setenv("PYTHONPATH", ":.:/whole:relative")
    command, environment = server.command(results, 5055), server.environment()

    assert command[1] == "-P"
    assert command[3:] == [str(results.resolve()), "5055"]
    assert environment["PYTHONPATH"] == "/whole"
    assert {k: v for k, v in environment.items() if k.startswith("MLFLOW")} == {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_LOGGING_LEVEL": "CRITICAL",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    }


@pytest.mark.parametrize("study", ["alpha_sweep", "alpha_sweep/embedded"])
def test_the_address_of_a_study_opens_its_saved_view(mirror, results, study):
    """By the study's name or its variant's."""
    mirror.finish(INDEX, "")

    assert server.view_url(results, 5000, study) == (
        "http://127.0.0.1:5000/#/experiments/1/runs?workflowType=machine_learning"
        "&viewStateShareKey=arms&compareRunsMode=CHART"
    )


def test_an_unknown_study_is_refused_with_those_that_exist(mirror, results):
    """The message names what can be opened."""
    mirror.finish(INDEX, "")

    with pytest.raises(ReproError, match=r"no study 'beta' \(there are: alpha_sweep/embedded\)"):
        server.view_url(results, 5000, "beta")


def test_nothing_is_served_before_a_study_ran(tmp_path):
    """An empty server would look like lost results."""
    with pytest.raises(ReproError, match="Run one first"):
        server.serve(tmp_path, port=5000, open_study=None)
    (tmp_path / "studies").mkdir()
    with pytest.raises(ReproError, match=r"no MLflow pages yet\. Make them: repro sync"):
        server.serve(tmp_path, port=5000, open_study=None)


def test_a_taken_port_is_named(results):
    """Nothing is started beside another server."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ReproError, match=rf"port {port} .*pass another by --port"):
            server.serve(results, port=port, open_study=None)


def test_a_server_that_ends_by_itself_is_status_1(results, monkeypatch, capsys):
    """Its own words are in a file that the message names."""
    words = [sys.executable, "-c", "print('out of luck', flush=True)"]
    monkeypatch.setattr(server, "command", lambda results, port: words)

    assert server.serve(results, port=free_port(), open_study=None) == 1
    log = sqlite_store.database(results).with_name("server.log")
    assert log.read_text() == "out of luck\n"
    assert str(log) in capsys.readouterr().err


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def test_sigterm_ends_the_server_and_all_its_processes(results):
    """A stand-in that starts a child and listens: both are gone, and the status is 0."""
    program = (
        "import sys; from pathlib import Path; from repro.records.mlflow import server\n"
        "child = 'import http.server as h; h.test(h.SimpleHTTPRequestHandler, '"
        '\'port=int(__import__("sys").argv[1]), bind="127.0.0.1")\'\n'
        "parent = 'import subprocess, sys; subprocess.call([sys.executable, *sys.argv[1:]])'\n"
        "server.command = lambda _, port: [sys.executable, '-c', parent, '-c', child, str(port)]\n"
        "sys.exit(server.serve(Path(sys.argv[1]), port=int(sys.argv[2]), open_study=None))\n"
    )
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-c", program, str(results), str(port)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert "starting" in process.stdout.readline()
        url = process.stdout.readline().strip()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=10) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0

    assert url == f"http://127.0.0.1:{port}/#/experiments?workflowType=machine_learning"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)
