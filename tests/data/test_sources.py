"""Sources of the users' own choice: FairFace, UTKFace, a CSV, folders of crops."""

import pickle
import re
import shutil
from typing import get_args

import numpy as np
import published_sets
import pytest
from data_layouts import (
    UTK,
    UTK_WITHOUT_RACE,
    fairface,
    put,
    table,
    utkface,
    write_h5,
    write_ppb,
)

from repro.data import any_layout, preflight, sources
from repro.data.pictures import bands, picture_files
from repro.data.sources import source_registry, synthetic
from repro.data.sources.utkface import labels
from repro.data.synthetic import scenes
from repro.errors import DataError
from repro.study import data_spec
from repro.study.data_spec import (
    Bfw,
    Data,
    Facet,
    FairFace,
    Fhibe,
    Folder,
    GroupFolders,
    Groups,
    MitH5,
    MstE,
    Ppb,
    Rfw,
    SyntheticCrops,
    SyntheticPortraits,
    SyntheticTraining,
    Table,
    TableNegatives,
    UtkFace,
)


def crops(root):
    """Crops as the MIT lab bundles them."""
    for number, group in enumerate(("DF", "DM", "LF", "LM")):
        put(root / group / "x.png", number, width=30, height=40)
    return root


ROLES = ("Training", "Portraits", "Nonfaces", "Crops")  # unions of specifications
SPECS = {
    "fairface": lambda root: FairFace(path=str(fairface(root))),
    "utkface": lambda root: UtkFace(path=str(utkface(root))),
    "csv": lambda root: Table(path=str(table(root)), groups=("country",)),
    "negatives": lambda root: TableNegatives(path=str(table(root))),
    "crops": lambda root: GroupFolders(path=str(crops(root))),
    "groups": lambda root: Groups(path=str(crops(root))),
    "fhibe": lambda root: Fhibe(path=str(published_sets.fhibe(root))),
    "people": lambda root: Fhibe(path=str(published_sets.fhibe_people(root)), pictures="people"),
    "mst_e": lambda root: MstE(path=str(published_sets.mst_e(root))),
    "facet": lambda root: Facet(path=str(published_sets.facet(root))),
    "bfw": lambda root: Bfw(path=str(published_sets.bfw(root))),
    "rfw": lambda root: Rfw(path=str(published_sets.rfw(root))),
}


def test_fairface_is_read_by_part_with_groups_of_race_and_gender(tmp_path):
    """Names and groups as its table has them."""
    read = sources.portraits(FairFace(path=str(fairface(tmp_path))))

    assert read.names == ("val/1.jpg", "val/2.jpg", "val/3.jpg", "val/4.jpg")
    assert read.groups == ("black_female", "east_asian_male") * 2
    assert read.read(0).shape == (100, 80, 3)


def test_groups_of_fairface_may_be_of_age_alone(tmp_path):
    """Any column will do."""
    spec = FairFace(path=str(fairface(tmp_path, part="train")), part="train", groups=("age",))

    assert sources.portraits(spec).groups == ("more_than_70", "50-59") * 2


def test_a_face_without_a_row_is_not_lost_unseen(tmp_path):
    """Half a table is no benchmark."""
    put(fairface(tmp_path) / "val" / "5.jpg", 5)

    with pytest.raises(
        DataError, match=r"fairface_label_val\.csv: no row for 5\.jpg, which is one"
    ):
        sources.portraits(FairFace(path=str(tmp_path)))


def test_utkface_is_read_by_its_names(tmp_path):
    """Age, gender and race; the second ending is the cropped pictures'."""
    spec = UtkFace(path=str(utkface(tmp_path)), groups=("race", "gender", "age"))
    read = sources.portraits(spec)

    assert dict(zip(read.names, read.groups, strict=True)) == {
        UTK[0]: "black_female_age_20_39",
        UTK[1]: "asian_male_age_0_19",
    }


@pytest.mark.parametrize(
    ("age", "name"),
    [(0, "age_0_19"), (19, "age_0_19"), (20, "age_20_39"), (59, "age_40_59"), (60, "age_60_up")],
)
def test_bands_of_age_begin_with_the_year_that_is_given(age, name):
    """The last is open."""
    assert bands.of_age(age, (20, 40, 60)) == name


