"""FHIBE: answers in lists, skin by colour, withdrawn pictures, huge cells, several persons."""

import csv
import shutil

import numpy as np
import pytest
from published_sets import (
    FHIBE,
    FHIBE_COLOURS,
    FHIBE_FACES,
    FHIBE_VERSION,
    bfw,
    fhibe,
    fhibe_people,
)

from repro.data import any_layout, dataset_info, info_report, preflight, sources
from repro.data.pictures import fhibe_answers, picture_files
from repro.errors import DataError
from repro.study.data_spec import Data, Fhibe, SyntheticScenes, SyntheticTraining


def spec(root, **changes):
    """The specification of a folder."""
    return Fhibe(path=str(root), **changes)


def test_faces_are_in_groups_of_apparent_skin_and_first_pronoun(tmp_path):
    """The colour tells the skin: number 0 is the darkest, and 3 to 5 are lighter."""
    found = sources.portraits(spec(fhibe(tmp_path)))

    assert found.names[0] == "data/raw/fhibe_downsampled/s1/i1/faces_crop_and_align_i1_s1.png"
    assert found.groups == (
        *("lighter_he/him/his", "darker_she/her/hers", "darker_she/her/hers"),
        "lighter_she/her/hers",
    )
    assert found.read(3).shape == (96, 96, 3)


def test_tone_rises_from_dark_to_light():
    """From 1 to 6; the six colours also become lighter to the eye."""
    tones = [fhibe_answers.tone_of(cell, "") for cell in FHIBE_COLOURS]
    light = [np.dot(colour, (0.2126, 0.7152, 0.0722)) for colour in fhibe_answers.COLOURS]

    assert tones == [1, 2, 3, 4, 5, 6]
    assert light == sorted(light)
    names = [fhibe_answers.words("natural_skin_color", cell, "") for cell in FHIBE_COLOURS]
    assert names == [
        ("skin_vi",),
        ("skin_v",),
        ("skin_iv",),
        ("skin_iii",),
        ("skin_ii",),
        ("skin_i",),
    ]


def test_the_darker_half_are_types_vi_to_iv():
    """As in the Pilot Parliaments Benchmark."""
    halves = [fhibe_answers.words("skin", cell, "")[0] for cell in FHIBE_COLOURS]

    assert halves == ["darker"] * 3 + ["lighter"] * 3


def test_attributes_have_person_tone_and_country(tmp_path):
    """Apparent and natural colour are told apart; slips in countries are mended."""
    found = sources.attributes(spec(fhibe(tmp_path)))

    assert found["subject_id"] == ("s1", "s2", "s2", "s3")
    assert found["apparent_skin_color"] == ("4", "1", "2", "6")
    assert found["natural_skin_color"] == ("3", "1", "1", "6")
    assert found["location_country"] == ("pakistan", "kenya", "kenya", "viet nam")
    assert "segments" not in found
    reader = sources.reader(spec(tmp_path))
    assert (reader.cluster, reader.tone) == ("subject_id", "apparent_skin_color")


@pytest.mark.parametrize(
    ("several", "groups"),
    [
        ("first", ("he/him/his", "she/her/hers", "she/her/hers", "she/her/hers")),
        (
            "set",
            (
                *("he/him/his", "she/her/hers+they/them/their", "she/her/hers+they/them/their"),
                "she/her/hers",
            ),
        ),
        ("drop", ("he/him/his", "she/her/hers")),
    ],
)
def test_several_answers_are_grouped_as_declared(tmp_path, several, groups):
    """By the first, by all of them, or not at all."""
    asked = spec(fhibe(tmp_path), groups=("pronoun",), several=several)

    assert sources.groups(asked) == groups
    (said,) = [line for line in sources.reader(asked).remarks(asked) if "several values" in line]
    assert ("2 of 4 portraits" in said) == (several == "drop")


def test_a_region_with_its_sub_region_is_one_answer(tmp_path):
    """Africa and Southern Africa are one region; Europe beside them is another."""
    root = fhibe(tmp_path)

    assert sources.groups(spec(root, groups=("ancestry",))) == (
        "asia",
        "africa",
        "africa",
        "africa",
    )
    assert sources.groups(spec(root, groups=("ancestry",), several="set"))[3] == "africa+europe"


@pytest.mark.parametrize(
    ("number", "region"),
    [
        *((0, "africa"), (5, "africa"), (6, "americas"), (10, "americas"), (11, "asia")),
        *((16, "asia"), (17, "europe"), (21, "europe"), (22, "oceania"), (26, "oceania")),
    ],
)
def test_sub_regions_belong_to_the_region_before_them(number, region):
    """The questionnaire numbers them so."""
    assert fhibe_answers.region(f"{number}. x", "") == region


