"""A page that two processes draw is the page that one draws."""

import os

import pytest
from builders import a_task, configuration, execute, study_index
from places import ROOT

from repro.cli import exhibits, page_drawing
from repro.cli.page_drawing import Drawing
from repro.data import sources
from repro.records.events import RunRecorded, RunStarted, StudyStarted
from repro.reporting.figures import figure_registry
from repro.study.study import load

FORMS = ("svg", "png")
EMBEDDED = {
    "train": {"source": "synthetic", "faces": 40, "nonfaces": 40},
    "test": {"source": "synthetic", "per_group": 1, "size": 64},
    "nonfaces": {"source": "synthetic", "photographs": 2, "size": 64},
}


@pytest.fixture(scope="module")
def view(tmp_path_factory):
    """A run that resamples embedded faces, and where its record is."""
    results = tmp_path_factory.mktemp("pages")
    choices = configuration(data=EMBEDDED)
    execute(a_task(results, configuration=choices, data=sources.fingerprints(choices.data)))
    return exhibits.without_pictures(study_index({"x": ["k-seed0"]}), results), results


@pytest.fixture
def drawing(view, monkeypatch):
    """For a study on embedded faces, as in a process that has not loaded torch."""
    monkeypatch.setattr(page_drawing, "_has_torch", lambda: False)
    with Drawing(load(ROOT / "studies" / "alpha_sweep.yaml"), view[1]) as found:
        yield found


@pytest.fixture(scope="module", autouse=True)
def _few_figures():
    """One with faces and one without."""
    with pytest.MonkeyPatch.context() as patched:
        some = {name: figure_registry.FIGURES[name] for name in ("training", "extremes")}
        patched.setattr(figure_registry, "FIGURES", some)
        yield


def told(sentence):
    """No warning is expected."""
    raise AssertionError(sentence)


def of_one(view):
    """The page as one process draws it."""
    shown = exhibits.with_pictures(*view, with_images=False, warn=told)
    return exhibits.page(shown, [])


def test_two_processes_draw_the_page_that_one_draws(view, drawing):
    """To the byte, and in the same order."""
    text, files = drawing.page(view[0], list, warn=told)
    alone = of_one(view)

    assert (text, files) == alone
    assert [*files][1:] == [f"figures/{n}.{f}" for n in figure_registry.FIGURES for f in FORMS]


def ends():
    """In the other process: its end."""
    os._exit(9)


def test_if_the_other_process_ends_this_one_draws_all(view, drawing, monkeypatch):
    """Nothing is missing, and nobody is told."""
    monkeypatch.setattr(page_drawing, "_prepare", ends)
    monkeypatch.setattr(exhibits, "figures", lambda shown, wanted=None: {str(wanted): b""})

    assert drawing.page(view[0], list, warn=told)[1].keys() == {"table.md", "None"}


class Started:
    """A process that only notes what it is sent."""

    def __init__(self, prepare):
        """Nothing is sent yet."""
        self.sent = []

    def send(self, request):
        """Note it."""
        self.sent.append(request)

    def stop(self):
        """Nothing runs."""

    def join(self):
        """Nothing runs."""


def test_the_other_process_starts_when_a_worker_is_free_and_no_run_is_left(drawing, monkeypatch):
    """Two workers, three runs: at the second end, and not before."""
    begun = []
    monkeypatch.setattr(page_drawing, "Child", lambda prepare: begun.append(1) or Started(prepare))
    hear = drawing.watching(lambda event: None)
    counts = []
    ended = [RunRecorded(key, key, None) for key in "abc"]
    began = [RunStarted(key, key, 8, 0) for key in "abc"]
    for event in (StudyStarted(3, 0, 2), *began[:2], ended[0], began[2], ended[1], ended[2]):
        hear(event)
        counts.append(len(begun))

    assert counts == [0, 0, 0, 0, 0, 1, 1]
