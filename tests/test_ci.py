"""What `.ci/run` gives the suite."""

import os
import subprocess
from pathlib import Path

import pytest
from places import ROOT

SCRIPT = ROOT / ".ci" / "run"
MAKE = """#!/bin/sh
[ "$1" = test ] || exit 0
files=$(find "$HOME" "$TMPDIR" -type f | wc -l)
echo "$HOME $TMPDIR $files ${XDG_CACHE_HOME-unset} $PIP_CONFIG_FILE"
touch "$HOME/left" "$TMPDIR/left"
exit 3
"""


@pytest.fixture
def answered(tmp_path):
    """The words of the tests' environment, and what the script ended with."""
    home, programs = tmp_path / "home", tmp_path / "programs"
    settings = home / ".config" / "pip" / "pip.conf"
    settings.parent.mkdir(parents=True)
    settings.touch()
    programs.mkdir()
    (programs / "make").write_text(MAKE)
    (programs / "make").chmod(0o755)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "XDG_"))}
    changed = {"HOME": str(home), "PATH": f"{programs}:{kept['PATH']}", "XDG_CACHE_HOME": "/cache"}
    done = subprocess.run([SCRIPT], env=kept | changed, capture_output=True, text=True, check=False)
    return home, done.stdout.splitlines()[-1].split(), done.returncode


def test_the_suite_has_a_home_and_a_temporary_folder_of_its_own(answered):
    """Empty at first, gone afterwards, failed or not; caches of the caller are not named."""
    home, (its_home, its_tmp, files, cache, _), status = answered

    assert files == "0"
    assert home != Path(its_home)
    assert not Path(its_home).exists()
    assert not Path(its_tmp).exists()
    assert cache == "unset"
    assert status != 0


def test_the_suite_keeps_the_settings_of_pip(answered):
    """Tests that install something ask the index that the caller asks."""
    home, (*_, settings), _ = answered

    assert settings == str(home / ".config" / "pip" / "pip.conf")
