"""Damaged and hostile data are refused by name, and nothing outside of them is read or touched."""

import os
import random
import re
import time

import numpy as np
import pytest
from PIL import Image

from faults import bad_h5, bad_pictures, bad_test_sets
from faults.bad_pictures import SIZE, encoded, noise
from faults.refusals import SECONDS, listing
from repro.data import sources
from repro.data.pictures import picture_files
from repro.data.pictures.images import TrainingImages
from repro.data.sources import mit_h5, ppb
from repro.errors import DataError

GROUPS = ("bi.fitz", "gender")
HEADER = "filename,gender,bi.fitz\n"
TABLE = f"{HEADER}a.png,Female,lighter\nb.png,Male,darker\n"


@pytest.fixture
def outside(tmp_path):
    """Files that nobody may be led to by others."""
    place = tmp_path / "outside"
    place.mkdir()
    bad_h5.write(place / "secret.h5", images=bad_h5.noise())
    (place / "secret.txt").write_bytes(b"secret" * 20_000)
    return place


@pytest.mark.parametrize("name", bad_h5.CASES)
def test_bad_training_images_are_refused(name, outside, tally):
    """The file is named, what is wrong with it is said, before anything large is read."""
    make, expected = bad_h5.CASES[name]
    path = outside.parent / "train.h5"
    make(path)
    before, begun = listing(outside.parent), time.process_time()
    with pytest.raises(DataError) as caught:
        mit_h5.read(path, channels="bgr")
    tally.bad_inputs += 1

    assert str(caught.value).startswith(f"{path}: ")
    assert expected in str(caught.value)
    assert str(caught.value).isprintable()
    assert time.process_time() - begun < SECONDS
    assert listing(outside.parent) == before


@pytest.mark.parametrize("name", bad_test_sets.CASES)
def test_bad_test_sets_are_refused(name, outside, tally):
    """Table or folder are named, and what is wrong with them."""
    make, spec, expected = bad_test_sets.CASES[name]
    root = outside.parent / "set"
    make(root)
    before, begun = listing(outside.parent), time.process_time()
    with pytest.raises(DataError) as caught:
        sources.portraits(spec(path=str(root)))
    tally.bad_inputs += 1

    assert str(caught.value).startswith(str(root))
    assert expected in str(caught.value)
    assert time.process_time() - begun < SECONDS
    assert listing(outside.parent) == before


@pytest.mark.parametrize("how", [{}, {"chunks": (2, 64, 64, 3), "compression": "gzip"}], ids=repr)
def test_damaged_training_images_are_read_or_refused(how, tmp_path, amount, tally):
    """Other bytes anywhere in the file: no other error."""
    original = bad_h5.write(tmp_path / "sound.h5", images=bad_h5.noise(), **how).read_bytes()
    chance, path = random.Random(len(how)), tmp_path / "train.h5"
    for _ in range(amount(40, 1000)):
        path.write_bytes(bad_h5.damaged(original, chance))
        tally.bad_inputs += 1
        try:
            read = mit_h5.read(path, channels="bgr")
        except DataError as error:
            assert str(error).startswith(f"{path}: ")  # noqa: PT017 (most are read)
        else:
            assert isinstance(read, TrainingImages)


def test_packed_training_images_are_read(tmp_path):
    """What a laboratory may well do to photographs is in proportion."""
    images = bad_h5.noise()
    how = {"chunks": (2, 64, 64, 3), "compression": "gzip", "maxshape": (None, 64, 64, 3)}
    read = mit_h5.read(bad_h5.write(tmp_path / "a.h5", images=images, **how), channels="rgb")

    assert np.array_equal(read.images, images)


def test_more_training_images_than_memory_are_refused(tmp_path, monkeypatch):
    """Said before they are read, not by the system when it is too late."""
    path = bad_h5.write(tmp_path / "a.h5", images=bad_h5.noise())
    monkeypatch.setattr(os, "sysconf", lambda _: 300)

    with pytest.raises(DataError, match="takes 147,456 bytes of memory, and this machine has 90,0"):
        mit_h5.read(path, channels="bgr")


