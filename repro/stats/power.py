"""Power of the t tests, and the smallest difference that they detect.

The power is the probability that Student's noncentral t is beyond the critical value on either
side. It is integrated over the estimated standard deviation, because SciPy's noncentral t is NaN
for some arguments.
"""

import functools

import numpy as np
from scipy import optimize, special

from repro.stats.intervals import Floats, t_quantile

POWER = 0.80  # with which a difference counts as detectable
SIGNIFICANCE = 0.05
PANELS, NODES = 60, 16  # of the integration
RARE = 1e-18  # probability of the standard deviations that the integral leaves out on either side


@functools.cache
def of_t(noncentrality: float, degrees: float, *, significance: float = SIGNIFICANCE) -> float:
    r"""Power of a two-sided t test.

    :math:`\int [\Phi(\delta - c s) + \Phi(-\delta - c s)] f(s) ds`, where s is the estimated
    standard deviation in units of the true one, so that df s^2 has a chi-squared distribution, and
    c is the critical value.

    Args:
        noncentrality: The true difference divided by the true standard error, at least 0.
        degrees: Degrees of freedom of the estimated standard deviation, at least 1.
        significance: Of the test, two-sided, in (0, 1).
    """
    critical = t_quantile(degrees, level=1 - significance)
    s, weights = deviations(degrees, noncentrality / critical, 1 / critical)
    found = special.ndtr(noncentrality - critical * s) + special.ndtr(-noncentrality - critical * s)
    return min(1.0, float(found @ weights))


def deviations(degrees: float, centre: float = 1.0, width: float = 0.5) -> tuple[Floats, Floats]:
    """Nodes and weights of the integral over the estimated standard deviation.

    Args:
        degrees: Degrees of freedom, at least 1.
        centre: Where the integrand is steepest, in true standard deviations.
        width: How steep it is there: it changes within ten widths on either side.

    Returns:
        Both of one shape (S,); the weights hold the density of s, so they add up to 1.
    """
    half = degrees / 2
    low = np.sqrt(special.gammaincinv(half, RARE) / half)
    high = np.sqrt(special.gammainccinv(half, RARE) / half)
    steps = np.linspace(-10, 10, PANELS) * width + centre
    ends = np.unique(np.concatenate([np.linspace(low, high, PANELS), steps.clip(low, high)]))
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    middle, reach = (ends[1:] + ends[:-1]) / 2, (ends[1:] - ends[:-1]) / 2
    s = (middle[:, None] + reach[:, None] * nodes).ravel()
    log_density = (
        np.log(2)
        + half * np.log(half)
        - special.gammaln(half)
        + (degrees - 1) * np.log(s)
        - half * s**2
    )
    return s, np.exp(log_density) * (reach[:, None] * weights).ravel()


@functools.cache
def detectable(
    degrees: float, *, significance: float = SIGNIFICANCE, power: float = POWER
) -> float:
    """The noncentrality that a two-sided t test detects with this power.

    Raises:
        ValueError: The power is not between the significance and 1.
    """
    if not significance < power < 1:
        raise ValueError(f"power {power} is not between the significance {significance} and 1")
    most = 1.0
    while of_t(most, degrees, significance=significance) < power:
        most *= 2
    return float(
        optimize.brentq(lambda x: of_t(x, degrees, significance=significance) - power, 0, most)
    )


def smallest_paired(
    pairs: int, *, significance: float = SIGNIFICANCE, power: float = POWER
) -> float:
    """Smallest difference that a paired t test detects with this power.

    Returns:
        In standard deviations of the pairs' differences, which is the root of 2 (1 - r) times that
        of a run if both arms vary alike and their pairs have correlation r; NaN for a single pair.
    """
    if pairs < 2:
        return float("nan")
    found = detectable(pairs - 1, significance=significance, power=power)
    return found / float(np.sqrt(pairs))


def smallest_unpaired(
    n: int, m: int, *, significance: float = SIGNIFICANCE, power: float = POWER
) -> float:
    """As `smallest_paired` for an unpaired test of n and m runs.

    Returns:
        In standard deviations between the runs of an arm, which both arms share; NaN if an arm has
        a single run.
    """
    if min(n, m) < 2:
        return float("nan")
    found = detectable(n + m - 2, significance=significance, power=power)
    return found * float(np.sqrt(1 / n + 1 / m))
