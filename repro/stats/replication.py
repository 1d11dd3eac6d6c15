"""A study and its replication, each an effect and its standard error: do they agree?

Prediction interval, equivalence, sceptical p-value, small telescopes, replication Bayes factor. All
of them are functions of the two effects, their standard errors and their degrees of freedom.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import integrate, optimize, special

from repro.argument_checks import arrays
from repro.stats import power
from repro.stats.intervals import LEVEL, TINY, Interval, t_quantile

Scale = Literal["nominal", "golden", "controlled"]
SCALES = ("nominal", "golden", "controlled")
GOLDEN = (1 + math.sqrt(5)) / 2
THIRD = 1 / 3  # power of the original's test at the smallest effect that it could have seen
ACCURATE = 1e-12  # relative error of integrals and roots
LARGEST, SMALLEST = 1e30, 1e-30  # effects, standard errors, z-values: their squares are numbers too
FEWEST = 0.1  # degrees of freedom: with fewer, the noncentral t is beyond all numbers


@dataclass(frozen=True, slots=True)
class Effect:
    """An estimate with its standard error.

    Attributes:
        value: In any unit, the same on both sides; at most 1e30 from 0.
        error: Standard error, from 1e-30 to 1e30.
        degrees: Of freedom of the standard error, at least 0.1; infinite if it is known exactly.

    Raises:
        TypeError: A number is none.
        ValueError: A number is out of its range.
    """

    value: float
    error: float
    degrees: float = math.inf

    def __post_init__(self) -> None:
        """Check the ranges."""
        arrays.number("value", self.value, -LARGEST, LARGEST)
        arrays.number("error", self.error, SMALLEST, LARGEST)
        arrays.number("degrees", self.degrees, FEWEST, math.inf)

    @property
    def z(self) -> float:
        """Effect over standard error."""
        return self.value / self.error


def difference(theirs: Effect, ours: Effect) -> Effect:
    """Ours minus theirs, with Welch's degrees of freedom."""
    _require_effects(theirs=theirs, ours=ours)
    squares = [theirs.error**2, ours.error**2]
    parts = sum(
        square**2 / one.degrees for square, one in zip(squares, (theirs, ours), strict=True)
    )
    degrees = sum(squares) ** 2 / parts if parts else math.inf
    return Effect(ours.value - theirs.value, math.sqrt(sum(squares)), degrees)


def _require_effects(**effects: object) -> None:
    for name, value in effects.items():
        if not isinstance(value, Effect):
            raise TypeError(f"{name} must be an Effect(value, error), not {value!r}")


def interval(effect: Effect, *, level: float = LEVEL) -> Interval:
    """Student's interval of an effect; the normal one for infinite degrees of freedom."""
    _require_effects(effect=effect)
    half = t_quantile(effect.degrees, level=level) * effect.error
    return Interval(effect.value - half, effect.value + half)


def prediction_interval(
    theirs: Effect, ours: Effect, *, heterogeneity: float = 0.0, level: float = LEVEL
) -> Interval:
    """Where our effect is expected from theirs, the noise of both included (Spence & Stanley 2016).

    Args:
        theirs: The original.
        ours: The replication; only its standard error and degrees of freedom are used.
        heterogeneity: Standard deviation of true effects between studies, at least 0.
        level: Of the interval, in (0, 1).

    Returns:
        ``theirs ± q sqrt(se_o^2 + se_r^2 + 2 tau^2)``; q is Student's with Welch's degrees of
        freedom, the normal quantile if both are infinite.

    Raises:
        TypeError: A number is none.
        ValueError: A number is out of its range.
    """
    heterogeneity = arrays.number("heterogeneity", heterogeneity, 0, LARGEST)
    apart = difference(theirs, ours)
    error = math.sqrt(apart.error**2 + 2 * heterogeneity**2)
    return interval(Effect(theirs.value, error, apart.degrees), level=level)


