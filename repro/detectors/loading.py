"""Make a detector of what was given. This runs other people's code: only the child process does.

Each kind has a module with ``load(given, context)``.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from repro.detectors.base import Detector, Given, Kind
from repro.plugins.catalogue import Catalogue
from repro.study import methods

# Where the loader of each kind is, imported when it is used: one may need a package of an extra.
LOADERS: dict[Kind, str] = {
    "python": "repro.detectors.python_file",
    "pt2": "repro.detectors.torch_programs",
    "torchscript": "repro.detectors.torch_programs",
    "onnx": "repro.detectors.onnx_file",
    "safetensors": "repro.detectors.weight_file",
    "package": "repro.detectors.packaged.registry",
}


@dataclass(frozen=True, slots=True)
class Context:
    """What a loader may use beside the file.

    Attributes:
        catalogue: What the study can name, with its plug-ins.
    """

    catalogue: Catalogue = methods.BUILT_IN


def load(given: Given, context: Context) -> Detector:
    """The detector.

    Raises:
        DetectorError: The file is damaged or of another kind, or a package is missing.
        PluginError: Code of the detector raised an error.
    """
    made: Callable[[Given, Context], Detector]
    made = importlib.import_module(LOADERS[given.kind]).load
    return made(given, context)
