"""Tensors of a run's state by name, and the moments of Adam among them."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn


def named(part: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a part of a state, with the prefix of the part."""
    return {f"{part}.{name}": tensor for name, tensor in tensors.items()}


def unnamed(part: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The inverse of `named`."""
    start = f"{part}."
    return {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}


def moments(optimiser: torch.optim.Adam, network: nn.Module) -> dict[str, Tensor]:
    """Adam's moments and number of steps, by the number of the network's parameter."""
    found: dict[str, Tensor] = {}
    for number, parameter in enumerate(network.parameters()):
        found |= named(f"adam.{number}", optimiser.state[parameter])
    return found


def restore_moments(
    optimiser: torch.optim.Adam, network: nn.Module, tensors: Mapping[str, Tensor]
) -> None:
    """Continue from `moments`, among other tensors."""
    for number, parameter in enumerate(network.parameters()):
        # In the memory layout of the parameter, as Adam creates them.
        optimiser.state[parameter] = {
            name: torch.empty_like(parameter).copy_(m) if m.ndim else m.to(parameter.device)
            for name, m in unnamed(f"adam.{number}", tensors).items()
        }
