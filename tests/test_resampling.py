import math

import numpy as np
import peer
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from repro import resampling
from repro.resampling import DegenerateWeights


def latents(n=200, d=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


def mit_lab_weights(mu, *, alpha, bins, density=True):
    """The lab's rule, one latent at a time, restated from its description."""
    probability = np.zeros(len(mu))
    for z in mu.T:
        heights, edges = np.histogram(z, bins=bins, density=density)
        if not density:
            heights = heights / heights.sum()
        edges[0], edges[-1] = -np.inf, np.inf
        smoothed = (heights + alpha) / (heights + alpha).sum()
        p = 1 / smoothed[np.digitize(z, edges) - 1]
        probability = np.maximum(probability, p / p.sum())
    return probability / probability.sum()


@pytest.mark.parametrize("density", ["mass", "density"])
@pytest.mark.parametrize("alpha", [0.1, 0.001])
def test_max_weights_match_the_lab(alpha, density):
    """The vectorised rule agrees with NumPy's histogram and digitize, latent by latent."""
    mu = latents(n=500, d=7)

    ours = resampling.weights(mu, combine="max", density=density, alpha=alpha, bins=10)
    theirs = mit_lab_weights(mu, alpha=alpha, bins=10, density=density == "density")

    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_weights_of_float32_means_match_the_frozen_loop():
    """Comparing in single precision puts every face into NumPy's bin, those on an edge too."""
    mu = latents(n=4000, d=20).astype(np.float32)
    mu[:11, 0] = np.linspace(mu[:, 0].min(), mu[:, 0].max(), 11, dtype=np.float32)

    ours = resampling.weights(mu, combine="max", density="mass", alpha=0.01, bins=10)

    np.testing.assert_allclose(ours, peer.face_weights(mu, alpha=0.01, bins=10), rtol=1e-12)


@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_bins_in_single_precision_are_those_of_double(seed, bins):
    """A float32 reaches a float64 edge exactly when its exact value does."""
    values = np.random.default_rng(seed).normal(size=300).astype(np.float32)
    edges = resampling.histogram_edges(values, bins)

    which, counts = resampling.bin_index(values, edges)

    expected = np.searchsorted(edges[1:-1], values.astype(np.float64), side="right")
    assert which.tolist() == expected.tolist()
    assert counts.tolist() == np.bincount(expected, minlength=bins).tolist()


def test_faces_stand_first_and_batches_keep_their_images():
    """Each batch holds what it held, faces before the others, each kind in its order."""
    batches = np.array([[0, 1, 2, 3], [7, 6, 5, 4]])

    ordered = resampling.faces_first(batches, IS_FACE)

    assert ordered.tolist() == [[1, 3, 0, 2], [7, 5, 6, 4]]


def test_product_matches_equation_4_in_few_latents():
    """With three latents the product can be multiplied out."""
    mu = latents()
    direct = np.ones(len(mu))
    for z in mu.T:
        heights, edges = np.histogram(z, bins=10)
        which = np.clip(np.digitize(z, edges) - 1, 0, 9)
        direct /= heights[which] / len(z) + 0.01

    ours = resampling.weights(mu, combine="product", density="mass", alpha=0.01, bins=10)

    np.testing.assert_allclose(ours, direct / direct.sum(), rtol=1e-12)


def test_top5_is_the_product_when_there_are_five_latents():
    """The five largest of five factors are all of them."""
    mu = latents(d=5)

    five = resampling.weights(mu, combine="top5", density="mass", alpha=0.01, bins=10)
    product = resampling.weights(mu, combine="product", density="mass", alpha=0.01, bins=10)

    np.testing.assert_allclose(five, product, rtol=1e-12)


def slow_weights(mu, *, combine, density, alpha, bins):
    """Every rule face by face and latent by latent, in plain Python floats."""
    factors = [[] for _ in mu]
    for z in mu.T.tolist():
        low, high = min(z), max(z)
        places = [min(int((value - low) / (high - low) * bins), bins - 1) for value in z]
        width = (high - low) / bins if density == "density" else 1.0
        inverse = [1 / (places.count(place) / len(z) / width + alpha) for place in places]
        for face, value in enumerate(inverse):
            factors[face].append(value / sum(inverse))
    kept = {"max": 1, "top5": 5, "product": len(mu.T)}[combine]
    weights = [math.prod(sorted(face, reverse=True)[:kept]) for face in factors]
    return [weight / sum(weights) for weight in weights]


@pytest.mark.parametrize("alpha", [0.0, 0.001, 0.1])
@pytest.mark.parametrize("density", ["mass", "density"])
@pytest.mark.parametrize("combine", ["max", "product", "top5"])
def test_every_rule_agrees_with_its_slow_restatement(combine, density, alpha):
    """Also where nothing is smoothed: the empty bins hold nobody."""
    rule = {"combine": combine, "density": density, "alpha": alpha, "bins": 10}
    mu = latents(n=80, d=9)

    np.testing.assert_allclose(resampling.weights(mu, **rule), slow_weights(mu, **rule), rtol=1e-9)


@pytest.mark.parametrize("combine", ["max", "product", "top5"])
def test_weights_become_uniform_as_alpha_grows(combine):
    """Infinite smoothing means no debiasing at all."""
    weights = resampling.weights(latents(), combine=combine, density="mass", alpha=1e12, bins=10)

    np.testing.assert_allclose(weights, 1 / 200, rtol=1e-9)


@pytest.mark.parametrize("combine", ["max", "product", "top5"])
def test_collapsed_latents_give_uniform_weights(combine):
    """A latent that says nothing about a face cannot make it rare."""
    weights = resampling.weights(
        np.zeros((50, 4)), combine=combine, density="mass", alpha=0.0, bins=10
    )

    np.testing.assert_allclose(weights, 1 / 50)


def test_hand_worked_weights():
    """Three faces in one bin and one in another: the one is three times as likely as each."""
    mu = np.array([[0.0], [0.0], [0.0], [1.0]])

    weights = resampling.weights(mu, combine="max", density="mass", alpha=0.0, bins=2)

    np.testing.assert_allclose(weights, [1 / 6, 1 / 6, 1 / 6, 1 / 2])


def test_the_float32_product_of_100_latents_underflows():
    """The reproduction's finding: the product of 100 probabilities is 0 in single precision."""
    mu = latents(n=400, d=100)

    with pytest.raises(DegenerateWeights, match="underflow"):
        resampling.weights(
            mu, combine="product", density="mass", alpha=0.01, bins=10, arithmetic="float32"
        )


def test_the_float32_product_agrees_with_log_space_where_it_can():
    """With two latents nothing underflows and both arithmetics say the same."""
    choices = {"combine": "product", "density": "mass", "alpha": 0.01, "bins": 10}
    mu = latents(d=2)

    linear = resampling.weights(mu, **choices, arithmetic="float32")
    log = resampling.weights(mu, **choices, arithmetic="log")

    np.testing.assert_allclose(linear, log, rtol=1e-5)


def test_the_log_product_of_100_latents_leaves_few_faces():
    """Computable but degenerate: equation 4 at 100 latents draws almost one face alone."""
    weights = resampling.weights(
        latents(n=5000, d=100), combine="product", density="mass", alpha=0.01, bins=10
    )

    assert resampling.effective_sample_size(weights) < 25


@given(st.integers(2, 60), st.integers(1, 6), st.floats(0, 10), st.sampled_from(["max", "product"]))
def test_weights_are_a_probability(n, d, alpha, combine):
    """Whatever the latents, the weights are finite, not negative and sum to 1."""
    weights = resampling.weights(
        latents(n, d, seed=n + d), combine=combine, density="mass", alpha=alpha, bins=10
    )

    assert np.isfinite(weights).all()
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1)


