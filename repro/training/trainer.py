"""One run: (configuration, seed, images) -> trained network and history.

The same configuration, seed, images and machine give the same bits: one thread, named random
streams, deterministic kernels. So does a run that continues from its `State` after any epoch. This
module reads and writes no files.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from repro import models, resampling
from repro.data.pictures.images import TrainingImages
from repro.errors import ReproError, RunFailed
from repro.losses import formulas
from repro.metrics import says_face
from repro.models import DebiasingVae, Model
from repro.study.configuration import Configuration, density_rule
from repro.system import worker_environment
from repro.training import adam_state, image_counts, inference, random_streams
from repro.training.adam_state import named, unnamed
from repro.training.image_counts import ImageCounts
from repro.training.image_split import Split, split_images
from repro.training.kernels import c_library
from repro.training.step import TERMS, CapturedStep, GraphCapture, Step, Update

THREADS = 1  # results depend on the number of threads, to the bit

Epoch = dict[str, float]


@dataclass(frozen=True, slots=True)
class Fitted:
    """The result of training.

    Attributes:
        model: The network at the configured checkpoint.
        history: One mapping per epoch: terms per image, accuracies, ESS, largest weight.
        best_epoch: Epoch of the checkpoint, counted from 1.
        split: The training and the held-out images.
        weights: Probabilities of the training faces in the last resampled epoch, or None.
    """

    model: Model
    history: tuple[Epoch, ...]
    best_epoch: int
    split: Split
    weights: NDArray[np.float64] | None


@dataclass(frozen=True, slots=True)
class State:
    """Everything that the remaining epochs of a run depend on.

    Attributes:
        epoch: Number of completed epochs.
        tensors: Of the network, the best network so far, Adam, the random streams on torch, and
            the weights of the faces, by name.
        rest: The other values: history, best epoch, stream of the batches.
    """

    epoch: int
    tensors: dict[str, Tensor]
    rest: dict[str, Any]


def prepare_process() -> None:
    """Make torch deterministic and fast, whatever the program before has set.

    Raises:
        ReproError: A variable of the environment changes the bits of results.
    """
    worker_environment.require_plain()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when a GPU is first used
    torch.set_float32_matmul_precision("highest")  # fp32 must mean float32
    torch.backends.cudnn.allow_tf32 = False
    torch.set_default_dtype(torch.float32)
    torch.set_flush_denormal(False)
    torch.set_num_threads(THREADS)
    c_library.keep_memory()
    torch.use_deterministic_algorithms(True)
    # Every buffer here is written before it is read; filling it first costs 4 % of a run.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined] # untyped


def require_device(device: str) -> None:
    """Refuse a device that does not exist.

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


def images_per_epoch(configuration: Configuration, data: TrainingImages) -> int:
    """Number of images in an epoch: complete batches of those that are not held out."""
    split = split_images(data.is_face, share=configuration.validation_share, seed=0)
    return len(split.train) // configuration.batch_size * configuration.batch_size


def require_enough(configuration: Configuration, data: TrainingImages) -> None:
    """Refuse data with which nothing would be trained or validated; a plan has done so before.

    Raises:
        ReproError: Too few images; see `image_counts`.
    """
    faces = int(data.is_face.sum())
    counts = ImageCounts(faces, len(data.is_face) - faces)
    for _, message in image_counts.problems(configuration, counts):
        raise ReproError(message)


