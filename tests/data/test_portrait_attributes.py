"""What sources tell of their test portraits beside the group: persons, skin tones, all columns."""

import pytest

from repro.data import sources
from repro.errors import DataError
from repro.study.data_spec import (
    FairFace,
    Folder,
    Groups,
    Ppb,
    SyntheticPortraits,
    Table,
    UtkFace,
)
from tests.helpers import data_layouts


def test_ppb_tells_all_columns_of_its_table(tmp_path):
    """As the table writes their names, a value a portrait."""
    found = sources.attributes(Ppb(path=str(data_layouts.write_ppb(tmp_path))))
    assert found == {
        "id": ("1", "2"),
        "filename": ("a.png", "b.png"),
        "gender": ("Female", "Male"),
        "numeric": ("1", "6"),
        "bi.fitz": ("lighter", "darker"),
        "country": ("Finland", "Senegal"),
    }


def test_fairface_tells_all_columns_of_the_part(tmp_path):
    """Those of the published table."""
    found = sources.attributes(FairFace(path=str(data_layouts.fairface(tmp_path, count=2))))
    assert found["age"] == ("more than 70", "50-59")
    assert list(found) == ["file", "age", "gender", "race", "service_test"]


def test_utkface_tells_years_gender_and_race(tmp_path):
    """In the order of the portraits, which is that of the names."""
    spec = UtkFace(path=str(data_layouts.utkface(tmp_path)))
    assert sources.portraits(spec).names == tuple(sorted(data_layouts.UTK))
    assert sources.attributes(spec) == {
        "age": ("1", "26"),
        "gender": ("male", "female"),
        "race": ("asian", "black"),
    }


def test_a_table_tells_the_other_columns_of_its_positives(tmp_path):
    """Rows without a face have no portrait."""
    path = data_layouts.table(
        tmp_path, header="path,label,who,country", rows=("a.png,1,ann,Chile", "deep/b.png,0,,")
    )
    assert sources.attributes(Table(path=str(path), groups=("country",))) == {
        "who": ("ann",),
        "country": ("Chile",),
    }


def test_a_column_whose_name_occurs_twice_is_not_told(tmp_path):
    """Nobody could say which is meant."""
    path = data_layouts.table(tmp_path, header="path,who,Who", rows=("a.png,x,y", "deep/b.png,,"))
    assert sources.attributes(Table(path=str(path))) == {}


def test_group_folders_tell_the_folder_of_a_person_with_its_group(tmp_path):
    """The same name in two groups is of two persons; a picture beside the persons is of nobody."""
    for number, name in enumerate(("LF/ann/1.png", "LF/2.png", "DM/ann/deep/3.png")):
        data_layouts.put(tmp_path / name, number)
    spec = Groups(path=str(tmp_path))
    assert sources.portraits(spec).names == ("DM/ann/deep/3.png", "LF/2.png", "LF/ann/1.png")
    assert sources.attributes(spec) == {"person": ("DM/ann", "", "LF/ann")}


def test_group_folders_without_persons_tell_nothing(tmp_path):
    """As the lab bundles its crops."""
    for number, name in enumerate(("LF/1.png", "DM/2.png")):
        data_layouts.put(tmp_path / name, number)
    assert sources.attributes(Groups(path=str(tmp_path))) == {}


def test_the_generator_tells_skin_as_a_number_that_rises_with_light():
    """Reflectance falls from type to type, and the halves meet between III and IV."""
    spec = SyntheticPortraits(per_group=20)
    found = sources.attributes(spec)
    rows = sorted(zip(map(float, found["skin_reflectance"]), found["fitzpatrick"], strict=True))
    types = [int(kind) for _, kind in rows]
    assert types == sorted(types, reverse=True)
    halves = [f"{skin}_{who}" for skin, who in zip(found["skin"], found["gender"], strict=True)]
    assert tuple(halves) == sources.groups(spec)


def test_photographs_without_a_face_have_no_attributes(tmp_path):
    """The default of a source."""
    data_layouts.put(tmp_path / "a.png", 1)
    assert sources.attributes(Folder(path=str(tmp_path))) == {}


def test_attributes_of_a_missing_table_are_an_error(tmp_path):
    """As for the pictures."""
    (tmp_path / "imgs").mkdir()
    with pytest.raises(DataError, match="not a folder of the Pilot Parliaments"):
        sources.attributes(Ppb(path=str(tmp_path)))
