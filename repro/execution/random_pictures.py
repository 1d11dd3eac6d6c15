"""Random pictures to measure what training takes: no operation takes longer for other values."""

import math

import numpy as np

from repro.data.pictures.images import TrainingImages
from repro.study.configuration import Configuration

LEARNING_RATE = 1e-6  # noise makes a network diverge at usual rates; a step costs the same
STEPS = 2  # of an epoch at least, however large the batches


def crops(configuration: Configuration, images: int) -> TrainingImages:
    """Random crops, every second one called a face: enough for an epoch of two steps at least.

    Args:
        configuration: Of the run.
        images: Those of an epoch, at least.
    """
    batch = configuration.batch_size
    trained = max(math.ceil(images / batch), STEPS) * batch
    count = math.ceil(trained / (1 - configuration.validation_share)) + 2  # shares are rounded
    pixels = np.random.default_rng(0).integers(0, 256, (count, 64, 64, 3), dtype=np.uint8)
    return TrainingImages(pixels, np.arange(count) % 2 == 0)
