"""What public functions ask of what they are given."""

import inspect
import pkgutil
import re

import numpy as np
import pytest
import torch
from public_api import PROMISED

from repro import losses, metrics, models, resampling
from repro.argument_checks import arrays
from repro.metrics import Count
from repro.stats import comparisons, disparity, intervals, selection

NAN = float("nan")
Z = np.random.default_rng(0).normal(size=(40, 3))
RULE = {"combine": "max", "density": "mass", "alpha": 0.01, "bins": 10}
STREAM = np.random.default_rng(0)
FACES = np.array([True, False] * 10)
EVEN = np.full(10, 0.1)
EPOCH = {"batch_size": 4, "replacement": "with", "balance": "exact", "generator": STREAM}
TWO = torch.ones(2, 3)
FOUR = torch.zeros(2, 3, 4, 4)
YES = torch.tensor([True, False])
TERMS = {"classification": TWO[:, 0], "kl": TWO[:, 0], "reconstruction": TWO[:, 0]}
RECALL = np.array([[0.5, 0.9], [0.7, 0.8]])


def spoiled(array, *places, value=NAN):
    """A copy with this value at these places."""
    copy = array.copy() if isinstance(array, np.ndarray) else array.clone()
    for place in places:
        copy[place] = value
    return copy


def weights(latents=Z, **changes):
    return resampling.weights(latents, **(RULE | changes))


def batches(weights=EVEN, is_face=FACES, **changes):
    return resampling.weighted_batches(weights, is_face, **(EPOCH | changes))


def reconstruction(images=FOUR, decoded=FOUR, norm="l2", reduction="sum"):
    return losses.reconstruction(images, decoded, norm=norm, reduction=reduction)


def objective(indicator="faces", weights=(1.0, 1.0, 1.0), is_face=YES, **changes):
    terms = TERMS | changes
    return losses.objective(**terms, is_face=is_face, weights=weights, indicator=indicator)


