"""Programs of torch as files: exported ones (``.pt2``) and TorchScript (``.pt``). Both are code."""

import io
import warnings
from typing import Any

import torch

from repro.detectors.base import DetectorError, Given
from repro.detectors.loading import Context
from repro.detectors.tensors import OnTensors, Wanted, of_module, refused, shaped
from repro.plugins import guard

NOT_TORCHSCRIPT = (
    "it is no TorchScript: weights need --architecture, or a function of Python that loads them "
    "(FILE.py:NAME with --weights)"
)


def load(given: Given, _: Context) -> OnTensors:
    """The detector.

    Raises:
        DetectorError: The file is damaged, or of another kind.
    """
    with guard.undisturbed(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch deprecates TorchScript
        if given.kind == "pt2":
            return _exported(given)
        return _scripted(given)


def _exported(given: Given) -> OnTensors:
    try:
        program = torch.export.load(io.BytesIO(given.content))
        module, wanted = program.module(), _wanted(program, given)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a damaged file raises anything
        raise refused(given, "it cannot be read as an exported program", error) from None
    # An exported module has no modes, so none is chosen.
    return OnTensors(given=given, run=_without_gradients(module), wanted=wanted)


def _scripted(given: Given) -> OnTensors:
    try:
        module = torch.jit.load(io.BytesIO(given.content), map_location="cpu")  # type: ignore[no-untyped-call]
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001
        raise refused(given, NOT_TORCHSCRIPT, error) from None
    return OnTensors(given=given, run=of_module(module))


def _without_gradients(module: torch.nn.Module) -> Any:
    def run(batch: Any) -> Any:
        with torch.no_grad():
            return module(torch.from_numpy(batch))

    return run


def _wanted(program: Any, given: Given) -> Wanted:
    """What the program's only input is like; a dimension that is free is not a number there."""
    names = program.graph_signature.user_inputs
    inputs = [one for one in program.graph.nodes if one.op == "placeholder" and one.name in names]
    if len(inputs) != 1:
        raise DetectorError(
            f"{given.origin}: it has {len(inputs)} inputs: one, the pictures, is expected"
        )
    example = inputs[0].meta["val"]
    free = [one if isinstance(one, int) else None for one in example.shape]
    return shaped(given, free, str(example.dtype).removeprefix("torch."))
