"""A source of a plug-in: what is refused of it, and what its content is."""

import re

import numpy as np
import pytest

from repro.data import sources
from repro.data.sources import own
from repro.errors import DataError
from repro.plugins import plugin_module, plugin_text
from repro.plugins.plugin_errors import PluginError
from repro.study.data_spec import OwnSource

TRAIN = """\
import numpy as np
from repro.data.pictures.images import TrainingImages
from repro.plugins import Parameters, source

class Size(Parameters):
    faces: int = 4
    level: int = 100

@source("mine", role="train", parameters=Size)
def mine(parameters):
    count = 2 * parameters.faces
    images = np.full((count, 64, 64, 3), parameters.level, np.uint8)
    is_face = np.arange(count) < parameters.faces
    groups = tuple("a" if face else "" for face in is_face)
    return TrainingImages(images, is_face, groups)
"""
TEST = """\
import numpy as np
from repro.data.pictures.images import Photographs
from repro.plugins import source

@source("mine", role="test")
def mine(parameters):
    pixels = np.full((2, 80, 64, 3), 9, np.uint8)
    return Photographs(("one", "two"), ("a", "b"), pixels.__getitem__)
"""


def spec_of(folder, text, **parameters):
    """The specification of the source of this text."""
    (folder / "mine.py").write_text(text)
    (plugin,) = plugin_module.plugins_of(plugin_text.read(folder / "mine.py"))
    filled = plugin.filled(parameters)
    return OwnSource(source="mine", parameters=filled, digest=plugin.origin.digest)


def test_training_images_are_what_it_returns(tmp_path):
    """Pixels, labels and groups; also without the pixels."""
    spec = spec_of(tmp_path, TRAIN, faces=3)
    read = sources.training_images(spec)

    assert read.images.shape == (6, 64, 64, 3)
    assert sources.labels(spec).tolist() == read.is_face.tolist() == [True] * 3 + [False] * 3
    assert sources.training_groups(spec) == read.groups == ("a",) * 3 + ("",) * 3


def test_photographs_are_what_it_returns(tmp_path):
    """Names, groups and pixels."""
    spec = spec_of(tmp_path, TEST)
    read = sources.portraits(spec)

    assert (read.names, sources.groups(spec)) == (("one", "two"), ("a", "b"))
    np.testing.assert_array_equal(read.read(1), np.full((80, 64, 3), 9, np.uint8))


def test_its_digest_is_of_what_it_returns_and_of_its_parameters(tmp_path):
    """A comment changes nothing of it; the plug-in's own digest is in the name of the run."""
    digests = [
        sources.fingerprint(spec_of(tmp_path, text, **parameters))
        for text, parameters in (
            (TRAIN, {}),
            (TRAIN + "# a comment\n", {}),
            (TRAIN, {"level": 101}),
            (TRAIN.replace('"a"', '"b"'), {}),
            (TRAIN.replace("< parameters.faces", "<= parameters.faces"), {}),
        )
    ]

    assert digests[0] == digests[1]
    assert len({*digests}) == 4


def test_what_is_not_loaded_is_told():
    """As in a process that only reads a record."""
    spec = OwnSource(source="mine", parameters={}, digest="0" * 32)

    with pytest.raises(DataError, match=r"the source mine \(0+\) is a plug-in that is not loaded"):
        sources.training_images(spec)


REFUSED = {  # text, what is replaced in it, and what is said
    "nothing": (TRAIN, "return TrainingImages(images, is_face, groups)", "pass", "it returned Non"),
    "photographs": (
        TRAIN,
        "TrainingImages(images, is_face, groups)",
        "[images]",
        "it returned list: return TrainingImages for train",
    ),
    "floats": (TRAIN, "np.uint8", "float", "its images are ndarray of shape (8, 64, 64, 3), float"),
    "small pictures": (TRAIN, "64, 64", "32, 32", "its images are ndarray of shape (8, 32, 32, 3)"),
    "labels as numbers": (TRAIN, "is_face, groups)", "is_face * 1, groups)", "is_face ndarray of "),
    "too few groups": (TRAIN, "face, groups)", "face, groups[1:])", "groups are a tuple of string"),
    "groups as a list": (
        TRAIN,
        "face, groups)",
        "face, [*groups])",
        "groups are a tuple of string",
    ),
    "groups of non-faces": (TRAIN, 'if face else ""', 'if face else "a"', 'groups are "" for imag'),
    "one class": (TRAIN, "< parameters.faces", "< count", "it returned faces alone: images with"),
    "no image": (TRAIN, "2 * parameters.faces", "0", "it returned no images"),
    "an exception": (TRAIN, "2 * parameters.faces", "1 // 0", "mine.py:11: source mine: ZeroDivi"),
    "a list": (
        TEST,
        'return Photographs(("one", "two"), ("a", "b"), pixels.__getitem__)',
        "return [*pixels]",
        "it returned list: return Photographs for test",
    ),
    "equal names": (TEST, '"two"', '"one"', "names are a tuple of strings, one for each photogra"),
    "groups of fewer": (TEST, '("a", "b")', '("a",)', "groups are a tuple of strings, one for ea"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_data_is_refused(tmp_path, case):
    """In a sentence with the plug-in's name and its file."""
    text, old, new, said = REFUSED[case]
    assert old in text

    with pytest.raises(PluginError, match=re.escape(said)) as refused:
        own.OwnReader().open(spec_of(tmp_path, text.replace(old, new)))
    assert "mine.py:" in str(refused.value)


def test_a_picture_of_another_kind_is_refused_when_it_is_read(tmp_path):
    """Photographs are read one by one."""
    spec = spec_of(tmp_path, TEST.replace("np.uint8", "float"))

    with pytest.raises(PluginError, match="it read ndarray of shape \\(80, 64, 3\\), float64"):
        sources.portraits(spec).read(0)
