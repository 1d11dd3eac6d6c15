"""A run's rule at work, with a network that is not trained."""

import numpy as np
import pytest
import torch
from builders import configuration, training_images

from repro import models
from repro.errors import ReproError, RunFailed
from repro.plugins.declared import Plugin
from repro.plugins.plugin_errors import PluginError
from repro.study import methods
from repro.training.weighting import Seen, Weighting, problem

FACES, OTHERS = 6, 4
GROUPS = np.array(["a", "b", "a", "a", "b", "c"])
IMAGES = torch.from_numpy(training_images(FACES, OTHERS).images)
MODEL = models.build("dehaan2020", latent_dim=3, seed=0)


class Source:
    """A source run with weights from the second epoch on."""

    key = "k-seed0"
    faces = np.array([1, -1, 1, 1, -1, 1], np.float32)
    others = np.array([-1, 1, -1, -1], np.float32)

    def logits_of_faces(self):
        """Two are missed."""
        return self.faces

    def logits_of_nonfaces(self):
        """One is a false alarm."""
        return self.others

    def latents(self):
        """Of each face, three."""
        return np.random.default_rng(0).normal(size=(FACES, 3)).astype(np.float32)

    def weights(self, epoch):
        """Of one epoch; even in the first."""
        return None if epoch == 1 else np.arange(1, FACES + 1) / 21


def weighting(rule, *, seed=0, model=MODEL, groups=GROUPS, names=(), source=None, **resampling):
    """Of a built-in rule by its name, or of a function or plug-in."""
    plugin = rule
    if isinstance(rule, str):
        plugin = methods.BUILT_IN.find("rule", rule)
    elif not isinstance(rule, Plugin):
        plugin = Plugin(kind="rule", name="own", make=rule)
    filled = {"parameters": plugin.filled(resampling.pop("parameters", {}))}
    choices = configuration(resampling={"rule": plugin.name, **filled, **resampling})
    seen = Seen(
        model=model,
        images=IMAGES,
        faces=torch.arange(FACES),
        nonfaces=OTHERS,
        groups=groups,
        group_names=names,
        source=source,
    )
    return Weighting(plugin, choices, seed, seen)


def test_the_rule_none_leaves_every_epoch_even():
    """There is nothing to weight by."""
    assert weighting("none").at(2) is None


def test_a_rule_of_latents_begins_when_the_study_says():
    """An untrained network has learnt no rarity: the reproduction's first epoch is even."""
    assert weighting("max", first_epoch="uniform").at(1) is None
    assert weighting("max", first_epoch="resampled").at(1) is not None


@pytest.mark.parametrize("name", ["oracle", "subg"])
def test_groups_are_balanced_from_the_first_epoch_on(name):
    """They are known before anything is learnt, so that `first_epoch` is of no account."""
    assert weighting(name, first_epoch="uniform").at(1) is not None


def test_the_oracle_gives_each_group_the_same_mass():
    """Three, two and one face."""
    found = weighting("oracle").at(1).faces

    assert [found[name == GROUPS].sum() for name in "abc"] == pytest.approx([1 / 3] * 3)


def test_subsampling_keeps_the_same_faces_in_all_epochs():
    """One of each group here, drawn once a run: equal weights for them, none for others."""
    one = weighting("subg")
    first, later = one.at(1).faces, one.at(7).faces

    assert np.array_equal(first, later)
    assert sorted(first) == [0, 0, 0, 1 / 3, 1 / 3, 1 / 3]
    assert {GROUPS[i] for i in np.flatnonzero(first)} == {"a", "b", "c"}


def test_another_seed_keeps_other_faces():
    """The stream is the run's."""
    kept = {tuple(np.flatnonzero(weighting("subg", seed=seed).at(1).faces)) for seed in range(9)}

    assert len(kept) > 2


def test_a_group_that_the_split_left_no_face_fails_the_run_by_name():
    """Other seeds split otherwise, and train."""
    with pytest.raises(RunFailed, match=r"resampling weights: .*'d'"):
        weighting("oracle", names=("a", "b", "c", "d")).at(1)


def test_a_placebo_deals_the_weights_of_the_same_epoch_for_the_whole_run():
    """Sorted, they are the source's to the bit; an even epoch of the source is even here."""
    one = weighting("placebo", source=Source())

    assert one.at(1) is None
    assert np.array_equal(np.sort(one.at(2).faces), Source().weights(2))
    assert np.array_equal(one.at(2).faces, one.at(3).faces)


def test_a_fresh_placebo_deals_anew_in_each_epoch():
    """From a stream of its own for every epoch, which no checkpoint has to keep."""
    one = weighting("placebo", source=Source(), parameters={"permutation": "epoch"})

    assert not np.array_equal(one.at(2).faces, one.at(3).faces)
    assert np.array_equal(one.at(3).faces, one.at(3).faces)


def test_a_placebo_within_groups_keeps_their_masses():
    """Rarity inside the groups is what it takes away."""
    dealt = weighting("placebo", source=Source(), parameters={"within": "groups"}).at(2).faces
    before = Source().weights(2)

    assert not np.array_equal(dealt, before)
    for name in "abc":
        of_group = name == GROUPS
        assert dealt[of_group].sum() == pytest.approx(before[of_group].sum())


