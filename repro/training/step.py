"""One update of a network: gather, forward, backward, optimiser; and the same, captured once.

Nothing here synchronises with the device: the terms of an epoch are summed on it.
The faces of a batch come first, so that terms for faces only use a slice.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from repro.losses import formulas
from repro.metrics import says_face
from repro.models import DebiasingVae, Decoder, Model
from repro.study.configuration import Configuration
from repro.training.kernels import devices
from repro.training.kernels.kernel_choice import Kernels, choose
from repro.training.kernels.operators import full
from repro.training.objective import Batch
from repro.training.running_objective import RunningObjective, Standard

TERMS = ("loss", "classification", "kl", "reconstruction", "correct")
PIXELS = 64 * 64 * 3
WARM_UP = 3  # steps of a shape before its capture, in which libraries choose kernels


class Capture(Protocol):
    """How to record the work of a device."""

    def warm_up(self, work: Callable[[], None]) -> None:
        """Do the work as it will be recorded."""

    def record(self, work: Callable[[], None]) -> Callable[[], None]:
        """Record the work without doing it; return a function that does it."""


class Update(Protocol):
    """A function that trains on one batch."""

    def __call__(self, index: Tensor, noise: Tensor, faces: Tensor, count: int) -> None:
        """Update once.

        Args:
            index: Positions of the images, faces first, int64 (N,); of each of S stacked networks
                (S, N), and so below.
            noise: Standard normal, for the latents, (N, D).
            faces: Number of faces among them, int64 (), on the device.
            count: The same number on the host; stacked networks, which decode all, do not use it.
        """


class Step:
    """The update of a network on stored images.

    Attributes:
        totals: Sum of each of `TERMS` over the images since it was last zeroed, (5,), float64
            (see `devices.widest`); of each of S stacked networks (5, S). No weight of a loss
            enters them.
        loss_weights: Factor of each stored image's loss, all its terms, (M,), of stacked networks
            (S, M); None: 1. A captured step reads this tensor, so that it is changed in place.
        objective: What is minimised in place of the mean loss; None: nothing else.
        stored: Whether parameters have their gradients until the next step.
    """

    def __init__(
        self,
        choices: Configuration,
        model: Model,
        images: Tensor,
        *,
        kernels: Kernels | None = None,
        members: tuple[int, ...] = (),
    ) -> None:
        """Train `model` on uint8 images (M, 64, 64, 3); both stay on the images' device.

        Args:
            choices: The arm.
            model: The network, or a stacked one.
            images: Stored pixels.
            kernels: What computes it; None: the device's best for one network.
            members: The number of stacked networks, alone in a tuple; empty for one network.
        """
        self.choices, self.model, self.images = choices, model, images
        self.encoding, self.decoding = _convolutions(model)
        self.kernels: Kernels = kernels or choose(
            images.device,
            choices.precision,
            [stack for stack in (self.encoding, self.decoding) if stack is not None],
            batch_norm=choices.batch_norm,
        )
        self.optimiser = torch.optim.Adam(
            model.parameters(),
            lr=choices.learning_rate,
            fused=True,
            capturable=devices.records_graphs(images.device),
        )
        shape = (len(TERMS), *members)
        self.totals = torch.zeros(shape, dtype=devices.widest(images.device), device=images.device)
        self.loss_weights: Tensor | None = None
        self.objective: RunningObjective | None = None
        self.stored = False

    def __call__(self, index: Tensor, noise: Tensor, faces: Tensor, count: int) -> None:
        """Update once; see `Update`. Stacked networks minimise the sum of their mean losses."""
        is_face = torch.arange(index.shape[-1], device=index.device) < faces.unsqueeze(-1)
        with self.kernels.arithmetic(index.device):
            terms = self.terms(index, noise.flatten(0, -2), is_face.flatten(), count)
        loss = terms["minimised"]
        loss = loss.view(index.shape) if index.ndim > 1 else loss
        if self.loss_weights is not None:
            loss = loss * self.loss_weights.gather(-1, index)
        loss = loss.mean(dim=-1)
        loss = loss.sum() if loss.ndim else loss
        self.kernels.minimise(loss, self.optimiser, stored=self.stored)
        values = torch.stack([terms[name].detach() for name in TERMS]).to(self.totals.dtype)
        self.totals += values.view(-1, *index.shape).sum(dim=-1)

    def terms(self, index: Tensor, noise: Tensor, is_face: Tensor, count: int) -> dict[str, Tensor]:
        """Each term per image; KL and reconstruction are 0 for non-faces.

        Args:
            index: See `Update`.
            noise: Of all N images, or S N of stacked networks, (N, D).
            is_face: Shape (N,).
            count: See `Update`.

        Returns:
            By name, each (N,): `TERMS`, and what is minimised.
        """
        batch = self.kernels.gather(self.images, index)
        encoder = self.model.encoder
        encoding = encoder.from_features(self.kernels.features(batch, self.encoding))
        logit, mean, logvar = (full(part) for part in encoding)
        classification = self.kernels.classification(logit, is_face)
        kl = reconstruction = torch.zeros_like(classification)
        if isinstance(self.model, DebiasingVae):
            latents, kl = self._latents(mean, logvar, noise, is_face)
            reconstruction = self._reconstruction(self.model.decoder, batch, latents, count)
        standard = self._standard(kl, reconstruction, is_face)
        loss = minimised = standard(classification=classification)
        reconstruction = torch.where(is_face, reconstruction, 0.0)
        if self.objective is not None:
            seen = Batch(
                index, is_face, logit, classification, kl, reconstruction, images=self.images
            )
            minimised = self.objective.minimised(seen, standard)
        return {
            "loss": loss,
            "minimised": minimised,
            "classification": classification,
            "kl": kl,
            "reconstruction": reconstruction,
            "correct": (says_face(logit) == is_face).float(),
        }

    def _latents(
        self, mean: Tensor, logvar: Tensor, noise: Tensor, is_face: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Sampled latents (N, D), and the KL term (N,)."""
        choices = self.choices
        has_latents = is_face if choices.indicator == "faces" else torch.ones_like(is_face)
        return self.kernels.latents(mean, logvar, noise, has_latents, times=choices.latent_noise)

    def _standard(self, kl: Tensor, reconstruction: Tensor, is_face: Tensor) -> Standard:
        """The papers' loss, for any classification loss."""
        c = self.choices
        return partial(
            formulas.objective,
            kl=kl,
            reconstruction=reconstruction,
            is_face=is_face,
            weights=(c.classification.weight, c.reconstruction.weight, c.kl.weight),
            indicator=c.indicator,
        )

    def _reconstruction(self, decoder: Decoder, batch: Any, latents: Tensor, count: int) -> Tensor:
        """Error per image; with `decoder_input` faces, it is 0 for the others."""
        rule, images = self.choices.reconstruction, len(latents)
        decoded = images if self.choices.decoder_input == "all" else count
        if not decoded:
            return latents.new_zeros(images)
        assert self.decoding is not None
        maps = decoder.maps(latents[:decoded])
        error = self.kernels.errors(maps, batch, self.decoding, norm=rule.norm)
        if rule.reduction == "mean":
            error = error / PIXELS
        return torch.nn.functional.pad(error, (0, images - decoded))


