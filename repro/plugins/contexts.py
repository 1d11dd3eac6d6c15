"""What a rule is told beside the latents, and what it may ask of a source run."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class SourceRun(Protocol):
    """A finished run of another arm of the same study, with the same seed and the same split.

    N are the training faces, M the training images without a face, D the latents.
    """

    @property
    def key(self) -> str:
        """Name of the run."""

    def weights(self, epoch: int) -> "Floats | None":
        """Probabilities of its training faces in an epoch, (N,), sum 1; None: an even epoch."""

    def logits_of_faces(self) -> "NDArray[np.float32]":
        """Of the training faces under its network in evaluation mode, (N,)."""

    def logits_of_nonfaces(self) -> "NDArray[np.float32]":
        """Of the training images without a face, likewise, (M,)."""

    def latents(self) -> "NDArray[np.float32]":
        """Of the training faces under its network, (N, D)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleContext:
    """What a rule is told.

    Attributes:
        epoch: Counted from 1.
        faces: Number of training faces, N, after the split.
        nonfaces: Number of training images without a face, M.
        groups: Group of each training face, (N,) strings; None if unknown.
        group_names: Groups of all labelled faces, sorted: one may have no training face left.
        losses: Classification loss of each training face under the network after the last epoch,
            in evaluation mode, (N,); None in epoch 1 and if the rule does not need it.
        random: A random stream of this rule, seed and epoch.
        run_random: A random stream of this rule and seed, the same in every epoch.
        parameters: An object of the class that the rule declares.
        settings: The study's section `resampling`.
        source: The source run; None if the arm names none.
    """

    epoch: int
    faces: int
    nonfaces: int
    groups: "NDArray[np.str_] | None"
    losses: "NDArray[np.float32] | None"
    random: "np.random.Generator"
    run_random: "np.random.Generator"
    parameters: Any
    settings: Any
    source: SourceRun | None = None
    group_names: tuple[str, ...] = ()
