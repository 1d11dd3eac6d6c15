"""Replication arithmetic, against published test values and closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special
from scipy.stats import nct, norm
from scipy.stats import t as student

from repro.stats import power, replication
from repro.stats.intervals import Interval
from repro.stats.replication import Effect, sceptical_p, sceptical_z

# z of theirs and ours, c: golden and nominal as printed by ReplicationSuccess 1.3.3, controlled by
# quadrature of 30 digits (that package's own values at (4, 4) are off by 1.8e-6).
VALUES = {
    (4, 4, 0.5): (4.92521679461104e-05, 0.00110127465875785, 5.94080600584e-05),
    (4, 2, 0.5): (0.00860230836312371, 0.0305443593405044, 0.0111484571831),
    (2, 2, 0.5): (0.0257599721993693, 0.0629176070193166, 0.0329134788421),
    (4, 4, 2): (0.000528949538842483, 0.00502103908823513, 6.44707602889e-05),
    (4, 2, 2): (0.0165499416760937, 0.0469488618047047, 0.00789852693816),
    (2, 2, 2): (0.050780864777783, 0.0990142962787227, 0.0353760980547),
}
Z = {p: -float(special.ndtri(p / 2)) for p in (0.01, 0.02)}  # of two-sided p-values
zs = st.floats(-6, 6).filter(lambda z: abs(z) > 0.01)
ratios = st.floats(0.05, 20)


@pytest.mark.parametrize("case", VALUES)
def test_published_sceptical_p_values(case):
    """Golden and nominal to 1e-10, controlled to the digits of the quadrature."""
    golden, nominal, controlled = VALUES[case]

    assert sceptical_p(*case) == pytest.approx(golden, abs=1e-14)
    assert sceptical_p(*case, scale="nominal") == pytest.approx(nominal, abs=1e-14)
    assert sceptical_p(*case, scale="controlled") == pytest.approx(controlled, abs=1e-13)


@pytest.mark.parametrize(
    ("theirs", "ours", "ratio", "options", "expected"),
    [
        (0.01, 0.02, 2, {}, 0.02273138),
        (0.01, 0.02, 2, {"scale": "nominal"}, 0.05790852),
        (0.02, 0.01, 0.5, {}, 0.008786301),
        (0.01, 0.01, 2, {"sides": 2}, 0.03496702),
    ],
)
def test_published_values_from_two_sided_p(theirs, ours, ratio, options, expected):
    """The manual's examples."""
    found = sceptical_p(Z[theirs], Z[ours], ratio, **options)

    assert found == pytest.approx(expected, abs=5e-9)


def test_the_sceptical_z_is_published():
    """For c = 2, in either order."""
    assert sceptical_z(2, 3, 2) == pytest.approx(1.531634, abs=5e-7)
    assert sceptical_z(3, 2, 2) == pytest.approx(1.531634, abs=5e-7)


@given(zs, zs)
def test_equal_precision_is_the_limit(theirs, ours):
    """At c = 1 half the harmonic mean of the squares, without a jump."""
    expected = math.sqrt(1 / (1 / theirs**2 + 1 / ours**2))

    assert sceptical_z(theirs, ours, 1) == pytest.approx(expected, rel=1e-12)
    assert sceptical_z(theirs, ours, 1 + 1e-9) == pytest.approx(expected, rel=1e-8)


@given(zs, zs, ratios)
def test_the_sceptical_z_solves_its_equation(theirs, ours, ratio):
    """(z_o^2/z^2 - 1) (z_r^2/z^2 - 1) = c, the definition by Held (2020)."""
    z = sceptical_z(theirs, ours, ratio)

    assert (theirs**2 / z**2 - 1) * (ours**2 / z**2 - 1) == pytest.approx(ratio, rel=1e-5)


@pytest.mark.parametrize("scale", replication.SCALES)
@given(theirs=zs, ours=zs, ratio=ratios)
def test_the_other_direction_has_the_rest(scale, theirs, ours, ratio):
    """One-sided p-values of both directions add up to 1."""
    both = [sceptical_p(theirs, one, ratio, scale=scale) for one in (ours, -ours)]

    assert sum(both) == pytest.approx(1, abs=1e-12)
    assert both[0 if theirs * ours > 0 else 1] <= 0.5