@pytest.mark.parametrize("name", bad_pictures.REFUSED)
def test_a_bad_picture_is_refused(name, tmp_path, tally):
    """The file is named, what is wrong with it is said, before many pixels are unpacked."""
    make, expected = bad_pictures.REFUSED[name]
    path = tmp_path / name
    make(path)
    begun = time.process_time()
    with pytest.raises(DataError) as caught:
        picture_files.read_picture(path)
    tally.bad_inputs += 1

    assert str(caught.value).startswith(f"{path}: ")
    assert expected in str(caught.value)
    assert time.process_time() - begun < SECONDS


@pytest.mark.parametrize("name", bad_pictures.SOUND)
def test_a_damaged_picture_is_read_or_refused(name, tmp_path, amount, tally):
    """Other bytes anywhere in the file: no other error."""
    path, chance = tmp_path / name, random.Random(name)
    for _ in range(amount(15, 300)):
        path.write_bytes(bad_pictures.damaged(bad_pictures.SOUND[name], chance))
        tally.bad_inputs += 1
        try:
            pixels = picture_files.read_picture(path)
        except DataError as error:
            assert str(error).startswith(f"{path}: ")  # noqa: PT017 (many are read)
        else:
            assert (pixels.dtype, pixels.shape[2]) == (np.uint8, 3)


@pytest.mark.parametrize("name", bad_pictures.SOUND)
def test_an_unusual_picture_is_read_in_its_size(name, tmp_path):
    """Every kind comes out upright, RGB, 8 bits; odd remarks of a camera do not matter."""
    (tmp_path / name).write_bytes(bad_pictures.SOUND[name])
    upright = SIZE if name in bad_pictures.TURNED else SIZE[::-1]
    pixels = picture_files.read_picture(tmp_path / name)

    assert (pixels.shape, pixels.dtype) == ((*upright, 3), np.uint8)


@pytest.mark.parametrize("name", ["deep.png", "deep.tif", "deep big-endian.tif"])
def test_sixteen_bits_keep_their_brightness(name, tmp_path):
    """Half of the brightest is half of the brightest; Pillow alone would make it white."""
    grey = np.linspace(0, 65_535, 2000).astype(np.uint16).reshape(40, 50)
    image = Image.fromarray(grey)
    if "big" in name:
        image = Image.frombytes("I;16B", image.size, grey.astype(">u2").tobytes())
    image.save(tmp_path / name)
    pixels = picture_files.read_picture(tmp_path / name)

    assert np.array_equal(pixels, np.repeat((grey >> 8)[..., None], 3, axis=2))


def test_of_several_frames_the_first_is_read(tmp_path):
    """A film of a thousand pictures costs as much as one."""
    first = noise(1)
    first.save(tmp_path / "film.tif", save_all=True, append_images=[noise(2)] * 99)

    assert np.array_equal(picture_files.read_picture(tmp_path / "film.tif"), np.asarray(first))


