"""What is held out."""

import numpy as np

from repro.training.image_split import split_images


def test_the_split_is_stratified_and_from_the_seed():
    """A fifth of each class is held out, the same fifth for the same seed."""
    is_face = np.arange(100) < 30
    split = split_images(is_face, share=0.2, seed=5)
    again = split_images(is_face, share=0.2, seed=5)

    assert is_face[split.validation].sum() == 6
    assert len(split.validation) == 20
    assert sorted([*split.train, *split.validation]) == list(range(100))
    assert np.array_equal(split.validation, again.validation)
