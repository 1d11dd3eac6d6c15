import dataclasses

import pytest
from builders import HISTORY, RECORD, a_task

from repro.reporting.terminal import progress


@pytest.fixture
def task(tmp_path):
    return a_task(tmp_path)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (250, "4 min 10 s"),
        (3599.7, "1 h 0 min"),
        (7500, "2 h 5 min"),
        (7199, "2 h 0 min"),
        (4_000_000, "1,111 h 7 min"),
    ],
)
def test_a_duration_is_said_in_its_two_largest_units(seconds, text):
    """Rounded, and never 60 of a unit."""
    assert progress.duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(4.5e8, "0.45 GB"), (1.26e9, "1.3 GB"), (9.996e8, "1.0 GB")]
)
def test_a_size_is_said_in_gigabytes(count, text):
    """Two digits are what a prediction is good for."""
    assert progress.size(count) == text


def test_the_line_of_a_run_says_how_fast_it_trained():
    """Training images per second, after the seconds of the whole run."""
    assert progress.outcome(RECORD) == (
        "recall 75.0 %, false positives 50.0 %, 12 s, 1,850 images/s"
    )


def test_a_record_of_an_earlier_release_has_a_line_without_the_rate():
    """Records stay readable."""
    earlier = dataclasses.replace(RECORD, provenance={"seconds": 12.3})

    assert progress.outcome(earlier) == "recall 75.0 %, false positives 50.0 %, 12 s"


def test_plain_lines_say_how_fast_the_running_runs_train(task, capsys, monkeypatch):
    """Of the last epoch, now and then."""
    monkeypatch.setattr(progress, "QUIET_SECONDS", -1.0)
    progress.Lines().epoch(task, HISTORY, images_per_second=1234.5)

    assert capsys.readouterr().err == "  running: x, seed 0: epoch 1/2, 1,234 images/s\n"


def test_a_bar_says_how_fast_its_run_trains(task):
    """Of the last epoch, also while the photographs are scanned."""
    bars = progress.Bars()
    bars.begin(total=1, done=0, workers=1)
    bars.started(task)
    notes = []
    for number in (1.0, 2.0):
        bars.epoch(task, HISTORY | {"epoch": number}, images_per_second=900)
        notes.append(bars.rich.tasks[-1].fields["note"])

    assert notes == [
        "epochs, 900 images/s, loss 0.5, val 0.900",
        "epochs, 900 images/s, scanning the test photographs",
    ]


def many(results):
    """Two runs more than are shown."""
    return [a_task(results, key=f"k-seed{n}", seed=n) for n in range(progress.SHOWN + 2)]


def test_of_a_thousand_running_runs_a_line_names_the_first(tmp_path, capsys, monkeypatch):
    """And counts the others."""
    monkeypatch.setattr(progress, "QUIET_SECONDS", -1.0)
    lines, tasks = progress.Lines(), many(tmp_path)
    for task in tasks:
        lines.started(task)
    lines.epoch(tasks[0], HISTORY, images_per_second=1.0)

    line = capsys.readouterr().err
    assert line.count("; x, seed") == progress.SHOWN - 1
    assert line.endswith("; and 2 more\n")


def test_of_a_thousand_running_runs_the_first_have_bars(tmp_path):
    """Another gets one when one of them ends, and a run without a bar may tell its epochs."""
    bars, tasks = progress.Bars(), many(tmp_path)
    bars.begin(total=len(tasks), done=0, workers=len(tasks))
    for task in tasks:
        bars.started(task)
    bars.epoch(tasks[-1], HISTORY, images_per_second=1.0)
    assert len(bars.bars) == progress.SHOWN
    bars.ended(tasks[0], RECORD)
    bars.started(tasks[-1])

    assert tasks[-1].key in bars.bars
    assert len(bars.bars) == progress.SHOWN
