"""Statistics of recalls, their derivatives and their pseudo-values."""

import numpy as np
import pytest
from scipy import special

from repro.stats import disparity, quantities
from repro.stats.disparity import ALL, Definition

SIZES = np.array([27, 32, 30, 39])
RECALL = np.array([[0.9, 0.8, 0.95, 0.7], [0.85, 0.85, 0.9, 0.75], [0.95, 0.75, 0.99, 0.72]])
NAMES = ("recall", "variance", "gap", "worst")
FIRST = Definition(mean="pooled", ddof=0, runs="first")
LAST = Definition(mean="pooled", ddof=0, runs="last")
EVERY = {
    f"{name}, {definition}": quantities.quantity(name, SIZES, definition)
    for name in NAMES
    for definition in ALL
} | {
    "group": quantities.group_quantity(2, 4),
    "logit variance": quantities.logit_variance(SIZES),
    "plain variance": quantities.plain_variance(),
}
every = pytest.mark.parametrize("quantity", EVERY.values(), ids=EVERY)
LINEAR = {name: one for name, one in EVERY.items() if name.startswith("recall,") or name == "group"}


def derivatives(quantity, recall, step=1e-6):
    """By the recall of each run and group, from values on both sides."""
    found = np.zeros_like(recall)
    for place in np.ndindex(*recall.shape):
        up, down = recall.copy(), recall.copy()
        up[place], down[place] = up[place] + step, down[place] - step
        found[place] = (quantity.value(up) - quantity.value(down)) / (2 * step)
    return found


@every
def test_slopes_are_the_derivatives_times_the_runs(quantity):
    """Against differences of the values."""
    ours = np.broadcast_to(quantity.slopes(RECALL), RECALL.shape) / len(RECALL)

    np.testing.assert_allclose(ours, derivatives(quantity, RECALL), atol=1e-8)