UNKNOWN_WORDS = {
    "combine must be 'none', 'max', 'product' or 'top5', not 'Max'; did you mean 'max'?": (
        lambda: weights(combine="Max")
    ),
    "combine must be 'none', 'max', 'product' or 'top5', not None": lambda: weights(combine=None),
    "density must be 'mass' or 'density', not 'masses'; did you mean 'mass'?": (
        lambda: weights(density="masses")
    ),
    "arithmetic must be 'log' or 'float32', not 'float64'; did you mean 'float32'?": (
        lambda: weights(arithmetic="float64")
    ),
    "replacement must be 'with' or 'without', not True": lambda: batches(replacement=True),
    "balance must be 'expected' or 'exact', not 'exactly'; did you mean 'exact'?": (
        lambda: batches(balance="exactly")
    ),
    "norm must be 'l1' or 'l2', not 'L2'; did you mean 'l2'?": lambda: reconstruction(norm="L2"),
    "reduction must be 'sum' or 'mean', not 'none'": lambda: reconstruction(reduction="none"),
    "indicator must be 'faces' or 'swapped', not 'face'; did you mean 'faces'?": (
        lambda: objective(indicator="face")
    ),
    "times must be 'std' or 'variance', not 'var'": (
        lambda: models.reparameterise(TWO, TWO, TWO, times="var")
    ),
    "not 'dehaan'; did you mean 'dehaan2020'?": (
        lambda: models.build("dehaan", latent_dim=0, seed=0)
    ),
    "definition must be 'amini2019', 'dehaan2020' or 'fijen2020', not 'amini'; "
    "did you mean 'amini2019'?": lambda: disparity.variance(RECALL, "amini"),
}
VALUES = {
    "latents must be finite: 1 of 120 is not; the first is nan at [17, 2]": (
        lambda: weights(spoiled(Z, (17, 2)))
    ),
    "latents must be finite: 2 of 120 are not; the first is -inf at [3, 1]": (
        lambda: weights(spoiled(Z, (3, 1), (3, 2), value=-np.inf))
    ),
    "latents must have shape (N, D), not (40,)": lambda: weights(Z[:, 0]),
    "latents must have at least one value, not shape (40, 0)": lambda: weights(Z[:, :0]),
    "latents must have at least one value, not shape (0, 3)": lambda: weights(Z[:0]),
    "alpha must lie in [0, inf], not -0.1": lambda: weights(alpha=-0.1),
    "alpha must lie in [0, inf], not nan": lambda: weights(alpha=NAN),
    "bins must be at least 1 and at most 255, not 256": lambda: weights(bins=256),
    "bins must be at least 1 and at most 255, not 0": lambda: weights(bins=0),
    "weights must sum to 1, not 4; divide them by their sum": (
        lambda: resampling.effective_sample_size(np.ones(4))
    ),
    "weights must lie in [0, inf]: 1 of 3 is not; the first is -0.5 at [1]": (
        lambda: resampling.effective_sample_size(np.array([1.0, -0.5, 0.5]))
    ),
    "count must be at least 0, not -1": (
        lambda: resampling.shuffled_batches(-1, batch_size=8, generator=STREAM)
    ),
    "batch_size must be at least 1, not 0": (
        lambda: resampling.shuffled_batches(7, batch_size=0, generator=STREAM)
    ),
    "batch_size must be at least 2 and at most 20, not 21": lambda: batches(batch_size=21),
    "weights must be finite: 1 of 10 is not; the first is nan at [4]": (
        lambda: batches(spoiled(EVEN, 4))
    ),
    "5 weights, 10 faces and 10 other images": lambda: batches(np.full(5, 0.2)),
    "10 weights, 10 faces and 0 other images": lambda: batches(is_face=np.ones(10, dtype=bool)),
    "logit must be finite: 1 of 2 is not; the first is inf at [1]": (
        lambda: losses.classification(torch.tensor([0.0, torch.inf]), YES)
    ),
    "logvar must be finite: 1 of 6 is not; the first is nan at [0, 2]": (
        lambda: losses.gaussian_kl(TWO, spoiled(TWO, (0, 2)))
    ),
    "mean must be finite: 1 of 6 is not; the first is nan at [0, 0]": (
        lambda: losses.face_kl(spoiled(TWO, (0, 0)), TWO, YES)
    ),
    "shapes differ: mean (2, 3), is_face (1,)": lambda: losses.face_kl(TWO, TWO, YES[:1]),
    "decoded must be finite: 1 of 96 is not; the first is nan at [1, 2, 3, 3]": (
        lambda: reconstruction(decoded=spoiled(FOUR, (1, 2, 3, 3)))
    ),
    "images must have shape (N, C, H, W), not (2, 3)": lambda: reconstruction(TWO, TWO),
    "shapes differ: images (2, 3, 4, 4), decoded (1, 3, 4, 4)": (
        lambda: reconstruction(decoded=FOUR[:1])
    ),
    "kl must be finite: 1 of 2 is not; the first is nan at [0]": (
        lambda: objective(kl=torch.tensor([NAN, 0.0]))
    ),
    "weights must be three: c1, c2 and c3, not 2": lambda: objective(weights=(1.0, 1.0)),
    "weights must lie in [0, inf]: 1 of 3 is not; the first is -1 at [2]": (
        lambda: objective(weights=(1, 1, -1))
    ),
    "noise must be finite: 1 of 6 is not; the first is nan at [1, 1]": (
        lambda: models.reparameterise(TWO, TWO, spoiled(TWO, (1, 1)))
    ),
    "latent_dim must be at least 0, not -1": (
        lambda: models.build("mit2020", latent_dim=-1, seed=0)
    ),
    "images must have shape (N, 3, 64, 64), not (2, 3, 4, 4)": (
        lambda: models.build("mit2020", latent_dim=0, seed=0)(FOUR)
    ),
    "shapes differ: groups (1,), detected (20,)": lambda: metrics.group_counts(["a"], FACES),
    "groups must have at least one photograph": lambda: metrics.pooled_recall({}),
    "groups['a'].detected must be at least 0 and at most 2, not 3": (
        lambda: metrics.pooled_recall({"a": Count(2, 3)})
    ),
    "latent_mean must be finite": lambda: metrics.active_units(spoiled(Z, (0, 0))),
    "latent_mean must have at least one image": lambda: metrics.active_units(Z[:0]),
    "recall must lie in [0, 1]: 4 of 4 are not; the first is 50 at [0, 0]": (
        lambda: disparity.variance(100 * RECALL, "amini2019")
    ),
    "recall must have a run and 2 groups or more, not (2, 1)": (
        lambda: disparity.variance(RECALL[:, :1], "amini2019")
    ),
    "recall must have shape (..., R, K), not (2,)": lambda: disparity.gap(RECALL[0]),
    "recall must be finite": lambda: disparity.gap(spoiled(RECALL, (0, 0))),
    "level must lie in (0, 1), not 95": lambda: intervals.wilson(1, 2, level=95),
    "successes must lie in [0, 2], not nan": lambda: intervals.wilson(NAN, 2),
    "values must have at least one value": lambda: intervals.t_interval([]),
    "values must be finite: 1 of 2 is not; the first is nan at [0]": (
        lambda: intervals.t_interval([NAN, 1.0])
    ),
    "level must lie in (0, 1), not 1": lambda: intervals.t_interval([1.0, 2.0], level=1),
    "b must be finite": lambda: comparisons.paired_difference([1.0, 2.0], [1.0, np.inf]),
    "p must lie in [0, 1]: 1 of 2 is not; the first is 5 at [1]": (
        lambda: comparisons.holm([0.1, 5])
    ),
    "keep must be at least 1 and at most 2, not -1": lambda: selection.best([1.0, 2.0], -1),
    "values must be finite: 1 of 2 is not; the first is nan at [1]": (
        lambda: selection.best([1.0, NAN], 1)
    ),
    "keep must be at least 1 and at most 2, not 3": (
        lambda: selection.optimism([1.0, 2.0], [1.0, 2.0], 3)
    ),
    "shapes differ: values (2,), by (3,)": (
        lambda: selection.optimism([1.0, 2.0], [1.0, 2.0, 3.0], 1)
    ),
}
TYPES = {
    "latents must be real numbers, not <U1": lambda: weights([["a"]]),
    "alpha must be a number, not 'much'": lambda: weights(alpha="much"),
    "bins must be a whole number, not 2.5": lambda: weights(bins=2.5),
    "bins must be a whole number, not True": lambda: weights(bins=True),
    "is_face must be boolean, not int64": lambda: batches(is_face=FACES.astype(np.int64)),
    "generator must be a numpy.random.Generator, such as numpy.random.default_rng(seed), not 0": (
        lambda: batches(generator=0)
    ),
    "is_face must be a boolean tensor, not torch.float32": (
        lambda: losses.classification(TWO[:, 0], TWO[:, 0])
    ),
    "mean must be a tensor of floating-point numbers, not ndarray": (
        lambda: losses.gaussian_kl(Z, Z)
    ),
    "images must be a tensor of floating-point numbers, not torch.uint8": (
        lambda: models.build("mit2020", latent_dim=0, seed=0)(FOUR.byte())
    ),
    "groups must be text, not nan at [1]": (
        lambda: metrics.group_counts(["a", NAN], np.array([True, False]))
    ),
    "detected must be boolean, not float64": lambda: metrics.group_counts(["a"], np.ones(1)),
    "n must be a whole number, not 2.5": lambda: intervals.wilson(1, 2.5),
}


