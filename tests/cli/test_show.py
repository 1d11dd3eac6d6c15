"""One run is shown in whatever state it is, named in whatever way."""

import dataclasses
import fcntl
import json

import pytest
from builders import configuration, study_index
from click.testing import CliRunner

from repro.cli import main
from repro.metrics import Count
from repro.records import checkpoint_store, records, run_view
from repro.records.records import Record
from repro.reporting.terminal import run_details
from repro.training import state_files
from repro.training.state_files import Checkpoint
from repro.training.trainer import State

HISTORY = [
    {"epoch": float(n), "train_loss": 1.0 / n, "val_accuracy": 0.5 + n / 20} for n in range(1, 9)
]
RECORD = Record(
    key="ab12-seed0",
    seed=0,
    configuration=configuration(epochs=8, resampling={"alpha": 0.1}).model_dump(mode="json"),
    data={"train": "0123abcd"},
    computation={"device": "cpu", "kernels": "blocked", "threads": 1, "code": {"a.py": "12"}},
    groups={"darker": Count(4, 3), "lighter": Count(4, 4)},
    nonfaces=Count(10, 1),
    metrics={"val_accuracy": 0.9},
    history=HISTORY,
    provenance={"commit": "c0ffee", "seconds": 75.0, "shared_epochs": 1, "python": "3.11.7"},
)
FAILURE = {"epoch": 3, "term": "kl", "reason": "it is inf"}
ARMS = {
    "No debias": ["ab12-seed0", "ab12-seed1"],
    "alpha = 0.1": ["cd34-seed0"],
    "alpha = -0.1": ["ef56-seed0"],
    "a + b": ["0101-seed0"],
    "a, b": ["0202-seed0"],
}


@pytest.fixture
def results(tmp_path):
    """A finished run, a failed one, one that is cut off, one that nobody has begun."""
    records.write_record(RECORD, tmp_path, {"scores.csv": b"x" * 1234})
    failed = dataclasses.replace(RECORD, key="ab12-seed1", seed=1, failure=FAILURE, groups={})
    failed = dataclasses.replace(failed, nonfaces=None, metrics={})
    records.write_record(failed, tmp_path, {})
    state = State(4, {}, {"history": HISTORY[:4], "best": [0.7, 4], "batches": {}})
    checkpoint_store.keep(
        state_files.pack(Checkpoint(state, 1.0), "cd34-seed0"), "cd34-seed0", tmp_path
    )
    records.write_index(study_index(ARMS), tmp_path)
    return tmp_path


def shown(results, word, *, status=0):
    done = CliRunner().invoke(main, ["show", word, "--results", str(results)])
    assert done.exit_code == status, done.output
    return done.output


def test_what_a_run_started_from_is_shown(results):
    """The source run and the digest of a plug-in, beside where it was computed."""
    more = {"source": "ab12-seed0", "plugins": {"rule mine": "0f0f"}}
    records.write_record(dataclasses.replace(RECORD, key="0101-seed0", **more), results, {})
    lines = [line.split() for line in shown(results, "0101").splitlines()]

    assert ["source", "run", "ab12-seed0"] in lines
    assert ["plug-in", "rule", "mine", "0f0f"] in lines


def section(text, title):
    """The lines of one section."""
    (found,) = [part for part in text.split("\n\n") if part.startswith(title)]
    return [line.strip() for line in found.splitlines()[1:]]


def test_a_finished_run_is_shown_whole(results):
    """What differs first, then all; curve, groups, provenance, files."""
    text = shown(results, "ab12-seed0")

    assert text.splitlines()[:3] == [
        "Run ab12-seed0",
        "finished",
        "toy@embedded: No debias, seed 0",
    ]
    assert section(text, "Choices that differ from the nearest preset, dehaan2020") == [
        "resampling.alpha  0.001 -> 0.1",
        "batch_size        24 -> 16",
        "epochs            60 -> 8",
    ]
    assert "resampling.alpha           0.1" in section(text, "All choices")
    assert section(text, "Curve") == [
        "training loss                 1 █▄▂▂▁▁▁▁ 0.125",
        "validation accuracy        0.55 ▁▂▃▄▅▆▇█ 0.9",
        "over 8 epochs, with the first and last value",
    ]
    assert section(text, "Detections") == [
        "darker                      3 of 4 detected (75.0 %)",
        "lighter                     4 of 4 detected (100.0 %)",
        "photographs without a face  1 of 10 detected (10.0 %)",
    ]
    assert section(text, "Provenance")[0].split() == ["commit", "c0ffee"]
    assert any(line.split() == ["took", "1", "min", "15", "s"] for line in text.splitlines())
    assert [one for one in section(text, "Provenance") if one.endswith("another run  1")]
    assert section(text, "Files")[1] == "runs/ab12-seed0/scores.csv   1,234 bytes"


def test_what_a_method_says_of_each_epoch_is_shown(results):
    """The weights of groups, and how long the same faces stay favoured."""
    own = {"objective/q/darker": 0.25, "log_weight_correlation": 0.5}
    history = [HISTORY[0], *({**epoch, **own} for epoch in HISTORY[1:3])]
    records.write_record(
        dataclasses.replace(RECORD, key="0101-seed0", history=history), results, {}
    )
    curves = [" ".join(line.split()) for line in section(shown(results, "0101"), "Curve")]

    assert "objective/q/darker 0.25 ▅▅ 0.25" in curves
    assert "correlation of log weights with the epoch before 0.5 ▅▅ 0.5" in curves


