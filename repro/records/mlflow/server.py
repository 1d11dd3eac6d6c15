"""Opens the MLflow mirror in a browser: one server, for this machine alone.

The server listens on the loopback address only and ends, with all its processes, when this process
does, however that is: `server_guard` ensures it. It shows copies; the records are authoritative.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import IO

from repro.errors import ReproError
from repro.records.mlflow import server_guard, sqlite_store, study_pages
from repro.records.mlflow.request_rules import HOST
from repro.records.mlflow.sqlite_store import (
    connect,
    database,
    failures,
    quiet,
    store_uri,
)
from repro.records.mlflow.study_pages import WORKFLOW
from repro.system import machine
from repro.system.printing import say

GRACE = 5.0  # seconds that the guard has to end the server
_SERVER = str(Path(__file__).with_name("server_process.py"))  # a program: it loads all of MLflow


def view_url(results: Path, port: int, open_study: str | None = None) -> str:
    """The address to open in the browser.

    Args:
        results: The results folder.
        port: Port of the server.
        open_study: ``STUDY`` (its variant opened last) or ``STUDY/VARIANT``; its runs are shown
            grouped by arm. None for the list of experiments.

    Raises:
        ReproError: There is no mirror, or it does not contain the study.
    """
    base = f"http://{HOST}:{port}/"
    if open_study is None:
        return f"{base}#/experiments?{WORKFLOW}"
    return base + study_pages.view_link(_experiment_id(results, open_study))


def command(results: Path, port: int, program: str = _SERVER) -> list[str]:
    """The server's command line; without the folders of the user's program on the import path."""
    return [sys.executable, "-P", program, str(results.resolve()), str(port)]


def environment() -> dict[str, str]:
    """The server's environment: no telemetry, none of the user's MLflow settings.

    ``PYTHONPATH`` keeps what is whole: a relative folder would be another one there.
    """
    kept = sqlite_store.environment(os.environ)
    entries = kept.pop("PYTHONPATH", "").split(os.pathsep)
    whole = os.pathsep.join(filter(os.path.isabs, entries))
    return {**kept, "PYTHONPATH": whole} if whole else kept


def serve(
    results: Path, *, port: int, open_study: str | None, program: str = "", page: str = ""
) -> int:
    """Serve the mirror until Ctrl-C or SIGTERM.

    Args:
        results: The results folder.
        port: Port to listen on.
        open_study: As for ``view_url``.
        program: Serves in place of `server_process`, with the same arguments.
        page: Path of its page to open in place of MLflow's.

    Returns:
        Exit status: 0 if it was asked to end, 1 if the server ended by itself.

    Raises:
        ReproError: There is no mirror, it does not contain the study, or the port is in use.
    """
    _require_mirror(results)
    _require_free(port)
    url = view_url(results, port, open_study)
    if page:
        url = f"http://{HOST}:{port}{page}"
    words = command(results, port, program) if program else command(results, port)
    with _told_to_end(), contextlib.suppress(KeyboardInterrupt), _server(results, words) as server:
        say("MLflow is starting (about 10 s) ...")
        while server.poll() is None and not _is_open(port):
            time.sleep(0.2)
        if server.poll() is None:
            say(f"{url}\nCtrl-C ends it.")
        server.wait()
        say(f"MLflow ended; the reason is in {_log(results)}", err=True)
        return 1
    return 0


def _experiment_id(results: Path, study: str) -> str:
    """The most recent experiment of the study's variant, or of any of its variants."""
    _require_mirror(results)
    try:
        with quiet():
            experiments = connect(store_uri(results)).search_experiments(
                order_by=["last_update_time DESC"]
            )
    except failures() as error:
        raise ReproError(f"{database(results)}: MLflow cannot read this ({error})") from None
    for experiment in experiments:
        if study in (experiment.name, experiment.name.rpartition("/")[0]):
            return str(experiment.experiment_id)
    known = ", ".join(sorted(x.name for x in experiments if "/" in x.name)) or "none"
    raise ReproError(f"{database(results)}: has no study {study!r} (there are: {known})")


def _log(results: Path) -> Path:
    """The log of the last server."""
    return database(results).with_name("server.log")


def _new_log(results: Path) -> IO[bytes]:
    """An empty log; a link there may lead to any file, and is removed."""
    path = _log(results)
    try:
        path.unlink(missing_ok=True)
        return path.open("xb")
    except OSError as error:
        raise ReproError(f"{path}: {error.strerror}") from None


def _require_mirror(results: Path) -> None:
    if database(results).is_file():
        return
    if (results / "studies").is_dir():
        raise ReproError(f"{results}: it has no MLflow pages yet. Make them: repro sync")
    raise ReproError(f"{results}: no study was run here yet. Run one first: repro run STUDY")


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ReproError(
                f"port {port} of {HOST} cannot be used ({error.strerror}); pass another by --port"
            ) from None


def _is_open(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False


@contextlib.contextmanager
def _server(results: Path, words: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """The server under its guard, in a process group that is ended as a whole."""
    with _new_log(results) as log:
        process = subprocess.Popen(
            [sys.executable, "-I", server_guard.__file__, *words],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=machine.has_groups(),
        )
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
    finally:
        machine.end_group(process)
        process.wait()


@contextlib.contextmanager
def _told_to_end() -> Iterator[None]:
    """Treat Ctrl-C, SIGTERM and a closed terminal alike: as a mere request to end."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    heard = [number for number in machine.ENDING if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, interrupt) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
