"""Which images a run trains on, and which it holds out; torch is not loaded."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from repro.training import image_counts, random_streams


@dataclass(frozen=True, slots=True)
class Split:
    """Indices of the training and the validation images."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]


def split_images(is_face: NDArray[np.bool_], *, share: float, seed: int) -> Split:
    """Hold out a share of each class, rounded, at random from the seed."""
    generator = random_streams.generator(seed, "split")
    held_out = np.concatenate(
        [
            generator.permutation(members)[: image_counts.held_out(len(members), share=share)]
            for members in (np.flatnonzero(is_face), np.flatnonzero(~is_face))
        ]
    )
    everything = np.arange(len(is_face))
    return Split(np.setdiff1d(everything, held_out), np.sort(held_out))
