"""Raw pictures become one file of training images, the same whoever makes it."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest
from click.testing import CliRunner
from data_layouts import celeba, fairface, imagenet, put, table, utkface, write_h5
from PIL import Image

from repro.cli.data import data
from repro.data import crop_workers, h5_writer, preparation, raw_sources, sources
from repro.data.pictures import raw_pictures
from repro.data.sources import mit_h5
from repro.data.sources.source_registry import RawOptions
from repro.errors import DataError
from repro.study.data_spec import MitH5
from repro.system import atomic_files

RED_ISH = (200, 100, 50)


@pytest.fixture
def places(tmp_path):
    """CelebA and ImageNet in small, and a place for the file."""
    celeba(tmp_path / "faces")
    imagenet(tmp_path / "others")
    return (f"celeba:{tmp_path / 'faces'}", f"imagenet:{tmp_path / 'others'}"), tmp_path / "o.h5"


def prepare(*words):
    """Run the command; a mistake is raised."""
    result = CliRunner().invoke(data, ["prepare", *map(str, words)])
    if result.exception is not None:
        raise result.exception
    return result


def test_what_is_prepared_is_trained_on_as_it_is(places):
    """Source ``mit_h5`` reads it without another word."""
    words, out = places
    prepare(*words, out)
    read = sources.training_images(MitH5(path=str(out)))

    assert read.is_face.tolist() == [True] * 3 + [False] * 4
    assert read.images.shape == (7, 64, 64, 3)


def test_colours_come_back_as_they_were(tmp_path):
    """Stored as BGR, as MIT's file, and read as RGB."""
    for name in ("faces", "others"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (64, 64), RED_ISH).save(tmp_path / name / "a.png")
    prepare(f"faces:{tmp_path / 'faces'}", f"nonfaces:{tmp_path / 'others'}", tmp_path / "o.h5")

    with h5py.File(tmp_path / "o.h5") as file:
        assert file["images"][0, 0, 0].tolist() == list(RED_ISH[::-1])
    read = mit_h5.read(tmp_path / "o.h5", channels="bgr")
    assert read.images[0, 0, 0].tolist() == list(RED_ISH)


def test_the_file_is_in_one_piece_with_names_groups_and_terms(places):
    """All that a later reader may ask."""
    words, out = places
    result = prepare(*words, out, "--seed", 3)
    with h5py.File(out) as file:
        told = json.loads(file.attrs["sources"])
        first = file["names"][0].decode(), file["groups"][0].decode()

        assert file["images"].chunks is None
        assert file["images"].compression is None
        assert file["labels"].shape == (7, 1)
        assert file.attrs["seed"] == 3
        assert file.attrs["channels"] == "bgr"
    assert first == ("000001.jpg", "male")
    assert told == [
        {
            "kind": "celeba",
            "faces": 3,
            "nonfaces": 0,
            "left_out": {"empty box": 1},
            "terms": "non-commercial research; no redistribution",
        },
        {
            "kind": "imagenet",
            "faces": 0,
            "nonfaces": 4,
            "left_out": {"in classes left out by list": 2},
            "terms": "non-commercial research and education; no redistribution",
        },
    ]
    assert "celeba: 3 faces, 0 non-faces; left out: 1 empty box; terms: non-c" in result.stdout


def test_the_digest_is_of_images_and_labels_as_stored(places):
    """Computed on the way, it is that of the file."""
    words, out = places
    prepare(*words, out)
    with h5py.File(out) as file:
        content = file["images"][:].tobytes() + file["labels"][:].tobytes()

        assert file.attrs["sha256"] == h5_writer.hashlib.sha256(content).hexdigest()


def test_the_file_is_the_same_however_many_make_it(tmp_path, monkeypatch):
    """Byte by byte; batches of three, so that each worker has several."""
    monkeypatch.setattr(crop_workers, "BATCH", 3)
    imagenet(tmp_path / "others", each=5)
    celeba(tmp_path / "faces")
    words = [f"imagenet:{tmp_path / 'others'}", f"celeba:{tmp_path / 'faces'}"]
    for workers in (1, 2):
        prepare(*words, tmp_path / f"{workers}.h5", "--workers", workers)

    assert (tmp_path / "1.h5").read_bytes() == (tmp_path / "2.h5").read_bytes()


