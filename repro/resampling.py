"""From latents to the probability of drawing each face, and from probabilities to batches.

Pure functions on NumPy arrays in float64. Symbols: N faces, D latents, B bins.
Source: Amini & Soleimany et al. 2019, equations 3 and 4 and algorithm 1; the histogram's details
are those of the MIT lab's ``get_training_sample_probabilities``.
"""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Combine = Literal["max", "product", "top5"]


class DegenerateWeights(ArithmeticError):
    """The weights cannot be computed in the arithmetic that was asked for."""


def face_weights(
    latents: Floats,
    *,
    combine: Combine,
    density: Literal["mass", "density"],
    alpha: float,
    bins: int,
    arithmetic: Literal["log", "float32"] = "log",
) -> Floats:
    r"""Probability of drawing each face: rare latents weigh more.

    .. math:: W(z(x)|X) \propto \prod_i \frac{1}{\hat Q_i(z_i(x)|X) + \alpha}

    Source: Amini & Soleimany et al. 2019, equation 4 (``product``); the MIT lab and de Haan et al.
    2020 take the maximum over latents (``max``), FacialDebiasing the product of the five largest
    factors (``top5``).

    Args:
        latents: Shape (N, D).
        combine: How the factors of one face are combined over the latents.
        density: Whether a histogram's bins sum to 1 (mass) or integrate to 1 (density).
        alpha: Smoothing, at least 0; infinity is uniform.
        bins: Bins of equal width per latent.
        arithmetic: ``log`` adds logarithms; ``float32`` multiplies probabilities as they are.

    Returns:
        Shape (N,), summing to 1.

    Raises:
        DegenerateWeights: The arithmetic under- or overflows, or no face has a finite weight.
    """
    if combine == "product" and arithmetic == "float32":
        return _normalised(_float32_product(latents, density=density, alpha=alpha, bins=bins))
    if combine == "product":
        log_weight = np.zeros(len(latents))
        for column in latents.T:
            log_weight += latent_log_weights(column, density=density, alpha=alpha, bins=bins)
    else:
        factors = np.stack(
            [latent_log_weights(z, density=density, alpha=alpha, bins=bins) for z in latents.T]
        )
        largest = np.sort(factors, axis=0)[-(1 if combine == "max" else 5) :]
        log_weight = largest.sum(axis=0)
    return _normalised(np.exp(log_weight - log_weight.max()))


def latent_log_weights(
    latent: Floats, *, density: Literal["mass", "density"], alpha: float, bins: int
) -> Floats:
    r"""Logarithm of one latent's factor for each face, its exponentials summing to 1.

    .. math:: \log\frac{1}{\hat Q(z) + \alpha} - \log \sum_x \frac{1}{\hat Q(z(x)) + \alpha}

    Only occupied bins are ever looked up, so that alpha = 0 is legal.

    Args:
        latent: Shape (N,).
        density: See `face_weights`.
        alpha: See `face_weights`.
        bins: See `face_weights`.

    Returns:
        Shape (N,); equal values for a latent that is constant.
    """
    edges = histogram_edges(latent, bins)
    which = bin_index(latent, edges)
    counts = np.bincount(which, minlength=bins)
    heights = counts / len(latent)
    if density == "density":
        heights /= edges[1] - edges[0]
    inverse = 1.0 / (heights[counts > 0] + alpha)
    table = np.zeros(bins)
    table[counts > 0] = np.log(inverse) - np.log(counts[counts > 0] @ inverse)
    log_weights: Floats = table[which]
    return log_weights


def histogram_edges(latent: Floats, bins: int) -> Floats:
    """NumPy's rule: equal bins from minimum to maximum, or one unit around a constant."""
    low, high = latent.min(), latent.max()
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, bins + 1)


def bin_index(latent: Floats, edges: Floats) -> NDArray[np.uint8]:
    """Bin of each value, by exact comparison with the inner edges; the last bin is closed."""
    which = np.zeros(len(latent), dtype=np.uint8)
    for edge in edges[1:-1]:
        which += latent >= edge
    return which


