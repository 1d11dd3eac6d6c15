"""The mirror beside a running study: whatever it meets, the study neither stops nor waits."""

import hashlib
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
from dataclasses import replace

import processes
import pytest
import stores
from mirrors import INDEX, RECORD, write_study
from places import TESTS

from repro.records.mlflow import mirror_process
from repro.records.mlflow.mirror_process import Scribe
from repro.records.records import ArmIndex

KEYS = [f"a-seed{seed}" for seed in range(4)]
STUDY = replace(INDEX, arms=[ArmIndex(name="alpha 0.1", keys=KEYS)])
SOON = 30.0  # seconds, on a busy machine; who waited would wait for an hour
pytestmark = pytest.mark.usefixtures("loaded")


@pytest.fixture
def results(tmp_path):
    write_study(
        tmp_path, STUDY, [replace(RECORD, key=key, seed=seed) for seed, key in enumerate(KEYS)]
    )
    return tmp_path


@pytest.fixture
def warnings():
    return []


@pytest.fixture
def scribe(results, warnings):
    with Scribe(results, warnings.append, prepare=stores.journal) as scribe:
        yield scribe
    assert multiprocessing.active_children() == []


@pytest.fixture
def sent(monkeypatch):
    """What went over: the index if there was one, and the rest."""
    begun, begin = [], mirror_process._Writer.begin

    def note(writer, request):
        known = request.study is writer._index
        begun.append((None if known else request.study, list(request.arguments)))
        begin(writer, request)

    monkeypatch.setattr(mirror_process._Writer, "begin", note)
    return begun


def journal_of(results):
    return (results / "journal").read_text().splitlines()


def add(scribe, *keys):
    """As a study does it, with a look at the clock."""
    for key in keys:
        started = time.monotonic()
        scribe.add(STUDY, "alpha 0.1", key)
        assert time.monotonic() - started < SOON


def test_what_ended_is_mirrored_in_its_order_and_once(scribe, results, warnings):
    """The page comes last, with files larger than any pipe."""
    picture = os.urandom(3_000_000)
    add(scribe, *KEYS, KEYS[0])
    wants = scribe.wants_page(STUDY)
    scribe.finish(STUDY, "table", files={"figures/a.png": picture, "empty": b""})

    digests = [hashlib.sha256(content).hexdigest() for content in (picture, b"")]
    assert wants
    assert warnings == []
    assert journal_of(results) == [
        *(f"alpha 0.1 {key}" for key in KEYS),
        "page?",
        f"table {' '.join(digests)}",
    ]


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_a_request_of_whole_pieces_has_an_end(scribe, results, more):
    """So have those that are a byte shorter or longer; the study's index went before."""

    def length(size):
        return len(pickle.dumps(("finish", None, ("x" * size, None))))

    scribe.wants_page(STUDY)
    for wanted in (mirror_process.PIECE + more, 2 * mirror_process.PIECE + more):
        size = wanted - (length(wanted - 1000) - wanted + 1000)
        assert length(size) == wanted
        scribe.finish(STUDY, "x" * size)

    assert len(journal_of(results)) == 1 + 2


def test_no_process_is_started_for_nothing(results):
    """As in a study that was interrupted before its first run ended."""
    with Scribe(results, pytest.fail, prepare=stores.journal) as scribe:
        scribe.pump()
        scribe.settle()

        assert multiprocessing.active_children() == []


def test_a_store_that_is_down_is_tried_at_every_run_and_completed_when_it_is_back(
    scribe, results, warnings
):
    """One warning, whatever follows."""
    down = results / "down"
    down.touch()
    for key in KEYS[:2]:
        add(scribe, key)
        processes.wait_until(lambda: scribe.pump() or scribe._rests)
    down.unlink()
    add(scribe, KEYS[2])
    scribe.settle()

    assert journal_of(results) == [f"alpha 0.1 {key}" for key in KEYS[:3]]
    assert warnings == [
        "MLflow's mirror is incomplete (the store is down); the records are safe, and a later "
        "`repro sync` completes the mirror"
    ]


