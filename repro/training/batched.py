"""Many runs of one shape as one: their networks are stacked, a step trains all of them.

A GPU is hardly busy with one small network. Stacked, S networks are one network with S times the
weights, and its step launches as many kernels as that of one. Seeds and arms can be stacked if they
differ in nothing that a step computes: the seed, and how an epoch is sampled.

Each member keeps its own split, random streams, statistics, history and checkpoint; no number of
one enters another. In float64 a member's training equals that of a single run up to rounding. In
float32 it rounds otherwise, and so do products of another number of networks. The number is part of
the name of the kernels in records, and a stack can have more networks than members: they compute
what its first member computes, and nobody reads them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from repro.data.pictures.images import TrainingImages
from repro.errors import ReproError, RunFailed
from repro.plugins.catalogue import Catalogue
from repro.records.task import Source
from repro.study import methods, stacking
from repro.study.configuration import Configuration
from repro.training import networks, resumption
from repro.training.kernels import devices
from repro.training.kernels.blocked import Precision
from repro.training.kernels.operators import Convolution
from repro.training.kernels.stacked import Form, FormOf, Own, StackedKernels, member_state, stack
from repro.training.step import CapturedStep, GraphCapture, Step, Update
from repro.training.trainer import Epoch, Fit, State

OWN: tuple[Own, ...] = ("norm",)  # what CUDA kernels of this package compute beside convolutions
DIRECT_UP_TO = {"fp32": 24, "bf16": 12}  # channels of the larger map; above, `unfolded` is faster


@dataclass(frozen=True, slots=True)
class Member:
    """A run that is trained with others.

    Attributes:
        configuration: The arm.
        seed: The replicate.
        catalogue: Where its rule is found.
        source: The run that the rule starts from.
    """

    configuration: Configuration
    seed: int
    catalogue: Catalogue = methods.BUILT_IN
    source: Source | None = None

    def begun(self, data: TrainingImages, images: Tensor, state: State | None) -> Fit:
        """Its training, from a state or from the start; see `resumption.resumed`.

        Args:
            data: All labelled crops.
            images: Their pixels on the device.
            state: Of this run, or of any.
        """

        def fit(resume: State | None) -> Fit:
            return Fit(
                self.configuration,
                self.seed,
                data,
                device=str(images.device),
                resume=resume,
                images=images,
                catalogue=self.catalogue,
                source=self.source,
            )

        return resumption.resumed(fit, state)


def require_one_shape(members: Sequence[Member]) -> None:
    """Refuse runs that cannot be stacked.

    Raises:
        ReproError: One cannot be stacked at all, or they differ in a choice that a step depends on.
    """
    first = stacking.shared_settings(members[0].configuration)
    for one in members:
        network = one.configuration.used["model"]
        is_own = one.catalogue.is_own("model", network)
        if refused := stacking.refusal(one.configuration, own_network=is_own):
            raise ReproError(f"{refused[0]}: {refused[1]}; run them singly")
        settings = stacking.shared_settings(one.configuration)
        for name in sorted(first | settings):
            if first.get(name) != settings.get(name):
                raise ReproError(
                    f"{name}: runs that are trained as one network must agree in it; run them "
                    "singly"
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

    The runs that are the most epochs behind are trained first, until they meet the others.

    Attributes:
        members: One `Fit` for each run; after an epoch it has the network of the run.
        failures: What ended a member, by its position; it is computed on, but no longer noted.
    """

    def __init__(
        self,
        members: Sequence[Member],
        data: TrainingImages,
        *,
        size: int | None = None,
        device: str = "cpu",
        resume: Sequence[State | None] | None = None,
        captured: bool = True,
        form_of: FormOf | None = None,
        own: Sequence[Own] = OWN,
    ) -> None:
        """Initialise the networks, or continue from their states.

        Args:
            members: The runs.
            data: All labelled crops, which the runs share.
            size: Number of networks, not below that of the runs; None: as many.
            device: Name of a torch device: cpu, cuda:0.
            resume: The state of each, after the same or different epochs; None: from the start.
            captured: Whether a GPU replays its steps as a CUDA graph.
            form_of: How each convolution is computed; None: by `default_form`.
            own: What else is computed by CUDA kernels of this package; see `stack`.

        Raises:
            ReproError: The runs cannot be stacked.
        """
        require_one_shape(members)
        images = torch.from_numpy(data.images).to(device)
        states = resume or [None] * len(members)
        pairs = zip(members, states, strict=True)
        self.members = [member.begun(data, images, state) for member, state in pairs]
        self.failures: dict[int, RunFailed] = {}
        self.choices, self.device = members[0].configuration, torch.device(device)
        self.size = len(members) if size is None else size
        copies = [self.members[0].model] * (self.size - len(members))
        form_of = form_of or default_form(self.choices.precision)
        self.network = stack([*(one.model for one in self.members), *copies], form_of, own=own)
        self.step = self._step(images)
        self.update: Update = self.step
        if captured and devices.records_graphs(self.device):
            self.update = CapturedStep(self.step, GraphCapture())
        self._placed: set[int] = set()  # members whose training is that of their network
        self._running: list[int] = []  # members that are trained in this epoch
        self._drawn_for: list[int] = []  # the member whose batches each network is trained on

    def _step(self, images: Tensor) -> Step:
        """The update of all networks; of a member that weights its losses, each has factors."""
        kernels = StackedKernels(self.choices.precision)
        step = Step(self.choices, self.network, images, kernels=kernels, members=(self.size,))
        if any(member.step.loss_weights is not None for member in self.members):
            step.loss_weights = torch.ones((self.size, len(images)), device=self.device)
        return step

    def epochs(self) -> Iterator[dict[int, Epoch]]:
        """Train the remaining epochs; yield the histories of each, by position of the member.

        Members that have failed are missing, and so are those that wait for the ones behind. It
        ends early if all have failed.
        """
        while self.goes_on:
            batches = self.draw()
            self.train(batches)
            yield self._ended(batches[0].size)

    @property
    def goes_on(self) -> bool:
        """Whether a member that has not failed has epochs left."""
        return bool(self.remaining())

    def remaining(self) -> list[int]:
        """The positions of members that have epochs left and have not failed."""
        pairs = enumerate(self.members)
        return [n for n, member in pairs if n not in self.failures and member.goes_on]

    def _behind(self) -> list[int]:
        """Those among them with the fewest epochs, which are trained next."""
        remaining = self.remaining()
        fewest = min((self.members[n].number for n in remaining), default=0)
        return [n for n in remaining if self.members[n].number == fewest]

    def states(self) -> list[State]:
        """The state of each member after its completed epochs, as of a single run."""
        return [self.state(number) for number in range(len(self.members))]

    def state(self, number: int) -> State:
        """The state of the member at a position; the next epoch changes its tensors."""
        member = self.members[number]
        if number in self._placed:
            for stacked, parameter in self._parameters(member):
                member.step.optimiser.state[parameter] = {
                    name: moment[number] if moment.ndim else moment
                    for name, moment in self.step.optimiser.state[stacked].items()
                }
        return member.state()

    def _parameters(self, member: Fit) -> Iterator[tuple[Tensor, Tensor]]:
        """Each parameter of the network, and the member's own."""
        return zip(self.network.parameters(), member.model.parameters(), strict=True)

    def _place(self, number: int) -> None:
        """Give a member that was restored, or has waited, its network and Adam's moments."""
        member = self.members[number]
        own = member.model.state_dict()
        for name, values in member_state(self.network, number).items():
            values.copy_(own[name])
        for stacked, parameter in self._parameters(member):
            state = self.step.optimiser.state[stacked]
            for name, moment in member.step.optimiser.state[parameter].items():
                if name not in state:
                    like = stacked if moment.ndim else moment
                    state[name] = torch.zeros_like(like, memory_format=torch.contiguous_format)
                (state[name][number] if moment.ndim else state[name]).copy_(moment)
        self._placed.add(number)

    def draw(self) -> list[NDArray[np.int64]]:
        """The batches of the next epoch for each network, (steps, B).

        One without a member that is trained now computes what the first of those computes.
        """
        drawn: dict[int, NDArray[np.int64]] = {}
        for number in self._behind():
            if number not in self._placed:
                self._place(number)
            try:
                drawn[number] = self.members[number].draw(self.members[number].number)
            except RunFailed as failure:
                self.failures[number] = failure
        self._running = list(drawn)
        first = next(iter(drawn), 0)
        self._drawn_for = [n if n in drawn else first for n in range(self.size)]
        self._weigh_losses()
        nothing = np.empty((0, self.choices.batch_size), np.int64)
        return [drawn.get(number, nothing) for number in self._drawn_for]

    def _weigh_losses(self) -> None:
        """Set the factors of the images' losses in place, for a step that was captured."""
        if self.step.loss_weights is None:
            return
        for factors, number in zip(self.step.loss_weights, self._drawn_for, strict=True):
            own = self.members[number].step.loss_weights
            factors.fill_(1) if own is None else factors.copy_(own)

    def train(self, batches: Sequence[NDArray[np.int64]]) -> None:
        """All updates of an epoch, without synchronising with the device."""
        numbers = self._drawn_for
        pairs = [(self.members[n], own) for n, own in zip(numbers, batches, strict=True)]
        faces = np.stack([member.is_face[own].sum(axis=1) for member, own in pairs], axis=1)
        index = np.stack([member.split.train[own] for member, own in pairs], axis=1)
        places, counts = (torch.from_numpy(made).to(self.device) for made in (index, faces))
        noise_of = {n: self.members[n].noise(len(index)) for n in dict.fromkeys(numbers)}
        noise = torch.stack([noise_of[n] for n in numbers], dim=1)
        self.step.totals.zero_()
        self.network.train()
        if self.choices.batch_norm == "stored":
            networks.keep_statistics(self.network)
        for step in range(len(index)):
            self.update(places[step], noise[step], counts[step], 0)

    def _ended(self, images: int) -> dict[int, Epoch]:
        """Give each member its network; let it validate and note its epoch."""
        epochs: dict[int, Epoch] = {}
        for number in self._running:
            member = self.members[number]
            member.model.load_state_dict(member_state(self.network, number))
            try:
                epochs[number] = member.ended(self.step.totals[:, number], images)
            except RunFailed as failure:
                self.failures[number] = failure
        return epochs
