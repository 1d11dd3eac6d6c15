"""One run: (configuration, seed, images) -> fitted network and history.

The same configuration, seed, images and machine give the same bits: one thread, named random
streams, deterministic kernels. Nothing is read or written here.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from repro import inference, models, resampling, streams
from repro.configuration import Configuration
from repro.data.sets import TrainingImages
from repro.errors import ReproError, RunFailed
from repro.kernels import library
from repro.models import DebiasingVae, Model
from repro.step import TERMS, CapturedStep, GraphCapture, Step, Update

THREADS = 1  # part of a result's identity: another number of threads gives other bits

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


def prepare_process() -> None:
    """Settings without which bits would differ between runs, or runs be slower."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when a GPU is first used
    torch.backends.cudnn.allow_tf32 = False  # fp32 means float32
    torch.set_num_threads(THREADS)
    library.keep_memory()
    torch.use_deterministic_algorithms(True)
    # Every buffer here is written before it is read; filling it first costs 4 % of a run.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined] # untyped


def require_device(device: str) -> None:
    """Refuse a device that is not there.

    Args:
        device: ``cpu``, or ``cuda:`` and a number.

    Raises:
        ReproError: There is no such GPU.
    """
    if device != "cpu" and int(device.removeprefix("cuda:")) >= torch.cuda.device_count():
        raise ReproError(
            f"--device {device}: torch {torch.__version__} sees {torch.cuda.device_count()} GPUs "
            "here; leave the option out, or install the build of torch for your GPU"
        )


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
    device: str = "cpu",
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> Fitted:
    """Train one network.

    Args:
        configuration: The arm.
        seed: The replicate.
        data: All labelled crops; a share is held out.
        device: Where, as torch names it: cpu, cuda:0.
        on_epoch: Called with each epoch's history when the epoch ends.

    Raises:
        RunFailed: A term, a parameter or the weights stopped being numbers.
    """
    return _Fit(configuration, seed, data, torch.device(device)).run(on_epoch)


