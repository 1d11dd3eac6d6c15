"""The terms of the DB-VAE objective, one value per image.

Mathematics: tensors in, tensors out; no I/O, no randomness, no device choice, no configuration
object. Shapes: N images, D latent dimensions. Nothing here broadcasts: operands of unequal shape
are refused, because (N, 1) + (N,) is silently (N, N).

Operands are tensors of floating-point numbers on one device, in any precision, and finite: NaN and
infinity raise `ValueError`, which gives their number and the position of the first. The check
synchronises with the device once per operand. Under ``torch.compile``, and while a CUDA graph is
captured, values cannot be read and are not checked.
"""

from typing import Literal

import torch
from torch import Tensor

from repro.argument_checks import arrays, tensors
from repro.losses import formulas


def classification(logit: Tensor, is_face: Tensor) -> Tensor:
    r"""Binary cross-entropy of the face logit, for every image.

    .. math:: y \log\frac1{\hat y} + (1 - y) \log\frac1{1 - \hat y}

    Source: first term of Amini & Soleimany et al. 2019, equation 2.

    Args:
        logit: Shape (N,), finite; 0 or more means face.
        is_face: Boolean, shape (N,).

    Returns:
        Shape (N,), in nats; 0 if the right class has probability 1.

    Raises:
        TypeError: `is_face` is not boolean, or an operand is not a tensor.
        ValueError: The two shapes differ, or are not (N,); a logit is not finite.
    """
    tensors.finite(1, logit=logit)
    tensors.faces(is_face, logit=logit)
    return formulas.classification(logit, is_face)


def gaussian_kl(mean: Tensor, logvar: Tensor) -> Tensor:
    r"""KL divergence from each image's posterior to the standard normal prior.

    .. math:: \tfrac12 \sum_j \left( e^{\lambda_j} + \mu_j^2 - 1 - \lambda_j \right)

    Source: Kingma & Welling 2014, appendix B, with :math:`\lambda = \log\sigma^2`; third term of
    Amini & Soleimany et al. 2019, equation 2, whose sigma is a variance.

    Args:
        mean: Posterior mean, shape (N, D), finite.
        logvar: Posterior log-variance, shape (N, D), finite. Not log sigma.

    Returns:
        Shape (N,), in nats, summed over latents; exactly 0 where the posterior equals the prior,
        and infinite where the variance overflows its type.

    Raises:
        TypeError: An operand is not a floating-point tensor.
        ValueError: The two shapes differ, or are not (N, D); a value is not finite.
    """
    tensors.finite(2, mean=mean, logvar=logvar)
    return formulas.gaussian_kl_per_latent(mean, logvar).sum(dim=1)


def face_kl(mean: Tensor, logvar: Tensor, is_face: Tensor) -> Tensor:
    """`gaussian_kl` of the faces, 0 for the others.

    No term trains the log-variance of a non-face, so its exponential can overflow. Multiplying
    that infinity by a mask of 0 would give a gradient of NaN.

    Args:
        mean: Posterior mean, shape (N, D); finite for faces, any value for the others.
        logvar: Posterior log-variance, shape (N, D); finite for faces, any value for the others.
        is_face: Boolean, shape (N,).

    Returns:
        Shape (N,), in nats. A non-face has exactly zero gradient, whatever its latents.

    Raises:
        TypeError: `is_face` is not boolean, or an operand is not a floating-point tensor.
        ValueError: The shapes do not match; a face's value is not finite.
    """
    tensors.floating(2, mean=mean, logvar=logvar)
    tensors.faces(is_face, mean=mean)
    mean, logvar = formulas.of_faces(is_face, mean, logvar)
    return gaussian_kl(mean, logvar)


def reconstruction(
    images: Tensor,
    decoded: Tensor,
    *,
    norm: Literal["l1", "l2"],
    reduction: Literal["sum", "mean"],
) -> Tensor:
    """Reconstruction error of each image.

    Source: second term of Amini & Soleimany et al. 2019, equation 2; ``l2`` is the squared error,
    as in every public implementation, and ``sum`` is de Haan et al.'s change.

    Args:
        images: Shape (N, C, H, W), finite; in [0, 1] in training.
        decoded: Same shape, finite.
        norm: Absolute (l1) or squared (l2) differences.
        reduction: Over the pixels and channels of one image. There is always one value per
            image, so torch's ``none`` is not allowed.

    Returns:
        Shape (N,); 0 for a perfect copy.

    Raises:
        TypeError: An operand is not a floating-point tensor.
        ValueError: An unknown word; the two shapes differ, or are not (N, C, H, W); a value is
            not finite.
    """
    arrays.word("norm", norm, formulas.NORMS)
    arrays.word("reduction", reduction, formulas.REDUCTIONS)
    tensors.finite(4, images=images, decoded=decoded)
    return formulas.reconstruction(images, decoded, norm=norm, reduction=reduction)


def objective(
    *,
    classification: Tensor,
    kl: Tensor,
    reconstruction: Tensor,
    is_face: Tensor,
    weights: tuple[float, float, float],
    indicator: Literal["faces", "swapped"] = "faces",
) -> Tensor:
    r"""The weighted sum of the terms of each image; KL and reconstruction for faces only.

    .. math:: c_1 L_{class} + y \, (c_3 L_{KL} + c_2 L_{recon})

    Source: Amini & Soleimany et al. 2019, equation 2 and the text below it: gradients of the
    decoder and the latents are blocked where y = 0. The mean over a batch divides by all images.

    Args:
        classification: Shape (N,), finite.
        kl: Shape (N,); finite where it is used, see `indicator`.
        reconstruction: Shape (N,); finite where it is used.
        is_face: Boolean, shape (N,).
        weights: Of classification, reconstruction and KL: c1, c2, c3; finite, at least 0.
        indicator: ``swapped`` reproduces a defect of MIT's PyTorch lab: only faces are classified,
            and all images are reconstructed.

    Returns:
        Shape (N,). With ``faces``, a non-face's value has exactly zero gradient in its own KL and
        reconstruction.

    Raises:
        TypeError: `is_face` is not boolean, or an operand is not a floating-point tensor.
        ValueError: An unknown word; the shapes differ, or are not (N,); a value that is used is not
            finite; a weight is negative or not finite, or there are not three.
    """
    arrays.word("indicator", indicator, formulas.INDICATORS)
    if len(arrays.array("weights", weights, "(3,)", low=0.0)) != 3:
        raise ValueError(f"weights must be three: c1, c2 and c3, not {len(weights)}")
    given = {"classification": classification, "kl": kl, "reconstruction": reconstruction}
    tensors.floating(1, **given)
    tensors.faces(is_face, **given)
    masked = ("classification",) if indicator == "swapped" else ("kl", "reconstruction")
    counted = {name: torch.where(is_face, given[name], 0.0) for name in masked}
    tensors.finite(1, **(given | counted))
    return formulas.objective(**given, is_face=is_face, weights=weights, indicator=indicator)
