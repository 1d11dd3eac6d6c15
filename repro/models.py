"""Networks, by architecture name. Modules only: no loss, no data, no training.

Images are float, in [0, 1], shape (N, 3, 64, 64); D is the number of latents.
In every architecture the activation comes before batch normalisation.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from repro.argument_checks import arrays, tensors
from repro.losses import formulas
from repro.training.kernels.hidden import can_be_one, hidden
from repro.training.kernels.linear import linear

IMAGE = (3, 64, 64)


class Convolution(NamedTuple):
    """A strided convolution, or the transposed one of a decoder."""

    channels: int  # output channels
    kernel: int
    stride: int
    padding: int
    output_padding: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """A network of the literature.

    Attributes:
        encoder: Its convolutions, each with an activation and batch normalisation.
        features: Shape of their output.
        hidden: Width of the encoder's hidden layer; 0 without one.
        hidden_normalised: Whether batch normalisation follows it.
        heads_rectified: Whether means and log-variances pass through a ReLU.
        deviation: Output of the second latent head: the log-variance, or the standard deviation
            before softplus.
        decoder_hidden: Widths of the decoder's hidden layers; the last is that of `features`.
        decoder: Its transposed convolutions.
        decoder_normalised: Whether batch normalisation follows hidden layers and convolutions.
        output: What follows the last transposed convolution.
        slope: Of the activation below 0; 0 is a ReLU.
        start: Initial weights: Xavier-uniform in the encoder; or Keras's defaults everywhere, also
            for batch normalisation; or torch's defaults.
    """

    encoder: tuple[Convolution, ...]
    features: tuple[int, int, int]
    hidden: int
    hidden_normalised: bool
    heads_rectified: bool = False
    deviation: Literal["logvar", "softplus"] = "logvar"
    decoder_hidden: tuple[int, ...]
    decoder: tuple[Convolution, ...]
    decoder_normalised: tuple[bool, bool]
    output: Literal["sigmoid", "relu", "linear"]
    slope: float = 0.0
    start: Literal["xavier", "keras", "torch"]

    def activation(self) -> nn.Module:
        """Between a layer and its normalisation."""
        return nn.LeakyReLU(self.slope) if self.slope else nn.ReLU()

    def norm(self, kind: type[nn.BatchNorm1d] | type[nn.BatchNorm2d], width: int) -> nn.Module:
        """Batch normalisation with the framework's settings."""
        return kind(width, eps=1e-3, momentum=0.01) if self.start == "keras" else kind(width)


