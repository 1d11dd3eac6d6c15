"""Many runs of one shape as one: their networks are stacked, a step trains all of them.

A GPU is hardly busy with one small network. Stacked, S networks are one network with S times the
weights, and its step launches as many kernels as that of one. Seeds and arms can be stacked if they
differ in nothing that a step computes: the seed, and how an epoch is sampled.

Each member keeps its own split, random streams, statistics, history and checkpoint; no number of
one enters another. In float64 a member's training equals that of a single run up to rounding. In
float32 it rounds otherwise, so that `KERNELS` is another name of kernels in records.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from repro.data.pictures.images import TrainingImages
from repro.errors import ReproError, RunFailed
from repro.study.configuration import STANDARD, Configuration
from repro.training.kernels import devices
from repro.training.kernels.blocked import Precision
from repro.training.kernels.operators import Convolution
from repro.training.kernels.stacked import Form, FormOf, Own, StackedKernels, member_state, stack
from repro.training.step import CapturedStep, GraphCapture, Step, Update
from repro.training.trainer import Epoch, Fit, State, keep_statistics

KERNELS = "stacked"
OWN: tuple[Own, ...] = ("norm",)  # what CUDA kernels of this package compute beside convolutions
DIRECT_UP_TO = {"fp32": 24, "bf16": 12}  # channels of the larger map; above, `unfolded` is faster
_OF_EACH = ("resampling", "checkpoint", "windows", "data")  # choices in which members may differ


def require_one_shape(configurations: Sequence[Configuration]) -> None:
    """Refuse runs that cannot be stacked.

    Raises:
        ReproError: They differ in a choice that a step depends on, decode faces only, or have an
            objective of their own.
    """
    first = configurations[0]
    for name in sorted(set(Configuration.model_fields) - set(_OF_EACH)):
        if any(getattr(other, name) != getattr(first, name) for other in configurations):
            raise ReproError(
                f"{name}: runs that are trained as one network must agree in it; run them singly"
            )
    if first.objective.name != STANDARD:
        raise ReproError(
            f"objective.name: {first.objective.name} follows one network, and cannot be trained "
            "with others as one; run them singly"
        )
    if first.decoder_input == "faces":
        raise ReproError(
            "decoder_input: with faces, batches have a different shape in each run, which cannot "
            "be trained as one network; choose all, or run them singly"
        )


def default_form(precision: Precision) -> FormOf:
    """How a convolution that halves or doubles the sides is computed: as measured on an H200.

    Where there are no kernels for ``direct``, as on a CPU, the stack computes ``unfolded``.
    """

    def form_of(convolution: Convolution) -> Form:
        return "direct" if convolution.weight.shape[1] <= DIRECT_UP_TO[precision] else "unfolded"

    return form_of


class BatchedFit:
    """The training of many runs: their epochs, the states after each, and the members.

    Attributes:
        members: One `Fit` for each run; after an epoch it has the network of the run.
        failures: What ended a member, by its position; it is computed on, but no longer noted.
    """

    def __init__(
        self,
        runs: Sequence[tuple[Configuration, int]],
        data: TrainingImages,
        *,
        device: str = "cpu",
        resume: Sequence[State] | None = None,
        captured: bool = True,
        form_of: FormOf | None = None,
        own: Sequence[Own] = OWN,
    ) -> None:
        """Initialise the networks, or continue from their states.

        Args:
            runs: Configuration and seed of each.
            data: All labelled crops, which the runs share.
            device: Name of a torch device: cpu, cuda:0.
            resume: The states of all runs after the same epoch; None: from the start.
            captured: Whether a GPU replays its steps as a CUDA graph.
            form_of: How each convolution is computed; None: by `default_form`.
            own: What else is computed by CUDA kernels of this package; see `stack`.

        Raises:
            ReproError: The runs have different shapes.
        """
        require_one_shape([configuration for configuration, _ in runs])
        images = torch.from_numpy(data.images).to(device)
        states: Sequence[State | None] = resume or [None] * len(runs)
        self.members = [
            Fit(configuration, seed, data, device=device, resume=state, images=images)
            for (configuration, seed), state in zip(runs, states, strict=True)
        ]
        self.failures: dict[int, RunFailed] = {}
        self.choices, self.device = runs[0][0], torch.device(device)
        form_of = form_of or default_form(self.choices.precision)
        self.network = stack([member.model for member in self.members], form_of, own=own)
        kernels = StackedKernels(self.choices.precision)
        self.step = Step(self.choices, self.network, images, kernels=kernels, members=(len(runs),))
        self.update: Update = self.step
        if captured and devices.records_graphs(self.device):
            self.update = CapturedStep(self.step, GraphCapture())
        if any(member.step.loss_weights is not None for member in self.members):
            of_each = (len(runs), len(images))
            self.step.loss_weights = torch.ones(of_each, device=self.device)
        self.completed = len(self.members[0].history)
        if resume is not None:
            self._stack_moments()

    def epochs(self) -> Iterator[dict[int, Epoch]]:
        """Train the remaining epochs; yield the histories of each, by position of the member.

        Members that have failed are missing. It ends early if all have.
        """
        while self.goes_on:
            batches = self.draw()
            self.train(batches)
            self.completed += 1
            yield self._ended(batches[0].size)

    @property
    def goes_on(self) -> bool:
        """Whether epochs remain, and members that have not failed."""
        return self.completed < self.choices.epochs and len(self.failures) < len(self.members)

    def states(self) -> list[State]:
        """The state of each member after the completed epochs, as of a single run."""
        for number, member in enumerate(self.members):
            for stacked, parameter in self._parameters(member):
                member.step.optimiser.state[parameter] = {
                    name: moment[number] if moment.ndim else moment
                    for name, moment in self.step.optimiser.state[stacked].items()
                }
        return [member.state() for member in self.members]

    def _parameters(self, member: Fit) -> Iterator[tuple[Tensor, Tensor]]:
        """Each parameter of the network, and the member's own."""
        return zip(self.network.parameters(), member.model.parameters(), strict=True)

    def _stack_moments(self) -> None:
        """Take over Adam's moments from the restored members."""
        moments_of = [member.step.optimiser.state for member in self.members]
        own = zip(*(member.model.parameters() for member in self.members), strict=True)
        for stacked, parameters in zip(self.network.parameters(), own, strict=True):
            moments = [of[one] for of, one in zip(moments_of, parameters, strict=True)]
            self.step.optimiser.state[stacked] = {
                name: torch.stack([m[name] for m in moments]).contiguous() if first.ndim else first
                for name, first in moments[0].items()
            }

    def draw(self) -> list[NDArray[np.int64]]:
        """The batches of each member; one that fails is computed on with its successor's."""
        drawn: dict[int, NDArray[np.int64]] = {}
        for number, member in self._running():
            try:
                drawn[number] = member.draw(self.completed + 1)
            except RunFailed as failure:
                self.failures[number] = failure
            if self.step.loss_weights is not None and member.step.loss_weights is not None:
                self.step.loss_weights[number].copy_(member.step.loss_weights)
        placeholder = next(iter(drawn.values()), self._no_batches())
        return [drawn.get(number, placeholder) for number in range(len(self.members))]

    def _no_batches(self) -> NDArray[np.int64]:
        return np.empty((0, self.choices.batch_size), np.int64)

    def _running(self) -> list[tuple[int, Fit]]:
        """The members that have not failed, with their positions."""
        pairs = enumerate(self.members)
        return [(number, member) for number, member in pairs if number not in self.failures]

    def train(self, batches: Sequence[NDArray[np.int64]]) -> None:
        """All updates of an epoch, without synchronising with the device."""
        pairs = list(zip(self.members, batches, strict=True))
        faces = np.stack([member.is_face[own].sum(axis=1) for member, own in pairs], axis=1)
        index = np.stack([member.split.train[own] for member, own in pairs], axis=1)
        places, counts = (torch.from_numpy(made).to(self.device) for made in (index, faces))
        noise = torch.stack([member.noise(len(own)) for member, own in pairs], dim=1)
        self.step.totals.zero_()
        self.network.train()
        if self.choices.batch_norm == "stored":
            keep_statistics(self.network)
        for step in range(len(index)):
            self.update(places[step], noise[step], counts[step], 0)

    def _ended(self, images: int) -> dict[int, Epoch]:
        """Give each member its network; let it validate and note its epoch."""
        epochs: dict[int, Epoch] = {}
        for number, member in self._running():
            member.model.load_state_dict(member_state(self.network, number))
            try:
                epochs[number] = member.ended(self.step.totals[:, number], images)
            except RunFailed as failure:
                self.failures[number] = failure
        return epochs
