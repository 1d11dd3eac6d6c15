"""Which square of a picture a network is trained on."""

import re
import shutil

import numpy as np
import pytest
from data_layouts import ATTRIBUTES, celeba, imagenet, kaggle_celeba, put, table
from hypothesis import given
from hypothesis import strategies as st

from repro.data import raw_sources
from repro.data.pictures import picture_files, raw_pictures, square_crops
from repro.data.sources import imagenet as classes
from repro.data.sources.source_registry import RawOptions
from repro.errors import DataError

SIDES = st.integers(1, 3000)
PLACES = st.integers(-500, 3500)


def read(word, *, part="train", without=(), seed=0):
    """A source by its word on the command line."""
    return raw_sources.read(word, RawOptions(part=part, without=without, seed=seed))


@given(SIDES, SIDES, st.tuples(PLACES, PLACES, SIDES, SIDES))
def test_the_square_around_a_box_is_in_the_picture(width, height, box):
    """Whatever the box, even one that lies outside; as large as its longer side if that fits."""
    left, top, side = square_crops.around(box, width, height)

    assert 0 <= left <= left + side <= width
    assert 0 <= top <= top + side <= height
    assert side == min(max(box[2:]), width, height)


@given(st.integers(100, 3000), st.integers(100, 3000), st.data())
def test_the_square_around_a_box_holds_the_box(width, height, data):
    """If the box is in the picture, and there is room for its longer side."""
    wide, high = (data.draw(st.integers(1, min(width, height))) for _ in range(2))
    x, y = (data.draw(st.integers(0, r - s)) for r, s in ((width, wide), (height, high)))
    left, top, side = square_crops.around((x, y, wide, high), width, height)

    assert left <= x <= x + wide <= left + side
    assert top <= y <= y + high <= top + side


@given(SIDES, SIDES, st.integers(0, 2**32))
def test_a_random_square_is_in_the_picture(width, height, seed):
    """Of 64 pixels, or of the whole shorter side."""
    square = square_crops.anywhere(np.random.default_rng(seed), width, height)

    assert 0 <= square.left <= width - square.side
    assert 0 <= square.top <= height - square.side
    assert square.side == min(64, width, height)


@given(SIDES, SIDES)
def test_the_middle_square_leaves_as_much_on_either_side(width, height):
    """But for the odd pixel."""
    left, top, side = square_crops.centred(width, height)

    assert side == min(width, height)
    assert abs((width - side) - 2 * left) <= 1
    assert abs((height - side) - 2 * top) <= 1


def test_a_square_of_the_right_size_is_not_resampled():
    """Its very pixels."""
    pixels = np.random.default_rng(0).integers(0, 256, (90, 80, 3), dtype=np.uint8)

    assert np.array_equal(
        square_crops.cut(pixels, square_crops.Square(5, 7, 64)), pixels[7:71, 5:69]
    )


def test_an_even_picture_stays_so_when_it_is_resized():
    """Enlarged or reduced."""
    for side in (20, 300):
        pixels = np.full((side, side, 3), (10, 20, 30), np.uint8)
        assert (square_crops.cut(pixels, square_crops.Square(0, 0, side)) == (10, 20, 30)).all()


def test_celeba_is_cut_around_its_boxes(tmp_path):
    """Training part alone, boxes of no size left out and counted, genders from the attributes."""
    source = read(f"celeba:{celeba(tmp_path)}")

    assert [p.name for p in source.pictures] == ["000001.jpg", "000003.jpg", "000006.jpg"]
    assert [p.group for p in source.pictures] == ["male", "male", "female"]
    assert source.left_out == {"empty box": 1}
    whole = picture_files.read_picture(tmp_path / "celeba" / "img_celeba" / "000001.jpg")
    assert np.array_equal(
        source.pictures[0].crop()[0], square_crops.resized(whole[71 : 71 + 80, 95 - 10 : 95 + 70])
    )


