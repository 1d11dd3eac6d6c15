"""Seed-by-image two-way bootstrap: intervals for new seeds and new photographs together.

Runs and photographs are resampled independently of each other (Owen 2007's pigeonhole bootstrap),
photographs within their group. With few runs the percentiles of the bootstrap samples are too
narrow: over 5 runs a "95 %" interval covers 84 %. So only the standard deviation of the samples is
used, corrected for the number of runs, with Student's quantile: see `interval`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from repro.stats import operating
from repro.stats.intervals import LEVEL, NOWHERE, Floats, Integers, Interval, t_quantile
from repro.stats.selection import SEED

DRAWS = 1000
AT_ONCE = 500_000  # recalls of single runs held in memory at a time

Counts = NDArray[np.float32]  # integers, exact up to 16 million, fast to multiply
Statistic = Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """Bootstrap samples, the same for every arm with these numbers of runs and photographs.

    So arms can be compared sample by sample.

    Attributes:
        runs: Positions of the runs drawn, shape (DRAWS, R).
        portraits: How often each portrait is drawn, shape (DRAWS, N); the draws of a portrait
            are contiguous in memory.
        nonfaces: Positions of the photographs drawn, shape (DRAWS, M).
        of_group: `portraits` transposed, for each group, shape (n_k, DRAWS).
        of_nonfaces: How often each photograph without a face is drawn, shape (M, DRAWS).
    """

    runs: Integers
    portraits: NDArray[Any]
    nonfaces: Integers
    of_group: tuple[Counts, ...]
    of_nonfaces: Counts


def draw(runs: int, group: Integers, nonfaces: int) -> Draws:
    """Resamples from a fixed seed.

    Args:
        runs: R.
        group: Position of each portrait's group, shape (N,).
        nonfaces: M; may be 0.
    """
    generator = np.random.default_rng([SEED, runs, len(group), nonfaces])
    picked = generator.integers(0, runs, (DRAWS, runs))
    counts = np.zeros((DRAWS, len(group)))
    for k in np.unique(group):
        size = int((group == k).sum())
        counts[:, group == k] = generator.multinomial(size, np.full(size, 1 / size), DRAWS)
    others = generator.integers(0, max(nonfaces, 1), (DRAWS, nonfaces))
    places = others + nonfaces * np.arange(DRAWS)[:, None]
    times = np.bincount(places.ravel(), minlength=DRAWS * nonfaces).reshape(DRAWS, nonfaces)
    return Draws(
        picked,
        np.ascontiguousarray(counts.T, dtype=np.min_scalar_type(int(counts.max()))).T,
        others,
        tuple(_draws_last(counts[:, group == k]) for k in range(int(group.max()) + 1)),
        _draws_last(times),
    )


def _draws_last(counts: Floats | Integers) -> Counts:
    return np.ascontiguousarray(counts.T, dtype=np.float32)


def _itself(recall: Floats) -> Floats:
    return recall


def recalls(
    detected: Floats, group: Integers, groups: int, draws: Draws, *, of: Statistic = _itself
) -> Floats:
    """Recall of each draw, run and group at a fixed threshold, shape (DRAWS, R, K).

    Args:
        detected: 1 or 0 for each run and portrait, shape (R, N).
        group: Position of each portrait's group, shape (N,).
        groups: K.
        draws: The resamples.
        of: Statistic of recalls of shape (D, R, K), D samples at a time.

    Returns:
        Of all draws, shape (DRAWS, ...).
    """
    return _of_drawn_runs(_counted(detected, group, groups, draws), group, draws, of)


def recalls_at(
    portraits: Floats,
    nonfaces: Floats,
    group: Integers,
    groups: int,
    draws: Draws,
    *,
    rate: float,
    of: Statistic = _itself,
) -> Floats:
    """As `recalls`, with thresholds from the photographs without a face of each draw.

    Args:
        portraits: Top logits, shape (R, N).
        nonfaces: Top logits, shape (R, M).
        group: Position of each portrait's group, shape (N,).
        groups: K.
        draws: The resamples.
        rate: False-positive rate.
        of: As in `recalls`.
    """
    at_rank = operating.rank(rate, nonfaces.shape[1])
    falling = np.argsort(-nonfaces, axis=1)
    levels = -np.take_along_axis(nonfaces, falling, axis=1)  # rising, for `searchsorted`
    places = np.stack([_places(draws.of_nonfaces, one, at_rank) for one in falling])
    first, last = (end(places, axis=1, keepdims=True) for end in (np.min, np.max))
    highest, lowest = (-np.take_along_axis(levels, end, axis=1) for end in (first, last))
    found = _counted(portraits >= highest, group, groups, draws)
    between = (portraits >= lowest) & (portraits < highest)
    members = (group == np.arange(groups)[:, None]).astype(np.float32)
    for run, some in enumerate(map(np.flatnonzero, between)):
        enough = np.searchsorted(levels[run], -portraits[run, some], side="left")
        are_found = places[run] >= enough.astype(places.dtype)[:, None]
        drawn = draws.portraits.T[some] * are_found
        found[run] += members[:, some] @ drawn.astype(np.float32)
    return _of_drawn_runs(found, group, draws, of)


def _counted(detected: NDArray[Any], group: Integers, groups: int, draws: Draws) -> Counts:
    """How many portraits are detected in each draw, shape (R, K, DRAWS)."""
    found = np.empty((len(detected), groups, DRAWS), dtype=np.float32)
    for k in range(groups):
        found[:, k] = detected[:, group == k].astype(np.float32) @ draws.of_group[k]
    return found


def _places(times: Counts, falling: Integers, at_rank: int) -> NDArray[Any]:
    """Position of the threshold of each sample among the falling logits, shape (DRAWS,).

    Args:
        times: How often each photograph is drawn, shape (M, DRAWS).
        falling: Positions of the photographs by decreasing logit, shape (M,).
        at_rank: Rank of the threshold among a sample's photographs, from above.
    """
    for depth in (
        at_rank + 6 * isqrt(at_rank) + 10,
        len(falling),
    ):  # the threshold is rarely deeper
        top = times[falling[:depth]]
        reached = np.tri(len(top), dtype=np.float32) @ top
        if reached[-1].min() >= at_rank:
            break
    return np.asarray((reached < at_rank).sum(axis=0, dtype=np.min_scalar_type(len(falling))))


def _of_drawn_runs(found: Counts, group: Integers, draws: Draws, of: Statistic) -> Floats:
    """The statistic of the recalls of the sampled runs.

    Args:
        found: Portraits found in each draw, shape (R, K, DRAWS).
        group: Position of each portrait's group, shape (N,).
        draws: The resamples.
        of: As in `recalls`.
    """
    runs, groups, _ = found.shape
    sizes = np.bincount(group, minlength=groups)
    parts = []
    for part in _parts(found[..., 0].size):
        shares = found[..., part].transpose(2, 0, 1) / sizes
        rows = draws.runs[part] + runs * np.arange(len(shares))[:, None]
        parts.append(of(shares.reshape(-1, groups).take(rows, axis=0)))
    return np.concatenate(parts)


def of_runs(recall: Floats, draws: Draws, *, of: Statistic = _itself) -> Floats:
    """Recalls of the sampled runs on the observed photographs, shape (DRAWS, R, K).

    Args:
        recall: Of each run and group, shape (R, K).
        draws: The resamples.
        of: As in `recalls`.
    """
    parts = _parts(recall.size)
    return np.concatenate([of(recall.take(draws.runs[part], axis=0)) for part in parts])


def _parts(each: int) -> Iterator[slice]:
    """Slices of the draws, with at most AT_ONCE recalls each."""
    step = max(1, AT_ONCE // each)
    return (slice(first, first + step) for first in range(0, DRAWS, step))


def interval(
    estimate: float, drawn: Floats, by_runs: Floats, runs: int, *, level: float = LEVEL
) -> Interval:
    """The estimate ± t(f) * sd, for new runs and new photographs; NaN for one run.

    The variance of the samples is too small by 1/R of the runs' part, because R resampled runs vary
    as if divided by R instead of R - 1; that part is added. With few runs only the runs' part is
    uncertain: f = (R - 1) * (whole variance / runs' part)^2 degrees of
    freedom (Satterthwaite 1946). Where only runs vary this is Student's interval.

    Args:
        estimate: From the observed runs and photographs.
        drawn: The same statistic of each sample, shape (DRAWS,).
        by_runs: The same of the sampled runs on the observed photographs, shape (DRAWS,).
        runs: R.
        level: Of the interval.
    """
    if runs < 2:
        return NOWHERE
    part = float(by_runs.var(ddof=1)) * runs / (runs - 1)
    whole = float(drawn.var(ddof=1)) + part / runs
    degrees = (runs - 1) * (whole / part) ** 2 if part > 0 else np.inf
    half = t_quantile(float(min(degrees, 1e9)), level=level) * float(np.sqrt(whole))
    return Interval(estimate - half, estimate + half)


def share_interval(
    estimate: float, drawn: Floats, by_runs: Floats, runs: int, *, portraits: int
) -> Interval:
    """`interval` on the scale of the logit, for shares: recalls near 1 are skewed.

    Where runs differ by 7 points about 90 % it covers 95 %, Student's interval 89 %.

    Args:
        estimate: In [0, 1].
        drawn: As in `interval`.
        by_runs: As in `interval`.
        runs: R.
        portraits: Number of portraits; half a portrait is added to both counts, so that the logit
            of 1 is finite.
    """
    half = 0.5 / portraits

    def logit(share: Floats) -> Floats:
        return np.asarray(np.log((share + half) / (1 - share + half)))

    def back(value: float) -> float:
        return float(np.clip((1 + 2 * half) / (1 + np.exp(-value)) - half, 0, 1))

    ends = interval(float(logit(np.asarray(estimate))), logit(drawn), logit(by_runs), runs)
    return Interval(*map(back, ends))


def root_interval(estimate: float, drawn: Floats, by_runs: Floats, runs: int) -> Interval:
    """`interval` on the square-root scale, for variances; never below 0."""
    low, high = interval(np.sqrt(estimate), np.sqrt(drawn), np.sqrt(by_runs), runs)
    return Interval(max(low, 0.0) ** 2, high**2)
