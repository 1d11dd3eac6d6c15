"""The terms of the DB-VAE objective, one value per image.

Mathematics: tensors in, tensors out; no I/O, no randomness, no device choice, no configuration
object. Shapes: N images, D latent dimensions. Nothing here broadcasts: operands of unequal shape
are refused, because (N, 1) + (N,) is silently (N, N).
"""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional


def classification(logit: Tensor, is_face: Tensor) -> Tensor:
    r"""Binary cross-entropy of the face logit, for every image.

    .. math:: y \log\frac1{\hat y} + (1 - y) \log\frac1{1 - \hat y}

    Source: first term of Amini & Soleimany et al. 2019, equation 2.

    Args:
        logit: Shape (N,); 0 and above says face.
        is_face: Boolean, shape (N,).

    Returns:
        Shape (N,), in nats; 0 for certainty in the right answer.

    Raises:
        ValueError: The two shapes differ.
    """
    _require_equal_shapes(logit=logit, is_face=is_face)
    return functional.binary_cross_entropy_with_logits(
        logit, is_face.to(logit.dtype), reduction="none"
    )


def gaussian_kl(mean: Tensor, logvar: Tensor) -> Tensor:
    r"""KL divergence from each image's posterior to the standard normal prior.

    .. math:: \tfrac12 \sum_j \left( e^{\lambda_j} + \mu_j^2 - 1 - \lambda_j \right)

    Source: Kingma & Welling 2014, appendix B, with :math:`\lambda = \log\sigma^2`; third term of
    Amini & Soleimany et al. 2019, equation 2, whose sigma is a variance.

    Args:
        mean: Posterior mean, shape (N, D).
        logvar: Posterior log-variance, shape (N, D). Not log sigma.

    Returns:
        Shape (N,), in nats, summed over latents; 0 exactly where the posterior is the prior.

    Raises:
        ValueError: The two shapes differ.
    """
    return gaussian_kl_per_latent(mean, logvar).sum(dim=1)


def face_kl(mean: Tensor, logvar: Tensor, is_face: Tensor) -> Tensor:
    """`gaussian_kl` of the faces, 0 for the others.

    A non-face's log-variance is trained by nothing and can grow until its exponential overflows;
    masked after the fact, that infinity times 0 would be a gradient that is no number.

    Args:
        mean: Posterior mean, shape (N, D).
        logvar: Posterior log-variance, shape (N, D).
        is_face: Boolean, shape (N,).

    Returns:
        Shape (N,). A non-face has exactly zero gradient, whatever its latents.
    """
    faces = is_face.unsqueeze(1)
    return gaussian_kl(torch.where(faces, mean, 0.0), torch.where(faces, logvar, 0.0))


def gaussian_kl_per_latent(mean: Tensor, logvar: Tensor) -> Tensor:
    """The terms of `gaussian_kl`, shape (N, D), in nats."""
    _require_equal_shapes(mean=mean, logvar=logvar)
    return 0.5 * (mean.square() + logvar.expm1() - logvar)


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
        images: In [0, 1], shape (N, C, H, W).
        decoded: Same shape.
        norm: Absolute (l1) or squared (l2) differences.
        reduction: Over the pixels and channels of one image.

    Returns:
        Shape (N,); 0 for a perfect copy.

    Raises:
        ValueError: The two shapes differ.
    """
    _require_equal_shapes(images=images, decoded=decoded)
    difference = images - decoded
    error = difference.abs() if norm == "l1" else difference.square()
    return error.sum(dim=(1, 2, 3)) if reduction == "sum" else error.mean(dim=(1, 2, 3))


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
        classification: Shape (N,).
        kl: Shape (N,).
        reconstruction: Shape (N,).
        is_face: Boolean, shape (N,).
        weights: Of classification, reconstruction and KL: c1, c2, c3.
        indicator: ``swapped`` is a defect of MIT's PyTorch lab, kept to be measured: there faces
            alone are classified, and everything is reconstructed.

    Returns:
        Shape (N,). With ``faces``, a non-face's value has exactly zero gradient in its own KL and
        reconstruction.

    Raises:
        ValueError: The shapes differ.
    """
    _require_equal_shapes(
        classification=classification, kl=kl, reconstruction=reconstruction, is_face=is_face
    )
    c1, c2, c3 = weights
    variational = c3 * kl + c2 * reconstruction
    if indicator == "swapped":
        return torch.where(is_face, c1 * classification, 0.0) + variational
    return c1 * classification + torch.where(is_face, variational, 0.0)


def _require_equal_shapes(**tensors: Tensor) -> None:
    if len({tensor.shape for tensor in tensors.values()}) > 1:
        shapes = ", ".join(f"{name} {tuple(t.shape)}" for name, t in tensors.items())
        raise ValueError(f"shapes differ: {shapes}")
