from dataclasses import replace

import numpy as np
import pytest
from builders import a_task, configuration, training_images

from repro.cli import expected_cost
from repro.execution import calibration, wall_time
from repro.execution.calibration import Cost, Prediction
from repro.execution.shared_work import Shared
from repro.execution.wall_time import Work
from repro.records.task import Source
from repro.study import methods
from repro.training import trainer

SMALL = {
    "train": {"source": "synthetic", "faces": 30, "nonfaces": 30},
    "test": {"source": "synthetic", "per_group": 1, "size": 64},
    "nonfaces": {"source": "synthetic", "photographs": 2, "size": 64},
}
COST = Cost(start=2.0, load=3.0, epoch=1.5, scan=4.0, memory=5e8)


def task(seed, results, **changes):
    return a_task(results, key=f"k-seed{seed}", seed=seed, configuration=configuration(**changes))


def test_a_run_costs_its_epochs_and_its_scan():
    """Eight epochs of 1.5 s and a scan of 4 s."""
    assert COST.seconds(8) == 16.0


def test_a_member_of_a_stack_costs_what_is_beside_its_steps():
    """Half a second of eight epochs, and the scan; if it fails, those of the epoch before."""
    member = replace(COST, first=1.0)
    failing = replace(member, scan=0.0, fails_after=1)

    assert (member.beside_steps(8), failing.beside_steps(8)) == (8.0, 0.5)


def test_a_run_that_fails_costs_the_epochs_before():
    """Its scan was never measured and never happens."""
    failing = Cost(start=2.0, load=3.0, epoch=1.5, scan=0.0, memory=5e8, fails_after=1)

    assert failing.seconds(8) == 1.5


@pytest.mark.parametrize(("ends", "seconds"), [([], 0), ([3], 3), ([3, 5], 2), ([3, 5, 8], 2.5)])
def test_the_first_epoch_counts_only_where_there_is_no_other(ends, seconds):
    """It warms up, and in arms that resample it may be an even one."""
    assert calibration.epoch_seconds(ends) == seconds


@pytest.mark.parametrize(
    ("lengths", "workers", "seconds"),
    [
        ([5, 5, 5], 1, 18),  # 3 to load, then one after the other
        ([5, 5, 5], 2, 13),  # two load and run, one of them once more
        ([9, 2, 2, 2], 2, 12),  # the short ones fill up beside the long one
        ([4], 2, 7),
    ],
)
def test_runs_go_to_the_worker_that_is_free_first(lengths, workers, seconds):
    """Each worker loads the data once."""
    runs = [Work(takes=length, data="data", load=3) for length in lengths]

    assert wall_time.seconds(runs, workers=workers) == seconds


def test_a_worker_loads_again_when_the_data_change():
    """It holds one data set at a time: a, b, a are three loads."""
    runs = [Work(takes=5, data=data, load=3) for data in "aba"]

    assert wall_time.seconds(runs, workers=1) == 24


@pytest.mark.parametrize(
    ("lengths", "after", "seconds"),
    [
        ([5, 5, 5], {}, 10),
        ([5, 5, 5], {0: [1]}, 10),  # the second and third run, then the first
        ([5, 9, 2], {0: [1], 2: [0]}, 16),  # one after the other, and one worker waits
        ([5, 1, 4], {0: [2]}, 9),
        ([5, 1, 4], {0: [1, 2]}, 9),  # after both
    ],
)
def test_a_run_waits_for_the_end_of_its_source(lengths, after, seconds):
    """Two workers; others go first, and where there is none a worker waits."""
    runs = [Work(takes=length, after=after.get(n, ())) for n, length in enumerate(lengths)]

    assert wall_time.seconds(runs, workers=2) == seconds


@pytest.mark.parametrize(
    ("seeds", "workers", "seconds"),
    [
        ("00000", 1, 5 + 4 * 3),  # the first trains the epoch, 2 s of 5, for the others
        ("00011", 1, 5 + 3 + 3 + 5 + 3),
        ("01010", 1, 5 + 3 + 3 + 5 + 3),  # those of a seed are taken after each other
        ("0011", 2, 5 + 3),  # each worker has a seed of its own
        (
            "0001",
            2,
            5 + 5,
        ),  # the other one does seed 1, and trains the first epoch of 0
        ("0000", 2, 5 + 3),  # both train it
        ("001", 3, 5),
    ],
)
def test_runs_that_begin_alike_train_their_first_epoch_once_in_a_worker(seeds, workers, seconds):
    """By hand: runs of 5 s, of which a run after another one of its seed saves 2."""
    runs = [Work(takes=5, first=2, shared=Shared(beginning=one, epoch=one)) for one in seeds]

    assert wall_time.seconds(runs, workers=workers) == seconds


def test_a_run_with_an_epoch_of_its_own_leaves_the_kept_one_where_it_is():
    """It saves nothing, and the run after it takes over what the one before it has trained."""
    alike = [Shared(beginning="0", epoch=epoch) for epoch in ("even", "", "even", "drawn")]
    runs = [Work(takes=5, first=2, shared=one) for one in alike]

    assert wall_time.seconds(runs, workers=1) == 5 + 5 + 3 + 5


