"""R20: what ``repro ui`` starts is for this machine alone, and ends with it, however it ends."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import mirrors
import processes
import pytest
import strangers
from click.testing import CliRunner
from mirrors import INDEX, TABLE, one_run_of, write_study

from repro.cli import main
from repro.records.mlflow import sqlite_store
from repro.records.mlflow.mirror import Mirror

END = {signal.SIGTERM: 0, signal.SIGINT: 0, signal.SIGKILL: -signal.SIGKILL}  # exit statuses
CANARY = "canary-5f1c"  # in the environment, and nowhere else
SECRETS = ("AWS_SECRET_ACCESS_KEY", "MLFLOW_TRACKING_PASSWORD", "HF_TOKEN", "GITHUB_TOKEN", "MINE")
SEARCH = "/ajax-api/2.0/mlflow/experiments/search?max_results=5"
RUNS = "/ajax-api/2.0/mlflow/runs/search"
JSON = {"Content-Type": "application/json"}
SCRIPT = '<svg xmlns="http://www.w3.org/2000/svg"><script>fetch("/")</script></svg>'
WRITES = {  # and what starts programs or asks other hosts; by method
    "GET": (
        "/ajax-api/3.0/mlflow/assistant/config",
        "/ajax-api/3.0/mlflow/assistant/providers/claude_code/health",
        "/ajax-api/2.0/mlflow/webhooks",
        "/ajax-api/2.0/mlflow-artifacts/artifacts",
        "/ajax-api/3.0/mlflow/jobs/1",
    ),
    "POST": (
        "/ajax-api/2.0/mlflow/experiments/create",
        "/ajax-api/2.0/mlflow/experiments/delete",
        "/ajax-api/2.0/mlflow/experiments/set-experiment-tag",
        "/ajax-api/2.0/mlflow/runs/create",
        "/ajax-api/2.0/mlflow/runs/delete",
        "/ajax-api/2.0/mlflow/runs/log-batch",
        "/ajax-api/2.0/mlflow/runs/set-tag",
        "/api/2.0/mlflow/runs/set-tag",
        "/api/2.0/mlflow/runs/search/../set-tag",
        "/ajax-api/2.0/mlflow/runs/search%2F..%2Fset-tag",
        "//ajax-api/2.0/mlflow/runs/set-tag",
        "/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=record.json",
        "/ajax-api/2.0/mlflow/webhooks",
        "/ajax-api/2.0/mlflow/gateway-proxy",
        "/ajax-api/3.0/mlflow/assistant/message",
        "/ajax-api/3.0/mlflow/demo/generate",
        "/ajax-api/3.0/mlflow/jobs/search",
        "/gateway/x/mlflow/invocations",
        "/v1/traces",
    ),
    "PUT": (
        "/api/2.0/mlflow-artifacts/artifacts/toy/record.json",
        "/ajax-api/2.0/mlflow-artifacts/artifacts/toy/record.json",
        "/ajax-api/3.0/mlflow/assistant/config",
    ),
    "PATCH": ("/ajax-api/2.0/mlflow/registered-models/update",),
    "DELETE": ("/ajax-api/2.0/mlflow-artifacts/artifacts/toy/record.json",),
    "OPTIONS": ("/ajax-api/2.0/mlflow/runs/set-tag",),
    "TRACE": ("/",),
}
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


def hosts(port):
    """Of requests that are not for us."""
    return [
        "evil.test",
        f"evil.test:{port}",
        "10.evil.test",
        f"10.evil.test:{port}",
        "192.168.evil.test",
        "172.16.evil.test",
        "fd00:evil.test",
        f"10.0.0.1:{port}",
        "127.0.0.1",
        "localhost",
        f"127.0.0.1:{port + 1}",
        f"127.0.0.1:{port}.evil.test",
        f"127.0.0.1.evil.test:{port}",
        f"LOCALHOST:{port}",
        f"localhost.:{port}",
        f"[::1]:{port}",
        f"0.0.0.0:{port}",
        "",
    ]


@pytest.fixture
def results(tmp_path, tmp_path_factory):
    results = mirrors.copy_template(mirrors.template(tmp_path_factory), tmp_path / "results")
    mirror = Mirror(results)
    for record in write_study(results):
        mirror.add(INDEX, "alpha 0.1", record)
    mirror.finish(INDEX, TABLE)
    return results


@contextlib.contextmanager
def serving(*command, cwd=None, **environment):
    """The process that serves, and its port; with secrets in its environment."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    secrets = {name: f"{CANARY}-{name}" for name in SECRETS}
    with subprocess.Popen(
        [sys.executable, *map(str, command), str(port)],
        env={**os.environ, **secrets, **environment},
        cwd=cwd,
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


def raw(port, *lines):
    """The status of a request sent byte by byte."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode())
        return int(connection.makefile("rb").readline().split()[1])


def require_only_our_hosts(port):
    """A name that somebody else points at this machine is not ours, whatever it looks like."""
    for name in (f"127.0.0.1:{port}", f"localhost:{port}"):
        assert raw(port, f"GET {SEARCH} HTTP/1.1", f"Host: {name}") == 200
    answers = {host: raw(port, f"GET {SEARCH} HTTP/1.1", f"Host: {host}") for host in hosts(port)}
    assert {host for host, code in answers.items() if code != 403} == set()
    twice = [f"GET {SEARCH} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Host: evil.test"]
    assert raw(port, *twice) in (400, 403)
    assert raw(port, f"GET {SEARCH} HTTP/1.0") == 403
    whole = f"GET http://evil.test{SEARCH} HTTP/1.1"
    assert raw(port, whole, f"Host: 127.0.0.1:{port}") == 403
    forwarded = "X-Forwarded-Host: 127.0.0.1"
    assert raw(port, f"GET {SEARCH} HTTP/1.1", "Host: evil.test", forwarded) == 403
    return len(answers) + 4


def require_only_our_pages(port):
    """Another site, also one of this machine, gets nothing; ours does, and the first page opens."""
    own = f"http://127.0.0.1:{port}"
    for headers in ({}, {"Origin": own}, {"Referer": f"{own}/"}, {"Sec-Fetch-Site": "same-origin"}):
        assert ask(port, "POST", RUNS, body="{}", **JSON, **headers)[0] not in (403, 415)
    assert ask(port, "GET", "/", Referer="http://localhost:8888/")[0] == 200
    strangers = [
        {"Origin": "http://evil.test"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Origin": f"https://127.0.0.1:{port}"},
        {"Referer": "http://127.0.0.1:1/page"},
        {"Referer": f"{own}.evil.test/"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ]
    answers = [ask(port, "GET", SEARCH, **one)[0] for one in strangers]
    answers += [ask(port, "POST", RUNS, body="{}", **JSON, **one)[0] for one in strangers]
    assert answers == [403] * len(answers)
    return len(answers)


def require_nothing_is_written(port, results):
    """What the pages do not need to show results is refused, to our own pages as well."""
    before = mirrors.holding(results)
    run = one_run_of(results).info.run_id
    body = json.dumps({"name": "evil", "run_id": run, "key": "evil", "value": "evil"})
    own = {"Origin": f"http://127.0.0.1:{port}", **JSON}
    answers = {
        f"{method} {path}": ask(port, method, path.format(run=run), body=body, **own)[0]
        for method, paths in WRITES.items()
        for path in paths
    }
    assert {asked for asked, code in answers.items() if code != 403} == set()
    assert mirrors.holding(results) == before
    return len(answers)


def require_harmless_answers(port, results):
    """A picture of a run that holds a script is a download, and no page reaches another host."""
    run = one_run_of(results)
    (mirrors.folder_of(run) / "page.svg").write_text(SCRIPT)
    artifact = headers_of(port, f"/get-artifact?path=page.svg&run_uuid={run.info.run_id}")
    page = headers_of(port, "/")

    assert artifact["Content-Disposition"].startswith("attachment")
    assert "sandbox" in artifact["Content-Security-Policy"]
    assert "default-src 'self';" in page["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in page["Content-Security-Policy"]
    for headers in (artifact, page):
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Access-Control-Allow-Origin" not in headers
    return 1


def headers_of(port, path):
    """Of the answer to one of our pages."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    with contextlib.closing(connection):
        connection.request("GET", path, headers={"Origin": f"http://127.0.0.1:{port}"})
        answer = connection.getresponse()
        assert answer.status == 200
        return answer.headers


def require_pages_of_studies(port):
    """They have no script, are read only, and are for our own pages; the server stays alone."""
    page, answers = headers_of(port, "/studies/"), []
    answers.append(ask(port, "GET", "/studies/alpha_sweep/embedded/")[0])
    answers.append(ask(port, "POST", "/studies/alpha_sweep/embedded/", body="{}", **JSON)[0])
    answers.append(ask(port, "GET", "/studies/", Referer="http://evil.test/")[0])
    answers.append(ask(port, "GET", "/studies/../runs/search")[0])
    answers.append(ask(port, "GET", "/studies/%2e%2e%2fruns/")[0])

    assert answers == [200, 403, 403, 403, 403]
    assert page["Content-Security-Policy"].startswith("default-src 'none'; style-src")
    assert page["X-Content-Type-Options"] == "nosniff"
    return len(answers)


def run_outside(results):
    """A run whose artifacts are said to be elsewhere, and a link that leads there."""
    link = mirrors.folder_of(one_run_of(results)) / "link"
    link.unlink(missing_ok=True)  # of the probes before
    link.symlink_to("/etc/passwd")
    with contextlib.closing(sqlite3.connect(sqlite_store.database(results))) as connection:
        (run,) = connection.execute(
            "SELECT max(run_uuid) FROM runs WHERE status = 'FAILED'"
        ).fetchone()
        connection.execute("UPDATE runs SET artifact_uri = 'file:///etc' WHERE run_uuid = ?", [run])
        connection.commit()
    return run


def require_no_other_files(port, results):
    """What lies outside the artifacts is not served, whatever the database of the mirror says."""
    run, outside = one_run_of(results).info.run_id, run_outside(results)
    way = "../" * 12 + "etc/passwd"
    coded = way.replace("../", "%2e%2e%2f")
    answers = [
        ask(port, "GET", path)
        for path in (
            f"/{way}",
            f"/static-files/{coded}",
            f"/get-artifact?path={way}&run_uuid={run}",
            f"/api/2.0/mlflow-artifacts/artifacts/{coded}",
            f"/get-artifact?path=passwd&run_uuid={outside}",
            f"/ajax-api/2.0/mlflow/artifacts/list?run_id={outside}",
            f"/get-artifact?path=link&run_uuid={run}",
        )
    ]
    assert [400 <= code < 500 for code, _ in answers] == [True] * 7, answers
    assert not any("root:" in text for _, text in answers)
    assert ask(port, "GET", f"/get-artifact?path=record.json&run_uuid={run}")[0] == 200
    return 7


def require_neutral_folder(started):
    """What serves does so in an empty folder that nobody else can enter; its path."""
    (folder,) = {Path(f"/proc/{one.pid}/cwd").readlink() for one in started[1:]}
    assert list(folder.iterdir()) == []
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    return folder


def require_end(process, started, number):
    """It ends as it was told, and everything that it started is gone within seconds."""
    process.send_signal(number)
    assert process.wait(20) == END[number]
    assert processes.soon(lambda: not processes.left(started))
    return 1


def test_the_pages_are_for_this_machine_and_end_with_their_command(results, draws, tally):
    """Probes and a SIGKILL, in results of a stranger; of secrets, the server's log says nothing."""
    foreign, command = sqlite_store.database(results).parent, ["ui", "--results", results, "--port"]
    marker = strangers.litter(foreign)
    for number in draws(END, [signal.SIGKILL]):
        with serving("-m", "repro.cli", *command, cwd=foreign.parent.parent, PYTHONPATH=":.") as (
            process,
            port,
        ):
            tally.faults += require_pages_of_studies(port)  # starts the process that makes them
            started = processes.below(process.pid)
            folder = require_neutral_folder(started)
            tally.faults += require_closed(port, [one.pid for one in started])
            tally.faults += require_only_our_hosts(port)
            tally.faults += require_only_our_pages(port)
            tally.faults += require_nothing_is_written(port, results)
            tally.faults += require_harmless_answers(port, results)
            tally.faults += require_no_other_files(port, results)
            tally.faults += require_end(process, started, number)
        assert not folder.exists()
        assert CANARY not in sqlite_store.database(results).with_name("server.log").read_text()
    assert not marker.exists(), marker.read_text()


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
