"""A plug-in is one file, or one folder with relative imports, and its digest covers every byte."""

import hashlib

import pytest

from repro.plugins import plugin_text
from repro.plugins.plugin_errors import PluginError


def folder_of(tmp_path, **files):
    """A folder with these files, `init` its `__init__.py`."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "__init__.py").write_text(files.pop("init", ""))
    for name, content in files.items():
        (folder / f"{name}.txt").write_text(content)
    return folder


def test_the_digest_of_a_file_is_what_sha256sum_prints(tmp_path):
    """Its first 32 digits."""
    file = tmp_path / "mine.py"
    file.write_text("x = 1\n")

    assert plugin_text.read(file).digest == hashlib.sha256(b"x = 1\n").hexdigest()[:32]


def test_line_ends_of_windows_do_not_count(tmp_path):
    """A checkout there has the same digest, in files and folders."""
    unix, windows = tmp_path / "unix.py", tmp_path / "windows.py"
    unix.write_bytes(b"x = 1\ny = 2\n")
    windows.write_bytes(b"x = 1\r\ny = 2\r\n")

    assert plugin_text.read(unix).digest == plugin_text.read(windows).digest


@pytest.mark.parametrize("change", ["init", "data", "name", "new"])
def test_every_file_of_a_folder_counts(tmp_path, change):
    """Python or data, its name and its content."""
    folder = folder_of(tmp_path, data="1")
    before = plugin_text.read(folder).digest

    if change == "name":
        (folder / "data.txt").rename(folder / "other.txt")
    else:
        name = "__init__.py" if change == "init" else f"{change}.txt"
        (folder / name).write_text("2")

    assert plugin_text.read(folder).digest != before


def test_what_python_and_editors_leave_behind_does_not_count(tmp_path):
    """Compiled and hidden files."""
    folder = folder_of(tmp_path)
    before = plugin_text.read(folder)

    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "x.pyc").write_bytes(b"\0")
    (folder / ".swap").write_text("x")

    assert plugin_text.read(folder) == before


def test_where_it_lies_does_not_count(tmp_path):
    """The same text elsewhere, under another name, has the same digest."""
    here, there = tmp_path / "here.py", tmp_path / "there.py"
    for file in (here, there):
        file.write_text("x = 1\n")

    assert plugin_text.read(here).digest == plugin_text.read(there).digest


def test_two_versions_have_modules_of_two_names(tmp_path):
    """So both can be loaded in one process, and none hides a package."""
    file, names = tmp_path / "my-rule.py", []
    for text in ("x = 1\n", "x = 2\n"):
        file.write_text(text)
        names.append(plugin_text.read(file).module)

    assert len(set(names)) == 2
    assert all(name.isidentifier() and name.startswith("repro_plugin_my_rule_") for name in names)


@pytest.mark.parametrize("mark", ["record.json", "runs/a-seed0/record.json", "studies/a/b.json"])
def test_a_text_in_a_folder_of_results_is_refused(tmp_path, mark):
    """Code that came with somebody's results is never run."""
    (tmp_path / mark).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / mark).write_text("{}")
    file = tmp_path / "plugins" / "mine.py"
    file.parent.mkdir()
    file.write_text("x = 1\n")

    with pytest.raises(PluginError, match="in a folder of results"):
        plugin_text.read(file)


def test_a_link_into_a_folder_of_results_is_refused(tmp_path):
    """It is where it leads to that counts."""
    (tmp_path / "results" / "runs" / "a").mkdir(parents=True)
    (tmp_path / "results" / "runs" / "a" / "record.json").write_text("{}")
    (tmp_path / "results" / "mine.py").write_text("x = 1\n")
    (tmp_path / "mine.py").symlink_to(tmp_path / "results" / "mine.py")

    with pytest.raises(PluginError, match="in a folder of results"):
        plugin_text.read(tmp_path / "mine.py")