RULES = ["none", "max", "product", "top5"]


@pytest.mark.parametrize("arithmetic", ["log", "float32"])
@pytest.mark.parametrize("density", ["mass", "density"])
@pytest.mark.parametrize("combine", RULES)
def test_without_a_rule_and_with_endless_smoothing_all_faces_are_alike(
    combine, density, arithmetic
):
    """`none`, and infinity in every rule, are uniform to the bit."""
    rule = {"density": density, "bins": 10, "arithmetic": arithmetic}

    endless = resampling.weights(latents(), combine=combine, alpha=math.inf, **rule)
    none = resampling.weights(latents(), combine="none", alpha=0.001, **rule)

    assert endless.tolist() == none.tolist() == [1 / 200] * 200


def test_a_classifiers_lack_of_latents_is_enough_for_none():
    """No latent is looked at."""
    weights = resampling.weights(np.empty((4, 0)), combine="none", density="mass", alpha=0, bins=10)

    assert weights.tolist() == [0.25] * 4


@given(st.integers(0, 2**32 - 1), st.sampled_from(RULES), st.sampled_from(["mass", "density"]))
def test_weights_go_with_their_faces(seed, combine, density):
    """In another order of the faces each has the same weight, in another order of latents too."""
    mu = latents(60, 7, seed=seed)
    generator = np.random.default_rng(seed)
    faces, columns = generator.permutation(60), generator.permutation(7)
    rule = {"combine": combine, "density": density, "alpha": 0.01, "bins": 10}

    weights = resampling.weights(mu, **rule)

    np.testing.assert_allclose(resampling.weights(mu[faces], **rule), weights[faces], rtol=1e-12)
    np.testing.assert_allclose(resampling.weights(mu[:, columns], **rule), weights, rtol=1e-12)


