"""BFW and RFW: aligned crops in a folder for each group and person."""

import pytest
from data_layouts import put
from published_sets import BFW, BFW_NESTS, bfw, rfw

from repro.data import any_layout, sources
from repro.errors import DataError
from repro.study.data_spec import Bfw, Rfw


@pytest.mark.parametrize("nest", BFW_NESTS)
def test_bfw_is_found_however_deep_it_was_packed(tmp_path, nest):
    """The groups are those of the first folder."""
    found = sources.portraits(Bfw(path=str(bfw(tmp_path, nest=nest))))

    assert found.names == BFW
    assert found.groups == ("asian_male", "black_female", "white_female", "white_female")
    assert any_layout.guess(tmp_path) == "bfw"


def test_bfw_tells_the_person_and_may_be_grouped_by_half(tmp_path):
    """The second folder is the person."""
    asked = Bfw(path=str(bfw(tmp_path)), groups=("gender",))

    assert sources.groups(asked) == ("male", "female", "female", "female")
    assert sources.attributes(asked) == {
        "person": (
            *("asian_males/n000002", "black_females/n001234"),
            *("white_females/n000001",) * 2,
        ),
        "race": ("asian", "black", "white", "white"),
        "gender": ("male", "female", "female", "female"),
    }
    assert sources.reader(asked).cluster == "person"


def test_bfw_tells_which_groups_are_not_there(tmp_path):
    """A part of the archive is no balanced set."""
    asked = Bfw(path=str(bfw(tmp_path)))

    assert sources.reader(asked).remarks(asked) == (
        f"{tmp_path}: without the folders of the groups asian_females, black_males, "
        "indian_females, indian_males, white_males",
    )


def test_rfw_is_read_from_its_test_and_not_from_a_derivative(tmp_path):
    """Copies that somebody aligned lie beside it."""
    found = sources.portraits(Rfw(path=str(rfw(tmp_path))))

    assert found.files[0] == tmp_path / "test/data/African/m.0abc/m.0abc_0001.jpg"
    assert found.groups == ("african", "african", "asian", "caucasian", "indian")
    assert any_layout.guess(tmp_path) == any_layout.guess(tmp_path / "test") == "rfw"


def test_an_identifier_in_two_groups_of_rfw_is_of_two_persons(tmp_path):
    """m.0abc occurs among Africans and Asians."""
    persons = sources.attributes(Rfw(path=str(rfw(tmp_path))))["person"]

    assert persons[:3] == ("African/m.0abc", "African/m.0abc", "Asian/m.0abc")


@pytest.mark.parametrize("spec", [Bfw, Rfw])
def test_the_digest_is_of_the_crops_alone(tmp_path, spec):
    """Lists of pairs are not used."""
    root = bfw(tmp_path) if spec is Bfw else rfw(tmp_path)
    before = sources.fingerprint(spec(path=str(root)))
    (root / "pairs.csv").write_text("changed")
    for file in root.rglob("*.csv"):
        file.write_text("changed")
    assert sources.fingerprint(spec(path=str(root))) == before
    crop = sources.portraits(spec(path=str(root))).files[0]
    crop.write_bytes(crop.read_bytes() + b"\0")
    assert sources.fingerprint(spec(path=str(root))) != before


@pytest.mark.parametrize("spec", [Bfw, Rfw])
def test_a_folder_of_another_kind_is_refused(tmp_path, spec):
    """Its groups are named."""
    put(tmp_path / "people" / "a.jpg", 1)

    with pytest.raises(DataError, match="no folder"):
        sources.portraits(spec(path=str(tmp_path)))


def test_a_crop_that_is_in_no_persons_folder_is_refused(tmp_path):
    """It would be in no cluster."""
    put(bfw(tmp_path, nest="") / "white_males" / "a.jpg", 1)

    with pytest.raises(DataError, match=r"white_males/a\.jpg is not in the folder of a person"):
        sources.portraits(Bfw(path=str(tmp_path)))


def test_two_copies_of_bfw_are_refused(tmp_path):
    """The path must say which one is meant."""
    bfw(tmp_path / "one", nest="")
    bfw(tmp_path / "two", nest="")

    with pytest.raises(DataError, match="one and two both hold the groups"):
        sources.portraits(Bfw(path=str(tmp_path)))


def test_an_empty_group_is_refused(tmp_path):
    """As in any folder of groups."""
    (bfw(tmp_path, nest="") / "indian_males" / "n000009").mkdir(parents=True)

    with pytest.raises(DataError, match="indian_males: no picture in it"):
        sources.portraits(Bfw(path=str(tmp_path)))
