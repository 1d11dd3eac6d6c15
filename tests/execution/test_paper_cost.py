"""What the paper's own study would cost: arithmetic by hand, and that it is measured."""

import math
from dataclasses import replace

import pytest
from builders import configuration

from repro.execution import measured_gpus, paper_cost, stack_cost
from repro.execution.measured_gpus import H200
from repro.execution.paper_cost import Expected, Rates, Sizes
from repro.execution.stack_cost import Steps
from repro.study.arm import ArmSpec
from repro.study.paper_study import PaperStudy

TABLE_3 = {"images": 109_914, "portraits": 1_270, "source": "de Haan", "profile": "paper"}
RATES = Rates(trained=0.001, validated=0.0001, window=0.0002, windows=50.0)


def paper(*arms, replicates=5, **changes):
    """A study of such arms."""
    specs = tuple(ArmSpec(str(n), configuration(**one)) for n, one in enumerate(arms))
    return PaperStudy(arms=specs, replicates=replicates, **{**TABLE_3, **changes})


REPRODUCTION = {"batch_size": 24, "epochs": 60, "validation_share": 0.2}
DEBIASED = {**REPRODUCTION, "resampling": {"alpha": 0.01}}
EVEN = {**REPRODUCTION, "resampling": {"rule": "none"}}


def test_a_run_of_the_reproduction_trains_87912_images():
    """3,663 batches of 24 of the 87,931 that are not held out."""
    found = paper_cost.sizes(paper(DEBIASED), configuration(**DEBIASED))

    assert found == Sizes(trained=3_663 * 24, validated=21_983, portraits=1_270)


def test_the_time_of_the_study_is_its_pictures_times_their_rates():
    """Ten runs on two workers, by hand: 100 images, 80 of them trained on in batches of 8."""
    small = {"batch_size": 8, "epochs": 3, "validation_share": 0.2}
    study = paper({**small, "resampling": {"alpha": 0.01}}, images=100, portraits=2, replicates=10)
    rates = {paper_cost.kind(study.arms[0].configuration): [RATES]}
    found = paper_cost.expected(study, rates, workers=2)

    run = 3 * 80 * 0.001 + 3 * 20 * 0.0001 + 2 * 50 * 0.0002  # 0.24 + 0.006 + 0.02
    assert math.isclose(found.seconds, 5 * run)
    assert math.isclose(found.validation, 0.006 / run)
    assert math.isclose(found.portraits, 0.02 / run)
    assert math.isclose(found.evaluation, 0.026 / run)


@pytest.mark.parametrize(("workers", "seconds"), [(1, 2 * 15 + 12 * 0.05), (2, 15 + 8 * 0.05)])
def test_the_study_in_stacks_is_their_steps_and_the_rest_of_each_run(workers, seconds):
    """Twelve runs in stacks of eight, the second filled up: 30 steps of half a second each.

    By hand: a run draws 240 images, validates 60, 0.1 ms each, and scores 100 windows: 0.05 s.
    """
    arm = {"batch_size": 8, "epochs": 3, "validation_share": 0.2, "resampling": {"alpha": 0.01}}
    study = paper(arm, images=100, portraits=2, replicates=12)
    choices = study.arms[0].configuration
    found = {
        paper_cost.kind(choices): [replace(RATES, drawn=0.0001)],
        stack_cost.kind(choices): [Steps(step=0.4, memory=1e9), Steps(step=0.6, memory=2e9)],
    }
    expected = paper_cost.expected(study, found, workers=workers, stack=8)

    assert math.isclose(expected.seconds, seconds)
    assert math.isclose(expected.validation, 12 * 0.006 / 30.6)


def test_repeated_measurements_count_by_their_mean():
    """1 and 3 ms an image are 2."""
    study = paper({**DEBIASED, "epochs": 1}, images=100, portraits=1, replicates=1)
    slow = Rates(trained=0.003, validated=0.0001, window=0.0002, windows=50.0)
    rates = {paper_cost.kind(study.arms[0].configuration): [RATES, slow]}

    assert math.isclose(
        paper_cost.expected(study, rates, workers=1).seconds,
        72 * 0.002 + 20 * 0.0001 + 50 * 0.0002,
    )


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"epochs": 3}, True),
        ({"learning_rate": 0.1}, True),
        ({"resampling": {"alpha": 0.5}}, True),
        ({"resampling": {"rule": "none"}}, False),
        ({"batch_size": 25}, False),
        ({"precision": "bf16"}, False),
    ],
    ids=str,
)
def test_arms_are_measured_once_if_they_take_as_long(changes, same):
    """What changes no image's time is not measured apart."""
    kinds = {paper_cost.kind(configuration(**{**DEBIASED, **one})) for one in ({}, changes)}

    assert (len(kinds) == 1) == same