def test_aligned_celeba_is_cut_in_the_middle(tmp_path):
    """The folder itself will do as well; all parts on request."""
    source = read(f"celeba-aligned:{celeba(tmp_path) / 'celeba'}", part="all")
    whole = picture_files.read_picture(tmp_path / "celeba" / "img_align_celeba" / "000001.jpg")

    assert len(source.pictures) == 6
    assert np.array_equal(source.pictures[0].crop()[0], square_crops.resized(whole[20:198]))


def test_celeba_needs_no_attributes(tmp_path):
    """They only name the groups."""
    (celeba(tmp_path) / "celeba" / "list_attr_celeba.txt").unlink()

    assert {p.group for p in read(f"celeba:{tmp_path}").pictures} == {""}


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("list_bbox_celeba.txt", "95  71 60 80", "95  71 60", "bbox_celeba.txt:3: 4 cells, not 5"),
        ("list_bbox_celeba.txt", "95  71 60", "95  x 60", "bbox_celeba.txt:3: a box is four whole"),
        ("list_bbox_celeba.txt", "6\n", "7\n", "6 rows, but the first line says '7'"),
        ("list_bbox_celeba.txt", "000003.jpg", "x.jpg", "no row for 000003.jpg"),
        (
            "list_eval_partition.txt",
            "000004.jpg 1",
            "000004.jpg 9",
            "partition.txt:4: '9' is not a p",
        ),
        (
            "list_eval_partition.txt",
            "000001.jpg",
            "../1.jpg",
            "'../1.jpg' is not a file name of a picture",
        ),
        ("list_attr_celeba.txt", ATTRIBUTES, ATTRIBUTES.replace("Male", "M"), "no column 'Male'"),
    ],
)
def test_a_wrong_list_of_celeba_is_named(tmp_path, name, old, new, message):
    """File, line and what is wrong."""
    file = celeba(tmp_path) / "celeba" / name
    file.write_text(file.read_text().replace(old, new))

    with pytest.raises(DataError, match=re.escape(message)):
        read(f"celeba:{tmp_path}")


def test_a_missing_part_of_celeba_is_named(tmp_path):
    """Those who have the aligned pictures alone are told which are missing."""
    shutil.rmtree(celeba(tmp_path) / "celeba" / "img_celeba")

    with pytest.raises(DataError, match="there is no img_celeba/, in it or in celeba, Anno, Eval"):
        read(f"celeba:{tmp_path}")


def test_celeba_of_kaggle_is_read_as_it_is(tmp_path):
    """Lists by commas, pictures one folder deeper; the same pictures as in torchvision's layout."""
    kaggle = read(f"celeba-aligned:{kaggle_celeba(tmp_path / 'kaggle')}")
    usual = read(f"celeba-aligned:{celeba(tmp_path / 'usual')}")

    assert [(p.name, p.group) for p in kaggle.pictures] == [
        (p.name, p.group) for p in usual.pictures
    ]
    assert np.array_equal(kaggle.pictures[0].crop()[0], usual.pictures[0].crop()[0])


def test_a_list_by_commas_without_a_header_loses_no_row(tmp_path):
    """Its first line is a picture's."""
    table = kaggle_celeba(tmp_path) / "list_eval_partition.csv"
    table.write_text(table.read_text().partition("\n")[2])

    assert len(read(f"celeba-aligned:{tmp_path}", part="all").pictures) == 6


def test_all_that_is_missing_of_celeba_is_named_at_once(tmp_path):
    """Not the first of it."""
    (tmp_path / "x").mkdir()

    with pytest.raises(
        DataError, match=r"no img_celeba/ and no list_eval_partition\.txt or \.csv a"
    ):
        read(f"celeba:{tmp_path / 'x'}")


def test_who_has_the_aligned_pictures_alone_is_told_how_to_use_them(tmp_path):
    """Kaggle's set has boxes, but not the pictures that they are of."""
    with pytest.raises(DataError, match=r"there are aligned pictures, in .*: use celeba-aligned"):
        read(f"celeba:{kaggle_celeba(tmp_path)}")


BOXES = {
    (95, 71, 60, 80): False,
    (-5, 0, 60, 80): False,  # less than a tenth of its width
    (145, 95, 60, 80): False,  # 5 pixels too far right and down
    (145, 71, 62, 80): True,
    (600, 274, 60, 80): True,
    (0, -81, 60, 80): True,
}


