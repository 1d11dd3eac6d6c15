"""The terms of the objective as training computes them: without checks and synchronisation.

`repro.losses` and `repro.models` document them and check their arguments. Training reports a value
that became NaN or infinite at the end of the epoch.
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

NORMS: dict[str, Callable[[Tensor], Tensor]] = {"l1": torch.abs, "l2": torch.square}
REDUCTIONS: dict[str, Callable[..., Tensor]] = {"sum": torch.sum, "mean": torch.mean}
INDICATORS = ("faces", "swapped")
NOISES = ("std", "variance")


def classification(logit: Tensor, is_face: Tensor) -> Tensor:
    """See `losses.classification`."""
    return functional.binary_cross_entropy_with_logits(
        logit, is_face.to(logit.dtype), reduction="none"
    )


def gaussian_kl_per_latent(mean: Tensor, logvar: Tensor) -> Tensor:
    """The summands of `losses.gaussian_kl`, shape (N, D), in nats."""
    return 0.5 * (mean.square() + logvar.expm1() - logvar)


def face_kl(mean: Tensor, logvar: Tensor, is_face: Tensor) -> Tensor:
    """See `losses.face_kl`."""
    return gaussian_kl_per_latent(*of_faces(is_face, mean, logvar)).sum(dim=1)


def of_faces(is_face: Tensor, *latents: Tensor) -> tuple[Tensor, ...]:
    """Latents of shape (N, D), set to 0 for images without a face."""
    faces = is_face.unsqueeze(1)
    return tuple(torch.where(faces, latent, 0.0) for latent in latents)


def reconstruction(
    images: Tensor,
    decoded: Tensor,
    *,
    norm: Literal["l1", "l2"],
    reduction: Literal["sum", "mean"],
) -> Tensor:
    """See `losses.reconstruction`."""
    return REDUCTIONS[reduction](NORMS[norm](images - decoded), dim=(1, 2, 3))


def objective(
    *,
    classification: Tensor,
    kl: Tensor,
    reconstruction: Tensor,
    is_face: Tensor,
    weights: tuple[float, float, float],
    indicator: Literal["faces", "swapped"] = "faces",
) -> Tensor:
    """See `losses.objective`."""
    c1, c2, c3 = weights
    variational = c3 * kl + c2 * reconstruction
    if indicator == "swapped":
        return torch.where(is_face, c1 * classification, 0.0) + variational
    return c1 * classification + torch.where(is_face, variational, 0.0)


def reparameterise(
    mean: Tensor, logvar: Tensor, noise: Tensor, *, times: Literal["std", "variance"] = "std"
) -> Tensor:
    """See `models.reparameterise`."""
    return mean + torch.exp(logvar if times == "variance" else 0.5 * logvar) * noise
