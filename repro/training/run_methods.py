"""A run's rule and objective, found by name and given what they may see of the run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from repro.data.pictures.images import TrainingImages
from repro.errors import ReproError
from repro.models import Model
from repro.plugins.catalogue import Catalogue
from repro.plugins.declared import Kind, Plugin
from repro.records.task import Source
from repro.study.configuration import STANDARD, Configuration
from repro.training import running_objective
from repro.training.image_split import Split
from repro.training.objective import ObjectiveContext
from repro.training.running_objective import RunningObjective
from repro.training.source_run import SourceRun
from repro.training.weighting import Seen, Weighting, groups_of


@dataclass(frozen=True, slots=True)
class Run:
    """A run before its first epoch.

    Attributes:
        choices: The arm.
        seed: The replicate.
        data: All labelled crops.
        split: Which of them train.
        images: Their pixels on the device, uint8 (M, 64, 64, 3).
        model: The network, on the device.
        catalogue: Where rule and objective are found.
        source: The run that one of them starts from; None without one.
    """

    choices: Configuration
    seed: int
    data: TrainingImages
    split: Split
    images: Tensor
    model: Model
    catalogue: Catalogue
    source: Source | None

    def method(self, kind: Kind, name: str, key: str) -> Plugin:
        """The rule or objective of this name.

        Raises:
            ReproError: There is none.
        """
        found = self.catalogue.find(kind, name)
        if found is None:
            raise ReproError(f"{key}: there is no {kind} {name!r}")
        return found

    def positions(self, *, faces: bool) -> Tensor:
        """Of the training images with a face, or without one, on the device."""
        train = self.split.train
        return self.on_device(train[self.data.is_face[train] == faces])

    def on_device(self, values: NDArray[Any]) -> Tensor:
        """A copy of the values where the images are: an objective may write into it."""
        return torch.tensor(values, device=self.images.device)

    def source_run(self) -> SourceRun | None:
        """The source run as its rule or objective sees it."""
        if self.source is None:
            return None
        faces, nonfaces = (self.positions(faces=kind) for kind in (True, False))
        return SourceRun(self.source, self.images, faces=faces, nonfaces=nonfaces)


def weighting(run: Run) -> Weighting:
    """The rule of the run, with what it may see.

    Raises:
        ReproError: There is none of this name, or something that it needs is missing.
    """
    data, train = run.data, run.split.train
    known = {*data.groups} - {""} if data.groups else set()
    faces = run.positions(faces=True)
    seen = Seen(
        model=run.model,
        images=run.images,
        faces=faces,
        nonfaces=len(train) - len(faces),
        groups=groups_of(data.groups, train[data.is_face[train]]),
        group_names=tuple(sorted(known)),
        source=run.source_run(),
    )
    rule = run.method("rule", run.choices.resampling.rule, "resampling.rule")
    return Weighting(rule, run.choices, run.seed, seen)


def objective(
    run: Run, random: torch.Generator, new_classifier: Callable[[], Model]
) -> RunningObjective | None:
    """The objective of the run, with what it may see; None: the standard one.

    Args:
        run: The run.
        random: The objective's own stream, on the device.
        new_classifier: See `ObjectiveContext`.

    Raises:
        ReproError: There is none of this name, or something that it needs is missing.
        PluginError: It is a plug-in and failed.
    """
    chosen, data = run.choices.objective, run.data
    if chosen.name == STANDARD:
        return None
    found = run.method("objective", chosen.name, "objective.name")
    groups, names = running_objective.numbered(data.groups, len(data.is_face))
    context = ObjectiveContext(
        parameters=found.typed(chosen.parameters),
        settings=run.choices,
        model=run.model,
        images=run.images,
        is_face=run.on_device(data.is_face),
        groups=run.on_device(groups),
        group_names=names,
        train=run.on_device(run.split.train),
        validation=run.on_device(run.split.validation),
        random=random,
        new_classifier=new_classifier,
        source=run.source_run(),
    )
    return RunningObjective(found, context)
