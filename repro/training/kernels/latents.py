"""Sampled latents and the KL term as one node of autograd: `formulas` on a processor, bit for bit.

As separate operators, the latents of a small batch are some forty launches a step.
"""

from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from repro.training.kernels.c_calls import call


def latents(
    mean: Tensor,
    logvar: Tensor,
    noise: Tensor,
    has_latents: Tensor,
    *,
    times: Literal["std", "variance"],
) -> tuple[Tensor, Tensor]:
    """Latents sampled from the posterior, and its KL term.

    Args:
        mean: Posterior mean, float32 (N, D).
        logvar: Log of its variance, (N, D).
        noise: Standard normal, (N, D).
        has_latents: Images that have a KL term, boolean (N,).
        times: What multiplies the noise.

    Returns:
        Shape (N, D), see `formulas.reparameterise`; and (N,), see `formulas.face_kl`.
    """
    parts = (part.contiguous() for part in (mean, logvar, noise))
    sampled, kl = _Latents.apply(*parts, has_latents, 1.0 if times == "variance" else 0.5)  # type: ignore[no-untyped-call]
    return sampled, kl


class _Latents(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, mean: Tensor, logvar: Tensor, noise: Tensor, has: Tensor, share: float
    ) -> tuple[Tensor, Tensor]:
        deviation = torch.exp(logvar if share == 1 else share * logvar)
        growth = logvar.expm1()
        sampled, kl = torch.empty_like(mean), torch.empty_like(mean)
        call("latents", mean, logvar, noise, deviation, growth, has, sampled, kl, *mean.shape)
        ctx.save_for_backward(mean, noise, deviation, growth, has)
        ctx.share = share
        ctx.set_materialize_grads(False)
        return sampled, kl.sum(dim=1)

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, by_sampled: Tensor | None, by_kl: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        saved = ctx.saved_tensors
        by_mean, by_logvar = torch.empty_like(saved[0]), torch.empty_like(saved[0])
        given = [None if by is None else by.contiguous() for by in (by_sampled, by_kl)]
        sizes = by_mean.shape
        call("latents_backward", *saved, *given, by_mean, by_logvar, *sizes, ctx.share)
        return by_mean, by_logvar, None, None, None
