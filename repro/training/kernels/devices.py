"""What torch can do on a device: a processor, GPUs by CUDA, Apple's GPU (``mps``).

Apple's GPU has no float64, so that sums which are float64 elsewhere are float32 there. Torch's
operators have been wrong on it without a word where maps are not stored row by row (issues 175189,
192212 and 162730 of pytorch), so that there they always are. Torch documents no deterministic mode
for it: nothing promises the same bits for the same seed.
"""

import torch

from repro.errors import ReproError
from repro.system import machine

BFLOAT16 = (14, 0)  # the macOS from which torch computes in bfloat16 on Apple's GPU


def require(device: str) -> None:
    """Refuse a device that does not exist.

    Args:
        device: ``cpu``, ``mps``, or ``cuda:`` and a number.

    Raises:
        ReproError: There is no such GPU.
    """
    kind, _, number = device.partition(":")
    if kind == "mps" and not torch.backends.mps.is_available():
        raise ReproError(
            f"--device mps: torch {torch.__version__} sees no GPU of Apple's here; leave the "
            "option out"
        )
    if kind == "cuda" and int(number) >= torch.cuda.device_count():
        raise ReproError(
            f"--device {device}: torch {torch.__version__} sees {torch.cuda.device_count()} GPUs "
            "here; leave the option out, or install the build of torch for your GPU"
        )


def require_precision(device: torch.device, precision: str) -> None:
    """Refuse a precision in which torch would silently not compute on a device.

    Args:
        device: One that exists.
        precision: ``fp32`` or ``bf16``.

    Raises:
        ReproError: It is bf16, on a macOS that is too old.
    """
    if device.type != "mps" or precision != "bf16":
        return
    if not torch.backends.mps.is_macos_or_newer(*BFLOAT16):
        raise ReproError("precision: bf16 on --device mps needs macOS 14 or newer; choose fp32")


def name(device: str) -> str:
    """The device as people know it; a processor is ``cpu``."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    return f"{machine.processor_name()}, its GPU" if device == "mps" else "cpu"


def widest(device: torch.device) -> torch.dtype:
    """The type of sums over many images: float64, or float32 where there is none."""
    return torch.float32 if device.type == "mps" else torch.float64


def records_graphs(device: torch.device) -> bool:
    """Whether its work can be recorded and replayed as a whole."""
    return device.type == "cuda"


def takes_any_layout(device: torch.device) -> bool:
    """Whether torch's operators are right on it however a tensor lies in memory."""
    return device.type != "mps"