def test_frozen_weights_are_of_the_source_and_constant():
    """Whatever this run's network is, from the first epoch on."""
    one = weighting("frozen", source=Source(), first_epoch="uniform")
    other = weighting(
        "frozen", source=Source(), model=models.build("mit2019", latent_dim=3, seed=1)
    )

    assert np.array_equal(one.at(1).faces, one.at(5).faces)
    assert np.array_equal(one.at(1).faces, other.at(1).faces)


@pytest.mark.parametrize(
    ("parameters", "faces", "others"),
    [
        ({"upweight": 4}, [1, 4, 1, 1, 4, 1], [1, 4, 1, 1]),
        ({"upweight": 4, "copies": "lambda_plus_one"}, [1, 5, 1, 1, 5, 1], [1, 5, 1, 1]),
        ({"upweight": 4, "nonfaces": "even"}, [1, 4, 1, 1, 4, 1], [1, 1, 1, 1]),
    ],
)
def test_jtt_weighs_errors_within_each_class(parameters, faces, others):
    """Faces missed and false alarms, so that half of a batch stays faces."""
    found = weighting("jtt", source=Source(), parameters=parameters).at(1)

    assert found.faces == pytest.approx(np.array(faces) / sum(faces))
    assert found.nonfaces == pytest.approx(np.array(others) / sum(others))


class Perfect(Source):
    """A network without an error."""

    faces, others = np.ones(FACES, np.float32), -np.ones(OTHERS, np.float32)


def test_an_empty_error_set_fails_the_run_or_is_even_as_declared():
    """A first network that gets everything right says nothing."""
    with pytest.raises(RunFailed, match="error set is empty; give its arm fewer epochs"):
        weighting("jtt", source=Perfect()).at(1)

    assert weighting("jtt", source=Perfect(), parameters={"empty": "even"}).at(1) is None


def test_a_rule_sees_the_losses_of_the_last_epoch():
    """Of the training faces in evaluation mode: softplus(-logit); none before the first epoch."""
    seen = []

    def own(latents, context):
        seen.append(context.losses)
        return np.full(FACES, 1 / FACES)

    plugin = Plugin(kind="rule", name="own", make=own, needs=("losses",))
    one = weighting(plugin, first_epoch="resampled")
    with torch.inference_mode():
        logit = MODEL.eval().encoder(IMAGES[:FACES].permute(0, 3, 1, 2) / 255).logit.double()
    for epoch in (1, 2):
        one.at(epoch)

    assert seen[0] is None
    assert seen[1] == pytest.approx(np.logaddexp(0, -logit.numpy()), rel=1e-4)


def test_what_a_rule_is_given_cannot_be_written():
    """Arguments are views: a rule cannot change the groups of a later epoch."""

    def own(latents, context):
        context.groups[0] = "z"

    with pytest.raises(ValueError, match="read-only"):
        weighting(Plugin(kind="rule", name="own", make=own, needs=("groups",))).at(1)


EVEN = np.full(FACES, 1 / FACES)


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ([1 / FACES] * FACES, "list"),
        (EVEN.astype(np.float32), "float32"),
        (EVEN[None], r"shape \(1, 6\)"),
        (np.append(EVEN, 0.0), r"shape \(7,\)"),
        (np.array([np.nan, 1, 0, 0, 0, 0]), "1 values that are not finite"),
        (np.array([-0.5, 1.5, 0, 0, 0, 0]), "1 values below 0"),
        (2 * EVEN, "the sum 2"),
        (EVEN * (1 + 2e-9), "the sum 1.000000002"),
        ((EVEN, EVEN), "image without a face"),
        ((EVEN,), "1 arrays"),
    ],
)
def test_what_is_no_probability_of_the_faces_is_refused(returned, said):
    """What a rule returns is used as it is, so that it must be right."""
    with pytest.raises(PluginError, match=said):
        weighting(lambda latents, context: returned).at(2)


def test_a_sum_that_is_1_up_to_rounding_is_used_as_it_is():
    """No second division, which would change the bits."""
    almost = EVEN * (1 + 1e-12)

    assert problem(almost, FACES) == ""
    assert np.array_equal(weighting(lambda latents, context: almost).at(2).faces, almost)


def test_what_a_rule_keeps_cannot_change_the_run():
    """The run has a copy of what was returned."""
    kept = EVEN.copy()
    found = weighting(lambda latents, context: kept).at(2)
    kept[:] = 0

    assert np.array_equal(found.faces, EVEN)


NO_GROUPS = {"source": Source(), "groups": None}


@pytest.mark.parametrize(
    ("rule", "changes", "said"),
    [
        ("oracle", {"groups": None}, "the data have none"),
        ("subg", {"groups": np.array(["a", "", "a", "b", "", "b"])}, "2 of 6 have none"),
        (
            "placebo",
            {"source": Source(), "groups": None, "parameters": {"within": "groups"}},
            "the",
        ),
        ("placebo", {}, "resampling.of"),
        ("as_loss", {"model": models.build("dehaan2020", latent_dim=0, seed=0)}, "needs latents"),
    ],
)
def test_a_rule_without_what_it_needs_is_refused(rule, changes, said):
    """Before anything is trained."""
    with pytest.raises(ReproError, match=said):
        weighting(rule, **changes)
