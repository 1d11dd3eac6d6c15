"""R16: a run that starts from another one's waits for it, takes what it left, and fails with it.

In whatever order they stand in the study, whoever trains the source run, and whatever is killed,
lost or damaged on the way, the records are those of a study that nothing disturbed.
"""

import os
import time

import processes
import pytest
from click.testing import CliRunner

from faults import studies, warm
from faults.test_dying_workers import dying
from repro.cli import main
from repro.errors import RecordError, ReproError
from repro.execution import doctor, source_records, verification
from repro.execution.executors.inline import Inline
from repro.records import cleaning, records
from repro.records.task import LOST, OF_SOURCE
from repro.training import single_run

CHAIN = """\
  - {name: again, resampling: {rule: frozen, of: dealt}}
  - {name: dealt, resampling: {rule: placebo, of: rarest}}
  - {name: even, resampling: {rule: none}}
  - {name: rarest, resampling: {alpha: 0.01}}
"""
OTHER = """\
  - {name: even, resampling: {rule: none}}
  - {name: most rare, resampling: {alpha: 0.01}}
  - {name: its placebo, resampling: {rule: placebo, of: most rare}}
"""
SOURCES = {"again": "dealt", "dealt": "rarest"}
DEPENDENTS = ("again", "dealt")


@pytest.fixture
def place():
    """A folder where nothing waits for a disk."""
    with studies.folder() as folder:
        yield folder


@pytest.fixture
def done(place):
    """The study, run, and its file."""
    file = studies.toy(place, arms=CHAIN)
    with studies.canned():
        studies.run_here(file, place / "results")
    return file


def undisturbed():
    """Evidence and tables of the study, run without a fault."""
    return studies.canned_reference(arms=CHAIN)


def keys(file, results):
    """The key of each run, by arm and seed."""
    return {(task.arm, task.seed): task.key for task in studies.plan(file, results).tasks}


def of(record):
    """How it failed, or None."""
    return record.failure and record.failure["term"]


def command(place, log, *options, before=None, workers=2, environment=None):
    """The study, in processes that can be killed."""
    arguments = ["--results", place / "results", "--workers", workers, "--checkpoint-seconds", 0]
    return warm.Command(
        *("run", place / "toy.yaml", *arguments, *options),
        log=place / log,
        before=before or studies.canned_slowly,
        environment=environment,
    )


def check(place, tally):
    """All is as if nothing had happened."""
    evidence, tables = undisturbed()
    tally.wrong += studies.evidence(place / "results") != evidence
    tally.wrong += studies.tables(place / "toy.yaml", place / "results") != tables
    assert tally.wrong == 0


def test_a_run_starts_when_its_source_has_a_record(place):
    """Although it stands before it in the study; all others keep their order."""
    file, results = studies.toy(place, arms=CHAIN), place / "results"
    by_key = {key: run for run, key in keys(file, results).items()}
    with studies.canned():
        watcher = studies.run_here(file, results)
    started = [by_key[key] for key in watcher.begun]

    independent = [arm for arm, _ in started if arm not in SOURCES]
    assert independent == ["even", "rarest"] * 2
    for arm, seed in started:
        assert arm not in SOURCES or (SOURCES[arm], seed) in started[: started.index((arm, seed))]
    for arm, seed in keys(file, results):
        record = records.read_record(keys(file, results)[arm, seed], results)
        of_source = keys(file, results)[SOURCES[arm], seed] if arm in SOURCES else ""
        assert record.source == of_source


def test_the_plan_names_what_a_run_waits_for(place):
    """In every line of such a run."""
    file = studies.toy(place, arms=CHAIN)
    arguments = ["plan", str(file), "--results", str(place / "results"), "--no-calibration"]
    printed = CliRunner().invoke(main, arguments).stdout

    assert printed.count(" dealt, seed 1 (after rarest, seed 1): new\n") == 1
    assert printed.count("(after ") == 4


def test_killed_at_any_moment_the_study_goes_on(place, tally, amount):
    """Source or dependent, whichever was being trained: kill -9 costs no bit."""
    studies.toy(place, arms=CHAIN)
    for number in range(amount(3, 20)):
        with command(place, f"log{number}") as running:
            time.sleep(0.4 + 0.3 * number)
            running.kill()
            running.wait()
        tally.faults += 1
    with command(place, "last") as last:
        assert last.wait() == 0, last.output
    check(place, tally)