class _Fit:
    """The state of one training run."""

    def __init__(
        self, configuration: Configuration, seed: int, data: TrainingImages, device: torch.device
    ) -> None:
        self.choices, self.seed, self.device = configuration, seed, device
        self.split = split_images(data.is_face, share=configuration.validation_share, seed=seed)
        self.images = torch.from_numpy(data.images).to(device)
        self.is_face = data.is_face[self.split.train]
        self.faces = self._on_device(self.split.train[self.is_face])
        self.validation = self._on_device(self.split.validation)
        self.validation_is_face = torch.from_numpy(data.is_face[self.split.validation])
        self.model = models.build(
            configuration.model,
            latent_dim=configuration.latent_dim,
            seed=streams.stream_seed(seed, "initialisation"),
        ).to(device)
        step = Step(configuration, self.model, self.images)
        if step.kernels.name == "torch":
            self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # untyped
        self.totals = step.totals
        self.update: Update = CapturedStep(step, GraphCapture()) if device.type == "cuda" else step
        self.batches = streams.generator(seed, "batches")
        self.latent_noise = streams.torch_generator(seed, "latent noise", device)
        self.density_noise = streams.torch_generator(seed, "density noise")
        self.weights: NDArray[np.float64] | None = None

    def _on_device(self, values: NDArray[Any]) -> Tensor:
        return torch.from_numpy(values).to(self.device)

    def run(self, on_epoch: Callable[[Epoch], None]) -> Fitted:
        """All epochs."""
        history: list[Epoch] = []
        best, best_epoch, state = -1.0, 0, dict[str, Tensor]()
        for number in range(1, self.choices.epochs + 1):
            epoch = {"epoch": float(number), **self.epoch(number)}
            history.append(epoch)
            on_epoch(epoch)
            if self.choices.checkpoint == "last" or epoch["val_accuracy"] >= best:
                best, best_epoch = epoch["val_accuracy"], number
                state = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        self.model.load_state_dict(state)
        return Fitted(self.model, tuple(history), best_epoch, self.split, self.weights)

    def epoch(self, number: int) -> Epoch:
        """Draw, train and validate."""
        batches = self._draw(number)
        self._train(batches)
        means = dict(zip(TERMS, (self.totals / max(batches.size, 1)).tolist(), strict=True))
        self._require_numbers(number, means)
        epoch = {f"train_{name}": value for name, value in means.items() if name != "correct"}
        epoch["train_accuracy"] = means["correct"]
        epoch["val_accuracy"] = self._validation_accuracy()
        return epoch | self._weight_spread()

    def _train(self, batches: NDArray[np.int64]) -> None:
        """All updates of an epoch; the host decides nothing on the way."""
        faces = self.is_face[batches].sum(axis=1)
        index, counts = self._on_device(self.split.train[batches]), self._on_device(faces)
        self.totals.zero_()
        self.model.train()
        size = (len(batches), self.choices.batch_size, self._latents)
        noise = torch.randn(size, generator=self.latent_noise, device=self.device)
        for step, count in enumerate(faces.tolist()):
            self.update(index[step], noise[step], counts[step], count)

    @property
    def _latents(self) -> int:
        return self.choices.latent_dim if isinstance(self.model, DebiasingVae) else 0

    def _draw(self, number: int) -> NDArray[np.int64]:
        """The epoch's batches, faces first in each, (steps, N); its weights beside them."""
        rule = self.choices.resampling
        uniform = rule.combine == "none" or (number == 1 and rule.first_epoch == "uniform")
        self.weights = None if uniform else self._face_weights(number)
        size = self.choices.batch_size
        if self.weights is None and rule.uniform_epochs == "shuffle":
            batches = resampling.shuffled_batches(
                len(self.is_face), batch_size=size, generator=self.batches
            )
        else:
            weights = self.weights
            if weights is None:
                weights = np.full(len(self.faces), 1 / len(self.faces))
            with _degenerate_weights_fail(number):
                batches = resampling.weighted_batches(
                    weights,
                    self.is_face,
                    batch_size=size,
                    replacement=rule.replacement,
                    balance=rule.balance,
                    generator=self.batches,
                )
        return resampling.faces_first(batches, self.is_face)

    def _face_weights(self, number: int) -> NDArray[np.float64]:
        rule = self.choices.resampling
        assert rule.combine != "none"
        latents = self._density_latents()
        if not np.isfinite(latents).all():
            raise RunFailed(epoch=number, term="latents", reason="not finite before resampling")
        with _degenerate_weights_fail(number):
            return resampling.face_weights(
                latents,
                combine=rule.combine,
                density=rule.density,
                alpha=rule.alpha,
                bins=rule.bins,
                arithmetic=rule.arithmetic,
            )

    def _density_latents(self) -> NDArray[np.float32]:
        """What the density is estimated from: the training faces' means, or a sample of each."""
        assert isinstance(self.model, DebiasingVae)
        if self.choices.resampling.latents == "mean":
            latents = inference.latent_means(self.model, self.images, self.faces)
        else:
            encoding = inference.encode(self.model, self.images, self.faces)
            mean, logvar = encoding.latent_mean, encoding.latent_logvar
            noise = torch.randn(mean.shape, generator=self.density_noise)
            latents = models.reparameterise(mean, logvar, noise)
        return latents.numpy()

    def _require_numbers(self, number: int, means: dict[str, float]) -> None:
        for term in ("classification", "kl", "reconstruction", "loss"):
            if not np.isfinite(means[term]):
                reason = f"the mean over the epoch is {means[term]}"
                raise RunFailed(epoch=number, term=term, reason=reason)
        for name, parameter in self.model.named_parameters():
            if not torch.isfinite(parameter).all():
                raise RunFailed(epoch=number, term=name, reason="the parameter is not finite")

    def _validation_accuracy(self) -> float:
        positive = inference.logits(self.model, self.images, self.validation) >= 0
        return float((positive == self.validation_is_face).double().mean())

    def _weight_spread(self) -> Epoch:
        """How uneven the epoch's draws were; an even draw has an ESS of all faces."""
        count = len(self.faces)
        if self.weights is None:
            return {"ess": float(count), "ess_share": 1.0, "largest_weight": 1 / count}
        ess = resampling.effective_sample_size(self.weights)
        largest = float(self.weights.max())
        return {"ess": ess, "ess_share": ess / count, "largest_weight": largest}


@contextmanager
def _degenerate_weights_fail(number: int) -> Iterator[None]:
    """Weights that no probability can be made of end the run."""
    try:
        yield
    except resampling.DegenerateWeights as error:
        raise RunFailed(epoch=number, term="resampling weights", reason=str(error)) from error


def checkpoint_tensors(model: Model) -> dict[str, Any]:
    """The state of a network in the plain memory layout, for safetensors."""
    return {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
