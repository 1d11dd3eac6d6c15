"""What runs of a process do once for several of them is told as training does it."""

from dataclasses import replace

import numpy as np
import pytest
from builders import a_task, configuration, training_images

from repro.data import sources
from repro.execution import shared_work
from repro.records.task import Source
from repro.training.first_epoch import Memory
from repro.training.trainer import Fit

LABELLED = {"parameters": {"labels": "true"}}
ARMS = {
    "none": {"resampling": {"rule": "none"}},
    "max": {},
    "another alpha": {"resampling": {"alpha": 0.5}},
    "drawn": {"resampling": {"rule": "none", "uniform_epochs": "draw"}},
    "drawn without replacement": {
        "resampling": {"rule": "none", "uniform_epochs": "draw", "replacement": "without"}
    },
    "resampled at once": {"resampling": {"first_epoch": "resampled"}},
    "on the loss": {"resampling": {"rule": "as_loss"}},
    "by groups": {"resampling": {"rule": "oracle", **LABELLED}},
    "another objective": {"resampling": {"rule": "none"}, "objective": {"name": "lff"}},
    "a classifier": {"model": "classifier", "resampling": {"rule": "none"}},
}


def arm(name):
    """An arm of one epoch."""
    return configuration(**{**ARMS[name], "epochs": 1})


@pytest.fixture(scope="module")
def grouped():
    """Small images, whose faces have groups."""
    data = training_images()
    names = np.where(data.is_face, np.where(np.arange(len(data.is_face)) % 2, "a", "b"), "")
    return replace(data, groups=tuple(names))


@pytest.mark.parametrize("name", ARMS)
def test_a_first_epoch_is_called_common_where_training_shares_it(name, grouped, tmp_path):
    """The oracle is a run: it gives its first epoch to the memory of its process, or not."""
    first = Memory().of("")
    list(Fit(arm(name), 0, grouped, first=first).epochs())
    (shared,) = shared_work.of_runs([a_task(tmp_path, configuration=arm(name))])

    assert bool(shared.epoch) == (first.seconds > 0)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("none", "max", True),
        ("max", "another alpha", True),
        ("none", "drawn", False),
        ("drawn", "drawn without replacement", False),
        ("none", "a classifier", False),
    ],
)
def test_first_epochs_are_equal_where_all_that_they_train_is(one, other, alike, grouped, tmp_path):
    """The oracle is a second run, which takes the epoch of the first one over, or not."""
    memory = Memory()
    tasks = [a_task(tmp_path, arm=name, configuration=arm(name)) for name in (one, other)]
    taken = []
    for task in tasks:
        first = memory.of(task.beginning)
        list(Fit(task.configuration, 0, grouped, first=first).epochs())
        taken.append(first.is_taken_over)
    first, second = (shared.epoch for shared in shared_work.of_runs(tasks))

    assert (first == second) == alike == taken[1]


def test_another_seed_has_another_first_epoch(tmp_path):
    """And so it begins otherwise."""
    tasks = [a_task(tmp_path, seed=seed) for seed in (0, 1)]
    one, other = shared_work.of_runs(tasks)

    assert one.epoch != other.epoch
    assert one.beginning != other.beginning


def test_a_gpu_shares_no_epoch(tmp_path):
    """Each run records its own graph."""
    here = a_task(tmp_path)
    there = replace(here, computation=replace(here.computation, device="cuda"))

    assert [bool(one.epoch) for one in shared_work.of_runs([here])] == [True]
    assert [bool(one.epoch) for one in shared_work.of_runs([there])] == [False]


@pytest.mark.parametrize(("of", "shares"), [({}, True), ({"first_epoch": "resampled"}, False)])
def test_a_placebo_begins_as_its_source_does(of, shares, tmp_path):
    """It deals the weights of every epoch, and draws evenly where there are none."""
    rule = {"rule": "placebo", "of": "x", "parameters": {"within": "all"}}
    source = Source(key="k", arm="x", digest="k", configuration=configuration(resampling=of))
    placebo = a_task(tmp_path, configuration=configuration(resampling=rule), source=source)
    (shared,) = shared_work.of_runs([placebo])

    assert bool(shared.epoch) == shares


@pytest.mark.parametrize(("role", "draws"), [(None, True), ("train", False), ("test", False)])
def test_data_are_shared_if_all_of_them_are_drawn(role, draws, tmp_path, monkeypatch):
    """What is read from files is read by each process."""
    monkeypatch.setattr(
        sources, "drawn", lambda data, digests: {one: "" for one in digests if one != role}
    )
    (shared,) = shared_work.of_runs([a_task(tmp_path)])

    assert shared.draws == draws