def test_a_source_run_that_fails_fails_those_that_start_from_it(place, tally):
    """Each by name, down the chain; the other seed and the other arms finish."""
    file, results = studies.toy(place, arms=CHAIN), place / "results"
    lost = {"FATES": "rarest-0=99,killed"}
    with command(place, "log", before=dying, environment=lost) as running:
        assert running.wait() == 0, running.output
    tally.faults += 3
    found = {run: records.read_record(key, results) for run, key in keys(file, results).items()}
    first = found["dealt", 0].failure

    assert {run: of(one) for run, one in found.items() if not one.finished} == {
        ("rarest", 0): LOST,
        ("dealt", 0): OF_SOURCE,
        ("again", 0): OF_SOURCE,
    }
    assert first["reason"].startswith("rarest, seed 0 failed (worker: its worker ended 3 times (")
    assert found["again", 0].failure["reason"].startswith("dealt, seed 0 failed (source run: ")
    shown = CliRunner().invoke(main, ["status", "--results", str(results)]).stdout
    assert "8 of 8 runs finished, 3 failed (2 of them with their source run)" in shown


def test_a_lost_source_run_is_tried_again_with_those_that_failed_with_it(place, tally):
    """By --retry-lost, and by nothing else."""
    studies.toy(place, arms=CHAIN)
    lost = {"FATES": "rarest-0=99,killed"}
    for log, options, trained in (("one", (), 8), ("two", (), 0), ("three", ("--retry-lost",), 3)):
        fates = lost if log != "three" else {"FATES": ""}
        with command(place, log, *options, before=dying, environment=fates) as running:
            assert running.wait() == 0, running.output
        assert len(set(running.trained)) == trained - 2 * (log == "one")
    tally.faults += 1
    check(place, tally)


def test_a_source_run_without_memory_leaves_its_dependents_undone(place, tally):
    """No record says that they failed, and they are done when there is memory."""
    studies.toy(place, arms=CHAIN)
    starved = {"FATES": "rarest-0=3,without memory for NumPy"}
    with command(place, "log", before=dying, environment=starved) as running:
        assert running.wait() == 1
    tally.faults += 3

    assert len(studies.identities(place / "results")) == 5
    assert "(rarest, seed 0), and 2 that start from them were not begun" in running.output
    with command(place, "again") as again:
        assert again.wait() == 0, again.output
    check(place, tally)


def test_two_studies_at_once_share_source_runs_and_what_starts_from_them(tally, amount):
    """Their arms have other names; each run is trained once, and both tables are right."""
    _, others = studies.canned_reference(name="other", arms=OTHER)
    for number in range(amount(1, 10)):
        with studies.folder() as place:
            files = studies.toy(place, arms=CHAIN), studies.toy(place, name="other", arms=OTHER)
            results, running = place / "results", []
            for file in files:
                options = ["--results", results, "--workers", 2, "--checkpoint-seconds", 0]
                log = place / f"{file.stem}.log"
                running.append(
                    warm.Command("run", file, *options, log=log, before=studies.canned_slowly)
                )
                time.sleep(0.1 * number)
            assert [one.wait() for one in running] == [0, 0], [one.output for one in running]
            trained = [key for one in running for key in one.trained]
            tally.faults += 1
            tally.wrong += len(trained) - len(set(trained))
            tally.wrong += studies.tables(files[1], results) != others
            check(place, tally)


def test_a_source_run_of_another_process_that_is_killed_is_taken_over(place, tally):
    """Whoever waits for it trains it, and then what starts from it."""
    studies.toy(place, arms=CHAIN)
    other = studies.toy(place, name="other", arms=OTHER)
    results, options = place / "results", ["--workers", 2, "--checkpoint-seconds", 0]
    with warm.Command(
        *("run", other, "--results", results, *options), log=place / "one", before=hangs
    ) as first:
        processes.wait_until(lambda: "unfinished" in os.listdir(results) if results.exists() else 0)
        with command(place, "two") as second:
            processes.wait_until(lambda: "is training it; waiting for it" in second.output)
            first.kill()
            assert second.wait() == 0, second.output
    tally.faults += 1
    check(place, tally)


def hangs():
    """In a command: training never ends."""
    single_run._train_and_evaluate = lambda *_: time.sleep(3600)


@pytest.mark.parametrize("name", [records.RECORD, records.MODEL, records.EPOCH_WEIGHTS])
def test_a_damaged_source_run_is_done_again_before_what_starts_from_it(done, place, name, tally):
    """The record itself, or a file beside it that only the dependent reads."""
    results, runs = place / "results", keys(done, place / "results")
    records.set_aside(runs["dealt", 0], results)
    damaged = records.folder_of(runs["rarest", 0], results) / name
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"\0")
    tally.faults += 1
    with studies.canned():
        watcher = studies.run_here(done, results)

    assert watcher.begun == [runs["rarest", 0], runs["dealt", 0]]
    assert any(line.startswith("rarest, seed 0: its record is damaged") for line in watcher.remarks)
    check(place, tally)


def test_a_source_run_that_is_damaged_meanwhile_stops_the_study(done, place, tally, monkeypatch):
    """No run starts from what is not what was written; the sentence names both."""
    results, runs = place / "results", keys(done, place / "results")
    records.set_aside(runs["dealt", 0], results)
    monkeypatch.setattr(source_records, "damaged_sources", lambda *_: [])
    (records.folder_of(runs["rarest", 0], results) / records.MODEL).write_bytes(b"?")
    tally.faults += 1
    with studies.canned(), pytest.raises(RecordError, match=r"its checksum does not match"):
        studies.run_here(done, results)

    assert not records.has_record(runs["dealt", 0], results)


