"""Training crops from an ``.npz`` file of NumPy: images, is_face and groups, a row per crop."""

import numpy as np

from repro.data.pictures.images import TrainingImages
from repro.plugins import Parameters, source


class File(Parameters):
    """Where the file is."""

    path: str


@source("npz_file", role="train", parameters=File)
def npz_file(parameters):
    """Images uint8 (N, 64, 64, 3) in RGB, is_face bool (N,), groups text (N,)."""
    with np.load(parameters.path) as file:
        return TrainingImages(file["images"], file["is_face"], tuple(file["groups"].tolist()))
