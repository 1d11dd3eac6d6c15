"""One run: (configuration, seed, images) -> trained network and history.

The same configuration, seed, images and machine give the same bits: one thread, named random
streams, deterministic kernels. So does a run that continues from its `State` after any epoch. This
module reads and writes no files.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from repro.data.pictures.images import TrainingImages
from repro.errors import ReproError
from repro.models import Model
from repro.plugins.catalogue import Catalogue
from repro.records.task import Source
from repro.study import methods
from repro.study.configuration import Configuration
from repro.system import worker_environment
from repro.training import (
    adam_state,
    epoch_batches,
    epoch_choice,
    epoch_numbers,
    image_counts,
    networks,
    random_streams,
    run_methods,
)
from repro.training.adam_state import named, unnamed
from repro.training.first_epoch import FirstEpoch
from repro.training.image_counts import ImageCounts
from repro.training.image_split import Split, split_images
from repro.training.kernels import c_library, devices
from repro.training.networks import OwnClassifier
from repro.training.rules import density
from repro.training.run_methods import Run
from repro.training.step import TERMS, CapturedStep, GraphCapture, Step, Update
from repro.training.weighting import Weighting, Weights

VALUES = {"worst_class": "val_worst_class"}  # what else than accuracy a checkpoint is chosen by
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
        epoch_weights: Probabilities of the training faces in each resampled epoch, float64 (F,),
            by number of the epoch.
        numbers: What the objective says of its last step, by name.
    """

    model: Model
    history: tuple[Epoch, ...]
    best_epoch: int
    split: Split
    epoch_weights: dict[int, NDArray[np.float64]]
    numbers: Mapping[str, float]

    @property
    def weights(self) -> NDArray[np.float64] | None:
        """Those of the last resampled epoch; None if there was none."""
        return self.epoch_weights[max(self.epoch_weights)] if self.epoch_weights else None


