"""What `repro data info` says of data sets."""

import re
import shutil

import h5py
import numpy as np
import published_sets
import pytest
from click.testing import CliRunner
from data_layouts import (
    UTK_WITHOUT_RACE,
    fairface,
    imagenet,
    put,
    table,
    utkface,
    write_h5,
    write_ppb,
)
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from repro.cli.data import data
from repro.data import any_layout, dataset_info
from repro.data.pictures import duplicates
from repro.data.pictures.duplicates import Look, Looks
from repro.errors import DataError


def info(*words):
    """What the command prints; a mistake is raised."""
    result = CliRunner().invoke(data, ["info", *map(str, words)])
    if result.exception is not None:
        raise result.exception
    return result.stdout


def surveyed(path, *, kind=None, groups=()):
    """A survey of one place."""
    return dataset_info.survey(any_layout.read(path, kind=kind, groups=groups))


def few_utkface(root):
    """So many faces that one without a race is left out."""
    names = [f"{20 + number % 60}_{number % 2}_1_{number}.jpg" for number in range(110)]
    utkface(root, names=[names[0], UTK_WITHOUT_RACE])
    for name in names[1:]:
        shutil.copy(root / names[0], root / name)
    return root


MAKERS = {
    "ppb": lambda root: write_ppb(root),
    "fairface": lambda root: fairface(root),
    "utkface": few_utkface,
    "fhibe": lambda root: published_sets.fhibe(root),
    "mst_e": lambda root: published_sets.mst_e(root),
    "facet": lambda root: published_sets.facet(root),
    "bfw": lambda root: published_sets.bfw(root),
    "rfw": lambda root: published_sets.rfw(root),
    "csv": lambda root: table(root),
    "groups": lambda root: imagenet(root),
    "folder": lambda root: put(root / "a.png", 0).parent,
    "h5": lambda root: write_h5(put(root / "x.png", 0).with_name("t.h5")),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_every_layout_is_known_by_its_look(tmp_path, kind):
    """Nobody needs to say what it is."""
    assert any_layout.guess(MAKERS[kind](tmp_path)) == kind


def test_ppb_is_counted_by_group_with_its_channel_means(tmp_path):
    """All that a study would read."""
    said = info(write_ppb(tmp_path / "ppb"))

    assert "ppb: ppb, 2 pictures, 80 x 100 pixels\n  by label: face 2\n" in said
    assert "  by group: darker_male 1, lighter_female 1\n" in said
    assert "  mean of red 200.0, green 100.0, blue 50.0 (0 to 255)\n" in said
    assert "  terms: handed out on request, for research\n" in said


@pytest.mark.parametrize("kind", ["fairface", "utkface"])
def test_labels_of_race_are_said_to_be_no_skin_types(tmp_path, kind):
    """In so many words."""
    assert "Race labels are not skin types" in info(MAKERS[kind](tmp_path))


def test_names_without_a_label_are_counted(tmp_path):
    """Studies leave them out; nobody does so in silence."""
    said = info(few_utkface(tmp_path))

    assert f"as the name lacks a label: 1 ({UTK_WITHOUT_RACE})" in said


def test_groups_are_of_any_columns(tmp_path):
    """As in a study."""
    said = info(write_ppb(tmp_path), "--group", "country")

    assert "  by group: finland 1, senegal 1\n" in said


def test_unfit_pictures_are_named(tmp_path):
    """Near-constant, unreadable, and the same twice."""
    put(tmp_path / "a.png", 1)
    shutil.copy(tmp_path / "a.png", tmp_path / "b.png")
    Image.new("RGB", (30, 30), (9, 9, 9)).save(tmp_path / "c.png")
    (tmp_path / "d.png").write_bytes(b"no picture")
    said = info(tmp_path)

    assert "near-constant (standard deviation below 4 of 255): 1 (c.png)" in said
    assert "unreadable: 1 (d.png)\n" in said
    assert f"    {tmp_path / 'd.png'}: the picture cannot be read" in said
    assert "identical to an earlier one: 1\n    a.png = b.png\n" in said


def test_a_leak_is_found_under_another_name_and_format(tmp_path):
    """By the pixels: a crop in an HDF5 file is a PNG's."""
    pixels = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), dtype=np.uint8)
    path = write_h5(tmp_path / "train.h5", images=pixels, labels=np.uint8([[1], [0], [1], [0]]))
    (tmp_path / "test").mkdir()
    Image.fromarray(pixels[2][..., ::-1]).save(tmp_path / "test" / "leak.png")
    put(tmp_path / "test" / "other.png", 5)
    said = info(path, tmp_path / "test")

    both = f"In both {path} and {tmp_path / 'test'}"
    assert f"{both}: at least 1 exact, 0 alike; more is not checkable\n" in said
    assert "\n  image 2 = leak.png\n  not checkable: 4 of 4 images of" in said


