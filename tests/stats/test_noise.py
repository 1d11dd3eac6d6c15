"""The noise of seeds and portraits: unbiased by enumeration, in exact arithmetic."""

from fractions import Fraction
from itertools import combinations, permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from scipy import integrate, special
from scipy import stats as scipy_stats

from repro.stats import disparity, noise
from repro.stats.disparity import ALL, Definition

LAW = settings(deadline=None, derandomize=True)
PPB = [271, 318, 295, 386]
definitions = pytest.mark.parametrize(
    "definition", ALL, ids=lambda one: f"{one.mean}, ddof {one.ddof}, runs {one.runs}"
)
FIRST, LAST = (
    [Definition(mean="pooled", ddof=ddof, runs=runs) for ddof in (0, 1)]
    for runs in ("first", "last")
)
firsts = pytest.mark.parametrize("definition", FIRST, ids=["ddof 0", "ddof 1"])
lasts = pytest.mark.parametrize("definition", LAST, ids=["ddof 0", "ddof 1"])


def detections(sizes, runs):
    """0 or 1 for each run and portrait."""
    return st_numpy.arrays(np.int64, (runs, sum(sizes)), elements=st.integers(0, 1))


@st.composite
def studies(draw):
    """Sizes of two to four groups, and detections of two to four runs."""
    sizes = draw(st.lists(st.integers(2, 5), min_size=2, max_size=4))
    return sizes, draw(detections(sizes, draw(st.integers(2, 4))))


def grouped(sizes):
    """Position of each portrait's group."""
    return np.repeat(np.arange(len(sizes)), sizes)


def counts(detected, sizes):
    """Detected portraits of each run and group."""
    group = grouped(sizes)
    return np.stack([detected[:, group == k].sum(axis=1) for k in range(len(sizes))], axis=1)


def mean(values):
    """In exact arithmetic."""
    values = list(values)
    return Fraction(sum(values), len(values))


def of_different(detected, sizes, ddof):
    """The mean over all pairs of different runs and different portraits, as a fraction.

    V is the mean over pairs of groups of half the squared difference, and a squared recall is the
    chance that two portraits are both detected.
    """
    group, groups = grouped(sizes), range(len(sizes))
    members = [np.flatnonzero(group == k).tolist() for k in groups]
    pairs = list(permutations(range(len(detected)), 2))
    table = detected.tolist()

    def both(k, other):
        among = permutations(members[k], 2) if k == other else product(members[k], members[other])
        return mean(table[r][i] * table[q][j] for i, j in among for r, q in pairs)

    halves = [
        (both(k, k) + both(other, other) - 2 * both(k, other)) / 2
        for k, other in combinations(groups, 2)
    ]
    return mean(halves) * (len(sizes) - 1) / (len(sizes) - ddof)


def group_shares(p, n):
    """Every share that n portraits of recall p can show, and its probability."""
    found = np.arange(n + 1)
    return found / n, scipy_stats.binom.pmf(found, n, p)


def expectation(function, shares, probabilities):
    """Mean of a function of independent groups' shares, over all that can be seen."""
    return sum(
        np.prod(chances) * function(np.array([seen]))
        for seen, chances in zip(product(*shares), product(*probabilities), strict=True)
    )


@pytest.mark.parametrize("n", [2, 5, 30])
@pytest.mark.parametrize("p", [0.0, 0.3, 0.92, 1.0])
def test_share_noise_is_unbiased(p, n):
    """Over everything that n portraits can show it averages to p (1 - p) / n."""
    shares, probabilities = group_shares(p, n)

    ours = noise.share_noise(shares[:, None], [n])[:, 0]
    assert probabilities @ ours == pytest.approx(p * (1 - p) / n, abs=1e-12)


@pytest.mark.parametrize("ddof", [0, 1])
def test_variance_of_noise_is_what_noise_adds_on_average(ddof):
    """Over all 16 signs of four groups' errors."""
    deviations = np.array([0.01, 0.02, 0.03, 0.05])
    signs = np.array(list(product([-1, 1], repeat=4)))
    expected = (signs * deviations).var(axis=1, ddof=ddof).mean()

    ours = noise.variance_of_noise(deviations**2, ddof)
    assert ours == pytest.approx(expected, abs=1e-15)


