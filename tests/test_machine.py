"""The suite does not depend on the machine: paths, settings, git, the user's folders."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from places import ROOT, TESTS, repository_files

CODE = """\
import json, os, tempfile, time
import machine
machine.make_neutral()
mask = os.umask(0)
print(json.dumps([dict(os.environ), tempfile.gettempdir(), mask, time.tzname]))
"""
SETTINGS = {
    "MLFLOW_TRACKING_URI": "http://127.0.0.1:9",
    "MLFLOW_EXPERIMENT_NAME": "somebody's",
    "REPRO_KERNELS": "torch",
    "REPRO_TRAIN": "/nowhere",
    "OMP_NUM_THREADS": "3",
    "GIT_DIR": "/nowhere",
    "XDG_CACHE_HOME": "/nowhere",
    "COLUMNS": "40",
    "NO_COLOR": "1",
    "LC_ALL": "C",
    "TZ": "Pacific/Kiritimati",
    "PYTHONHASHSEED": "7",
    "HTTPS_PROXY": "http://127.0.0.1:9",
}
LONG = 105  # bytes of a folder in which no Unix socket fits


@pytest.fixture
def strange(tmp_path):
    """The environment of an unusual machine: long paths, no git, other settings."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("cc", "sh", "tar", "ps", "ldd"):
        if found := shutil.which(name):
            (programs / name).symlink_to(found)
    folder = str(tmp_path)
    while len(folder) < LONG:
        folder += "/" + "x" * min(40, LONG - len(folder))
    Path(folder).mkdir(parents=True)
    return dict(os.environ) | SETTINGS | {"TMPDIR": folder, "PATH": str(programs)}


def in_python(*arguments, env, **options):
    """What a Python says in that environment, where nobody else may read its files."""
    env.pop("PYTEST_XDIST_WORKER", None)
    done = subprocess.run(
        [sys.executable, *arguments],
        env=env,
        capture_output=True,
        text=True,
        check=False,
        umask=0o077,
        **options,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_settings_of_the_machine_are_not_seen(strange):
    """Short paths, a home of its own that is gone at the end, no variable of a user."""
    said = in_python("-c", CODE, env=strange | {"PYTHONPATH": str(TESTS / "helpers")})
    environment, folder, mask, zone = json.loads(said)

    assert [name for name in SETTINGS if environment.get(name) == SETTINGS[name]] == []
    assert len(folder) <= 40
    assert environment["TMPDIR"] == folder
    assert (mask, zone) == (0o022, ["UTC", "UTC"])
    assert environment["HOME"] != os.environ["HOME"]
    assert not Path(environment["HOME"]).exists()


def test_real_data_and_modules_are_still_found(strange):
    """What a person says on purpose stays."""
    said = in_python(
        *("-c", CODE),
        env=strange | {"PYTHONPATH": str(TESTS / "helpers"), "REPRO_SHARED": "/data"},
    )

    assert json.loads(said)[0]["REPRO_SHARED"] == "/data"


def test_tests_pass_on_a_strange_machine(strange):
    """Those that a long path broke: a socket in place of a file, children by a socket."""
    files = ["tests/faults/test_bad_studies.py", "tests/system/test_child_process.py"]
    chosen = ["-k", "(refused and socket) or knows_our_modules"]
    options = ["-q", "-p", "no:cacheprovider"]
    said = in_python("-m", "pytest", *options, *files, *chosen, env=strange, cwd=ROOT)

    assert "2 passed" in said


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_files_are_listed_as_git_lists_them():
    """Without it."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("this is no checkout")
    there = [name for name in done.stdout.splitlines() if os.path.lexists(ROOT / name)]

    assert repository_files() == sorted(there)
