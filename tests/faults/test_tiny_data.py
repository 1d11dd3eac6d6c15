"""Too little of something is refused by the plan; no run trains, validates or scores nothing."""

import itertools
import random
import re

import numpy as np
import pytest
from click.testing import CliRunner
from data_layouts import put, write_h5, write_ppb

from faults import studies
from repro.cli import main
from repro.errors import DataError, ReproError, StudyError
from repro.execution import sample_faces
from repro.records import records
from repro.study.configuration import Configuration
from repro.study.merge import merge
from repro.study.presets import PRESETS
from repro.training import image_counts
from repro.training.image_counts import ImageCounts
from repro.training.image_split import split_images

STUDY = """\
name: toy
question: Does it?
base:
  preset: dehaan2020
  epochs: 1
  batch_size: 4
  windows: {sizes: 1, smallest: 0.6}
  data:
    train: {source: synthetic, faces: 8, nonfaces: 8}
    test: {source: synthetic, per_group: 1, size: 64}
    nonfaces: {source: synthetic, photographs: 1, size: 64}
arms: [{name: plain, resampling: {combine: none}}, {name: max}]
reference: plain
replicates: 1
select: {keep: 1, by: recall, split: test}
profiles: {embedded: {}}
"""
TRAINED = "images that are trained on (of 16, 4 are held out), so that no batch is complete; choose"
HALVES = "(resampling.replacement: without, balance: exact), and"
TRAIN, ARM = "train: {source: synthetic, faces: 8, nonfaces: 8}", "{name: max}"
REFUSED = {  # what is replaced, and what is said
    "a batch above the images": (
        {"batch_size: 4": "batch_size: 13"},
        f"6:15: batch_size: 13 is more than the 12 {TRAINED} a smaller one",
    ),
    "of one arm alone": (
        {ARM: "{name: max, batch_size: 64}"},
        f"12:76: batch_size: 64 is more than the 12 {TRAINED} a smaller one",
    ),
    "of a preset": (
        {"batch_size: 4": "learning_rate: 0.01"},
        f"9:12: batch_size: 24 is more than the 12 {TRAINED} a smaller one",
    ),
    "one face": (
        {TRAIN: TRAIN.replace("faces: 8, n", "faces: 1, n")},
        "9:12: validation_share: 0.2 of the images with a face (1) leaves none to validate on;",
    ),
    "two faces": (
        {TRAIN: TRAIN.replace("faces: 8, n", "faces: 2, n")},
        "9:12: validation_share: 0.2 of the images with a face (2) leaves none to validate on;",
    ),
    "two faces, one held out": (
        {
            TRAIN: TRAIN.replace("faces: 8, n", "faces: 2, n"),
            ARM: "{name: x, validation_share: 0.5}",
        },
        "9:12: data.train: 1 of 2 faces is trained on, and at least 2 are needed; give more faces",
    ),
    "one image without a face": (
        {TRAIN: TRAIN.replace("nonfaces: 8", "nonfaces: 1")},
        "9:12: validation_share: 0.2 of the images with no face (1) leaves none to validate on;",
    ),
    "nothing to validate on": (
        {ARM: "{name: max, validation_share: 0.01}"},
        "12:82: validation_share: 0.01 of the images with a face (8) leaves none to validate on;",
    ),
    "nothing to train on": (
        {ARM: "{name: max, validation_share: 0.99}"},
        "12:82: validation_share: 0.99 of the images with no face (8) leaves none to train on;",
    ),
    "more different faces in a batch than there are": (
        {
            TRAIN: TRAIN.replace("faces: 8, n", "faces: 3, n"),
            ARM: "{name: max, batch_size: 6, resampling: {HALVES, first_epoch: resampled}}",
        },
        f"12:76: batch_size: half a batch is 3 different images with a face {HALVES} 2 are",
    ),
    "more different images without a face": (
        {
            TRAIN: TRAIN.replace("nonfaces: 8", "nonfaces: 3"),
            ARM: "{name: max, batch_size: 5, resampling: {HALVES, uniform_epochs: draw}}",
        },
        f"12:76: batch_size: half a batch is 3 different images with no face {HALVES} 2 are",
    ),
}


def changed(replaced):
    """The study with some things replaced."""
    text = STUDY
    for old, new in replaced.items():
        assert old in text
        text = text.replace(old, new.replace("HALVES", "replacement: without, balance: exact"))
    return text


@pytest.mark.parametrize("case", REFUSED)
def test_too_few_images_are_refused_by_a_plan_and_a_run(tmp_path, case, tally):
    """At the setting that somebody wrote, with the numbers; nothing is made."""
    replaced, said = REFUSED[case]
    (tmp_path / "toy.yaml").write_text(changed(replaced))
    tally.bad_inputs += 1
    for refuse in (studies.plan, studies.run_here):
        with pytest.raises(StudyError) as refused:
            refuse(tmp_path / "toy.yaml", tmp_path / "results")
        assert f"toy.yaml:{said}" in str(refused.value)

    assert not (tmp_path / "results").exists()


