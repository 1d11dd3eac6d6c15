import dataclasses

import pytest
from builders import HISTORY, RECORD, RUN

from repro.records.events import EpochEnded, RunRecorded, RunStarted, StudyStarted
from repro.reporting.terminal import progress


def epoch(rate=1.0, run=RUN, number=1.0):
    """The end of one of two epochs."""
    return EpochEnded(*run, 2, HISTORY | {"epoch": number}, rate)


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


def test_plain_lines_say_how_fast_the_running_runs_train(capsys, monkeypatch):
    """Of the last epoch, now and then."""
    monkeypatch.setattr(progress, "QUIET_SECONDS", -1.0)
    progress.Lines().on_event(epoch(1234.5))

    assert capsys.readouterr().err == "  running: x, seed 0: epoch 1/2, 1,234 images/s\n"


def test_a_bar_says_how_fast_its_run_trains():
    """Of the last epoch, also while the photographs are scanned."""
    bars = progress.Bars()
    bars.on_event(StudyStarted(1, 0, 1))
    bars.on_event(RunStarted(*RUN, 2, 0))
    notes = []
    for number in (1.0, 2.0):
        bars.on_event(epoch(900, number=number))
        notes.append(bars.rich.tasks[-1].fields["note"])

    assert notes == [
        "epochs, 900 images/s, loss 0.5, val 0.900",
        "epochs, 900 images/s, scanning the test photographs",
    ]


MANY = [(f"k-seed{n}", f"x, seed {n}") for n in range(progress.SHOWN + 2)]


def test_of_a_thousand_running_runs_a_line_names_the_first(capsys, monkeypatch):
    """And counts the others."""
    monkeypatch.setattr(progress, "QUIET_SECONDS", -1.0)
    lines = progress.Lines()
    for run in MANY:
        lines.on_event(RunStarted(*run, 2, 0))
    lines.on_event(epoch(run=MANY[0]))

    line = capsys.readouterr().err
    assert line.count("; x, seed") == progress.SHOWN - 1
    assert line.endswith("; and 2 more\n")


def test_of_a_thousand_running_runs_the_first_have_bars():
    """Another gets one when one of them ends, and a run without a bar may tell its epochs."""
    bars = progress.Bars()
    bars.on_event(StudyStarted(len(MANY), 0, len(MANY)))
    for run in MANY:
        bars.on_event(RunStarted(*run, 2, 0))
    bars.on_event(epoch(run=MANY[-1]))
    assert len(bars.bars) == progress.SHOWN
    bars.on_event(RunRecorded(*MANY[0], RECORD))
    bars.on_event(RunStarted(*MANY[-1], 2, 0))

    assert MANY[-1][0] in bars.bars
    assert len(bars.bars) == progress.SHOWN
