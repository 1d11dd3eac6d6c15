"""How test pictures are read: by windows, or whole where they are aligned faces."""

import pytest
from builders import configuration

from repro.study.configuration import Configuration, WholePicture
from repro.study.data_spec import Data

DATA = {"train": "synthetic", "test": "synthetic", "nonfaces": "synthetic"}


def reading(test, **others):
    """A configuration that differs in its test set."""
    return configuration(data=DATA | {"test": test} | others)


@pytest.mark.parametrize("source", ["fhibe", "bfw", "rfw"])
def test_aligned_faces_are_read_whole(source):
    """Only the way to resize is left of the windows, in the name of a run, too."""
    found = reading({"source": source, "path": "x"})

    assert found.reading == WholePicture(resize="nearest")
    assert found.reading.smallest == 0
    assert found.settings()["windows"] == {"read": "whole", "resize": "nearest"}
    assert found.identity()["windows"] == {"read": "whole", "resize": "nearest"}


@pytest.mark.parametrize(
    "test",
    [
        *("synthetic", "PPB-2017", {"source": "groups", "path": "x"}),
        *({"source": "mst_e", "path": "x"}, {"source": "facet", "path": "x"}),
        {"source": "fhibe", "path": "x", "pictures": "people"},
    ],
)
def test_other_pictures_are_scanned(test):
    """And the names of their runs have the windows as before."""
    found = reading(test)

    assert found.reading is found.windows
    assert found.identity()["windows"] == found.windows.model_dump()


def test_windows_that_are_not_used_name_no_run():
    """Two arms that differ in the stride alone are one run on aligned faces."""
    one, other = (
        reading({"source": "bfw", "path": "x"}).model_copy(update={"windows": windows})
        for windows in (configuration().windows, configuration(windows={"stride": 0.4}).windows)
    )

    assert one.identity() == other.identity()


def test_none_says_that_there_are_no_photographs_without_a_face():
    """The part is no part of the data, and a record reads it back."""
    found = reading("synthetic", nonfaces="none")

    assert found.data.nonfaces is None
    assert list(found.data.parts) == ["train", "test"]
    assert Configuration.model_validate(found.model_dump(mode="json")) == found


def test_a_folder_called_none_needs_another_spelling():
    """The word alone stands for nothing."""
    assert Data.model_validate(DATA | {"nonfaces": "./none"}).nonfaces.path == "./none"


def test_photographs_are_not_left_out_by_forgetting_them():
    """A study that has none says so."""
    with pytest.raises(ValueError, match="nonfaces"):
        Data.model_validate({"train": "synthetic", "test": "synthetic"})
