import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from repro.stats import disparity
from repro.stats.disparity import ALL, DEFINITIONS, Definition

LAW = settings(deadline=None, derandomize=True)
PPB = [271, 318, 295, 386]
POPULATION = DEFINITIONS["dehaan2020"]
SAMPLE_LAST = DEFINITIONS["fijen2020"]
definitions = pytest.mark.parametrize(
    "definition", ALL, ids=lambda one: f"{one.mean}, ddof {one.ddof}, runs {one.runs}"
)
recalls = st_numpy.arrays(
    np.float64,
    st.tuples(st.integers(1, 5), st.integers(2, 6)),
    elements=st.integers(0, 64).map(lambda n: n / 64),
)


@pytest.mark.parametrize(("ddof", "expected"), [(0, 0.005), (1, 0.02 / 3)])
def test_variance_of_hand_worked_groups(ddof, expected):
    """0.8, 0.9, 0.9 and 1.0: squares sum to 0.02, over 4 groups or over 3."""
    definition = Definition(mean="pooled", ddof=ddof, runs="first")

    assert disparity.variance(np.array([[0.8, 0.9, 0.9, 1.0]]), definition) == pytest.approx(
        expected, abs=1e-15
    )


@pytest.mark.parametrize(("runs", "expected"), [("first", 0.0), ("last", 0.01)])
def test_variance_depends_on_when_runs_are_averaged(runs, expected):
    """Two runs whose differences cancel: nothing between averaged groups, 0.01 in each run."""
    definition = Definition(mean="pooled", ddof=0, runs=runs)
    recall = np.array([[0.8, 1.0], [1.0, 0.8]])

    assert disparity.variance(recall, definition) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize(
    ("name", "mean", "variance"),
    [
        ("amini2019", 0.925, 0.00125),  # groups at .95 and .9: twice .025^2, over 1
        ("dehaan2020", 0.9125, 0.000625),  # a quarter at .95; the same squares, over 2
        ("fijen2020", 0.9125, 0.0125),  # the runs' groups are .1 and .2 apart: .005 and .02
    ],
)
def test_definitions_of_the_literature_give_their_own_numbers(name, mean, variance):
    """One table of recalls, three readings."""
    recall, definition = np.array([[0.9, 1.0], [1.0, 0.8]]), DEFINITIONS[name]
    ours = disparity.mean_recall(recall, [1, 3], definition), disparity.variance(recall, definition)

    assert ours == pytest.approx((mean, variance), abs=1e-12)


def test_definitions_are_all_there_are():
    """Two means, two divisors, two orders: eight, each once."""
    assert len(set(ALL)) == 8


def test_definition_says_in_words_what_it_is():
    """The words that stand under a table."""
    assert str(DEFINITIONS["amini2019"]) == (
        "mean over groups; sample variance (ddof 1) of run-averaged groups"
    )


@pytest.mark.parametrize(("mean", "expected"), [("pooled", 39 / 40), ("groups", 0.95)])
def test_run_recall_weighs_groups_as_defined(mean, expected):
    """9 of 10 and 30 of 30 are 39 of 40 portraits, but 0.95 on average over the groups."""
    definition = Definition(mean=mean, ddof=0, runs="first")

    assert disparity.run_recall(np.array([[0.9, 1.0]]), [10, 30], definition) == pytest.approx(
        expected
    )


@definitions
def test_mean_recall_averages_the_runs(definition):
    """E[A] is the mean of what single runs show."""
    recall = np.random.default_rng(0).uniform(size=(5, 4))
    single = [disparity.mean_recall(run[None], PPB, definition) for run in recall]

    assert disparity.mean_recall(recall, PPB, definition) == pytest.approx(np.mean(single))


@definitions
def test_run_variance_is_the_variance_of_a_single_run(definition):
    """For one run it does not matter when runs are averaged."""
    recall = np.random.default_rng(0).uniform(size=(5, 4))
    single = [disparity.variance(run[None], definition) for run in recall]

    np.testing.assert_allclose(disparity.run_variance(recall, definition), single)