def test_a_store_that_stays_down_gets_no_page(scribe, results, warnings):
    """It would be drawn in vain; the end tries once, not for as long as is allowed."""
    (results / "down").touch()
    add(scribe, *KEYS)
    scribe.settle()

    assert not scribe.wants_page(STUDY)
    scribe.finish(STUDY, "table")
    assert not (results / "journal").exists()
    assert len(warnings) == 1


def test_a_store_that_hangs_costs_the_allowance_and_no_more(scribe, results, warnings, monkeypatch):
    """The process that hangs is ended."""
    monkeypatch.setattr(mirror_process, "START_UP", 1.0)
    (results / "hanging").touch()
    add(scribe, *KEYS)
    started = time.monotonic()
    scribe.settle()
    asked = scribe.wants_page(STUDY)

    assert time.monotonic() - started < 1.0 + SOON
    assert (asked, len(warnings)) == (False, 1)
    assert "(MLflow takes too long)" in warnings[0]
    assert multiprocessing.active_children() == []


def test_a_slow_store_gets_what_the_runs_allow(scribe, results, warnings, monkeypatch):
    """It would need half as much again: the rest is left to a later synchronisation."""
    monkeypatch.setattr(mirror_process, "ALLOWANCE", 0.2)
    scribe.wants_page(STUDY)
    scribe._patience = 0.0
    (results / "slow").touch()
    add(scribe, *KEYS)
    started = time.monotonic()
    scribe.settle()

    assert time.monotonic() - started < 4 * 0.2 + SOON
    assert 2 <= len(journal_of(results)) < 1 + 4
    assert len(warnings) == 1


def test_a_process_that_stands_still_is_not_waited_for(scribe, results, warnings, monkeypatch):
    """Even with more for it than its pipe holds."""
    add(scribe, KEYS[0])
    monkeypatch.setattr(mirror_process, "SILENCE", 1.0)
    scribe.settle()
    (child,) = multiprocessing.active_children()
    os.kill(child.pid, signal.SIGSTOP)
    started = time.monotonic()
    scribe.finish(STUDY, "x" * 5_000_000)

    assert time.monotonic() - started < 1.0 + SOON
    assert len(warnings) == 1


def test_a_process_that_is_killed_is_replaced(scribe, results, warnings):
    """What it had is done again by the next."""
    (results / "deadly").touch()
    add(scribe, KEYS[0])
    processes.wait_until(lambda: scribe.pump() or scribe._rests)
    add(scribe, KEYS[1])
    scribe.settle()

    assert journal_of(results) == [f"alpha 0.1 {key}" for key in KEYS[:2]]
    assert len(warnings) == 1
    assert "(the process that writes there ended: killed by SIGKILL)" in warnings[0]


def test_a_process_that_cannot_begin_costs_one_warning(results, warnings):
    """Its exit status is all that is known."""
    with Scribe(results, warnings.append, prepare=stores.unprepared) as scribe:
        add(scribe, *KEYS)
        scribe.settle()

    assert len(warnings) == 1
    assert "ended: exit status 7" in warnings[0]


def test_a_process_that_cannot_be_started_costs_one_warning(results, warnings, monkeypatch):
    """As where there is no memory, or there are too many processes."""

    def refuse(*_):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(mirror_process.Child, "__init__", refuse)
    with Scribe(results, warnings.append) as scribe:
        add(scribe, *KEYS)
        scribe.settle()

    assert len(warnings) == 1
    assert "Resource temporarily unavailable" in warnings[0]


def test_our_own_mistake_keeps_its_traceback_and_stops_nothing(scribe, results, warnings):
    """The run that met it is left out."""
    wrong = results / "wrong"
    wrong.touch()
    add(scribe, KEYS[0])
    processes.wait_until(lambda: scribe.pump() or scribe._rests)
    wrong.unlink()
    add(scribe, KEYS[1])
    scribe.settle()

    assert journal_of(results) == [f"alpha 0.1 {KEYS[1]}"]
    assert len(warnings) == 1
    assert "Traceback" in warnings[0]
    assert "KeyError: 'wrong'" in warnings[0]


