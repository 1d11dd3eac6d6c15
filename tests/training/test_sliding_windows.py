import numpy as np
import pytest

from repro.training.sliding_windows import (
    corners,
    sliding_windows,
    whole_window,
    window_sizes,
)

RULE = {"sizes": 5, "smallest": 0.5, "stride": 0.2, "resize": "nearest"}


@pytest.mark.parametrize(("height", "count"), [(256, 58), (320, 85), (384, 117)])
def test_the_number_of_windows_is_the_labs(height, count):
    """58, 85 and 117 windows for portraits 1, 1.25 and 1.5 times as high as wide."""
    photograph = np.zeros((height, 256, 3), dtype=np.uint8)

    assert sliding_windows(photograph, **RULE).shape == (count, 64, 64, 3)


def test_window_sizes_run_from_half_the_width_to_the_width():
    """Five sizes, equally spaced, rounded down."""
    assert window_sizes(101, sizes=5, smallest=0.5) == [50, 63, 75, 88, 101]


def test_windows_lie_wholly_inside():
    """The last corner leaves room for the window."""
    assert corners(256, 128, stride=0.2).tolist() == [0, 25, 50, 75, 100, 125]


def test_nearest_takes_every_second_pixel_of_a_128_window():
    """Pixel i of 64 is source pixel floor(i * size / 64)."""
    photograph = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)

    windows = sliding_windows(photograph, **RULE | {"sizes": 1, "smallest": 1.0})

    np.testing.assert_array_equal(windows[0], photograph[::2, ::2])


def test_windows_of_the_smallest_size_come_row_by_row():
    """A 64-pixel window needs no resizing, so it is the photograph's own corner."""
    photograph = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)

    windows = sliding_windows(photograph, **RULE)

    np.testing.assert_array_equal(windows[0], photograph[:64, :64])
    np.testing.assert_array_equal(windows[1], photograph[:64, 12:76])


def test_bilinear_keeps_a_flat_colour():
    """Shrinking an even area changes nothing."""
    photograph = np.full((100, 100, 3), 37, dtype=np.uint8)

    assert (sliding_windows(photograph, **RULE | {"resize": "bilinear"}) == 37).all()


@pytest.mark.parametrize("resize", ["nearest", "bilinear"])
def test_a_single_row_of_windows_lies_in_memory_as_any_other(resize):
    """The encoder reads bytes in their order."""
    photograph = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)

    windows = sliding_windows(photograph, sizes=1, smallest=0.75, stride=0.2, resize=resize)

    assert windows.shape == (2, 64, 64, 3)
    assert windows.flags.c_contiguous


def test_a_photograph_lower_than_half_its_width_has_no_window():
    """Every size is above the height."""
    photograph = np.zeros((40, 100, 3), dtype=np.uint8)

    assert len(sliding_windows(photograph, **RULE)) == 0


@pytest.mark.parametrize("resize", ["nearest", "bilinear"])
def test_a_square_that_is_read_whole_is_its_largest_window(resize):
    """Nothing is scanned, and the pixels are those of the last window."""
    photograph = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    rule = RULE | {"sizes": 1, "smallest": 1.0, "resize": resize}

    np.testing.assert_array_equal(
        whole_window(photograph, resize=resize), sliding_windows(photograph, **rule)
    )


@pytest.mark.parametrize("resize", ["nearest", "bilinear"])
def test_another_shape_is_read_whole(resize):
    """Nothing is cut off: each corner of 64 x 64 has the colour of its quarter."""
    photograph = np.zeros((70, 160, 3), dtype=np.uint8)
    photograph[:35, :80], photograph[35:, 80:] = 80, 200

    (window,) = whole_window(photograph, resize=resize)

    assert window.shape == (64, 64, 3)
    assert window[[0, 0, -1, -1], [0, -1, 0, -1], 0].tolist() == [80, 0, 0, 200]