def test_ages_are_in_the_published_bands(tmp_path):
    """A birthday begins a band."""
    found = sources.groups(spec(fhibe(tmp_path), groups=("age",)))

    assert found == ("age_0_29", "age_60_up", "age_60_up", "age_30_39")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        *(
            ("pakistan", "pakistan"),
            ("Keenya", "kenya"),
            ("Vietnam", "viet nam"),
            ("UK ", "united kingdom"),
        ),
        *(("Bahamas, The", "bahamas"), ("I Go", ""), ("  South   Afica", "south africa")),
        ("Ghana", "ghana"),
    ],
)
def test_slips_in_countries_are_mended(written, meant):
    """What is known to be no country is unknown; other words stay."""
    assert fhibe_answers.country(written) == meant


def test_cells_are_not_run(tmp_path):
    """A list is a literal; a call is text."""
    assert fhibe_answers.answers("['0. Africa', '4. Southern Africa']") == (
        "0. Africa",
        "4. Southern Africa",
    )
    said = "[__import__('os').system('true')]"
    assert fhibe_answers.answers(said) == (said,)
    assert fhibe_answers.answers("") == ()


def test_withdrawn_pictures_are_counted_and_named(tmp_path):
    """Their rows are no portraits; the version is that of the folder's name."""
    asked = spec(fhibe(tmp_path, gone=("i2", "i4")))
    reader = sources.reader(asked)

    assert sources.portraits(asked).names == (
        "data/raw/fhibe_downsampled/s1/i1/faces_crop_and_align_i1_s1.png",
        "data/raw/fhibe_downsampled/s2/i3/faces_crop_and_align_i3_s2.png",
    )
    assert [name[-9:] for name in reader.withdrawn(asked)] == ["i2_s2.png", "i4_s3.png"]
    assert reader.edition(asked) == f"version {FHIBE_VERSION}, 2 of 4 portraits withdrawn"
    version, gone = reader.remarks(asked)[:2]
    assert version.endswith(f": FHIBE of version {FHIBE_VERSION}")
    assert "2 of 4 portraits are left out, as their picture is not there" in gone
    assert "s2/i2/faces_crop_and_align_i2_s2.png" in gone


def test_a_withdrawn_picture_makes_other_data(tmp_path):
    """A run on fewer portraits has another name."""
    one, other = (fhibe(tmp_path / name, gone=gone) for name, gone in [("a", ()), ("b", ("i2",))])

    assert sources.fingerprint(spec(one)) != sources.fingerprint(spec(other))


def test_files_that_are_not_used_are_no_part_of_the_data(tmp_path):
    """Neither the whole pictures nor other tables beside the faces."""
    asked = spec(fhibe(tmp_path))
    before = sources.fingerprint(asked)
    fhibe_people(tmp_path)

    assert sources.fingerprint(asked) == before
    assert len(sources.contents(asked).files) == 5


def test_portraits_without_consent_or_answer_are_left_out(tmp_path):
    """Each reason with its number."""
    people = [(*FHIBE_FACES[0][:3], "[]", *FHIBE_FACES[0][4:]), *FHIBE_FACES[1:]]
    root = fhibe(tmp_path, people=people)
    table = root / "data/processed/fhibe_face_crop_align/fhibe_face_crop_align.csv"
    text = table.read_text(encoding="utf-8-sig").split("i4_s3,")
    table.write_text("i4_s3,".join([text[0], text[1].replace(',True,"', ',False,"', 1)]))
    asked = spec(root)

    assert len(sources.portraits(asked)) == 2
    said = "\n".join(sources.reader(asked).remarks(asked))
    assert "1 of 4 portraits without a value of pronoun are left out" in said
    assert "1 of 4 portraits without consent are left out" in said


def test_the_unpacked_folder_is_found_in_the_one_around_it(tmp_path):
    """As tar makes it; a renamed folder has no version."""
    root = fhibe(tmp_path)

    assert sources.portraits(spec(tmp_path)).names == sources.portraits(spec(root)).names
    assert any_layout.guess(tmp_path) == any_layout.guess(root) == "fhibe"
    shutil.move(root, tmp_path / "mine")
    asked = spec(tmp_path / "mine")
    assert sources.reader(asked).edition(asked) == "version unknown, 0 of 4 portraits withdrawn"
    assert "of an unknown version" in sources.reader(asked).remarks(asked)[0]


def test_each_person_of_a_whole_picture_is_a_portrait(tmp_path):
    """The square at the top of each box, cut at the edge of the picture."""
    root = fhibe_people(tmp_path, boxes=("[10, 20, 60, 90]", "[130.4, 5, 50, 80]"))
    asked = spec(root, pictures="people", groups=("skin",))
    found = sources.portraits(asked)
    name = "data/raw/fhibe_downsampled/s1/i1/main_i1.png"

    assert found.names == (f"{name}#s1", f"{name}#s2")
    assert found.groups == ("darker", "lighter")
    whole = picture_files.read_picture(root / name)
    assert np.array_equal(found.read(0), whole[20:80, 10:70])
    assert np.array_equal(found.read(1), whole[5:55, 130:160])