def test_another_seed_makes_other_crops(places):
    """Of the same pictures."""
    words, out = places
    files = [out.with_name(f"{seed}.h5") for seed in (0, 1)]
    for seed, file in enumerate(files):
        prepare(*words, file, "--seed", seed)
    one, other = (mit_h5.read(file, channels="bgr") for file in files)

    assert np.array_equal(one.images[:3], other.images[:3])
    assert not np.array_equal(one.images[3:], other.images[3:])


def test_a_limit_is_of_each_source(places):
    """What is beyond it is told."""
    words, out = places
    result = prepare(*words, out, "--limit", 2)

    assert mit_h5.read(out, channels="bgr").is_face.tolist() == [True] * 2 + [False] * 2
    assert "left out: 1 empty box, 1 beyond the limit" in result.stdout


def test_more_classes_are_left_out_by_a_list(places, tmp_path):
    """Remarks and blank lines are none of its names."""
    words, out = places
    (tmp_path / "list.txt").write_text("# also\n\nn02102040  # a dog with its owner\n")
    prepare(*words, out, "--without", tmp_path / "list.txt")

    assert {name.split("/")[0] for name in mit_h5.image_names(out, 5)[3:]} == {"n01440764"}


@pytest.fixture
def damaged(places):
    """One picture of seven is none."""
    words, out = places
    file = out.parent / "others" / "n01440764" / "n01440764_1.JPEG"
    file.write_bytes(b"no picture")
    return words, out, file


def test_an_unreadable_picture_ends_it_all(damaged):
    """It is named, and nothing is left behind."""
    words, out, file = damaged

    with pytest.raises(DataError, match=re.escape(f"{file}: the picture cannot be read")) as error:
        prepare(*words, out)
    assert str(error.value).endswith("or pass --skip-unreadable to leave such pictures out")
    assert sorted(p.name for p in out.parent.iterdir()) == ["faces", "others"]


def test_an_unreadable_picture_is_left_out_on_request(damaged, monkeypatch):
    """It is counted and named; the file has no gap."""
    monkeypatch.setattr(h5_writer, "SLICE", 4)
    words, out, file = damaged
    result = prepare(*words, out, "--skip-unreadable")
    read = mit_h5.read(out, channels="bgr")

    assert read.is_face.tolist() == [True] * 3 + [False] * 3
    assert all(image.any() for image in read.images)
    assert f"Warning: left out: {file}: the picture cannot be read" in result.stderr
    assert "2 in classes left out by list, 1 unreadable" in result.stdout
    assert [p.name for p in out.parent.iterdir() if p.name.startswith(".")] == []


def test_boxes_of_other_pictures_are_refused(tmp_path):
    """The aligned pictures with the boxes of those as found; nothing is left behind."""
    celeba(tmp_path / "faces", boxes=[(95, 71, 226, 313)] * 6)
    imagenet(tmp_path / "others")
    words = [f"celeba:{tmp_path / 'faces'}", f"imagenet:{tmp_path / 'others'}"]

    with pytest.raises(DataError, match=r"the boxes are not of these pictures.*celeba-aligned:DIR"):
        prepare(*words, tmp_path / "o.h5", "--skip-unreadable")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["faces", "others"]


def test_one_wrong_box_of_many_is_left_out_and_counted(places, monkeypatch):
    """The real list has 202,599."""
    monkeypatch.setattr(preparation, "MOST_OUTSIDE", 0.5)
    words, out = places
    table = out.parent / "faces" / "celeba" / "list_bbox_celeba.txt"
    table.write_text(table.read_text().replace("95  71 60 80", "600  71 60 80"))
    result = prepare(*words, out)

    assert "2 faces, 0 non-faces; left out: 1 empty box, 1 box outside the p" in result.stdout
    assert "Warning: left out: " in result.stderr
    assert "the box at (600, 71), 60 x 80 pixels, reaches beyond the picture" in result.stderr


