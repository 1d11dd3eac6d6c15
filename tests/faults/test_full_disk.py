"""R12, R13: the disk is full, too small, read-only, or something is in the way.

It is said before the training where it can be known then, with place and bytes; what was finished
stays as it is, and with room the study goes on.
"""

import contextlib
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest
from click.testing import CliRunner

from faults import studies, warm
from repro import models
from repro.cli import main
from repro.errors import ReproError
from repro.execution import scheduler
from repro.records import checkpoint_store
from repro.system import atomic_files
from repro.training import single_run

SIZE = {"replicates": 1, "keep": 1}
BYTES = 5 << 20  # half of a network
MOUNT = ["mount", "-t", "tmpfs"]


@pytest.fixture
def begun():
    """A study of three runs, one of which is finished; its file, and its results."""
    with studies.folder() as place:
        with studies.canned():
            studies.run_here(studies.toy(place, arms=studies.ONE_ARM, **SIZE), place / "results")
        for path in [place, *place.rglob("*")]:
            path.chmod(0o777 if path.is_dir() else 0o666)
        yield studies.toy(place, **SIZE), place / "results"


def refused(file, results):
    """What a study says that cannot be run; nothing was trained."""
    watcher = studies.Watcher()
    with pytest.raises(ReproError) as said:
        studies.run_here(file, results, watcher=watcher)

    assert watcher.begun == []
    return str(said.value)


def goes_on(file, results, before):
    """Whether the study ends equal, and what was finished is where it was."""
    with studies.canned():
        studies.run_here(file, results)
    after = studies.identities(results)
    evidence, _ = studies.canned_reference(**SIZE)
    return (
        studies.evidence(results) == evidence and {key: after.get(key) for key in before} == before
    )


def small_files():
    """In a command: no file may be as large as a network."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (BYTES, BYTES))


@pytest.mark.parametrize("seconds", [0, 1000], ids=["checkpoint", "record"])
def test_a_file_that_may_not_be_that_large_is_named(seconds, tally):
    """With its place and its bytes; the study goes on where it may."""
    wanted, _ = studies.reference()
    with studies.folder() as place:
        file, results = studies.toy(place, arms=studies.ONE_ARM, **SIZE), place / "results"
        arguments = ["run", file, "--results", results, "--checkpoint-seconds", seconds]
        with warm.Command(*arguments, log=place / "log", before=small_files) as command:
            assert command.wait() == 1
            said = command.output
        tally.faults += 1
        assert "File too large" in said
        assert str(results / ("runs" if seconds else "unfinished")) in said
        assert "Traceback" not in said
        with warm.Command(*arguments, log=place / "again") as command:
            assert command.wait() == 0, command.output

        (key,) = studies.evidence(results)
        assert studies.evidence(results) == {key: wanted[key]}


def free(count):
    """A disk with so many bytes left."""
    return mock.patch.object(shutil, "disk_usage", return_value=mock.Mock(free=count))


def test_too_little_room_is_found_out_before_training(begun, tally):
    """The bytes that are free and those that are needed are told; with one more it begins."""
    file, results = begun
    before = studies.identities(results)
    tensors = models.build("dehaan2020", latent_dim=100, seed=0).state_dict().values()
    network = sum(tensor.nbytes for tensor in tensors)
    needed = 2 * network + (checkpoint_store.KEPT + 1) * scheduler.STATES * network
    outcome = mock.Mock(side_effect=studies.canned_training)
    with mock.patch.object(single_run, "_train_and_evaluate", outcome):
        with free(needed - 1), pytest.raises(atomic_files.CannotWrite) as said:
            studies.run_here(file, results)
        tally.faults += 1
        assert outcome.call_count == 0
        assert f"{needed - 1:,} bytes are free" in str(said.value)
        assert f"{needed:,}" in str(said.value)
        assert str(results) in str(said.value)
        with free(needed):
            studies.run_here(file, results)

    assert goes_on(file, results, before)


@contextlib.contextmanager
def small_disk(place, options):
    """Within, a folder is a small disk of its own."""
    done = subprocess.run([*MOUNT, "-o", options, "none", place], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("only root can mount a small disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


@pytest.mark.parametrize("what", ["size", "nr_inodes"])
def test_a_disk_that_is_really_full(what, tally, amount):
    """From no room at all to enough, in bytes or in files: one sentence, and later it goes on."""
    evidence, _ = studies.canned_reference(**SIZE)
    ended = set()
    sizes = range(4096, 200_000, 4096) if what == "size" else range(2, 40)
    for size in sizes[:: amount(8, 1)]:
        with studies.canned(), studies.folder() as place:
            file, disk = studies.toy(place, **SIZE), place / "disk"
            disk.mkdir()
            with small_disk(disk, f"{what}={size}"):
                ended.add(how_it_ends(file, disk / "results"))
                tally.faults += 1
                subprocess.run(["mount", "-o", f"remount,{what}=1000000", disk], check=True)
                studies.run_here(file, disk / "results")
                tally.wrong += studies.evidence(disk / "results") != evidence

    assert ended == {"full", "done"}
    assert tally.wrong == 0


def how_it_ends(file, results):
    """A study on a disk that may be full."""
    try:
        studies.run_here(file, results)
    except atomic_files.CannotWrite as error:
        is_told = "No space left on device" in str(error) and str(results) in str(error)
        return "full" if is_told else str(error)
    return "done"


def file_in_place_of(name):
    """Somebody's file is where a folder of ours should be."""

    def spoil(results):
        folder = results / name
        if folder.exists():
            folder.rename(f"{folder}.away")
        folder.write_text("mine")
        return lambda: (folder.unlink(), Path(f"{folder}.away").exists() and restore(folder))

    return spoil


