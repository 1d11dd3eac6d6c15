"""Runs that are trained as one network, from end to end."""

from dataclasses import replace
from itertools import count

import pytest
from builders import a_task, configuration

from repro.data import sources
from repro.errors import ReproError
from repro.execution.executors import hardware
from repro.records.events import CheckpointMade, EpochEnded, RunEnded, RunStarted
from repro.training import single_run, stacked_runs, state_files
from repro.training.kernels import cuda_library
from repro.training.state_files import Checkpoint
from repro.training.trainer import State

SIZE, EPOCHS = 3, 3
PICTURES = {
    "train": {"source": "synthetic", "faces": 20, "nonfaces": 20},
    "test": {"source": "synthetic", "per_group": 1, "size": 64},
    "nonfaces": {"source": "synthetic", "photographs": 1, "size": 64},
}
SMALL = {"batch_size": 16, "epochs": EPOCHS, "data": PICTURES}
PRODUCT = {"rule": "product", "arithmetic": "float32"}  # underflows in the second epoch


@pytest.fixture(scope="module")
def material():
    """The data, drawn once."""
    keep = sources.keeper()
    return lambda task: keep(task.configuration.data)


@pytest.fixture(scope="module")
def tasks(tmp_path_factory):
    """Three runs of different seeds and strengths, a checkpoint in each epoch."""
    computed = replace(hardware.computation(["cpu"]), kernels=f"stacked-{SIZE}")
    arms = [configuration(resampling={"alpha": 0.1**n}, **SMALL) for n in range(1, SIZE + 1)]
    return [
        a_task(
            tmp_path_factory.getbasetemp(),
            key=f"k-seed{seed}",
            seed=seed,
            configuration=arm,
            computation=computed,
            checkpoint_seconds=0.0,
        )
        for seed, arm in enumerate(arms)
    ]


def executed(tasks, material, begun=None):
    """All events."""
    files = begun or [{} for _ in tasks]
    return list(stacked_runs.execute(tasks, material, files, size=SIZE))


def of_run(events, task):
    """Its events."""
    return [event for event in events if event.key == task.key]


def results(events, task):
    """All of its record but times, and its files."""
    ended = of_run(events, task)[-1]
    return replace(ended.record, provenance={}), ended.files


@pytest.fixture(scope="module")
def whole(tasks, material):
    """The events of the three, trained together, with a checkpoint of each in each epoch."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stacked_runs, "APART", 0)
        return executed(tasks, material)


def epochs_of(events):
    """Seed and epoch, in the order in which they ended."""
    ended = (event for event in events if isinstance(event, EpochEnded))
    return [(int(event.key[-1]), int(event.history["epoch"])) for event in ended]


def checkpoint(events, task, epoch):
    """The files of a run's checkpoint after an epoch."""
    made = (event.files for event in of_run(events, task) if isinstance(event, CheckpointMade))
    return next(files for files in made if state_files.unpack(files).state.epoch == epoch)


def test_the_events_of_each_run_are_those_of_a_single_one(tasks, material, whole):
    """Of the same types in the same order, and its record has the same fields."""
    task = tasks[1]
    alone = replace(task, computation=hardware.computation(["cpu"]))
    single = list(single_run.execute(alone, lambda: material(alone), {}))
    ours = of_run(whole, task)

    assert [type(event) for event in ours] == [type(event) for event in single]
    assert [type(event) for event in whole[:SIZE]] == [RunStarted] * SIZE
    assert ours[-1].record.metrics.keys() == single[-1].record.metrics.keys()
    assert ours[-1].files.keys() == single[-1].files.keys()


def test_a_record_says_how_many_runs_were_trained_together(tasks, whole):
    """And the kernels that computed all of it: no function of ours in C is among them."""
    made = of_run(whole, tasks[0])[-1].record.provenance

    assert (made["stacked_runs"], made["kernels"], made["kernels_build"]) == (3, "stacked-3", None)
    assert made["images_per_second"] > 0


@pytest.fixture(scope="module")
def alone(tasks, material):
    """The events of the last one among copies, by a clock that takes a second to look."""
    ticks = count()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stacked_runs.time, "monotonic", lambda: next(ticks))
        return executed(tasks[-1:], material)


def test_a_run_among_copies_of_itself_has_the_bits_of_one_in_a_full_stack(tasks, whole, alone):
    """Neither the others count, nor its place, nor what fills the stack up."""
    last = tasks[-1]

    assert results(alone, last) == results(whole, last)
    assert alone[-1].record.provenance["stacked_runs"] == 1