@firsts
@LAW
@given(studies())
def test_unbiased_variance_is_that_of_different_runs_and_portraits(definition, study):
    """The closed form equals the enumeration of all pairs in exact arithmetic."""
    sizes, detected = study
    expected = of_different(detected, sizes, definition.ddof)

    ours = noise.unbiased_variance(detected * 1.0, grouped(sizes), len(sizes), definition)
    assert ours == pytest.approx(float(expected), abs=1e-12)


def test_unbiased_variance_of_a_hand_worked_case():
    """One run detects both portraits of group a and one of b, the other one of a and none of b.

    Of two runs, both detections are found in 1/2 of the pairs within a, in none within b, and in
    (1 * 0 + 1/2 * 1/2) / 2 = 1/8 across: (1/2 + 0 - 2/8) / 2.
    """
    detected, expected = np.array([[1.0, 1, 1, 0], [1, 0, 0, 0]]), 1 / 8

    ours = noise.unbiased_variance(detected, np.array([0, 0, 1, 1]), 2, FIRST[1])
    assert ours == pytest.approx(expected, abs=1e-15)


@firsts
def test_unbiased_variance_is_unbiased_for_new_seeds_and_portraits(definition):
    """Over all that a tiny model can show: two seeds, portraits easy or hard, groups of two.

    Each run is a good or a bad one, each portrait easy or hard, and each detection an accident.
    The true variance is that of the groups' expected recalls.
    """
    easy = (Fraction(3, 4), Fraction(1, 3))  # chance that a portrait of the group is easy
    good = Fraction(2, 3)  # chance of a good run
    chance = {  # of a detection, by group, good run, easy portrait
        (k, run, portrait): Fraction(1 + run + 3 * portrait + (k == 1) * run, 6)
        for k, run, portrait in product(range(2), range(2), range(2))
    }
    expected = _true_recalls(easy, good, chance)
    target = disparity.between(np.array([expected], dtype=np.float64), definition.ddof)[0]

    total, weight = 0.0, 0.0
    for seen, probability in _everything_seen(easy, good, chance):
        value = noise.unbiased_variance(seen, np.array([0, 0, 1, 1]), 2, definition)
        total, weight = total + probability * float(value), weight + probability
    assert weight == pytest.approx(1, abs=1e-12)
    assert total == pytest.approx(float(target), abs=1e-12)


def _true_recalls(easy, good, chance):
    """Of each group, over seeds and portraits."""
    return [
        sum(
            (good if run else 1 - good)
            * (easy[k] if portrait else 1 - easy[k])
            * chance[k, run, portrait]
            for run, portrait in product(range(2), range(2))
        )
        for k in range(2)
    ]


def _everything_seen(easy, good, chance):
    """All detections of two runs and four portraits, shape (2, 4), with their probabilities."""
    groups = (0, 0, 1, 1)
    tables = np.array(list(product((0.0, 1.0), repeat=8))).reshape(-1, 2, 4)
    probability = np.zeros(len(tables))
    for runs, kinds in product(product(range(2), repeat=2), product(range(2), repeat=4)):
        prior = float(
            np.prod([good if run else 1 - good for run in runs])
            * np.prod(
                [easy[k] if kind else 1 - easy[k] for k, kind in zip(groups, kinds, strict=True)]
            )
        )
        p = np.array(
            [
                [float(chance[k, run, kind]) for k, kind in zip(groups, kinds, strict=True)]
                for run in runs
            ]
        )
        probability += prior * np.where(tables > 0, p, 1 - p).prod(axis=(1, 2))
    return zip(tables, probability.tolist(), strict=True)


@lasts
def test_unbiased_variance_of_runs_averaged_last_is_unbiased_for_new_portraits(definition):
    """Over everything that three small groups can show it averages to the run's true variance."""
    true, sizes = np.array([0.9, 0.6, 0.95]), [2, 3, 2]
    group, value = grouped(sizes), 0.0
    for seen in product((0.0, 1.0), repeat=sum(sizes)):
        chances = np.where(np.array(seen) > 0, true[group], 1 - true[group])
        value += chances.prod() * float(
            noise.unbiased_variance(np.array([seen]), group, 3, definition)
        )

    assert value == pytest.approx(true.var(ddof=definition.ddof), abs=1e-12)


