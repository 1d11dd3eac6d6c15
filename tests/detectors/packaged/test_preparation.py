"""How pictures are handed to the detectors."""

import numpy as np

from repro.detectors.packaged.preparation import CROP, Preparation


def grey(height, width, level=100):
    """A picture of one colour."""
    return np.full((height, width, 3), level, dtype=np.uint8)


def test_a_photograph_stays_as_it_is():
    """Of more than 100 pixels and at most 1,024."""
    picture = np.random.default_rng(0).integers(0, 256, (101, 200, 3), dtype=np.uint8)

    assert (Preparation()(picture) == picture).all()


def test_a_small_picture_is_a_crop_which_is_enlarged_to_160_and_padded_to_320():
    """Half a face on every side."""
    assert Preparation()(grey(64, 64)).shape == (320, 320, 3)
    assert Preparation()(grey(50, CROP)).shape == (160, 320, 3)


def test_crops_of_any_size_are_padded_where_the_source_has_crops():
    """One larger than 160 pixels is not enlarged."""
    assert Preparation(crops=True)(grey(200, 180)).shape == (400, 360, 3)


def test_a_padded_border_repeats_the_outermost_pixels():
    """A bright left column fills the left, and no other value appears."""
    picture = grey(200, 200)
    picture[:, 0] = 250

    padded = Preparation(crops=True)(picture)

    assert (padded[:, :101] == 250).all()
    assert (padded[:, 101:] == 100).all()


def test_no_prepared_picture_is_longer_than_1024():
    """A photograph and a padded crop keep their proportions."""
    assert Preparation()(grey(2048, 1000)).shape == (1024, 500, 3)
    assert Preparation(crops=True)(grey(1000, 800)).shape == (1024, 819, 3)
    assert Preparation()(grey(4000, 1)).shape == (1024, 1, 3)


def test_what_is_prepared_lies_in_memory_in_order():
    """Compiled code reads it by rows."""
    assert Preparation()(grey(200, 300)[:, ::-1]).flags.c_contiguous
    assert Preparation(crops=True)(grey(200, 300)[::2]).flags.c_contiguous