@dataclass(frozen=True, slots=True)
class State:
    """Everything that the remaining epochs of a run depend on.

    Attributes:
        epoch: Number of completed epochs.
        tensors: Of the network, the best network so far, Adam, the random streams on torch, and
            the weights of the faces in each epoch, by name.
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
    # As `use_deterministic_algorithms`, which loads a compiler that nothing here uses: 1 s.
    torch.set_deterministic_debug_mode("error")
    # Every buffer here is written before it is read; filling it first costs 4 % of a run.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined] # untyped


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
    catalogue: Catalogue = methods.BUILT_IN,
) -> Fitted:
    """Train one network from its first epoch to its last.

    Args:
        configuration: The arm.
        seed: The replicate.
        data: All labelled crops; a share is held out.
        device: Name of a torch device: cpu, cuda:0, mps.
        on_epoch: Called with each epoch's history when the epoch ends.
        catalogue: As for `Fit`.

    Returns:
        The result.

    Raises:
        RunFailed: A term, a parameter or a weight became NaN or infinite.
    """
    run = Fit(configuration, seed, data, device=device, catalogue=catalogue)
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
        catalogue: Catalogue = methods.BUILT_IN,
        source: Source | None = None,
        captured: bool = True,
        first: FirstEpoch | None = None,
    ) -> None:
        """Initialise the network, or continue from a state.

        Args:
            configuration: The arm.
            seed: The replicate.
            data: All labelled crops; a share is held out.
            device: Name of a torch device: cpu, cuda:0, mps.
            resume: The state after one of the epochs of this run; None: from the start.
            images: The crops' pixels if they are on the device already.
            catalogue: Where rule and network are found: the built-in ones, or with plug-ins.
            source: The run that the rule starts from.
            captured: Whether a GPU replays its steps as a CUDA graph.
            first: Its first epoch, if it may be that of another run.
        """
        self.first = first
        self.choices, self.seed, self.device = configuration, seed, torch.device(device)
        devices.require_precision(self.device, configuration.precision)
        has_own = catalogue.is_own("objective", configuration.objective.name)
        self._hold_images(data, images, may_change=has_own)
        self.model = self._network(configuration, "initialisation", catalogue)
        self.step = self._step(stored=has_own)
        self.objective_stream = random_streams.torch_generator(seed, "objective", self.device)
        self.weighting = self._methods(
            Run(configuration, seed, data, self.split, self.images, self.model, catalogue, source)
        )
        self.update: Update = self.step
        if captured and devices.records_graphs(self.device) and self._can_be_captured:
            self.update = CapturedStep(self.step, GraphCapture())
        self.batches = random_streams.generator(seed, "batches")
        self.latent_noise = random_streams.torch_generator(seed, "latent noise", self.device)
        self._begin(resume)

    def _begin(self, state: State | None) -> None:
        """Stand before the first epoch, or after those of a state."""
        self.epoch_weights: dict[int, NDArray[np.float64]] = {}
        self.history: list[Epoch] = []
        self.best, self.best_epoch, self.best_state = -1.0, 0, _copy(self.model.state_dict())
        if state is not None:
            self._restore(state)

    def _hold_images(
        self, data: TrainingImages, images: Tensor | None, *, may_change: bool
    ) -> None:
        """Split the images; have their pixels on the device, a copy if they may be written into."""
        choices, seed = self.choices, self.seed
        self.split = split_images(data.is_face, share=choices.validation_share, seed=seed)
        self.images = self._on_device(data.images) if images is None else images
        if may_change:
            self.images = self.images.clone()  # other runs share them
        self.is_face = data.is_face[self.split.train]
        self.faces = self._on_device(self.split.train[self.is_face])
        self.nonfaces = self._on_device(self.split.train[~self.is_face])
        self.validation = self._on_device(self.split.validation)
        self.validation_is_face = torch.from_numpy(data.is_face[self.split.validation])

    def _step(self, *, stored: bool) -> Step:
        """The update of the network, which is laid out as the kernels want it."""
        step = Step(self.choices, self.model, self.images)
        step.stored = stored  # an objective of a plug-in may read gradients
        own = isinstance(self.model, OwnClassifier)
        if step.kernels.name == "torch" and not own and devices.takes_any_layout(self.device):
            self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # untyped
        return step

    def _methods(self, run: Run) -> Weighting:
        """The rule of the run; its objective becomes that of the step."""
        weighting = run_methods.weighting(run)
        if weighting.on_loss:
            self.step.loss_weights = torch.ones(len(self.images), device=self.device)
        classifier = run.choices.model_copy(update={"model": "classifier"})
        self.step.objective = run_methods.objective(
            run,
            self.objective_stream,
            lambda: self._network(classifier, "objective/initialisation", run.catalogue),
        )
        return weighting

    def _network(self, choices: Configuration, stream: str, catalogue: Catalogue) -> Model:
        """An untrained network, on the device."""
        seed = random_streams.stream_seed(self.seed, stream)
        return networks.build(choices, seed, catalogue).to(self.device)

    @property
    def _can_be_captured(self) -> bool:
        own = isinstance(self.model, OwnClassifier)
        return not own and (self.step.objective is None or self.step.objective.captured)

    def _on_device(self, values: NDArray[Any]) -> Tensor:
        return torch.from_numpy(values).to(self.device)

    def epochs(self) -> Iterator[Epoch]:
        """Train the remaining epochs; yield the history of each when it ends.

        Raises:
            RunFailed: As `fit`.
        """
        while self.goes_on:
            batches = self.draw(self.number)
            if self.first is not None and self._may_share_epoch:
                self.first.train(self, batches)
            else:
                self.train(batches)
            yield self.ended(self.step.totals, batches.size)

    @property
    def _may_share_epoch(self) -> bool:
        """Whether this epoch is the first one, and nothing but its batches is the run's own."""
        is_even = self.number == 1 and not self.epoch_weights and self.step.loss_weights is None
        is_standard = self.step.objective is None and not isinstance(self.model, OwnClassifier)
        return is_even and is_standard and self.device.type == "cpu"

    @property
    def goes_on(self) -> bool:
        """Whether epochs remain; an objective may have none."""
        objective = self.step.objective
        trains = objective is None or objective.trains
        return trains and len(self.history) < self.choices.epochs

    def fitted(self) -> Fitted:
        """The result, after the last epoch; loads the configured checkpoint."""
        self.model.load_state_dict(self.best_state)
        numbers = self.step.objective.finish() if self.step.objective else {}
        history = tuple(self.history)
        return Fitted(self.model, history, self.best_epoch, self.split, self.epoch_weights, numbers)

    def state(self) -> State:
        """The state after the completed epochs."""
        tensors = {
            **named("network", self.model.state_dict()),
            **named("best", self.best_state),
            **named("random", {name: r.get_state() for name, r in self._torch_streams().items()}),
        }
        tensors |= adam_state.moments(self.step.optimiser, self.model)
        weights = {str(e): torch.from_numpy(w) for e, w in self.epoch_weights.items()}
        tensors |= named("face_weights", weights)
        if self.step.objective is not None:
            tensors |= self.step.objective.state()
        rest = {
            "history": self.history,
            "best": [self.best, self.best_epoch],
            "batches": self.batches.bit_generator.state,
        }
        return State(len(self.history), tensors, rest)

    def _restore(self, state: State) -> None:
        """Restore a state.

        Raises:
            LookupError: It is not of a run like this one.
        """
        tensors = state.tensors
        self.model.load_state_dict(unnamed("network", tensors))
        self.best_state = unnamed("best", tensors)
        for name, stream in self._torch_streams().items():
            stream.set_state(tensors[f"random.{name}"])
        adam_state.restore_moments(self.step.optimiser, self.model, tensors)
        if "face_weights" in tensors:
            raise LookupError("of an earlier release, without the weights of all epochs")
        weights = {int(epoch): w for epoch, w in unnamed("face_weights", tensors).items()}
        self.epoch_weights = {epoch: weights[epoch].numpy() for epoch in sorted(weights)}
        if self.step.objective is not None:
            self.step.objective.restore(tensors)
        self.history = list(state.rest["history"])
        self.best, self.best_epoch = state.rest["best"]
        self.batches.bit_generator.state = state.rest["batches"]

    def _torch_streams(self) -> dict[str, torch.Generator]:
        streams = {"latent noise": self.latent_noise, "density noise": self.weighting.noise}
        if self.step.objective is not None:
            streams["objective"] = self.objective_stream
        return streams

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
        objective = self.step.objective
        if objective is not None:
            objective.require_usable(self.number)
        epoch_numbers.require_finite(means, self.model, epoch=self.number)
        epoch = epoch_numbers.trained(means, epoch=self.number)
        epoch |= self._validated()
        epoch |= self._weight_spread()
        if objective is not None:
            epoch |= objective.epoch_ended(images)
        value = epoch[VALUES.get(self.choices.checkpoint, "val_accuracy")]
        if self.choices.checkpoint == "last" or epoch_choice.replaces(value, self.best):
            self.best, self.best_epoch = value, self.number
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
            networks.keep_statistics(self.model)
        noise = self.noise(len(batches))
        for step, count in enumerate(faces.tolist()):
            self.update(index[step], noise[step], counts[step], count)

    def noise(self, steps: int) -> Tensor:
        """Standard normal numbers for the latents of an epoch, (steps, N, D)."""
        size = (steps, self.choices.batch_size, self.choices.latents)
        return torch.randn(size, generator=self.latent_noise, device=self.device)

    def draw(self, number: int) -> NDArray[np.int64]:
        """Batches of the epoch, faces first in each, (steps, N); stores its weights."""
        weights = self.weighting.at(number)
        if weights is not None:
            self.epoch_weights[number] = weights.faces
        if self.weighting.on_loss:
            self._weigh_losses(weights)
            weights = None
        drawn = epoch_batches.drawn(weights, self.is_face, self.choices, self.batches, epoch=number)
        epoch_batches.require_decodable(drawn, self.is_face, self.choices, self.model, epoch=number)
        return drawn

    def _weigh_losses(self, weights: Weights | None) -> None:
        """Set the factors of the images' losses in place, for a step that was captured."""
        factors = self.step.loss_weights
        assert factors is not None
        factors.fill_(1)
        if weights is not None:
            factors[self.faces] = self._factors(weights.faces)
        if weights is not None and weights.nonfaces is not None:
            factors[self.nonfaces] = self._factors(weights.nonfaces)

    def _factors(self, probabilities: NDArray[np.float64]) -> Tensor:
        return self._on_device(density.loss_weights(probabilities).astype(np.float32))

    def _validated(self) -> Epoch:
        held_out = self.validation, self.validation_is_face
        return epoch_numbers.validated(self.model, self.images, *held_out, self.choices)

    def _weight_spread(self) -> Epoch:
        """Of the epoch's weights; of weights of the loss, the largest factor."""
        weights, before = (self.epoch_weights.get(n) for n in (self.number, self.number - 1))
        found = epoch_numbers.weight_spread(weights, len(self.faces))
        if methods.replays(self.choices):
            found |= epoch_numbers.lasting_weights(before, weights)
        if self.step.loss_weights is not None:
            found["largest_loss_weight"] = float(self.step.loss_weights[self.faces].max())
        return found


def _copy(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def checkpoint_tensors(model: Model) -> dict[str, Any]:
    """The state of a network in contiguous layout, for safetensors."""
    return {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
