"""Rivals of resampling, trained: what they change, what they leave, and that runs go on."""

import numpy as np
import pytest
import torch
from builders import configuration, training_images
from safetensors.torch import save

from repro.data.pictures.images import TrainingImages
from repro.errors import ReproError, RunFailed
from repro.plugins.declared import Origin, Plugin
from repro.plugins.plugin_errors import PluginError
from repro.records.records import MODEL
from repro.records.task import Source
from repro.study import methods
from repro.training import batched, inference, state_files, trainer
from repro.training.batched import Member
from repro.training.state_files import Checkpoint
from repro.training.trainer import Fit

EPOCHS = 2
FAST = {"fits": 2, "strengths": [1.0, 0.3]}  # of DFR


@pytest.fixture(scope="module")
def data():
    """Noise, with groups of which one is rare."""
    plain = training_images()
    groups = ["a"] * 30 + ["b"] * 10 + [""] * 40
    return TrainingImages(plain.images, plain.is_face, tuple(groups))


def choices(name="standard", catalogue=methods.BUILT_IN, given=None, **changes):
    """A configuration with this objective; its parameters are filled in as a study file's are."""
    parameters = catalogue.find("objective", name).filled(given or {})
    changes = {"epochs": EPOCHS, "checkpoint": "last", "validation_share": 0.4, **changes}
    return configuration(objective={"name": name, "parameters": parameters}, **changes)


def run(data, name="standard", given=None, *, of=None, catalogue=methods.BUILT_IN, **changes):
    """A run with this objective, trained."""
    made = Fit(choices(name, catalogue, given, **changes), 0, data, source=of, catalogue=catalogue)
    for _ in made.epochs():
        pass
    return made.fitted()


def network(fitted):
    """Its bits."""
    return save(trainer.checkpoint_tensors(fitted.model))


@pytest.fixture(scope="module")
def standard(data):
    """A run with the papers' loss."""
    return run(data)


def as_source(fitted):
    """A run as the source of another."""
    return Source(
        key="k-seed0",
        arm="x",
        digest="k",
        configuration=choices(),
        files={MODEL: network(fitted)},
    )


def own(made, needs=(), **declared):
    """A catalogue with a plug-in's objective of the name `own`."""
    origin = Origin("own.py", "0" * 32, root=__file__, shown=__file__)
    plugin = Plugin(kind="objective", name="own", make=made, needs=needs, origin=origin, **declared)
    return methods.BUILT_IN.with_plugins([plugin])


def test_a_plugin_that_is_declared_without_epochs_has_none(data):
    """As DFR, it is only asked at the end."""

    class Ends:
        def __init__(self, context):
            pass

        def finish(self):
            return {"asked": 1}

    fitted = run(data, "own", catalogue=own(Ends, trains=False))

    assert (fitted.history, fitted.numbers) == ((), {"objective/asked": 1.0})


def test_what_a_plugin_writes_into_is_its_own_runs_alone(data):
    """Runs of one process share the images and their labels."""
    before = TrainingImages(data.images.copy(), data.is_face.copy(), data.groups)

    class Writing:
        def __init__(self, context):
            context.images.zero_()
            context.is_face.fill_(value=True)
            context.train.zero_()

        def weights(self, batch):
            batch.images.zero_()

    run(data, "own", catalogue=own(Writing), epochs=1)

    np.testing.assert_array_equal(data.images, before.images)
    np.testing.assert_array_equal(data.is_face, before.is_face)


def test_a_plugin_finds_the_gradients_of_the_step_before(data):
    """Of every parameter of the network that it is given, from the second step on."""
    without = []

    class Reading:
        def __init__(self, context):
            self.model = context.model

        def weights(self, batch):
            without.append([n for n, p in self.model.named_parameters() if p.grad is None])

    run(data, "own", catalogue=own(Reading), epochs=1)

    assert len(without) > 1
    assert not any(without[1:])


@pytest.mark.parametrize("name", ["group_dro", "lff"])
def test_a_run_that_goes_on_from_a_checkpoint_ends_with_equal_bits(data, name):
    """All that an objective remembers is in the state: weights of groups, the second network."""
    whole = Fit(choices(name, epochs=3), 0, data)
    epochs = whole.epochs()
    next(epochs)
    kept = state_files.pack(Checkpoint(whole.state(), 0.0), "k")
    state = state_files.unpack(kept).state
    list(epochs)

    resumed = Fit(choices(name, epochs=3), 0, data, resume=state)
    list(resumed.epochs())

    assert resumed.history == whole.history
    assert network(resumed.fitted()) == network(whole.fitted())


@pytest.mark.parametrize("terms", ["classification", "all"])
def test_group_dro_raises_the_weight_of_the_group_with_the_larger_loss(data, terms):
    """Its weights are printed by epoch and sum to 1; what is reported is not weighted."""
    fitted = run(data, "group_dro", {"step_size": 1.0, "terms": terms})
    for epoch in fitted.history:
        weights = [epoch["objective/q/a"], epoch["objective/q/b"]]
        assert sum(weights) == pytest.approx(1)
        assert weights[0] != weights[1]
        assert epoch["objective/loss"] != epoch["train_loss"]