@pytest.mark.parametrize(
    ("kinds", "workers", "size", "seconds"),
    [
        ("aaaaa", 1, 5, 10 + 5),
        ("aaaaaaa", 1, 5, 10 + 5 + 10 + 2),  # the second is filled up
        ("aaaaaaa", 2, 5, 10 + 5),  # both at once
        ("ababa", 1, 5, 10 + 3 + 10 + 2),  # those of a kind are collected
        ("ababa", 1, 1, 5 * (10 + 1)),
    ],
)
def test_a_stack_takes_its_steps_once_and_what_its_runs_take_each(kinds, workers, size, seconds):
    """By hand: steps of 10 s, however many runs there are, and 1 s of each."""
    runs = [Work(takes=1, together=10, kind=kind) for kind in kinds]

    assert wall_time.seconds(runs, workers=workers, stack=size) == seconds


def test_runs_of_a_stack_wait_for_their_sources():
    """Three runs, three that start from them, and the first of these trains with none before."""
    runs = [Work(takes=1, together=10, kind="", after=[n - 3] if n > 2 else ()) for n in range(6)]

    assert wall_time.seconds(runs, workers=2, stack=6) == 13 + 13


def test_a_stack_loads_what_its_runs_need_once():
    """Two sets of test portraits beside the same training images, 4 s each."""
    runs = [Work(takes=1, together=10, data=data, load=4) for data in "abab"]

    assert wall_time.seconds(runs, workers=1, stack=4) == 8 + 10 + 4


@pytest.mark.parametrize(("draws", "seconds"), [(True, 5 + 9), (False, 5 + 4 + 9)])
def test_what_is_drawn_is_drawn_once_for_all_workers(draws, seconds):
    """4 s to load; the first worker does a in 1 s, then b in 9, which the other has loaded."""
    runs = [
        Work(takes=takes, data=data, load=4, shared=Shared(draws=draws))
        for data, takes in (("a", 1), ("b", 6), ("b", 9))
    ]

    assert wall_time.seconds(runs, workers=2) == seconds


SOURCES = {
    "a": {"resampling": {"rule": "placebo", "of": "x", "parameters": {"within": "all"}}},
    "b": {"objective": {"name": "dfr", "of": "x"}, "resampling": {"rule": "none"}},
}


def test_a_run_that_starts_from_another_is_measured_without_it():
    """Even draws, the papers' objective: no run has to be finished for a forecast."""
    placebo, dfr = (calibration.standing_in(configuration(**SOURCES[name])) for name in "ab")

    assert placebo.source_arm is None is dfr.source_arm
    assert (placebo.resampling.rule, placebo.resampling.uniform_epochs) == ("none", "draw")
    assert dfr.objective.name == "standard"


def test_a_forecast_knows_of_sources(tmp_path):
    """A placebo starts when its source has ended; DFR trains no epoch, and costs its scan."""
    source = task(0, tmp_path, epochs=8)
    rest = [
        a_task(
            tmp_path,
            key=f"{name}-seed0",
            configuration=configuration(epochs=8, **SOURCES[name]),
            source=Source(key=source.key, arm="x", digest="k", configuration=source.configuration),
        )
        for name in "ab"
    ]
    tasks = [*rest, source]
    measured = {name: [COST] for name in calibration.works(tasks)}
    predicted = calibration.predict(tasks, measured, slots=["cpu"] * 3)

    assert predicted.seconds == 2 + (3 + 8 * 1.5 + 4) + (8 * 1.5 + 4)  # data are loaded once


@pytest.mark.parametrize(("shared", "saved"), [(True, 2 * 1.0), (False, 0.0)])
def test_a_forecast_counts_a_shared_first_epoch_once(tmp_path, shared, saved):
    """Three arms of a seed that differ in alpha, one after the other; steps of 1 s an epoch."""
    tasks = [
        a_task(tmp_path, key=f"{n}", arm=f"{n}", configuration=configuration(resampling=one))
        for n, one in enumerate([{"rule": "none"}, {"alpha": 0.1}, {"alpha": 0.2}])
    ]
    cost = replace(COST, first=1.0)
    measured = {name: [cost] for name in calibration.works(tasks)}
    predicted = calibration.predict(tasks, measured, slots=["cpu"], shared=shared)

    assert predicted.seconds == 2 + 3 + 3 * (2 * 1.5 + 4) - saved


