"""Plug-ins of installed distributions: listed without an import, loaded if they are named."""

import sys

import pytest

from repro.plugins import carriers, installed
from repro.plugins.plugin_errors import PluginError

CODE = """\
import sys
from repro.plugins import rule
sys.modules["imported_by_strange_rules"] = sys

@rule("strange")
def strange(latents, context): ...
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Installs distributions of one module each, on a search path of their own."""
    monkeypatch.syspath_prepend(tmp_path)

    def put(distribution, module, entries, code=CODE, version="1.2"):
        folder = tmp_path / module
        folder.mkdir(exist_ok=True)
        (folder / "__init__.py").write_text(code)
        about = tmp_path / f"{distribution}-{version}.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        )
        (about / "entry_points.txt").write_text(entries)
        return folder

    yield put
    for name in [name for name in sys.modules if "strange_rules" in name]:
        del sys.modules[name]


ENTRY = "[repro.weights]\nstrange = strange_rules:strange\n"


def test_it_is_listed_without_an_import(install):
    """With distribution and version, and a digest of its files."""
    install("strange-dist", "strange_rules", ENTRY)

    (one,) = [one for one in installed.listed() if one.name == "strange"]

    assert (one.kind, one.where) == ("rule", "strange-dist 1.2")
    assert len(installed.digest(one)) == 32
    assert "imported_by_strange_rules" not in sys.modules


def test_it_is_loaded_with_its_origin(install):
    """As its decorator declares it."""
    install("strange-dist", "strange_rules", ENTRY)
    one = installed.find("rule", "strange")

    plugin = installed.load(one)

    assert plugin.origin.digest == installed.digest(one)
    assert (plugin.name, plugin.origin.where) == ("strange", "strange-dist 1.2")


def test_its_digest_is_that_of_its_files(install):
    """The version of an editable installation does not change with its text."""
    folder = install("strange-dist", "strange_rules", ENTRY)
    one = installed.find("rule", "strange")
    before = installed.digest(one)

    (folder / "table.csv").write_text("1")

    assert installed.digest(one) != before


def test_one_that_is_listed_twice_is_one(install):
    """As editable installations do."""
    install("strange-dist", "strange_rules", ENTRY)
    install("strange-dist", "strange_rules", ENTRY, version="1.1")

    assert len([one for one in installed.listed() if one.name == "strange"]) == 1


def test_two_of_one_name_are_an_error(install):
    """Of either's name, and of no other."""
    install("strange-dist", "strange_rules", ENTRY)
    install(
        "other-dist", "other_strange_rules", ENTRY.replace("strange_rules", "other_strange_rules")
    )

    with pytest.raises(PluginError, match=r"other-dist 1\.2 and strange-dist 1\.2 both have"):
        installed.find("rule", "strange")
    assert installed.find("rule", "nothing") is None


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("1 / 0\n", r"strange_rules/__init__\.py:1: loading .*: ZeroDivisionError"),
        ("x = (\n", r"strange_rules/__init__\.py:1: loading .*: SyntaxError"),
        ("strange = 1\n", "is not declared as the rule strange: put the decorator"),
        ("", r"strange_rules.*AttributeError"),
    ],
)
def test_a_broken_one_is_an_error_where_it_is_named(install, code, said):
    """It is listed all the same."""
    install("strange-dist", "strange_rules", ENTRY, code)
    one = installed.find("rule", "strange")

    with pytest.raises(PluginError, match=said):
        installed.load(one)


def test_a_module_that_is_not_there_is_said(install):
    """By its name."""
    install("strange-dist", "strange_rules", ENTRY.replace("strange_rules", "nowhere_rules"))

    with pytest.raises(PluginError, match="its module nowhere_rules is not there"):
        installed.digest(installed.find("rule", "strange"))


def test_a_worker_refuses_other_files(install):
    """Of an installed plug-in, which is not sent: only its name and its digest are."""
    folder = install("strange-dist", "strange_rules", ENTRY)
    plugin = installed.load(installed.find("rule", "strange"))
    there = carriers.carried({plugin.title: plugin}).values()

    assert [one.title for one in carriers.unpacked(there)] == ["rule strange"]
    (folder / "table.csv").write_text("1")
    said = "has other files where this run is .*: install the same"
    with pytest.raises(PluginError, match=said):
        list(carriers.unpacked(there))


def test_a_worker_refuses_what_it_does_not_have(install):
    """With its name."""
    folder = install("strange-dist", "strange_rules", ENTRY)
    plugin = installed.load(installed.find("rule", "strange"))
    there = carriers.carried({plugin.title: plugin}).values()
    (folder.parent / "strange-dist-1.2.dist-info" / "entry_points.txt").write_text("")

    with pytest.raises(PluginError, match=r"rule strange of strange-dist 1\.2 is not installed"):
        list(carriers.unpacked(there))
