"""A real tracking server of MLflow on the loopback, and stand-ins that answer wrongly."""

import contextlib
import http.client
import http.server
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request

BARE = {  # no telemetry, and none of the processes in which it would execute jobs
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}
START = 90  # seconds that MLflow may take to start on a busy machine


@contextlib.contextmanager
def real(folder):
    """A server with its database and its artifacts, which it proxies, in a folder; its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    words = [
        *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)),
        *("--workers", "1", "--backend-store-uri", f"sqlite:///{folder}/server.db"),
        *("--artifacts-destination", str(folder / "artifacts")),
    ]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            words,
            cwd=folder,
            env={**os.environ, **BARE},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        end = time.monotonic() + START
        while not _answers(f"{address}/health"):
            assert process.poll() is None, (folder / "server.log").read_text()
            assert time.monotonic() < end, "MLflow does not start"
            time.sleep(0.1)
        yield address
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.wait()


def _answers(address):
    with (
        contextlib.suppress(OSError),
        urllib.request.urlopen(address, timeout=5) as answer,
    ):
        return answer.status == 200
    return False


class Answering(http.server.BaseHTTPRequestHandler):
    """Answers every request with what its server holds, after as many seconds as it says."""

    def do_GET(self):
        """As every other method."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        time.sleep(self.server.wait)
        self._give(self.server.status, self.server.text)

    def _give(self, status, text):
        with contextlib.suppress(OSError):  # nobody waits any more
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    do_POST = do_PUT = do_GET

    def log_message(self, *_):
        """Nothing."""


class Forwarding(Answering):
    """Passes requests on to a real server, as many as its server still has, and checks a header."""

    def do_GET(self):
        """As every other method."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        given = self.headers.get("Authorization")
        self.server.authorizations.add(given)
        if self.server.wanted is not None and given != self.server.wanted:
            self._give(401, b'{"error": "who are you?"}')
            return
        if self.server.left <= 0:
            self.close_connection = True
            self.connection.close()
            return
        self.server.left -= 1
        real = http.client.HTTPConnection("127.0.0.1", self.server.behind, timeout=30)
        with contextlib.closing(real):
            kept = {k: v for k, v in self.headers.items() if k.lower() != "host"}
            real.request(self.command, self.path, body=body, headers=kept)
            answer = real.getresponse()
            self._give(answer.status, answer.read())

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET


@contextlib.contextmanager
def _serving(handler, **attributes):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    vars(server).update(attributes)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def wrong(status=200, text=b"<html>Welcome</html>", wait=0.0):
    """The address of a server that always says the same."""
    with _serving(Answering, status=status, text=text, wait=wait) as (_, address):
        yield address


@contextlib.contextmanager
def before(address, left=10**6, wanted=None):
    """A server before a real one.

    Args:
        address: Of the real one.
        left: Requests until it breaks every connection.
        wanted: The header `Authorization` that it asks for.
    """
    behind = int(address.rpartition(":")[2])
    with _serving(Forwarding, behind=behind, left=left, wanted=wanted, authorizations=set()) as it:
        yield it