def test_a_person_without_a_face_is_no_portrait(tmp_path):
    """Nothing could be found there."""
    asked = spec(fhibe_people(tmp_path, faces=("[1, 2, 3, 4]", "")), pictures="people")

    assert len(sources.portraits(asked)) == 1
    assert "1 of 2 portraits without a face are left out" in sources.reader(asked).remarks(asked)[1]


def test_two_persons_of_one_picture_are_no_duplicates(tmp_path):
    """They share a file, and each counts once."""
    asked = spec(fhibe_people(tmp_path), pictures="people")
    data = Data(train=SyntheticTraining(), test=asked, nonfaces=SyntheticScenes())

    assert preflight.check(data) == []
    assert preflight.doubles(data) == []


def test_no_picture_is_shown(tmp_path):
    """They can be withdrawn: a contact sheet has the other data sets alone."""
    root, other = fhibe(tmp_path), bfw(tmp_path / "bfw")
    found = [
        dataset_info.survey(any_layout.read(one, kind=None, groups=())) for one in (root, other)
    ]

    assert not sources.reader(spec(root)).may_be_shown
    assert "not on a contact sheet: its pictures can be withdrawn" in info_report.text(found)
    assert info_report.sheet(found) == info_report.sheet(found[1:])
    with pytest.raises(DataError, match=f"{FHIBE}: no contact sheet, because its pictures can be"):
        info_report.sheet(found[:1])


def test_the_limit_of_cells_is_left_as_it_was(tmp_path):
    """Reading the huge cells changes nothing for other readers of CSV."""
    before = csv.field_size_limit()
    sources.portraits(spec(fhibe(tmp_path)))

    assert csv.field_size_limit() == before == 131_072


TABLE = f"{FHIBE}/data/processed/fhibe_face_crop_align/fhibe_face_crop_align.csv"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("subject_id", "person", "1: the column 'subject_id' is not there"),
        ('[164, 131, 103]","3. ', '[164, 131, 103]","9. [1, 2, 3]","', "columns"),
        ("3. [175, 148, 120]", "3. [175, 148, 121]", "is not one of FHIBE's six skin colours"),
        ("3. [175, 148, 120]", "III", "is not one of FHIBE's six skin colours"),
        ("data/raw/fhibe_downsampled/s1/i1", "../s1/i1", "is no file in the unpacked folder"),
        ("data/raw/fhibe_downsampled/s1/i1", "/s1/i1", "is no file in the unpacked folder"),
        (",s1,", ",,", "no value in column 'subject_id'"),
        ("image_id", "age", "more than one column 'age'; keep one"),
        (LONG := "{'x': 1", "\0\"{'x': 1", "is not CSV"),
    ],
)
def test_a_damaged_table_is_refused_at_its_line(tmp_path, old, new, message):
    """File, line and what is wrong."""
    fhibe(tmp_path)
    table = tmp_path / TABLE
    text = table.read_text(encoding="utf-8-sig")
    assert old in text
    table.write_text(text.replace(old, new, 1))

    with pytest.raises(DataError) as caught:
        sources.portraits(spec(tmp_path))
    assert str(caught.value).startswith(f"{table}:")
    assert message in str(caught.value)


def test_a_portrait_that_is_twice_in_the_table_is_refused(tmp_path):
    """With both lines."""
    fhibe(tmp_path, people=(*FHIBE_FACES, FHIBE_FACES[0]))

    with pytest.raises(DataError, match=r":6: .*i1_s1.png is in two rows, first in 2"):
        sources.portraits(spec(tmp_path))


def test_a_folder_without_any_picture_is_refused(tmp_path):
    """Most likely they were not unpacked."""
    fhibe(tmp_path, gone=("i1", "i2", "i3", "i4"))

    with pytest.raises(DataError, match="no portrait to test on; 4 of 4 pictures are not there"):
        sources.portraits(spec(tmp_path))


@pytest.mark.parametrize(
    "box", ["[1, 2, 3]", "[0, 0, 0, 9]", "None", "[1, 2, 'a', 4]", "[0,0,1e9,1]"]
)
def test_a_box_that_is_none_is_refused(tmp_path, box):
    """With the line of its row."""
    root = fhibe_people(tmp_path, boxes=(box, "[80, 5, 50, 80]"))

    with pytest.raises(DataError, match=r"fhibe_downsampled\.csv:2: "):
        sources.portraits(spec(root, pictures="people"))


def test_a_column_that_fhibe_does_not_have_is_refused(tmp_path):
    """With a near one."""
    with pytest.raises(DataError, match=r"no column 'pronuon' .* Did you mean 'pronoun'"):
        sources.portraits(spec(fhibe(tmp_path), groups=("pronuon",)))


def test_bands_of_age_must_increase(tmp_path):
    """Otherwise some would have no year."""
    with pytest.raises(DataError, match=r"age_bands \[30, 30\] must increase"):
        sources.portraits(spec(fhibe(tmp_path), age_bands=(30, 30)))
