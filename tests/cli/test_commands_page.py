"""docs/commands.md names what there is, and nothing else."""

import re

import click
import pytest
from click.testing import CliRunner
from places import ROOT

from repro.cli import main

PAGE = (ROOT / "docs" / "commands.md").read_text()


def commands(group=main, name="repro"):
    """Every command that can be run, by all its words."""
    found = {}
    for word, command in group.commands.items():
        whole = f"{name} {word}"
        is_group = isinstance(command, click.Group)
        found |= commands(command, whole) if is_group else {whole: command}
    return found


def test_every_command_has_its_line():
    """In the first table, with what it does."""
    listed = re.findall(r"^\| \[`(repro [a-z ]+)`\]\(#[a-z-]+\) \| .+ \|$", PAGE, re.MULTILINE)

    assert sorted(listed) == sorted(commands())


def test_every_option_that_is_named_is_one():
    """A page that names an option of before would be believed."""
    options = {
        option for command in commands().values() for each in command.params for option in each.opts
    }

    ours = re.sub(r"`[^`]*\bmlflow (gc|ui|server) [^`]*`", "", PAGE)

    assert set(re.findall(r"--[a-z][a-z-]*", ours)) <= options


def test_every_link_within_the_page_leads_somewhere():
    """To a heading, as GitHub names them."""
    headings = re.findall(r"^##+ (.+)$", PAGE, re.MULTILINE)

    assert set(re.findall(r"\(#([a-z-]+)\)", PAGE)) <= {
        heading.lower().replace(" ", "-") for heading in headings
    }


def test_every_command_takes_h_for_help():
    """As people type it."""
    for words in commands():
        short, long = (
            CliRunner().invoke(main, [*words.split()[1:], option], prog_name="repro")
            for option in ("-h", "--help")
        )

        assert (short.exit_code, short.output) == (0, long.output), words


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["tabel"], "did you mean 'table'"),
        (["data", "prepar"], "did you mean 'prepare'"),
        (["run", "--quite", "alpha_sweep"], "--quiet"),
    ],
)
def test_a_misspelt_command_or_option_is_answered_with_the_right_one(words, meant):
    """It is wrong usage, and nothing is run."""
    done = CliRunner().invoke(main, words)

    assert done.exit_code == 2
    assert meant in done.output
