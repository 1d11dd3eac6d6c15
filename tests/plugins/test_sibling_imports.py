"""A file beside a plug-in is no part of it, and is not imported by accident."""

import pytest

from repro.plugins import plugin_text, sibling_imports
from repro.plugins.plugin_errors import PluginError


def read(path, content):
    """The text of a file."""
    path.write_text(content)
    return plugin_text.read(path)


@pytest.mark.parametrize("line", ["import helper", "from helper import x", "import helper.deep"])
@pytest.mark.parametrize("reachable", [False, True])
def test_a_sibling_by_its_absolute_name_is_refused(tmp_path, monkeypatch, line, reachable):
    """Whether Python would find it here or not, and also within a function."""
    (tmp_path / "helper.py").write_text("x = 1\n")
    if reachable:
        monkeypatch.syspath_prepend(tmp_path)
    text = read(tmp_path / "mine.py", f"def late():\n    {line}\n")

    with pytest.raises(
        PluginError, match=r"mine\.py:2: it imports helper, .*from \. import helper"
    ):
        sibling_imports.refuse(text)


def test_a_folder_does_not_import_its_own_files_absolutely(tmp_path):
    """Neither by their names nor by its own."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "part.py").write_text("")
    for line in ("import part", "from mine import part"):
        (folder / "__init__.py").write_text(line)
        with pytest.raises(PluginError, match=r"__init__\.py:1: it imports"):
            sibling_imports.refuse(plugin_text.read(folder))


def test_an_installed_package_is_not_taken_for_a_sibling(tmp_path):
    """A file beside it that happens to have the same name is not what Python would import."""
    (tmp_path / "numpy.py").write_text("")

    sibling_imports.refuse(read(tmp_path / "mine.py", "import numpy\nimport sys\n"))


def test_relative_imports_are_allowed(tmp_path):
    """They are what a folder is for."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "part.py").write_text("")
    (folder / "__init__.py").write_text("from . import part\nfrom .part import *\n")

    sibling_imports.refuse(plugin_text.read(folder))