def test_a_failed_run_says_why(results):
    """Its epochs until then are there."""
    text = shown(results, "ab12-seed1")

    assert "failed: epoch 3: kl: it is inf" in text
    assert section(text, "Curve")


def test_a_run_that_was_cut_off_has_the_curve_of_its_checkpoint(results):
    """Up to the epoch that is kept."""
    text = shown(results, "cd34")

    assert "unfinished: 4 epochs are kept; `repro run` of its study continues" in text
    assert section(text, "Curve")[-1] == "over 4 epochs, with the first and last value"
    assert "All choices" not in text


def test_a_run_that_is_being_trained_is_told_from_one_that_was_cut_off(results):
    """Its lock says so."""
    lock = results / "unfinished" / "cd34-seed0" / "lock"
    lock.write_text("process 7 on a machine")
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        text = shown(results, "cd34")

    assert "running: process 7 on a machine is training it; 4 epochs are kept" in text


def test_a_run_that_nobody_has_begun_is_shown_with_its_study(results):
    """There is no more to say."""
    assert shown(results, "ef56").splitlines() == [
        "Run ef56-seed0",
        "not begun: `repro run` of its study trains it",
        "toy@embedded: alpha = -0.1, seed 0",
    ]


def test_a_damaged_record_is_shown_as_far_as_it_can_be_read(results):
    """With the warning that it is damaged; a torn one leaves its files alone."""
    path = results / "runs" / "ab12-seed0" / "record.json"
    path.write_text(path.read_text().replace("c0ffee", "c0ffed"))
    changed = shown(results, "ab12-seed0")
    path.write_text("{")
    torn = shown(results, "ab12-seed0")

    assert "damaged: " in changed
    assert "its checksum does not match" in changed
    assert section(changed, "Provenance")[0].split() == ["commit", "c0ffed"]
    assert "damaged: " in torn
    assert "runs/ab12-seed0/record.json  1 bytes" in section(torn, "Files")


def test_a_run_that_no_study_names_says_so(results):
    """It can go."""
    (results / "studies" / "toy" / "embedded.json").unlink()

    assert "No study needs it any more" in shown(results, "ab12-seed0")


@pytest.mark.parametrize(
    ("word", "key"),
    [
        ("toy/No debias/1", "ab12-seed1"),
        ("toy/no-debias/seed1", "ab12-seed1"),
        ("toy@embedded/alpha = 0.1/0", "cd34-seed0"),
        ("toy/alpha--0.1/0", "ef56-seed0"),
        ("toy/alpha-0.1/0", "cd34-seed0"),
        ("toy/a, b/0", "0202-seed0"),
        ("cd", "cd34-seed0"),
        ("a-seed1", "ab12-seed1"),
        ("ab12-seed0", "ab12-seed0"),
    ],
)
def test_a_run_goes_by_many_names(results, word, key):
    """Its key, the beginning of it, its study with arm and seed."""
    assert shown(results, word).startswith(f"Run {key}\n")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("ab12", "2 runs begin with 'ab12':\n  ab12-seed0  toy/No-debias/0\n"),
        ("zz", "no run 'zz'. Write a key, the beginning of one, or STUDY/ARM/SEED, for example "),
        ("toy/a-b/0", "2 arms are written 'a-b'; write one of them in full: 'a + b', 'a, b'"),
        ("toy/beta/0", "there is no arm 'beta'; there is: No-debias, alpha-0.1, alpha--0.1, a-b"),
        ("toy/No-debias/7", "No debias has the seeds 0 to 1"),
        ("toy/No-debias", "write STUDY/ARM/SEED"),
        ("tyo/No-debias/0", "did you mean 'toy'"),
    ],
)
def test_what_names_no_run_or_several_is_a_users_mistake(results, word, said):
    """It is said what there is."""
    assert said in shown(results, word, status=1)


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([1, 2, 3, 4, 5, 6, 7, 8], "▁▂▃▄▅▆▇█"),
        ([5.0], "▅"),
        ([2.0, 2.0], "▅▅"),
        ([0.0, float("nan"), 1.0], "▁ █"),
        ([float("inf")], ""),
        ([], ""),
    ],
)
def test_a_curve_is_drawn_between_its_lowest_and_highest_value(values, line):
    """What is not finite is a blank."""
    assert run_details.sparkline(values) == line


def test_a_long_curve_is_averaged_to_the_width():
    """A thousand epochs, in equal bins."""
    line = run_details.sparkline([float(n) for n in range(1000)])

    assert len(line) == run_details.WIDTH
    assert line == "".join(sorted(line))
    assert set(line) == set(run_details.LEVELS)


def test_looking_changes_nothing(results):
    """Not even a time."""
    before = {path: path.stat().st_mtime_ns for path in results.rglob("*")}
    indexes = records.read_indexes(results)
    for key in run_view.keys(results, indexes):
        run_view.view(key, results, indexes)

    assert {path: path.stat().st_mtime_ns for path in results.rglob("*")} == before
    assert json.loads((results / "studies" / "toy" / "embedded.json").read_bytes())


def test_runs_are_named_by_their_own_seeds(results):
    """In a study whose seeds begin at 7, STUDY/ARM/0 is no run."""
    records.write_index(study_index({"x": ["ab12-seed7"]}, name="late", first_seed=7), results)

    assert "late@embedded: x, seed 7" in shown(results, "late/x/7")
    assert "late@embedded: x has the seeds 7 to 7" in shown(results, "late/x/0", status=1)
