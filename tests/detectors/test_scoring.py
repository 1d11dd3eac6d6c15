"""Scores of a detector for photographs."""

from types import SimpleNamespace

import numpy as np
import pytest

from repro.data.pictures.images import Photographs
from repro.detectors import scoring
from repro.detectors.base import DetectorError
from repro.study.configuration import Windows

RULE = Windows(sizes=1, smallest=1.0, stride=0.5, resize="nearest")


def photographs(*levels, height=64):
    """Grey photographs of these levels, each 64 wide."""
    names = tuple(f"p{i}" for i in range(len(levels)))
    pictures = [np.full((height, 64, 3), level, dtype=np.uint8) for level in levels]
    return Photographs(names, ("a",) * len(levels), pictures.__getitem__)


def detector(answer, reads="whole"):
    """A detector that answers so."""
    return SimpleNamespace(name="theirs", reads=reads, scores=answer)


def brightness(pictures):
    """The mean level of each picture."""
    return np.array([one.mean() for one in pictures])


def test_the_threshold_is_subtracted_and_a_tie_is_a_face():
    """A score of the threshold is 0 afterwards."""
    found = scoring.score(
        detector(brightness), {"portraits": photographs(9, 10, 11)}, RULE, threshold=10
    )["portraits"]

    assert found.top_logit.tolist() == [-1, 0, 1]
    assert found.positive.tolist() == [0, 1, 1]
    assert found.windows.tolist() == [1, 1, 1]


def test_a_detector_of_windows_is_given_the_windows_of_the_study():
    """A photograph of twice its width has three windows at half a step, the highest one counts."""
    sizes = []

    def rising(windows):
        sizes.append(windows.shape)
        return np.arange(len(windows)) - 1.0

    one = detector(rising, "windows")
    found = scoring.score(one, {"portraits": photographs(5, height=128)}, RULE)["portraits"]

    assert sizes == [(3, 64, 64, 3)]
    assert (found.top_logit[0], found.windows[0], found.positive[0]) == (1, 3, 2)


def test_nothing_found_in_a_whole_picture_is_minus_infinity():
    """It is below every threshold."""
    one = detector(lambda pictures: np.array([-np.inf]))

    found = scoring.score(one, {"portraits": photographs(5)}, RULE, threshold=3)["portraits"]

    assert found.top_logit[0] == -np.inf
    assert not found.detected[0]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (np.array([np.nan]), "it returned NaN for 1 of 1 pictures"),
        (np.array([np.inf]), r"it returned \+inf for 1 of 1 pictures"),
        (np.array([1.0, 2.0]), r"it returned float64 of shape \(2,\)"),
        (np.array(1.0), r"it returned float64 of shape \(\)"),
        (np.array(["face"]), r"it returned <U4 of shape \(1,\)"),
        (None, r"it returned object of shape \(\)"),
        (np.array([1j]), r"it returned complex128 of shape \(1,\)"),
    ],
)
def test_other_answers_are_refused(answer, told):
    """One sentence says what came and what is expected."""
    one = detector(lambda pictures: answer)

    with pytest.raises(DetectorError, match=told):
        scoring.score(one, {"portraits": photographs(5)}, RULE)


def test_a_detector_of_windows_cannot_find_nothing():
    """A network that says -inf is broken."""
    one = detector(lambda windows: np.full(len(windows), -np.inf), "windows")

    with pytest.raises(DetectorError, match="it returned -inf for 1 of 1 pictures"):
        scoring.score(one, {"portraits": photographs(5)}, RULE)


def test_photographs_that_no_window_fits_into_are_told():
    """As for the study's own networks."""
    one = detector(brightness, "windows")

    with pytest.raises(DetectorError, match="no window fits into one"):
        scoring.score(one, {"portraits": photographs(5, height=20)}, RULE)
