"""What a run's network and draws make of single pictures, as plain arrays for figures.

`gallery` and `rarity` make them, with torch and the data; whoever draws needs neither.
Pictures are uint8, RGB, shape (..., 64, 64, 3). Probabilities are those of the run's last epoch.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Faces, and the probability with which resampling draws each.

    Attributes:
        pictures: Shape (N, 64, 64, 3).
        weights: Shape (N,); all training faces' sum to 1.
    """

    pictures: Pixels
    weights: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FaceSampling:
    """How a resampled run draws its training faces.

    Attributes:
        faces: How many there are, F.
        expected: Mean probability of an adaptively drawn face over that of a uniformly drawn one.
        lowest: Those with the lowest probability, the lowest first.
        highest: Those with the highest, the highest first.
        uniform: Some drawn with equal chances.
        adaptive: As many drawn with the run's probabilities.
        edges: Of bins of equal width from 0 to the highest probability, shape (B + 1,).
        counts: Faces in each bin, shape (B,).
        examples: A few faces of each bin; as many as it has, if fewer.
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
    """What a run's decoder makes of held-out faces and of its latents.

    Attributes:
        originals: Held-out faces, shape (N, 64, 64, 3).
        reconstructions: Their posterior means decoded, same shape.
        by_batch: The same with batch normalisation by these faces instead of by what it kept from
            training.
        spread: Standard deviation of the decoded pictures over faces, over that of the faces; 0
            where the decoder makes the same of every face.
        spread_by_batch: The same with batch normalisation by these faces.
        interpolations: Straight ways between pairs of them in latent space, (pairs, steps, ...).
        units: Positions of the latents whose mean varies most over held-out faces.
        traversals: Each of them moved through `TRAVERSED` of its standard deviations, the others
            at their mean over the faces, (units, steps, ...).
    """

    originals: Pixels
    reconstructions: Pixels
    by_batch: Pixels
    spread: float
    spread_by_batch: float
    interpolations: Pixels
    units: tuple[int, ...]
    traversals: Pixels


TRAVERSED = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Specimens:
    """One run of an arm.

    Attributes:
        arm: Its name.
        seed: Of the run.
        synthetic: Whether the faces are the project's own.
        draws: None if the run never resampled.
        latents: None if the network has none.
    """

    arm: str
    seed: int
    synthetic: bool
    draws: FaceSampling | None
    latents: Latents | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rarity:
    """How often an arm draws the faces that show something, against how many there are.

    Attributes:
        arm: Its name.
        levels: What is shown: hat, darker skin; L of them.
        shares: Of the training faces of each run, in [0, 1], shape (R, L).
        multiples: Draws of such a face over those of uniform drawing, shape (R, L); NaN where a run
            has no such face.
    """

    arm: str
    levels: tuple[str, ...]
    shares: Floats
    multiples: Floats
