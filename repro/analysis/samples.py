"""Outputs of a run for single pictures, as plain arrays for figures.

`execution.sample_faces` and `execution.draw_rates` make them from data; figures need no torch.
Pictures are uint8, RGB, shape (..., 64, 64, 3). Probabilities are those of the run's last epoch.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]
ALIKE = 0.1  # spread over faces, relative to theirs, below which decoded pictures look the same


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Faces, and their sampling probabilities.

    Attributes:
        pictures: Shape (N, 64, 64, 3).
        weights: Shape (N,); all training faces' sum to 1.
    """

    pictures: Pixels
    weights: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FaceSampling:
    """How a run with resampling samples its training faces.

    Attributes:
        faces: Number of training faces, F.
        expected: Mean probability of an adaptively drawn face over that of a uniformly drawn one.
        lowest: Faces with the lowest probability, in increasing order.
        highest: Faces with the highest probability, in decreasing order.
        uniform: A sample with equal probabilities.
        adaptive: A sample of equal size with the probabilities of the run.
        edges: Of bins of equal width from 0 to the highest probability, shape (B + 1,).
        counts: Faces in each bin, shape (B,).
        examples: A few faces of each bin, fewer if the bin has fewer.
    """

    faces: int
    expected: float
    lowest: Drawn
    highest: Drawn
    uniform: Drawn
    adaptive: Drawn
    edges: Floats
    counts: NDArray[np.int64]
    examples: tuple[Pixels, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Latents:
    """Output of the decoder of a run for held-out faces and for its latents.

    Attributes:
        originals: Held-out faces, shape (N, 64, 64, 3).
        reconstructions: Their posterior means decoded, same shape.
        by_batch: The same with the batch statistics of these faces instead of those stored in
            training.
        spread: Standard deviation of the decoded pictures over faces, divided by that of the faces;
            0 if the decoder output is the same for every face.
        spread_by_batch: The same with the batch statistics of these faces.
        interpolations: Linear interpolations between pairs in latent space, (pairs, steps, ...).
        units: Positions of the latents whose mean varies most over held-out faces.
        traversals: Each unit varied over `TRAVERSED` standard deviations, the others at their
            mean over the faces, (units, steps, ...).
    """

    originals: Pixels
    reconstructions: Pixels
    by_batch: Pixels
    spread: float
    spread_by_batch: float
    interpolations: Pixels
    units: tuple[int, ...]
    traversals: Pixels

    @property
    def is_alike(self) -> bool:
        """Whether the decoder gives every face nearly the same picture, as evaluated."""
        return self.spread < ALIKE

    @property
    def is_alike_by_batch(self) -> bool:
        """The same with the batch statistics of these faces."""
        return self.spread_by_batch < ALIKE


TRAVERSED = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Specimens:
    """One run of an arm.

    Attributes:
        arm: Its name.
        seed: Of the run.
        synthetic: Whether the faces are synthetic.
        draws: None if the run did not resample.
        latents: None if the network has none.
    """

    arm: str
    seed: int
    synthetic: bool
    draws: FaceSampling | None
    latents: Latents | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rarity:
    """How often an arm samples faces with an attribute, compared with their share.

    Attributes:
        arm: Its name.
        levels: The attributes, such as hat or darker skin; L of them.
        shares: Of the training faces of each run, in [0, 1], shape (R, L).
        multiples: Expected draws of such a face, divided by those of uniform sampling, shape
            (R, L); NaN if a run has no such face.
    """

    arm: str
    levels: tuple[str, ...]
    shares: Floats
    multiples: Floats