def test_remarks_cost_no_warning_and_no_memory(tmp_path, recwarn):
    """Pillow's own remarks about a picture are not the user's business."""
    (tmp_path / "a.jpg").write_bytes(bad_pictures.SOUND["remarks.jpg"])
    picture_files.read_picture(tmp_path / "a.jpg")

    assert len(recwarn) == 0


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (
            lambda place: os.mkfifo(place / "pipe.jpg"),
            "pipe.jpg: a broken link, a pipe or a device",
        ),
        (
            lambda place: (place / "a.jpg").symlink_to("/dev/zero"),
            "a.jpg: a broken link, a pip",
        ),
        (lambda place: (place / "a.jpg").symlink_to("nowhere"), "a.jpg: a broken link, a pipe"),
        (
            lambda place: (place / "a.jpg").symlink_to("a.jpg"),
            "a.jpg: a broken link, a pipe or",
        ),
        (
            lambda place: (place / "\x1b[31m.jpg").touch(),
            "\\x1b[31m.jpg: the name has invisible characters",
        ),
        (
            lambda place: (place / "two\nlines.jpg").touch(),
            "two\\nlines.jpg: the name has invisible",
        ),
        (lambda place: open(bytes(place) + b"/\xfc.jpg", "w").close(), "\\udcfc.jpg: the name has"),
        (lambda place: (place / "a.TXT").touch(), "no picture in it, but 1 .txt; expected "),
        (lambda place: (place / "x.jpg").mkdir(), "no picture in it; expected "),
        (lambda place: place.rmdir(), "folder not found"),
        (lambda place: place.rmdir() or place.touch(), "folder not found"),
        (lambda place: place.rmdir() or os.mkfifo(place), "folder not found"),
    ],
)
def test_a_bad_folder_is_refused(make, expected, tmp_path, tally):
    """What is called a picture and is none is named; nothing is passed over in silence."""
    place = tmp_path / "pictures"
    place.mkdir()
    make(place)
    tally.bad_inputs += 1

    with pytest.raises(DataError, match=re.escape(expected)) as caught:
        picture_files.read(place)
    assert str(caught.value).isprintable()


def test_a_name_beyond_all_length_is_refused(tmp_path, tally):
    """The system's own words, with no traceback."""
    for read in (picture_files.read, lambda path: mit_h5.read(path, channels="bgr"), _portraits):
        tally.bad_inputs += 1
        with pytest.raises(DataError, match="File name too long"):
            read(tmp_path / ("a" * 5000))


def test_pictures_may_be_linked_to(tmp_path):
    """Collections are often made of links; hidden files and files of other kinds are left out."""
    (tmp_path / "kept").mkdir()
    noise().save(tmp_path / "kept" / "a.PNG")
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "b c é.png").symlink_to("../kept/a.PNG")
    for name in (".hidden.png", "notes.txt", "Thumbs.db"):
        (tmp_path / "used" / name).touch()

    assert picture_files.read(tmp_path / "used").names == ("b c é.png",)


def _portraits(path):
    return ppb.read(path, groups=GROUPS)


def benchmark(place, content=TABLE):
    """Two portraits and their table."""
    (place / ppb.PICTURES).mkdir(parents=True)
    for name in ("a.png", "b.png"):
        (place / ppb.PICTURES / name).write_bytes(encoded(noise(), "PNG"))
    table = place / ppb.METADATA
    if callable(content):
        content(table)
    else:
        table.write_bytes(content if isinstance(content, bytes) else content.encode())
    return table