def _float32_product(
    latents: Floats, *, density: Literal["mass", "density"], alpha: float, bins: int
) -> Floats:
    """Equation 4 as it is first written down: probabilities multiplied in single precision."""
    product = np.ones(len(latents), dtype=np.float32)
    with np.errstate(under="ignore", over="ignore"):
        for z in latents.T:
            factor = np.exp(latent_log_weights(z, density=density, alpha=alpha, bins=bins))
            product *= factor.astype(np.float32)
    if not product.any():
        raise DegenerateWeights(
            f"underflow: the product of {latents.shape[1]} probabilities is 0 in float32 "
            f"for every one of {len(latents)} faces"
        )
    return product.astype(np.float64)


def _normalised(weight: Floats) -> Floats:
    total = weight.sum()
    if not (np.isfinite(total) and total > 0):
        raise DegenerateWeights(f"the weights sum to {total}, which is no probability")
    weights: Floats = weight / total
    return weights


def effective_sample_size(weights: Floats) -> float:
    """How many equally likely faces would vary as much: 1 / sum of squared weights, 1 to N."""
    return float(1.0 / np.square(weights).sum())


def shuffled_batches(
    count: int, *, batch_size: int, generator: np.random.Generator
) -> Iterator[Integers]:
    """Every image once in random order; the last, incomplete batch is left out.

    Args:
        count: Number of images, faces and non-faces together.
        batch_size: Images in a batch.
        generator: Stream of the batches.

    Yields:
        Indices below `count`, shape (batch_size,).
    """
    order = generator.permutation(count)
    for start in range(0, count - batch_size + 1, batch_size):
        yield order[start : start + batch_size]


def weighted_batches(
    weights: Floats,
    is_face: NDArray[np.bool_],
    *,
    batch_size: int,
    replacement: Literal["with", "without"],
    balance: Literal["expected", "exact"],
    generator: np.random.Generator,
) -> Iterator[Integers]:
    """An epoch of batches, half faces drawn by weight and half non-faces drawn evenly.

    Source: ``balance`` ``expected`` and ``with`` replacement are de Haan et al.'s
    WeightedRandomSampler over all images; ``exact`` and ``without`` are the MIT lab's.

    Args:
        weights: Of the faces, in the order in which they stand in `is_face`; sums to 1.
        is_face: Shape (N,).
        batch_size: Images in a batch; the last, incomplete one is left out.
        replacement: Whether an image can stand twice in one batch.
        balance: Half faces on average, or in every batch (the odd image is a non-face).
        generator: Stream of the batches.

    Yields:
        Indices into `is_face`, shape (batch_size,).

    Raises:
        DegenerateWeights: Without replacement, fewer images have a weight than a batch needs.
    """
    faces, others = np.flatnonzero(is_face), np.flatnonzero(~is_face)
    even = np.full(len(others), 1.0 / len(others))
    if balance == "expected":
        pools = [(np.concatenate([faces, others]), np.concatenate([weights, even]) / 2, batch_size)]
    else:
        half = batch_size // 2
        pools = [(faces, weights, half), (others, even, batch_size - half)]
    steps = len(is_face) // batch_size
    drawn = [
        members[_draws(p, steps, size, replacement=replacement, generator=generator)]
        for members, p, size in pools
    ]
    yield from np.concatenate(drawn, axis=1)


def _draws(
    probability: Floats,
    steps: int,
    size: int,
    *,
    replacement: Literal["with", "without"],
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
    """Independent draws by inverting the cumulative distribution in float64, shape (count,)."""
    cumulative = np.cumsum(probability)
    uniform = generator.random(count) * cumulative[-1]
    indices: Integers = np.searchsorted(cumulative, uniform, side="right").astype(np.int64)
    return np.minimum(indices, len(probability) - 1)  # u x total can round up to the total