def test_a_mistake_of_ours_costs_one_run_of_those_that_went_over_together(
    scribe, results, warnings, sent
):
    """Which one it was is found by doing each alone."""
    (results / "wrong").write_text(KEYS[2])
    add(scribe, *KEYS)
    scribe.settle()

    assert [len(names) for _, names in sent] == [1, 3, 1, 1]
    add(scribe, "not there")
    scribe.settle()
    assert [len(names) for _, names in sent] == [1, 3, 1, 1, 1, 1]
    assert sorted(journal_of(results)) == [f"alpha 0.1 {KEYS[place]}" for place in (0, 1, 3)]
    assert len(warnings) == 1


def test_what_waits_goes_over_together_and_the_study_once(scribe, results, sent, monkeypatch):
    """No more of it than a bound; another study goes over by itself, and so does its index."""
    monkeypatch.setattr(mirror_process, "BATCH", 2)
    other = replace(STUDY, name="other")
    add(scribe, *KEYS)
    scribe.add(other, "alpha 0.1", KEYS[0])
    scribe.settle()
    scribe.finish(other, "table")

    first, rest, another = [("alpha 0.1", KEYS[0])], KEYS[1:], [("alpha 0.1", KEYS[0])]
    assert sent == [
        (STUDY, first),
        (None, [("alpha 0.1", key) for key in rest[:2]]),
        (None, [("alpha 0.1", key) for key in rest[2:]]),
        (other, another),
        (None, ["table", None]),
    ]


def test_a_process_that_gives_signs_of_life_is_waited_for(scribe, results, warnings, monkeypatch):
    """What goes over together may take longer than silence may last."""
    scribe.wants_page(STUDY)
    monkeypatch.setattr(mirror_process, "SILENCE", 0.8)
    (results / "slow").touch()
    add(scribe, *KEYS)
    scribe.settle()

    assert warnings == []
    assert len(journal_of(results)) == 1 + len(KEYS)


def test_a_damaged_record_is_left_to_the_tables(scribe, results, warnings):
    """They say so; the others are mirrored."""
    path = results / "runs" / KEYS[0] / "record.json"
    path.write_text(path.read_text().replace("vae", "kl") + " ")
    add(scribe, *KEYS[:2])
    scribe.settle()

    assert journal_of(results) == [f"alpha 0.1 {KEYS[1]}"]
    assert warnings == []


def test_a_study_that_is_killed_leaves_no_process(results):
    """Not even one that hangs."""
    (results / "hanging").touch()
    program = (
        "import sys, time; from pathlib import Path\n"
        "import stores; from mirrors import INDEX\n"
        "from repro.records.mlflow.mirror_process import Scribe\n"
        "scribe = Scribe(Path(sys.argv[1]), print, prepare=stores.journal)\n"
        "scribe.add(INDEX, 'alpha 0.1', 'a-seed0')\n"
        "print(scribe._writer.process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(results)],
        env={**os.environ, "PYTHONPATH": str(TESTS / "helpers")},
        stdout=subprocess.PIPE,
    ) as study:
        child = int(study.stdout.readline())
        time.sleep(1.0)
        started = [one for one in processes.below(study.pid) if one.pid == child]
        assert started
        study.kill()

    processes.wait_until(lambda: not processes.left(started))


def test_an_interrupted_study_lets_the_process_finish_its_sentence(results, monkeypatch):
    """What it writes is not cut short, what waits is dropped, and it is gone."""
    monkeypatch.setattr(mirror_process, "BATCH", 1)
    (results / "slow").touch()

    def interrupted():
        with Scribe(results, pytest.fail, prepare=stores.journal) as scribe:
            add(scribe, *KEYS)
            processes.wait_until(lambda: scribe.pump() or (results / "journal").exists())
            scribe.pump()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    written = journal_of(results)
    assert multiprocessing.active_children() == []
    assert written == [f"alpha 0.1 {key}" for key in KEYS[: len(written)]]
    assert 0 < len(written) < len(KEYS)
