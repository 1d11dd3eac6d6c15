"""MST-E and FACET: test sets with the ten Monk skin tones."""

import numpy as np
import pytest
from published_sets import (
    BOX,
    FACET,
    FACET_COLUMNS,
    MST_E,
    MST_E_HEADER,
    facet,
    facet_row,
    mst_e,
    write,
)

from repro.data import any_layout, preflight, sources
from repro.data.pictures import bands, picture_files, regions
from repro.data.sources.facet import tone_of
from repro.errors import DataError
from repro.study.data_spec import Data, Facet, MstE, SyntheticScenes, SyntheticTraining


def test_mst_e_has_its_pictures_by_band_of_tone(tmp_path):
    """Videos and raw files are no portraits; a suffix in another case is the same file."""
    found = sources.portraits(MstE(path=str(mst_e(tmp_path))))

    assert found.names == ("subject_0/a1.jpg", "subject_5/b1.jpg", "subject_6/c1.jpg")
    assert found.groups == ("mst_1_to_5", "mst_6_to_10", "mst_1_to_5")
    assert any_layout.guess(tmp_path) == any_layout.guess(tmp_path / "mst-e_data") == "mst_e"


def test_mst_e_tells_what_it_leaves_out_and_tones_of_one_person(tmp_path):
    """Tone 7 has one person, tone 4 has two."""
    asked = MstE(path=str(mst_e(tmp_path)))

    assert [
        line.removeprefix(f"{tmp_path}: ") for line in sources.reader(asked).remarks(asked)
    ] == [
        "rows left out because they name a video: 1",
        "rows left out because they name a file .dng, which is not read: 1",
        "tone 7 has one person alone: what is found there may be due to the person as well as to "
        "the tone",
    ]


def test_mst_e_tells_person_and_tone_under_names_without_blanks(tmp_path):
    """Of the portraits alone."""
    asked = MstE(path=str(mst_e(tmp_path)))
    found = sources.attributes(asked)
    reader = sources.reader(asked)

    assert found[reader.cluster] == ("subject_0", "subject_5", "subject_6")
    assert found[reader.tone] == ("4", "7", "4")
    assert found["lighting"] == ("well_lit", "poorly_lit", "well_lit")


def test_mst_e_makes_groups_of_any_column(tmp_path):
    """A tone each, or the light."""
    asked = MstE(path=str(mst_e(tmp_path)), groups=("mst", "Lighting"))

    assert sources.groups(asked) == ("4_well_lit", "7_poorly_lit", "4_well_lit")


def test_the_digest_of_mst_e_is_of_the_table_and_the_portraits(tmp_path):
    """Not of videos."""
    asked = MstE(path=str(mst_e(tmp_path)))
    before = sources.fingerprint(asked)
    (tmp_path / "mst-e_data" / "subject_0" / "a2.mp4").write_bytes(b"another")

    assert sources.fingerprint(asked) == before
    assert len(sources.contents(asked).files) == 4


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("subject_0", "x.jpg", 4, "frontal", "", 0), ":2: no picture subject_0/x.jpg"),
        (("subject_0", "a1.jpg", 11, "frontal", "", 0), ":2: '11' is no Monk skin tone"),
        (("subject_0", "a1.jpg", "", "frontal", "", 0), ":2: '' is no Monk skin tone"),
        (("subject_6", "c1.jpg", 4, "frontal", "", 0), "subject_6/c1.jpg is in two rows"),
    ],
)
def test_a_wrong_row_of_mst_e_is_named(tmp_path, row, message):
    """File, line and what is wrong."""
    table = mst_e(tmp_path) / "mst-e_data" / "mst-e_image_details.csv"
    write(table, [MST_E_HEADER, row, *MST_E[1:]])

    with pytest.raises(DataError) as caught:
        sources.portraits(MstE(path=str(tmp_path / "mst-e_data")))
    assert message in str(caught.value)


def test_a_missing_column_of_mst_e_is_named(tmp_path):
    """With those that are there."""
    header = tuple(name.replace("MST", "tone") for name in MST_E_HEADER)
    with pytest.raises(DataError, match="no column 'MST'; the columns are subject_name, image_ID"):
        sources.portraits(MstE(path=str(mst_e(tmp_path, header=header))))


@pytest.mark.parametrize(
    ("tone", "starts", "name"),
    [
        *((1, (6,), "mst_1_to_5"), (5.5, (6,), "mst_1_to_5"), (6, (6,), "mst_6_to_10")),
        *((10, (4, 7), "mst_7_to_10"), (4, (4, 7), "mst_4_to_6"), (10, (10,), "mst_10_to_10")),
    ],
)
def test_a_band_of_tones_reaches_up_to_the_next(tone, starts, name):
    """A mean of votes between two bands is in the lower one."""
    assert bands.of_tone(tone, starts) == name


def test_facet_has_the_visible_faces_by_tone_and_gender(tmp_path):
    """A person without a visible face, and one whose skin nobody judged, are left out."""
    found = sources.portraits(Facet(path=str(facet(tmp_path))))

    assert found.names == ("imgs_1/sa_1.jpg#1", "imgs_1/sa_1.jpg#2", "imgs_2/sa_2.jpg#3")
    assert found.groups == ("mst_1_to_5_fem", "mst_6_to_10_masc", "mst_1_to_5_fem")
    assert any_layout.guess(tmp_path) == "facet"


