"""Latents -> probability of sampling each face -> batches.

Pure functions on NumPy arrays; probabilities are float64. Symbols: N faces, D latents, B bins.
Source: Amini & Soleimany et al. 2019, equations 3 and 4 and algorithm 1; the histogram's details
are those of the MIT lab's ``get_training_sample_probabilities``.
"""

from collections.abc import Iterable
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from repro.argument_checks import arrays

Floats = NDArray[np.float64]
Latents = NDArray[np.float32] | NDArray[np.float64]
Integers = NDArray[np.int64]
Combine = Literal["none", "max", "product", "top5"]
Density = Literal["mass", "density"]
Arithmetic = Literal["log", "float32"]
Replacement = Literal["with", "without"]
Balance = Literal["expected", "exact"]
MOST_BINS = 255  # bin indices are stored as bytes


class DegenerateWeights(ArithmeticError):
    """The weights cannot be computed in the chosen arithmetic."""


def weights(
    latents: Latents,
    *,
    combine: Combine,
    density: Density,
    alpha: float,
    bins: int,
    arithmetic: Arithmetic = "log",
) -> Floats:
    r"""Probability of sampling each face, larger for rare latents.

    .. math:: W(z(x)|X) \propto \prod_i \frac{1}{\hat Q_i(z_i(x)|X) + \alpha}

    Source: Amini & Soleimany et al. 2019, equation 4 (``product``); the MIT lab and de Haan et al.
    2020 take the maximum over latents (``max``), FacialDebiasing the product of the five largest
    factors (``top5``).

    Args:
        latents: Shape (N, D), finite, N at least 1.
        combine: How the factors of one face are combined over the latents; ``none`` is uniform,
            as in the arms of a study that do not resample.
        density: Whether a histogram's bins sum to 1 (mass) or integrate to 1 (density).
        alpha: Smoothing, at least 0; infinity is uniform.
        bins: Bins of equal width per latent, 1 to 255.
        arithmetic: ``log`` adds logarithms; ``float32`` multiplies probabilities. Only
            ``product`` depends on it.

    Returns:
        Shape (N,), summing to 1.

    Raises:
        TypeError: `latents`, `alpha` or `bins` are not real numbers.
        ValueError: An unknown word; `alpha` or `bins` out of range; latents of another shape, or
            not finite: how many, and the position of the first.
        DegenerateWeights: The arithmetic under- or overflows, or no face has a finite weight.
    """
    arrays.word("combine", combine, get_args(Combine))
    arrays.word("density", density, get_args(Density))
    arrays.word("arithmetic", arithmetic, get_args(Arithmetic))
    alpha = arrays.number("alpha", alpha, 0, np.inf)
    bins = arrays.whole("bins", bins, 1, MOST_BINS)
    latents = arrays.array("latents", latents, "(N, D)")
    if not latents.size and (combine != "none" or not len(latents)):
        raise ValueError(f"latents must have at least one value, not shape {latents.shape}")
    if combine == "none" or np.isinf(alpha):
        return np.full(len(latents), 1 / len(latents))
    factors = (
        latent_log_weights(latent, density=density, alpha=alpha, bins=bins)
        for latent in np.ascontiguousarray(latents.T)
    )
    if combine == "product" and arithmetic == "float32":
        return _normalised(_float32_product(factors, latents.shape))
    if combine == "product":
        log_weight = np.zeros(len(latents))
        for factor in factors:
            log_weight += factor
    else:
        log_weight = _sum_of_largest(factors, 1 if combine == "max" else 5)
    return _normalised(np.exp(log_weight - log_weight.max()))


def latent_log_weights(latent: Latents, *, density: Density, alpha: float, bins: int) -> Floats:
    r"""Logarithm of one latent's factor for each face; the exponentials sum to 1.

    .. math:: \log\frac{1}{\hat Q(z) + \alpha} - \log \sum_x \frac{1}{\hat Q(z(x)) + \alpha}

    Only occupied bins are used, so alpha = 0 is allowed. The sum over faces is computed as a sum
    over bins, weighted by their counts.

    Args:
        latent: Shape (N,), contiguous.
        density: See `weights`.
        alpha: See `weights`.
        bins: See `weights`.

    Returns:
        Shape (N,); equal values for a latent that is constant.

    Raises:
        TypeError, ValueError: As `histogram_edges`.
    """
    edges = histogram_edges(latent, bins)
    which, counts = bin_index(latent, edges)
    heights = counts / len(latent)
    if density == "density":
        heights /= edges[1] - edges[0]
    inverse = 1.0 / (heights[counts > 0] + alpha)
    table = np.zeros(bins)
    table[counts > 0] = np.log(inverse) - np.log(counts[counts > 0] @ inverse)
    return table.take(which)


