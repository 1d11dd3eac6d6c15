import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from builders import configuration, training_images
from safetensors.torch import save

from repro.errors import ReproError, RunFailed
from repro.execution.executors import hardware
from repro.training import inference, trainer


def bits(fitted):
    tensors = save(trainer.checkpoint_tensors(fitted.model))
    return hashlib.sha256(tensors).hexdigest(), fitted.history


@pytest.fixture(scope="module")
def seed_1():
    """The bits of a run."""
    return bits(trainer.fit(configuration(), 1, training_images()))


@pytest.fixture(scope="module")
def four_epochs():
    """A run that is long enough to choose among its epochs; not to be changed."""
    return trainer.fit(configuration(epochs=4), 0, training_images())


def test_one_run_repeated_gives_the_same_bits(seed_1):
    """Checkpoint and history are a function of configuration, seed and data."""
    assert bits(trainer.fit(configuration(), 1, training_images())) == seed_1


def test_a_batch_larger_than_the_data_is_refused():
    """Instead of a network that was never trained."""
    with pytest.raises(ReproError, match="batch_size: 65 is more than the 64 images"):
        trainer.require_enough(configuration(batch_size=65), training_images())


def test_another_seed_gives_other_bits(seed_1):
    """The seed reaches initial weights, split, batches and noise."""
    assert bits(trainer.fit(configuration(), 2, training_images()))[0] != seed_1[0]


def test_the_first_epoch_is_the_same_in_every_arm_of_the_reproduction():
    """Arms are paired by seed: before the first resampling they cannot differ."""
    data = training_images()
    first = [
        trainer.fit(configuration(epochs=1, resampling=rule), 0, data).history[0]
        for rule in ({"rule": "none"}, {"alpha": 0.1}, {"rule": "product"})
    ]

    assert first[0] == first[1] == first[2]


def test_resampling_starts_with_the_second_epoch(four_epochs):
    """The reproduction draws its first epoch evenly: all faces count alike."""
    history = four_epochs.history

    assert history[0]["ess_share"] == 1.0
    assert history[1]["ess_share"] < 1.0


def test_the_original_algorithm_resamples_from_the_first_epoch():
    """Algorithm 1 has no special case for the untrained encoder."""
    arm = configuration(epochs=1, resampling={"first_epoch": "resampled"})

    assert trainer.fit(arm, 0, training_images()).history[0]["ess_share"] < 1.0


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "classifier", "resampling": {"rule": "none"}},
        {"decoder_input": "faces"},
        {"reconstruction": {"norm": "l1", "reduction": "mean"}},
        {"resampling": {"latents": "sample", "replacement": "without", "balance": "exact"}},
        {"resampling": {"rule": "none", "uniform_epochs": "draw"}},
        {"resampling": {"rule": "product"}},
        {"resampling": {"rule": "top5", "density": "density"}},
        {"checkpoint": "last"},
        {"architecture": "mit2019", "reconstruction": {"norm": "l1"}},
        {"architecture": "mit2020", "decoder_input": "faces", "precision": "bf16"},
        {"architecture": "fijen2020", "batch_size": 32},
        {"latent_noise": "variance", "batch_norm": "stored", "indicator": "swapped"},
        {"resampling": {"pixels": "raw", "channels": "reversed", "alpha": 0.0}},
        {"architecture": "mit2019", "model": "classifier", "resampling": {"rule": "none"}},
    ],
    ids=str,
)
def test_every_choice_trains(changes):
    """Each named choice ends with finite numbers."""
    fitted = trainer.fit(configuration(**changes), 0, training_images(faces=20, others=20))

    assert all(np.isfinite(value) for epoch in fitted.history for value in epoch.values())


def test_which_images_the_decoder_sees_makes_another_function():
    """Batch normalisation in the decoder tells all images from faces alone."""
    data = training_images()
    seen = [
        trainer.fit(configuration(epochs=1, decoder_input=which), 0, data).history[0]
        for which in ("all", "faces")
    ]

    assert seen[0]["train_reconstruction"] != seen[1]["train_reconstruction"]


