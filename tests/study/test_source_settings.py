"""A study with a source and a network of a plug-in: what is filled in, and where mistakes are."""

import re

import pytest
from faults import studies

from repro.errors import StudyError
from repro.study import study

TEXT = """\
from repro.plugins import Parameters, model, source

class Place(Parameters):
    path: str
    level: int = 3

@source("crops", role="train", parameters=Place)
def crops(parameters): ...

@model("net")
def net(parameters): ...
"""
NETWORK = "  - {name: net, model: classifier, architecture: net, resampling: {rule: none}}\n"
ARMS = "  - {name: even, resampling: {rule: none}}\n" + NETWORK
TRAIN = "{source: crops, path: a.npz}"


def written(folder, *, train=TRAIN, arms=ARMS):
    """The study's file, beside its plug-in."""
    (folder / "mine.py").write_text(TEXT)
    path = studies.toy(folder, arms=arms, replicates=1, keep=1)
    text = re.sub(r"train: \{.*\}", f"train: {train}", path.read_text())
    path.write_text(f"plugins: [mine.py]\n{text}")
    return path


def test_a_specification_has_parameters_with_defaults_and_the_digest(tmp_path):
    """The plug-in of the source belongs to all arms, the network to its own."""
    loaded = study.load(written(tmp_path))
    even, net = loaded.arms
    origin = loaded.catalogue.find("source", "crops").origin

    assert even.configuration.data.train.model_dump() == {
        "source": "crops",
        "parameters": {"path": "a.npz", "level": 3},
        "digest": origin.digest,
    }
    assert [*loaded.plugins_of(even)] == ["source crops"]
    assert sorted(loaded.plugins_of(net)) == ["model net", "source crops"]


def test_the_network_of_a_source_run_is_among_an_arms_plugins(tmp_path):
    """Because a worker loads it to look at that run."""
    second = "  - {name: second, resampling: {rule: jtt, of: net}}\n"
    loaded = study.load(written(tmp_path, arms=ARMS + second))

    assert sorted(loaded.plugins_of(loaded.arms[2])) == ["model net", "source crops"]


REFUSED = {  # what is written, and what is said: each mistake once, at its place
    "unknown key": (
        {"train": "{source: crops, path: a.npz, levl: 4}"},
        ["13:41: unknown key 'levl'; did you mean 'level'?"],
    ),
    "missing key": ({"train": "{source: crops}"}, ["13:12: path is missing: add it"]),
    "unknown source": (
        {"train": "{source: crop, path: a.npz}"},
        ["13:21: data.train: 'crop' is not one of synthetic, mit_h5, crops; did you mean 'crops'?"],
    ),
    "a DB-VAE": (
        {"arms": ARMS.replace("model: classifier", "model: dbvae")},
        [
            "18:45: the model 'net' is a plug-in's, which gives a logit alone: set model to "
            "'classifier'"
        ],
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_mistake_is_told_once_at_its_place(tmp_path, case):
    """And nothing of what follows from it."""
    changes, said = REFUSED[case]
    path = written(tmp_path, **changes)

    with pytest.raises(StudyError) as refused:
        study.load(path)
    assert str(refused.value).splitlines() == [f"{path}:{line}" for line in said]


def test_a_source_of_another_role_is_refused(tmp_path):
    """It says which data it gives."""
    path = written(tmp_path)
    path.write_text(re.sub(r"test: \{.*\}", "test: {source: crops}", path.read_text()))

    with pytest.raises(StudyError, match=r"data\.test: the source 'crops' gives data\.train"):
        study.load(path)
