import numpy as np
import pytest
import torch
from builders import configuration, training_images
from safetensors.torch import save

from repro import models
from repro.errors import ReproError
from repro.records import epoch_weights
from repro.records.records import EPOCH_WEIGHTS, MODEL, WEIGHTS
from repro.records.task import Source
from repro.training import inference, trainer
from repro.training.source_run import SourceRun

IMAGES = training_images()


def weights_of(*numbers):
    """Probabilities of the 32 training faces, the first ones given."""
    rest = (1 - sum(numbers)) / (32 - len(numbers))
    return np.array([*numbers, *[rest] * (32 - len(numbers))])


def run_with(files, **changes):
    """A source run with these files, on the images of seed 0."""
    split = trainer.split_images(IMAGES.is_face, share=0.2, seed=0)
    is_face = IMAGES.is_face[split.train]
    source = Source(
        key="k-seed0", arm="x", digest="k", configuration=configuration(**changes), files=files
    )
    faces, nonfaces = (torch.from_numpy(split.train[chosen]) for chosen in (is_face, ~is_face))
    return SourceRun(source, torch.from_numpy(IMAGES.images), faces=faces, nonfaces=nonfaces)


@pytest.fixture(scope="module")
def fitted():
    """A network of one epoch."""
    return trainer.fit(configuration(epochs=1), 0, IMAGES)


@pytest.fixture(scope="module")
def of_network(fitted):
    """The source run with that network."""
    return run_with({MODEL: save(trainer.checkpoint_tensors(fitted.model))})


def test_weights_come_back_epoch_by_epoch():
    """To the bit, and None for an epoch in which all faces were drawn alike."""
    second, third = weights_of(0.3), weights_of(0.1, 0.2)
    run = run_with({EPOCH_WEIGHTS: epoch_weights.pack({2: second, 3: third}), WEIGHTS: b""})

    assert run.weights(1) is None
    np.testing.assert_array_equal(run.weights(2), second)
    np.testing.assert_array_equal(run.weights(3), third)


def test_an_arm_that_never_resampled_drew_evenly():
    """It has no file of weights at all."""
    assert run_with({}).weights(1) is None


def test_a_run_of_an_earlier_release_says_what_to_do():
    """It kept the last epoch's weights alone."""
    with pytest.raises(ReproError, match=r"k-seed0 .*earlier release.*move its folder"):
        run_with({WEIGHTS: b"something"}).weights(1)


def test_weights_of_other_faces_are_refused():
    """Their number is that of this run's training faces."""
    run = run_with({EPOCH_WEIGHTS: epoch_weights.pack({1: np.full(5, 0.2)})})

    with pytest.raises(ReproError, match="epoch 1: 5 weights, and 32 training faces"):
        run.weights(1)


def test_logits_are_those_of_its_network_on_the_training_images(fitted, of_network):
    """Faces and others, each in the order of the split."""
    train = fitted.split.train
    every = inference.logits(
        fitted.model, torch.from_numpy(IMAGES.images), torch.from_numpy(train)
    ).numpy()

    is_face = IMAGES.is_face[train]
    np.testing.assert_allclose(of_network.logits_of_faces(), every[is_face], rtol=1e-5)
    np.testing.assert_allclose(of_network.logits_of_nonfaces(), every[~is_face], rtol=1e-5)


def test_latents_are_posterior_means_of_the_training_faces(fitted, of_network):
    """One row for each face."""
    faces = torch.from_numpy(fitted.split.train[IMAGES.is_face[fitted.split.train]])
    means = inference.latent_means(fitted.model, torch.from_numpy(IMAGES.images), faces)

    np.testing.assert_array_equal(of_network.latents(), means.numpy())


def test_a_network_is_a_copy(fitted, of_network):
    """Changing it changes nobody else's."""
    state = of_network.network()
    next(iter(state.values())).zero_()

    for name, tensor in of_network.network().items():
        assert torch.equal(tensor, fitted.model.state_dict()[name])


def test_a_classifier_has_no_latents():
    """The sentence says so."""
    classifier = configuration(model="classifier", resampling={"rule": "none"}, epochs=1)
    model = models.build(classifier.architecture, latent_dim=0, seed=0)
    run = run_with(
        {MODEL: save(trainer.checkpoint_tensors(model))},
        model="classifier",
        resampling={"rule": "none"},
    )

    with pytest.raises(ReproError, match="classifier, which has no latents"):
        run.latents()


def test_a_network_of_another_size_is_refused(fitted):
    """As of a configuration that another release understood otherwise."""
    run = run_with({MODEL: save(trainer.checkpoint_tensors(fitted.model))}, latent_dim=3)

    with pytest.raises(ReproError, match="its network is another one"):
        run.latents()