def test_the_float32_product_ends_as_a_failed_run():
    """Equation 4 as first written down: the epoch, the term and the underflow are named."""
    arm = configuration(resampling={"rule": "product", "arithmetic": "float32"})

    with pytest.raises(RunFailed, match="epoch 2: resampling weights: underflow"):
        trainer.fit(arm, 0, training_images())


def test_a_loss_that_is_no_number_ends_the_run():
    """A learning rate that blows the network up is a failed run with epoch and term."""
    with pytest.raises(RunFailed) as failure:
        trainer.fit(configuration(learning_rate=1e30, epochs=3), 0, training_images())

    assert failure.value.term in {"kl", "reconstruction", "classification", "latents", "loss"} or (
        failure.value.term.startswith(("encoder", "decoder"))
    )


def test_the_best_validation_epoch_wins_and_ties_go_to_the_latest(four_epochs):
    """As in the reproduction's code: at least as good replaces."""
    accuracies = [epoch["val_accuracy"] for epoch in four_epochs.history]
    latest_best = max(range(4), key=lambda i: (accuracies[i], i)) + 1

    assert four_epochs.best_epoch == latest_best


def test_the_checkpoint_is_the_network_that_was_validated(four_epochs):
    """Accuracy of the returned network on the held-out images is the history's."""
    data, held_out = training_images(), four_epochs.split.validation

    positive = inference.logits(four_epochs.model, torch.from_numpy(data.images[held_out])) >= 0
    accuracy = float((positive.numpy() == data.is_face[held_out]).mean())
    best = four_epochs.history[four_epochs.best_epoch - 1]

    assert accuracy == pytest.approx(best["val_accuracy"])


def test_encoding_restores_the_training_mode():
    """A function that switches a mode switches it back."""
    model = trainer.fit(configuration(epochs=1), 0, training_images()).model.train()
    inference.encode(model, torch.zeros(2, 64, 64, 3, dtype=torch.uint8))

    assert model.training


def test_the_number_of_threads_in_a_runs_identity_is_the_workers():
    """Parent and worker agree without the parent loading torch."""
    assert hardware.THREADS == trainer.THREADS == torch.get_num_threads()


def test_stored_statistics_stay_what_they_were():
    """With `batch_norm` stored, means stay 0 and variances 1, and the loss still falls."""
    fitted = trainer.fit(configuration(batch_norm="stored", epochs=3), 0, training_images())
    state = fitted.model.state_dict()
    losses = [epoch["train_loss"] for epoch in fitted.history]

    assert not any(v.any() for name, v in state.items() if name.endswith("running_mean"))
    assert all((v == 1).all() for name, v in state.items() if name.endswith("running_var"))
    assert losses[2] < losses[0]


def test_nothing_teaches_nonfaces_where_the_indicator_is_swapped():
    """The lab's defect: a non-face's pixels have no part in the classification's gradient."""
    data = training_images()
    other = replace(data, images=data.images.copy())
    other.images[~data.is_face] = 255 - other.images[~data.is_face]
    arm = configuration(
        indicator="swapped",
        epochs=1,
        batch_norm="stored",
        kl={"weight": 0.0},
        reconstruction={"weight": 0.0},
    )

    first, second = (trainer.fit(arm, 0, images).model.state_dict() for images in (data, other))

    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize(
    "defect", [{"pixels": "raw"}, {"channels": "reversed"}], ids=["raw pixels", "reversed channels"]
)
def test_what_the_density_sees_is_not_what_training_sees(defect, monkeypatch):
    """Densities are computed from 255 times, or the mirror image in colour, of each pixel."""
    seen = []

    def means(model, images, index, *, white):
        seen.append((images.clone(), white))
        return torch.zeros(len(index), 100).normal_(generator=torch.Generator().manual_seed(0))

    monkeypatch.setattr(inference, "latent_means", means)
    data = training_images()
    arm = configuration(epochs=1, resampling={"first_epoch": "resampled", **defect})
    trainer.fit(arm, 0, data)

    images, white = seen[0]
    mirrored = data.images[..., ::-1] if "channels" in defect else data.images
    assert white == (255.0 if "pixels" in defect else 1.0)
    assert (images.numpy() == mirrored).all()