@lasts
def test_unbiased_variance_of_runs_averaged_last_takes_the_noise_off_each_run(definition):
    """The mean over runs of variance minus mean of p (1 - p) / (n - 1)."""
    sizes, generator = [11, 26], np.random.default_rng(0)
    detected = generator.integers(0, 2, (3, 37)).astype(np.float64)
    recall = counts(detected, sizes) / sizes
    single = recall * (1 - recall) / (np.array(sizes) - 1)
    scale = 1 / 2 if definition.ddof == 0 else 1
    expected = (recall.var(axis=1, ddof=definition.ddof) - scale * single.mean(axis=1)).mean()

    ours = noise.unbiased_variance(detected, grouped(sizes), 2, definition)
    assert ours == pytest.approx(expected, abs=1e-15)


@definitions
def test_unbiased_variance_of_perfect_groups_is_none(definition):
    """Every portrait is detected in every run."""
    ours = noise.unbiased_variance(np.ones((3, 9)), grouped([4, 5]), 2, definition)

    assert ours == pytest.approx(0, abs=1e-15)


@lasts
@LAW
@given(studies())
def test_unbiased_variance_of_runs_averaged_last_is_at_most_the_variance(definition, study):
    """Noise adds to the variance of every run."""
    sizes, detected = study
    recall = counts(detected, sizes) / sizes

    ours = noise.unbiased_variance(detected * 1.0, grouped(sizes), len(sizes), definition)
    assert ours <= disparity.variance(recall, definition) + 1e-12


def test_unbiased_variance_is_negative_where_groups_differ_less_than_by_chance():
    """Equal counts in all runs and groups, of different portraits."""
    detected = np.tile(np.eye(4), 2)  # run i misses all but portrait i of both groups

    assert noise.unbiased_variance(detected, grouped([4, 4]), 2, LAST[1]) < 0


@definitions
def test_unbiased_variance_of_many_studies_is_that_of_each(definition):
    """Leading axes are carried along."""
    sizes = [5, 3, 4]
    detected = np.random.default_rng(1).integers(0, 2, (2, 6, 4, 12)).astype(np.float64)
    loop = [
        [noise.unbiased_variance(one, grouped(sizes), 3, definition) for one in row]
        for row in detected
    ]

    ours = noise.unbiased_variance(detected, grouped(sizes), 3, definition)
    np.testing.assert_allclose(ours, loop, rtol=0, atol=1e-15)


@definitions
def test_unbiased_variance_of_a_group_of_one_portrait_is_undefined(definition):
    """Its noise cannot be estimated."""
    ours = noise.unbiased_variance(np.ones((2, 5, 4)), grouped([3, 1]), 2, definition)

    assert ours.shape == (2,)
    assert np.isnan(ours).all()


@firsts
def test_unbiased_variance_of_a_single_run_that_is_averaged_first_is_undefined(definition):
    """There is no pair of different runs."""
    assert np.isnan(noise.unbiased_variance(np.ones((1, 8)), grouped([4, 4]), 2, definition))


def nested(recall, sizes):
    """Detections with these recalls where every run detects the first portraits of each group."""
    found = np.round(recall * np.array(sizes)).astype(int)
    rows = [
        np.concatenate([np.arange(n) < count for n, count in zip(sizes, run, strict=True)])
        for run in found
    ]
    return np.array(rows, dtype=np.float64)


def evenly(recall, sizes):
    """Detections with these recalls where each run goes on after the portraits of the last one."""
    found = np.round(recall * np.array(sizes)).astype(int)
    columns = []
    for k, n in enumerate(sizes):
        block, start = np.zeros((len(found), n)), 0
        for run, count in enumerate(found[:, k]):
            block[run, (start + np.arange(count)) % n] = 1
            start += count
        columns.append(block)
    return np.concatenate(columns, axis=1)


@definitions
@LAW
@given(studies())
def test_unbiased_bounds_hold_every_arrangement(definition, study):
    """Whichever portraits the runs detect, the counts' bounds contain the estimate."""
    sizes, detected = study
    low, high = noise.unbiased_bounds(counts(detected, sizes) / sizes, sizes, definition)

    ours = noise.unbiased_variance(detected * 1.0, grouped(sizes), len(sizes), definition)
    assert low - 1e-12 <= ours <= high + 1e-12


@definitions
@pytest.mark.parametrize(("arranged", "end"), [(nested, 0), (evenly, 1)])
@LAW
@given(studies())
def test_unbiased_bounds_are_reached(arranged, end, definition, study):
    """The least by runs that detect the same portraits, the largest by evenly spread ones."""
    sizes, detected = study
    recall = counts(detected, sizes) / sizes
    reached = noise.unbiased_variance(
        arranged(recall, sizes), grouped(sizes), len(sizes), definition
    )

    bound = noise.unbiased_bounds(recall, sizes, definition)[end]
    assert bound == pytest.approx(float(reached), abs=1e-12)


