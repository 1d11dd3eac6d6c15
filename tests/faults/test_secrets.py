"""R33: secrets around a study never reach its evidence, its mirror, its report or its words."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import repro

CANARY = "canary9d41"  # no secret is without it
SECRETS = {
    name: f"{CANARY}-{name.lower()}"
    for name in (
        "AWS_SECRET_ACCESS_KEY",
        "MLFLOW_TRACKING_PASSWORD",
        "HF_TOKEN",
        "GITHUB_TOKEN",
        "A_SECRET_OF_SOMEBODY",
    )
}
GIT = shutil.which("git")  # a machine without it has no such token
REMOTE = f"https://somebody:{CANARY}-remote@git.test/theirs.git"
STUDY = """
name: small
question: Does it?
base: {preset: dehaan2020}
arms:
  - {name: No debias, resampling: {combine: none}}
  - {name: Debias}
reference: No debias
replicates: 1
select: {keep: 1, by: recall, split: test}
profiles:
  embedded:
    data:
      train: {source: synthetic, faces: 30, nonfaces: 30}
      test: {source: synthetic, per_group: 2, size: 64}
      nonfaces: {source: synthetic, photographs: 4, size: 64}
    epochs: 1
    batch_size: 16
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """This program in a repository of its own, whose remote's address holds a token."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copytree(Path(repro.__file__).parent, folder / "repro")  # compiled already
    (folder / "small.yaml").write_text(STUDY)
    (folder / ".gitignore").write_text("__pycache__\n")
    who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.test"]
    for arguments in (
        ["init", "--quiet"],
        ["remote", "add", "origin", REMOTE],
        ["add", "repro"],
        [*who, "commit", "--quiet", "--message", "As it is"],
    ):
        if GIT:
            subprocess.run([GIT, *arguments], cwd=folder, check=True, timeout=60)
    return folder


def asked(checkout, *arguments):
    """What git says of it."""
    command = [GIT, *arguments]
    return subprocess.run(command, cwd=checkout, capture_output=True, check=True).stdout.strip()


def command(checkout, *arguments):
    """One of the program's commands, run from the checkout among secrets."""
    return subprocess.run(
        [sys.executable, "-m", "repro.cli", *arguments],
        cwd=checkout,
        env={**os.environ, **SECRETS, "PYTHONPATH": str(checkout)},
        capture_output=True,
        check=False,
        timeout=300,
    )


def telling(folder):
    """Files with a secret in them."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if CANARY.encode() in path.read_bytes()]


def test_secrets_of_the_environment_and_of_git_stay_there(checkout, draws, tally):
    """Six canaries: five variables and a token in the remote's address; every byte is looked at."""
    commands = [
        ["run", "small.yaml", "--workers", "1"],
        ["report", "small"],
        ["sync"],
        ["run", "small.yaml", "--set", "data.train=/nowhere"],
    ]
    said = [command(checkout, *arguments) for arguments in draws(commands, 1)]

    tally.faults += len(SECRETS) + 1
    assert [done.returncode for done in said] == [0, 0, 0, 1][: len(said)], said[0].stderr.decode()
    if GIT:  # then the remote's token could have been found
        assert CANARY.encode() in asked(checkout, "remote", "get-url", "origin")
        record = next((checkout / "results").rglob("record.json")).read_bytes()
        assert asked(checkout, "rev-parse", "HEAD") in record
    assert telling(checkout / "results") == []
    assert telling(checkout / "report") == []
    for done in said:
        assert CANARY.encode() not in done.stdout + done.stderr
