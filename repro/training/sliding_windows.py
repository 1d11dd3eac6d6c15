"""A photograph as a batch of sliding square windows, each 64 x 64 pixels.

Source: the MIT lab of 2019 and de Haan et al. 2020: sizes equally spaced from half the width to
the width, stride a fifth of the size, windows completely inside, nearest neighbour.
"""

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from repro.study.configuration import Reading, WholePicture

Pixels = NDArray[np.uint8]
SIDE = 64


def window_sizes(width: int, *, sizes: int, smallest: float) -> list[int]:
    """Side lengths in pixels, rounded down, from `smallest` x width to the width; 1 at least."""
    return [max(1, int(size)) for size in np.linspace(smallest * width, width, sizes)]


def corners(length: int, size: int, *, stride: float) -> NDArray[np.int64]:
    """First pixel, along one side, of each window of this size that lies completely inside."""
    return np.arange(0, length - size + 1, max(1, int(stride * size)))


def sliding_windows(
    photograph: Pixels,
    *,
    sizes: int,
    smallest: float,
    stride: float,
    resize: Literal["nearest", "bilinear"],
) -> Pixels:
    """All windows of a photograph, resized.

    Args:
        photograph: Shape (H, W, 3).
        sizes: Number of window sizes.
        smallest: Smallest size as a share of the width.
        stride: Step as a share of the size.
        resize: How a window becomes 64 x 64.

    Returns:
        Shape (n, 64, 64, 3), size by size, row by row; a size above the height gives no window.
    """
    height, width, _ = photograph.shape
    batches = []
    for size in window_sizes(width, sizes=sizes, smallest=smallest):
        tops, lefts = corners(height, size, stride=stride), corners(width, size, stride=stride)
        if len(tops):
            cut = _nearest if resize == "nearest" else _bilinear
            batches.append(cut(photograph, tops, lefts, size))
    return np.concatenate(batches) if batches else np.empty((0, SIDE, SIDE, 3), dtype=np.uint8)


def windows_of(photograph: Pixels, rule: Reading) -> Pixels:
    """The windows of a photograph, shape (n, 64, 64, 3); one if it is read whole.

    Args:
        photograph: Shape (H, W, 3).
        rule: How it is read.
    """
    if isinstance(rule, WholePicture):
        return whole_window(photograph, resize=rule.resize)
    return sliding_windows(
        photograph,
        sizes=rule.sizes,
        smallest=rule.smallest,
        stride=rule.stride,
        resize=rule.resize,
    )


def whole_window(photograph: Pixels, *, resize: Literal["nearest", "bilinear"]) -> Pixels:
    """A photograph as its only window, resized whole: another shape than a square is distorted.

    Args:
        photograph: Shape (H, W, 3).
        resize: How it becomes 64 x 64, as of `sliding_windows`.

    Returns:
        Shape (1, 64, 64, 3); of a square photograph, its largest window.
    """
    height, width, _ = photograph.shape
    if resize == "nearest":
        rows, columns = (np.arange(SIDE) * length // SIDE for length in (height, width))
        window: Pixels = photograph[rows[:, None], columns]
        return window[None]
    return _smaller(photograph[None])


def _nearest(
    photograph: Pixels, tops: NDArray[np.int64], lefts: NDArray[np.int64], size: int
) -> Pixels:
    """OpenCV's rule: pixel i of 64 is source pixel floor(i * size / 64)."""
    height, width, _ = photograph.shape
    offsets = np.arange(SIDE) * size // SIDE
    rows, columns = (tops[:, None] + offsets).ravel(), (lefts[:, None] + offsets).ravel()
    colours = (3 * columns[:, None] + np.arange(3)).ravel()
    grid = photograph.reshape(height, 3 * width)[rows].take(colours, axis=1)
    windows = grid.reshape(len(tops), SIDE, len(lefts), SIDE * 3).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(windows.reshape(-1, SIDE, SIDE, 3))  # a single row is a view


def _bilinear(
    photograph: Pixels, tops: NDArray[np.int64], lefts: NDArray[np.int64], size: int
) -> Pixels:
    """Bilinear with anti-aliasing, as in image libraries."""
    cut = np.stack([photograph[t : t + size, x : x + size] for t in tops for x in lefts])
    return _smaller(cut)


def _smaller(pictures: Pixels) -> Pixels:
    """Pictures of one shape, resized bilinearly to 64 x 64."""
    batch = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float()
    small = torch.nn.functional.interpolate(
        batch, size=(SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False
    )
    return small.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()