@given(zs)
def test_the_controlled_p_at_equal_precision_is_chi_squared(z):
    """At c = 1: the square root of the chance that chi squared of one degree is beyond 4 z^2."""
    s = sceptical_z(z, z, 1)
    expected = math.sqrt(float(special.chdtrc(1, 4 * s**2)))

    assert sceptical_p(z, z, 1, scale="controlled", sides=2) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("scale", replication.SCALES)
def test_no_effect_has_p_one_half(scale):
    """One-sided; 1 two-sided."""
    assert sceptical_p(0, 3, 2, scale=scale) == 0.5
    assert sceptical_p(3, 0, 2, scale=scale, sides=2) == 1


@pytest.mark.parametrize(
    ("level", "nominal"),
    [(0.025, 0.0616793), (0.005, 0.0214341), (0.01, 0.0337102), (0.05, 0.0979876)],
)
def test_golden_levels(level, nominal):
    """One-sided, as printed."""
    assert replication.golden_level(level) == pytest.approx(nominal, abs=5e-8)


def test_a_just_significant_original_needs_an_effect_as_large():
    """Ours is the same effect, known exactly: the golden p is the p of theirs."""
    z = float(norm.ppf(0.975))

    assert sceptical_p(z, z * 1e9, 1e18) == pytest.approx(0.025, rel=1e-6)
    assert sceptical_p(z, 0.99 * z * 1e9, 1e18) > 0.025


@pytest.mark.parametrize(
    ("error", "heterogeneity", "low", "high"),
    [
        (0.5, 0.0, -0.191306351441455, 4.19130635144145),
        (2.0, 0.0, -2.38261270288291, 6.38261270288291),
        (0.5, 0.5, -0.592788640868113, 4.59278864086811),
    ],
)
def test_published_prediction_intervals(error, heterogeneity, low, high):
    """Theirs 2 with standard error 1."""
    found = replication.prediction_interval(
        Effect(2, 1), Effect(0, error), heterogeneity=heterogeneity
    )

    assert found == pytest.approx((low, high), abs=1e-13)


def test_few_runs_widen_the_prediction_interval():
    """Welch's degrees of freedom of 4 and 4 with equal errors are 8."""
    found = replication.prediction_interval(Effect(2, 1, 4), Effect(0, 1, 4))
    half = student.ppf(0.975, 8) * math.sqrt(2)

    assert found == pytest.approx((2 - half, 2 + half))


@pytest.mark.parametrize(
    ("n", "expected"),
    [(10, 0.7220), (15, 0.5779), (20, 0.4959), (30, 0.4013), (50, 0.3087), (100, 0.2172)],
)
def test_effects_that_two_samples_could_see(n, expected):
    """In standard deviations; n in each sample."""
    found = replication.smallest_seen(Effect(1, math.sqrt(2 / n), 2 * n - 2))

    assert found == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize(("n", "expected"), [(3, 1.5562), (5, 0.8901), (10, 0.5405), (20, 0.3599)])
def test_effects_that_pairs_could_see(n, expected):
    """In standard deviations of the differences."""
    found = replication.smallest_seen(Effect(1, 1 / math.sqrt(n), n - 1))

    assert found == pytest.approx(expected, abs=5e-5)


def test_a_normal_original_could_see_one_and_a_half_errors():
    """The noncentrality whose two-sided test has a power of one third."""
    assert replication.smallest_seen(Effect(1, 2)) == pytest.approx(2 * 1.5286, abs=2e-4)
    assert replication.smallest_seen(Effect(1, 2, 1e6)) == pytest.approx(2 * 1.5286, abs=2e-4)


def test_too_small_is_judged_by_the_upper_bound():
    """Theirs of 10 pairs could see 0.5405; ours is 0.1 with 1.645 errors of 0.2 above it."""
    theirs = Effect(-1, 1 / math.sqrt(10), 9)

    assert replication.upper_bound(theirs, Effect(-0.1, 0.2)) == pytest.approx(0.4290, abs=1e-4)
    assert replication.too_small_to_see(theirs, Effect(-0.1, 0.2))
    assert not replication.too_small_to_see(theirs, Effect(-0.3, 0.2))
    assert replication.too_small_to_see(theirs, Effect(2, 0.2))  # in the other direction