def test_an_option_that_leaves_too_little_is_named(tmp_path, tally):
    """It is no line of the file."""
    (tmp_path / "toy.yaml").write_text(STUDY)
    tally.bad_inputs += 1
    with pytest.raises(StudyError, match=r"^--set batch_size=99: batch_size: 99 is more than "):
        studies.plan(tmp_path / "toy.yaml", tmp_path / "results", overrides=["batch_size=99"])


def test_images_of_a_file_are_counted_as_well(tmp_path, tally):
    """By its labels."""
    images = np.zeros((16, 64, 64, 3), np.uint8)
    write_h5(tmp_path / "train.h5", images=images, labels=np.arange(16)[:, None] < 2)
    (tmp_path / "toy.yaml").write_text(changed({TRAIN: f"train: {tmp_path}/train.h5"}))
    tally.bad_inputs += 1
    with pytest.raises(StudyError, match=r"the images with a face \(2\) leaves none to validate"):
        studies.plan(tmp_path / "toy.yaml", tmp_path / "results")


EMPTY = {
    "a group's folder": "people/b: no picture in it, so that this group is empty",
    "a table without positives": "no row whose label is 1",
    "a table without negatives": "no row whose label is 0",
    "a benchmark without rows": "no row below the header",
    "a folder of photographs": "no picture in it",
}


@pytest.mark.parametrize("case", EMPTY)
def test_empty_groups_and_classes_of_the_test_pictures_are_refused(tmp_path, case, tally):
    """By the plan, and not after hours of training."""
    put(tmp_path / "people" / "a" / "1.png", 1)
    (tmp_path / "people" / "b").mkdir()
    (tmp_path / "rooms").mkdir()
    write_ppb(tmp_path / "ppb", lines=("filename,bi.fitz,gender",), pictures=())
    put(tmp_path / "ppb" / "imgs" / "1.png", 1)
    for label in (0, 1):
        (tmp_path / f"only{label}.csv").write_text(
            f"path,label,group\npeople/a/1.png,{label},{'x' * label}\n"
        )
    option = {
        "a group's folder": f"data.test={{source: groups, path: {tmp_path}/people}}",
        "a table without positives": f"data.test={tmp_path}/only0.csv",
        "a table without negatives": f"data.nonfaces={tmp_path}/only1.csv",
        "a benchmark without rows": f"data.test={tmp_path}/ppb",
        "a folder of photographs": f"data.nonfaces={tmp_path}/rooms",
    }
    (tmp_path / "toy.yaml").write_text(STUDY)
    tally.bad_inputs += 1
    with pytest.raises(DataError, match=re.escape(EMPTY[case])):
        studies.plan(tmp_path / "toy.yaml", tmp_path / "results", overrides=[option[case]])


@pytest.mark.parametrize("role", ["test", "nonfaces"])
def test_pictures_into_which_no_window_fits_are_refused_before_training(tmp_path, role, tally):
    """They would have no score at all; one picture that is high enough has."""
    put(tmp_path / "wide" / "a" / "1.png", 1, width=100, height=59)
    path = f"{{source: {'groups' if role == 'test' else 'folder'}, path: {tmp_path}/wide}}"
    (tmp_path / "toy.yaml").write_text(STUDY)
    option, watcher = [f"data.{role}={path}"], studies.Watcher()
    tally.bad_inputs += 1
    with pytest.raises(DataError, match=r"^windows\.smallest: 0\.6 of the width is more than the"):
        studies.run_here(
            tmp_path / "toy.yaml", tmp_path / "results", overrides=option, watcher=watcher
        )
    assert watcher.begun == []
    put(tmp_path / "wide" / "a" / "2.png", 2, width=100, height=60)
    with studies.canned():
        studies.run_here(tmp_path / "toy.yaml", tmp_path / "results", overrides=option)


def test_counts_are_those_of_the_split():
    """What a plan refuses is what training would have had."""
    for faces, others, share in itertools.product((1, 2, 3, 7), (1, 5), (0.01, 0.2, 0.5, 0.9)):
        split = split_images(np.arange(faces + others) < faces, share=share, seed=1)
        held = [image_counts.held_out(count, share=share) for count in (faces, others)]
        assert len(split.validation) == sum(held)
        assert (split.validation < faces).sum() == held[0]


@pytest.mark.parametrize("batch_size", [2, 12, 13])
@pytest.mark.parametrize("rule", ["with", "without"])
def test_the_largest_batch_is_all_that_is_trained_on(batch_size, rule):
    """One image more is refused, and nothing less is."""
    choices = Configuration.model_validate(
        merge(
            PRESETS["dehaan2020"],
            {"batch_size": batch_size, "resampling": {"replacement": rule, "balance": "exact"}},
        )
    )

    assert bool([*image_counts.problems(choices, ImageCounts(8, 8))]) == (batch_size > 12)


