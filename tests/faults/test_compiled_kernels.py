"""The compiled kernels: a library is loaded only if it is what this user's compiler made here.

Without one torch computes, with the reason in a sentence, and no study trains again for that.
"""

import contextlib
import ctypes
import os
import re
import stat
import time
from dataclasses import replace
from pathlib import Path
from unittest import mock

import processes
import pytest
from builders import a_task, configuration, needs_blocks
from click.testing import CliRunner

from faults import studies
from repro.cli import main
from repro.errors import ReproError
from repro.execution import verification
from repro.execution.executors import hardware
from repro.execution.executors.executor_options import Asked, Place
from repro.execution.executors.executor_registry import executor_at
from repro.execution.executors.inline import Inline
from repro.records import records
from repro.study.resources import PLAIN
from repro.training import run_guards
from repro.training.kernels import c_compiler, c_library, library_cache

LIBRARY = b"\x7fELF" + bytes(range(256)) * 40
NAME = "blocked-0123456789abcdef.so"
TORCH = Asked(kernels="torch")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The folder of the user's libraries, with nothing in it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(library_cache.tempfile, "tempdir", str(tmp_path))
    return tmp_path / "cache" / "repro" / "kernels"


def had(make=lambda folder: LIBRARY):
    """The library, from the cache or made anew."""
    return library_cache.library(NAME, make)


def never(folder):
    """A library that is there is not made again."""
    raise AssertionError("made again")


def flipped(file):
    """One bit is another."""
    content = bytearray(file.read_bytes())
    content[100] ^= 1
    file.write_bytes(content)


def instead(file, make):
    """Something else in its place."""
    file.unlink()
    make(file)


