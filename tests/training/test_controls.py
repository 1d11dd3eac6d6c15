"""Arms that are controls of other arms, trained: what must be equal to the bit."""

import numpy as np
import pytest
from builders import configuration, training_images
from safetensors.torch import save

from repro.data.pictures.images import TrainingImages
from repro.records import epoch_weights
from repro.records.records import EPOCH_WEIGHTS, MODEL
from repro.records.task import Source
from repro.study import methods
from repro.training import state_files, trainer
from repro.training.rules import density, placebo
from repro.training.state_files import Checkpoint
from repro.training.trainer import Fit

EPOCHS = 3
LASTING = "log_weight_correlation"
ARM = {"rule": "max", "alpha": 0.01}


@pytest.fixture(scope="module")
def data():
    """Noise, with groups of which one is rare."""
    plain = training_images()
    groups = ["a"] * 30 + ["b"] * 10 + [""] * 40
    return TrainingImages(plain.images, plain.is_face, tuple(groups))


def choices(rule, parameters=None, **changes):
    """A configuration with this rule; its parameters are filled in as a study file's are."""
    plugin = methods.BUILT_IN.find("rule", rule)
    own = {"rule": rule, "parameters": plugin.filled(parameters or {})}
    resampling = ARM | changes.pop("resampling", {}) | own
    return configuration(epochs=EPOCHS, resampling=resampling, **changes)


def trained(data, rule, parameters=None, *, of=None, seed=0, **changes):
    """A run with this rule."""
    made = choices(rule, parameters, **changes)
    run = Fit(made, seed, data, source=of)
    for _ in run.epochs():
        pass
    return run.fitted()


@pytest.fixture(scope="module")
def arm(data):
    """A run that resamples by rarity."""
    return trained(data, "max")


def as_source(fitted):
    """A run as the source of another."""
    files = {
        MODEL: save(trainer.checkpoint_tensors(fitted.model)),
        EPOCH_WEIGHTS: epoch_weights.pack(fitted.epoch_weights),
    }
    return Source(key="k-seed0", arm="x", digest="k", configuration=choices("max"), files=files)


@pytest.fixture(scope="module")
def dealt(data, arm):
    """The placebo of that run."""
    return trained(data, "placebo", of=as_source(arm))


@pytest.fixture(scope="module")
def even(data):
    """A run that draws all alike."""
    return trained(data, "none")


def network(fitted):
    """Its bits."""
    return save(trainer.checkpoint_tensors(fitted.model))


def test_the_identity_permutation_gives_the_arm_back_bit_for_bit(data, arm, monkeypatch):
    """Weights, batches, network and history: nothing but the permutation makes a placebo."""
    monkeypatch.setattr(placebo, "permutation", lambda count, random, groups=None: np.arange(count))
    replayed = trained(data, "placebo", of=as_source(arm))

    assert network(replayed) == network(arm)
    assert [{n: v for n, v in epoch.items() if n != LASTING} for epoch in replayed.history] == [
        *arm.history
    ]


@pytest.mark.parametrize("parameters", [{"within": "groups"}, {"permutation": "epoch"}])
def test_a_placebo_has_the_arms_weights_in_every_epoch_on_other_faces(data, arm, dealt, parameters):
    """Sorted they are equal to the bit, and so is the effective sample size; even epochs too."""
    for one in (dealt, trained(data, "placebo", parameters, of=as_source(arm))):
        check_dealt(one, arm)


def check_dealt(dealt, arm):
    """The same weights in each epoch, on other faces."""
    assert list(dealt.epoch_weights) == list(arm.epoch_weights) == [2, 3]
    for epoch, weights in arm.epoch_weights.items():
        assert np.array_equal(np.sort(dealt.epoch_weights[epoch]), np.sort(weights))
        assert not np.array_equal(dealt.epoch_weights[epoch], weights)
    assert [e["largest_weight"] for e in dealt.history] == [
        e["largest_weight"] for e in arm.history
    ]


