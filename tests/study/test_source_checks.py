"""Arms that start from another arm's runs: mistakes are told at their place in the file."""

import pytest

from repro.errors import StudyError
from repro.study import study

SOUND = """\
name: toy
question: Does it?
base:
  preset: dehaan2020
  resampling: {uniform_epochs: draw}
arms:
  - {name: dealt, resampling: {rule: placebo, of: rarest}}
  - {name: even, checkpoint: last, resampling: {rule: none}}
  - {name: rarest, resampling: {alpha: 0.01}}
  - {name: fixed, resampling: {rule: frozen, of: even}}
  - {name: fitted, resampling: {rule: none}, objective: {name: dfr, of: even}}
  - {name: plain, model: classifier, resampling: {rule: none}}
reference: even
replicates: 2
select: {keep: 2, by: recall, split: test}
profiles:
  embedded:
    data:
      train: {source: synthetic, faces: 30, nonfaces: 30}
      test: {source: synthetic, per_group: 2, size: 64}
      nonfaces: {source: synthetic, photographs: 4, size: 64}
"""
DEALT = "of: rarest}"


@pytest.fixture
def write(tmp_path):
    """Write the study with a change; its file."""

    def written(old="", new=""):
        assert old in SOUND
        file = tmp_path / "toy.yaml"
        file.write_text(SOUND.replace(old, new, 1))
        return file

    return written


def test_a_sound_study_names_the_source_of_each_arm(write):
    """By the rule's key or by the objective's."""
    arms = study.load(write()).arms

    assert {arm.name: arm.configuration.source_arm for arm in arms} == {
        "dealt": "rarest",
        "even": None,
        "rarest": None,
        "fixed": "even",
        "fitted": "even",
        "plain": None,
    }


def test_a_sweep_may_run_over_sources(write):
    """Two placebos in a line, that differ in nothing but the arm whose weights they deal."""
    old = "  - {name: dealt, resampling: {rule: placebo, of: rarest}}\n"
    new = (
        "  - {name: rare, resampling: {alpha: 0.1}}\n"
        "  - {name: dealt, resampling: {rule: placebo}, sweep: {resampling.of: [rarest, rare]}}\n"
    )
    arms = {arm.name: arm.configuration for arm in study.load(write(old, new)).arms}

    assert arms["dealt, of = rarest"].source_arm == "rarest"
    assert arms["dealt, of = rare"].source_arm == "rare"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            DEALT,
            "of: rarst}",
            "7:51: unknown arm 'rarst'; did you mean 'rarest'?; the arms are: dealt, even, rarest, "
            "fixed, fitted, plain",
        ),
        (DEALT, "of: dealt}", "7:51: an arm cannot start from its own runs: name another arm"),
        (
            "{alpha: 0.01}",
            "{rule: frozen, of: dealt}",
            "7:51: these arms wait for each other: dealt -> rarest -> dealt: leave one 'of' out",
        ),
        (
            DEALT,
            "of: even}",
            "7:51: 'even' draws all faces alike: name an arm with weights to deal",
        ),
        (
            "{alpha: 0.01}",
            "{rule: as_loss, alpha: 0.01}",
            "7:51: 'rarest' draws all faces alike and weights their losses, and a placebo draws by "
            "its weights: name an arm that draws faces by weights",
        ),
        (
            "{alpha: 0.01}",
            "{rule: jtt, of: even}",
            "7:51: 'rarest' also weights images without a face (nonfaces), and a placebo deals "
            "those of faces: name an arm that draws faces by weights",
        ),
        (
            f"{DEALT}}}",
            f"{DEALT}, epochs: 3}}",
            "7:68: epochs is 3 here and 60 in 'rarest': make both alike, as a placebo is its arm "
            "but for the faces that get the weights",
        ),
        (
            f"{DEALT}}}",
            "of: rarest, replacement: without}}",
            "7:72: resampling.replacement is 'without' here and 'with' in 'rarest': make both "
            "alike, as a placebo is its arm but for the faces that get the weights",
        ),
        (
            "frozen, of: even}",
            "frozen, of: even}, validation_share: 0.3",
            "10:75: validation_share is 0.3 here and 0.2 in 'even': make both alike, as one starts "
            "from the other's runs",
        ),
        (
            "frozen, of: even",
            "frozen, of: plain",
            "10:50: 'plain' is a classifier, which has no latents: name an arm that has",
        ),
        (
            "checkpoint: last, ",
            "",
            "11:73: 'even' has checkpoint: best_val_accuracy, chosen on the held-out images that "
            "the objective dfr fits: give it checkpoint: last",
        ),
        (
            "fitted,",
            "fitted, latent_dim: 3,",
            "11:32: latent_dim is 3 here and 100 in 'even': make both alike, as the objective dfr "
            "takes over its network",
        ),
    ],
    ids=[
        *(
            "unknown",
            "itself",
            "cycle",
            "even",
            "on the loss",
            "nonfaces",
            "other setting",
            "other draws",
            "other split",
        ),
        *("no latents", "chosen epoch", "other network"),
    ],
)
def test_a_mistake_about_a_source_is_told_at_its_place(write, old, new, expected):
    """Line, column, what is wrong and what to do."""
    with pytest.raises(StudyError) as caught:
        study.load(write(old, new))

    assert str(caught.value).splitlines()[0].endswith(f"toy.yaml:{expected}")


def test_a_sweep_is_told_from_an_arm(write):
    """Each of its arms has runs of its own, so that one must be named."""
    file = write("{name: rarest, resampling: {alpha: 0.01}}", SWEEP)

    with pytest.raises(StudyError, match="'rarest' is a sweep: name one of its arms, 'rarest, alp"):
        study.load(file)


SWEEP = "{name: rarest, sweep: {resampling.alpha: [0.1, 0.01]}}"
PLUGIN = """\
import numpy as np

from repro.plugins import rule


@rule("even_loss", needs=(), scope="loss")
def even_loss(latents, context):
    return np.full(context.faces, 1 / context.faces)
"""


def test_a_rule_of_a_plug_in_that_weights_losses_has_no_placebo(write):
    """As the built-in one: a placebo that drew by its weights would be another method."""
    file = write("{alpha: 0.01}", "{rule: even_loss}")
    file.with_name("mine.py").write_text(PLUGIN)
    file.write_text(f"plugins: [mine.py]\n{file.read_text()}")

    with pytest.raises(StudyError, match="'rarest' draws all faces alike and weights their losses"):
        study.load(file)