def restore(folder):
    """Put a folder back into its place."""
    Path(f"{folder}.away").rename(folder)


def read_only(name):
    """A folder that nobody may write."""

    def spoil(results):
        folder = results / name
        folder.mkdir(exist_ok=True)
        folder.chmod(0o555)
        return lambda: folder.chmod(0o777)

    return spoil


PLACES = {
    **{
        f"{name}: a file": file_in_place_of(name) for name in (".", "runs", "unfinished", "studies")
    },
    **{f"{name}: read-only": read_only(name) for name in ("runs", "unfinished", "studies/toy")},
}


@pytest.mark.parametrize("place", PLACES)
def test_what_cannot_be_written_is_said_before_training(begun, place, tally):
    """The place is named, nothing is trained for nothing, and mended it goes on."""
    file, results = begun
    before = studies.identities(results)
    mend = PLACES[place](results)
    with studies.unprivileged(), studies.canned():
        said = refused(file, results)
    tally.faults += 1
    mend()

    assert str(results / place.partition(":")[0]) in said
    assert goes_on(file, results, before)


def test_a_disk_that_is_read_only(begun, tally):
    """As one that was found damaged and mounted again."""
    file, results = begun
    with studies.folder() as place, small_disk(place, "size=100m"):
        copy = shutil.copytree(results, place / "results")
        before = studies.identities(copy)
        subprocess.run(["mount", "-o", "remount,ro", place], check=True)
        with studies.canned():
            said = refused(file, copy)
        tally.faults += 1
        subprocess.run(["mount", "-o", "remount,rw", place], check=True)

        assert f"{copy}/" in said
        assert "Read-only file system" in said
        assert goes_on(file, copy, before)


def test_the_results_folder_may_not_be_a_file(begun, tally):
    """That is a mistake on the command line."""
    file, results = begun
    (results.parent / "file").write_text("mine")
    done = CliRunner().invoke(main, ["run", str(file), "--results", str(results.parent / "file")])
    tally.faults += 1

    assert done.exit_code == 2
    assert "is a file" in done.output
    assert (results.parent / "file").read_text() == "mine"


def test_a_cache_that_cannot_be_written_changes_no_run(tmp_path, tally):
    """The kernels are compiled in a private folder: the runs are those of every other day."""
    file, results = studies.toy(tmp_path), tmp_path / "results"
    command = ["plan", str(file), "--no-calibration", "--results", str(results)]
    done = subprocess.run(
        [sys.executable, "-m", "repro.cli", *command],
        env=os.environ | {"XDG_CACHE_HOME": "/dev/null/cache"},
        capture_output=True,
        text=True,
        check=True,
    )
    tally.faults += 1

    assert all(task.key in done.stdout for task in studies.plan(file, results).tasks)
