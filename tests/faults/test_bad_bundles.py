"""A bundle that was damaged, changed or forged is refused in one sentence, and harms nothing."""

import tempfile
from pathlib import Path

import bundled_study
import pytest
from bundled_study import repro

from faults.bad_bundles import BUNDLES
from repro.bundles import archive
from repro.reporting.figures import figure_registry


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A bundle as it should be."""
    place = tmp_path_factory.mktemp("bundles")
    folder = bundled_study.write(place / "home", place / "canary")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(figure_registry, "FIGURES", {})
        repro("bundle", "toy.yaml", "toy.zip")
    bundled_study.forget_plugins()
    (place / "canary").unlink()
    return folder / "toy.zip"


@pytest.fixture
def room(tmp_path, monkeypatch):
    """A folder for the bad bundle, in a place that is watched; files are unpacked there, too."""
    inside = tmp_path / "inside"
    (tmp_path / "victim").write_text("as it was")
    (tmp_path / "unpacked").mkdir()
    inside.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "unpacked"))
    monkeypatch.chdir(inside)
    return inside


def contents(folder):
    """Everything below a folder, and what files hold."""
    paths = sorted(folder.rglob("*"))
    return [(path, path.read_bytes() if path.is_file() else None) for path in paths]


@pytest.mark.parametrize("name", BUNDLES)
def test_a_bad_bundle_is_refused(name, sound, room, tally):
    """One sentence that names the file, exit status 1, nothing written, nothing run."""
    BUNDLES[name](sound, room / "bad.zip")
    before = contents(room.parent)
    done = repro("table", "bad.zip", "--style", "full", status=1)
    tally.bad_inputs += 1

    assert done.stdout == ""
    assert done.stderr.startswith(("Error: bad.zip", "Error: metric"))
    assert len(done.stderr.splitlines()) == 1
    assert str(room.parent) not in done.stderr
    assert contents(room.parent) == before
    assert not (sound.parent.parent / "canary").exists()
    assert not Path("/tmp/victim-of-repro").exists()


@pytest.mark.parametrize("command", ["report", "figures", "verify", "audit", "status", "show"])
def test_every_command_refuses_one(command, sound, room, tally):
    """They open it by the same function."""
    BUNDLES["changed: record"](sound, room / "bad.zip")
    word = "bad.zip/no-debias/0" if command == "show" else "bad.zip"
    said = repro(command, word, status=1).stderr
    tally.bad_inputs += 1

    assert said.startswith("Error: bad.zip: results/runs/0.1-seed0/record.json was changed")


def test_a_bundle_of_too_many_files_is_refused(sound, room, monkeypatch, tally):
    """The limit is far above what a study has."""
    monkeypatch.setattr(archive, "MOST_MEMBERS", 5)
    said = repro("table", sound, status=1).stderr
    tally.bad_inputs += 1

    assert "members, more than 5" in said


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_file_is_no_bundle(kind, room, tally):
    """It is not waited for."""
    import os

    (room / "bad.zip").mkdir() if kind == "folder" else os.mkfifo(room / "bad.zip")
    said = repro("table", "bad.zip", status=1).stderr
    tally.bad_inputs += 1

    assert said.startswith(f"Error: bad.zip: cannot be read (this is a {kind}: give a file)")


def test_the_sound_bundle_is_read(sound, room):
    """Otherwise all of this would prove nothing."""
    assert repro("table", sound).stdout