@pytest.mark.parametrize("groups", [2, 4, 7, 9])
@definitions
def test_many_draws_are_each_as_one_alone(groups, definition):
    """To the bit numpy's own means and variances, for up to seven groups and in any chunk."""
    recall = np.random.default_rng(groups).integers(0, 61, (50, 12, groups)) / 60
    sizes = np.arange(groups) + 3
    ours = disparity.quantities(recall, sizes, definition)
    means = recall.mean(axis=-2)
    if definition.runs == "first":
        variance = means.var(axis=-1, ddof=definition.ddof)
    else:
        variance = recall.var(axis=-1, ddof=definition.ddof).mean(axis=-1)

    assert ours["variance"].tobytes() == variance.tobytes()
    assert ours["gap"].tobytes() == np.ptp(means, axis=-1).tobytes()
    assert ours["worst"].tobytes() == means.min(axis=-1).tobytes()
    assert all(
        value[7] == disparity.quantities(recall[7], sizes, definition)[name]
        for name, value in ours.items()
    )


def test_leading_axes_are_carried_along():
    """Whatever stands before runs and groups."""
    recall = np.random.default_rng(0).random((2, 3, 5, 4))

    np.testing.assert_array_equal(disparity.group_means(recall), recall.mean(axis=-2))


def test_gap_is_between_averaged_groups():
    """Largest less smallest after averaging over runs."""
    assert disparity.gap(np.array([[0.8, 1.0], [0.9, 1.0]])) == pytest.approx(0.15)


def test_worst_is_of_averaged_groups():
    """The group that fares worst on average, not the worst of all runs."""
    assert disparity.worst(np.array([[0.6, 0.7], [1.0, 0.7]])) == pytest.approx(0.7)


@pytest.mark.parametrize(
    "measure",
    [
        disparity.gap,
        disparity.worst,
        lambda recall: disparity.variance(recall, POPULATION),
        lambda recall: disparity.variance(recall, SAMPLE_LAST),
        lambda recall: disparity.mean_recall(recall, PPB, POPULATION),
    ],
    ids=["gap", "worst", "variance first", "variance last", "mean recall"],
)
def test_measures_of_many_studies_are_those_of_each(measure):
    """Leading axes: all studies at once give what each would give alone."""
    draws = np.random.default_rng(0).uniform(size=(7, 5, 4))

    np.testing.assert_allclose(measure(draws), [measure(draw) for draw in draws], rtol=1e-12)


@definitions
def test_variance_is_none_when_every_group_fares_alike(definition):
    """Runs may differ as long as the groups of each do not."""
    recall = np.repeat([[0.5], [0.75], [1.0]], 4, axis=1)

    assert disparity.variance(recall, definition) == 0


def test_gap_is_none_when_every_group_fares_alike():
    """No group ahead, none behind."""
    assert disparity.gap(np.repeat([[0.5], [0.75], [1.0]], 4, axis=1)) == 0


@definitions
@LAW
@given(recalls, st.randoms(use_true_random=False))
def test_variance_does_not_care_about_the_order_of_groups(definition, recall, random):
    """Groups have names, not places."""
    order = random.sample(range(recall.shape[1]), recall.shape[1])

    assert disparity.variance(recall[:, order], definition) == pytest.approx(
        float(disparity.variance(recall, definition)), abs=1e-15
    )


@LAW
@given(recalls, st.randoms(use_true_random=False))
def test_gap_does_not_care_about_the_order_of_groups(recall, random):
    """Groups have names, not places."""
    order = random.sample(range(recall.shape[1]), recall.shape[1])

    assert disparity.gap(recall[:, order]) == disparity.gap(recall)


@definitions
@LAW
@given(recalls, st.integers(0, 32).map(lambda n: n / 64))
def test_variance_does_not_care_about_the_level(definition, recall, shift):
    """What raises every group alike leaves the differences."""
    half = recall / 2  # so that both are shares
    assert disparity.variance(half + shift, definition) == pytest.approx(
        float(disparity.variance(half, definition)), abs=1e-15
    )


@pytest.mark.parametrize("ddof", [0, 1])
@LAW
@given(recalls)
def test_variance_of_averaged_runs_is_at_most_the_averaged_variance(ddof, recall):
    """Averaging first lets differences cancel (Jensen)."""
    first, last = (Definition(mean="pooled", ddof=ddof, runs=runs) for runs in ("first", "last"))

    assert disparity.variance(recall, first) <= disparity.variance(recall, last) + 1e-15


@LAW
@given(recalls)
def test_variance_lies_between_the_bounds_that_the_gap_sets(recall):
    """gap^2 / 2K at least, gap^2 / 4 at most (Popoviciu)."""
    squared, groups = float(disparity.gap(recall)) ** 2, recall.shape[1]

    assert squared / (2 * groups) - 1e-15 <= disparity.variance(recall, POPULATION)
    assert disparity.variance(recall, POPULATION) <= squared / 4 + 1e-15