def test_the_permutation_has_a_stream_of_its_own(arm, dealt):
    """The first epoch, which is even, is the arm's: no draw before it moved another."""
    assert dealt.history[0] == arm.history[0]


def test_even_weights_of_the_loss_are_the_even_arm_to_the_bit(data, even, monkeypatch):
    """A factor of exactly 1 for every face."""
    monkeypatch.setattr(
        density, "of_latents", lambda latents, *_: np.full(len(latents), 1 / len(latents))
    )
    weighted = trained(data, "as_loss")

    assert network(weighted) == network(even)
    for theirs, ours in zip(even.history, weighted.history, strict=True):
        assert {name: ours[name] for name in theirs if name != "ess"} == {
            name: value for name, value in theirs.items() if name != "ess"
        }


def test_weights_of_the_loss_change_no_draw_but_the_network(data, even):
    """The first epoch is even; from the second on faces count by their factor."""
    weighted = trained(data, "as_loss")

    assert network(weighted) != network(even)
    for name in even.history[0]:
        assert weighted.history[0][name] == even.history[0][name]
    factors = [epoch["largest_loss_weight"] for epoch in weighted.history]
    assert factors[0] == 1
    assert factors[1] == pytest.approx(32 * weighted.epoch_weights[2].max(), rel=1e-6)


def test_subsampled_faces_are_the_same_in_all_epochs(data):
    """Each group is cut to the smaller one once a run; the epochs have as many updates as ever."""
    fitted = trained(data, "subg")
    kept = [np.flatnonzero(weights) for weights in fitted.epoch_weights.values()]

    assert len(kept) == EPOCHS
    assert all(np.array_equal(kept[0], one) for one in kept)
    smaller = min(
        np.unique(
            [data.groups[i] for i in fitted.split.train if data.groups[i]], return_counts=True
        )[1]
    )
    assert len(kept[0]) == 2 * smaller


def test_a_classifier_can_be_balanced_by_groups(data):
    """The rule needs no latents."""
    fitted = trained(data, "oracle", model="classifier")

    assert fitted.history[0]["ess_share"] < 1


def test_only_a_run_that_selects_by_the_worst_class_notes_it(data, even):
    """Records of other runs stay as they were."""
    worst = trained(data, "none", checkpoint="worst_class")

    assert "val_worst_class" not in even.history[0]
    values = [epoch["val_worst_class"] for epoch in worst.history]
    assert worst.best_epoch == max(range(EPOCHS), key=lambda e: (values[e], e)) + 1
    accuracies = [[epoch["val_accuracy"] for epoch in one.history] for one in (even, worst)]
    assert accuracies[0] == accuracies[1]


def test_a_lasting_placebo_favours_its_faces_as_long_as_the_arm_does(arm, dealt):
    """The correlation of log p between neighbouring epochs is the arm's own."""
    own = placebo.persistence(arm.epoch_weights[2], arm.epoch_weights[3])

    assert dealt.history[-1][LASTING] == pytest.approx(own, abs=1e-12)


@pytest.mark.parametrize(
    ("rule", "parameters"),
    [("placebo", {"permutation": "epoch"}), ("as_loss", {}), ("subg", {})],
)
def test_a_resumed_control_ends_with_the_bits_of_a_straight_one(data, arm, rule, parameters):
    """Streams come from the seed, so that the state needs no more than the weights so far."""
    of = as_source(arm) if rule == "placebo" else None
    straight = Fit(choices(rule, parameters), 0, data, source=of)
    epochs = straight.epochs()
    next(epochs), next(epochs)
    kept = state_files.unpack(state_files.pack(Checkpoint(straight.state(), 1.0), "k"))
    resumed = Fit(choices(rule, parameters), 0, data, source=of, resume=kept.state)
    next(epochs), next(resumed.epochs())
    first, second = straight.fitted(), resumed.fitted()

    assert network(first) == network(second)
    assert list(first.epoch_weights) == list(second.epoch_weights)
    for epoch, weights in first.epoch_weights.items():
        assert np.array_equal(weights, second.epoch_weights[epoch])
