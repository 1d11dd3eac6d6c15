"""The Haar cascade finds what OpenCV's own call finds."""

import numpy as np
from drawn_faces import face, needs

from repro.detectors.packaged import haar
from repro.detectors.packaged.preparation import Preparation

pytestmark = needs("haar")


def test_it_finds_a_face_where_opencv_returns_a_box():
    """Grey pictures between a drawn face and none: some are found, and the same ones."""
    import cv2

    blank = np.full_like(face(), 127)
    mixed = [
        np.uint8(share * face().astype(float) + (1 - share) * blank)
        for share in np.linspace(0, 1, 12)
    ]
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + haar.FILE)
    boxes = [
        len(cascade.detectMultiScale(cv2.cvtColor(one, cv2.COLOR_RGB2GRAY), 1.1, 3, 0, (24, 24)))
        for one in mixed
    ]

    found = haar.Haar(Preparation()).scores(mixed) >= haar.THRESHOLD

    assert found.tolist() == [number > 0 for number in boxes]
    assert 0 < found.sum() < len(mixed)


def test_its_score_is_the_number_of_windows_that_agree():
    """More than the three that it asks for, and a whole number."""
    (score,) = haar.Haar(Preparation()).scores([face()])

    assert score > haar.NEIGHBOURS
    assert score == round(score)
