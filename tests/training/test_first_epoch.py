import hashlib

import pytest
from builders import configuration, training_images
from safetensors.torch import save

from repro.training import trainer
from repro.training.first_epoch import Memory
from repro.training.trainer import Fit

RESAMPLED = {"alpha": 0.1}


def trained(memory, *, seed=1, beginning="as named", **choices):
    """A run of the first of two epochs from the memory, if it has it, and whether it had it."""
    first = memory.of(f"{beginning}, seed {seed}") if memory is not None else None
    fit = Fit(configuration(epochs=2, **choices), seed, training_images(), first=first)
    histories = tuple(fit.epochs())
    fitted = fit.fitted()
    tensors = save(trainer.checkpoint_tensors(fitted.model))
    return (hashlib.sha256(tensors).hexdigest(), histories), first and first.is_taken_over


@pytest.fixture(scope="module")
def alone():
    """The bits of a resampled run that trains both epochs itself."""
    return trained(None, resampling=RESAMPLED)[0]


def test_a_run_that_takes_over_its_first_epoch_has_the_bits_of_one_that_trains_it(alone):
    """An arm without resampling trains it; the second one goes on from there, and so a third."""
    memory = Memory()
    assert trained(memory, resampling={"rule": "none"})[1] is False

    assert trained(memory, resampling=RESAMPLED) == (alone, True)
    assert trained(memory, resampling=RESAMPLED) == (alone, True)


@pytest.mark.parametrize("other", [{"seed": 2}, {"beginning": "another"}])
def test_the_epoch_of_another_seed_or_beginning_is_not_taken_over(alone, other):
    """Then the run trains its own."""
    memory = Memory()
    trained(memory, resampling={"rule": "none"}, **other)

    assert trained(memory, resampling=RESAMPLED) == (alone, False)


def test_other_draws_are_not_taken_over():
    """Arms whose even epochs are drawn in another way have other batches."""
    memory = Memory()
    trained(memory, resampling={**RESAMPLED, "uniform_epochs": "draw"})

    assert trained(memory, resampling=RESAMPLED)[1] is False


def test_a_first_epoch_that_is_resampled_is_each_runs_own():
    """Its draws follow the arm, so that there is nothing to share."""
    memory = Memory()
    first = {**RESAMPLED, "first_epoch": "resampled"}
    found = [trained(memory, resampling=first) for _ in range(2)]

    assert found[0] == found[1]
    assert found[1][1] is False


def test_a_weighted_loss_is_each_runs_own():
    """Its steps differ from those on the same batches with equal weights."""
    memory = Memory()
    trained(memory, resampling={"rule": "none"})

    weighted = {**RESAMPLED, "rule": "as_loss"}
    assert trained(memory, resampling=weighted)[1] is False