def test_lff_reports_the_mean_difficulty_of_each_class_and_group(data):
    """In [0, 1], with the groups of the data."""
    fitted = run(data, "lff")
    names = {"faces", "nonfaces", "a", "b"}
    for epoch in fitted.history:
        found = {n: epoch[f"objective/mean_w/{n}"] for n in names}
        assert all(0 < value < 1 for value in found.values())


def test_lff_needs_no_groups():
    """It only prints by them."""
    fitted = run(training_images(), "lff", epochs=1)
    assert "objective/mean_w/faces" in fitted.history[0]


@pytest.mark.parametrize("name", ["group_dro", "dfr"])
def test_an_objective_that_needs_groups_and_finds_none_is_refused(name, standard):
    """Before anything is trained."""
    with pytest.raises(ReproError, match=f"{name} needs the group of each face, and 40 of 40"):
        Fit(choices(name), 0, training_images(), source=as_source(standard))


def test_dfr_changes_the_layer_of_the_logit_and_nothing_else(data, standard):
    """There are no epochs; the record says how many held-out faces there were."""
    fitted = run(data, "dfr", FAST, of=as_source(standard))

    assert fitted.history == ()
    before, after = standard.model.state_dict(), fitted.model.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"encoder.logit.weight", "encoder.logit.bias"}
    groups = np.array(data.groups)[fitted.split.validation]
    for name in ("a", "b"):
        assert fitted.numbers[f"objective/held_out/{name}"] == (groups == name).sum()
    assert 0 < fitted.numbers["objective/features_used"] <= 1000


def test_dfr_sees_held_out_images_alone(data, standard):
    """Other training images and other labels of them give the same layer."""
    source = as_source(standard)
    fitted = run(data, "dfr", FAST, of=source)
    images, groups = data.images.copy(), list(data.groups)
    for place in fitted.split.train:
        images[place] = 0
        groups[place] = "a" if data.is_face[place] else ""
    other = run(TrainingImages(images, data.is_face, tuple(groups)), "dfr", FAST, of=source)
    assert network(other) == network(fitted)


def test_dfr_separates_the_classes_on_held_out_images(data, standard):
    """The folded layer is that of the standardised features: bright faces are found."""
    fitted = run(data, "dfr", FAST, of=as_source(standard))
    held_out = fitted.split.validation
    logits = inference.logits(fitted.model, torch.from_numpy(data.images[held_out]))
    assert ((logits >= 0).numpy() == data.is_face[held_out]).mean() > 0.8


def test_dfr_without_a_feature_is_a_failed_run(data, standard):
    """A constant logit is no detector."""
    with pytest.raises(RunFailed, match=r"no feature is left at C = 0\.001, the best of"):
        run(data, "dfr", {"strengths": [0.001]}, of=as_source(standard))


def test_dfr_names_a_group_of_which_too_few_faces_are_held_out(data, standard):
    """Two to fit and two to score at least."""
    groups = ["a"] * 39 + ["c"] + [""] * 40
    few = TrainingImages(data.images, data.is_face, tuple(groups))
    with pytest.raises(ReproError, match="of the group c are held out: it needs 4"):
        Fit(choices("dfr"), 0, few, source=as_source(standard))


def test_dfr_refuses_another_network(data, standard):
    """Its layers would not fit."""
    with pytest.raises(ReproError, match="the network of k-seed0 is another one"):
        Fit(choices("dfr", architecture="mit2019"), 0, data, source=as_source(standard))


class Flat(torch.nn.Sequential):
    """A plug-in's network: one layer."""

    def __init__(self, parameters):
        """Without parameters."""
        super().__init__(torch.nn.Flatten(), torch.nn.Linear(12_288, 1))


def flat():
    """A catalogue with a plug-in's network of the name `flat`."""
    origin = Origin("flat.py", "0" * 32, root=__file__, shown=__file__)
    return methods.BUILT_IN.with_plugins(
        [Plugin(kind="model", name="flat", make=Flat, origin=origin)]
    )


OWN_NETWORK = {
    "model": "classifier",
    "architecture": {"name": "flat"},
    "resampling": {"rule": "none"},
}


def test_dfr_refuses_a_network_whose_last_layer_is_not_known(data, standard):
    """That of a plug-in."""
    with pytest.raises(ReproError, match="of the network flat it is not known"):
        run(data, "dfr", of=as_source(standard), catalogue=flat(), **OWN_NETWORK)


def test_the_second_network_of_lff_is_that_of_the_run(data):
    """A plug-in's, too; its biased copy is trained with statistics that are stored, if they are."""
    fitted = run(data, "lff", catalogue=flat(), epochs=1, **OWN_NETWORK)
    assert 0 < fitted.history[0]["objective/mean_w/faces"] < 1
    stored = run(data, "lff", epochs=1, batch_norm="stored")
    batch = run(data, "lff", epochs=1)
    assert stored.history[0] != batch.history[0]