def test_repeated_measurements_are_averaged():
    """Times by their mean, memory by the largest."""
    other = Cost(start=4.0, load=5.0, epoch=2.5, scan=6.0, memory=4e8, first=1.0)

    mean = Cost(start=3.0, load=4.0, epoch=2.0, scan=5.0, memory=5e8, first=0.5)
    assert calibration.average([COST, other]) == mean


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"resampling": {"alpha": 0.5}}, True),
        ({"epochs": 9}, True),
        ({"kl": {"weight": 0.5}}, True),
        ({"reconstruction": {"reduction": "mean"}}, True),
        ({"resampling": {"rule": "none"}}, False),
        ({"resampling": {"rule": "product"}}, False),
        ({"batch_size": 17}, False),
        ({"latent_dim": 3}, False),
        ({"decoder_input": "faces"}, False),
        ({"windows": {"sizes": 3}}, False),
        ({"data": SMALL}, False),
    ],
    ids=str,
)
def test_arms_share_a_calibration_when_they_cost_the_same(changes, same):
    """What changes the work is measured apart, what changes its numbers is not."""
    kinds = {calibration.cost_kind(configuration(**c)) for c in ({}, changes)}

    assert (len(kinds) == 1) == same


@pytest.mark.parametrize("batch_size", [24, 32, 100, 300])
def test_a_part_of_the_images_makes_the_steps_that_are_timed(batch_size):
    """Whole batches of the real size, of both classes in their proportion, in little time."""
    arm, data = configuration(batch_size=batch_size), training_images(faces=1500, others=500)
    part = calibration.some(arm, data)

    assert 512 <= trainer.images_per_epoch(arm, part) < 512 + 2 * batch_size
    assert np.isclose(part.is_face.mean(), 0.75, atol=0.01)


def test_a_part_of_the_images_keeps_their_groups():
    """Each image's own, of which the picture tells."""
    data = training_images(faces=1500, others=500)
    data.images[:, 0, 0, 0] = np.arange(2000) % 256
    named = replace(data, groups=tuple(str(number % 256) for number in range(2000)))
    part = calibration.some(configuration(), named)

    assert [int(group) for group in part.groups] == part.images[:, 0, 0, 0].tolist()


def test_few_images_are_taken_whole():
    """Nothing is scaled where everything is tried."""
    data = training_images()

    assert calibration.some(configuration(), data) is data


def test_images_per_epoch_are_those_that_training_counts():
    """Whole batches of the images that are not held out: 80 less 16, in batches of 24."""
    assert trainer.images_per_epoch(configuration(batch_size=24), training_images()) == 48


def test_what_a_run_costs_is_measured():
    """Every part takes time and memory; a product that underflows ends after one epoch."""
    cost = calibration.measure(configuration(data=SMALL), start=1.0, device="cpu")
    rule = {"rule": "product", "arithmetic": "float32"}
    failing = calibration.measure(
        configuration(data=SMALL, resampling=rule), start=1.0, device="cpu"
    )

    assert min(cost.load, cost.epoch, cost.scan) > 0
    assert 0 < cost.first < cost.epoch
    assert cost.memory > 1e8
    assert cost.resting > 1e8
    assert cost.images == 48  # three batches of the 48 that are not held out
    assert (cost.fails_after, failing.fails_after, failing.scan) == (None, 1, 0.0)


def test_more_machines_take_less_time_and_what_is_paid_for_is_their_hours():
    """Ten runs of an hour each, in two places or in ten; words and arithmetic."""
    runs = [Work(takes=3600)] * 10
    assert wall_time.seconds(runs, workers=2) == 5 * 3600
    expected = Prediction(
        seconds=wall_time.seconds(runs, workers=5 * 2), workers=2, each=5e8, machines=5
    )

    assert expected_cost.in_words(expected, hourly_price=0.2) == (
        "Expected on 5 machines like this one, 2 workers on each: 1 h 0 min; 1.0 GB of memory "
        "on each (0.50 GB per run); 5.00 machine-hours, 1.00 at 0.2 per hour"
    )


def test_one_machine_without_a_price_is_told_its_time_and_memory():
    """As it always was."""
    expected = Prediction(seconds=70, workers=2, each=5e8)

    assert expected_cost.in_words(expected, hourly_price=None) == (
        "Expected on this machine, 2 workers: 1 min 10 s; 1.0 GB of memory (0.50 GB per run)"
    )


@pytest.mark.parametrize("rule", ["oracle", "subg"])
def test_even_draws_stand_in_for_a_rule_that_encodes_nothing(rule):
    """The few images of a calibration may have no face of a group, and the cost is the same."""
    balanced = configuration(resampling={"rule": rule, "parameters": {"labels": "true"}})
    even = configuration(resampling={"rule": "none", "uniform_epochs": "draw"})

    assert calibration.standing_in(balanced) == even


@pytest.mark.parametrize("rule", ["none", "max", "as_loss"])
def test_other_rules_are_measured_as_they_are(rule):
    """They encode the training faces in each epoch, or nothing has to stand in."""
    arm = configuration(resampling={"rule": rule})

    assert calibration.standing_in(arm) == arm


def test_the_memory_of_images_is_measured_of_an_arm_with_parameters():
    """Without a step, so that nothing is weighted."""
    arm = configuration(resampling={"rule": "as_loss", "parameters": {"by": "max"}})

    assert calibration._memory_of_copies(arm, training_images(), methods.BUILT_IN) >= 0
