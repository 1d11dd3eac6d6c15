"""The terms of the DB-VAE objective, one value per image.

Mathematics: tensors in, tensors out; no I/O, no randomness, no device choice, no configuration
object. Shapes: N images, D latent dimensions. Nothing here broadcasts: operands of unequal shape
are refused, because (N, 1) + (N,) is silently (N, N).

Operands are tensors of floating-point numbers on one device, in any precision, and finite: NaN and
infinity are refused with how many there are and where the first one is. To see this the host waits
for the device once for each operand. Under ``torch.compile`` and while a CUDA graph is captured no
value can be read, and none is.
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
        logit: Shape (N,), finite; 0 and above says face.
        is_face: Boolean, shape (N,).

    Returns:
        Shape (N,), in nats; 0 for certainty in the right answer.

    Raises:
        TypeError: `is_face` is not boolean, or an operand is no tensor.
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
        Shape (N,), in nats, summed over latents; 0 exactly where the posterior is the prior, and
        infinite where the variance is larger than its type can hold.

    Raises:
        TypeError: An operand is no tensor of floating-point numbers.
        ValueError: The two shapes differ, or are not (N, D); a value is not finite.
    """
    tensors.finite(2, mean=mean, logvar=logvar)
    return formulas.gaussian_kl_per_latent(mean, logvar).sum(dim=1)


def face_kl(mean: Tensor, logvar: Tensor, is_face: Tensor) -> Tensor:
    """`gaussian_kl` of the faces, 0 for the others.

    A non-face's log-variance is trained by nothing and can grow until its exponential overflows;
    masked after the fact, that infinity times 0 would be a gradient of NaN.

    Args:
        mean: Posterior mean, shape (N, D); finite for faces, anything for the others.
        logvar: Posterior log-variance, shape (N, D); finite for faces, anything for the others.
        is_face: Boolean, shape (N,).

    Returns:
        Shape (N,), in nats. A non-face has exactly zero gradient, whatever its latents.

    Raises:
        TypeError: `is_face` is not boolean, or an operand is no tensor of floating-point numbers.
        ValueError: The shapes do not belong together; a face's value is not finite.
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
    """Error between each image and its decoding.

    Source: second term of Amini & Soleimany et al. 2019, equation 2; ``l2`` is the squared error,
    as in every public implementation, and ``sum`` is de Haan et al.'s change.

    Args:
        images: Shape (N, C, H, W), finite; training's lie in [0, 1].
        decoded: Same shape, finite.
        norm: Absolute (l1) or squared (l2) differences.
        reduction: Over the pixels and channels of one image. There is always one value for each
            image, so that torch's ``none`` is no choice here.

    Returns:
        Shape (N,); 0 for a perfect copy.

    Raises:
        TypeError: An operand is no tensor of floating-point numbers.
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
    r"""The weighted terms of each image, the variational ones for faces only.

    .. math:: c_1 L_{class} + y \, (c_3 L_{KL} + c_2 L_{recon})

    Source: Amini & Soleimany et al. 2019, equation 2 and the text below it: gradients of the
    decoder and the latents are blocked where y = 0. The mean over a batch divides by all images.

    Args:
        classification: Shape (N,), finite.
        kl: Shape (N,); finite wherever it counts, see `indicator`.
        reconstruction: Shape (N,); finite wherever it counts.
        is_face: Boolean, shape (N,).
        weights: Of classification, reconstruction and KL: c1, c2, c3; finite, at least 0.
        indicator: ``swapped`` is a defect of MIT's PyTorch lab, kept to be measured: there faces
            alone are classified, and everything is reconstructed.

    Returns:
        Shape (N,). With ``faces``, a non-face's value has exactly zero gradient in its own KL and
        reconstruction.

    Raises:
        TypeError: `is_face` is not boolean, or an operand is no tensor of floating-point numbers.
        ValueError: An unknown word; the shapes differ, or are not (N,); a value that counts is not
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
