"""A study from Python: what a script says, is told and gets."""

import multiprocessing
import subprocess
import sys
import warnings

import pytest
from faults import studies

import repro
from repro.errors import ReproError
from repro.execution.executors.executor_options import Place
from repro.execution.executors.executor_registry import executor_at
from repro.execution.executors.inline import Inline
from repro.records.events import RunEnded
from repro.records.task import LOST
from repro.study.resources import PLAIN
from repro.training import single_run

SCRIPT = """\
import repro
print("here I begin")
found = repro.run_study("toy.yaml", workers=1)
print(found)
"""


@pytest.fixture
def study():
    """The toy study in a folder of its own; training takes no time."""
    with studies.folder() as folder, studies.canned():
        yield studies.toy(folder)


def run(study, **options):
    """Its results."""
    options = {"executor": "inline", "results": study.parent / "results"} | options
    return repro.run_study(study, **options)


def lost(task, *_):
    """A run that no worker survived."""
    failure = {"epoch": 1, "term": LOST, "reason": "its worker ended 3 times (killed by SIGKILL)"}
    yield RunEnded(task.key, task.title, task.record(failure=failure), {})


@pytest.fixture
def all_lost(study, monkeypatch):
    """The study, of which every run has failed."""
    with monkeypatch.context() as patched:
        patched.setattr(single_run, "_train_and_evaluate", lost)
        with pytest.warns(UserWarning, match="all 6 runs failed"):
            run(study)
    return study


CLAIM = """claims:
  - name: resampling makes the groups more equal
    quantity: variance
    read_at: {logit: 0}
    contrast: {arm: rarest, less: even}
    expect: lower
    smallest_effect: {absolute: 0.001}
    primary: true
"""


def test_a_study_can_go_on_until_it_is_answered(study):
    """At most so many seeds, all arms together; looks are in the index."""
    study.write_text(study.read_text() + CLAIM)
    found = run(study, until_answered=True, at_most=4)

    assert found.index.looks.planned == (2, 4)
    assert found.index.looks.taken in ((2,), (2, 4))
    assert len(found.runs) == 3 * found.index.looks.taken[-1]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"at_most": 4}, ValueError, "at_most is for until_answered=True"),
        ({"at_most": 1, "until_answered": True}, ValueError, "at_most"),
        ({"at_most": 4.5, "until_answered": True}, TypeError, "at_most"),
        ({"until_answered": True}, ReproError, "needs a claim to decide"),
    ],
)
def test_what_cannot_be_answered_is_refused(study, options, error, message):
    """Before anything is trained."""
    with pytest.raises(error, match=message):
        run(study, **options)
    assert not (study.parent / "results").exists()


def test_a_script_on_standard_input_trains_a_study():
    """As a user's does: no guard, workers of its own, everything recorded."""
    with studies.folder() as folder:
        studies.toy(folder, arms=studies.ONE_ARM, replicates=1, keep=1)
        done = subprocess.run(
            [sys.executable, "-"],
            input=SCRIPT,
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "here I begin\n"
        "<StudyResults of toy (embedded): 1 of 1 runs finished, 0 failed; results in results>\n"
    )
    assert "1 runs, 0 done before, 1 worker" in done.stderr


def test_results_are_shown_in_a_line(study):
    """Which study, how far it is, where it lies."""
    assert repr(run(study)) == (
        "<StudyResults of toy (embedded): 6 of 6 runs finished, 0 failed; "
        f"results in {study.parent / 'results'}>"
    )


CLAIM = """\
claims:
  - name: the rarest faces make runs collapse
    quantity: collapsed_share
    contrast: {arm: rarest, less: even}
    expect: higher
    smallest_effect: {absolute: 50}
    primary: true
"""


def test_results_of_a_study_with_claims_begin_with_its_answer(study):
    """Its sentences before the line, and a row for each claim."""
    study.write_text(study.read_text() + CLAIM)
    found = run(study)
    told, line = repr(found).splitlines()
    (row,) = found.claims.to_dict("records")

    assert told == found.answer
    assert told.startswith("On the synthetic faces it cannot be told yet whether the rarest faces")
    assert line.startswith("<StudyResults of toy (embedded): 6 of 6 runs finished")
    assert (row["word"], row["effect"], row["unit"]) == ("cannot tell yet", 0.0, "points")
    assert (row["low"], row["high"], row["level"]) == (-row["high"], row["high"], 0.95)


def test_results_of_a_study_without_claims_have_no_answer(study):
    """No sentence and no row."""
    found = run(study)

    assert found.answer == ""
    assert len(found.claims) == 0


def test_progress_is_shown_unless_somebody_does_not_want_it(study, capsys):
    """On standard error, so that a script's own output stays as it is."""
    run(study)
    shown = capsys.readouterr()
    run(study, results=study.parent / "others", progress=False)
    hidden = capsys.readouterr()

    assert shown.out == hidden.out == hidden.err == ""
    assert shown.err.startswith("6 runs, 0 done before, 1 worker\n[1/6] even, seed 0: recall ")


def test_lost_runs_are_tried_again_when_asked(all_lost):
    """Otherwise a failure stays."""
    with pytest.warns(UserWarning, match="all 6 runs failed"):
        again = run(all_lost)
    assert again.runs.failure.notna().all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert run(all_lost, retry_lost=True).runs.failure.isna().all()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"form": "dataframe"}, "form must be 'terminal', 'latex', .*, not 'dataframe'"),
        ({"style": "papers"}, "style must be 'paper' or 'full', not 'papers'"),
        ({"definition": "variance"}, "definition must be .*, not 'variance'"),
    ],
)
def test_a_table_of_no_known_kind_is_refused(words, said, tmp_path):
    """Before anything is read."""
    with pytest.raises(ValueError, match=f"^{said}"):
        repro.StudyResults(None, tmp_path).table(**words)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ({"executor": "Local"}, ValueError),
        ({"workers": 0}, ValueError),
        ({"device": "gpu"}, ReproError),
    ],
)
def test_a_study_nowhere_is_refused(study, words, error):
    """And nothing is written."""
    (value,) = words.values()
    with pytest.raises(error, match=str(value)):
        run(study, **words)
    assert not (study.parent / "results").exists()


def daemonic(connection):
    """What a daemonic worker gets for its runs, and what it is told."""
    said = []
    executor = executor_at(Place(workers=4), PLAIN, remark=said.append)
    connection.send((type(executor) is Inline, executor.workers, said))


def test_a_daemonic_worker_runs_a_study_itself_and_says_so():
    """It is to start no processes, because nobody would end them."""
    ours, theirs = multiprocessing.Pipe()
    worker = multiprocessing.get_context("fork").Process(
        target=daemonic, args=[theirs], daemon=True
    )
    worker.start()
    is_inline, workers, (said,) = ours.recv()
    worker.join()

    assert (is_inline, workers) == (True, 1)
    assert said.endswith("runs execute in it, one at a time")
