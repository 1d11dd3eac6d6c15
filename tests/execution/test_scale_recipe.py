"""What docs/scale.md and docs/slurm.sh tell people to type is there."""

import json
import re
import subprocess
from importlib.util import find_spec
from pathlib import Path

import click
import pytest
import yaml

import repro
from repro.cli import main
from repro.study.resources import Resources

DOCS = Path(repro.__file__).parent.parent / "docs"
SCRIPT = DOCS / "slurm.sh"
TEXT = (DOCS / "scale.md").read_text()
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.M | re.S)
COMMAND = re.compile(r"\brepro (\w+)((?: +(?:--)?[^\s`|&;#()]+)*)")


def commands(text):
    """Each command of `repro` in a text, and the options that follow it."""
    for name, rest in COMMAND.findall(text):
        if name in main.commands:
            yield name, re.findall(r"(?<!\S)(--[a-z-]+)", rest)


def options(*names):
    """All options that these commands have."""
    parameters = [p for name in names for p in main.commands[name].params]
    return {word for p in parameters if isinstance(p, click.Option) for word in p.opts}


def shell_blocks():
    """What the page says to type."""
    return re.findall(r"^```sh\n(.*?)^```$", TEXT, re.M | re.S)


SHOWN = [*commands("\n".join(shell_blocks())), *commands(SCRIPT.read_text())]


def test_the_slurm_script_is_a_script():
    """Bash can parse it, and the first line makes Slurm take it."""
    done = subprocess.run(["bash", "-n", SCRIPT], capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")
    assert SCRIPT.read_text().startswith("#!/bin/bash\n")


@pytest.mark.parametrize(("command", "given"), SHOWN)
def test_commands_that_are_shown_have_the_options_that_are_shown(command, given):
    """Nobody types an option that is not there."""
    assert set(given) <= options(command)


def test_something_is_shown():
    """The page and the script do call `repro run` on Ray, and the page plans."""
    assert {"run", "plan", "table"} <= {command for command, _ in SHOWN}
    assert ("run", ["--executor", "--address"]) in SHOWN


def test_options_in_the_prose_exist():
    """Every option that opens a piece of code belongs to `repro run`, `repro plan` or Slurm."""
    named = {
        option
        for code in re.findall(r"`(-{2}[^`]+)`", TEXT)
        for option in re.findall(r"(?<!\S)--[a-z-]+", code)
    }
    of_slurm = {"--gpus-per-node"}

    assert "--checkpoint-seconds" in named
    assert named - of_slurm <= options("run", "plan")


def test_the_cluster_file_is_one_that_ray_takes():
    """It fits the schema of the installed Ray, and names its node types."""
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed: pip install '.[ray]'")
    from jsonschema import validate

    [origin] = find_spec("ray").submodule_search_locations
    schema = json.loads((Path(origin) / "autoscaler" / "ray-schema.json").read_text())
    [cluster] = [yaml.safe_load(block) for block in BLOCKS if "cluster_name" in block]

    validate(cluster, schema)
    assert cluster["head_node_type"] in cluster["available_node_types"]


def test_the_resources_that_are_shown_are_those_of_a_study():
    """They load, and they are the defaults."""
    [shown] = [yaml.safe_load(block) for block in BLOCKS if block.startswith("resources:")]

    assert Resources(**shown["resources"]) == Resources()
