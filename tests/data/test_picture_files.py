"""Every real source, on files in the exact published layout."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from data_layouts import HEADER, RED_ISH, ROWS, write_h5, write_ppb
from PIL import Image

from repro.data import preflight, sources
from repro.data.pictures import picture_files
from repro.data.sources import mit_h5, ppb
from repro.errors import DataError
from repro.study.data_spec import Data, Folder, MitH5, Ppb


def test_training_images_and_portraits_agree_in_their_channels(tmp_path):
    """The file's BGR and the picture's RGB become the same colour."""
    trained = mit_h5.read(write_h5(tmp_path / "train.h5"), channels="bgr")
    portrait = ppb.read(write_ppb(tmp_path / "ppb"), groups=("bi.fitz", "gender")).read(0)

    assert trained.images[0, 0, 0].tolist() == portrait[0, 0].tolist() == list(RED_ISH)


def test_declared_rgb_is_left_alone(tmp_path):
    """The channel order is a field of the source, not a guess."""
    stored = mit_h5.read(write_h5(tmp_path / "train.h5"), channels="rgb")

    assert stored.images[0, 0, 0].tolist() == list(RED_ISH[::-1])


def test_labels_become_the_face_mask(tmp_path):
    """1 is a face; the column (N, 1) becomes (N,)."""
    read = mit_h5.read(write_h5(tmp_path / "train.h5"), channels="bgr")

    assert read.is_face.tolist() == [True, False] * 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"images": np.zeros((6, 32, 32, 3), np.uint8)}, "images must be uint8"),
        ({"images": np.zeros((6, 64, 64, 3), np.float32)}, "images must be uint8"),
        ({"labels": np.zeros((5, 1), np.uint8)}, r"labels must be \(6, 1\)"),
        ({"labels": np.full((6, 1), 2, np.uint8)}, "labels must be 0"),
        ({"labels": np.ones((6, 1), np.uint8)}, "both must occur"),
        ({"labels": False}, "no dataset 'labels'; the file holds images"),
    ],
)
def test_another_layout_is_named(tmp_path, content, message):
    """What is wrong with an HDF5 file is said with its name."""
    with pytest.raises(DataError, match=message):
        mit_h5.read(write_h5(tmp_path / "train.h5", **content), channels="bgr")


def test_a_truncated_file_is_named(tmp_path):
    """Half a download is no data set."""
    path = write_h5(tmp_path / "train.h5")
    path.write_bytes(path.read_bytes()[:3000])

    with pytest.raises(DataError, match=r"train.h5: damaged, truncated or not an HDF5 file"):
        mit_h5.read(path, channels="bgr")


def test_a_missing_file_is_named(tmp_path):
    """The path stands in the message."""
    with pytest.raises(DataError, match=r"nowhere.h5: file not found"):
        mit_h5.read(tmp_path / "nowhere.h5", channels="bgr")


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"], ids=["CR", "LF", "CRLF"])
def test_ppb_reads_every_line_end(tmp_path, end):
    """Copies of the metadata differ in their line ends."""
    read = ppb.read(write_ppb(tmp_path / "ppb", end=end), groups=("bi.fitz", "gender"))

    assert read.names == ("a.png", "b.png")
    assert read.groups == ("lighter_female", "darker_male")


def test_groups_come_from_any_columns(tmp_path):
    """Another column makes other groups."""
    read = ppb.read(write_ppb(tmp_path / "ppb"), groups=("country",))

    assert read.groups == ("finland", "senegal")


@pytest.mark.parametrize("asked", ["bi.fitz", "bi_fitz"])
@pytest.mark.parametrize("written", ["bi.fitz", "bi_fitz"])
def test_ppb_has_its_skin_column_by_either_name(tmp_path, asked, written):
    """A public loader renames it in the file."""
    path = write_ppb(tmp_path / "ppb", lines=(HEADER.replace("bi.fitz", written), *ROWS))

    assert ppb.read(path, groups=(asked, "gender")).groups == ("lighter_female", "darker_male")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pictures": ("a.png",)}, r"metadata.csv:3: no picture .*b.png for this row"),
        ({"lines": (HEADER.replace("bi.fitz", "skin"), *ROWS)}, "no column 'bi.fitz'"),
        ({"lines": (HEADER, ROWS[0], ROWS[0])}, "a.png is in two rows"),
        ({"lines": (HEADER, "1,a.png,,1,lighter,x")}, "2: no value in column 'gender'"),
        ({"lines": (HEADER, "1,../a.png,Male,1,lighter,x")}, r"2: no picture"),
        ({"lines": (HEADER,)}, "no row below the header"),
    ],
)
def test_a_wrong_row_is_named(tmp_path, changes, message):
    """File, line and what is wrong."""
    with pytest.raises(DataError, match=message):
        ppb.read(write_ppb(tmp_path / "ppb", **changes), groups=("bi.fitz", "gender"))


def test_a_folder_gives_its_pictures_in_order(tmp_path):
    """Pictures in and below the folder, other files left out."""
    (tmp_path / "deep").mkdir()
    for name in ("b.png", "deep/a.jpg"):
        Image.new("RGB", (20, 30)).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    read = picture_files.read(tmp_path)

    assert read.names == ("b.png", "deep/a.jpg")
    assert read.read(0).shape == (30, 20, 3)


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGBA", "P", "I;16"])
def test_every_kind_of_picture_becomes_rgb(tmp_path, mode):
    """Grey, print, transparent, palette and 16-bit pictures have three channels of 8 bits."""
    file = tmp_path / ("x.tif" if mode == "CMYK" else "x.png")
    Image.new(mode, (25, 24)).save(file)
    pixels = picture_files.read_picture(file)

    assert (pixels.shape, pixels.dtype) == ((24, 25, 3), np.uint8)


def test_a_picture_is_turned_as_its_camera_says(tmp_path):
    """EXIF orientation 6 is a quarter turn."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (30, 20)).save(tmp_path / "x.jpg", exif=exif)

    assert picture_files.read_picture(tmp_path / "x.jpg").shape == (30, 20, 3)


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + b"0" * 50])
def test_a_damaged_picture_is_named(tmp_path, content):
    """The file stands in the message."""
    (tmp_path / "x.png").write_bytes(content)

    with pytest.raises(DataError, match=r"x.png: the picture cannot be read"):
        picture_files.read_picture(tmp_path / "x.png")