def equivalent(theirs: Effect, ours: Effect, margin: float, *, level: float = LEVEL) -> bool | None:
    """Whether the two differ by less than a margin, by the interval of their difference.

    Two one-sided tests (Schuirmann 1987), each of size ``(1 - level) / 2``.

    Args:
        theirs: The original.
        ours: The replication.
        margin: Largest difference that does not matter, above 0.
        level: Of the interval, in (0, 1).

    Returns:
        True if the interval lies inside (-margin, margin), False if it lies outside, None if
        neither.

    Raises:
        TypeError: A number is none.
        ValueError: A number is out of its range.
    """
    margin = arrays.number("margin", margin, 0, LARGEST, ends=False)
    low, high = interval(difference(theirs, ours), level=level)
    if -margin < low and high < margin:
        return True
    return False if low >= margin or high <= -margin else None


def sceptical_z(theirs: float, ours: float, ratio: float) -> float:
    """The sceptical z-value, at least 0 (Held 2020).

    The root of ``A H / (sqrt(A (A + (c - 1) H)) + A)`` with the arithmetic mean A and the harmonic
    mean H of the squared z-values.

    Args:
        theirs: z-value of the original.
        ours: z-value of the replication.
        ratio: c, the original's squared standard error over the replication's, above 0.
    """
    theirs, ours = (
        arrays.number(name, z, -LARGEST, LARGEST)
        for name, z in (("theirs", theirs), ("ours", ours))
    )
    ratio = arrays.number("ratio", ratio, SMALLEST, LARGEST)
    if theirs == 0 or ours == 0:
        return 0.0
    mean, harmonic = (theirs**2 + ours**2) / 2, 2 / (1 / theirs**2 + 1 / ours**2)
    root = math.sqrt(mean * (mean + (ratio - 1) * harmonic))
    return math.sqrt(mean * harmonic / (root + mean))


def sceptical_p(
    theirs: float,
    ours: float,
    ratio: float,
    *,
    scale: Scale = "golden",
    sides: Literal[1, 2] = 1,
) -> float:
    """The sceptical p-value of a replication.

    A sceptic's prior makes the original just not convincing; a small p says that the replication
    contradicts this prior. Sources: Held 2020 (nominal); Held, Micheloud & Pawel 2022 (golden);
    Micheloud, Balabdaoui & Held 2023 (controlled).

    Args:
        theirs: z-value of the original.
        ours: z-value of the replication.
        ratio: Squared standard error of the original over that of the replication, above 0.
        scale: ``golden``: an original that was just significant can only succeed with a replication
            whose effect is not smaller; ``controlled``: the type I error of both studies together
            is the squared level; ``nominal``: neither.
        sides: 1: for an effect in the original's direction; 2: in any direction.

    Returns:
        In (0, 1).

    Raises:
        TypeError: A number is none.
        ValueError: A number is out of its range, or an unknown scale.
    """
    arrays.word("scale", scale, SCALES)
    arrays.whole("sides", sides, 1, 2)
    z = sceptical_z(theirs, ours, ratio)
    both = _controlled(z, ratio) if scale == "controlled" else _normal(z, scale)
    if sides == 2:
        return both
    return both / 2 if theirs * ours >= 0 else 1 - both / 2


def _normal(z: float, scale: Scale) -> float:
    return 2 * float(special.ndtr(-z * math.sqrt(GOLDEN if scale == "golden" else 1.0)))


def _controlled(z: float, ratio: float) -> float:
    """Root of the probability under both null hypotheses of a z at least as large.

    The absolute tolerance of the integral is 0: it is small where it matters.
    """
    if z == 0:
        return 1.0

    def density(angle: float) -> float:
        square = math.sin(angle) ** 2
        if square == 0:
            return 0.0
        return math.exp(-(z**2) * (math.sqrt(1 + (ratio - 1) * square) + 1) / square)

    found, _ = integrate.quad(density, 0, math.pi / 2, epsabs=0, epsrel=ACCURATE, limit=500)
    return math.sqrt(2 / math.pi * found)


def golden_level(level: float) -> float:
    """The nominal sceptical level at which the golden one is `level`, one-sided, in (0, 0.5)."""
    level = arrays.number("level", level, 0, 0.5, ends=False)
    return float(special.ndtr(special.ndtri(level) / math.sqrt(GOLDEN)))