def histogram_edges(latent: Latents, bins: int) -> Floats:
    """NumPy's rule: equal bins from minimum to maximum, or one unit around a constant.

    Raises:
        TypeError: `bins` is not an integer.
        ValueError: `bins` is not from 1 to 255.
    """
    bins = arrays.whole("bins", bins, 1, MOST_BINS)
    low, high = float(latent.min()), float(latent.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, bins + 1)


def bin_index(latent: Latents, edges: Floats) -> tuple[NDArray[np.uint8], Integers]:
    """Bin of each value, by exact comparison with the inner edges, and the size of each bin.

    Comparing in the latents' own precision is exact: a float32 is at least a float64 edge if and
    only if it is at least the smallest float32 above or equal to that edge.

    Raises:
        ValueError: The edges are those of more than 255 bins, which a byte cannot count.
    """
    if len(edges) - 1 > MOST_BINS:
        raise ValueError(f"edges must be of at most {MOST_BINS} bins, not {len(edges) - 1}")
    inner = np.array(edges[1:-1], dtype=latent.dtype)
    below = inner.astype(np.float64) < edges[1:-1]
    inner[below] = np.nextafter(inner[below], latent.dtype.type(np.inf))
    which = np.zeros(len(latent), dtype=np.uint8)
    reached = np.empty(len(latent), dtype=bool)
    at_least = [len(latent)]
    for edge in inner:
        np.greater_equal(latent, edge, out=reached)
        np.add(which, reached.view(np.uint8), out=which)
        at_least.append(int(np.count_nonzero(reached)))
    return which, -np.diff(np.array([*at_least, 0]))


def _sum_of_largest(factors: Iterable[Floats], count: int) -> Floats:
    """Sum of the largest `count` factors of each face; of all if there are fewer latents."""
    largest: list[Floats] = []
    for factor in factors:
        for place, other in enumerate(largest):
            largest[place], factor = np.maximum(other, factor), np.minimum(other, factor)
        if len(largest) < count:
            largest.append(factor)
    total: Floats = np.sum(largest, axis=0)
    return total


def _float32_product(factors: Iterable[Floats], shape: tuple[int, ...]) -> Floats:
    """Equation 4 computed directly: probabilities multiplied in single precision."""
    faces, latents = shape
    product = np.ones(faces, dtype=np.float32)
    with np.errstate(under="ignore", over="ignore"):
        for factor in factors:
            product *= np.exp(factor).astype(np.float32)
    if not product.any():
        raise DegenerateWeights(
            f"underflow: the product of {latents} probabilities is 0 in float32 "
            f"for every one of {faces} faces"
        )
    return product.astype(np.float64)


def _normalised(weight: Floats) -> Floats:
    total = weight.sum()
    if not (np.isfinite(total) and total > 0):
        raise DegenerateWeights(f"the weights sum to {total}, so they cannot be normalised")
    weights: Floats = weight / total
    return weights


def effective_sample_size(weights: Floats) -> float:
    """Effective number of faces: 1 / sum of squared weights.

    Args:
        weights: Shape (N,), finite, at least 0, summing to 1.

    Returns:
        From 1 (one face has all the weight) to N (all weights are equal).

    Raises:
        TypeError: The weights are not real numbers.
        ValueError: They are not finite, negative, of another shape or do not sum to 1.
    """
    weights = arrays.probabilities("weights", weights)
    return float(1.0 / np.square(weights).sum())


def shuffled_batches(count: int, *, batch_size: int, generator: np.random.Generator) -> Integers:
    """Every image once in random order; an incomplete last batch is dropped.

    Args:
        count: Number of images, faces and non-faces together; fewer than `batch_size` give no
            batch, as in torch's ``DataLoader`` with ``drop_last``.
        batch_size: Images in a batch, at least 1.
        generator: Source of random numbers.

    Returns:
        Indices below `count`, shape (steps, batch_size).

    Raises:
        TypeError: `count` or `batch_size` is not an integer, or `generator` is not a
            NumPy generator.
        ValueError: One is out of range.
    """
    arrays.generator(generator)
    batch_size = arrays.whole("batch_size", batch_size, 1)
    count = arrays.whole("count", count, 0)
    steps = count // batch_size
    return generator.permutation(count)[: steps * batch_size].reshape(steps, batch_size)