@pytest.mark.parametrize(("chance", "printed"), [(0.8, 2.5), (0.9, 3.5), (0.95, 4.5)])
@pytest.mark.parametrize("n", [20, 100])
def test_two_and_a_half_times_as_many(n, chance, printed):
    """Simonsohn's rule, and the exact power by SciPy's noncentral t at what is returned."""
    factor = replication.telescope_factor(n, chance=chance)
    size, smallest = factor * n, power.smallest_unpaired(n, n, power=1 / 3)
    critical = student.ppf(0.95, 2 * size - 2)

    assert factor == pytest.approx(printed, abs=0.15)
    assert nct.sf(critical, 2 * size - 2, smallest * math.sqrt(size / 2)) == pytest.approx(chance)


def test_the_multiple_of_large_studies():
    """(1.645 + 0.842)^2 over the squared noncentrality of one third."""
    assert replication.telescope_factor(2000) == pytest.approx((2.4865 / 1.5286) ** 2, abs=0.01)


@pytest.mark.parametrize(("ours", "expected"), [(2, 0.1914), (0, 3.8442)])
def test_replication_bayes_factors(ours, expected):
    """Theirs 2, both with standard error 1."""
    assert replication.bayes_factor(Effect(2, 1), Effect(ours, 1)) == pytest.approx(
        expected, abs=5e-5
    )


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(0.2, 3), st.floats(0.2, 3))
def test_the_bayes_factor_is_a_ratio_of_densities(theirs, ours, error, other):
    """Of ours around 0, and around theirs with both errors."""
    expected = norm.pdf(ours, 0, other) / norm.pdf(ours, theirs, math.hypot(error, other))

    assert replication.bayes_factor(Effect(theirs, error), Effect(ours, other)) == pytest.approx(
        expected, rel=1e-9
    )


@pytest.mark.parametrize(
    ("ours", "word"), [(0.0, True), (0.9, None), (-0.9, None), (2.0, False), (-2.0, False)]
)
def test_equivalence_has_three_answers(ours, word):
    """A margin of 1 and an interval of ± 0.277."""
    theirs, other = Effect(0, 0.1), Effect(ours, 0.1)

    assert replication.equivalent(theirs, other, 1.0) is word


def test_a_difference_has_welchs_degrees():
    """Worked: variances 1 of 4 and 4 of 2 degrees: 25 / (1/4 + 16/2)."""
    found = replication.difference(Effect(1, 1, 4), Effect(4, 2, 2))

    assert (found.value, found.error) == pytest.approx((3, math.sqrt(5)))
    assert found.degrees == pytest.approx(25 / 8.25)
    assert replication.difference(Effect(0, 1), Effect(0, 1)).degrees == math.inf


def test_intervals_are_students():
    """Five runs."""
    half = student.ppf(0.975, 4) * 2

    assert replication.interval(Effect(1, 2, 4)) == pytest.approx(Interval(1 - half, 1 + half))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Effect(math.nan, 1),
        lambda: Effect(1, 0),
        lambda: Effect(1, -1),
        lambda: Effect(1, 1, 0),
        lambda: sceptical_p(1, 1, 0),
        lambda: sceptical_p(1, 1, 1, scale="silver"),
        lambda: replication.equivalent(Effect(1, 1), Effect(1, 1), 0),
        lambda: replication.prediction_interval(Effect(1, 1), Effect(1, 1), heterogeneity=-1),
        lambda: replication.telescope_factor(1),
        lambda: replication.golden_level(0.5),
    ],
)
def test_arguments_out_of_range_are_refused(wrong):
    """By name."""
    with pytest.raises(ValueError, match=r"must|unknown"):
        wrong()


def test_prediction_intervals_cover():
    """Both studies of one true effect, five pairs each: about 95 %, as Welch's t promises."""
    generator = np.random.default_rng(0)
    runs = generator.normal(3, 2, (4000, 2, 5))
    means, errors = runs.mean(axis=2), runs.std(axis=2, ddof=1) / math.sqrt(5)
    inside = [
        ours in replication.prediction_interval(Effect(theirs, a, 4), Effect(ours, b, 4))
        for (theirs, ours), (a, b) in zip(means.tolist(), errors.tolist(), strict=True)
    ]

    assert np.mean(inside) == pytest.approx(0.955, abs=0.012)
