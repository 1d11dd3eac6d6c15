"""The score of the Haar cascade, from what OpenCV returns."""

import numpy as np
import pytest

from repro.detectors.packaged import haar


def test_the_score_is_the_excess_over_the_last_stage_of_the_best_box():
    """Boxes that a late stage refused have sums of another scale, and are left out."""
    found = haar.excess(np.array([20, 19, 20]), np.array([haar.LAST + 1, 900.0, haar.LAST + 2.5]))

    assert found == pytest.approx(2.5)


def test_a_found_face_is_never_below_the_threshold():
    """Though no box is said to pass all stages, `detectMultiScale` decides."""
    assert haar.excess(np.array([18]), np.array([900.0])) == 0
    assert haar.excess(np.array([]), np.array([])) == 0
