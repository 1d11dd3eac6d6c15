"""The C compiler of this machine: `cc`, or what CC names, with its options.

Whatever it does, an answer comes within `LIMIT`: then it and all that it has started are killed.
"""

import contextlib
import functools
import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from repro.system import machine

LIMIT = 120.0  # seconds for an answer; `blocked.c` takes 3
LONGEST = 200  # characters of a reason
STEERING = ("CPATH", "C_INCLUDE_PATH", "LIBRARY_PATH", "COMPILER_PATH", "GCC_EXEC_PREFIX")


class NoCompiler(OSError):
    """There is none, or it does not compile; the text says why."""


class NoAnswer(NoCompiler):
    """It has not ended in time."""


def command() -> list[str]:
    """The words of the command.

    Raises:
        NoCompiler: CC has unbalanced quotation marks.
    """
    given = os.environ.get("CC", "")
    try:
        return shlex.split(given) or ["cc"]
    except ValueError as error:
        raise NoCompiler(f"CC={given}: {error}") from None


@functools.cache
def version() -> str:
    """The compiler's word on itself, its first line, with the options of CC.

    Raises:
        NoCompiler: There is none, or it does not answer.
    """
    compiler, *options = command()
    said = _run([compiler, *options, "--version"], folder=None).strip().partition("\n")[0]
    return " ".join([said, *options])


def compiled(sources: Sequence[Path], flags: Sequence[str], folder: Path) -> bytes:
    """A shared library of some files.

    Args:
        sources: In C.
        flags: Of the compiler.
        folder: Where it may write.

    Raises:
        NoCompiler: It refuses a file, does not end, or cannot write.
    """
    with tempfile.TemporaryDirectory(dir=folder) as inside:
        made = Path(inside) / "library.so"
        _run([*command(), *flags, *map(str, sources), "-o", str(made), "-lm"], folder=inside)
        try:
            return made.read_bytes()
        except OSError as error:
            raise NoCompiler(f"{command()[0]} has made no file ({error.strerror})") from None


def _run(words: list[str], *, folder: str | None) -> str:
    """What it prints; it is a group of processes, so that all of them can be ended."""
    environment = {name: value for name, value in os.environ.items() if name not in STEERING}
    environment |= {"LC_ALL": "C"} | ({"TMPDIR": folder} if folder else {})
    with _scratch(folder) as said, _scratch(folder) as complained:
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=complained,
                env=environment,
                start_new_session=machine.has_groups(),
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise NoCompiler(f"no C compiler: {words[0]}: {reason}") from None
        with _ended(process):
            try:
                status = process.wait(LIMIT)
            except subprocess.TimeoutExpired:
                raise NoAnswer(f"{words[0]} has not ended after {LIMIT:g} s") from None
        if status:
            raise NoCompiler(f"{words[0]}: {_reason(_read(complained), status)}")
        return _read(said)


@contextlib.contextmanager
def _ended(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """In the end nothing of the process's group is left, however this is left."""
    try:
        yield
    finally:
        machine.end_group(process)
        process.wait()


def _scratch(folder: str | None) -> IO[bytes]:
    """A file without a name: a pipe would be held open by processes that are left over."""
    return machine.scratch_file(folder)


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def _reason(said: str, status: int) -> str:
    """The first error among its lines, or the last line; the status where it is silent."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = (line for line in lines if "error" in line.lower())
    reason = next(errors, lines[-1] if lines else "")
    ended = f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
    return reason[:LONGEST] or ended
