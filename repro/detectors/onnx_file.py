"""An ONNX file, run by onnxruntime, which comes with the extra ``onnx``. It is data, not code."""

from typing import Any

from repro.detectors.base import DetectorError, Given
from repro.detectors.loading import Context
from repro.detectors.tensors import OnTensors, refused, shaped

MISSING = "onnxruntime is not installed here: pip install 'repro-claims[onnx]'"
OF_TYPES = {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(uint8)": "uint8"}
QUIET = 3  # errors alone


def load(given: Given, _: Context) -> OnTensors:
    """The detector.

    Raises:
        DetectorError: onnxruntime is missing, or the file is damaged, or has not one input and
            one output.
    """
    try:
        import onnxruntime
    except ImportError:
        raise DetectorError(f"{given.origin}: {MISSING}") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = QUIET
    try:
        session = onnxruntime.InferenceSession(
            given.content, options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # noqa: BLE001 - each release has its own classes
        raise refused(given, "it cannot be read as ONNX", error) from None
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if (len(inputs), len(outputs)) != (1, 1):
        raise DetectorError(
            f"{given.origin}: it has {len(inputs)} inputs and {len(outputs)} outputs: one each, "
            "the pictures and a number for each, is expected"
        )
    free = [one if isinstance(one, int) and one > 0 else None for one in inputs[0].shape]
    wanted = shaped(given, free, OF_TYPES.get(inputs[0].type, inputs[0].type))

    def run(batch: Any) -> Any:
        (made,) = session.run(None, {inputs[0].name: batch})
        return made

    return OnTensors(given=given, run=run, wanted=wanted)
