"""Which runs one network can train."""

import subprocess
import sys

import pytest
from builders import configuration

from repro.study import stacking

DATA = {"train": "synthetic", "test": "synthetic", "nonfaces": "synthetic"}
PORTRAITS = {"source": "synthetic", "per_group": 2, "size": 64}


@pytest.mark.parametrize(
    "changes",
    [
        {"resampling": {"alpha": 0.5}},
        {"resampling": {"rule": "none"}},
        {"checkpoint": "last"},
        {"windows": {"sizes": 2}},
        {"data": DATA | {"test": PORTRAITS}},
    ],
    ids=str,
)
def test_runs_have_one_shape_whatever_a_step_does_not_see(changes):
    """Draws, checkpoint, windows and test pictures; the seed is no setting."""
    assert stacking.shape(configuration(**changes)) == stacking.shape(configuration())


@pytest.mark.parametrize(
    "changes",
    [
        {"batch_size": 8},
        {"epochs": 3},
        {"precision": "bf16"},
        {"kl": {"weight": 0.5}},
        {"architecture": "mit2020"},
        {"validation_share": 0.3},
        {"model": "classifier", "resampling": {"rule": "none"}},
    ],
    ids=str,
)
def test_runs_of_another_shape_are_told_apart(changes):
    """By every setting that a step depends on."""
    assert stacking.shape(configuration(**changes)) != stacking.shape(configuration())


def test_what_has_no_effect_is_no_part_of_the_shape():
    """A classifier has no latents, and no decoder to give faces alone."""
    classifier = {"model": "classifier", "resampling": {"rule": "none"}}
    one, other = (
        configuration(**classifier, decoder_input=to, kl={"weight": weight})
        for to, weight in (("all", 1.0), ("faces", 2.0))
    )

    assert stacking.shape(one) == stacking.shape(other)
    assert stacking.refusal(other, own_network=False) is None


@pytest.mark.parametrize(
    ("changes", "own", "told"),
    [
        (
            {"decoder_input": "faces"},
            False,
            (
                "decoder_input",
                "with faces, batches have a different shape in each run, which cannot be trained "
                "as one network; all can",
            ),
        ),
        (
            {"objective": {"name": "lff"}},
            False,
            ("objective.name", "lff follows one network, and cannot be trained with others as one"),
        ),
        (
            {"architecture": "theirs"},
            True,
            ("architecture", "theirs is a plug-in's network, whose weights cannot be stacked"),
        ),
        ({}, False, None),
    ],
)
def test_what_cannot_be_stacked_is_refused_by_its_key(changes, own, told):
    """An objective of its own, faces alone in the decoder, a network of a plug-in."""
    assert stacking.refusal(configuration(**changes), own_network=own) == told


@pytest.mark.parametrize("rule", ["placebo", "oracle", "subg", "jtt", "frozen", "as_loss"])
def test_every_rule_can_be_stacked(rule):
    """It weighs faces and nothing else."""
    arm = configuration(resampling={"rule": rule})

    assert stacking.refusal(arm, own_network=False) is None
    assert stacking.shape(arm) == stacking.shape(configuration())


def test_to_ask_loads_no_torch():
    """A plan asks in the main process."""
    told = "import sys, repro.study.stacking; print({'torch', 'numpy'} & {*sys.modules})"
    asked = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)

    assert asked.stdout == "set()\n"
