"""What keeps the bits of a stacked network on a processor from its place in the stack.

Torch computes whole vectors of numbers at once, and what is left over one by one, by functions that
round otherwise (the sigmoid, Adam). In a tensor of all networks only numbers of the last ones are
left over. A GPU computes every number by the same function.
"""

import torch
from torch import Tensor
from torch.nn import functional
from torch.optim.adam import adam

from repro.training.kernels import dense

WHOLE = 64  # rows; a multiple of every processor's vectors, and of two of them


def padded(rows: Tensor) -> Tensor:
    """Rows (N, ...), on a processor with zeros after them, so that nothing is left over."""
    if rows.device.type != "cpu":
        return rows
    return functional.pad(rows, (0, 0) * (rows.ndim - 1) + (0, -len(rows) % WHOLE))


def update(optimiser: torch.optim.Adam) -> None:
    """A step of Adam, on a processor network by network.

    Args:
        optimiser: Fused, with torch's defaults but for the learning rate; of parameters (S, ...) of
            S stacked networks, all on one device.
    """
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    if parameters[0].device.type != "cpu":
        optimiser.step()
        return
    for parameter in parameters:
        if parameter.grad is not None:
            _update(optimiser, parameter, parameter.grad)


def _update(optimiser: torch.optim.Adam, parameter: Tensor, gradient: Tensor) -> None:
    state, group = optimiser.state[parameter], optimiser.param_groups[0]
    if not state:
        state.update(dense.fresh(parameter))
    tensors = (parameter.detach(), gradient, state["exp_avg"], state["exp_avg_sq"])
    values, slopes, first, second = (list(tensor.unbind()) for tensor in tensors)
    adam(
        values,
        slopes,
        first,
        second,
        max_exp_avg_sqs=[],
        state_steps=[state["step"].clone() for _ in values],
        fused=True,
        amsgrad=False,
        beta1=group["betas"][0],
        beta2=group["betas"][1],
        lr=group["lr"],
        weight_decay=0.0,
        eps=group["eps"],
        maximize=False,
    )
    state["step"] += 1
