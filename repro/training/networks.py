"""The network of a run: one of this program, or that of a plug-in."""

from typing import Any

import torch
from torch import Tensor, nn

from repro import models
from repro.errors import ReproError
from repro.models import Classified, Classifier, Encoder, Encoding, Model
from repro.plugins import calls
from repro.plugins.catalogue import Catalogue
from repro.plugins.declared import Plugin
from repro.study import methods
from repro.study.configuration import Configuration


def build(choices: Configuration, seed: int, catalogue: Catalogue = methods.BUILT_IN) -> Model:
    """The untrained network of an arm.

    Args:
        choices: The arm.
        seed: Of the initial weights.
        catalogue: Where the network is found: the built-in ones, or with plug-ins.

    Raises:
        ReproError: It is not there.
        PluginError: It is a plug-in's, and cannot be made or trained.
    """
    name = choices.used["model"]
    plugin = catalogue.find("model", name)
    if plugin is None:
        raise ReproError(f"architecture: there is no network {name!r}")
    if plugin.origin is None:
        return models.build(name, latent_dim=choices.latents, seed=seed)
    given = choices.architecture
    parameters = {} if isinstance(given, str) else given.parameters
    return OwnClassifier(plugin, parameters, seed)


def keep_statistics(model: torch.nn.Module) -> None:
    """Use stored statistics in batch normalisation, as in evaluation, without updates."""
    for part in model.modules():
        if hasattr(part, "running_mean"):  # of one network, or of stacked ones
            part.eval()


class OwnClassifier(Classifier):
    """A detector of a plug-in's module, which gives a logit of each image."""

    def __init__(self, plugin: Plugin, parameters: dict[str, Any], seed: int) -> None:
        """Make the module; what it draws from torch's generator follows from the seed.

        Raises:
            PluginError: It cannot be made, or is no module.
        """
        nn.Module.__init__(self)
        self.encoder = _OwnEncoder(plugin, parameters, seed)

    def forward(self, images: Tensor) -> Classified:
        """Classify images in [0, 1], shape (N, 3, 64, 64)."""
        return Classified(self.encoder.logit_from_features(self.encoder.convolutions(images)))


class _OwnEncoder(Encoder):
    """The module in the place of an encoder: its output is the logit."""

    def __init__(self, plugin: Plugin, parameters: dict[str, Any], seed: int) -> None:
        nn.Module.__init__(self)
        with calls.own_code(plugin):
            torch.manual_seed(seed)
            made = plugin.function(plugin.typed(parameters))
        _require_trainable(made, plugin)
        self.module = _Guarded(plugin, made.train(), seed)
        self._try()

    def _try(self) -> None:
        """Two images in evaluation mode, which changes nothing of the network."""
        images = torch.linspace(0, 1, 2 * torch.Size(models.IMAGE).numel())
        self.module.eval()
        with torch.no_grad():
            logit = self.module(images.view(2, *models.IMAGE))
        self.module.train()
        if not torch.isfinite(logit).all():
            raise calls.refuse(self.module.plugin, "the first logits of its network are not finite")

    @property
    def convolutions(self) -> nn.Sequential:
        """All of it."""
        return nn.Sequential(self.module)

    def from_features(self, features: Tensor) -> Encoding:
        """The logit, and no latents."""
        logit = self.logit_from_features(features)
        nothing = logit.new_empty(len(logit), 0)
        return Encoding(logit, nothing, nothing)

    def logit_from_features(self, features: Tensor) -> Tensor:
        """The logit, shape (N,)."""
        return features.squeeze(1) if features.ndim == 2 else features


def _require_trainable(made: object, plugin: Plugin) -> None:
    """Refuse what Adam cannot train, or a checkpoint cannot hold."""
    if not isinstance(made, nn.Module):
        raise calls.refuse(plugin, f"it returned {calls.described(made)}: return a torch.nn.Module")
    parameters = dict(made.named_parameters(remove_duplicate=False))
    if not any(one.requires_grad for one in parameters.values()):
        raise calls.refuse(plugin, "its network has no parameter that can be trained")
    for name, one in parameters.items():
        if one.dtype != torch.float32 or one.device.type != "cpu":
            raise calls.refuse(
                plugin,
                f"the parameter {name} of its network is {one.dtype} on {one.device}: make it in "
                "float32 on the CPU, from where it is moved to the device of the run",
            )
    state = made.state_dict()
    places = [one.data_ptr() for one in state.values() if isinstance(one, Tensor) and one.numel()]
    if not all(isinstance(one, Tensor) for one in state.values()) or len({*places}) < len(places):
        raise calls.refuse(
            plugin,
            "the state of its network cannot be stored: it must be tensors, each with values of "
            "its own",
        )


class _Guarded(nn.Module):
    """A module of a plug-in whose errors are told as its own, and whose output is checked.

    What it draws in training (dropout) follows from the seed and the number of its calls, which is
    kept with its weights, so that an interrupted run goes on with the same bits.
    """

    count: Tensor

    def __init__(self, plugin: Plugin, made: nn.Module, seed: int) -> None:
        super().__init__()
        self.plugin, self.made, self.seed = plugin, made, seed
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    def forward(self, images: Tensor) -> Tensor:
        """Logits, shape (N,) or (N, 1)."""
        with calls.own_code(self.plugin):
            if self.training:
                self.count += 1
                torch.manual_seed((self.seed + int(self.count)) % 2**63)
            logit = self.made(images)
        self._require(logit, len(images))
        found: Tensor = logit
        return found

    def _require(self, logit: Any, count: int) -> None:
        is_tensor = isinstance(logit, Tensor) and logit.dtype in (torch.float32, torch.bfloat16)
        if not is_tensor or logit.shape not in ((count,), (count, 1)):
            raise calls.refuse(
                self.plugin,
                f"forward returned {calls.described(logit)}: return the logit of a face for each "
                f"image, float32 of shape ({count},) or ({count}, 1)",
            )
