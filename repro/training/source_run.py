"""The finished run on which another run depends, as its rule or objective sees it.

The files of its record travel in the task (`records.task.Source`), so that a worker on another
machine needs no results folder. What is computed with its network is computed when first asked for.
"""

from functools import cached_property

import numpy as np
import safetensors.torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor

from repro.errors import ReproError
from repro.models import DebiasingVae, Model
from repro.records import epoch_weights
from repro.records.records import EPOCH_WEIGHTS, MODEL, WEIGHTS
from repro.records.task import Source
from repro.study import methods
from repro.training import inference, networks

OF_EARLIER_RELEASE = (
    "was made by an earlier release, which kept the weights of its last resampled epoch only: "
    "move its folder out of results/runs, and `repro run` trains it again and keeps them all"
)


class SourceRun:
    """A finished run of the same seed, on the images of the run that depends on it.

    Both hold out the same images, so arrays have the order of this run's training faces (N) and
    training photographs without a face (M).
    """

    def __init__(
        self,
        source: Source,
        images: Tensor,
        *,
        faces: Tensor,
        nonfaces: Tensor,
    ) -> None:
        """Nothing is read yet.

        Args:
            source: Of the task, with its files.
            images: All labelled crops, uint8 (I, 64, 64, 3), on the device of the run.
            faces: Positions of the training faces among them, int64 (N,), on that device.
            nonfaces: Positions of the other training images, int64 (M,), on that device.
        """
        self._source, self._images = source, images
        self._faces, self._nonfaces = faces, nonfaces

    @property
    def key(self) -> str:
        """The key of its record."""
        return self._source.key

    def weights(self, epoch: int) -> NDArray[np.float64] | None:
        """Probabilities with which it drew the training faces in an epoch.

        Args:
            epoch: From 1.

        Returns:
            Shape (N,), sum 1; None if all faces were drawn alike in that epoch.

        Raises:
            ReproError: An earlier release made it, or its weights are of other faces.
        """
        return self._epoch_weights.get(epoch)

    def logits_of_faces(self) -> NDArray[np.float32]:
        """Logit of each training face in evaluation mode, (N,)."""
        return self._logits[0]

    def logits_of_nonfaces(self) -> NDArray[np.float32]:
        """Logit of each other training image in evaluation mode, (M,)."""
        return self._logits[1]

    def latents(self) -> NDArray[np.float32]:
        """Posterior mean of each training face, (N, D).

        Raises:
            ReproError: It is a classifier, which has no latents.
        """
        return self._latents

    @cached_property
    def _logits(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        both = (self._faces, self._nonfaces)
        faces, others = (inference.logits(self._network, self._images, one) for one in both)
        return faces.numpy(), others.numpy()

    @cached_property
    def _latents(self) -> NDArray[np.float32]:
        if not isinstance(self._network, DebiasingVae):
            raise self._refused("it is a classifier, which has no latents: name an arm that has")
        return inference.latent_means(self._network, self._images, self._faces).numpy()

    def network(self) -> dict[str, Tensor]:
        """The state of its network at its checkpoint, on the CPU; a new copy each time.

        Raises:
            ReproError: Its file holds no tensors.
        """
        try:
            return safetensors.torch.load(self._source.files[MODEL])
        except (KeyError, SafetensorError) as error:
            raise self._refused(f"{MODEL} cannot be read ({error})") from None

    @cached_property
    def _network(self) -> Model:
        choices = self._source.configuration
        catalogue = methods.with_plugins(self._source.plugins.values())
        model = networks.build(choices, 0, catalogue)
        try:
            model.load_state_dict(self.network())
        except RuntimeError as error:
            raise self._refused(f"its network is another one ({error})") from None
        return model.to(self._images.device)

    @cached_property
    def _epoch_weights(self) -> epoch_weights.ByEpoch:
        files = self._source.files
        if EPOCH_WEIGHTS not in files:
            if WEIGHTS in files:
                raise self._refused(OF_EARLIER_RELEASE)
            return {}
        try:
            return epoch_weights.unpack(files[EPOCH_WEIGHTS], len(self._faces))
        except ValueError as error:
            raise self._refused(f"{EPOCH_WEIGHTS}: {error}") from None

    def _refused(self, why: str) -> ReproError:
        return ReproError(f"source run {self.key} ({self._source.arm}): {why}")
