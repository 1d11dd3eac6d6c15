"""What the documentation shows works, and what it promises is there."""

import inspect
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import repro

DOCS = Path(repro.__file__).parent.parent / "docs"
BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```$", re.M | re.S)
PROMISED = re.findall(r"^\| `repro\.([\w.]+)(\(.*\))?` \|", (DOCS / "api.md").read_text(), re.M)


@pytest.mark.slow
def test_the_tutorial_runs_from_its_first_block_to_its_last(tmp_path, monkeypatch, capsys):
    """In one folder and one process, as a notebook; commands by the shell."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    names: dict[str, object] = {}
    for language, text in BLOCK.findall((DOCS / "tutorial.md").read_text()):
        if language == "sh":
            subprocess.run(["sh", "-ec", text], check=True, capture_output=True)
        else:
            exec(compile(text, "tutorial.md", "exec"), names)

    shown = capsys.readouterr().out
    assert "Does resampling find dim discs more often?" in shown
    assert "rare ones, effective sample size" in shown


@pytest.mark.parametrize(("name", "arguments"), PROMISED, ids=[name for name, _ in PROMISED])
def test_what_the_api_promises_is_there(name, arguments):
    """Under its name, with a docstring, and with the arguments that are listed."""
    value = pkgutil.resolve_name(f"repro.{name}")
    parameters = inspect.signature(value).parameters if arguments else {}

    assert value.__doc__
    assert re.findall(r"\w+", arguments) == list(parameters)


def test_everything_public_is_promised():
    """The package's own list and the documentation's are one."""
    assert {name.split(".")[0] for name, _ in PROMISED} == set(repro.__all__)


def test_the_package_loads_nothing_until_it_is_asked():
    """`import repro` is what `repro --help` waits for."""
    probe = "import sys, repro; sys.exit(bool({'torch', 'numpy', 'pandas'} & set(sys.modules)))"

    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0


def test_an_unknown_name_is_no_attribute():
    """As in every module."""
    with pytest.raises(AttributeError, match="module 'repro' has no attribute 'loses'"):
        repro.loses  # noqa: B018


@pytest.mark.parametrize("name", re.findall(r"\[`(\w+\.\w+)\(", (DOCS / "lab.md").read_text()))
def test_the_labs_functions_are_where_the_documentation_says(name):
    """Each link names a function that exists."""
    module, _, function = name.partition(".")
    __import__(f"repro.{module}")

    assert callable(getattr(sys.modules[f"repro.{module}"], function))
