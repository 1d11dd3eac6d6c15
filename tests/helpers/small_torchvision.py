"""The networks of torchvision, also where its compiled operators belong to another build of torch.

`pip` may take torch for processors and torchvision for CUDA. Then torchvision cannot be imported,
because two operators of object detection are not there. No network here uses them: declared, they
let the rest be imported.
"""

import contextlib
import importlib

import torch

_DECLARED = []  # they are gone with what declared them


def make_importable():
    """Declare the operators if they are missing."""
    try:
        importlib.import_module("torchvision")
    except RuntimeError:
        library = torch.library.Library("torchvision", "FRAGMENT")
        _DECLARED.append(library)
        for name in ("nms", "qnms"):
            with contextlib.suppress(RuntimeError):
                library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        importlib.import_module("torchvision")