def test_a_source_run_of_an_earlier_release_says_what_to_do(done, place, tally):
    """It kept no weights of all epochs: nothing begins, the plan says so; then it can be done."""
    results, runs = place / "results", keys(done, place / "results")
    records.set_aside(runs["dealt", 0], results)
    folder = without_epoch_weights(runs["rarest", 0], results)
    tally.faults += 1
    before = studies.identities(results)
    told = f"1 source run of an earlier release kept the weights .* move {folder} out of"
    with studies.canned(), pytest.raises(ReproError, match=told):
        studies.run_here(done, results)
    planned = CliRunner().invoke(
        main, ["plan", str(done), "--results", str(results), "--no-calibration"]
    )

    assert "`repro run` stops: 1 source run of an earlier release" in planned.stderr
    assert studies.identities(results) == before
    folder.rename(place / "moved")
    with studies.canned():
        studies.run_here(done, results)
    check(place, tally)


def without_epoch_weights(key, results):
    """Write a run's record as an earlier release wrote it; its folder."""
    record, folder = records.read_record(key, results), records.folder_of(key, results)
    files = {name: (folder / name).read_bytes() for name in record.files}
    del files[records.EPOCH_WEIGHTS]
    records.set_aside(key, results)
    return records.write_record(studies.replace(record, files={}), results, files)


def test_a_failure_with_a_source_run_that_has_not_failed_is_done_again(place, tally):
    """As after the record of the source run's failure was moved away."""
    file, results = studies.toy(place, arms=CHAIN), place / "results"
    lost = {"FATES": "rarest-0=99,killed"}
    with command(place, "log", before=dying, environment=lost) as running:
        running.wait()
    tally.faults += 1
    runs = keys(file, results)
    records.folder_of(runs["rarest", 0], results).rename(place / "moved")
    planned = studies.plan(file, results)

    assert {task.arm for task in planned.missing} == {"rarest", "dealt", "again"}
    with studies.canned():
        studies.run_here(file, results)
    check(place, tally)


def test_doctor_names_a_run_whose_source_run_is_gone_or_damaged(done, place, tally):
    """The run itself is whole, and nothing of it is to be mended."""
    results, runs = place / "results", keys(done, place / "results")
    records.folder_of(runs["rarest", 0], results).rename(place / "moved")
    (records.folder_of(runs["rarest", 1], results) / records.MODEL).write_bytes(b"?")
    tally.faults += 2
    found = {one.path: one.text for one in doctor.examine(results) if one.kind == "no source"}

    assert found.keys() == {f"runs/{runs['dealt', seed]}" for seed in (0, 1)}
    assert f"its source run {runs['rarest', 0]} is missing" in found[f"runs/{runs['dealt', 0]}"]
    assert f"its source run {runs['rarest', 1]} is damaged" in found[f"runs/{runs['dealt', 1]}"]


def test_cleaning_keeps_what_a_kept_run_started_from(done, place, tally):
    """Although no study names it, as after its arm was taken out."""
    results, runs = place / "results", keys(done, place / "results")
    (path,) = (results / "studies" / "toy").glob("*.json")
    index = records.read_index(path)
    arms = [arm for arm in index.arms if arm.name == "again"]
    records.write_index(studies.replace(index, arms=arms, reference="again"), results)
    tally.faults += 1

    found = {one.path.name for one in cleaning.find(results, ["superseded"])}
    assert found == {runs["even", seed] for seed in (0, 1)}


def test_verify_trains_a_run_again_from_its_recorded_source(done, place, tally):
    """Bit by bit; where the source run is gone it says so, and trains the others."""
    results, runs = place / "results", keys(done, place / "results")
    (path,) = (results / "studies" / "toy").glob("*.json")
    with studies.canned(), Inline() as executor:
        index = records.read_index(path)
        same = list(verification.verify(index, results, runs=4, executor=executor))
        records.folder_of(runs["rarest", 0], results).rename(place / "moved")
        gone = list(verification.verify(index, results, runs=4, executor=executor))
    tally.faults += 1

    assert len(same) == len(gone) == 4
    assert not any(one.differences for one in same)
    lines = [str(one) for one in gone if one.differences]
    assert len(lines) == 1
    assert lines[0].startswith("DIFFERENT  dealt, seed 0: not trained again, as its source run")


def test_until_answered_adds_blocks_of_sources_and_dependents(place):
    """Seed by seed together, as other arms."""
    file, results = studies.toy(place, arms=CHAIN), place / "results"
    with studies.canned():
        studies.run_here(file, results)
        studies.run_here(file, results, seeds=4)
    found = studies.evidence(results)

    assert len(found) == 16
    assert all(record["failure"] is None for record in found.values())