@lasts
def test_unbiased_bounds_of_runs_averaged_last_are_equal(definition):
    """Each run's noise is known from its counts."""
    low, high = noise.unbiased_bounds(np.array([[0.75, 0.5], [1.0, 0.5]]), [8, 6], definition)

    assert low == high


@pytest.mark.parametrize("recall", [[[0.9, 0.8]], [[0.9, 0.8], [0.8, 0.9]]])
def test_unbiased_bounds_are_undefined_with_a_group_of_one_portrait(recall):
    """And so is the estimate."""
    assert np.isnan(noise.unbiased_bounds(np.array(recall), [10, 1], FIRST[0])).all()


@pytest.mark.parametrize(
    ("ddof", "attribute", "expected"),
    [(0, "variance", 1.69), (1, "variance", 2.25), (0, "variance_95", 4.40), (0, "gap", 3.09)],
)
def test_noise_floor_of_ppb_is_as_printed(ddof, attribute, expected):
    """Four equal groups at 92.4 %: in percent squared, the gap in percent."""
    floor = noise.noise_floor(0.924, PPB, ddof)
    scale = 100 if attribute == "gap" else 1e4

    assert getattr(floor, attribute) * scale == pytest.approx(expected, abs=6e-3)


def test_noise_floor_has_the_scaled_chi_squared_as_its_upper_end():
    """Groups of one size: V K n / (p q) is chi-squared with K - 1 degrees of freedom."""
    floor = noise.noise_floor(0.9, [300] * 4, 0)

    expected = scipy_stats.chi2.ppf(0.95, 3) * 0.09 / 300 / 4
    assert floor.variance_95 == pytest.approx(expected, rel=1e-12)


def test_noise_floor_expects_what_equal_groups_show():
    """Over everything that three small groups can show."""
    shares, probabilities = zip(*[group_shares(0.8, n) for n in (4, 6, 3)], strict=True)
    expected = expectation(lambda seen: seen.var(ddof=1), shares, probabilities)

    assert noise.noise_floor(0.8, [4, 6, 3], 1).variance == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("ddof", [0, 1])
def test_averaged_floor_of_a_single_run_is_its_noise_floor(ddof):
    """The expected variance of one run, put in, gives the same quantile and gap."""
    single = noise.noise_floor(0.924, PPB, ddof)
    definition = Definition(mean="pooled", ddof=ddof, runs="first")

    again = noise.averaged_floor(single.variance, 4, definition)
    assert (again.variance, again.variance_95, again.gap) == pytest.approx(
        (single.variance, single.variance_95, single.gap), rel=1e-12
    )


@pytest.mark.parametrize("ddof", [0, 1])
def test_averaged_floor_is_what_equal_normal_groups_show(ddof):
    """100,000 studies of four equal groups: mean and 95 % quantile of the variance, mean gap."""
    groups = 0.02 * np.random.default_rng(0).standard_normal((100_000, 4))
    variances, definition = groups.var(axis=1, ddof=ddof), FIRST[ddof]

    floor = noise.averaged_floor(0.02**2 * (3 / 4 if ddof == 0 else 1), 4, definition)
    assert variances.mean() == pytest.approx(floor.variance, rel=0.01)
    assert np.mean(variances > floor.variance_95) == pytest.approx(0.05, abs=0.0025)
    assert np.ptp(groups, axis=1).mean() == pytest.approx(floor.gap, rel=0.01)


@pytest.mark.parametrize(
    ("n", "expected"),
    [(1, 0), (2, 2 / np.sqrt(np.pi)), (3, 3 / np.sqrt(np.pi)), (4, 2.0588)],
)
def test_expected_range_matches_known_values(n, expected):
    """Closed forms up to three draws, Tippett's table for four."""
    assert noise.expected_range(n) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize("n", [2, 4, 8, 30])
def test_expected_range_matches_adaptive_integration(n):
    """The grid is as good as SciPy's quadrature."""
    expected, _ = integrate.quad(
        lambda x: 1 - special.ndtr(x) ** n - special.ndtr(-x) ** n, -12, 12, epsabs=1e-12
    )

    assert noise.expected_range(n) == pytest.approx(expected, abs=1e-9)