def test_a_file_that_does_not_say_what_it_was_cut_from_is_not_checkable(tmp_path):
    """MIT's does not: that nothing is found there does not mean that there is nothing."""
    path = write_h5(tmp_path / "train.h5")
    put(tmp_path / "test" / "other.png", 5)
    said = info(path, tmp_path / "test")

    assert f"In both {path} and {tmp_path / 'test'}: not checkable\n" in said
    assert "6 of 6 images" in said
    assert "0 exact" not in said


@pytest.fixture
def leaking(tmp_path):
    """Training images that were cut from the very pictures of the test, and others."""
    place = fairface(tmp_path / "FairFace", count=3)
    for number in range(1, 4):
        picture = place / "val" / f"{number}.jpg"
        (tmp_path / "faces").mkdir(exist_ok=True)
        shutil.copy(picture, tmp_path / "faces" / f"{100 + number}.jpg")
    with Image.open(place / "val" / "3.jpg") as picture:
        smaller = picture.resize((72, 90))
    smaller.save(tmp_path / "faces" / "103.jpg", quality=60)
    put(tmp_path / "others" / "a.png", 9)
    words = [f"faces:{tmp_path / 'faces'}", f"nonfaces:{tmp_path / 'others'}"]
    result = CliRunner().invoke(data, ["prepare", *words, str(tmp_path / "train.h5")])
    assert result.exception is None
    return tmp_path / "train.h5", place


def test_what_was_cut_is_found_by_what_it_was_cut_from(leaking):
    """The same file under another name, and one that was made smaller and compressed again."""
    said = info(*leaking)

    assert f"In both {leaking[0]} and {leaking[1]}: 2 exact, 1 alike\n" in said
    assert "  101.jpg = val/1.jpg\n  102.jpg = val/2.jpg\n  103.jpg ~ val/3.jpg (hash d" in said
    assert "not checkable" not in said


def test_what_a_file_of_before_holds_is_found_if_it_was_cut_in_the_middle(leaking):
    """Test pictures are cut in the same way."""
    with h5py.File(leaking[0], "r+") as file:
        del file["source_sha256"]
    said = info(*leaking)

    assert ": at least 2 exact, 1 alike; more is not checkable\n" in said


def test_a_file_that_was_extended_keeps_what_it_was_cut_from(leaking, tmp_path):
    """It is handed on."""
    words = [f"mit_h5:{leaking[0]}", f"nonfaces:{tmp_path / 'others'}", str(tmp_path / "more.h5")]
    assert CliRunner().invoke(data, ["prepare", *words]).exception is None

    assert ": 2 exact, 1 alike\n" in info(tmp_path / "more.h5", leaking[1])


def test_what_a_file_says_of_its_sources_in_another_layout_is_refused(leaking):
    """Nothing of it is taken on trust."""
    with h5py.File(leaking[0], "r+") as file:
        del file["source_phash"]
        file["source_phash"] = np.zeros((4, 3), np.uint64)

    with pytest.raises(DataError, match="source_sha256 and source_phash have another layout"):
        info(*leaking)


@given(st.lists(st.integers(0, 3), max_size=8), st.lists(st.integers(0, 3), max_size=8))
def test_leaks_are_all_pairs_of_equal_pictures(here, there):
    """As a slow comparison of each with each says."""
    pictures = [np.full((2, 3, 3), value, np.uint8) for value in range(4)]
    surveys = []
    for values in (here, there):
        digests = {index: duplicates.digest(pictures[value]) for index, value in enumerate(values)}
        looks = ((n, Look(digest, duplicates.UNKNOWN)) for n, digest in digests.items())
        unused = (None, None, None, None, None, (), {})
        surveys.append(dataset_info.Survey(*unused, digests, Looks.of(looks)))
    expected = {(i, j, None) for i, a in enumerate(here) for j, b in enumerate(there) if a == b}

    assert set(dataset_info.leaks(surveys)[0, 1]) == expected
    assert sum(len(same) for same in surveys[0].doubles) == sum(
        count for value in range(4) if (count := here.count(value)) > 1
    )