def drawn(chance):
    """A small study, drawn at random; some of them cannot be run."""
    pick = chance.choice
    model = pick(["dbvae", "dbvae", "dbvae", "classifier"])
    combine = "none" if model == "classifier" else pick(["none", "max", "product", "top5"])
    rule = {
        "rule": combine,
        "latents": pick(["mean", "sample"]),
        "first_epoch": pick(["uniform", "resampled"]),
        "replacement": pick(["with", "without"]),
        "balance": pick(["expected", "exact"]),
        "uniform_epochs": pick(["shuffle", "draw"]),
        "bins": pick([1, 10, 255]),
    }
    settings = {
        "model": model,
        "architecture": pick(["dehaan2020", "mit2019", "mit2020", "mit2024", "fijen2020"]),
        "latent_dim": pick([1, 2, 10]),
        "decoder_input": pick(["all", "faces"]),
        "batch_norm": pick(["batch", "stored"]),
        "checkpoint": pick(["last", "best_val_accuracy"]),
        "epochs": pick([1, 2]),
        "batch_size": pick([2, 3, 4, 5, 8]),
        "validation_share": pick([0.01, 0.2, 0.34, 0.5, 0.8]),
        "resampling": str(rule).replace("'", ""),
        "windows": f"{{sizes: 1, smallest: {pick([0.6, 1.0])}}}",
        "data.train.faces": pick([1, 2, 3, 4, 5, 8]),
        "data.train.nonfaces": pick([1, 2, 3, 4, 5, 8]),
        "data.crops": pick(["null", "{source: synthetic, per_group: 1}"]),
    }
    return [f"{key}={value}" for key, value in settings.items()]


def test_whatever_is_not_refused_trains_and_has_a_table(tmp_path, tally, amount):
    """Sizes drawn at random: a sentence by the plan, or results by a run; nothing else."""
    chance, ran, refused = random.Random(0), 0, 0
    arms = STUDY[STUDY.index("arms:") : STUDY.index("reference:")]
    file = tmp_path / "toy.yaml"
    file.write_text(STUDY.replace(arms, "arms: [{name: plain}]\n"))
    while ran < amount(4, 60):
        overrides, results = drawn(chance), tmp_path / str(ran)
        tally.bad_inputs += 1
        try:
            studies.plan(file, results, overrides=overrides)
        except ReproError:
            refused += 1
            assert refused < 100 * (ran + 1)  # some can be run
            continue
        studies.run_here(file, results, overrides=overrides)
        (folder,) = (results / "runs").glob("[!.]*")
        record = records.read_record(folder.name, results)
        ran += 1
        if record.failure is None:
            assert np.isfinite([*record.metrics.values()]).all()
        else:
            assert record.failure["term"] in ("resampling weights", "decoder"), overrides
        command = ["table", str(file), "--results", str(results)]
        sets = [word for override in overrides for word in ("--set", override)]
        done = CliRunner().invoke(main, [*command, *sets])
        assert done.exit_code == 0, (overrides, done.output, done.exception)


def test_a_decoder_that_would_normalise_one_face_fails_the_run(tmp_path):
    """It is the method's, with epoch and batch; the study goes on, and nothing crashes."""
    rule = "{combine: none, balance: exact, uniform_epochs: draw}"
    arm = f"{{name: max, batch_size: 2, decoder_input: faces, resampling: {rule}}}"
    (tmp_path / "toy.yaml").write_text(changed({ARM: arm}))
    studies.run_here(tmp_path / "toy.yaml", tmp_path / "results")
    folders = (tmp_path / "results" / "runs").glob("[!.]*")
    found = [records.read_record(one.name, tmp_path / "results") for one in folders]
    (failure,) = (one.failure for one in found if one.failure is not None)

    assert (len(found), failure["epoch"], failure["term"]) == (2, 1, "decoder")
    assert failure["reason"].startswith("batch 1 has one face, and the batch normalisation of a")


def test_one_face_held_out_has_no_picture_of_its_latents(tmp_path):
    """There is no spread over faces to compare with; the other pictures are drawn."""
    text = changed(
        {TRAIN: TRAIN.replace("faces: 8, n", "faces: 3, n"), "batch_size: 4": "batch_size: 2"}
    )
    (tmp_path / "toy.yaml").write_text(text)
    results = tmp_path / "results"
    studies.run_here(tmp_path / "toy.yaml", results)
    (path,) = (results / "studies").rglob("*.json")
    index = records.read_index(path)
    found = records.read_study(index, results)
    specimens = sample_faces.of_study(index, found, results, faces="all")

    assert [one.arm for one in specimens] == ["plain", "max"]
    assert [one.latents for one in specimens] == [None, None]
