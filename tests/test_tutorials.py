"""The tutorials work as they stand, each as one script, and print what they say."""

import contextlib
import functools
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import commands
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import repro
from repro.cli import main

DOCS = Path(repro.__file__).parent.parent / "docs"
BLOCK = re.compile(r"^```(python|sh|text)\n(.*?)^```$", re.M | re.S)
TUTORIALS = [*sorted(path.stem for path in DOCS.glob("tutorial*.md")), "audit"]
PICTURE = "tutorial_pictures.png"

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Followed:
    """A tutorial that somebody has followed: where, and what was printed."""

    folder: Path
    printed: str


def blocks(name, language):
    """The tutorial's blocks in a language, in their order."""
    text = (DOCS / f"{name}.md").read_text()
    return [block for found, block in BLOCK.findall(text) if found == language]


def command_lines(name):
    """The words of the tutorial's commands, which need nothing of a shell but to split them."""
    for line in "".join(blocks(name, "sh")).splitlines():
        program, *words = shlex.split(line)
        assert program == "repro"
        assert not set("|&;<>()$`\\*?[#~") & set(line), line
        yield words


def follow(name, folder):
    """Save the Python blocks as one script without a guard and run it, then the commands.

    The script is a process of its own, as are the commands and workers that it starts, one worker
    at a time. The commands after it are functions of this process.
    """
    (folder / "file.py").write_text("\n".join(blocks(name, "python")))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "file.py"],
        cwd=folder,
        env=os.environ | {"PATH": path, "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        preexec_fn=commands.on_one_core,
    )
    assert done.returncode == 0, done.stdout
    printed = done.stdout
    with contextlib.chdir(folder):
        for words in command_lines(name):
            done = CliRunner(env={"COLUMNS": "200"}).invoke(main, words)
            assert done.exit_code == 0, done.output
            printed += done.output
    return Followed(folder, printed)


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """A tutorial by its name, followed once for all tests."""
    return functools.cache(lambda name: follow(name, tmp_path_factory.mktemp(name)))


@pytest.fixture(scope="module")
def found(followed):
    """The results of the first tutorial's study, which has been trained by then."""
    folder = followed("tutorial").folder
    with contextlib.chdir(folder):
        return repro.run_study("ellipses.yaml", results=folder / "results", progress=False)


@pytest.mark.parametrize("name", TUTORIALS)
def test_a_tutorial_is_one_script_and_prints_what_it_says(followed, name):
    """Every line of its printed blocks; three dots stand for anything."""
    printed = followed(name).printed

    for line in (line for block in blocks(name, "text") for line in block.splitlines()):
        wanted = ".*".join(map(re.escape, line.split("...")))
        assert re.search(wanted, printed), f"{line!r} is not in\n{printed}"


def test_the_tutorials_task_is_learned(found):
    """On pictures that were held out; the mean of all runs."""
    assert len(found.runs) == 6
    assert found.runs.val_accuracy.mean() > 0.9


def test_without_resampling_the_tutorials_rare_group_is_found_less_often(found):
    """Mean over the seeds, by a margin that rounding cannot make."""
    recall = found.groups.groupby(["arm", "group"]).recall.mean()["drawn evenly"]

    assert recall["bright"] > 0.95
    assert recall["dim"] < recall["bright"] - 0.1


def test_the_picture_in_the_tutorial_is_the_one_that_it_draws(followed):
    """But for what another release of Pillow draws otherwise at an edge."""
    shown, drawn = (
        np.asarray(Image.open(path), dtype=np.float64)
        for path in (DOCS / PICTURE, followed("tutorial").folder / "pictures.png")
    )

    assert shown.shape == drawn.shape == (192, 256, 3)
    assert np.abs(shown - drawn).mean() < 1
    assert (DOCS / PICTURE).stat().st_size < 60_000