class Ones:
    """Weights of 1; a second network is trained, and random numbers are drawn."""

    def __init__(self, context):
        """Start."""
        self.context, self.network = context, context.new_classifier()

    def weights(self, batch):
        """All 1."""
        torch.rand(3), np.random.rand(3)  # noqa: NPY002 - the streams of others
        self.network(batch.pixels()).logit.sum().backward()
        return torch.ones_like(batch.classification)


def test_an_objective_of_ones_is_the_standard_one_to_the_bit(data, standard):
    """Nothing else that a plug-in does enters the run."""
    fitted = run(data, "own", catalogue=own(Ones))
    assert network(fitted) == network(standard)
    added = {"objective/loss"}
    assert [{k: v for k, v in e.items() if k not in added} for e in fitted.history] == [
        *standard.history
    ]


class Focal:
    """Focal loss in place of cross-entropy, with a number of its own, kept in checkpoints."""

    def __init__(self, context):
        """Start."""
        self.steps = torch.zeros(1)

    def loss(self, batch):
        """Of each image."""
        self.steps += 1
        return (1 - torch.exp(-batch.classification)) ** 2 * batch.classification

    def epoch_ended(self):
        """Of the epoch."""
        return {"steps": float(self.steps)}

    def state(self):
        """For a checkpoint."""
        return {"steps": self.steps}

    def restore(self, state):
        """Go on."""
        self.steps.copy_(state["steps"])

    def finish(self):
        """Of the run."""
        return {"steps": float(self.steps)}


def test_a_plug_in_replaces_the_loss_and_its_numbers_are_kept(data, standard):
    """A class that is no subclass of ours, with methods of the contract alone."""
    fitted = run(data, "own", catalogue=own(Focal))
    steps = len(fitted.split.train) // 16
    assert [e["objective/steps"] for e in fitted.history] == [steps, 2 * steps]
    assert fitted.numbers == {"objective/steps": 2 * steps}
    assert network(fitted) != network(standard)


def test_a_plug_in_goes_on_from_its_state(data):
    """By the same way as the built-in ones."""
    catalogue = own(Focal)
    first = Fit(choices("own", catalogue), 0, data, catalogue=catalogue)
    next(first.epochs())
    resumed = Fit(choices("own", catalogue), 0, data, resume=first.state(), catalogue=catalogue)
    (epoch,) = resumed.epochs()
    assert epoch["objective/steps"] == 2 * (len(first.split.train) // 16)


def weighing(make):
    """A class whose weights are made from a batch."""
    return type("Weighing", (), {"__init__": lambda s, c: None, "weights": lambda s, b: make(b)})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda batch: torch.ones(3), r"weights returned Tensor of shape \(3,\), torch.float32"),
        (lambda batch: batch.classification.double(), "torch.float64: return a number for each"),
        (lambda batch: [1.0] * 16, "weights returned list: return a number for each image"),
        (lambda batch: -torch.ones(16), "48 weights of epoch 1 are below 0 or not finite"),
        (lambda batch: torch.full((16,), torch.nan), "16 weights of epoch 1 are below 0 or not"),
        (lambda batch: 1 / 0, "test_objectives.py:[0-9]+: objective own: ZeroDivisionError"),
    ],
)
def test_weights_that_cannot_be_used_are_told_with_the_name(data, make, message):
    """Another shape, type or sign, no number, or an exception."""
    catalogue = own(weighing(make))
    with pytest.raises((PluginError, RunFailed), match=message):
        run(data, "own", catalogue=catalogue)


class Endless(Focal):
    """A loss that is not finite."""

    def loss(self, batch):
        """Of each image."""
        return batch.classification * torch.inf


def test_a_loss_that_is_not_finite_ends_the_run(data):
    """As a term of the papers' loss would."""
    with pytest.raises(RunFailed, match="objective own: 16 losses of the epoch are not finite"):
        run(data, "own", catalogue=own(Endless))


class Both(Ones, Focal):
    """Two ways at once."""


class NoNumber(Focal):
    """A number of the epoch that is none."""

    def epoch_ended(self):
        """Of the epoch."""
        return {"steps": float("nan")}


class MeanLoss(Focal):
    """A number of the epoch that the program has."""

    def epoch_ended(self):
        """Of the epoch."""
        return {"loss": 1.0}


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (Both, "it defines loss and weights: define one of them"),
        (NoNumber, "epoch_ended returned {'steps': nan}: return finite numbers by name"),
        (MeanLoss, "epoch_ended returned a number 'loss', which is the mean loss"),
    ],
)
def test_a_class_against_the_contract_is_refused(data, made, message):
    """With what to do."""
    with pytest.raises(PluginError, match=message):
        run(data, "own", catalogue=own(made))


def test_runs_with_an_objective_cannot_be_stacked(data):
    """Each follows its own network."""
    with pytest.raises(ReproError, match=r"objective\.name: lff follows one network"):
        batched.require_one_shape([Member(choices("lff"), 0), Member(choices("lff"), 1)])
