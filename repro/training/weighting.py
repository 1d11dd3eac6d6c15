"""A run's rule at work: what it is given in each epoch, and what of its answer is used."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from repro.errors import ReproError, RunFailed
from repro.losses import formulas
from repro.models import DebiasingVae, Model
from repro.plugins import calls
from repro.plugins.contexts import RuleContext, SourceRun
from repro.plugins.declared import Plugin
from repro.resampling import DegenerateWeights
from repro.study import methods
from repro.study.configuration import Configuration
from repro.training import inference, random_streams

Floats = NDArray[np.float64]
SUM = 1e-9  # tolerance for the sum of probabilities


@dataclass(frozen=True, slots=True)
class Weights:
    """Probabilities of the training images in an epoch, each kind with sum 1.

    Attributes:
        faces: Shape (N,), in the order of the split.
        nonfaces: Shape (M,), likewise; None: all alike.
    """

    faces: Floats
    nonfaces: Floats | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a rule may see of a run.

    Attributes:
        model: The network, as it is trained.
        images: Stored pixels, uint8 (I, 64, 64, 3).
        faces: Positions of the training faces among them, int64 (N,), on their device.
        nonfaces: Number of training images without a face, M.
        groups: Group of each training face, (N,) strings; None if unknown.
        group_names: All groups of faces in the data, sorted.
        source: The run that the rule starts from; None without one.
    """

    model: Model
    images: Tensor
    faces: Tensor
    nonfaces: int
    groups: NDArray[np.str_] | None = None
    group_names: tuple[str, ...] = ()
    source: SourceRun | None = None


class Weighting:
    """The rule of one run.

    Attributes:
        on_loss: Whether its probabilities weight the losses of even draws, instead of drawing.
        noise: The stream of sampled latents, which a checkpoint keeps.
    """

    def __init__(self, rule: Plugin, choices: Configuration, seed: int, seen: Seen) -> None:
        """Check that it has what it needs.

        Args:
            rule: Of the run, built in or a plug-in.
            choices: Of the run.
            seed: The replicate.
            seen: The run's own.

        Raises:
            ReproError: Groups, latents or a source run are missing.
        """
        self._rule, self._choices, self._seed, self._seen = rule, choices, seed, seen
        self._parameters = rule.typed(choices.resampling.parameters)
        self.on_loss = rule.scope == "loss"
        self.noise = random_streams.torch_generator(seed, "density noise")
        self._is_repeatable = False  # as far as is known of a plug-in
        self._require_needs()

    def _require_needs(self) -> None:
        name, needs, seen = self._rule.name, self._rule.needs, self._seen
        if "latents" in needs and not isinstance(seen.model, DebiasingVae):
            raise ReproError(f"resampling.rule: {name} needs latents, which a classifier lacks")
        if "source" in needs and seen.source is None:
            raise ReproError(f"resampling.of: {name} needs the arm whose run it starts from")
        if methods.needs_groups(self._rule, self._choices.resampling.parameters):
            _require_groups(name, seen.groups)

    def at(self, epoch: int) -> Weights | None:
        """The weights of an epoch, before it is trained.

        Args:
            epoch: From 1.

        Returns:
            None for an even epoch: the rule says so, or it follows the network, and the first
            epoch is to be uniform.

        Raises:
            RunFailed: The latents cannot be used, or the weights not computed.
            PluginError: The rule is a plug-in and failed, or what it returned is wrong.
        """
        first = self._choices.resampling.first_epoch
        if epoch == 1 and first == "uniform" and methods.follows_network(self._rule):
            return None
        latents = self._latents(epoch) if "latents" in self._rule.needs else None
        with degenerate_weights_fail(epoch):
            found = self._answer(latents, epoch)
            if self._rule.origin is not None and not self._is_repeatable:
                self._require_same(found, self._answer(latents, epoch))
            return found

    def _answer(self, latents: NDArray[np.float32] | None, epoch: int) -> Weights | None:
        return self._checked(calls.call(self._rule, latents, self._context(epoch)))

    def _require_same(self, found: Weights | None, again: Weights | None) -> None:
        """Refuse a plug-in that answers the same question in two ways."""
        if not _are_equal(found, again):
            raise calls.refuse(
                self._rule,
                "it returned other values when it was called again with the same arguments: take "
                "random numbers from context.random alone, and keep nothing between two calls",
            )
        self._is_repeatable = True

    def _context(self, epoch: int) -> RuleContext:
        seen, stream = self._seen, f"rule/{self._rule.name}"
        return RuleContext(
            epoch=epoch,
            faces=len(seen.faces),
            nonfaces=seen.nonfaces,
            groups=None if seen.groups is None else calls.read_only(seen.groups),
            group_names=seen.group_names,
            losses=self._losses() if "losses" in self._rule.needs and epoch > 1 else None,
            random=random_streams.generator(self._seed, f"{stream}/{epoch}"),
            run_random=random_streams.generator(self._seed, stream),
            parameters=self._parameters,
            settings=self._choices.resampling,
            source=seen.source,
        )

    def _losses(self) -> NDArray[np.float32]:
        """Classification loss of the training faces, in evaluation mode."""
        logits = inference.logits(self._seen.model, self._seen.images, self._seen.faces)
        losses = formulas.classification(logits, torch.ones(len(logits), dtype=torch.bool))
        return calls.read_only(losses.numpy())

    def _latents(self, epoch: int) -> NDArray[np.float32]:
        """Latents of the training faces: posterior means, or samples.

        Raises:
            RunFailed: They are not finite.
        """
        model, faces = self._seen.model, self._seen.faces
        assert isinstance(model, DebiasingVae)
        rule, images = self._choices.resampling, self._seen.images
        if rule.channels == "reversed":
            images = images.flip(-1)
        white = 1.0 if rule.pixels == "unit" else 255.0
        if rule.latents == "mean":
            latents = inference.latent_means(model, images, faces, white=white)
        else:
            encoding = inference.encode(model, images, faces, white=white)
            mean, logvar = encoding.latent_mean, encoding.latent_logvar
            noise = torch.randn(mean.shape, generator=self.noise)
            latents = formulas.reparameterise(mean, logvar, noise, times=self._choices.latent_noise)
        if not torch.isfinite(latents).all():
            raise RunFailed(epoch=epoch, term="latents", reason="not finite before resampling")
        return calls.read_only(latents.numpy())

    def _checked(self, found: Any) -> Weights | None:
        """What a rule returned, if it can be used as it is."""
        if found is None:
            return None
        seen = self._seen
        if not isinstance(found, tuple):
            return Weights(self._probabilities(found, len(seen.faces), "face"))
        if len(found) != 2:
            raise calls.refuse(
                self._rule,
                f"it returned {len(found)} arrays: return the probabilities of the training faces, "
                "or a pair with those of the other training images",
            )
        faces, others = found
        return Weights(
            self._probabilities(faces, len(seen.faces), "face"),
            self._probabilities(others, seen.nonfaces, "image without a face"),
        )

    def _probabilities(self, found: Any, count: int, what: str) -> Floats:
        wrong = problem(found, count)
        if wrong:
            raise calls.refuse(
                self._rule,
                f"it returned {wrong}: return a probability for each training {what}, float64 of "
                f"shape ({count},), used as they are, so that their sum is 1",
            )
        return np.array(found)