@pytest.mark.parametrize("box", BOXES)
def test_a_box_outside_of_its_picture_is_refused(tmp_path, box):
    """In a picture of 200 x 170, a little is let pass, as rounding may do so much."""
    picture = raw_pictures.Picture(
        put(tmp_path / "x.png", 0, width=200, height=170), "x.png", 1, box=box
    )

    if BOXES[box]:
        with pytest.raises(
            raw_pictures.BoxOutside, match="reaches beyond the picture of 200 x 170"
        ):
            picture.crop()
    else:
        assert picture.crop()[0].shape == (64, 64, 3)


def test_imagenet_leaves_people_out_and_crops_anywhere(tmp_path):
    """The shipped list has the class; what was left out is counted."""
    source = read(f"imagenet:{imagenet(tmp_path)}", without=classes.names(classes.PEOPLE))

    assert {p.name.split("/")[0] for p in source.pictures} == {"n01440764", "n02102040"}
    assert source.left_out == {"in classes left out by list": 2}
    assert source.pictures[0].crop()[0].shape == (64, 64, 3)


def test_the_shipped_list_names_the_three_classes_of_people():
    """ILSVRC-2012 has no more whose subject is a person."""
    assert classes.names(classes.PEOPLE) == {"n09835506", "n10148035", "n10565667"}


def test_a_random_crop_hangs_on_seed_and_name_alone(tmp_path):
    """Not on which other pictures there are."""
    everything = read(f"imagenet:{imagenet(tmp_path)}").pictures
    fewer = read(f"imagenet:{tmp_path}", without={"n01440764"}).pictures
    otherwise = read(f"imagenet:{tmp_path}", seed=1).pictures

    assert np.array_equal(everything[-1].crop()[0], fewer[-1].crop()[0])
    assert not np.array_equal(everything[-1].crop()[0], otherwise[-1].crop()[0])


def test_a_small_picture_is_enlarged(tmp_path):
    """Its shorter side to 64."""
    put(tmp_path / "n01440764" / "a.png", 0, width=40, height=30)

    assert read(f"imagenet:{tmp_path}").pictures[0].crop()[0].shape == (64, 64, 3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda root: put(root / "a.png", 0), "a.png is in no class folder; for a flat folder use"),
        (lambda root: put(root / "people" / "a.png", 0), "all classes are left out"),
    ],
)
def test_a_folder_that_is_no_imagenet_is_refused(tmp_path, make, message):
    """With what to do."""
    make(tmp_path)

    with pytest.raises(DataError, match=message):
        read(f"imagenet:{tmp_path}", without={"people"})


def test_a_table_may_be_trained_on(tmp_path):
    """Labels and, if there is such a column, groups are the table's."""
    path = table(tmp_path, header="path,label,group", rows=("a.png,1,Old Cat", "deep/b.png,0,"))

    assert [(p.label, p.group) for p in read(f"csv:{path}").pictures] == [(1, "old_cat"), (0, "")]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("celba:x", "'celba:x' is not a source; sources are celeba:PATH, celeba-aligned:PATH, "),
        ("celba:x", "utkface:PATH. Did you mean celeba:?"),
        ("x", "'x' is not a source"),
        ("faces:", "'faces:' is not a source"),
    ],
)
def test_an_unknown_source_is_named(word, message):
    """With the known ones and the closest."""
    with pytest.raises(DataError, match=re.escape(message)):
        read(word)


@given(most=st.integers(1, 6), seed=st.integers(0, 100))
def test_a_limit_draws_without_repetition_and_keeps_the_order(most, seed):
    """The same ones for the same seed."""
    pictures = tuple(raw_pictures.Picture(None, f"{number}", 1) for number in range(5))
    source = raw_pictures.Raw("faces", pictures)
    limited = raw_sources.limited(source, most, seed=seed)
    names = [picture.name for picture in limited.pictures]

    assert names == sorted(set(names))
    assert len(names) == min(most, 5)
    assert limited == raw_sources.limited(source, most, seed=seed)
    assert sum(limited.left_out.values()) == 5 - len(names)
