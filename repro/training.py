"""One run: (configuration, seed, images) -> fitted network and history.

The same configuration, seed, images and machine give the same bits: one thread, named random
streams, deterministic kernels. Nothing is read or written here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from repro import inference, losses, models, resampling, streams
from repro.configuration import Configuration
from repro.data.sets import TrainingImages
from repro.errors import RunFailed
from repro.models import DebiasingVae, Model

THREADS = 1  # part of a result's identity: another number of threads gives other bits
TERMS = ("loss", "classification", "kl", "reconstruction", "correct")

Epoch = dict[str, float]


@dataclass(frozen=True, slots=True)
class Split:
    """Indices of the training and the validation images."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Fitted:
    """What training leaves.

    Attributes:
        model: The network at the declared checkpoint.
        history: One mapping per epoch: terms per image, accuracies, ESS, largest weight.
        best_epoch: Epoch of the checkpoint, counted from 1.
        split: Which images were held out.
        weights: Probabilities of the training faces in the last resampled epoch, or None.
    """

    model: Model
    history: tuple[Epoch, ...]
    best_epoch: int
    split: Split
    weights: NDArray[np.float64] | None


def make_deterministic() -> None:
    """Settings of this process without which bits would differ between runs."""
    torch.set_num_threads(THREADS)
    torch.use_deterministic_algorithms(True)
    # Every buffer here is written before it is read; filling it first costs 4 % of a run.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined] # untyped


def split_images(is_face: NDArray[np.bool_], *, share: float, seed: int) -> Split:
    """Hold out a share of each class, rounded, at random from the seed."""
    generator = streams.generator(seed, "split")
    held_out = np.concatenate(
        [
            generator.permutation(members)[: round(share * len(members))]
            for members in (np.flatnonzero(is_face), np.flatnonzero(~is_face))
        ]
    )
    everything = np.arange(len(is_face))
    return Split(np.setdiff1d(everything, held_out), np.sort(held_out))


def images_per_epoch(configuration: Configuration, data: TrainingImages) -> int:
    """Images that an epoch trains on: whole batches of those that are not held out."""
    split = split_images(data.is_face, share=configuration.validation_share, seed=0)
    return len(split.train) // configuration.batch_size * configuration.batch_size