def test_rates_are_measured_on_random_pictures():
    """Every part takes time; a portrait has 87 windows on average: 58, 85 or 117."""
    arm = configuration(**{**DEBIASED, "batch_size": 400})
    found = paper_cost.measure(arm, start=0.0, device="cpu")

    assert min(found.drawn, found.validated, found.window) > 0
    assert found.trained > found.drawn
    assert math.isclose(found.windows, (58 + 85 + 117) / 3)


def test_a_rule_that_underflows_is_measured_as_one_that_does_not():
    """Whether it fails depends on the pictures, and here they are random."""
    product = {"rule": "product", "arithmetic": "float32"}

    assert paper_cost._plain(configuration(resampling=product)).resampling.arithmetic == "log"


def h200(*arms, windows=100.0, **changes):
    """The paper's study on the only card that was measured."""
    (found,) = measured_gpus.expected(paper(*arms, **changes), windows)
    return found


def test_table_3_on_an_h200_takes_3_hours_and_21_minutes():
    """25 x 60 epochs of 3,663 steps of 2.10 ms, 118 ms of validation, 211 ms of what weights take.

    By hand: (7,692.3 + 118.0 + 211.0) ms x 1,500; 1,270 x 100 windows a run at 186,297 a second.
    """
    found = h200(*[DEBIASED] * 5).single

    by_hand = (7.6923 + 0.118 + 0.211) * 1_500 + 25 * 127_000 / 186_297
    assert math.isclose(found.seconds, by_hand, rel_tol=1e-3)
    assert math.isclose(found.validation, 0.118 * 1_500 / by_hand, rel_tol=1e-3)
    assert math.isclose(found.portraits, 17.04 / by_hand, rel_tol=1e-3)


def test_an_arm_that_draws_evenly_encodes_nothing():
    """211 ms less an epoch."""
    debiased, even = (h200(arm, replicates=1).single.seconds for arm in (DEBIASED, EVEN))

    assert math.isclose(debiased - even, 60 * 0.211, rel_tol=1e-2)


@pytest.mark.parametrize(
    ("arms", "replicates", "stacks"),
    [
        ([DEBIASED], 25, 1),
        ([DEBIASED] * 5, 5, 1),  # arms differ in how they are drawn
        ([DEBIASED], 24, 1),  # filled up with a copy
        ([DEBIASED], 30, 2),  # the second with 20 copies
        ([DEBIASED, {**DEBIASED, "kl": {"weight": 2.0}}], 5, 2),  # a stack for each shape
    ],
)
def test_a_stack_of_25_takes_as_long_with_fewer_runs(arms, replicates, stacks):
    """A step of 25 was measured, 5.68 ms in place of 2.10 for each run; 25 take 21 min, not 192."""
    found = h200(*arms, replicates=replicates)

    saved = 60 * 3_663 * (len(arms) * replicates * 2.10 - stacks * 5.68) / 1_000
    assert math.isclose(found.single.seconds - found.stacked.seconds, saved, rel_tol=1e-9)


def test_no_stack_is_told_of_runs_that_are_faster_singly():
    """Two steps of 2.10 ms are less than one of 5.68."""
    assert h200(DEBIASED, replicates=2).stacked is None


@pytest.mark.parametrize(
    ("batch", "takes"), [(24, 2.10), (256, 5.96), (1024, 16.29), (140, 4.03), (640, 11.125)]
)
def test_between_two_measured_sizes_a_step_lies_on_the_line(batch, takes):
    """140 is in the middle of 24 and 256, 640 of 256 and 1,024."""
    assert math.isclose(measured_gpus.milliseconds(batch, H200.steps["fp32"]), takes)


def test_it_is_told_between_which_sizes_a_batch_lies():
    """None for a size that was measured."""
    assert h200({**DEBIASED, "batch_size": 64}).between == {64: (24, 256)}
    assert h200(DEBIASED).between == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"batch_size": 23},
        {"batch_size": 1025},
        {"architecture": "mit2020"},
        {"model": "classifier", "resampling": {"rule": "none"}},
        {"latent_dim": 200},
        {"decoder_input": "faces"},
        {"objective": {"name": "lff"}},
        {"resampling": {"rule": "oracle", "parameters": {"labels": "true"}}},
    ],
    ids=str,
)
def test_nothing_is_told_of_what_was_not_measured(changes):
    """Five of ten runs; the whole study is not told, either."""
    found = h200(DEBIASED, {**DEBIASED, **changes})

    assert (found.single, found.stacked, found.unmeasured) == (None, None, 5)


def test_shares_of_evaluation_add_up():
    """Validation and portraits."""
    assert Expected(seconds=1.0, validation=0.25, portraits=0.5).evaluation == 0.75