def test_checkpoints_are_20_times_as_far_apart_as_making_them_took(alone):
    """One second: after the first, none is due in the other two epochs."""
    assert [type(event) for event in alone[1:-1]] == [
        *(EpochEnded, CheckpointMade),
        *[EpochEnded] * (EPOCHS - 1),
    ]


@pytest.fixture(scope="module")
def caught_up(tasks, material, whole):
    """The events from checkpoints after two epochs, one, and none, in another order."""
    ahead, between, fresh = tasks
    begun = [{}, checkpoint(whole, ahead, 2), checkpoint(whole, between, 1)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stacked_runs, "APART", 0)
        return executed([fresh, ahead, between], material, begun)


def test_runs_that_are_behind_are_trained_until_they_meet_the_others(caught_up):
    """Seed and epoch of each, as they end."""
    assert epochs_of(caught_up) == [(2, 1), (2, 2), (1, 2), (2, 3), (0, 3), (1, 3)]


def test_a_run_that_caught_up_or_waited_has_the_bits_of_an_uninterrupted_one(
    tasks, whole, caught_up
):
    """And its record says after which epoch it went on."""
    for task, went_on in zip(tasks, (2, 1, None), strict=True):
        assert results(caught_up, task) == results(whole, task)
        made = of_run(caught_up, task)[-1].record.provenance
        assert made.get("went_on_after_epoch") == went_on


def test_a_run_that_waits_makes_no_checkpoint_and_its_clock_stands_still(tasks, caught_up):
    """It has gone nowhere since its last checkpoint: its rate is that of its own epochs."""
    ahead, between, fresh = tasks
    made = [event.key for event in caught_up if isinstance(event, CheckpointMade)]
    *_, last, ended = of_run(caught_up, ahead)

    assert made == [fresh.key, fresh.key, between.key]
    assert ended.record.provenance["images_per_second"] == round(last.images_per_second, 1)


def test_a_run_that_fails_ends_with_its_reason_and_the_others_go_on(tasks, material, whole):
    """They have the bits that they have without it."""
    failing = replace(tasks[1], configuration=configuration(resampling=PRODUCT, **SMALL))
    events = executed([tasks[0], failing, tasks[2]], material)
    ended = [event for event in events if isinstance(event, RunEnded)]

    assert [event.key for event in ended] == [failing.key, tasks[0].key, tasks[2].key]
    assert ended[0].record.failure["term"] == "resampling weights"
    assert ended[0].record.failure["epoch"] == 2
    assert results(events, tasks[2]) == results(whole, tasks[2])


def test_a_stack_of_which_all_runs_fail_ends(tasks, material):
    """With the record of each."""
    arm = configuration(resampling=PRODUCT, **SMALL)
    failing = [replace(task, configuration=arm) for task in tasks[:2]]
    events = executed(failing, material)

    assert epochs_of(events) == [(0, 1), (1, 1)]
    assert [event.record.failure["epoch"] for event in events[-2:]] == [2, 2]


def test_a_checkpoint_of_another_run_starts_the_run_again(tasks, material, whole):
    """As it does singly; the others go on from theirs."""
    foreign = state_files.pack(Checkpoint(State(2, {}, {}), 1.0), tasks[0].key)
    begun = [foreign, checkpoint(whole, tasks[1], 2)]
    events = executed(tasks[:2], material, begun)

    assert epochs_of(events) == [(0, 1), (0, 2), (0, 3), (1, 3)]
    assert results(events, tasks[0]) == results(whole, tasks[0])


def test_runs_of_different_shapes_are_refused(tasks, material):
    """Before anything is trained."""
    other = replace(tasks[1], configuration=configuration(**{**SMALL, "batch_size": 8}))

    with pytest.raises(ReproError, match="batch_size: runs that are trained as one network"):
        executed([tasks[0], other], material)


def test_a_gpu_for_which_our_kernels_cannot_be_compiled_is_refused(tasks, material, monkeypatch):
    """Torch's operators would give other bits under the name of the stack's kernels."""
    monkeypatch.setattr(cuda_library, "available", lambda: False)
    on_gpu = [replace(task, device="cuda:0") for task in tasks]

    with pytest.raises(ReproError, match=r"NVRTC.* train singly \(--stack 1\)"):
        next(stacked_runs.execute(on_gpu, lambda task: material, [{}] * len(tasks), size=SIZE))