NO_TABLE = ": file not found, or not a regular file"
TABLES = {
    "missing": (lambda table: None, ": file not found, so this is not a folder of the Pilot"),
    "folder": (lambda table: table.mkdir(), NO_TABLE),
    "pipe": (lambda table: os.mkfifo(table), NO_TABLE),
    "without an end": (lambda table: table.symlink_to("/dev/zero"), NO_TABLE),
    "17 MB": (HEADER + "a" * 17_000_000, ": more than 16,777,216 bytes"),
    "empty": ("", ": is empty; the first line names the columns"),
    "header": (HEADER, ": no row below the header"),
    "UTF-16": (TABLE.encode("utf-16")[:-1], ":3: is not UTF-8: save it as CSV in UTF-8"),
    "Latin-1": (
        TABLE.replace("Female", "weiblich \xfc").encode("latin-1"),
        ":2: is not UTF-8: save it as CSV in UTF-8 (in Excel: 'CSV UTF-8')",
    ),
    "no column": (TABLE.replace("gender", "sex"), ": no column 'gender'; the columns are filename"),
    "column twice": (TABLE.replace("gender", "filename"), ": more than one column 'filename'"),
    "row without a picture": (f"{TABLE}c.png,Male,darker\n", ":4: no picture"),
    "picture without a row": (
        TABLE[: TABLE.index("b.png")],
        ": no row for b.png, which is one of 1",
    ),
    "row twice": (f"{TABLE}a.png,Male,darker\n", ":4: a.png is in two rows, first in 2"),
    "half a row": (TABLE[:-8], ":3: 2 cells, but the header has 3 columns"),
    "long row": (TABLE.replace("darker", "darker,1"), ":3: 4 cells, but the header has 3 columns"),
    "no group": (TABLE.replace("Female", " "), ":2: no value in column 'gender'"),
    "group that acts on terminals": (
        TABLE.replace("Male", "\x1b[31m"),
        ":3: '\\\\x1b[31m' is not a gr",
    ),
    "group of two lines": (
        TABLE.replace("Male", '"a\nb"'),
        ":3: 'a\\\\nb' is not a group for 'gender'",
    ),
    "group without an end": (TABLE.replace("Male", "a" * 5000), ":3: 'aaaaaaaaa"),
    "field of 200,000": (TABLE.replace("Male", "a" * 200_000), ":3: is not CSV: field larger than"),
    "open quotes": (TABLE.replace("Male", '"Male'), ":3: is not CSV: unexpected end of data"),
    "above": (TABLE.replace("b.png", "../b.png"), ":3: no picture"),
    "absolute": (TABLE.replace("b.png", "/etc/passwd"), ":3: no picture"),
    "upwards": (TABLE.replace("b.png", ".."), ":3: no picture"),
    "NUL": (TABLE.replace("b.png", "b\0.png"), "b\\x00.png: the name has invisible characters"),
    "escape": (TABLE.replace("b.png", "\x1b[31m"), "\\x1b[31m: the name has invisible characters"),
    "nobody": (TABLE.replace("b.png", ""), ":3: no picture"),
    "name without an end": (TABLE.replace("b.png", "b" * 9000), ":3: no picture"),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_bad_benchmark_is_refused(name, tmp_path, tally):
    """Its table is named with the line, and read as it stands: nothing is left out."""
    content, expected = TABLES[name]
    table = benchmark(tmp_path / "ppb", content)
    before = listing(tmp_path)
    with pytest.raises(DataError) as caught:
        _portraits(table.parent)
    tally.bad_inputs += 1

    assert str(caught.value).startswith(str(table))
    assert expected in str(caught.value)
    assert str(caught.value).isprintable()
    assert listing(tmp_path) == before


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"], ids=ascii)
@pytest.mark.parametrize("start", ["", "\ufeff"], ids=ascii)
def test_line_ends_and_marks_change_nothing(start, end, tmp_path):
    """Copies of the table differ in both."""
    table = benchmark(tmp_path / "ppb", (start + TABLE + "\n").replace("\n", end))

    assert _portraits(table.parent).groups == ("lighter_female", "darker_male")


def test_the_same_picture_in_two_sets_is_found(tmp_path):
    """A portrait among the photographs without a face is found by its bytes, under any name."""
    for place in ("portraits", "others"):
        (tmp_path / place).mkdir()
    files = {"portraits/a.png": 1, "portraits/b.png": 2, "others/c.png": 3, "others/d.png": 2}
    for name, seed in files.items():
        noise(seed).save(tmp_path / name)
    portraits, others = (sorted((tmp_path / place).iterdir()) for place in ("portraits", "others"))

    assert picture_files.duplicates(portraits, others) == [
        (tmp_path / "portraits/b.png", tmp_path / "others/d.png")
    ]
    assert picture_files.duplicates(portraits, others[:1]) == []


def test_pictures_of_one_size_are_told_apart(tmp_path):
    """Bytes count, not their number."""
    for name, content in {"a.bmp": b"12", "b.bmp": b"21", "c.bmp": b"12"}.items():
        (tmp_path / name).write_bytes(content)
    a, b, c = (tmp_path / f"{name}.bmp" for name in "abc")

    assert picture_files.duplicates([a, b], [c]) == [(a, c)]


def test_a_pipe_among_pictures_is_not_waited_for(tmp_path):
    """Whoever compares or fingerprints files may be given anything."""
    os.mkfifo(tmp_path / "a.bmp")

    with pytest.raises(DataError, match=r"a\.bmp: file not found, or it is a folder, a pipe"):
        picture_files.duplicates([tmp_path / "a.bmp"], [])
