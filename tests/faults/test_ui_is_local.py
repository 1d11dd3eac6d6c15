"""R20: what ``repro ui`` starts is for this machine alone, and ends with it, however it ends."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys

import mirrors
import processes
import pytest
from click.testing import CliRunner
from mirrors import INDEX, TABLE, experiment_of, one_run_of, write_study

from repro.cli import main
from repro.records.mlflow import sqlite_store
from repro.records.mlflow.mirror import Mirror

END = {signal.SIGTERM: 0, signal.SIGINT: 0, signal.SIGKILL: -signal.SIGKILL}  # exit statuses
CANARY = "canary-5f1c"  # in the environment, and nowhere else
SECRETS = ("AWS_SECRET_ACCESS_KEY", "MLFLOW_TRACKING_PASSWORD", "HF_TOKEN", "GITHUB_TOKEN", "MINE")
STAND_IN = """
import signal, subprocess, sys
from pathlib import Path
from repro.records.mlflow import server

listen = 'import http.server as h; h.test(h.SimpleHTTPRequestHandler, port=PORT, bind="127.0.0.1")'
deaf = 'import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); '
start = 'import subprocess, sys; subprocess.call([sys.executable, "-c", sys.argv[1]])'
child = deaf + listen.replace('PORT', sys.argv[2])
server.command = lambda *_: [sys.executable, '-c', start, child]
sys.exit(server.serve(Path(sys.argv[1]), port=int(sys.argv[2]), open_study=None))
"""


@pytest.fixture
def results(tmp_path, tmp_path_factory):
    results = mirrors.copy_template(mirrors.template(tmp_path_factory), tmp_path / "results")
    (record, _) = write_study(results)
    mirror = Mirror(results)
    mirror.add(INDEX, "alpha 0.1", record)
    mirror.finish(INDEX, TABLE)
    return results


@contextlib.contextmanager
def serving(*command):
    """The process that serves, and its port; with secrets in its environment."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    secrets = {name: f"{CANARY}-{name}" for name in SECRETS}
    with subprocess.Popen(
        [sys.executable, *map(str, command), str(port)],
        env={**os.environ, **secrets},
        stdout=subprocess.PIPE,
        text=True,
        # A shell's background jobs ignore Ctrl-C, and so would what they start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        try:
            assert "starting" in process.stdout.readline()
            assert f"http://127.0.0.1:{port}" in process.stdout.readline()
            yield process, port
        finally:
            process.terminate()
            process.wait(30)


def ask(port, method, path, *, body=None, **headers):
    """A request as it is, unmended by a library; status and text of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    with contextlib.closing(connection):
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")


def own_address():
    """Another address of this machine; None if it has none. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.255", 9))
        except OSError:
            return None
        return probe.getsockname()[0]


def require_closed(port, pids):
    """Only the loopback address answers."""
    assert processes.listening(pids) == {f"0100007F:{port:04X}"}
    address = own_address()
    if address not in (None, "127.0.0.1"):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((address, port), timeout=5)
    return 2


def require_no_strangers(port, results):
    """A page of another site can neither read nor write, and ours can."""
    create = "/ajax-api/2.0/mlflow/experiments/create"
    search = "/ajax-api/2.0/mlflow/experiments/search?max_results=5"
    sent = {"body": json.dumps({"name": "evil"}), "Content-Type": "application/json"}
    elsewhere = [
        ask(port, "GET", "/", Host="evil.test"),
        ask(port, "GET", search, Host=f"evil.test:{port}"),
        ask(port, "POST", create, Origin="http://evil.test", **sent),
        ask(port, "POST", create, Origin="null", Host="evil.test", **sent),
    ]
    assert [code for code, _ in elsewhere] == [403] * 4
    assert experiment_of(results, "evil") is None
    assert ask(port, "GET", search)[0] == 200
    return 4


def require_no_other_files(port, results):
    """What lies outside the artifacts is not served."""
    run = one_run_of(results).info.run_id
    way = "../" * 12 + "etc/passwd"
    coded = way.replace("../", "%2e%2e%2f")
    answers = [
        ask(port, "GET", path)
        for path in (
            f"/{way}",
            f"/static-files/{coded}",
            f"/get-artifact?path={way}&run_uuid={run}",
            f"/api/2.0/mlflow-artifacts/artifacts/{coded}",
        )
    ]
    assert [400 <= code < 500 for code, _ in answers] == [True] * 4, answers
    assert not any("root:" in text for _, text in answers)
    assert ask(port, "GET", f"/get-artifact?path=record.json&run_uuid={run}")[0] == 200
    return 4


def require_end(process, started, number):
    """It ends as it was told, and everything that it started is gone within seconds."""
    process.send_signal(number)
    assert process.wait(20) == END[number]
    assert processes.soon(lambda: not processes.left(started))
    return 1


def test_the_pages_are_for_this_machine_and_end_with_their_command(results, amount, tally):
    """Ten probes and a SIGKILL; of the secrets around it, the server's log says nothing."""
    for number in amount([signal.SIGKILL], [*END]):
        with serving("-m", "repro.cli", "ui", "--results", results, "--port") as (process, port):
            started = processes.below(process.pid)
            tally.faults += require_closed(port, [one.pid for one in started])
            tally.faults += require_no_strangers(port, results)
            tally.faults += require_no_other_files(port, results)
            tally.faults += require_end(process, started, number)
        assert CANARY not in sqlite_store.database(results).with_name("server.log").read_text()


@pytest.mark.parametrize("number", END, ids=lambda number: number.name)
def test_a_server_that_does_not_hear_sigterm_ends_with_its_command(results, number, tally):
    """A stand-in: what listens was started by what was started, and ignores the signal."""
    with serving("-c", STAND_IN, results) as (process, _):
        started = processes.below(process.pid)
        assert len(started) == 3
        tally.faults += require_end(process, started, number)


def test_no_option_opens_the_pages_to_others(tally):
    """It would take passwords and encryption; a usage error says that there is none."""
    result = CliRunner().invoke(main, ["ui", "--host", "0.0.0.0"])

    tally.bad_inputs += 1
    assert result.exit_code == 2
    assert re.search(r"No such option:? '?--host", result.output)  # releases of click differ
