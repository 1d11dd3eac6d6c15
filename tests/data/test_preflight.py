"""Pictures that stand twice stop a study, and those that were trained on and are tested."""

import re
import shutil

import h5py
import numpy as np
import pytest
from click.testing import CliRunner
from data_layouts import fairface, noise, put, utkface, write_h5

from repro.cli.data import data as commands
from repro.data import preflight
from repro.errors import DataError
from repro.study.data_spec import Data, FairFace, Folder, MitH5, UtkFace

NAMES = [f"{20 + n}_{n % 2}_{n % 5}_2017011600{n}.jpg.chip.jpg" for n in range(4)]


def on(test, *, train="synthetic", nonfaces="synthetic", doubles="refuse"):
    """Data with the project's own where nothing else is said."""
    return Data(train=train, test=test, nonfaces=nonfaces, doubles=doubles)


@pytest.fixture
def nested(tmp_path):
    """The much-copied archive of UTKFace: the same faces in two folders, here 2 of 4."""
    utkface(tmp_path / "utk" / "UTKFace", names=NAMES)
    for name in NAMES[:2]:
        (tmp_path / "utk" / "crop_part1").mkdir(exist_ok=True)
        shutil.copy(tmp_path / "utk" / "UTKFace" / name, tmp_path / "utk" / "crop_part1" / name)
    return tmp_path / "utk"


def test_doubled_folders_of_utkface_stop_a_study(nested):
    """How many, the first, and what to do."""
    with pytest.raises(DataError, match=re.escape(f"{nested}: 2 of 6 pictures repeat an")) as error:
        preflight.check(on(UtkFace(path=str(nested))))
    assert f"UTKFace/{NAMES[0]} = crop_part1/{NAMES[0]}" in str(error.value)
    assert "Name only one of its folders, or pass --allow-doubles" in str(error.value)


def test_equal_names_in_utkface_are_doubles_whatever_is_in_them(nested):
    """A copy may have been compressed again; the name has the moment of the picture."""
    put(nested / "crop_part1" / NAMES[0], 77)

    assert [len(found.pairs) for found in preflight.doubles(on(UtkFace(path=str(nested))))] == [2]


def test_one_folder_of_utkface_is_whole(nested):
    """Nothing is said of it."""
    assert preflight.check(on(UtkFace(path=str(nested / "UTKFace")))) == []


def test_doubles_that_are_allowed_stand_in_the_caption(nested):
    """With their number."""
    data = on(UtkFace(path=str(nested)), doubles="allow")

    assert preflight.check(data) == []
    assert preflight.allowed(data) == "; duplicates allowed: 2 of 6 in test"
    assert preflight.allowed(on(UtkFace(path=str(nested)))) == ""


def test_a_photograph_that_stands_twice_is_named(tmp_path):
    """Under any name."""
    put(tmp_path / "a.png", 1)
    shutil.copy(tmp_path / "a.png", tmp_path / "b.png")
    data = on("synthetic", nonfaces=Folder(path=str(tmp_path)))

    with pytest.raises(DataError, match=r"1 of 2 pictures repeat an earlier one \(a.png = b.png\)"):
        preflight.check(data)


def test_training_images_that_stand_twice_are_named_but_for_plain_ones(tmp_path):
    """Crops of a white background are all the same; a face is not."""
    images = np.stack([np.asarray(noise(n, 64, 64)) for n in range(6)])
    images[2:4] = 255
    data = on("synthetic", train=MitH5(path=str(write_h5(tmp_path / "t.h5", images=images))))
    preflight.check(data)
    images[5] = images[1]
    write_h5(tmp_path / "t.h5", images=images)

    with pytest.raises(DataError, match=r"1 of 6 pictures repeat .* \(image 1 = image 5\)"):
        preflight.check(data)


@pytest.fixture
def leaking(tmp_path):
    """A training file that was cut from the test's own pictures."""
    place = fairface(tmp_path / "FairFace", count=3)
    put(tmp_path / "others" / "a.png", 9)
    words = [f"faces:{place / 'val'}", f"nonfaces:{tmp_path / 'others'}"]
    result = CliRunner().invoke(commands, ["prepare", *words, str(tmp_path / "train.h5")])
    assert result.exception is None
    train = MitH5(path=str(tmp_path / "train.h5"))
    return on(FairFace(path=str(place)), train=train)


def test_test_pictures_that_were_trained_on_stop_a_study(leaking):
    """Though training saw them cut to 64 x 64."""
    with pytest.raises(DataError, match=r"3 of 3 pictures are among those that .*train\.h5 was"):
        preflight.check(leaking)


def test_a_leak_that_is_allowed_stands_in_the_caption(leaking):
    """It is worse than a double."""
    allowed = leaking.model_copy(update={"doubles": "allow"})

    assert (
        preflight.allowed(allowed)
        == "; duplicates allowed: 3 of 3 in test that are in train as well"
    )


def test_test_pictures_that_look_as_what_was_trained_on_are_told(leaking):
    """The run goes on: the same picture in all likelihood, but it is not the same file."""
    with h5py.File(leaking.train.path, "r+") as file:
        file["source_sha256"][:] ^= 1
        file["images"][:] ^= 1
    (said,) = preflight.check(leaking)

    assert said.startswith("Warning: 3 of 3 test pictures appear to be among those")
    assert "as val/1.jpg = 1.jpg; look at `repro data info" in said


def test_faces_of_utkface_without_a_label_are_told(tmp_path):
    """They are left out, and not in silence."""
    utkface(tmp_path, names=[f"20_0_1_{n}.jpg" for n in range(120)])
    put(tmp_path / "61_1_20170109142408075.jpg.chip.jpg", 999)
    (said,) = preflight.check(on(UtkFace(path=str(tmp_path))))

    assert "1 of 121 pictures are left out, as their names lack a label (61_1_2017" in said


def dated(root, value):
    """FairFace with one age changed."""
    table = fairface(root) / "fairface_label_val.csv"
    table.write_text(table.read_text().replace("more than 70", value, 1))
    return FairFace(path=str(root), groups=("age",))


@pytest.mark.parametrize("value", ["9-Mar", "Mar-09", "03-Sep", "19-Oct", "2009-03-01", "3/9/2026"])
def test_an_age_that_a_spreadsheet_made_a_date_stops_a_study(tmp_path, value):
    """FairFace has nine ages, and no dates."""
    with pytest.raises(DataError, match="A spreadsheet turned ages into dates") as e:
        preflight.check(on(dated(tmp_path, value)))
    assert f"fairface_label_val.csv:2: 1 rows hold {value} (1) as age" in str(e.value)
    assert "it has 0-2, 3-9, 10-19, 20-29, 30-39, 40-49, 50-59, 60-69, more than 70" in str(e.value)


def test_another_unknown_age_is_no_date(tmp_path):
    """It is unknown all the same."""
    with pytest.raises(DataError, match=r"1 rows hold 70\+ \(1\) as age.*\. Correct the table"):
        preflight.check(on(dated(tmp_path, "70+")))


def test_a_column_that_makes_no_group_stops_nothing(tmp_path):
    """No number hangs on it; `info` names it."""
    dated(tmp_path, "9-Mar")

    assert preflight.check(on(FairFace(path=str(tmp_path)))) == []
    said = CliRunner().invoke(commands, ["info", str(tmp_path)]).stdout
    assert "1 rows hold 9-Mar (1) as age, which FairFace does not have" in said
