"""One function in every kind of file: each gives the mean of the pictures."""

import importlib.util
import io
import warnings

import numpy as np
import pytest
import safetensors.torch
import torch
from onnx_bytes import mean_of_pictures

from repro import models
from repro.detectors import loading
from repro.detectors.base import DetectorError
from repro.detectors.given import of_option
from repro.training import inference

needs_onnx = pytest.mark.skipif(
    importlib.util.find_spec("onnxruntime") is None, reason="the extra onnx is not installed"
)
WINDOWS = np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3), dtype=np.uint8)
MEANS = WINDOWS.reshape(5, -1).mean(axis=1) / 255
PYTHON = """\
import numpy as np
import torch


class Mean(torch.nn.Module):
    def forward(self, pictures):
        return pictures.mean(dim=(1, 2, 3))


class Red:
    reads = "windows"

    def scores(self, pictures):
        return pictures[..., 0].reshape(len(pictures), -1).mean(axis=1)


def load():
    return Mean()


def other():
    return 3


ready, number = Red(), 3
"""


class Mean(torch.nn.Module):
    """The same in this process."""

    def forward(self, pictures):
        """One number each."""
        return pictures.mean(dim=(1, 2, 3))


def scripted(path):
    """TorchScript, which torch deprecates."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(Mean()), path)


def exported(path, *, free):
    """An exported program whose batch is free, or of two pictures."""
    shapes = ({0: torch.export.Dim("n")},) if free else None
    program = torch.export.export(Mean(), (torch.rand(2, 3, 64, 64),), dynamic_shapes=shapes)
    torch.export.save(program, path)


def scores(given):
    """What it says of the windows."""
    return loading.load(given, loading.Context()).scores(WINDOWS)


@pytest.fixture
def code(tmp_path):
    """The file of Python."""
    path = tmp_path / "mean.py"
    path.write_text(PYTHON)
    return path


@pytest.mark.parametrize("name", ["load", "Mean"])
def test_a_function_or_a_class_makes_the_network(code, name):
    """It is given windows as our own networks are."""
    np.testing.assert_allclose(scores(of_option(f"{code}:{name}")), MEANS, rtol=1e-5)


def test_an_object_is_used_as_it_is(code):
    """With pixels as they are stored."""
    reds = WINDOWS[..., 0].reshape(5, -1).mean(axis=1)

    np.testing.assert_allclose(scores(of_option(f"{code}:ready")), reds)


@pytest.mark.parametrize("free", [True, False])
def test_an_exported_program_says_its_batch(tmp_path, free):
    """One of two pictures is called three times for five, the last time filled up."""
    exported(tmp_path / "mean.pt2", free=free)

    np.testing.assert_allclose(scores(of_option(f"{tmp_path}/mean.pt2")), MEANS, rtol=1e-5)


def test_torchscript_is_read(tmp_path):
    """Although torch deprecates it."""
    scripted(tmp_path / "mean.pt")

    np.testing.assert_allclose(scores(of_option(f"{tmp_path}/mean.pt")), MEANS, rtol=1e-5)


@needs_onnx
@pytest.mark.parametrize("shape", [("n", 3, "h", "w"), (2, 3, 64, 64), ("n", 64, 64, 3)], ids=str)
def test_onnx_says_its_shape(tmp_path, shape):
    """Batches that are free or fixed, channels first or last."""
    (tmp_path / "mean.onnx").write_bytes(mean_of_pictures(shape))

    np.testing.assert_allclose(scores(of_option(f"{tmp_path}/mean.onnx")), MEANS, rtol=1e-5)


def test_onnx_without_its_package_is_told(tmp_path, monkeypatch):
    """With the command that installs it."""
    (tmp_path / "mean.onnx").write_bytes(mean_of_pictures())
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)

    with pytest.raises(DetectorError, match=r"pip install 'repro-claims\[onnx\]'"):
        scores(of_option(f"{tmp_path}/mean.onnx"))


@pytest.mark.parametrize("latent_dim", [0, 7])
@pytest.mark.parametrize("ending", ["safetensors", "pth", "pt"])
def test_weights_of_our_networks_give_their_own_logits(tmp_path, latent_dim, ending):
    """Bit by bit, as evaluation computes them."""
    model = models.build("mit2020", latent_dim=latent_dim, seed=0)
    path = tmp_path / f"w.{ending}"
    if ending == "safetensors":
        path.write_bytes(safetensors.torch.save(model.state_dict()))
    else:
        torch.save(model.state_dict(), path)
    expected = inference.as_float64(inference.logits(model, torch.from_numpy(WINDOWS)))

    assert scores(of_option(str(path), architecture="mit2020")).tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("options", "factor"), [({"range": "raw"}, 255), ({}, 1)], ids=["raw", "unit"]
)
def test_the_range_is_as_asked_for(code, options, factor):
    """0 to 255, or 0 to 1."""
    found = scores(of_option(f"{code}:load", **options))

    np.testing.assert_allclose(found, factor * MEANS, rtol=1e-5)


def test_channels_and_size_are_as_asked_for(code):
    """A window of one colour stays of that colour when it is enlarged."""
    code.write_text(
        "import torch\n"
        "class First(torch.nn.Module):\n"
        "    def forward(self, pictures):\n"
        "        assert pictures.shape[2:] == (96, 96)\n"
        "        return pictures[:, 0].mean(dim=(1, 2))\n"
    )
    blue = np.zeros((1, 64, 64, 3), dtype=np.uint8)
    blue[..., 2] = 255
    detector = loading.load(
        of_option(f"{code}:First", channels="bgr", input_size=96), loading.Context()
    )

    assert detector.scores(blue).tolist() == [1.0]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("lod", "it has no 'lod'; did you mean 'load'?"),
        ("other", "it gives int: a torch.nn.Module, or an object"),
        ("number", "this is int: a torch.nn.Module, or an object"),
    ],
)
def test_another_thing_of_a_file_is_refused(code, name, told):
    """With what is expected."""
    with pytest.raises(DetectorError, match=told.replace("?", r"\?")):
        scores(of_option(f"{code}:{name}"))


def test_weights_of_another_network_are_told_by_their_tensors(tmp_path):
    """The first three, and how many more."""
    torch.save(torch.nn.Linear(2, 1).state_dict(), tmp_path / "w.pth")

    with pytest.raises(DetectorError, match=r"weights of another network than mit2020: bias, wh"):
        scores(of_option(f"{tmp_path}/w.pth", architecture="mit2020"))


def test_pickled_objects_are_never_read(tmp_path):
    """Only tensors by name, so that a file of weights runs no code."""
    buffer = io.BytesIO()
    torch.save(torch.nn.Linear(2, 1), buffer)
    (tmp_path / "w.pth").write_bytes(buffer.getvalue())

    with pytest.raises(DetectorError, match="no weights can be read of it"):
        scores(of_option(f"{tmp_path}/w.pth", architecture="mit2020"))
