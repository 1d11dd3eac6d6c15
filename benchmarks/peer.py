"""The frozen peer: DB-VAE training as the public implementations do it.

It is the A side of every comparison and is never improved: a DataLoader that turns one uint8 image
at a time into floats, a WeightedRandomSampler, the decoder for every image, Adam with its default
settings, NumPy's histogram one latent after the other, NumPy's draws batch by batch, one portrait
at a time at the test.
The network, the objective and the choices are the preset ``dehaan2020``, so that what is compared
is how a thing is computed and never what.
Written from the descriptions of the public implementations; nothing is copied from them.
"""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, WeightedRandomSampler

from repro import models

LATENTS = 100
ENCODE_BATCH = 1024


class Network(nn.Module):
    """De Haan et al.'s encoder and decoder by torch's own layers, parameters named as ours."""

    def __init__(self, state: dict[str, Tensor] | None = None) -> None:
        """Start as `repro` does, or from a state."""
        super().__init__()
        source = models.build("dehaan2020", latent_dim=LATENTS, seed=0)
        self.encoder, self.decoder = Encoder(), nn.Module()
        self.decoder.layers = nn.Sequential(
            *(nn.Linear(LATENTS, 1000), nn.ReLU(), nn.BatchNorm1d(1000)),
            *(nn.Linear(1000, 1152), nn.ReLU(), nn.BatchNorm1d(1152)),
            nn.Unflatten(1, (72, 4, 4)),
            *(transposed(72, 48), nn.ReLU(), nn.BatchNorm2d(48)),
            *(transposed(48, 24), nn.ReLU(), nn.BatchNorm2d(24)),
            *(transposed(24, 12), nn.ReLU(), nn.BatchNorm2d(12)),
            *(transposed(12, 3), nn.Sigmoid()),
        )
        self.load_state_dict(state or source.state_dict())


def transposed(before: int, after: int) -> nn.Module:
    """A layer that doubles the sides."""
    return nn.ConvTranspose2d(before, after, 5, stride=2, padding=2, output_padding=1)


class Encoder(nn.Module):
    """Four convolutions, one hidden layer, three heads."""

    def __init__(self) -> None:
        """Build."""
        super().__init__()
        self.trunk = nn.Sequential(
            *(nn.Conv2d(3, 12, 5, 2, 2), nn.ReLU(), nn.BatchNorm2d(12)),
            *(nn.Conv2d(12, 24, 5, 2, 2), nn.ReLU(), nn.BatchNorm2d(24)),
            *(nn.Conv2d(24, 48, 5, 2, 2), nn.ReLU(), nn.BatchNorm2d(48)),
            *(nn.Conv2d(48, 72, 5, 2, 2), nn.ReLU(), nn.BatchNorm2d(72)),
            *(nn.Flatten(), nn.Linear(1152, 1000), nn.ReLU(), nn.BatchNorm1d(1000)),
        )
        self.logit = nn.Linear(1000, 1)
        self.latent_mean, self.latent_logvar = nn.Linear(1000, LATENTS), nn.Linear(1000, LATENTS)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logit (N,), mean (N, D) and log-variance (N, D)."""
        hidden = self.trunk(images)
        return self.logit(hidden).squeeze(1), self.latent_mean(hidden), self.latent_logvar(hidden)


class Crops(Dataset[tuple[Tensor, Tensor]]):
    """Labelled crops, each made a float image when it is asked for."""

    def __init__(self, images: NDArray[np.uint8], is_face: NDArray[np.bool_]) -> None:
        """Hold uint8 (N, 64, 64, 3) and booleans (N,)."""
        self.images, self.labels = torch.from_numpy(images), torch.from_numpy(is_face).float()

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.images[index].permute(2, 0, 1).float().div(255), self.labels[index]


def terms(model: nn.Module, images: Tensor, labels: Tensor, noise: Tensor) -> Tensor:
    """The mean objective of a batch: every image is decoded and the non-faces' terms are masked."""
    logit, mean, logvar = model.encoder(images)
    classification = functional.binary_cross_entropy_with_logits(logit, labels, reduction="none")
    kl = 0.5 * (logvar.exp() + mean.pow(2) - 1 - logvar).sum(dim=1)
    decoded = model.decoder.layers(mean + torch.exp(0.5 * logvar) * noise)
    reconstruction = (images - decoded).pow(2).sum(dim=(1, 2, 3))
    return (classification + labels * (kl + reconstruction)).mean()


