"""What the documentation shows works, and what it promises is there."""

import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
from public_api import PROMISED

import repro

DOCS = Path(repro.__file__).parent.parent / "docs"


def test_the_network_is_called_as_the_documentation_shows():
    """The block runs, and the shapes are those of its table."""
    (block,) = re.findall(
        r"^```python\n(.*?models\.build.*?)^```$", (DOCS / "api.md").read_text(), re.M | re.S
    )
    names: dict[str, object] = {}

    exec(compile(block.split("```python\n")[-1], "api.md", "exec"), names)

    assert [tuple(names[part].shape) for part in ("logit", "mean", "logvar", "reconstruction")] == [
        *[(8,), (8, 100), (8, 100), (8, 3, 64, 64)]
    ]


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


LINK = r"\[`\w+\.(\w+)\([^]]*\]\(\.\./(repro/[\w/]+)\.py\)"


@pytest.mark.parametrize(("function", "path"), re.findall(LINK, (DOCS / "lab.md").read_text()))
def test_the_labs_functions_are_where_the_documentation_says(function, path):
    """Each link leads to the module of a function that exists."""
    module = importlib.import_module(path.replace("/", ".").removesuffix(".__init__"))

    assert callable(getattr(module, function))


STEP = re.compile(r"^\d+\. `([\w/]+\.py)`: (.*)$", re.M)
WALKS = STEP.findall((DOCS.parent / "CONTRIBUTING.md").read_text())


@pytest.mark.parametrize(("file", "functions"), WALKS, ids=[file for file, _ in WALKS])
def test_a_walk_through_the_code_leads_past_functions_that_exist(file, functions):
    """Each step names a file and functions, or methods, in it."""
    text = (Path(repro.__file__).parent / file).read_text()
    names = re.findall(r"`([\w.]+)`", functions.partition(" (")[0])

    assert names
    for name in names:
        assert re.search(rf"^ *def {name.rpartition('.')[2]}\(", text, re.M), name


def test_the_citation_and_the_changelog_name_this_release():
    """They are changed with the version, in one commit."""
    root = DOCS.parent

    assert f"\nversion: {repro.__version__}\n" in (root / "CITATION.cff").read_text()
    assert f"\n## {repro.__version__} (" in (root / "CHANGELOG.md").read_text()