def weighted_batches(
    weights: Floats,
    is_face: NDArray[np.bool_],
    *,
    batch_size: int,
    replacement: Replacement,
    balance: Balance,
    generator: np.random.Generator,
    other_weights: Floats | None = None,
) -> Integers:
    """An epoch of batches, half faces drawn by weight and half non-faces, evenly or by weight.

    Source: ``balance`` ``expected`` and ``with`` replacement are de Haan et al.'s
    WeightedRandomSampler over all images; ``exact`` and ``without`` are the MIT lab's.

    Args:
        weights: Of the faces, in the order of `is_face`; finite, at least 0,
            summing to 1.
        is_face: Boolean, shape (N,); with faces and non-faces, at least `batch_size` in all.
        batch_size: Images in a batch, at least 2; an incomplete last batch is dropped.
        replacement: Whether an image can occur twice in one batch.
        balance: Half faces on average, or in every batch (with one more non-face if odd).
        generator: Source of random numbers.
        other_weights: Likewise of the images without a face; None: all alike.

    Returns:
        Indices into `is_face`, shape (steps, batch_size).

    Raises:
        TypeError: `is_face` is not boolean, `weights` are no real numbers, `batch_size` is not
            an integer, or `generator` is not a NumPy generator.
        ValueError: An unknown word; weights that are not probabilities of their images; only one
            kind of image; `batch_size` out of range.
        DegenerateWeights: Without replacement, fewer images have a weight than a batch needs.
    """
    arrays.word("replacement", replacement, get_args(Replacement))
    arrays.word("balance", balance, get_args(Balance))
    arrays.generator(generator)
    is_face = arrays.booleans("is_face", is_face)
    batch_size = arrays.whole("batch_size", batch_size, 2, len(is_face))
    weights = arrays.probabilities("weights", weights)
    faces, others = np.flatnonzero(is_face), np.flatnonzero(~is_face)
    if len(weights) != len(faces) or not len(others):
        raise ValueError(
            "weights must be one for each face in is_face, beside images without a face: "
            f"{len(weights)} weights, {len(faces)} faces and {len(others)} other images"
        )
    if other_weights is None:
        other_weights = np.full(len(others), 1.0 / len(others))
    other_weights = arrays.probabilities("other_weights", other_weights)
    if len(other_weights) != len(others):
        raise ValueError(
            "other_weights must be one for each image without a face: "
            f"{len(other_weights)} weights and {len(others)} images"
        )
    if balance == "expected":
        both = np.concatenate([weights, other_weights]) / 2
        pools = [(np.concatenate([faces, others]), both, batch_size)]
    else:
        half = batch_size // 2
        pools = [(faces, weights, half), (others, other_weights, batch_size - half)]
    steps = len(is_face) // batch_size
    drawn = [
        members[_draws(p, steps, size, replacement=replacement, generator=generator)]
        for members, p, size in pools
    ]
    return np.concatenate(drawn, axis=1)


def faces_first(batches: Integers, is_face: NDArray[np.bool_]) -> Integers:
    """The same batches with the faces first, otherwise in the same order.

    Args:
        batches: Indices into `is_face`, shape (steps, batch_size).
        is_face: Shape (N,).
    """
    order = np.argsort(~is_face[batches], axis=1, kind="stable")
    return np.take_along_axis(batches, order, axis=1)


def _draws(
    probability: Floats,
    steps: int,
    size: int,
    *,
    replacement: Replacement,
    generator: np.random.Generator,
) -> Integers:
    """Indices for all steps at once, shape (steps, size)."""
    if replacement == "with":
        return draw_indices(probability, steps * size, generator=generator).reshape(steps, size)
    if (available := np.count_nonzero(probability)) < size:
        raise DegenerateWeights(
            f"{available} images have a weight, but {size} different ones are needed in a batch"
        )
    batches = [
        generator.choice(len(probability), size=size, replace=False, p=probability)
        for _ in range(steps)
    ]
    return np.stack(batches) if batches else np.empty((0, size), dtype=np.int64)


def draw_indices(probability: Floats, count: int, *, generator: np.random.Generator) -> Integers:
    """Independent draws by inverting the cumulative distribution in float64, shape (count,).

    The uniform numbers are generated in sorted order, as cumulative sums of exponential gaps (a
    Poisson process), so one pass through the distribution suffices; then the draws are shuffled.
    Independent uniform numbers would have the same distribution and take nearly twice as long.
    """
    gaps = np.cumsum(generator.standard_exponential(count + 1))
    cumulative = np.cumsum(probability)
    rising = gaps[:-1] * (cumulative[-1] / gaps[-1])
    indices = np.searchsorted(cumulative, rising, side="right")
    last = len(probability) - 1 - int(np.argmax(probability[::-1] > 0))
    indices = np.minimum(indices, last)  # the last draw can round up to the total
    return generator.permutation(indices.astype(np.int64))