@pytest.mark.parametrize("words", UNKNOWN_WORDS)
def test_an_unknown_word_is_refused_with_those_that_are_taken(words):
    """Not read as one of them."""
    with pytest.raises(ValueError, match=re.escape(words)):
        UNKNOWN_WORDS[words]()


@pytest.mark.parametrize("words", VALUES)
def test_a_value_that_is_not_taken_is_refused_with_its_place(words):
    """Which argument, how many values, where the first one is."""
    with pytest.raises(ValueError, match=re.escape(words)):
        VALUES[words]()


@pytest.mark.parametrize("words", TYPES)
def test_another_type_is_refused(words):
    """Also where NumPy or torch would make something of it."""
    with pytest.raises(TypeError, match=re.escape(words)):
        TYPES[words]()


FUNCTIONS = [
    name
    for name, arguments in PROMISED
    if arguments and not isinstance(pkgutil.resolve_name(f"repro.{name}"), type)
]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_promised_function_says_what_it_takes_and_raises(name):
    """Each argument by its name, under the headings that editors show."""
    function = pkgutil.resolve_name(f"repro.{name}")
    _, _, taken = inspect.getdoc(function).partition("\nArgs:\n")
    arguments = re.findall(r"^    (\w+): ", taken.partition("\nRaises:\n")[0], re.M)

    assert set(inspect.signature(function).parameters) <= set(arguments)
    assert "\nRaises:\n" in taken


def test_a_nonfaces_latents_may_be_anything():
    """What is masked is not looked at, and has no part in value or gradient."""
    wild = spoiled(TWO, 1, value=torch.inf).requires_grad_()

    losses.face_kl(wild, wild, YES).sum().backward()

    assert losses.face_kl(wild, wild, YES).tolist() == losses.face_kl(TWO, TWO, YES).tolist()
    assert wild.grad[1].tolist() == [0.0, 0.0, 0.0]


def test_what_does_not_count_in_the_objective_may_be_anything():
    """A non-face's KL, or the classification of one where the indicator is swapped."""
    wild = torch.tensor([1.0, torch.inf])

    assert objective(kl=wild).tolist() == objective().tolist()
    assert objective("swapped", classification=wild).tolist() == objective("swapped").tolist()


def test_a_nan_among_p_values_stays():
    """There was no test, and that is said by NaN; it counts, as a planned comparison."""
    found = comparisons.holm([0.01, NAN])

    assert found[0] == 0.02
    assert np.isnan(found[1])


def test_definitions_go_by_their_names_as_well():
    """The name stands for the entry of `DEFINITIONS`."""
    for name, definition in disparity.DEFINITIONS.items():
        assert disparity.variance(RECALL, name) == disparity.variance(RECALL, definition)


def test_integers_and_lists_are_numbers():
    """What NumPy makes an array of is taken, with the same result."""
    assert weights([[0], [0], [1]]).tolist() == weights(np.array([[0.0], [0.0], [1.0]])).tolist()


def test_single_precision_weights_are_a_probability():
    """They sum to 1 as well as their type can say."""
    single = np.random.default_rng(0).uniform(size=3000).astype(np.float32)
    single /= single.sum()

    assert arrays.probabilities("weights", single).sum() == pytest.approx(1, abs=1e-12)
