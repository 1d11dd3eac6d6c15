"""Methods that need the groups of training faces, and data that do not have them."""

import numpy as np
import pytest
from data_layouts import write_h5

from faults import studies
from repro.errors import StudyError

STUDY = """\
name: toy
question: Would labels help?
base:
  preset: dehaan2020
  epochs: 1
  batch_size: 4
  windows: {sizes: 1, smallest: 0.6}
  data:
    train: TRAIN
    test: {source: synthetic, per_group: 1, size: 64}
    nonfaces: {source: synthetic, photographs: 1, size: 64}
arms:
  - {name: even, resampling: {rule: none}}
  - {name: balanced, resampling: {rule: oracle}}
  - {name: robust, objective: {name: group_dro}}
reference: even
replicates: 20
select: {keep: 1, by: recall, split: test}
profiles: {embedded: {}}
"""
FOUR = ["darker_female", "darker_male", "lighter_female", "lighter_male"]
RULE, OBJECTIVE = (
    "toy.yaml:14:41: the rule oracle: ",
    "toy.yaml:15:38: the objective group_dro: ",
)


def planned(folder, train):
    """The plan of the study on these training images."""
    (folder / "toy.yaml").write_text(STUDY.replace("TRAIN", train))
    return studies.plan(folder / "toy.yaml", folder / "results")


def stored(folder, groups):
    """A file of training images, each second one a face, of these groups."""
    named = {"groups": np.array([text.encode() for text in groups])} if groups else {}
    return str(write_h5(folder / "train.h5", **of(30), **named))


def of(faces):
    """Images and labels."""
    images = np.random.default_rng(0).integers(0, 256, (2 * faces, 64, 64, 3), dtype=np.uint8)
    return {"images": images, "labels": np.array([[1], [0]] * faces, np.uint8)}


def spread(faces):
    """The group of each image, with the non-faces between."""
    return [name for face in faces for name in (face, "")]


EVEN = [FOUR[number % 4] for number in range(30)]
REFUSED = {  # groups of the faces, and what is said of the rule and of the objective
    "none at all": (None, "needs the group of each training face, and data.train has no groups"),
    "not of all faces": (["", *EVEN[1:]], "needs the group of each training face, and 1 of 30 fa"),
    "one group is missing": (
        [name if name != FOUR[0] else FOUR[1] for name in EVEN],
        "no face of data.train is of the group darker_female, which data.test has",
    ),
    "one group has a single face": (
        [*FOUR, *([FOUR[1], FOUR[2], FOUR[3]] * 9)[:26]],
        "no face of the group darker_female is left to train on with seed ",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_method_without_the_groups_that_it_needs_is_refused_by_the_plan(tmp_path, case, tally):
    """At its name, in one sentence for each method; nothing is made."""
    faces, said = REFUSED[case]
    tally.bad_inputs += 1
    with pytest.raises(StudyError) as refused:
        planned(tmp_path, stored(tmp_path, faces and spread(faces)))
    told = str(refused.value).splitlines()

    for line, start in zip(told, (RULE, OBJECTIVE), strict=True):
        assert start + said in line
    assert not (tmp_path / "results").exists()


def test_faces_of_all_groups_are_planned(tmp_path):
    """Of a file, and the embedded ones."""
    for train in (stored(tmp_path, spread(EVEN)), "{source: synthetic, faces: 99, nonfaces: 9}"):
        assert len(planned(tmp_path, train).tasks) == 60


def test_groups_of_other_names_than_the_portraits_are_planned(tmp_path):
    """Training faces may be grouped by something else."""
    groups = spread(["young", "old"] * 15)

    assert len(planned(tmp_path, stored(tmp_path, groups)).tasks) == 60
