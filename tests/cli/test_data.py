"""`repro data` as a user meets it."""

import subprocess
import sys

import pytest
from click.testing import CliRunner
from places import ROOT

from repro.cli import main
from repro.cli.data import data, prepare
from repro.data import any_layout, catalogue
from repro.data.sources import RAW

DOCS = ROOT / "docs" / "data.md"


def test_help_loads_nothing_heavy():
    """It answers in a blink."""
    heavy = "{'numpy', 'pydantic', 'PIL', 'h5py', 'requests', 'pooch', 'rich', 'yaml'}"
    probe = f"import sys, repro.cli.data; sys.exit(bool({heavy} & {{*sys.modules}}))"

    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0


def test_the_help_of_info_names_every_layout():
    """As the sources register them."""
    said = CliRunner().invoke(main, ["data", "info", "--help"]).stdout

    assert f"[{'|'.join(any_layout.kinds())}]" in "".join(said.split())


def test_the_help_of_prepare_names_every_kind_of_raw_pictures():
    """As the sources register them."""
    assert all(f"{kind}:" in prepare.help for kind in RAW)


def test_an_unknown_layout_is_a_mistake_of_usage(tmp_path):
    """Status 2, with the layouts that there are."""
    result = CliRunner().invoke(main, ["data", "info", "--as", "pbp", str(tmp_path)])

    assert result.exit_code == 2
    assert "'pbp' is not one of 'csv', 'h5', 'bfw', 'facet', 'fairface'" in result.output


@pytest.mark.parametrize("command", ["prepare", "info", "fetch"])
def test_every_command_has_a_sentence_and_help_for_its_options(command):
    """No option is left to be guessed."""
    found = data.commands[command]

    assert found.help.split("\n")[0].endswith(".")
    assert all(option.help for option in found.params if option.param_type_name == "option")


def test_the_page_on_data_names_everything():
    """Kinds, options, and data sets of the catalogue."""
    page = DOCS.read_text()
    options = [o.opts[0] for command in data.commands.values() for o in command.params]
    missing = [
        *(kind for kind in RAW if f"`{kind}:" not in page),
        *(kind for kind in any_layout.kinds() if f"`{kind}`" not in page),
        *(option for option in options if option.startswith("--") and option not in page),
        *(n for n, entry in catalogue.read().items() if entry.ask and not _is_in(entry, page)),
    ]

    assert missing == []


def _is_in(entry, page):
    """Whether the page has the address at which to ask."""
    (address,) = [word.strip("(),") for word in entry.ask.split() if word.startswith("http")]
    return f"<{address}>" in page


def test_a_source_without_a_place_for_the_file_is_a_mistake_of_usage():
    """Status 2, as click has it."""
    result = CliRunner().invoke(main, ["data", "prepare", "x.h5"])

    assert result.exit_code == 2
