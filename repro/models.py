"""Networks, by architecture name. Modules only: no loss, no data, no training.

Images are float, in [0, 1], shape (N, 3, 64, 64); D is the number of latents.
"""

import itertools
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from repro.kernels.linear import linear

CHANNELS = (3, 12, 24, 48, 72)  # de Haan et al. 2020, table 1
FEATURES = 72 * 4 * 4
HIDDEN = 1000
CONVOLUTIONAL = 12  # parts of the encoder's trunk before its hidden layer
HIDDEN_PARTS = 7  # parts of the decoder before its transposed convolutions

Layer = tuple[nn.Conv2d | nn.ConvTranspose2d, nn.BatchNorm2d]


class Linear(nn.Linear):
    """As torch's, multiplied by what is fastest on the device."""

    def forward(self, rows: Tensor) -> Tensor:
        """Shape (N, I) to (N, O)."""
        return linear(rows, self.weight, self.bias)


class Encoding(NamedTuple):
    """What the encoder says of each image.

    Attributes:
        logit: Shape (N,); 0 and above says face.
        latent_mean: Shape (N, D); D is 0 for the plain classifier.
        latent_logvar: Log of the variance, shape (N, D).
    """

    logit: Tensor
    latent_mean: Tensor
    latent_logvar: Tensor


class Encoder(nn.Module):
    """Four strided convolutions, one hidden layer, linear heads (de Haan et al. 2020, table 1).

    ReLU stands before batch normalisation, as in every public implementation.
    Weights start Xavier-uniform, as in the reproduction's code.
    """

    def __init__(self, latent_dim: int) -> None:
        """Build with `latent_dim` latents; 0 leaves the latent heads out."""
        super().__init__()
        convolutions = [
            layer
            for before, after in itertools.pairwise(CHANNELS)
            for layer in (
                nn.Conv2d(before, after, kernel_size=5, stride=2, padding=2),
                nn.ReLU(),
                nn.BatchNorm2d(after),
            )
        ]
        self.trunk = nn.Sequential(
            *convolutions,
            nn.Flatten(),
            Linear(FEATURES, HIDDEN),
            nn.ReLU(),
            nn.BatchNorm1d(HIDDEN),
        )
        self.logit = Linear(HIDDEN, 1)
        _start_xavier(self)  # before the latent heads, so that every model shares these weights
        self.latent_dim = latent_dim
        if latent_dim:
            self.latent_mean = Linear(HIDDEN, latent_dim)
            self.latent_logvar = Linear(HIDDEN, latent_dim)
            _start_xavier(self.latent_mean)
            _start_xavier(self.latent_logvar)

    @property
    def convolutions(self) -> list[Layer]:
        """The convolutions with their normalisations, a ReLU between the two of each."""
        return _layers(self.trunk)

    def forward(self, images: Tensor) -> Encoding:
        """Encode images."""
        return self.read(self.trunk[:CONVOLUTIONAL](images))

    def read(self, features: Tensor) -> Encoding:
        """The encoding that follows from what the convolutions made, shape (N, 72, 4, 4)."""
        hidden = self.trunk[CONVOLUTIONAL:](features)
        logit = self.logit(hidden).squeeze(1)
        if not self.latent_dim:
            nothing = hidden.new_empty(len(hidden), 0)
            return Encoding(logit, nothing, nothing)
        return Encoding(logit, self.latent_mean(hidden), self.latent_logvar(hidden))

    def read_logit(self, features: Tensor) -> Tensor:
        """The face logit alone, shape (N,)."""
        logit: Tensor = self.logit(self.trunk[CONVOLUTIONAL:](features)).squeeze(1)
        return logit

    def read_mean(self, features: Tensor) -> Tensor:
        """The posterior mean alone, shape (N, D)."""
        mean: Tensor = self.latent_mean(self.trunk[CONVOLUTIONAL:](features))
        return mean


def _layers(stack: nn.Sequential) -> list[Layer]:
    parts = list(stack)
    return [
        (part, after)
        for part, after in zip(parts, parts[2:], strict=False)
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d) and isinstance(after, nn.BatchNorm2d)
    ]


def _start_xavier(module: nn.Module) -> None:
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(part.weight)


class Decoder(nn.Module):
    """The encoder mirrored (de Haan et al. 2020, table 2).

    The table lists input channels; the outputs are 48, 24, 12 and 3. Output padding is 1 in all
    four layers, as in their code: with it in the last two alone the image would be 52 x 52.
    """

    def __init__(self, latent_dim: int) -> None:
        """Build for `latent_dim` latents."""
        super().__init__()
        layers: list[nn.Module] = [
            Linear(latent_dim, HIDDEN),
            nn.ReLU(),
            nn.BatchNorm1d(HIDDEN),
            Linear(HIDDEN, FEATURES),
            nn.ReLU(),
            nn.BatchNorm1d(FEATURES),
            nn.Unflatten(1, (72, 4, 4)),
        ]
        widths = CHANNELS[::-1]
        for before, after in itertools.pairwise(widths):
            layers.append(
                nn.ConvTranspose2d(before, after, 5, stride=2, padding=2, output_padding=1)
            )
            layers += [nn.ReLU(), nn.BatchNorm2d(after)] if after != 3 else [nn.Sigmoid()]
        self.layers = nn.Sequential(*layers)

    @property
    def convolutions(self) -> list[Layer]:
        """The transposed convolutions but the last, with their normalisations."""
        return _layers(self.layers)

    @property
    def last(self) -> nn.ConvTranspose2d:
        """The transposed convolution to three channels; a sigmoid follows."""
        last = self.layers[-2]
        assert isinstance(last, nn.ConvTranspose2d)
        return last

    def forward(self, latents: Tensor) -> Tensor:
        """Decode latents, shape (N, D), to images in [0, 1]."""
        images: Tensor = self.layers[HIDDEN_PARTS:](self.maps(latents))
        return images

    def maps(self, latents: Tensor) -> Tensor:
        """What the transposed convolutions start from, shape (N, 72, 4, 4)."""
        maps: Tensor = self.layers[:HIDDEN_PARTS](latents)
        return maps


class DebiasingVae(nn.Module):
    """The DB-VAE: a variational autoencoder whose encoder also classifies."""

    def __init__(self, latent_dim: int) -> None:
        """Build with `latent_dim` latents."""
        super().__init__()
        self.encoder = Encoder(latent_dim)
        self.decoder = Decoder(latent_dim)


class Classifier(nn.Module):
    """The encoder with its classification head alone: the original paper's "no debiasing"."""

    def __init__(self) -> None:
        """Build; there is no decoder."""
        super().__init__()
        self.encoder = Encoder(0)


Model = DebiasingVae | Classifier


def build(name: Literal["dehaan2020", "classifier"], *, latent_dim: int, seed: int) -> Model:
    """A freshly initialised network; the encoder's trunk is the same for all with one seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Classifier() if name == "classifier" else DebiasingVae(latent_dim)


def reparameterise(mean: Tensor, logvar: Tensor, noise: Tensor) -> Tensor:
    r"""Latents drawn from the posterior, :math:`\mu + e^{\lambda/2} \epsilon`, shape (N, D).

    Source: Amini & Soleimany et al. 2019, section 3; :math:`\lambda` is the log-variance.
    """
    return mean + torch.exp(0.5 * logvar) * noise