def smallest_seen(theirs: Effect) -> float:
    """The effect at which the original's own test had a power of one third (Simonsohn 2015).

    Its two-sided t test at .05, by the noncentral t; the normal test for infinite degrees.

    Args:
        theirs: The original; only its standard error and degrees of freedom are used.

    Returns:
        Above 0, in the unit of the effect.

    Raises:
        TypeError: It is no `Effect`.
    """
    _require_effects(theirs=theirs)
    if math.isinf(theirs.degrees):
        critical = float(special.ndtri(1 - power.SIGNIFICANCE / 2))

        def short(shift: float) -> float:
            return float(special.ndtr(shift - critical) + special.ndtr(-shift - critical)) - THIRD

        return float(optimize.brentq(short, 0, critical, xtol=ACCURATE)) * theirs.error
    return power.detectable(theirs.degrees, power=THIRD) * theirs.error


def too_small_to_see(theirs: Effect, ours: Effect, *, level: float = LEVEL) -> bool:
    """Whether our effect is smaller than any that the original could have seen.

    The one-sided upper bound of our effect, in the original's direction, lies below
    `smallest_seen` (Simonsohn 2015).

    Args:
        theirs: The original.
        ours: The replication.
        level: Of the bound, above 0.5 and below 1.

    Raises:
        TypeError: An effect is none, or the level is no number.
        ValueError: The level is out of its range.
    """
    return upper_bound(theirs, ours, level=level) < smallest_seen(theirs)


def upper_bound(theirs: Effect, ours: Effect, *, level: float = LEVEL) -> float:
    """One-sided upper bound of our effect in the direction of the original's."""
    _require_effects(theirs=theirs, ours=ours)
    level = _one_sided_level(level)
    towards = math.copysign(1.0, theirs.value) * ours.value
    return towards + t_quantile(ours.degrees, level=2 * level - 1) * ours.error


def _one_sided_level(level: float) -> float:
    return arrays.number("level", level, 0.5, 1, ends=False)


def telescope_factor(n: int, *, chance: float = 0.8, level: float = LEVEL) -> float:
    """How many times as many runs show that there is nothing to see, if there is nothing.

    Two samples of n on the original's side; the replication rejects, one-sided, the effect at which
    the original had a power of one third.

    Args:
        n: In each of the two samples of the original, at least 2.
        chance: That the replication rejects it if the true effect is 0, in (0, 1).
        level: One minus the size of its test, above 0.5 and below 1.

    Returns:
        Size of each of its samples over n; about 2.5 for a chance of .8.

    Raises:
        TypeError: A number is none.
        ValueError: A number is out of its range.
    """
    n, chance = arrays.whole("n", n, 2), arrays.number("chance", chance, 0, 1, ends=False)
    level = _one_sided_level(level)
    smallest = power.smallest_unpaired(n, n, power=THIRD)

    def short(factor: float) -> float:
        size = factor * n
        return _one_sided(smallest * math.sqrt(size / 2), 2 * size - 2, level) - chance

    return float(optimize.brentq(short, 2 / n + TINY, 100, xtol=ACCURATE))


def _one_sided(noncentrality: float, degrees: float, level: float) -> float:
    """Power of a one-sided t test."""
    critical = t_quantile(degrees, level=2 * level - 1)
    s, weights = power.deviations(degrees, noncentrality / critical, 1 / critical)
    return float(np.dot(special.ndtr(noncentrality - critical * s), weights))


def bayes_factor(theirs: Effect, ours: Effect) -> float:
    """Replication Bayes factor in its normal form: no effect against the original's posterior.

    The idea of Verhagen & Wagenmakers 2014; the densities are normal, not t:
    ``N(ours; 0, se_r^2) / N(ours; theirs, se_o^2 + se_r^2)``.

    Args:
        theirs: The original.
        ours: The replication.

    Returns:
        Below 1 for the original's effect, above 1 for none; infinite beyond the largest number.

    Raises:
        TypeError: An effect is none.
    """
    _require_effects(theirs=theirs, ours=ours)
    spread = math.hypot(theirs.error, ours.error)
    exponent = ((ours.value - theirs.value) / spread) ** 2 / 2 - ours.z**2 / 2
    with np.errstate(over="ignore"):
        return float(np.exp(exponent)) * spread / ours.error