def test_all_missing_pictures_are_named_before_the_first_is_cut(places):
    """With their number."""
    words, out = places
    folder = out.parent / "faces" / "celeba" / "img_celeba"
    for name in ("000001.jpg", "000006.jpg"):
        (folder / name).unlink()

    with pytest.raises(DataError, match=r"2 of 7 pictures are missing: .*01\.jpg, .*06\.jpg; co"):
        prepare(*words, out)


def test_what_the_images_were_cut_from_is_in_the_file(places):
    """By the SHA-256 of each file, which `sha256sum` prints, too."""
    words, out = places
    prepare(*words, out)
    picture = out.parent / "faces" / "celeba" / "img_celeba" / "000001.jpg"
    digest = h5_writer.hashlib.sha256(picture.read_bytes()).digest()

    assert mit_h5.source_looks(out)[0].digest == digest


def test_a_file_that_is_there_stays(places):
    """MIT's file is not overwritten by a slip."""
    words, out = places
    out.write_bytes(b"precious")

    with pytest.raises(DataError, match=r"o\.h5: exists already; remove it, or give another"):
        prepare(*words, out)
    assert out.read_bytes() == b"precious"


@pytest.mark.parametrize(("index", "what"), [(0, "without"), (1, "with")])
def test_one_label_alone_is_refused(places, index, what):
    """Nothing could be learnt from it."""
    words, out = places

    with pytest.raises(DataError, match=f"no picture {what} a face; add a source of some"):
        prepare(words[index], out)


def test_a_full_disk_is_told_and_leaves_nothing(places, monkeypatch):
    """With bytes and advice."""
    words, out = places

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(h5_writer.os, "replace", full)
    with pytest.raises(
        atomic_files.CannotWrite, match=r"o\.h5: cannot be written, .* \(No space left"
    ):
        prepare(*words, out)
    assert sorted(p.name for p in out.parent.iterdir()) == ["faces", "others"]


def test_what_a_killed_one_left_is_swept(places):
    """At the next try for the same place."""
    words, out = places
    (out.parent / ".o.h5.0123456789ab.partial").write_bytes(b"half")
    prepare(*words, out)

    assert sorted(p.name for p in out.parent.iterdir()) == ["faces", "o.h5", "others"]