def test_a_portrait_of_facet_is_the_top_of_the_persons_box(tmp_path):
    """A square as wide as the box, so that nobody else's face is a hit."""
    root = facet(tmp_path)
    whole = picture_files.read_picture(root / "imgs_1" / "sa_1.jpg")
    upper = sources.portraits(Facet(path=str(root)))
    box = sources.portraits(Facet(path=str(root), part="box"))

    assert np.array_equal(upper.read(0), whole[20:90, 10:80])
    assert np.array_equal(upper.read(1), whole[20:90, 90:160])
    assert np.array_equal(box.read(0), whole[20:180, 10:80])


def test_facet_tells_the_mean_of_the_votes(tmp_path):
    """Two votes for 2 and one for 3; and a person without a vote, if no group needs one."""
    asked = Facet(path=str(facet(tmp_path)), groups=("gender",))
    found = sources.attributes(asked)
    reader = sources.reader(asked)

    assert found[reader.tone] == ("2.33333", "7", "5.5", "")
    assert found[reader.cluster] == ("sa_1.jpg", "sa_1.jpg", "sa_2.jpg", "sa_2.jpg")
    assert found["gender"] == ("fem", "masc", "fem", "masc")


@pytest.mark.parametrize(
    ("votes", "mean", "mode"),
    [
        ((0,) * 10, None, None),
        ((0, 2, 1) + (0,) * 7, 7 / 3, 2),
        ((0, 0, 0, 0, 1, 1, 0, 0, 0, 0), 5.5, 5.5),
        ((3, 0, 0, 0, 0, 0, 0, 0, 0, 3), 5.5, 5.5),
        ((1, 0, 2, 2, 0, 0, 0, 0, 0, 0), 3, 3.5),
    ],
)
def test_a_tone_is_the_mean_or_the_mode_of_votes(votes, mean, mode):
    """Ties are the mean of the tones that tie; without a vote there is no tone."""
    assert tone_of(votes, "mean") == mean
    assert tone_of(votes, "mode") == mode


def test_facet_tells_whom_it_leaves_out_and_to_look_first(tmp_path):
    """With numbers."""
    small = BOX.replace("70.0", "40.0")
    rows = (*FACET, facet_row(6, "sa_2.jpg", box=small, votes={1: 1}))
    asked = Facet(path=str(facet(tmp_path, rows=rows)))

    lines = [line.removeprefix(f"{tmp_path}: ") for line in sources.reader(asked).remarks(asked)]
    assert lines[:3] == [
        "1 person whose face is not visible is left out",
        "1 person without a value of skin is left out",
        "1 person whose part of the picture is below 64 pixels is left out",
    ]
    assert "may have blurred" in lines[3]


def test_persons_of_one_picture_are_no_duplicates(tmp_path):
    """Each counts once."""
    asked = Facet(path=str(facet(tmp_path)))
    data = Data(train=SyntheticTraining(), test=asked, nonfaces=SyntheticScenes())

    assert preflight.check(data) == []


def test_pictures_of_facet_may_lie_in_one_folder(tmp_path):
    """As some users merge them."""
    asked = Facet(path=str(facet(tmp_path, folders=("images",))))

    assert sources.portraits(asked).names[2] == "images/sa_2.jpg#3"


def test_a_box_may_be_a_python_literal(tmp_path):
    """Both spellings occur."""
    box = regions.box_of("{'x': 1.5, 'y': 2, 'width': 3, 'height': 4, 'dict_attributes': None}", "")

    assert box == (1.5, 2, 3, 4)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (facet_row(1, "sa_9.jpg", votes={1: 1}), "no picture sa_9.jpg"),
        (facet_row(1, "sa_1.jpg", box="[1, 2]", votes={1: 1}), "is no box"),
        (facet_row(1, "sa_1.jpg", votes={1: "many"}), "'many' is no count for 'skin_tone_1'"),
        (facet_row(2, "sa_1.jpg", votes={1: 1}), "person 2 of imgs_1/sa_1.jpg is in two rows"),
        (facet_row(1, "sa_1.jpg", votes={1: 1}, face="seen"), "'seen' is no count"),
    ],
)
def test_a_wrong_row_of_facet_is_named(tmp_path, row, message):
    """File, line and what is wrong."""
    root = facet(tmp_path)
    table = root / "annotations" / "annotations.csv"
    write(table, [FACET_COLUMNS, row, *FACET[1:]])

    with pytest.raises(DataError) as caught:
        sources.portraits(Facet(path=str(root)))
    assert str(caught.value).startswith(f"{table}:")
    assert message in str(caught.value)


def test_two_pictures_of_one_name_are_refused(tmp_path):
    """Nobody could say which one a row means."""
    root = facet(tmp_path)
    (root / "imgs_3").mkdir()
    (root / "imgs_3" / "sa_1.jpg").write_bytes((root / "imgs_1" / "sa_1.jpg").read_bytes())

    with pytest.raises(DataError, match=r"imgs_1/sa_1.jpg and imgs_3/sa_1.jpg have one name"):
        sources.portraits(Facet(path=str(root)))


def test_a_box_outside_its_picture_is_refused_when_it_is_read(tmp_path):
    """The boxes are of pictures of another size."""
    rows = (facet_row(1, "sa_1.jpg", box=BOX.replace("10.0", "900.0"), votes={1: 1}),)
    found = sources.portraits(Facet(path=str(facet(tmp_path, rows=rows))))

    with pytest.raises(DataError, match="outside the picture of 200 x 200 pixels"):
        found.read(0)