@pytest.mark.parametrize("name", [UTK_WITHOUT_RACE, "1_2_0_20161219.jpg", "1_0_9_20161219.jpg", ""])
def test_a_name_that_lacks_a_label_says_nothing(name):
    """No label is guessed."""
    assert labels(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "55_0_0_20170116232725357jpg.chip.jpg",
        "24_0_1_20170116220224657 .jpg.chip.jpg",
        "44_1_4_20170116235150272.pg.chip.jpg",
    ],
)
def test_a_slip_in_the_ending_hides_no_label(name):
    """These three are published so."""
    assert labels(name) is not None


def test_a_few_names_without_a_label_are_left_out(tmp_path):
    """Three of the published ones lack the race."""
    names = [f"30_1_0_{number}.jpg" for number in range(120)]
    utkface(tmp_path, names=[names[0], UTK_WITHOUT_RACE])
    for name in names[1:]:
        shutil.copy(tmp_path / names[0], tmp_path / name)

    assert len(sources.portraits(UtkFace(path=str(tmp_path)))) == 120


def test_many_names_without_a_label_are_no_utkface(tmp_path):
    """They would be a loss that nobody sees."""
    utkface(tmp_path, names=(*UTK, UTK_WITHOUT_RACE))

    with pytest.raises(DataError, match=re.escape("1 of 3 names are not age_gender_race_date")):
        sources.portraits(UtkFace(path=str(tmp_path)))


def test_bands_that_do_not_rise_are_refused(tmp_path):
    """Which band would 30 be in?"""
    spec = UtkFace(path=str(utkface(tmp_path)), groups=("age",), age_bands=(40, 20))

    with pytest.raises(DataError, match=r"age_bands \[40, 20\] must increase"):
        sources.portraits(spec)


def test_a_table_gives_positives_with_groups_and_negatives(tmp_path):
    """Both from one file; a negative needs no group."""
    path = str(table(tmp_path))
    positives = sources.portraits(Table(path=path, groups=("country",)))
    negatives = sources.nonface_photographs(TableNegatives(path=path))

    assert (positives.names, positives.groups) == (("a.png",), ("chile",))
    assert (negatives.names, negatives.groups) == (("deep/b.png",), ("",))


def test_a_table_without_labels_holds_positives(tmp_path):
    """As most test sets do."""
    path = table(tmp_path, header="path,group", rows=("a.png,x y", "deep/b.png,Z"))

    assert sources.portraits(Table(path=str(path))).groups == ("x_y", "z")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": ("a.png,face,x",)}, "mine.csv:2: label 'face' is neither 1 nor 0"),
        ({"rows": ("a.png,2.0,x",)}, "mine.csv:2: label '2.0' is neither 1 nor 0"),
        ({"rows": ("a.png,,x",)}, "mine.csv:2: label '' is neither 1 nor 0"),
        ({"rows": ("a.png,1,x", "a.png,0,x")}, "mine.csv:3: a.png is in two rows"),
        ({"rows": ("../a.png,1,x",)}, "mine.csv:2: no picture"),
        ({"rows": ("a.png,1,x", "./a.png,0,x")}, "mine.csv:3: a.png is in two rows"),
        ({"rows": ("/nowhere/a.png,1,x",)}, "mine.csv:2: no picture /nowhere/a.png"),
        ({"rows": ("a.png,0,x",)}, "mine.csv: no row whose label is 1"),
        ({"rows": ()}, "mine.csv: no row below the header"),
        ({"header": "path,label,land"}, "no column 'country'; the columns are path, label, land"),
    ],
)
def test_a_wrong_row_of_a_table_is_named(tmp_path, changes, message):
    """File, line and what is wrong."""
    spec = Table(path=str(table(tmp_path, **changes)), groups=("country",))

    with pytest.raises(DataError, match=re.escape(message)):
        sources.portraits(spec)


def test_crops_are_resized_whole_and_grouped_by_folder(tmp_path):
    """As the lab bundles them."""
    read = sources.crops(GroupFolders(path=str(crops(tmp_path))))

    assert read.groups == ("df", "dm", "lf", "lm")
    assert {read.read(index).shape for index in range(4)} == {(64, 64, 3)}


def test_a_crop_in_no_group_is_refused(tmp_path):
    """It could not be counted."""
    put(crops(tmp_path) / "stray.png", 9)

    with pytest.raises(DataError, match=r"stray\.png is in no group; give each group a folder"):
        sources.crops(GroupFolders(path=str(tmp_path)))