@pytest.mark.parametrize(("weights", "ess"), [([0.25] * 4, 4), ([1, 0, 0, 0], 1), ([0.5, 0.5], 2)])
def test_effective_sample_size_of_hand_worked_weights(weights, ess):
    """1 / sum of squares: all of them if even, 1 if one face takes it all."""
    assert resampling.effective_sample_size(np.array(weights)) == pytest.approx(ess)


def generator(seed=0):
    return np.random.default_rng(seed)


def test_shuffled_batches_hold_each_image_at_most_once():
    """A uniform epoch is a permutation less the incomplete last batch."""
    batches = list(resampling.shuffled_batches(50, batch_size=8, generator=generator()))
    drawn = np.concatenate(batches)

    assert [len(batch) for batch in batches] == [8] * 6
    assert len(set(drawn.tolist())) == 48


IS_FACE = np.array([False, True] * 50)


def weighted(replacement, balance, size=20, weights=None, seed=0):
    weights = np.full(50, 1 / 50) if weights is None else weights
    return list(
        resampling.weighted_batches(
            weights,
            IS_FACE,
            batch_size=size,
            replacement=replacement,
            balance=balance,
            generator=generator(seed),
        )
    )


@pytest.mark.parametrize("replacement", ["with", "without"])
def test_exact_balance_has_half_faces_in_every_batch(replacement):
    """MIT's lab fills half of each batch with faces."""
    for batch in weighted(replacement, "exact"):
        assert IS_FACE[batch].sum() == 10


@pytest.mark.parametrize("balance", ["exact", "expected"])
def test_without_replacement_no_image_stands_twice_in_a_batch(balance):
    """A batch holds different images."""
    for batch in weighted("without", balance):
        assert len(set(batch.tolist())) == 20


def test_draws_follow_the_weights():
    """Frequencies of faces against the weights by a chi-square test."""
    weights = np.arange(1.0, 51.0)
    weights /= weights.sum()
    drawn = np.concatenate(
        [b for seed in range(40) for b in weighted("with", "expected", weights=weights, seed=seed)]
    )
    faces = np.bincount(drawn, minlength=100)[IS_FACE]

    assert stats.chisquare(faces, weights * faces.sum()).pvalue > 1e-3
    assert stats.binomtest(int(faces.sum()), len(drawn), 0.5).pvalue > 1e-3


def test_draws_without_replacement_follow_the_labs_law():
    """A batch of two of three faces, as drawing one, then one of the rest, by weight."""
    weights = np.array([0.6, 0.3, 0.1])
    batches = resampling.weighted_batches(
        weights,
        np.arange(8003) < 3,
        batch_size=4,
        replacement="without",
        balance="exact",
        generator=generator(0),
    )
    pairs = [tuple(sorted(batch[batch < 3].tolist())) for batch in batches]
    counts = [pairs.count(pair) for pair in [(0, 1), (0, 2), (1, 2)]]
    law = [
        a * b / (1 - a) + b * a / (1 - b) for a, b in [(0.6, 0.3), (0.6, 0.1), (0.3, 0.1)]
    ]  # either first

    assert len(pairs) == sum(counts) == 2000
    assert stats.chisquare(counts, 2000 * np.array(law)).pvalue > 1e-3


def test_too_few_faces_for_a_batch_are_refused():
    """Without replacement, a batch cannot be filled from one face."""
    weights = np.zeros(50)
    weights[0] = 1.0

    with pytest.raises(DegenerateWeights, match="1 images have a weight"):
        weighted("without", "exact", weights=weights)