def fit(
    configuration: Configuration,
    seed: int,
    data: TrainingImages,
    *,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> Fitted:
    """Train one network.

    Args:
        configuration: The arm.
        seed: The replicate.
        data: All labelled crops; a share is held out.
        on_epoch: Called with each epoch's history when the epoch ends.

    Raises:
        RunFailed: A term, a parameter or the weights stopped being numbers.
    """
    return _Fit(configuration, seed, data).run(on_epoch)


class _Fit:
    """The state of one training run."""

    def __init__(self, configuration: Configuration, seed: int, data: TrainingImages) -> None:
        self.choices, self.seed = configuration, seed
        self.split = split_images(data.is_face, share=configuration.validation_share, seed=seed)
        images = torch.from_numpy(data.images)
        self.images, self.is_face = images[self.split.train], data.is_face[self.split.train]
        self.validation = images[self.split.validation]
        self.validation_is_face = torch.from_numpy(data.is_face[self.split.validation])
        self.face = torch.from_numpy(self.is_face)
        self.faces = self.images[self.face]
        self.model = models.build(
            configuration.model,
            latent_dim=configuration.latent_dim,
            seed=streams.stream_seed(seed, "initialisation"),
        )
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # untyped
        self.optimiser = torch.optim.Adam(
            self.model.parameters(), lr=configuration.learning_rate, fused=True
        )
        self.batches = streams.generator(seed, "batches")
        self.latent_noise = streams.torch_generator(seed, "latent noise")
        self.density_noise = streams.torch_generator(seed, "density noise")
        self.weights: NDArray[np.float64] | None = None

    def run(self, on_epoch: Callable[[Epoch], None]) -> Fitted:
        """All epochs."""
        history: list[Epoch] = []
        best, best_epoch, state = -1.0, 0, dict[str, Tensor]()
        for number in range(1, self.choices.epochs + 1):
            epoch = {"epoch": float(number), **self._epoch(number)}
            history.append(epoch)
            on_epoch(epoch)
            if self.choices.checkpoint == "last" or epoch["val_accuracy"] >= best:
                best, best_epoch = epoch["val_accuracy"], number
                state = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        self.model.load_state_dict(state)
        return Fitted(self.model, tuple(history), best_epoch, self.split, self.weights)

    def _epoch(self, number: int) -> Epoch:
        sampled = self._draw(number)
        totals = torch.zeros(len(TERMS), dtype=torch.float64)
        count = 0
        self.model.train()
        for batch in sampled:
            totals += self._step(torch.from_numpy(batch))
            count += len(batch)
        means = dict(zip(TERMS, (totals / max(count, 1)).tolist(), strict=True))
        self._require_numbers(number, means)
        epoch = {f"train_{name}": value for name, value in means.items() if name != "correct"}
        epoch["train_accuracy"] = means["correct"]
        epoch["val_accuracy"] = self._validation_accuracy()
        return epoch | self._weight_spread()

    def _draw(self, number: int) -> Iterator[NDArray[np.int64]]:
        """The epoch's batches, and its weights beside them."""
        rule = self.choices.resampling
        uniform = rule.combine == "none" or (number == 1 and rule.first_epoch == "uniform")
        self.weights = None if uniform else self._face_weights(number)
        size = self.choices.batch_size
        if self.weights is None and rule.uniform_epochs == "shuffle":
            return resampling.shuffled_batches(
                len(self.images), batch_size=size, generator=self.batches
            )
        weights = self.weights
        if weights is None:
            weights = np.full(len(self.faces), 1 / len(self.faces))
        try:
            return iter(
                list(
                    resampling.weighted_batches(
                        weights,
                        self.is_face,
                        batch_size=size,
                        replacement=rule.replacement,
                        balance=rule.balance,
                        generator=self.batches,
                    )
                )
            )
        except resampling.DegenerateWeights as error:
            raise RunFailed(epoch=number, term="resampling weights", reason=str(error)) from error

    def _face_weights(self, number: int) -> NDArray[np.float64]:
        rule = self.choices.resampling
        encoding = inference.encode(self.model, self.faces)
        latents = encoding.latent_mean
        if rule.latents == "sample":
            noise = torch.randn(latents.shape, generator=self.density_noise)
            latents = models.reparameterise(latents, encoding.latent_logvar, noise)
        if not torch.isfinite(latents).all():
            raise RunFailed(epoch=number, term="latents", reason="not finite before resampling")
        assert rule.combine != "none"
        try:
            return resampling.face_weights(
                inference.as_float64(latents),
                combine=rule.combine,
                density=rule.density,
                alpha=rule.alpha,
                bins=rule.bins,
                arithmetic=rule.arithmetic,
            )
        except resampling.DegenerateWeights as error:
            raise RunFailed(epoch=number, term="resampling weights", reason=str(error)) from error

    def _step(self, batch: Tensor) -> Tensor:
        """One update; the terms summed over the batch, on the device."""
        images = inference.to_network(self.images[batch])
        face = self.face[batch]
        terms = self._terms(images, face)
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(terms["loss"].mean())
        self.optimiser.step()
        return torch.stack([terms[name].detach().double().sum() for name in TERMS])

    def _terms(self, images: Tensor, face: Tensor) -> dict[str, Tensor]:
        """Each term per image; the variational ones 0 for non-faces."""
        logit, mean, logvar = self.model.encoder(images)
        classification = losses.classification(logit, face)
        kl = reconstruction = torch.zeros_like(classification)
        if isinstance(self.model, DebiasingVae):
            kl = losses.face_kl(mean, logvar, face)
            noise = torch.randn(mean.shape, generator=self.latent_noise)
            latents = models.reparameterise(mean, logvar, noise)
            reconstruction = self._reconstruction(self.model, images, latents, face)
        c = self.choices
        loss = losses.objective(
            classification=classification,
            kl=kl,
            reconstruction=reconstruction,
            is_face=face,
            weights=(c.classification.weight, c.reconstruction.weight, c.kl.weight),
        )
        return {
            "loss": loss,
            "classification": classification,
            "kl": kl,
            "reconstruction": torch.where(face, reconstruction, 0.0),
            "correct": ((logit >= 0) == face).float(),
        }

    def _reconstruction(
        self, model: DebiasingVae, images: Tensor, latents: Tensor, face: Tensor
    ) -> Tensor:
        """Error per image; with `decoder_input` faces, the others are not decoded and have 0."""
        rule = self.choices.reconstruction
        if self.choices.decoder_input == "all":
            decoded = model.decoder(latents)
            return losses.reconstruction(images, decoded, norm=rule.norm, reduction=rule.reduction)
        decoded = model.decoder(latents[face])
        error = losses.reconstruction(
            images[face], decoded, norm=rule.norm, reduction=rule.reduction
        )
        return torch.zeros(len(images)).masked_scatter(face, error)

    def _require_numbers(self, number: int, means: dict[str, float]) -> None:
        for term in ("classification", "kl", "reconstruction", "loss"):
            if not np.isfinite(means[term]):
                reason = f"the mean over the epoch is {means[term]}"
                raise RunFailed(epoch=number, term=term, reason=reason)
        for name, parameter in self.model.named_parameters():
            if not torch.isfinite(parameter).all():
                raise RunFailed(epoch=number, term=name, reason="the parameter is not finite")

    def _validation_accuracy(self) -> float:
        positive = inference.logits(self.model, self.validation) >= 0
        return float((positive == self.validation_is_face).double().mean())

    def _weight_spread(self) -> Epoch:
        """How uneven the epoch's draws were; an even draw has an ESS of all faces."""
        count = len(self.faces)
        if self.weights is None:
            return {"ess": float(count), "ess_share": 1.0, "largest_weight": 1 / count}
        ess = resampling.effective_sample_size(self.weights)
        largest = float(self.weights.max())
        return {"ess": ess, "ess_share": ess / count, "largest_weight": largest}


def checkpoint_tensors(model: Model) -> dict[str, Any]:
    """The state of a network in the plain memory layout, for safetensors."""
    return {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
