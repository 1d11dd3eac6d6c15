"""What a user gives as a detector: read and digested, and not run."""

from pathlib import Path

import pytest

from repro.detectors.base import DetectorError
from repro.detectors.given import of_option
from repro.plugins.plugin_errors import PluginError


def test_a_file_of_python_is_read_and_not_run(tmp_path):
    """Its digest is that of its text; another file of weights gives another one."""
    path = tmp_path / "theirs.py"
    path.write_text("raise SystemExit\n")
    (tmp_path / "w").write_bytes(b"1")

    one = of_option(f"{path}:load")
    weighted = of_option(f"{path}:load", weights=tmp_path / "w")

    assert (one.name, one.origin, one.kind) == ("theirs", "theirs.py:load", "python")
    assert one.text.digest == one.digest != weighted.digest


@pytest.mark.parametrize(
    ("model", "options", "told"),
    [
        ("theirs.py", {}, "name what to use of it, as theirs.py:load"),
        ("theirs.py:a b", {}, "'a b' is no name of Python"),
        ("theirs.h5", {}, "its ending is of no kind of detector"),
        ("theirs", {}, "its ending is of no kind of detector"),
        ("theirs.onnx", {}, "file not found"),
        ("theirs.safetensors", {}, "add --architecture"),
        ("theirs.onnx", {"architecture": "mit2020"}, "--architecture is for files of weights"),
        ("theirs.onnx", {"weights": Path("w")}, "--weights is for functions of Python"),
    ],
)
def test_what_cannot_be_a_detector_is_refused(model, options, told):
    """With what to do."""
    with pytest.raises(DetectorError, match=told):
        of_option(model, **options)


@pytest.mark.parametrize("name", ["theirs.py:load", "theirs.pt2", "theirs.pt"])
def test_code_in_a_folder_of_results_is_refused(tmp_path, name):
    """What came with results is never run."""
    (tmp_path / "runs" / "k").mkdir(parents=True)
    (tmp_path / "runs" / "k" / "record.json").write_text("{}")
    (tmp_path / name.partition(":")[0]).write_text("x = 1\n")

    with pytest.raises(PluginError, match="code is never run from there"):
        of_option(f"{tmp_path}/{name}")


def test_an_empty_file_is_refused(tmp_path):
    """It is no file of any kind."""
    (tmp_path / "a.onnx").write_bytes(b"")

    with pytest.raises(DetectorError, match="the file is empty"):
        of_option(f"{tmp_path}/a.onnx")
