"""docs/commands.md names what there is, and nothing else."""

import re
from pathlib import Path

import click

from repro.cli import main

PAGE = (Path(__file__).parent.parent / "docs" / "commands.md").read_text()


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

    named = {line for line in PAGE.splitlines() if "mlflow gc" not in line}

    assert set(re.findall(r"--[a-z][a-z-]*", "\n".join(named))) <= options


def test_every_link_within_the_page_leads_somewhere():
    """To a heading, as GitHub names them."""
    headings = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)

    assert set(re.findall(r"\(#([a-z-]+)\)", PAGE)) <= {
        heading.lower().replace(" ", "-") for heading in headings
    }
