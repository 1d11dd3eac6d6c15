"""The module of a text: known to Python before it runs, gone if it fails."""

import multiprocessing
import sys

import pytest

from repro.plugins import plugin_module, plugin_text
from repro.plugins.plugin_errors import PluginError

DATACLASS = """\
from __future__ import annotations
from dataclasses import dataclass
from typing import ClassVar
from repro.plugins import Parameters, rule

@dataclass
class Kept:
    count: int
    most: ClassVar[int] = 3

class Power(Parameters):
    power: float = 0.5

@rule("mine", parameters=Power)
def mine(latents, context):
    return Kept(1).count / context
"""


def text_of(folder, content, name="mine.py"):
    """The text of a file with this content."""
    (folder / name).write_text(content)
    return plugin_text.read(folder / name)


def test_a_dataclass_with_annotations_as_text_can_be_declared(tmp_path):
    """Its module is in `sys.modules` before it is run, where dataclasses look for it."""
    (one,) = plugin_module.plugins_of(text_of(tmp_path, DATACLASS))

    assert (one.kind, one.name, one.filled({})) == ("rule", "mine", {"power": 0.5})


def test_a_module_that_fails_is_removed(tmp_path):
    """And those that it had imported."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "__init__.py").write_text("from . import part\n1 / 0\n")
    (folder / "part.py").write_text("")
    text = plugin_text.read(folder)

    with pytest.raises(PluginError, match=r"mine/__init__\.py:2: loading it: ZeroDivisionError"):
        plugin_module.load(text)
    assert not [name for name in sys.modules if name.startswith(text.module)]


def test_a_folder_has_relative_imports_and_data(tmp_path):
    """At any depth; data by `pkgutil.get_data`, from the text and not from the disk."""
    folder = tmp_path / "mine"
    (folder / "deep").mkdir(parents=True)
    (folder / "__init__.py").write_text(
        "import pkgutil\nfrom .deep.part import part\nDATA = pkgutil.get_data(__name__, 'a.txt')\n"
    )
    (folder / "deep" / "__init__.py").write_text("")
    (folder / "deep" / "part.py").write_text(
        "from repro.plugins import rule\n\n@rule('part')\ndef part(latents, context): ...\n"
    )
    (folder / "a.txt").write_text("data")
    text = plugin_text.read(folder)
    (folder / "a.txt").unlink()

    assert plugin_module.load(text).DATA == b"data"
    assert [one.name for one in plugin_module.plugins_of(text)] == ["part"]


def test_two_versions_live_side_by_side(tmp_path):
    """In one process."""
    both = [
        plugin_module.load(text_of(tmp_path, f"version = {version}\n")).version
        for version in (1, 2)
    ]

    assert both == [1, 2]


def test_nothing_of_a_plugin_is_found_by_its_plain_name(tmp_path, monkeypatch):
    """It hides no package, wherever the program is started."""
    monkeypatch.chdir(tmp_path)
    plugin_module.load(text_of(tmp_path, "x = 1\n", name="packaging.py"))

    import packaging

    assert not hasattr(packaging, "x")


def test_a_spawned_process_builds_the_same_module(tmp_path):
    """From the text alone: the file is gone, and nothing is installed."""
    text = text_of(tmp_path, DATACLASS)
    (tmp_path / "mine.py").unlink()

    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.apply(built, [text])

    assert found == (text.module, "mine", 0.5)


def built(text):
    """In the other process: module, name, and what the rule returns."""
    (one,) = plugin_module.plugins_of(text)
    return one.function.__module__, one.name, one.function(None, 2)


def test_a_text_that_declares_nothing_is_refused(tmp_path):
    """With what to do."""
    with pytest.raises(PluginError, match=r"mine\.py: it declares nothing: put a decorator"):
        plugin_module.plugins_of(text_of(tmp_path, "x = 1\n"))