def step(
    model: nn.Module, optimiser: torch.optim.Optimizer, images: Tensor, labels: Tensor
) -> float:
    """One update; its loss."""
    noise = torch.randn(len(images), LATENTS)
    loss = terms(model, images, labels, noise)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return loss.item()


def encode(model: nn.Module, faces: Dataset[tuple[Tensor, Tensor]]) -> NDArray[np.float32]:
    """Posterior means of the faces, the whole encoder on batches from a loader."""
    model.eval()
    means = [
        model.encoder(images)[1].detach().numpy()
        for images, _ in DataLoader(faces, batch_size=ENCODE_BATCH)
    ]
    model.train()
    return np.concatenate(means)


def face_weights(latents: NDArray[np.floating], *, alpha: float, bins: int) -> NDArray[np.float64]:
    """The lab's running maximum over latents, with bins that sum to 1 (the reproduction)."""
    weights = np.zeros(len(latents))
    for latent in latents.T.astype(np.float64):
        counts, edges = np.histogram(latent, bins=bins)
        edges[0], edges[-1] = -np.inf, np.inf
        smoothed = counts / counts.sum() + alpha
        smoothed = smoothed / smoothed.sum()
        inverse = 1.0 / smoothed[np.digitize(latent, edges) - 1]
        weights = np.maximum(weights, inverse / inverse.sum())
    return weights / weights.sum()


def draw_batches(
    weights: NDArray[np.float64], others: int, *, steps: int, batch_size: int
) -> Iterator[NDArray[np.int64]]:
    """An epoch of half faces and half non-faces, drawn batch by batch as the lab does."""
    half = batch_size // 2
    for _ in range(steps):
        faces = np.random.choice(len(weights), size=half, replace=False, p=weights)  # noqa: NPY002
        rest = np.random.choice(others, size=batch_size - half, replace=False)  # noqa: NPY002
        yield np.concatenate([faces, len(weights) + rest])


class Peer:
    """A network in training."""

    def __init__(
        self,
        images: NDArray[np.uint8],
        is_face: NDArray[np.bool_],
        *,
        batch_size: int,
        learning_rate: float,
    ) -> None:
        """Start from fresh weights."""
        self.crops, self.is_face, self.batch_size = Crops(images, is_face), is_face, batch_size
        self.faces = Crops(images[is_face], is_face[is_face])
        self.model = Network()
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=learning_rate)

    def epoch(self) -> int:
        """Encode, weigh, draw and train; the number of images trained on."""
        weights = np.full(len(self.is_face), 0.5 / (~self.is_face).sum())
        means = encode(self.model, self.faces)
        weights[self.is_face] = 0.5 * face_weights(means, alpha=0.01, bins=10)
        sampler = WeightedRandomSampler(weights.tolist(), len(weights), replacement=True)
        loader = DataLoader(self.crops, batch_size=self.batch_size, sampler=sampler, drop_last=True)
        for images, labels in loader:
            step(self.model, self.optimiser, images, labels)
        return len(loader) * self.batch_size


def top_logit(
    model: nn.Module,
    portrait: NDArray[np.uint8],
    *,
    sizes: int = 5,
    smallest: float = 0.5,
    stride: float = 0.2,
) -> float:
    """One portrait: cut its windows one by one, resize each, look at all of them."""
    height, width, _ = portrait.shape
    patches = []
    for size in np.linspace(smallest * width, width, sizes).astype(int):
        pick = np.arange(64) * size // 64
        for top in range(0, height - size + 1, int(stride * size)):
            for left in range(0, width - size + 1, int(stride * size)):
                window = portrait[top : top + size, left : left + size]
                patch = window[pick][:, pick].astype(np.float32) / 255
                patches.append(torch.from_numpy(patch).permute(2, 0, 1))
    model.eval()
    with torch.no_grad():
        return float(model.encoder(torch.stack(patches))[0].max())