def test_a_truncated_picture_is_found_before_training(tmp_path):
    """The check decodes every picture, so that no run meets a broken one."""
    root = write_ppb(tmp_path / "ppb")
    noise = np.random.default_rng(0).integers(0, 256, (99, 99, 3), dtype=np.uint8)
    Image.fromarray(noise).save(root / "imgs" / "b.png")
    whole = (root / "imgs" / "b.png").read_bytes()
    (root / "imgs" / "b.png").write_bytes(whole[: len(whole) // 2])
    data = real_data(tmp_path)

    with pytest.raises(DataError, match=r"b.png: the picture cannot be read"):
        preflight.check(data)


def real_data(tmp_path):
    """All three real sources, written where they are not yet."""
    if not (tmp_path / "ppb").exists():
        write_ppb(tmp_path / "ppb")
    (tmp_path / "others").mkdir(exist_ok=True)
    Image.new("RGB", (90, 80)).save(tmp_path / "others" / "x.png")
    return Data(
        train=MitH5(path=str(write_h5(tmp_path / "train.h5"))),
        test=Ppb(path=str(tmp_path / "ppb")),
        nonfaces=Folder(path=str(tmp_path / "others")),
    )


def test_a_test_portrait_among_the_photographs_without_a_face_is_refused(tmp_path):
    """It would be a missed face and a false alarm at once; both files are named."""
    data = real_data(tmp_path)
    shutil.copy(Path(data.test.path) / "imgs" / "a.png", Path(data.nonfaces.path) / "leak.png")

    with pytest.raises(DataError, match=r"leak\.png: the same picture as .*a\.png"):
        preflight.check(data)


@pytest.mark.parametrize("source", ["/dev/zero", "pipe"])
def test_a_source_that_never_ends_is_not_read(tmp_path, source):
    """A plan looks at every byte of the data, so it looks at files alone."""
    if source == "pipe":
        os.mkfifo(tmp_path / "pipe")
    spec = MitH5(path=str(tmp_path / source))

    with pytest.raises(DataError, match="a pipe or a device; give a file"):
        sources.fingerprint(spec)


def test_one_changed_byte_is_other_data(tmp_path):
    """A result on changed data is another result."""
    data = real_data(tmp_path)
    before = sources.fingerprints(data)
    Image.new("RGB", (90, 80), (0, 0, 1)).save(tmp_path / "others" / "x.png")
    after = sources.fingerprints(data)

    assert before["train"] == after["train"]
    assert before["nonfaces"] != after["nonfaces"]


def test_the_same_content_elsewhere_is_the_same_data(tmp_path):
    """A data set's name on the disk is no part of it."""
    data = real_data(tmp_path / "one") if (tmp_path / "one").mkdir() is None else None
    (tmp_path / "one").rename(tmp_path / "two")
    moved = data.model_copy(
        update={
            role: getattr(data, role).model_copy(
                update={"path": getattr(data, role).path.replace("/one/", "/two/")}
            )
            for role in ("train", "test", "nonfaces")
        }
    )
    elsewhere = sources.fingerprints(moved)
    (tmp_path / "two").rename(tmp_path / "one")

    assert elsewhere == sources.fingerprints(data)


def test_synthetic_portraits_are_balanced_over_four_groups():
    """Each group of the embedded test has the same number of portraits."""
    data = Data.model_validate("synthetic")
    spec = data.test.model_copy(update={"per_group": 3, "size": 64})
    groups = sources.portraits(spec).groups

    assert sorted(set(groups)) == [
        "darker_female",
        "darker_male",
        "lighter_female",
        "lighter_male",
    ]
    assert all(groups.count(group) == 3 for group in set(groups))


def test_synthetic_training_images_are_faces_then_others():
    """Sizes and labels as declared."""
    spec = Data.model_validate("synthetic").train.model_copy(update={"faces": 5, "nonfaces": 7})
    images = sources.training_images(spec)

    assert images.images.shape == (12, 64, 64, 3)
    assert images.is_face.tolist() == [True] * 5 + [False] * 7


def test_descriptions_name_files_by_their_last_part(tmp_path):
    """Captions carry no folders."""
    described = sources.describe(real_data(tmp_path))

    assert described == "train train.h5, test ppb, nonfaces others"
    assert sources.describe(Data.model_validate("synthetic")) == "embedded synthetic data"