@every
def test_many_studies_are_each_as_one_alone(quantity):
    """Values, pseudo-values, slopes and curvature carry leading axes along."""
    recall = np.random.default_rng(0).uniform(0.5, 1, (2, 3, 5, 4))
    noise = np.full((2, 3, 4), 0.001)
    apart = recall[1, 2]

    for of, whole in (
        (quantity.value(apart), quantity.value(recall)),
        (quantity.pseudo_values(apart), quantity.pseudo_values(recall)),
        (quantity.slopes(apart), quantity.slopes(recall)),
        (quantity.curvature(apart, lambda: noise[1, 2]), quantity.curvature(recall, lambda: noise)),
    ):
        np.testing.assert_allclose(whole[1, 2], of, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("definition", ALL, ids=str)
def test_values_are_those_of_the_tables(definition):
    """The same four numbers as `disparity.quantities`."""
    expected = disparity.quantities(RECALL, SIZES, definition)

    ours = [quantities.quantity(name, SIZES, definition).value(RECALL) for name in expected]
    np.testing.assert_allclose(ours, list(expected.values()), rtol=0, atol=1e-15)


@pytest.mark.parametrize("quantity", LINEAR.values(), ids=LINEAR)
def test_pseudo_values_of_a_linear_quantity_average_to_its_value(quantity):
    """The jackknife has no bias to take away."""
    assert quantity.pseudo_values(RECALL).mean() == pytest.approx(quantity.value(RECALL), abs=1e-12)


@pytest.mark.parametrize("name", ["gap", "worst", "variance"])
def test_pseudo_values_are_r_times_all_minus_the_rest(name):
    """Leaving out one run after the other."""
    quantity = quantities.quantity(name, SIZES, FIRST)
    whole = quantity.value(RECALL)
    expected = [3 * whole - 2 * quantity.value(np.delete(RECALL, run, axis=0)) for run in range(3)]

    np.testing.assert_allclose(quantity.pseudo_values(RECALL), expected, atol=1e-12)


def test_pseudo_values_of_the_variance_of_a_hand_worked_case():
    """Two runs at .8, 1 and 1, 1: averaged .0025, alone .01 and 0, so 2 * .0025 minus each."""
    quantity = quantities.quantity("variance", [5, 5], FIRST)

    ours = quantity.pseudo_values(np.array([[0.8, 1.0], [1.0, 1.0]]))
    assert ours == pytest.approx([0.005 - 0.0, 0.005 - 0.01], abs=1e-15)


def test_pseudo_values_of_runs_averaged_last_are_the_runs_variances():
    """Nothing is left out."""
    quantity = quantities.quantity("variance", [5, 5], LAST)

    ours = quantity.pseudo_values(np.array([[0.8, 1.0], [1.0, 1.0]]))
    assert ours == pytest.approx([0.01, 0.0], abs=1e-15)


@pytest.mark.parametrize("name", ["gap", "worst", "variance"])
def test_a_single_run_that_is_averaged_first_has_no_pseudo_value(name):
    """There is no rest."""
    assert np.isnan(quantities.quantity(name, SIZES, FIRST).pseudo_values(RECALL[:1])).all()


@pytest.mark.parametrize(("ddof", "expected"), [(1, 2 * 0.013**2), (0, 2 * 0.0065**2)])
def test_curvature_of_a_hand_worked_case(ddof, expected):
    """Two runs at .8, 1 and 1, 1; the portraits' noise is .004 and .012, on average .008.

    Runs deviate from the groups' means by .1 and 0; less the mean of each run, by .05 up and down:
    the squares sum to .01, and over (K - 1)(R - 1) R = 2 that is .005.
    """
    definition = Definition(mean="pooled", ddof=ddof, runs="first")
    quantity = quantities.quantity("variance", [5, 5], definition)

    ours = quantity.curvature(np.array([[0.8, 1.0], [1.0, 1.0]]), lambda: np.array([0.004, 0.012]))
    assert ours == pytest.approx(expected, abs=1e-15)


def _not_needed():
    raise AssertionError("the noise of portraits was computed in vain")


@pytest.mark.parametrize("name", ["recall", "gap", "worst"])
def test_curvature_is_that_of_variances_alone(name):
    """The others are linear, or nearly."""
    for definition in (FIRST, LAST):
        quantity = quantities.quantity(name, SIZES, definition)
        assert quantity.curvature(RECALL, _not_needed) == 0


@pytest.mark.parametrize("ddof", [0, 1])
def test_curvature_is_the_variance_of_a_variance_of_noise(ddof):
    """100,000 studies of four equal groups: normal noise of variance .0004 and nothing else."""
    definition = Definition(mean="pooled", ddof=ddof, runs="last")
    seen = 0.9 + 0.02 * np.random.default_rng(0).standard_normal((100_000, 1, 4))
    simulated = disparity.spread(seen, definition).var()

    quantity = quantities.quantity("variance", SIZES, definition)
    ours = quantity.curvature(np.full((1, 4), 0.9), lambda: np.full(4, 0.0004))
    assert ours == pytest.approx(simulated, rel=0.03)


def test_logit_variance_of_a_hand_worked_case():
    """Both groups of 9 at 9 and at 4.5 of 9: shares .95 and .5, logits log 19 and 0."""
    quantity = quantities.logit_variance([9, 9])

    assert quantity.value(np.array([[1.0, 0.5]])) == pytest.approx(np.log(19) ** 2 / 2, rel=1e-12)


def test_logit_variance_is_that_of_the_logits_of_many_portraits():
    """The limit in which half a portrait is nothing."""
    expected = special.logit(RECALL.mean(axis=0)).var(ddof=1)

    ours = quantities.logit_variance(np.full(4, 10**9)).value(RECALL)
    assert ours == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("recall", [0.0, 1.0])
def test_logit_variance_is_finite_at_the_ends(recall):
    """A group in which all portraits or none are detected, in every run."""
    found = RECALL.copy()
    found[:, 1] = recall
    quantity = quantities.logit_variance(SIZES)

    for numbers in (
        quantity.value(found),
        quantity.pseudo_values(found),
        quantity.slopes(found),
        quantity.curvature(found, lambda: np.full(4, 0.001)),
    ):
        assert np.isfinite(numbers).all()


def test_group_quantity_is_the_recall_of_this_group():
    """Of each run, and on average."""
    third = quantities.group_quantity(2, 4)

    assert third.value(RECALL) == pytest.approx(RECALL[:, 2].mean())
    np.testing.assert_array_equal(third.pseudo_values(RECALL), RECALL[:, 2])


def test_of_equal_groups_the_smallest_is_the_worst():
    """And the gap is between the smallest and the largest group."""
    equal, sizes = np.full((3, 4), 0.9), [30, 10, 40, 20]
    worst, gap = (quantities.quantity(name, sizes, FIRST) for name in ("worst", "gap"))

    assert worst.slopes(equal).tolist() == [[0, 1, 0, 0]]
    assert gap.slopes(equal).tolist() == [[0, -1, 1, 0]]
