"""Ray as we want it: on loopback unless an address is given, silent, reporting to nobody.

Nothing here is imported without ``--executor ray``. The settings have to stand in the environment
before Ray is loaded.
"""

import contextlib
import logging
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from repro.errors import ReproError
from repro.execution.executors import ray_guard
from repro.records import locks
from repro.system import machine, worker_environment

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # leave the GPUs of runs alone that ask for none
}
ALONE = {  # Ray knows loopback by the name of the systems on which it is the default
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_worker_niceness": "0",  # at the usual 15 runs stand still beside any other work
    "RAY_local_fs_capacity_threshold": "1",  # as much of the disk as there is, not 95 % of it
}
ANSWER = 5.0  # seconds for a cluster to take a connection
PREFIX = "repro-ray-"
SHORT = "/tmp"  # the names of sockets below may have 107 characters in all
EMPTY = "empty"  # the current folder of Ray's processes
ROOT = Path("/")  # a folder to which nobody can add a module


def load(*, alone: bool) -> Any:
    """The module `ray`.

    Args:
        alone: Whether a Ray of our own is meant, that only this machine and this user can reach.

    Raises:
        ReproError: It is not installed, or was loaded with other settings.
    """
    if alone and "ray" in sys.modules and not ALONE.items() <= os.environ.items():
        raise ReproError(
            "this process has loaded Ray before, open to other machines; pass the address of its "
            "cluster, or call this from a process that has not"
        )
    os.environ.update(QUIET)
    if alone:
        os.environ.update(ALONE)
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    try:
        import ray
    except ImportError as error:
        raise ReproError(f"--executor ray needs Ray ({error}): pip install '.[ray]'") from None
    return ray


@contextlib.contextmanager
def alone(*, cpus: float, remark: Callable[[str], None]) -> Iterator[Any]:
    """A Ray of our own on this machine, ended and removed in the end.

    Args:
        cpus: Cores that it may give away.
        remark: Told what Ray would print.
    """
    ray = load(alone=True)
    _sweep()
    with _private_folder() as folder, locks.of_folder(folder, patience=0):
        options = {
            "address": "local",
            "num_cpus": cpus,
            "include_dashboard": False,
            "_node_ip_address": "127.0.0.1",
            "_temp_dir": str(folder / "ray"),
        }
        with _initialised(ray, options, remark, start_in=folder / EMPTY):
            yield ray


@contextlib.contextmanager
def _private_folder() -> Iterator[Path]:
    """A folder that only this user can enter; Ray's in it can be written by all.

    With it go, however this process ends, all processes that were started in its folder `EMPTY`.
    """
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=SHORT))
    try:
        (folder / EMPTY).mkdir()
        guard = subprocess.Popen(
            [sys.executable, "-I", ray_guard.__file__, str(folder)],
            stdin=subprocess.PIPE,
            cwd=ROOT,
            start_new_session=machine.has_groups(),
        )
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise _not_there("local", str(error)) from None
    assert guard.stdin is not None
    try:
        yield folder
    finally:
        guard.stdin.close()
        guard.wait()


@contextlib.contextmanager
def joined(address: str, *, remark: Callable[[str], None]) -> Iterator[Any]:
    """A cluster that is there, of which this machine is a part.

    Args:
        address: ``HOST:PORT``, or ``auto``.
        remark: Told what Ray would print.

    Raises:
        ReproError: No cluster answers, or it can be reached from outside alone.
    """
    if address.startswith("ray://"):
        raise ReproError(
            f"--address {address}: Ray's client protocol is for machines outside of a cluster; "
            "start repro on one of its machines (`ray job submit` does) and pass HOST:PORT or auto"
        )
    _require_answer(address)
    ray = load(alone=False)
    with _initialised(ray, {"address": address}, remark, start_in=ROOT):
        yield ray


@contextlib.contextmanager
def _initialised(
    ray: Any, options: dict[str, Any], remark: Callable[[str], None], *, start_in: Path
) -> Iterator[None]:
    """Connect, and leave in the end.

    Args:
        ray: The module.
        options: Of ``ray.init``.
        remark: Told what Ray would print.
        start_in: The current folder meanwhile; Ray lets its workers import modules from it, and the
            one in which a person is may hold somebody else's.
    """
    _say_through(ray, remark)
    machine.allow_many_files()  # a run on a cluster takes a lock's file and a socket
    terminate = signal.getsignal(signal.SIGTERM)  # Ray puts one of its own in its place
    try:
        with _plain_environment(), contextlib.chdir(start_in):
            ray.init(**options, log_to_driver=False, logging_level=logging.CRITICAL)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        ray.shutdown()
        raise _not_there(options["address"], _first_sentence(error)) from None
    finally:
        with contextlib.suppress(ValueError):  # not the main thread: Ray left it alone
            signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        ray.shutdown()


@contextlib.contextmanager
def _plain_environment() -> Iterator[None]:
    """Within, a Ray that starts gives its workers the environment that runs need."""
    before = dict(os.environ)
    plain = worker_environment.of_worker(before)
    for name in before.keys() - plain.keys():
        del os.environ[name]
    os.environ.update(plain)
    try:
        yield
    finally:
        for name in plain.keys() - before.keys():
            os.environ.pop(name, None)
        os.environ.update(before)


def _require_answer(address: str) -> None:
    """Knock first: Ray itself would knock for minutes."""
    host, _, port = address.rpartition(":")
    if host and port.isdecimal():
        try:
            socket.create_connection((host, int(port)), timeout=ANSWER).close()
        except (OSError, OverflowError) as error:
            raise _not_there(address, str(error)) from None


def _not_there(address: str, reason: str) -> ReproError:
    if address == "local":
        return ReproError(f"Ray cannot be started here ({reason})")
    return ReproError(
        f"--address {address}: no cluster can be joined there ({reason}); all its machines need "
        "the same Python and Ray, and this must be one of them; `ray start --head` starts one"
    )


def _sweep() -> None:
    """Remove what processes have left that were killed; their Ray ends with them by itself."""
    for folder in Path(SHORT).glob(f"{PREFIX}*"):
        if folder.lstat().st_uid != machine.user() or folder.is_symlink():
            continue  # another user's
        if (folder / "lock").exists() and locks.holder_of(folder / "lock") is None:
            shutil.rmtree(folder, ignore_errors=True)


def _say_through(ray: Any, remark: Callable[[str], None]) -> None:
    """Keep Ray from printing onto our tables; that a worker died is told otherwise."""
    said: set[str] = set()

    def say(data: dict[str, Any], *_: Any, **__: Any) -> None:
        for line in map(_first_sentence, data.get("lines", [])):
            if line not in said and not line.startswith("A worker died"):
                said.add(line)
                remark(f"Ray says: {line}")

    ray._private.worker.print_to_stdstream = say


def _first_sentence(text: object) -> str:
    return str(text).strip().partition("\n")[0].partition(". ")[0]