PROGRAM = """
import sys
from repro.cli import signals as interruptions
from repro.cli.data import data
if __name__ == "__main__":
    try:
        with interruptions.watched():
            data(sys.argv[1:])
    except interruptions.Interrupted as interruption:
        interruptions.end(interruption.status)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_neither_file_nor_worker(tmp_path, number):
    """An orderly end in the midst of decoding."""
    large = put(tmp_path / "large.jpg", 0, width=1500, height=1500)
    for name in ("faces", "others"):
        (tmp_path / name).mkdir()
        for index in range(400):
            os.link(large, tmp_path / name / f"{index}.jpg")
    (tmp_path / "program.py").write_text(PROGRAM)
    words = ["prepare", "--workers", "2", "faces:faces", "nonfaces:others", "o.h5"]
    child = subprocess.Popen(
        [sys.executable, "program.py", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background jobs ignore Ctrl-C, and so would what they start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    for _ in range(200):
        if list(tmp_path.glob(".o.h5.*")):
            break
        time.sleep(0.05)
    time.sleep(0.3)
    child.send_signal(number)
    _, errors = child.communicate(timeout=120)

    assert child.returncode == 128 + number, errors
    assert "Traceback" not in errors
    assert sorted(p.name for p in tmp_path.iterdir() if "o.h5" in p.name) == []


def test_workers_name_the_first_unreadable_picture(tmp_path, monkeypatch):
    """Not the one that happened to be met first."""
    monkeypatch.setattr(crop_workers, "BATCH", 1)
    pictures = [
        raw_pictures.Picture(tmp_path / f"{number}.png", f"{number}.png", 1) for number in range(4)
    ]
    found = [cut.failures for _, cut in crop_workers.batches(pictures, workers=2)]

    assert [next(iter(each.values())).split(": ")[0] for each in found] == [
        str(picture.file) for picture in pictures
    ]


def test_the_module_of_workers_loads_little():
    """Each of them pays for it."""
    probe = (
        "import sys, repro.data.crop_workers;"
        "sys.exit(bool({'torch', 'pydantic', 'h5py'} & {*sys.modules}))"
    )

    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0


def test_a_summary_of_no_left_out_says_none(tmp_path):
    """Nothing is hidden by silence."""
    for number, name in enumerate(("faces", "others")):
        put(tmp_path / name / "a.png", number)
    options = RawOptions(part="all", without=(), seed=0)
    source = [
        raw_sources.read(f"faces:{tmp_path}/faces", options),
        raw_sources.read(f"nonfaces:{tmp_path}/others", options),
    ]
    done = preparation.prepare(source, tmp_path / "o.h5", seed=0, workers=1, unreadable="stop")

    assert [each.left_out for each in done.sources] == [{}, {}]
    assert done.problems == ()


def test_a_file_of_training_images_may_be_extended(places):
    """Its images come out as they went in, by name, beside new ones."""
    words, out = places
    prepare(*words, out)
    prepare(f"mit_h5:{out}", words[0], out.with_name("more.h5"))
    old, new = (mit_h5.read(out.with_name(n), channels="bgr") for n in ("o.h5", "more.h5"))

    assert np.array_equal(new.images[:7], old.images)
    assert new.is_face.tolist() == [*old.is_face.tolist(), True, True, True]
    assert mit_h5.image_names(out.with_name("more.h5"), 10)[:7] == mit_h5.image_names(out, 7)
    assert new.groups == (*old.groups, "male", "male", "female")


def test_groups_of_celeba_are_made_of_any_attributes(places):
    """Those of the order that is given; non-faces have none."""
    words, out = places
    prepare(*words, out, "--group", "Young", "--group", "Male")

    assert sources.training_groups(MitH5(path=str(out))) == (
        *("young_male", "young_male", "young_female"),
        *("",) * 4,
    )


@pytest.fixture
def every_kind(tmp_path):
    """A source of each kind that has groups, all with the column ``group`` but the published."""
    fairface(tmp_path / "fairface", part="train")
    put(tmp_path / "people" / "Dark Skin" / "a.png", 1)
    table(tmp_path / "csv", header="path,label,group")
    return {
        "fairface": fairface(tmp_path / "fairface"),
        "utkface": utkface(tmp_path / "utkface"),
        "groups": tmp_path / "people",
        "csv": tmp_path / "csv" / "mine.csv",
        "nonfaces": imagenet(tmp_path / "others", classes=("n01440764",), each=1),
    }


@pytest.mark.parametrize(
    ("kind", "columns", "expected"),
    [
        ("fairface", (), ("black_female", "east_asian_male") * 2),
        ("fairface", ("age",), ("more_than_70", "50-59") * 2),
        ("utkface", (), ("asian_male", "black_female")),
        ("utkface", ("gender", "age"), ("male_age_0_19", "female_age_20_39")),
        ("groups", (), ("dark_skin",)),
        ("groups", ("group",), ("dark_skin",)),
        ("csv", (), ("chile", "")),
        ("csv", ("label", "group"), ("1_chile", "")),
    ],
)
def test_groups_are_named_as_in_tests(every_kind, tmp_path, kind, columns, expected):
    """Values of columns in lower case, joined; those of each kind by default."""
    words = [f"{name}:{every_kind[name]}" for name in (kind, "nonfaces")]
    options = [word for column in columns for word in ("--group", column)]
    prepare(*words, tmp_path / "o.h5", *options)

    assert mit_h5.groups(tmp_path / "o.h5") == (*expected, "")


def test_both_parts_of_fairface_are_taken_on_request(every_kind, tmp_path):
    """``train`` alone by default, as of CelebA."""
    words = [f"{name}:{every_kind[name]}" for name in ("fairface", "nonfaces")]
    prepare(*words, tmp_path / "o.h5", "--part", "all")
    names = mit_h5.image_names(tmp_path / "o.h5", 9)

    assert names[:8] == tuple(f"{part}/{n}.jpg" for part in ("train", "val") for n in (1, 2, 3, 4))


def test_faces_of_a_file_without_groups_have_none(every_kind, tmp_path):
    """A file whose groups are all empty is one without groups."""
    prepare(
        f"faces:{every_kind['groups']}", f"nonfaces:{every_kind['nonfaces']}", tmp_path / "o.h5"
    )

    assert mit_h5.groups(tmp_path / "o.h5") is None
    assert mit_h5.read(tmp_path / "o.h5", channels="bgr").groups is None


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("celeba:faces", "list_attr_celeba.txt: no column 'country' to make groups of; it has 5_o"),
        ("fairface:fairface", "no column 'country'; the columns are file, age, gender, race, serv"),
        ("utkface:utkface", "UTKFace has no 'country' to make groups of; its names say age, gende"),
        ("csv:csv/mine.csv", "no column 'country'; the columns are path, label, group"),
        ("groups:people", "people: no column 'country' to make groups of; it has group"),
        ("faces:people", "people: no column 'country' to make groups of; it has none"),
        ("mit_h5:old.h5", "old.h5: no column 'country' to make groups of; it has group"),
        ("mit_h5:plain.h5", "plain.h5: no column 'country' to make groups of; it has none"),
    ],
)
def test_a_column_that_a_source_of_faces_does_not_have_is_refused(
    every_kind, tmp_path, word, message
):
    """It is named, with the known ones, and no file is written; non-faces need no column."""
    celeba(tmp_path / "faces")
    write_h5(tmp_path / "plain.h5")
    write_h5(tmp_path / "old.h5", groups=np.array([b"a"] * 6))
    kind, _, place = word.partition(":")
    out = tmp_path / "o.h5"

    with pytest.raises(DataError, match=re.escape(message)):
        prepare(
            *(f"{kind}:{tmp_path / place}", f"nonfaces:{every_kind['nonfaces']}"),
            *(out, "--group", "country"),
        )
    assert not out.exists()


def test_a_similar_attribute_of_celeba_is_proposed(places):
    """Names are as CelebA writes them."""
    words, out = places

    with pytest.raises(DataError, match=r"no column 'smiling' .* Did you mean 'Smiling'\?"):
        prepare(*words, out, "--group", "smiling")


def test_a_face_of_celeba_without_attributes_is_refused_where_they_make_groups(places, tmp_path):
    """By default it has no group."""
    words, out = places
    attributes = tmp_path / "faces" / "celeba" / "list_attr_celeba.txt"
    lines = attributes.read_text().splitlines()
    attributes.write_text("\n".join(["5", *lines[1:-1]]) + "\n")  # 000006.jpg has no row

    with pytest.raises(DataError, match=r"list_attr_celeba\.txt: no row for 000006\.jpg; copy"):
        prepare(*words, out, "--group", "Male")
    prepare(*words, out)
    assert mit_h5.groups(out)[:3] == ("male", "male", "")


def test_a_value_that_is_no_answer_is_refused(places, tmp_path):
    """An attribute is 1 or -1."""
    words, out = places
    attributes = tmp_path / "faces" / "celeba" / "list_attr_celeba.txt"
    attributes.write_text(attributes.read_text().replace("000004.jpg -1", "000004.jpg 7"))

    with pytest.raises(DataError, match=r":6: '7' is no value of 5_o_Clock_Shadow; 1 is yes, and"):
        prepare(*words, out, "--group", "5_o_Clock_Shadow")


def test_a_forgotten_name_for_the_file_is_told(places):
    """The last source is not overwritten, and no file is called as a source."""
    words, _ = places

    with pytest.raises(DataError, match="the last word is the file to write; give it a name end"):
        prepare(*words)