def _convolutions(model: Model) -> tuple[nn.Sequential, nn.Sequential | None]:
    """Those of the encoder, and of a decoder."""
    decoder = model.decoder.convolutions if isinstance(model, DebiasingVae) else None
    return model.encoder.convolutions, decoder


class CapturedStep:
    """A step whose device work is captured once per shape and then replayed as a whole.

    For a small step, launching its hundreds of kernels from the host takes longer than their
    arithmetic on the GPU; a replayed graph launches them at once. If only faces are decoded, each
    number of faces is a separate shape.
    """

    def __init__(self, step: Step, capture: Capture) -> None:
        """Wrap a step; `capture` records work on the step's device."""
        self.step, self.capture = step, capture
        self.seen: dict[tuple[int, ...], int] = {}
        self.replays: dict[tuple[int, ...], Callable[[], None]] = {}
        self.inputs: tuple[Tensor, Tensor, Tensor] | None = None

    def __call__(self, index: Tensor, noise: Tensor, faces: Tensor, count: int) -> None:
        """Update once; see `Update`."""
        inputs = self._copied(index, noise, faces)
        decodes_all = self.step.choices.decoder_input == "all"
        shape = (len(index),) if decodes_all else (len(index), count)
        if shape not in self.replays:
            self.seen[shape] = self.seen.get(shape, 0) + 1
            if self.seen[shape] <= WARM_UP:
                self.capture.warm_up(lambda: self.step(*inputs, count))
                return
            self.replays[shape] = self.capture.record(lambda: self.step(*inputs, count))
        self.replays[shape]()

    def _copied(self, *batch: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Copy the batch to the tensors that the captured work reads."""
        if self.inputs is None:
            index, noise, faces = (part.clone() for part in batch)
            self.inputs = index, noise, faces
        for ours, theirs in zip(self.inputs, batch, strict=True):
            ours.copy_(theirs)
        return self.inputs


class GraphCapture:
    """Work on the current GPU, recorded as a CUDA graph."""

    def warm_up(self, work: Callable[[], None]) -> None:
        """Run on a separate stream, as torch's documentation of graphs requires."""
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        main = torch.cuda.current_stream()
        side.wait_stream(main)
        with torch.cuda.stream(side):
            work()
        main.wait_stream(side)

    def record(self, work: Callable[[], None]) -> Callable[[], None]:
        """Capture the kernels that the work launches."""
        graph = torch.cuda.CUDAGraph()
        torch.cuda.synchronize()
        with torch.cuda.graph(graph):
            work()
        replay: Callable[[], None] = graph.replay
        return replay