def fit(
    configuration: Configuration,
    seed: int,
    data: TrainingImages,
    *,
    device: str = "cpu",
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> Fitted:
    """Train one network from its first epoch to its last.

    Args:
        configuration: The arm.
        seed: The replicate.
        data: All labelled crops; a share is held out.
        device: Name of a torch device: cpu, cuda:0.
        on_epoch: Called with each epoch's history when the epoch ends.

    Returns:
        The result.

    Raises:
        RunFailed: A term, a parameter or a weight became NaN or infinite.
    """
    run = Fit(configuration, seed, data, device=device)
    for epoch in run.epochs():
        on_epoch(epoch)
    return run.fitted()


class Fit:
    """One training run: its epochs, the state after each, and the result."""

    def __init__(
        self,
        configuration: Configuration,
        seed: int,
        data: TrainingImages,
        *,
        device: str = "cpu",
        resume: State | None = None,
        images: Tensor | None = None,
        captured: bool = True,
    ) -> None:
        """Initialise the network, or continue from a state.

        Args:
            configuration: The arm.
            seed: The replicate.
            data: All labelled crops; a share is held out.
            device: Name of a torch device: cpu, cuda:0.
            resume: The state after one of the epochs of this run; None: from the start.
            images: The crops' pixels if they are on the device already.
            captured: Whether a GPU replays its steps as a CUDA graph.
        """
        self.choices, self.seed, self.device = configuration, seed, torch.device(device)
        self.split = split_images(data.is_face, share=configuration.validation_share, seed=seed)
        self.images = torch.from_numpy(data.images).to(self.device) if images is None else images
        self.is_face = data.is_face[self.split.train]
        self.faces = self._on_device(self.split.train[self.is_face])
        self.validation = self._on_device(self.split.validation)
        self.validation_is_face = torch.from_numpy(data.is_face[self.split.validation])
        self.model = models.build(
            configuration.used["model"],
            latent_dim=configuration.latents,
            seed=random_streams.stream_seed(seed, "initialisation"),
        ).to(self.device)
        self.step = step = Step(configuration, self.model, self.images)
        if step.kernels.name == "torch":
            self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # untyped
        self.update: Update = step
        if self.device.type == "cuda" and captured:
            self.update = CapturedStep(step, GraphCapture())
        self.batches = random_streams.generator(seed, "batches")
        self.latent_noise = random_streams.torch_generator(seed, "latent noise", self.device)
        self.density_noise = random_streams.torch_generator(seed, "density noise")
        self.weights: NDArray[np.float64] | None = None
        self.history: list[Epoch] = []
        self.best, self.best_epoch, self.best_state = -1.0, 0, dict[str, Tensor]()
        if resume is not None:
            self._restore(resume)

    def _on_device(self, values: NDArray[Any]) -> Tensor:
        return torch.from_numpy(values).to(self.device)

    def epochs(self) -> Iterator[Epoch]:
        """Train the remaining epochs; yield the history of each when it ends.

        Raises:
            RunFailed: As `fit`.
        """
        while self.goes_on:
            batches = self.draw(self.number)
            self.train(batches)
            yield self.ended(self.step.totals, batches.size)

    @property
    def goes_on(self) -> bool:
        """Whether epochs remain."""
        return len(self.history) < self.choices.epochs

    def fitted(self) -> Fitted:
        """The result, after the last epoch; loads the configured checkpoint."""
        self.model.load_state_dict(self.best_state)
        return Fitted(self.model, tuple(self.history), self.best_epoch, self.split, self.weights)

    def state(self) -> State:
        """The state after the completed epochs."""
        tensors = {
            **named("network", self.model.state_dict()),
            **named("best", self.best_state),
            **named("random", {name: r.get_state() for name, r in self._torch_streams().items()}),
        }
        tensors |= adam_state.moments(self.step.optimiser, self.model)
        if self.weights is not None:
            tensors["face_weights"] = torch.from_numpy(self.weights)
        rest = {
            "history": self.history,
            "best": [self.best, self.best_epoch],
            "batches": self.batches.bit_generator.state,
        }
        return State(len(self.history), tensors, rest)

    def _restore(self, state: State) -> None:
        """Restore a state."""
        tensors = state.tensors
        self.model.load_state_dict(unnamed("network", tensors))
        self.best_state = unnamed("best", tensors)
        for name, stream in self._torch_streams().items():
            stream.set_state(tensors[f"random.{name}"])
        adam_state.restore_moments(self.step.optimiser, self.model, tensors)
        self.weights = tensors["face_weights"].numpy() if "face_weights" in tensors else None
        self.history = list(state.rest["history"])
        self.best, self.best_epoch = state.rest["best"]
        self.batches.bit_generator.state = state.rest["batches"]

    def _torch_streams(self) -> dict[str, torch.Generator]:
        return {"latent noise": self.latent_noise, "density noise": self.density_noise}

    @property
    def number(self) -> int:
        """Of the current epoch, from 1."""
        return len(self.history) + 1

    def ended(self, totals: Tensor, images: int) -> Epoch:
        """Validate the network after an epoch, and note the epoch.

        Args:
            totals: The sums of `TERMS` over the epoch's images.
            images: Their number.

        Raises:
            RunFailed: As `fit`.
        """
        means = dict(zip(TERMS, (totals / max(images, 1)).tolist(), strict=True))
        self._require_numbers(means)
        epoch = {"epoch": float(self.number)}
        epoch |= {f"train_{name}": value for name, value in means.items() if name != "correct"}
        epoch["train_accuracy"] = means["correct"]
        epoch["val_accuracy"] = self._validation_accuracy()
        epoch |= self._weight_spread()
        if self.choices.checkpoint == "last" or epoch["val_accuracy"] >= self.best:
            self.best, self.best_epoch = epoch["val_accuracy"], self.number
            self.best_state = _copy(self.model.state_dict())
        self.history.append(epoch)
        return epoch

    def train(self, batches: NDArray[np.int64]) -> None:
        """All updates of an epoch, without synchronising with the device."""
        faces = self.is_face[batches].sum(axis=1)
        index, counts = self._on_device(self.split.train[batches]), self._on_device(faces)
        self.step.totals.zero_()
        self.model.train()
        if self.choices.batch_norm == "stored":
            keep_statistics(self.model)
        noise = self.noise(len(batches))
        for step, count in enumerate(faces.tolist()):
            self.update(index[step], noise[step], counts[step], count)

    def noise(self, steps: int) -> Tensor:
        """Standard normal numbers for the latents of an epoch, (steps, N, D)."""
        size = (steps, self.choices.batch_size, self.choices.latents)
        return torch.randn(size, generator=self.latent_noise, device=self.device)

    def draw(self, number: int) -> NDArray[np.int64]:
        """Batches of the epoch, faces first in each, (steps, N); stores its weights."""
        rule = self.choices.resampling
        uniform = rule.rule == "none" or (number == 1 and rule.first_epoch == "uniform")
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
        self._require_decodable(batches)
        return resampling.faces_first(batches, self.is_face)

    def _require_decodable(self, batches: NDArray[np.int64]) -> None:
        """Fail the run if a decoder of faces alone would normalise a batch of one vector."""
        normalises = self.choices.decoder_input == "faces" and self.choices.batch_norm == "batch"
        if not normalises or not isinstance(self.model, DebiasingVae):
            return
        vectors = any(isinstance(part, torch.nn.BatchNorm1d) for part in self.model.modules())
        alone = np.flatnonzero(self.is_face[batches].sum(axis=1) == 1)
        if vectors and len(alone):
            raise RunFailed(
                epoch=self.number,
                term="decoder",
                reason=f"batch {alone[0] + 1} has one face, and the batch normalisation of a "
                "decoder of faces alone needs two: more faces, larger batches, or decoder_input: "
                "all",
            )

    def _face_weights(self, number: int) -> NDArray[np.float64]:
        rule = self.choices.resampling
        combine = density_rule(rule.rule, rule.parameters)
        assert combine is not None
        latents = self._density_latents()
        if not np.isfinite(latents).all():
            raise RunFailed(epoch=number, term="latents", reason="not finite before resampling")
        with _degenerate_weights_fail(number):
            return resampling.weights(
                latents,
                combine=combine,
                density=rule.density,
                alpha=rule.alpha,
                bins=rule.bins,
                arithmetic=rule.arithmetic,
            )

    def _density_latents(self) -> NDArray[np.float32]:
        """Latents for the density: posterior means of the training faces, or samples."""
        assert isinstance(self.model, DebiasingVae)
        rule, images = self.choices.resampling, self.images
        if rule.channels == "reversed":
            images = images.flip(-1)
        white = 1.0 if rule.pixels == "unit" else 255.0
        if rule.latents == "mean":
            latents = inference.latent_means(self.model, images, self.faces, white=white)
        else:
            encoding = inference.encode(self.model, images, self.faces, white=white)
            mean, logvar = encoding.latent_mean, encoding.latent_logvar
            noise = torch.randn(mean.shape, generator=self.density_noise)
            latents = formulas.reparameterise(mean, logvar, noise, times=self.choices.latent_noise)
        return latents.numpy()

    def _require_numbers(self, means: dict[str, float]) -> None:
        for term in ("classification", "kl", "reconstruction", "loss"):
            if not np.isfinite(means[term]):
                reason = f"the mean over the epoch is {means[term]}"
                raise RunFailed(epoch=self.number, term=term, reason=reason)
        for name, parameter in self.model.named_parameters():
            if not torch.isfinite(parameter).all():
                reason = "the parameter is not finite"
                raise RunFailed(epoch=self.number, term=name, reason=reason)

    def _validation_accuracy(self) -> float:
        positive = says_face(inference.logits(self.model, self.images, self.validation))
        return float((positive == self.validation_is_face).double().mean())

    def _weight_spread(self) -> Epoch:
        """Effective sample size and largest weight of the epoch."""
        count = len(self.faces)
        if self.weights is None:
            return {"ess": float(count), "ess_share": 1.0, "largest_weight": 1 / count}
        ess = resampling.effective_sample_size(self.weights)
        largest = float(self.weights.max())
        return {"ess": ess, "ess_share": ess / count, "largest_weight": largest}


def keep_statistics(model: torch.nn.Module) -> None:
    """Use stored statistics in batch normalisation, as in evaluation, without updates."""
    for part in model.modules():
        if hasattr(part, "running_mean"):  # of one network, or of stacked ones
            part.eval()


@contextmanager
def _degenerate_weights_fail(number: int) -> Iterator[None]:
    """Fail the run if the weights cannot be normalised."""
    try:
        yield
    except resampling.DegenerateWeights as error:
        raise RunFailed(epoch=number, term="resampling weights", reason=str(error)) from error


def _copy(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def checkpoint_tensors(model: Model) -> dict[str, Any]:
    """The state of a network in contiguous layout, for safetensors."""
    return {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