def test_synthetic_crops_are_balanced_training_style_faces():
    """Five of each group, as in the lab, and no others than the seed says."""
    read, again = sources.crops(SyntheticCrops()), sources.crops(SyntheticCrops())
    other = sources.crops(SyntheticCrops(seed=1))

    assert {read.groups.count(group) for group in set(read.groups)} == {5}
    assert len(set(read.groups)) == 4
    assert read.read(0).shape == (64, 64, 3)
    assert np.array_equal(read.read(7), again.read(7))
    assert not np.array_equal(read.read(7), other.read(7))


def test_embedded_training_faces_have_the_groups_of_the_portraits():
    """By their true factors, without any picture; non-faces have none."""
    spec = SyntheticTraining(faces=40, nonfaces=3, darker_share=0.5)
    groups = sources.training_groups(spec)
    factors = synthetic.true_factors(spec)

    assert set(groups[:40]) == set(sources.groups(SyntheticPortraits(per_group=1)))
    assert groups[40:] == ("",) * 3
    assert [group.startswith("darker") for group in groups[:40]] == factors.darker.tolist()
    assert sources.training_images(spec).groups == groups


def test_groups_of_embedded_faces_cost_no_random_number():
    """Pictures are drawn from the streams as if there were no groups."""
    spec = SyntheticTraining(faces=6, nonfaces=4)
    faces, others = np.random.default_rng((spec.seed, 0)).spawn(2)
    factors = scenes.draw_factors(faces, 6, darker_share=spec.darker_share)
    images = [scenes.render_faces(factors, faces), scenes.render_nonfaces(others, 4)]

    assert np.array_equal(sources.training_images(spec).images, np.concatenate(images))
    assert sources.fingerprint(spec) == "59aad7bdf650"


def test_groups_of_stored_images_are_those_of_faces_alone(tmp_path):
    """Those that pictures and labels are read with, also from another process."""
    stored = np.array(["darker", "darker", "lighter", "", "größer", ""])
    groups = np.array([text.encode() for text in stored])
    spec = MitH5(path=str(write_h5(tmp_path / "a.h5", groups=groups)))
    expected = ("darker", "", "lighter", "", "größer", "")

    assert sources.training_groups(spec) == expected
    assert pickle.loads(pickle.dumps(sources.training_images(spec))).groups == expected


def test_a_file_without_groups_has_none(tmp_path):
    """As MIT's own."""
    spec = MitH5(path=str(write_h5(tmp_path / "a.h5")))

    assert sources.training_groups(spec) is None
    assert sources.training_images(spec).groups is None


@pytest.mark.parametrize("name", SPECS)
def test_a_source_is_the_same_wherever_it_lies(tmp_path, name):
    """Its digest does not hang on the place."""
    here, there = (SPECS[name](tmp_path / place) for place in ("here", "elsewhere"))

    assert sources.fingerprint(here) == sources.fingerprint(there)


@pytest.mark.parametrize("name", SPECS)
def test_another_picture_is_another_source(tmp_path, name):
    """One byte is enough."""
    spec = SPECS[name](tmp_path)
    before = sources.fingerprint(spec)
    for picture in [p for p in tmp_path.rglob("*.*g") if p.is_file()]:
        picture.write_bytes(picture.read_bytes() + b"\0")

    assert sources.fingerprint(spec) != before


@pytest.mark.parametrize("name", SPECS)
def test_attributes_are_a_value_a_portrait(tmp_path, name):
    """In the order of the portraits; what names the person and the tone is among them."""
    spec = SPECS[name](tmp_path)
    count, found = len(sources.groups(spec)), sources.attributes(spec)

    assert {len(cells) for cells in found.values()} <= {count}
    reader = sources.reader(spec)
    assert {reader.cluster, reader.tone} - {""} <= set(found)


def test_other_columns_are_another_source(tmp_path):
    """Groups are a part of what is measured."""
    path = str(fairface(tmp_path))
    digests = {
        sources.fingerprint(FairFace(path=path, groups=groups))
        for groups in [("race",), ("gender",), ("race", "gender")]
    }

    assert len(digests) == 3


def test_digests_are_as_in_earlier_releases(tmp_path):
    """Results on these files keep their names; the values were computed before this module was."""
    (tmp_path / "photographs" / "deep").mkdir(parents=True)
    (tmp_path / "ppb" / "imgs").mkdir(parents=True)
    for name in ("photographs/a.png", "photographs/deep/b.jpg", "ppb/imgs/c.png"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "photographs" / "notes.txt").write_bytes(b"no picture")
    (tmp_path / "ppb" / "PPB-2017-metadata.csv").write_bytes(b"filename\nc.png\n")
    (tmp_path / "train.h5").write_bytes(b"content")
    found = {
        "train": sources.fingerprint(MitH5(path=str(tmp_path / "train.h5"))),
        "test": sources.fingerprint(Ppb(path=str(tmp_path / "ppb"))),
        "nonfaces": sources.fingerprint(Folder(path=str(tmp_path / "photographs"))),
    }

    assert found == OLD_DIGESTS