def _strided(channels: tuple[int, ...], kernels: tuple[int, ...]) -> tuple[Convolution, ...]:
    """Convolutions that halve the sides, edges padded evenly."""
    pairs = zip(channels, kernels, strict=True)
    return tuple(Convolution(width, kernel, 2, kernel // 2) for width, kernel in pairs)


def _doubling(channels: tuple[int, ...], kernels: tuple[int, ...]) -> tuple[Convolution, ...]:
    """Transposed convolutions that double the sides."""
    return tuple(one._replace(output_padding=1) for one in _strided(channels, kernels))


_MIT2020 = Architecture(
    encoder=_strided((12, 24, 48, 72), (5, 5, 3, 3)),
    features=(72, 4, 4),
    hidden=512,
    hidden_normalised=False,
    decoder_hidden=(1152,),
    decoder=_doubling((48, 24, 12, 3), (3, 3, 5, 5)),
    decoder_normalised=(False, False),
    output="relu",
    start="keras",
)
ARCHITECTURES: dict[str, Architecture] = {
    # de Haan et al. 2020, tables 1 and 2. Table 2 lists input channels: the outputs are 48, 24, 12
    # and 3. Output padding is 1 in all four layers, as in their code: in the last two
    # only, as in their text, it would give an image of 52 x 52.
    "dehaan2020": Architecture(
        encoder=_strided((12, 24, 48, 72), (5, 5, 5, 5)),
        features=(72, 4, 4),
        hidden=1000,
        hidden_normalised=True,
        decoder_hidden=(1000, 1152),
        decoder=_doubling((48, 24, 12, 3), (5, 5, 5, 5)),
        decoder_normalised=(True, True),
        output="sigmoid",
        start="xavier",
    ),
    # The MIT lab of 2019: no hidden layer, latents through a ReLU.
    "mit2019": Architecture(
        encoder=(*_strided((12, 24, 48), (5, 5, 3)), Convolution(72, 3, 1, 1)),
        features=(72, 8, 8),
        hidden=0,
        hidden_normalised=False,
        heads_rectified=True,
        decoder_hidden=(4608,),
        decoder=(Convolution(48, 3, 1, 1), *_doubling((24, 12, 3), (3, 5, 5))),
        decoder_normalised=(False, True),
        output="relu",
        start="keras",
    ),
    # The lab from 2020 on. TensorFlow pads one pixel more on the right and below, torch evenly.
    "mit2020": _MIT2020,
    # The lab in PyTorch: the same network with torch's defaults and a linear last layer.
    "mit2024": replace(_MIT2020, output="linear", start="torch"),
    # Fijen et al. 2020 (FacialDebiasing): nothing is padded, 64 -> 30 -> 13 -> 5 -> 1.
    "fijen2020": Architecture(
        encoder=tuple(Convolution(width, 5, 2, 0) for width in (64, 128, 256, 512)),
        features=(512, 1, 1),
        hidden=1000,
        hidden_normalised=False,
        deviation="softplus",
        decoder_hidden=(1000, 512),
        decoder=(
            *(Convolution(width, 5, 2, 0) for width in (256, 128)),
            *(Convolution(width, 5, 2, 0, 1) for width in (64, 3)),
        ),
        decoder_normalised=(False, True),
        output="sigmoid",
        slope=0.01,
        start="torch",
    ),
}


class Linear(nn.Linear):
    """As torch's, with the fastest kernel of the device."""

    def forward(self, rows: Tensor) -> Tensor:
        """Shape (N, I) to (N, O)."""
        return linear(rows, self.weight, self.bias)


class Encoding(NamedTuple):
    """Output of the encoder.

    Attributes:
        logit: Shape (N,); 0 or more means face.
        latent_mean: Shape (N, D); D is 0 for the plain classifier.
        latent_logvar: Log of the variance, shape (N, D).
    """

    logit: Tensor
    latent_mean: Tensor
    latent_logvar: Tensor


class Encoder(nn.Module):
    """Convolutions, perhaps a hidden layer, and heads: one logit and two for the latents."""

    def __init__(self, architecture: Architecture, latent_dim: int) -> None:
        """Build with `latent_dim` latents; 0 leaves the latent heads out."""
        super().__init__()
        self.architecture, self.latent_dim = architecture, latent_dim
        parts = _convolutions(architecture)
        self.depth = len(parts)  # parts of the trunk before it is flattened
        width = torch.Size(architecture.features).numel()
        parts.append(nn.Flatten())
        if architecture.hidden:
            parts += _hidden(
                architecture, width, architecture.hidden, architecture.hidden_normalised
            )
            width = architecture.hidden
        self.trunk = nn.Sequential(*parts)
        self.logit = Linear(width, 1)
        _start(self, architecture)  # before the latent heads: every model shares these weights
        if latent_dim:
            self.latent_mean = Linear(width, latent_dim)
            self.latent_logvar = Linear(width, latent_dim)
            _start(self.latent_mean, architecture)
            _start(self.latent_logvar, architecture)

    @property
    def convolutions(self) -> nn.Sequential:
        """The layers before the hidden layer."""
        return nn.Sequential(*list(self.trunk)[: self.depth])

    def forward(self, images: Tensor) -> Encoding:
        """Encode images."""
        return self.from_features(self.convolutions(images))

    def from_features(self, features: Tensor) -> Encoding:
        """The encoding of the output of the convolutions, shape (N, C, h, w)."""
        hidden = self.hidden_from_features(features)
        logit = self.logit(hidden).squeeze(1)
        if not self.latent_dim:
            nothing = hidden.new_empty(len(hidden), 0)
            return Encoding(logit, nothing, nothing)
        return Encoding(logit, self._mean(hidden), self._logvar(hidden))

    def logit_from_features(self, features: Tensor) -> Tensor:
        """Only the face logit, shape (N,)."""
        logit: Tensor = self.logit(self.hidden_from_features(features)).squeeze(1)
        return logit

    def hidden_from_features(self, features: Tensor) -> Tensor:
        """What the heads read, shape (N, H)."""
        return _through(list(self.trunk)[self.depth :], features)

    def mean_from_features(self, features: Tensor) -> Tensor:
        """Only the posterior mean, shape (N, D)."""
        return self._mean(self.hidden_from_features(features))

    def _mean(self, hidden: Tensor) -> Tensor:
        mean: Tensor = self.latent_mean(hidden)
        return mean.relu() if self.architecture.heads_rectified else mean

    def _logvar(self, hidden: Tensor) -> Tensor:
        made: Tensor = self.latent_logvar(hidden)
        if self.architecture.heads_rectified:
            return made.relu()
        return made if self.architecture.deviation == "logvar" else 2 * softplus(made).log()


def _through(parts: Sequence[nn.Module], values: Tensor) -> Tensor:
    """As `torch.nn.Sequential`, hidden layers with what follows them in one."""
    at = 0
    while at < len(parts):
        if can_be_one(values, parts[at : at + 3]):
            values = hidden(values, parts[at], parts[at + 2])  # type: ignore[arg-type]
            at += 3
        else:
            values = parts[at](values)
            at += 1
    return values


def _convolutions(architecture: Architecture) -> list[nn.Module]:
    parts: list[nn.Module] = []
    before = IMAGE[0]
    for channels, kernel, stride, padding, _ in architecture.encoder:
        parts += [
            nn.Conv2d(before, channels, kernel, stride=stride, padding=padding),
            architecture.activation(),
            architecture.norm(nn.BatchNorm2d, channels),
        ]
        before = channels
    return parts


def _hidden(
    architecture: Architecture, before: int, width: int, normalised: bool
) -> list[nn.Module]:
    parts = [Linear(before, width), architecture.activation()]
    return [*parts, architecture.norm(nn.BatchNorm1d, width)] if normalised else parts


def _start(module: nn.Module, architecture: Architecture) -> None:
    """Set initial weights that are not torch's defaults."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            if architecture.start != "torch":
                nn.init.xavier_uniform_(part.weight)
            if architecture.start == "keras" and part.bias is not None:
                nn.init.zeros_(part.bias)


class Decoder(nn.Module):
    """Hidden layers and transposed convolutions, back to an image."""

    def __init__(self, architecture: Architecture, latent_dim: int) -> None:
        """Build for `latent_dim` latents."""
        super().__init__()
        hidden_normalised, normalised = architecture.decoder_normalised
        parts: list[nn.Module] = []
        before = latent_dim
        for width in architecture.decoder_hidden:
            parts += _hidden(architecture, before, width, hidden_normalised)
            before = width
        parts.append(nn.Unflatten(1, architecture.features))
        self.depth = len(parts)  # parts before the transposed convolutions
        before = architecture.features[0]
        for channels, kernel, stride, padding, output_padding in architecture.decoder:
            parts.append(
                nn.ConvTranspose2d(before, channels, kernel, stride, padding, output_padding)
            )
            if channels != IMAGE[0]:
                parts.append(architecture.activation())
                parts += [architecture.norm(nn.BatchNorm2d, channels)] if normalised else []
            before = channels
        parts.append(_OUTPUTS[architecture.output]())
        self.layers = nn.Sequential(*parts)
        if architecture.start == "keras":
            _start(self, architecture)

    @property
    def convolutions(self) -> nn.Sequential:
        """The transposed convolutions and the output activation."""
        return nn.Sequential(*list(self.layers)[self.depth :])

    def forward(self, latents: Tensor) -> Tensor:
        """Decode latents, shape (N, D), to images; in [0, 1] where the last layer is a sigmoid."""
        images: Tensor = self.convolutions(self.maps(latents))
        return images

    def maps(self, latents: Tensor) -> Tensor:
        """Input of the transposed convolutions, shape (N, C, h, w)."""
        return _through(list(self.layers)[: self.depth], latents)


_OUTPUTS: dict[str, type[nn.Module]] = {
    "sigmoid": nn.Sigmoid,
    "relu": nn.ReLU,
    "linear": nn.Identity,
}


class Classified(NamedTuple):
    """Output of the classifier.

    Attributes:
        logit: Shape (N,); 0 or more means face, its sigmoid is the probability of a face.
    """

    logit: Tensor


class Reconstructed(NamedTuple):
    """Output of the DB-VAE.

    Attributes:
        logit: Shape (N,); 0 or more means face, its sigmoid is the probability of a face.
        mean: Posterior mean of the latents, shape (N, D).
        logvar: Log of the posterior variance, shape (N, D). Not log sigma.
        reconstruction: The decoded latents, shape (N, 3, 64, 64).
    """

    logit: Tensor
    mean: Tensor
    logvar: Tensor
    reconstruction: Tensor


class DebiasingVae(nn.Module):
    """The DB-VAE: a variational autoencoder whose encoder also classifies."""

    def __init__(self, architecture: Architecture, latent_dim: int) -> None:
        """Build with `latent_dim` latents."""
        super().__init__()
        self.encoder = Encoder(architecture, latent_dim)
        self.decoder = Decoder(architecture, latent_dim)

    def forward(self, images: Tensor, noise: Tensor | None = None) -> Reconstructed:
        """Classify, encode and decode images.

        Args:
            images: In [0, 1], floating point, shape (N, 3, 64, 64).
            noise: Standard normal, shape (N, D). None: in training mode it is sampled from torch's
                global generator; in evaluation mode the posterior mean is decoded, so the same
                images give the same bits.

        Returns:
            Logit, mean, logvar and reconstruction.

        Raises:
            TypeError: The images are not a floating-point tensor.
            ValueError: The images or the noise have another shape.
        """
        _require_images(images)
        logit, mean, logvar = self.encoder(images)
        if noise is None and self.training:
            noise = torch.randn_like(mean)
        if noise is None:
            latents = mean
        else:
            tensors.floating(2, mean=mean, noise=noise)
            latents = formulas.reparameterise(mean, logvar, noise)
        return Reconstructed(logit, mean, logvar, self.decoder(latents))


class Classifier(nn.Module):
    """The encoder with only its classification head: the original paper's "no debiasing"."""

    def __init__(self, architecture: Architecture) -> None:
        """Build; there is no decoder."""
        super().__init__()
        self.encoder = Encoder(architecture, 0)

    def forward(self, images: Tensor) -> Classified:
        """Classify images.

        Args:
            images: In [0, 1], floating point, shape (N, 3, 64, 64).

        Raises:
            TypeError: The images are not a floating-point tensor.
            ValueError: The images have another shape.
        """
        _require_images(images)
        return Classified(self.encoder(images).logit)


def _require_images(images: Tensor) -> None:
    tensors.floating(4, images=images)
    if tuple(images.shape[1:]) != IMAGE:
        raise ValueError(f"images must have shape (N, 3, 64, 64), not {tuple(images.shape)}")


Model = DebiasingVae | Classifier


def build(name: str, *, latent_dim: int, seed: int) -> Model:
    """A freshly initialised network; the encoder's trunk is the same for all with one seed.

    Like every module of torch it has ``train``, ``eval``, ``to`` and ``state_dict``.
    ``model(images)`` gives `Reconstructed`, a named tuple of ``logit`` (N,), ``mean`` (N, D),
    ``logvar`` (N, D) and ``reconstruction`` (N, 3, 64, 64); the classifier gives `Classified`,
    which has only ``logit``.

    Args:
        name: One of `ARCHITECTURES`.
        latent_dim: Number of latents D; 0 is the plain classifier.
        seed: Of the initial weights, 0 to 2^64 - 1.

    Returns:
        A network in training mode, on the CPU, in float32.

    Raises:
        TypeError: `latent_dim` or `seed` is not an integer.
        ValueError: An unknown name; `latent_dim` or `seed` out of range.
    """
    arrays.word("name", name, ARCHITECTURES)
    latent_dim = arrays.whole("latent_dim", latent_dim, 0)
    seed = arrays.whole("seed", seed, 0, 2**64 - 1)
    architecture = ARCHITECTURES[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return DebiasingVae(architecture, latent_dim) if latent_dim else Classifier(architecture)


def reparameterise(
    mean: Tensor, logvar: Tensor, noise: Tensor, *, times: Literal["std", "variance"] = "std"
) -> Tensor:
    r"""Latents sampled from the posterior, :math:`\mu + e^{\lambda/2} \epsilon`.

    Source: Amini & Soleimany et al. 2019, section 3; :math:`\lambda` is the log-variance.

    Args:
        mean: Posterior mean, shape (N, D), finite.
        logvar: Posterior log-variance, shape (N, D), finite. Not log sigma.
        noise: Standard normal, shape (N, D), finite.
        times: What multiplies the noise: the standard deviation, or, as in MIT's PyTorch lab,
            the variance :math:`e^\lambda`, which is inconsistent with the KL term.

    Returns:
        Shape (N, D).

    Raises:
        TypeError: An operand is not a floating-point tensor.
        ValueError: An unknown word; the shapes differ, or are not (N, D); a value is not finite.
    """
    arrays.word("times", times, formulas.NOISES)
    tensors.finite(2, mean=mean, logvar=logvar, noise=noise)
    return formulas.reparameterise(mean, logvar, noise, times=times)