DAMAGES = {
    "empty": lambda file: file.write_bytes(b""),
    "truncated": lambda file: file.write_bytes(file.read_bytes()[:5000]),
    "less its digest": lambda file: file.write_bytes(LIBRARY),
    "a bit": flipped,
    "another library": lambda file: file.write_bytes(Path(ctypes.__file__).read_bytes()),
    "others can write it": lambda file: file.chmod(0o666),
    "a FIFO": lambda file: instead(file, os.mkfifo),
    "a link": lambda file: instead(file, lambda path: path.symlink_to(__file__)),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_library_is_made_again(damage, cache, tally):
    """Never loaded, and whole afterwards."""
    had()
    assert had(never) == LIBRARY
    DAMAGES[damage](cache / NAME)
    tally.faults += 1

    assert had() == LIBRARY
    assert had(never) == LIBRARY
    assert [path.name for path in cache.iterdir()] == [NAME]


def test_the_folder_and_the_file_are_its_owners(cache):
    """Whatever the umask."""
    before = os.umask(0)
    try:
        had()
    finally:
        os.umask(before)

    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert stat.S_IMODE((cache / NAME).stat().st_mode) == 0o600


def writable_by_others(cache):
    """As a folder in a home that is shared."""
    cache.mkdir(parents=True)
    cache.chmod(0o777)


def somebody_elses(cache):
    """A link to a folder of another user."""
    cache.parent.mkdir(parents=True)
    cache.symlink_to("/proc/1" if os.geteuid() else "/")
    if not os.geteuid():
        other = cache.parent / "other"
        other.mkdir(mode=0o700)
        os.chown(other, studies.NOBODY, studies.NOBODY)
        cache.unlink()
        cache.symlink_to(other)


def a_file(cache):
    """In place of the home."""
    cache.parent.parent.write_text("no folder")


@pytest.mark.parametrize("spoil", [writable_by_others, somebody_elses, a_file])
def test_a_cache_that_others_can_write_is_not_used(spoil, cache, tmp_path, tally):
    """Nor one that cannot be: a private folder takes its place, and is found again."""
    spoil(cache)
    tally.faults += 1
    assert had() == LIBRARY
    private = tmp_path / f"repro-kernels-{os.geteuid()}"

    assert had(never) == LIBRARY
    assert [path.name for path in private.iterdir()] == [NAME]
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    private.chmod(0o777)  # somebody else was first
    assert had() == LIBRARY
    assert had(never) == LIBRARY


@needs_blocks
def test_the_kernels_are_loaded_from_the_bytes_that_were_checked():
    """A file that is truncated afterwards would end the process with SIGBUS."""
    loaded = c_library._opened(c_library._compiled(c_library.build()))

    assert isinstance(loaded.has_pairs(), int)
    mapped = Path("/proc/self/maps")
    if mapped.exists():
        assert "/kernels/blocked-" not in mapped.read_text()


@pytest.fixture
def compiler(tmp_path, monkeypatch):
    """What makes a shell script the compiler."""

    def is_now(script, words=""):
        path = tmp_path / "a compiler"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setenv("CC", f"'{path}' {words}")
        c_compiler.version.cache_clear()

    yield is_now
    c_compiler.version.cache_clear()


def loaded_anew():
    """The functions of a build that every processor is taken to execute."""
    with mock.patch.object(c_library, "builds", return_value=("avx2",)):
        return c_library._loaded.__wrapped__("avx2")


ANSWERS = 'test "$#" = 1 && echo mine 1.0 && exit\n'
WRONG = {
    "none": ("exit 127", "exit status 127"),
    "no words": ("exit 3", "exit status 3"),
    "Latin-1": (
        ANSWERS + r"printf 'blocked.c: error: b\351quille\n' >&2; exit 1",
        "error: b\ufffdq",
    ),
    "killed": (ANSWERS + "kill -9 $$", "killed by SIGKILL"),
    "makes nothing": (ANSWERS + "exit 0", "has made no file"),
    "disk": (
        ANSWERS + "echo 'fatal error: No space left' >&2; exit 1",
        "fatal error: No space left",
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_compiler_that_fails_is_told(kind, cache, compiler, tally):
    """In a sentence; torch computes."""
    script, said = WRONG[kind]
    compiler(script)
    tally.faults += 1
    found = loaded_anew()

    assert found.library is None
    assert said in found.reason
    assert "\n" not in found.reason


def test_the_options_of_cc_are_words(cache, compiler):
    """`CC="gcc -m64"` is a command with an option, which the record tells."""
    compiler('echo "mine $1"', words="-m64")

    assert c_library.compiler() == "mine -m64 -m64"


@needs_blocks
@pytest.mark.parametrize(
    "words",
    [
        "-ffast-math",
        "-Ofast",
        "-funsafe-math-optimizations",
        "-fassociative-math -fno-signed-zeros",
    ],
)
def test_no_option_of_cc_changes_a_bit(words, tmp_path, monkeypatch, tally):
    """Sums keep their order, and numbers below 1e-38 are not 0, here and in the whole process."""
    source = tmp_path / "sum.c"
    source.write_text("float sum(float a, float b, float c) { return (a + b) - b + c; }")
    monkeypatch.setenv("CC", f"cc {words}")
    tally.faults += 1
    path = tmp_path / "sum.so"
    path.write_bytes(c_compiler.compiled([source], c_library.FLAGS, tmp_path))
    function = ctypes.CDLL(str(path)).sum
    function.argtypes, function.restype = [ctypes.c_float] * 3, ctypes.c_float

    assert (function(1, 1e9, 0), function(1e-40, 0, 0) > 0) == (0, True)


@pytest.mark.parametrize(
    ("cc", "said"),
    [("no-such-compiler", "no C compiler: no-such-compiler: No such"), ('cc "', "No closing quot")],
)
def test_a_compiler_that_is_not_there_is_told(cc, said, cache, monkeypatch, tally):
    """By its name."""
    monkeypatch.setenv("CC", cc)
    tally.faults += 1
    c_compiler.version.cache_clear()

    assert said in loaded_anew().reason


@pytest.mark.parametrize("script", ["sleep 61 & sleep 61", ANSWERS + "sleep 61 & sleep 61"])
def test_a_compiler_that_never_returns_is_ended(script, cache, compiler, monkeypatch, tally):
    """After its time, with all that it has started; it is not asked again elsewhere."""
    compiler(script)
    monkeypatch.setattr(c_compiler, "LIMIT", 0.5)
    began = time.monotonic()
    found = loaded_anew()
    tally.faults += 1

    assert found.reason.endswith("has not ended after 0.5 s")
    assert time.monotonic() - began < 20
    assert processes.soon(lambda: not processes.saying(b"sleep\x0061"))


@pytest.fixture
def no_blocks(monkeypatch):
    """A machine that cannot compile, once it is called."""
    missing = "no C compiler: cc: No such file or directory"
    return lambda: monkeypatch.setattr(c_library, "missing_because", lambda: missing)


def test_a_first_run_without_a_compiler_goes_on_with_torch(no_blocks, monkeypatch):
    """And says why; what is asked for by name is refused."""
    monkeypatch.delenv(c_library.CHOICE, raising=False)
    no_blocks()
    said = []
    with executor_at(Place(executor="inline"), PLAIN, remark=said.append) as executor:
        assert executor.computation.kernels == "torch"
    assert said == [
        "Kernels: torch, because blocked ones cannot be had here (no C compiler: cc: No such file "
        "or directory); runs take longer"
    ]
    with pytest.raises(ReproError, match=r"^--kernels blocked: they cannot be had here"):
        executor_at(Place(kernels="blocked"), PLAIN, remark=said.append)
    with executor_at(Place(kernels="torch"), PLAIN, remark=said.append):
        assert len(said) == 1


def test_the_variable_means_what_the_option_does(monkeypatch):
    """The option comes first; a name that is none is refused."""
    monkeypatch.setenv(c_library.CHOICE, "torch")
    assert hardware.kernels_on("cpu", None).why == "because of REPRO_KERNELS=torch"
    monkeypatch.setenv(c_library.CHOICE, "fast")
    assert hardware.kernels_on("cpu", "torch").why == "because of --kernels torch"
    with pytest.raises(ReproError, match="REPRO_KERNELS=fast: no kernels"):
        hardware.kernels_on("cpu", None)
    with pytest.raises(ReproError, match="blocked kernels are for processors"):
        hardware.kernels_on("cuda", "blocked")


@needs_blocks
def test_no_study_changes_kernels_unasked(no_blocks, monkeypatch, tally):
    """Runs, plan and verify stop or say so, and name the option; with it all is computed again."""
    monkeypatch.delenv(c_library.CHOICE, raising=False)
    with studies.canned(), studies.folder() as place:
        file, results = studies.toy(place), place / "results"
        studies.run_here(file, results)
        before = studies.identities(results)
        no_blocks()
        tally.faults += 1
        stop = "6 runs of it, computed with blocked kernels, would be computed again with torch"
        with pytest.raises(ReproError, match=rf"{stop}.*pass --kernels torch if that is meant"):
            studies.run_here(file, results)
        assert studies.identities(results) == before
        options = [str(file), "--results", str(results), "--executor", "inline"]
        planned = CliRunner().invoke(main, ["plan", *options, "--no-calibration"])
        verified = CliRunner().invoke(main, ["verify", *options])
        assert f"`repro run` stops: {stop}" in planned.output
        assert planned.exit_code == 0
        assert verified.exit_code == 1
        assert "--kernels torch" in verified.output
        with Inline("cpu", "torch") as executor:
            (index,) = records.read_indexes(results)
            found = verification.verify(index, results, runs=1, executor=executor, asked=TORCH)
            with contextlib.closing(found):
                assert "kernels blocked -> torch" in str(next(found))
        studies.run_here(file, results, asked=TORCH)
        assert len(studies.identities(results)) == 12


@needs_blocks
def test_blocks_that_cannot_multiply_bfloat16_are_not_named(monkeypatch, tally):
    """Run and plan name the arm and the option; torch would compute under the name of blocks."""
    monkeypatch.delenv(c_library.CHOICE, raising=False)
    monkeypatch.setattr(c_library, "multiplies_pairs", lambda: False)
    tally.faults += 1
    stop = (
        r"arm even is of precision bf16, .* on processors with AVX512_BF16\): pass --kernels torch"
    )
    with studies.canned(), studies.folder() as place:
        file, results = studies.toy(place), place / "results"
        options = [str(file), "--results", str(results), "--executor", "inline"]
        options += ["--set", "precision=bf16"]
        ran, planned, asked = (
            CliRunner().invoke(main, [*words, *options])
            for words in (
                ["run", "-q"],
                ["plan", "--no-calibration"],
                ["run", "-q", "--kernels", "torch"],
            )
        )
        assert ran.exit_code == 1
        assert re.search(stop, " ".join(ran.output.split()))
        assert planned.exit_code == 0
        assert re.search(f"`repro run` stops: {stop}", planned.output)
        assert asked.exit_code == 0, asked.output
        assert len(studies.identities(results)) == 6


@needs_blocks
def test_a_worker_that_cannot_multiply_bfloat16_refuses_the_run(monkeypatch, tmp_path):
    """It may be another machine than the one that planned."""
    monkeypatch.setattr(c_library, "multiplies_pairs", lambda: False)
    task = a_task(tmp_path, configuration=configuration(precision="bf16"))
    blocked = replace(task, computation=replace(task.computation, kernels="blocked"))

    with pytest.raises(ReproError, match=r"AVX512_BF16.* pass --kernels torch for all of them"):
        run_guards.started(blocked)
