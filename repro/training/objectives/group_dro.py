"""Group DRO: the training faces' groups are weighted by how badly they are classified.

Sagawa, Koh, Hashimoto and Liang (2020), "Distributionally Robust Neural Networks for Group Shifts",
ICLR, arXiv 1911.08731. It minimises the loss of the worst group (equation 5 with its adjustment)::

    min over theta of max over g of ( E_g[l(theta)] + C / sqrt(n_g) )

by algorithm 1: in each step, with L_g the mean loss of group g in the batch,::

    q_g <- q_g exp(eta (L_g + C / sqrt(n_g))) / (the same, summed over all groups)
    a step on  sum over g of q_g L_g,  with the new q.

Here q is over the G groups of faces only: non-faces as another group would take all of it. The loss
is half that of the faces and half that of the non-faces, as in a balanced batch::

    1/2 sum over g of q_g L_g  +  1/2 (mean loss of non-faces)

A group that is absent from a batch keeps its q (before the division). q sees classification alone:
with a summed reconstruction it would follow pixels. The adjustment enters q, never the loss.

Step size: the ratio of two groups whose losses differ by d doubles in ln 2 / (eta d) steps. At the
published 0.01 and d = 0.2 that is 347 steps, and a small study has 400: q hardly moves. The default
is therefore 0.1, the value of Idrissi et al. (2022).

The mean of a group in a batch has as much weight as its q, whatever its size: at even q this is
reweighting by inverse frequency, on the loss. The paper draws batches with equal groups, which here
is the rule ``oracle``.

Knows the groups of all training faces. Cost: none beside a few sums per step.
"""

from typing import cast

import torch
from torch import Tensor

from repro.errors import ReproError
from repro.training.kernels import devices
from repro.training.objective import Batch, Objective, ObjectiveContext, Terms


def group_means(losses: Tensor, groups: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Mean loss of each group in a batch, and its number of images.

    Args:
        losses: (N,).
        groups: Position of each image's group, -1 for none, int64 (N,).
        count: Number of groups G.

    Returns:
        Means (G,), 0 where a group is absent, and numbers (G,), both as the losses' type.
    """
    belongs = groups.unsqueeze(1) == torch.arange(count, device=groups.device)
    numbers = belongs.sum(dim=0).to(losses.dtype)
    sums = torch.where(belongs, losses.unsqueeze(1), 0.0).sum(dim=0)
    return sums / numbers.clamp(min=1), numbers


def updated_q(
    q: Tensor, means: Tensor, present: Tensor, *, step_size: float, adjustment: Tensor | float = 0.0
) -> Tensor:
    """The weights of the groups after a step of exponentiated ascent.

    Args:
        q: Before, positive, sum 1, (G,).
        means: Mean loss of each group in the batch, (G,); unchanged.
        present: Whether the batch has the group, boolean (G,).
        step_size: eta, 0 or more.
        adjustment: C / sqrt(n_g), (G,).

    Returns:
        Sum 1, (G,).
    """
    rise = torch.where(present, step_size * (means + adjustment), 0.0)
    raised = q * torch.exp(rise - rise.max())  # the maximum cancels; without it exp overflows
    return raised / raised.sum()


def batch_factors(q: Tensor, groups: Tensor, is_face: Tensor) -> Tensor:
    """Factors whose weighted mean over a batch is half the robust loss and half the non-faces'.

    Args:
        q: Weights of the groups, sum 1, (G,).
        groups: Position of each face's group, -1 for non-faces, int64 (N,).
        is_face: Boolean (N,).

    Returns:
        (N,), as q; 1 for every image if q is even and so is the batch.
    """
    belongs = groups.unsqueeze(1) == torch.arange(len(q), device=q.device)
    numbers = belongs.sum(dim=0).clamp(min=1)
    half = len(groups) / 2
    faces = torch.where(belongs, half * q / numbers, 0.0).sum(dim=1)
    return torch.where(is_face, faces, half / (~is_face).sum().clamp(min=1))


class GroupDro(Objective):
    """Group DRO (Sagawa et al. 2020); see the module.

    Parameters: ``step_size`` (eta of q), ``adjustment`` (C) and ``terms`` (what a face's factor
    multiplies).
    """

    captured = True

    def __init__(self, context: ObjectiveContext) -> None:
        """Start with even weights of the groups of the training faces.

        Raises:
            ReproError: A group has no training face.
        """
        parameters = context.parameters
        self.terms = cast(Terms, parameters.terms)
        self.step_size: float = parameters.step_size
        self.groups, self.names = context.groups, context.group_names
        sizes = context.sizes(context.train)
        for name, size in sizes.items():
            if not size:
                raise ReproError(f"objective.name: group_dro: no training face is of group {name}")
        exact = devices.widest(context.device)
        numbers = torch.tensor(list(sizes.values()), dtype=exact, device=context.device)
        self.adjustment = parameters.adjustment / numbers.sqrt()
        self.q = torch.full_like(self.adjustment, 1 / len(self.names))

    def weights(self, batch: Batch) -> Tensor:
        """Update q from the batch's classification loss; each image's factor with the new q."""
        groups = self.groups[batch.index]
        losses = batch.classification.detach().to(self.q.dtype)
        means, numbers = group_means(losses, groups, len(self.names))
        step_size, adjustment = self.step_size, self.adjustment
        self.q.copy_(
            updated_q(self.q, means, numbers > 0, step_size=step_size, adjustment=adjustment)
        )
        return batch_factors(self.q, groups, batch.is_face).to(batch.classification.dtype)

    def epoch_ended(self) -> dict[str, float]:
        """The weight of each group."""
        return {f"q/{name}": q for name, q in zip(self.names, self.q.tolist(), strict=True)}

    def state(self) -> dict[str, Tensor]:
        """The weights of the groups."""
        return {"q": self.q}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Continue from a state."""
        self.q.copy_(state["q"])
