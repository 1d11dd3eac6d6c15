"""What stacks cost: arithmetic by hand, and that a real one is measured."""

from dataclasses import replace

import pytest
from builders import a_task, configuration

from repro.execution import calibration, measuring, stack_cost
from repro.execution.calibration import Cost
from repro.execution.stack_cost import Steps
from repro.records.task import Source

COST = Cost(
    start=2.0, load=3.0, epoch=1.5, first=1.0, scan=4.0, memory=5e8, images=160, resting=4e8
)
STEPS = Steps(step=0.5, memory=1e9)


def runs(results, *arms, seeds=1):
    """A run of each arm and seed, two epochs of ten steps of 16 each."""
    return [
        a_task(results, key=f"{n}-{s}", arm=f"{n}", seed=s, configuration=configuration(**one))
        for s in range(seeds)
        for n, one in enumerate(arms)
    ]


def predicted(tasks, *, size=5, slots=("cpu",), cost=COST):
    """The forecast if each run and each stack was measured to cost the same."""
    own = {name: [cost] for name in calibration.works(tasks)}
    steps = {name: [STEPS] for name in stack_cost.works((t.configuration for t in tasks), size)}
    return stack_cost.predict(tasks, own | steps, size=size, slots=list(slots))


EVEN = {"resampling": {"rule": "none"}}


def test_a_stack_takes_its_steps_and_what_each_run_does_beside(tmp_path):
    """Three seeds of two arms: 20 steps of 0.5 s, for five and for one; 2 x 0.5 + 4 s of each."""
    found = predicted(runs(tmp_path, {}, EVEN, seeds=3))

    assert found.seconds == 2 + 3 + 2 * 10 + 6 * 5
    assert (found.workers, found.stack) == (1, 5)


def test_a_stack_is_filled_up_and_takes_as_long_as_a_full_one(tmp_path):
    """One run takes the steps of five, and what it does beside."""
    assert predicted(runs(tmp_path, {})).seconds == 2 + 3 + 10 + 5


@pytest.mark.parametrize(
    ("other", "stacks"),
    [
        (EVEN, 1),
        ({"windows": {"sizes": 3}}, 1),
        ({"checkpoint": "last"}, 1),
        ({"learning_rate": 0.5}, 2),
        ({"kl": {"weight": 2.0}}, 2),
        ({"latent_dim": 3}, 2),
    ],
    ids=str,
)
def test_runs_of_another_shape_have_a_stack_of_their_own(other, stacks, tmp_path):
    """Counted for two workers, who are busy if there are two."""
    found = predicted(runs(tmp_path, {}, other), slots=["cpu"] * 2)

    assert found.workers == stacks
    assert found.seconds == 2 + 3 + 10 + (10 if stacks == 1 else 5)


def test_other_training_images_make_another_stack(tmp_path):
    """What its runs share are the pictures, too."""
    one, other = runs(tmp_path, {}, EVEN)
    other = replace(other, data={**other.data, "train": "others"})

    assert stack_cost.stacks_of([one, other], 5) == 2


def test_runs_that_start_from_others_come_in_a_later_stack(tmp_path):
    """A placebo of each of two runs: two stacks, one after the other, though one has room."""
    sources = runs(tmp_path, {}, seeds=2)
    rule = {"rule": "placebo", "of": "0", "parameters": {"within": "all"}}
    placebos = [
        replace(
            task,
            key=f"p-{task.seed}",
            arm="p",
            configuration=configuration(resampling=rule),
            source=Source(key=task.key, arm="0", digest="k", configuration=task.configuration),
        )
        for task in sources
    ]

    assert stack_cost.stacks_of([*sources, *placebos], 5) == 2
    assert predicted([*sources, *placebos]).seconds == 2 + 3 + 2 * (10 + 2 * 5)


@pytest.mark.parametrize(
    ("device", "memory"), [("cpu", 4e8 + 1e9 + 2 * 5 * 160 * 100 * 4), ("cuda:0", 4e8 + 1e9)]
)
def test_the_memory_is_that_of_the_data_the_networks_and_an_epochs_noise(device, memory, tmp_path):
    """The noise of five runs, drawn and stacked: 100 latents of 4 bytes an image; not on a GPU."""
    assert predicted(runs(tmp_path, {}), slots=[device]).each == memory


def test_a_single_run_needs_its_memory_in_any_case(tmp_path):
    """While its data are loaded there may be no stack yet."""
    assert predicted(runs(tmp_path, {}), cost=replace(COST, memory=9e9)).each == 9e9


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        (EVEN, True),
        ({"epochs": 9}, True),
        ({"learning_rate": 0.5}, True),
        ({"kl": {"weight": 0.5}}, True),
        ({"windows": {"sizes": 3}}, True),
        ({"batch_size": 17}, False),
        ({"latent_dim": 3}, False),
        ({"precision": "bf16"}, False),
        ({"model": "classifier", **EVEN}, False),
    ],
    ids=str,
)
def test_steps_are_measured_once_for_stacks_whose_steps_take_as_long(changes, same):
    """What changes no operation of a step is not measured apart."""
    kinds = {stack_cost.kind(configuration(**one)) for one in ({}, changes)}

    assert (len(kinds) == 1) == same


def test_repeated_measurements_are_averaged():
    """Times by their mean, memory by the largest."""
    found = [STEPS, Steps(step=1.5, memory=5e8)]

    assert stack_cost.average(found) == Steps(step=1.0, memory=1e9)


def test_a_real_stack_is_measured():
    """In a process of its own, which has no memory of others to take: two networks' at least."""
    works = stack_cost.works([configuration(epochs=60)], 2)
    ((found,),) = measuring.measured(works, ["cpu"], kernels="torch").values()

    assert found.step > 0
    assert found.memory > 2 * 4 * 2.8e6  # as many numbers of 4 bytes
