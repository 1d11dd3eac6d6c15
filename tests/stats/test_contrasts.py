"""One contrast of estimates: a published trend by hand, power, limits."""

import math

import numpy as np
import pytest
from scipy import stats

from repro.stats import contrasts
from repro.stats.contrasts import Estimate

FIGURE = ((87.54, 1.21), (88.72, 1.26), (90.62, 0.58), (92.82, 0.72), (92.45, 0.62))


@pytest.fixture
def studies(request):
    """Number of simulated studies: a part, or all with --whole."""
    return 20_000 if request.config.getoption("--whole") else 1_000


def test_the_darker_men_of_a_published_figure_rise():
    """Five arms of five runs: contrast 13.92, SE 3.082, t 4.52, df 9.2, p .0014."""
    found = contrasts.linear([Estimate(mean, error, 4) for mean, error in FIGURE])

    assert found.value == pytest.approx(13.92)
    assert found.error == pytest.approx(3.082, abs=0.0005)
    assert found.t == pytest.approx(4.52, abs=0.005)
    assert found.degrees == pytest.approx(9.2, abs=0.05)
    assert found.p == pytest.approx(0.0014, abs=0.00005)


def test_the_last_step_of_that_figure_is_within_chance():
    """-.37 with a standard error of .95."""
    last, before = (Estimate(*FIGURE[at], 4) for at in (4, 3))
    found = contrasts.difference(last, before)

    assert (found.value, found.error) == (pytest.approx(-0.37), pytest.approx(0.95, abs=0.005))
    assert 0.0 in found.interval()


def test_a_difference_of_two_arms_is_welch():
    """SciPy's t, degrees and p."""
    a, b = np.array([84.1, 85.0, 83.2]), np.array([80.0, 82.0, 81.0, 79.0])
    found = contrasts.difference(Estimate.of_runs(a), Estimate.of_runs(b))
    expected = stats.ttest_ind(a, b, equal_var=False)

    assert (found.t, found.p) == (pytest.approx(expected.statistic), pytest.approx(expected.pvalue))
    assert found.degrees == pytest.approx(expected.df)


def test_weights_of_an_even_number_lie_about_the_middle():
    """-1.5, -.5, .5, 1.5."""
    found = contrasts.linear([Estimate(float(at), 1.0, 2) for at in range(4)])

    assert found.value == pytest.approx(5.0)
    assert found.error == pytest.approx(math.sqrt(5.0))


def test_runs_without_a_spread_say_nothing():
    """Equal runs: no t, no interval."""
    found = contrasts.linear([Estimate.of_runs(np.full(3, float(at))) for at in range(3)])

    assert (found.value, found.error) == (2.0, 0.0)
    assert math.isnan(found.p)
    assert math.isnan(found.interval().low)


def test_an_interval_without_zero_is_a_p_below_one_minus_its_level():
    """At the level 1 - p an end is 0."""
    found = contrasts.linear([Estimate(mean, error, 4) for mean, error in FIGURE])

    assert found.interval(level=1 - found.p).low == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("step", "power", "every"), [(0.5, 0.35, 7), (1, 0.89, 25), (2, 1.0, 71)])
def test_power_of_the_contrast_and_of_a_rise_at_every_step(studies, step, power, every):
    """Five arms, steps in (known) standard errors; the steps all rise far less often."""
    means = np.random.default_rng(0).normal(size=(studies, 5)) + step * np.arange(5)
    p = [contrasts.linear([Estimate(mean, 1.0, math.inf) for mean in study]).p for study in means]
    monotone = (np.diff(means, axis=1) > 0).all(axis=1)
    error = 4 * math.sqrt(0.25 / studies)

    assert np.mean(np.array(p) <= 0.05) == pytest.approx(power, abs=error)
    assert 100 * monotone.mean() == pytest.approx(every, abs=100 * error)


def test_five_equal_arms_seldom_trend(studies):
    """At most 5 % in either direction."""
    runs = np.random.default_rng(3).normal(size=(studies, 5, 5))
    p = [contrasts.linear([Estimate.of_runs(arm) for arm in study]).p for study in runs]

    assert np.mean(np.array(p) <= 0.05) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / studies)
