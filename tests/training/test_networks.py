"""A network of a plug-in: what is refused of it, and that it is trained as the others are."""

import re

import numpy as np
import pytest
import torch
from builders import configuration, training_images

from repro.plugins import plugin_module, plugin_text
from repro.plugins.plugin_errors import PluginError
from repro.study import methods
from repro.training import inference, networks, trainer
from repro.training.trainer import Fit

TEXT = """\
import torch
from torch import nn
from repro.plugins import Parameters, model

class Width(Parameters):
    width: int = 4

class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.parts = nn.Sequential(
            nn.Conv2d(3, width, 5, 8), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Flatten(), nn.Dropout(0.5), nn.Linear(64 * width, 1),
        )

    def forward(self, images):
        return self.parts(images)

@model("mine", parameters=Width)
def mine(parameters):
    return Net(parameters.width)
"""
RETURNS = "    return Net(parameters.width)\n"


def plugin_of(folder, text=TEXT):
    """The catalogue with the network of this text."""
    (folder / "mine.py").write_text(text)
    plugins = plugin_module.plugins_of(plugin_text.read(folder / "mine.py"))
    return methods.BUILT_IN.with_plugins(plugins)


def arm(**parameters):
    """An arm with the network of the text."""
    network = {"name": "mine", "parameters": {"width": 4} | parameters}
    return configuration(
        model="classifier", architecture=network, resampling={"rule": "none"}, epochs=3
    )


def bits(model):
    """All values of a network."""
    return {name: tensor.numpy().tobytes() for name, tensor in model.state_dict().items()}


def test_initial_weights_follow_from_the_seed_alone(tmp_path):
    """Whatever torch's own generator has drawn, which stays as it was."""
    catalogue = plugin_of(tmp_path)
    torch.manual_seed(1)
    first = networks.build(arm(), 7, catalogue)
    after = torch.rand(1)
    torch.manual_seed(1)
    alone = torch.rand(1)

    assert bits(first) == bits(networks.build(arm(), 7, catalogue))
    assert bits(first) != bits(networks.build(arm(), 8, catalogue))
    assert torch.equal(after, alone)


def test_parameters_reach_the_network(tmp_path):
    """As the study names them."""
    model = networks.build(arm(width=7), 0, plugin_of(tmp_path))

    assert model.state_dict()["encoder.module.made.parts.0.weight"].shape == (7, 3, 5, 5)


def test_its_logit_is_a_detectors(tmp_path):
    """Of (N, 1) or of (N,), as of a classifier of this program, and without latents."""
    images = torch.from_numpy(training_images(faces=3, others=2).images)
    made = networks.build(arm(), 0, plugin_of(tmp_path))
    flat = TEXT.replace("self.parts(images)", "self.parts(images).squeeze(1)")
    other = networks.build(arm(), 0, plugin_of(tmp_path, flat))
    encoding = inference.encode(made, images)

    assert encoding.logit.shape == (5,)
    assert encoding.latent_mean.shape == (5, 0)
    assert torch.equal(encoding.logit, inference.logits(made, images))
    assert torch.equal(encoding.logit, inference.logits(other, images))


def test_it_learns(tmp_path):
    """Noise that is brighter for faces."""
    choices = arm().model_copy(update={"epochs": 12, "learning_rate": 0.01})
    fitted = trainer.fit(choices, 0, training_images(), catalogue=plugin_of(tmp_path))

    assert fitted.history[-1]["val_accuracy"] == 1.0


def test_an_interrupted_training_goes_on_with_the_same_bits(tmp_path):
    """Also what it draws in training, for dropout."""
    catalogue, data = plugin_of(tmp_path), training_images()
    whole, begun = (Fit(arm(), 0, data, catalogue=catalogue) for _ in range(2))
    for _ in whole.epochs():
        pass
    next(begun.epochs())
    resumed = Fit(arm(), 0, data, resume=begun.state(), catalogue=catalogue)
    for _ in resumed.epochs():
        pass

    assert bits(resumed.fitted().model) == bits(whole.fitted().model)


def test_stored_statistics_stay_as_they_are(tmp_path):
    """Its batch normalisation obeys the setting as others do."""
    choices = arm().model_copy(update={"batch_norm": "stored"})
    fitted = trainer.fit(choices, 0, training_images(), catalogue=plugin_of(tmp_path))

    mean = fitted.model.state_dict()["encoder.module.made.parts.1.running_mean"]
    np.testing.assert_array_equal(mean, np.zeros(4))


REFUSED = {  # what is returned in place of the network, and what is said
    "no module": ("    return 3\n", "it returned int: return a torch.nn.Module"),
    "nothing to train": (
        "    return nn.Sequential(nn.AvgPool2d(64), nn.Flatten())\n",
        "its network has no parameter that can be trained",
    ),
    "other numbers": (
        "    return Net(4).double()\n",
        "the parameter parts.0.weight of its network is torch.float64 on cpu: make it in float32",
    ),
    "shared weights": (
        "    net = Net(4)\n    net.again = net.parts[0]\n    return net\n",
        "the state of its network cannot be stored: it must be tensors, each with values of its",
    ),
    "two logits": (
        "    return nn.Sequential(nn.Flatten(), nn.Linear(12288, 2))\n",
        "forward returned Tensor of shape (2, 2), torch.float32: return the logit of a face for",
    ),
    "NaN": (
        "    net = Net(4)\n    net.parts[5].bias.data[:] = float('nan')\n    return net\n",
        "the first logits of its network are not finite",
    ),
    "an exception": ("    return Net(1 // 0)\n", "mine.py:21: model mine: ZeroDivisionError"),
    "an exception in a step": (
        "    net = Net(4)\n    net.parts = None\n    net.w = nn.Linear(1, 1)\n    return net\n",
        "mine.py:17: model mine: TypeError: 'NoneType' object is not callable",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_trained_is_refused_before_training(tmp_path, case):
    """In a sentence with the plug-in's name and its file."""
    returned, said = REFUSED[case]
    catalogue = plugin_of(tmp_path, TEXT.replace(RETURNS, returned))

    with pytest.raises(PluginError, match=re.escape(said)) as refused:
        networks.build(arm(), 0, catalogue)
    assert "mine.py:" in str(refused.value)
    assert "model mine" in str(refused.value)