def test_pictures_of_other_shape_are_other_pictures():
    """The same bytes, lying down."""
    lying, standing = np.zeros((2, 3, 3), np.uint8), np.zeros((3, 2, 3), np.uint8)

    assert duplicates.digest(lying) != duplicates.digest(standing)


def test_means_are_over_all_pixels(tmp_path):
    """A larger picture counts for more."""
    for name, side, value in (("a.png", 20, 0), ("b.png", 40, 100)):
        Image.new("RGB", (side, side), (value,) * 3).save(tmp_path / name)

    assert surveyed(tmp_path).means == pytest.approx((80, 80, 80))


def prepared(tmp_path):
    """A file that the program made."""
    for number, name in enumerate(("faces", "others")):
        put(tmp_path / name / "a.png", number)
    words = [f"faces:{tmp_path / 'faces'}", f"nonfaces:{tmp_path / 'others'}"]
    result = CliRunner().invoke(data, ["prepare", *words, str(tmp_path / "o.h5")])
    assert result.exception is None
    return tmp_path / "o.h5"


def test_a_prepared_file_tells_where_it_comes_from(tmp_path):
    """Counts and terms of each source, and whether it is as it was."""
    said = info(prepared(tmp_path))

    assert "  by label: face 1, no face 1\n" in said
    assert "  from faces: 1 faces, 0 non-faces; left out: none; terms: not stated" in said
    assert "  sha256 of images and labels: as when it was prepared\n" in said


def test_a_changed_file_is_told(tmp_path):
    """One pixel is enough."""
    path = prepared(tmp_path)
    with h5py.File(path, "r+") as file:
        file["images"][0, 5, 5, 1] ^= 1

    assert "  sha256 of images and labels: NOT as when it was prepared\n" in info(path)


@pytest.mark.parametrize("content", ["[1]", "{", '[{"kind": 1}]', "[" * 10_000, "null"])
def test_remarks_that_somebody_else_wrote_are_passed_over(tmp_path, content):
    """A file may say anything of itself."""
    path = prepared(tmp_path)
    with h5py.File(path, "r+") as file:
        file.attrs["sources"] = content

    assert "from" not in info(path)


def test_names_that_lead_elsewhere_are_refused(tmp_path):
    """A file's texts are in the file."""
    path = prepared(tmp_path)
    with h5py.File(path, "r+") as file:
        del file["names"]
        file["names"] = h5py.ExternalLink("/etc/passwd", "names")

    with pytest.raises(DataError, match="'names' is a link to another file"):
        info(path)


def test_the_sheet_shows_a_few_of_each_group(tmp_path):
    """A row of pictures a group; the same ones every time."""
    root = write_ppb(tmp_path / "ppb")
    info(root, "--sheet", tmp_path / "one.png")
    info(root, "--sheet", tmp_path / "two.png")
    with Image.open(tmp_path / "one.png") as sheet:
        colours = sheet.getcolors(1 << 20)

    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert [count for count, colour in colours if colour == (200, 100, 50)] == [2 * 77 * 96]


@pytest.mark.parametrize(
    ("name", "message"),
    [("nowhere", "folder not found"), ("notes.txt", "is neither .h5 nor .csv; give one of")],
)
def test_what_is_no_data_set_is_named(tmp_path, name, message):
    """With what would be one."""
    (tmp_path / "notes.txt").touch()

    with pytest.raises(DataError, match=re.escape(message)):
        info(tmp_path / name)


def test_many_groups_are_not_listed_one_by_one(tmp_path):
    """ImageNet has a thousand."""
    imagenet(tmp_path, classes=[f"n{number:08}" for number in range(70)], each=1)

    assert "  70 groups of 1 to 1\n" in info(tmp_path)