OLD_DIGESTS = {"train": "44dad43da30d", "test": "554b200769cf", "nonfaces": "775e86c1ec45"}


def test_every_source_is_checked_to_the_last_picture(tmp_path):
    """A damaged crop is found before any run."""
    data = Data(
        train=MitH5(path=str(write_h5(tmp_path / "train.h5"))),
        test=Ppb(path=str(write_ppb(tmp_path / "ppb"))),
        nonfaces=TableNegatives(path=str(table(tmp_path / "others"))),
        crops=GroupFolders(path=str(crops(tmp_path / "crops"))),
    )
    preflight.check(data)
    (tmp_path / "crops" / "LM" / "x.png").write_bytes(b"no picture")

    with pytest.raises(DataError, match=r"LM/x\.png: the picture cannot be read"):
        preflight.check(data)


def test_a_test_face_of_any_source_is_refused_among_the_negatives(tmp_path):
    """Not only PPB's."""
    face = fairface(tmp_path / "faces") / "val" / "1.jpg"
    path = table(tmp_path / "others", rows=("a.png,0,x",))
    shutil.copy(face, tmp_path / "others" / "a.png")
    data = Data(
        train=MitH5(path=str(write_h5(tmp_path / "train.h5"))),
        test=FairFace(path=str(tmp_path / "faces")),
        nonfaces=TableNegatives(path=str(path)),
    )

    with pytest.raises(DataError, match=r"a\.png: the same picture as the test portrait .*1\.jpg"):
        preflight.check(data)


def test_captions_name_every_role_that_there_is(tmp_path):
    """By the last part of its place."""
    data = Data(
        train=MitH5(path="/somewhere/train.h5"),
        test=UtkFace(path="/somewhere/UTKFace"),
        nonfaces=TableNegatives(path="/somewhere/mine.csv"),
        crops=GroupFolders(path="/somewhere/lab"),
    )

    assert sources.describe(data) == ("train train.h5, test UTKFace, nonfaces mine.csv, crops lab")


def test_every_specification_has_a_reader():
    """Whatever a study file may name can be opened."""
    specifications = {one for role in ROLES for one in get_args(getattr(data_spec, role))}

    assert set(sources.READERS) == specifications | {data_spec.OwnSource}


def test_a_source_is_a_reader_that_registers_itself(tmp_path, monkeypatch):
    """Nothing else has to name it: it is opened, has a digest and is recognised."""
    monkeypatch.setattr(source_registry, "READERS", {})
    monkeypatch.setattr(sources, "READERS", source_registry.READERS)
    put(tmp_path / "a.png", 1)

    @source_registry.reads(Folder)
    class Scans(source_registry.Reader[Folder]):
        kind = "scans"

        def open(self, spec):
            return picture_files.read(tmp_path)

        def fits(self, path):
            return path == tmp_path

    assert sources.nonface_photographs(Folder(path=str(tmp_path))).names == ("a.png",)
    assert len(sources.fingerprint(Folder(path=str(tmp_path)))) == 12
    assert any_layout.read(tmp_path, kind=None, groups=()).kind == "scans"


def test_data_that_differ_in_one_role_share_the_other_pictures():
    """Nothing is read again for them, and of each role only the last is held."""
    first = data_spec.Data.model_validate(
        {
            "train": {"source": "synthetic", "faces": 1, "nonfaces": 1},
            "test": {"source": "synthetic", "per_group": 1, "size": 64},
            "nonfaces": {"source": "synthetic", "photographs": 1, "size": 64},
        }
    )
    train = first.train.model_copy(update={"darker_share": 0.5})
    second = first.model_copy(update={"train": train})
    kept = sources.keeper()
    one, other, again = kept(first), kept(second), kept(first)

    assert one.photographs["portraits"] is other.photographs["portraits"]
    assert one.photographs["nonfaces"] is other.photographs["nonfaces"]
    assert one.images is not again.images
    assert np.array_equal(one.images.images, again.images.images)


def test_groups_that_utkface_does_not_have_are_refused(tmp_path):
    """Before, any other word made groups of race."""
    with pytest.raises(DataError, match="UTKFace has no 'country' to make groups of"):
        any_layout.read(utkface(tmp_path), kind="utkface", groups=("country",))
