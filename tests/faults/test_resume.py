"""R5: a run that goes on from the state after any of its epochs ends with a straight run's bits.

Bits are those of the network, the history, the sampling weights and the choice of the epoch.
"""

import hashlib

import pytest
import torch
from builders import configuration, execute, needs_pairs, training_images
from safetensors.torch import save

from faults import studies
from faults.disks import Killed
from repro.records import checkpoint_store, records
from repro.training import state_files, trainer
from repro.training.kernels import c_library
from repro.training.state_files import Checkpoint
from repro.training.trainer import Fit

SAMPLED = {"latents": "sample", "replacement": "without", "balance": "exact"}
ARMS = {
    "largest latent": {"resampling": {"alpha": 0.01}},
    "sampled latents": {"resampling": {"rule": "product", "alpha": 0.1, **SAMPLED}},
    "weighted loss": {"resampling": {"rule": "as_loss", "parameters": {"by": "max"}}},
    "classifier": {"model": "classifier", "resampling": {"rule": "none"}},
}
RULES = ("last", "best_val_accuracy")
WAYS = [(arm, rule) for arm in ARMS if arm != "weighted loss" for rule in RULES]


def bits(fitted):
    """All that must be the same."""
    network = save(trainer.checkpoint_tensors(fitted.model))
    weights = {epoch: one.tobytes() for epoch, one in fitted.epoch_weights.items()}
    return hashlib.sha256(network).hexdigest(), fitted.history, weights, fitted.best_epoch


def straight(arm, data, results):
    """The bits of a run, whose state after each epoch is left on the disk."""
    run = Fit(arm, 1, data)
    for _ in run.epochs():
        if run.goes_on:
            state = run.state()
            key = f"after-{state.epoch}"
            checkpoint_store.keep(state_files.pack(Checkpoint(state, 1.0), key), key, results)
    return bits(run.fitted())


def resumed(arm, data, state):
    """The bits of a run that goes on from a state."""
    run = Fit(arm, 1, data, resume=state)
    assert len(list(run.epochs())) == arm.epochs - state.epoch
    return bits(run.fitted())


def check_every_epoch(arm, results, tally):
    """Stop after each epoch, and go on from what is on the disk; the epoch that was chosen."""
    data = training_images(faces=24, others=24)
    whole = straight(arm, data, results)
    assert whole == bits(trainer.fit(arm, 1, data))  # to look at a state changes nothing
    for epoch in range(1, arm.epochs):
        kept = state_files.unpack(checkpoint_store.latest(f"after-{epoch}", results))
        tally.faults += 1
        tally.wrong += resumed(arm, data, kept.state) != whole

    assert tally.wrong == 0
    return whole[-1]


@pytest.fixture
def place():
    """A folder where nothing waits for a disk."""
    with studies.folder() as folder:
        yield folder


@pytest.mark.parametrize(("arm", "rule"), [*WAYS, ("weighted loss", "worst_class")])
def test_a_run_goes_on_after_any_epoch(arm, rule, place, tally, amount):
    """Ways to draw and to weight, ways to choose the epoch."""
    epochs = amount(3, 6)
    arm = configuration(epochs=epochs, checkpoint=rule, learning_rate=0.003, **ARMS[arm])
    chosen = check_every_epoch(arm, place, tally)

    assert chosen == epochs or rule != "last"


def test_the_best_epoch_may_be_one_before_the_interruption(place, tally, monkeypatch):
    """The network that is kept is then not the one that goes on."""

    def worse(fit):
        return {"val_accuracy": 1 / (1 + len(fit.history))}

    monkeypatch.setattr(trainer.Fit, "_validated", worse)

    assert check_every_epoch(configuration(epochs=3), place, tally) == 1


def test_a_checkpoint_without_the_weights_of_all_epochs_is_not_used(place, tally):
    """As of an earlier release: its run starts again, and keeps them all."""
    arm, data = configuration(**ARMS["largest latent"]), training_images(faces=24, others=24)
    run = Fit(arm, 1, data)
    next(run.epochs())
    state = run.state()
    state.tensors["face_weights"] = torch.full((19,), 1 / 19, dtype=torch.float64)
    tally.faults += 1

    with pytest.raises(LookupError, match="earlier release"):
        Fit(arm, 1, data, resume=state)


@needs_pairs
def test_a_run_in_half_precision_goes_on(place, tally):
    """Its state is in full precision, as its weights are."""
    check_every_epoch(configuration(epochs=2, precision="bf16"), place, tally)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_run_on_torchs_kernels_goes_on(precision, monkeypatch, place, tally):
    """They hold the network in another memory layout, which decides the last bits."""
    monkeypatch.setenv(c_library.CHOICE, "torch")

    check_every_epoch(configuration(epochs=2, precision=precision), place, tally)


def test_a_worker_that_is_gone_between_two_epochs_costs_no_bits(place, tally, draws):
    """Killed after every epoch in turn, at last all at once; the record says where it went on."""
    wanted, _ = studies.reference()
    for task in draws(studies.plan(studies.toy(place), place / "results").tasks, 1):
        task = studies.replace(task, checkpoint_seconds=0.0)
        for last in range(1, task.configuration.epochs + 1):
            with pytest.raises(Killed):
                execute(task, on_epoch=killing_after(last))
            tally.faults += 1
        execute(task)
        record = records.read_record(task.key, task.results)
        tally.wrong += studies.evidence(place / "results")[task.key] != wanted[task.key]

        assert record.provenance["went_on_after_epoch"] == task.configuration.epochs - 1
    assert tally.wrong == 0


def killing_after(last):
    """What a run tells its epochs, and is killed by."""

    def on_epoch(epoch, _):
        if epoch["epoch"] >= last:
            raise Killed

    return on_epoch
