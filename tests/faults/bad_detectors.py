"""Files that are no detector, or a broken one: how each is made, and what is said of it."""

import os

import torch
from onnx_bytes import mean_of_pictures
from safetensors.torch import save

CLASS = """\
import numpy as np


class Theirs:
    reads = "{reads}"

    def scores(self, pictures):
        {body}


theirs = Theirs()
"""
NETWORK = """\
import torch


class theirs(torch.nn.Module):
    def forward(self, pictures):
        {body}
"""
EACH = "a finite number for each picture is expected"


def content(what):
    """A file with these bytes."""
    return lambda path: path.write_bytes(what)


def code(text):
    """A file of Python."""
    return lambda path: path.write_text(text)


def own(body, reads="whole"):
    """An object whose scores are made so, on line 8."""
    return code(CLASS.format(body=body, reads=reads))


def network(body):
    """A network whose forward is so, on line 6."""
    return code(NETWORK.format(body=body))


def half_of(path):
    """An exported program that was cut."""
    program = torch.export.export(torch.nn.Flatten(), (torch.rand(2, 3, 64, 64),))
    torch.export.save(program, path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def of_lists(path):
    """An exported program of something else than pictures."""
    torch.export.save(torch.export.export(torch.nn.ReLU(), (torch.rand(2, 5),)), path)


def wide(path):
    """An exported program with many outputs a picture."""
    torch.export.save(torch.export.export(torch.nn.Flatten(), (torch.rand(2, 3, 64, 64),)), path)


WEIGHTS = ("--architecture", "mit2020")
PYTHON = {  # file by what is wrong, and what is said
    "raises": (own("raise ValueError('no')"), "theirs.py:8: its scores: ValueError: no"),
    "exits": (own("raise SystemExit(0)"), "it asks Python to exit"),
    "NaN": (own("return np.array([np.nan])"), f"it returned NaN for 1 of 1 pictures: {EACH}"),
    "infinite": (own("return np.array([np.inf])"), "it returned +inf for 1 of 1"),
    "nothing found in a window": (
        own("return np.full(len(pictures), -np.inf)", "windows"),
        "it returned -inf for",
    ),
    "a number": (own("return 0.5"), "it returned float64 of shape ()"),
    "nothing": (own("return None"), "it returned object of shape ()"),
    "too many": (own("return np.zeros(2)"), "it returned float64 of shape (2,)"),
    "words": (own("return np.array(['face'])"), "it returned <U4 of shape (1,)"),
    "ragged": (own("return [[1], [1, 2]]"), "it returned list"),
    "booleans": (own("return np.array([True])"), "it returned bool of shape (1,)"),
    "another kind of reading": (own("return 0", "faces"), "it gives Theirs: a torch.nn.Module"),
    "a threshold that is none": (
        code(CLASS.format(body="return 0", reads="whole") + "Theirs.threshold = 'high'\n"),
        "its threshold is 'high': a finite number is expected",
    ),
    "no Python": (code("def load(:\n"), "SyntaxError"),
    "fails when loaded": (code("1 / 0\n"), "theirs.py:1: loading it: ZeroDivisionError"),
    "another name": (code("mine = 1\n"), "it has no 'theirs'"),
    "a network that raises": (network("raise ValueError('no')"), "theirs.py:6: running it: "),
    "a network of many outputs": (network("return pictures"), "it returned float32 of shape"),
    "a network of two answers": (network("return pictures, 1"), "it returned tuple"),
    "a network of NaN": (
        network("return pictures.mean(dim=(1, 2, 3)) / 0 * 0"),
        "it returned NaN for",
    ),
}
FILES = {  # ending, file, options, and what is said
    "a cut program": (".pt2", half_of, (), "it cannot be read as an exported program"),
    "text as a program": (".pt2", content(b"x" * 99), (), "it cannot be read as an exported"),
    "a program of lists": (".pt2", of_lists, (), "its input has the shape 2 x 5: pictures as"),
    "a program of many outputs": (".pt2", wide, (), "one number for each picture is expected"),
    "text as TorchScript": (".pt", content(b"x" * 99), (), "it is no TorchScript"),
    "text as safetensors": (".safetensors", content(b"x" * 99), WEIGHTS, "no weights can be read"),
    "text as a state dict": (".pth", content(b"x" * 99), WEIGHTS, "no weights can be read"),
    "an object as a state dict": (
        ".pth",
        lambda path: torch.save([1, 2], path),
        WEIGHTS,
        "it holds list: tensors by name",
    ),
    "other weights": (
        ".safetensors",
        lambda path: path.write_bytes(save({"a": torch.ones(1)})),
        WEIGHTS,
        "these are weights of another network than mit2020",
    ),
    "an unknown network": (
        ".safetensors",
        lambda path: path.write_bytes(save({"a": torch.ones(1)})),
        ("--architecture", "mit2021"),
        "there is no network 'mit2021'; did you mean",
    ),
    "no such file": (".onnx", lambda path: None, (), "file not found"),
    "an empty file": (".onnx", content(b""), (), "the file is empty"),
    "a pipe": (".onnx", os.mkfifo, (), "this is a pipe: give a file"),
    "a folder": (".onnx", os.mkdir, (), "this is a folder: give a file"),
}
ONNX = {
    "text as ONNX": (".onnx", content(b"x" * 99), (), "it cannot be read as ONNX"),
    "a cut ONNX file": (".onnx", content(mean_of_pictures()[:60]), (), "it cannot be read as ONNX"),
    "ONNX of lists": (".onnx", content(mean_of_pictures((2, 5), axes=(1,))), (), "the shape 2 x 5"),
    "ONNX of doubles": (
        ".onnx",
        content(mean_of_pictures(elem_type=11)),
        (),
        "its input is tensor(double): float32, float16, uint8 can be handed to it",
    ),
    "ONNX of another size": (
        ".onnx",
        content(mean_of_pictures(("n", 3, 64, 64))),
        ("--input-size", "96"),
        "--input-size 96, and the file says that its pictures are 64 x 64",
    ),
}