def _are_equal(one: Weights | None, other: Weights | None) -> bool:
    """Whether both are the same to the bit."""
    if one is None or other is None:
        return one is other
    pairs = ((one.faces, other.faces), (one.nonfaces, other.nonfaces))
    return all(a is b or np.array_equal(a, b) for a, b in pairs)  # type: ignore[arg-type]


@contextmanager
def degenerate_weights_fail(epoch: int) -> Iterator[None]:
    """Fail the run if the weights cannot be computed, or not be drawn by."""
    try:
        yield
    except DegenerateWeights as error:
        raise RunFailed(epoch=epoch, term="resampling weights", reason=str(error)) from error


def problem(found: Any, count: int) -> str:
    """Why these are not `count` probabilities to use as they are; empty if they are."""
    is_array = isinstance(found, np.ndarray)
    if not is_array or found.dtype != np.float64 or found.shape != (count,):
        return calls.described(found)
    if not np.isfinite(found).all():
        return f"{np.count_nonzero(~np.isfinite(found)):,} values that are not finite"
    if (found < 0).any():
        return f"{np.count_nonzero(found < 0):,} values below 0"
    if abs(total := float(found.sum()) - 1) > SUM:
        return f"values with the sum {total + 1:.12g}"
    return ""


def _require_groups(name: str, groups: NDArray[np.str_] | None) -> None:
    if groups is None:
        raise ReproError(
            f"resampling.rule: {name} needs the group of each training face, and the data have "
            "none; `repro data prepare --group COLUMN` writes them"
        )
    if without := np.count_nonzero(groups == ""):
        raise ReproError(
            f"resampling.rule: {name} needs the group of each training face, and {without:,} of "
            f"{len(groups):,} have none"
        )


def groups_of(
    groups: Sequence[str] | None, positions: NDArray[np.int64]
) -> NDArray[np.str_] | None:
    """The groups of some images, (N,); None if the data have none."""
    return None if groups is None else np.array(groups, dtype=np.str_)[positions]
