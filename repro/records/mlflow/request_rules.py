"""Which requests the server of the MLflow pages answers: those of its own pages, and only reads.

MLflow itself lets hosts through that merely begin like a private address (``10.evil.test``), and
any page of this machine, whatever its port, may write. Here everything is refused that the pages
do not need to show results.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]

HOST = "127.0.0.1"  # where the server listens
HTTP = 80  # the port that browsers leave out
STUDIES = "/studies/"  # pages of studies, made of records, that another application answers
START_PAGE = "/"  # the same for everybody, without any result: a link elsewhere may lead to it
ARTIFACT = "/get-artifact"
GET = re.compile(
    r"/(|health|version|get-artifact|static-files/.+|studies/.*"
    r"|(ajax-)?api/\d\.0/mlflow/(artifacts|datasets|experiments|logged-models|metrics"
    r"|model-versions|registered-models|runs|server-info|traces|ui-telemetry|users)(/.+)?"
    r"|ajax-api/2\.0/mlflow/gateway-proxy)"  # asks nobody: no gateway is set; without it, a warning
)
POST = re.compile(
    r"/(graphql"  # it has reads alone, although it calls searches mutations
    r"|(ajax-)?api/\d\.0/mlflow/((datasets|experiments|logged-models|runs|traces)/search"
    r"|experiments/search-datasets|traces/(batchGetInfos|metrics)))"
)
READS = {"GET": GET, "HEAD": GET, "POST": POST}
POLICY = "; ".join(  # scripts of the pages only, and no word to another host
    [
        "default-src 'self'",
        "script-src 'self' 'unsafe-eval'",  # charts compile what they draw on the GPU
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "frame-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    ]
)
STUDIES_POLICY = "; ".join(  # no script at all, and nothing but what stands in the page
    [
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)
ARTIFACT_POLICY = "sandbox; default-src 'none'"  # for a file of a run that is opened as a page
HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"cross-origin-resource-policy": b"same-origin",
    b"referrer-policy": b"same-origin",
}
REFUSED = "403: repro ui only shows results, to its own pages at http://{host}/: {reason}\n"


class Beside:
    """An ASGI application that leaves the pages of studies to another one."""

    def __init__(self, app: App, studies: App) -> None:
        """Join two applications.

        Args:
            app: Answers all other requests.
            studies: Answers paths that begin with `STUDIES`.
        """
        self._app, self._studies = app, studies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        is_study = scope["type"] == "http" and scope["path"].startswith(STUDIES)
        await (self._studies if is_study else self._app)(scope, receive, send)


class OwnPagesOnly:
    """An ASGI application before another: refuses what `refusal` does, and adds headers."""

    def __init__(self, app: App, port: int) -> None:
        """Guard an application.

        Args:
            app: What answers the requests that are let through.
            port: At which the server listens.
        """
        self._app, self._port = app, port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            return
        path: str = scope["path"]
        reason = refusal(scope["method"], path, scope["headers"], self._port)
        if reason is None:
            await self._app(scope, receive, _with_headers(send, path))
        else:
            await _refuse(send, reason, self._port)


def hosts(port: int) -> list[str]:
    """What the ``Host`` of a request may be.

    Args:
        port: At which the server listens.
    """
    names = [HOST, "localhost"]
    return [f"{name}:{port}" for name in names] + (names if port == HTTP else [])


def refusal(method: str, path: str, headers: Iterable[Header], port: int) -> str | None:
    """Why a request is refused; None if it is answered.

    Args:
        method: As ``GET``.
        path: Without the query, decoded.
        headers: Names in lower case, and values.
        port: At which the server listens.
    """
    given: dict[str, list[str]] = {}
    for name, value in headers:
        given.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
    host = given.get("host", [])
    if len(host) != 1 or host[0] not in hosts(port):
        return f"the host is {_shown(host)}"
    if path != START_PAGE and (stranger := _stranger(given, f"http://{host[0]}")) is not None:
        return f"asked by {stranger}"
    if method not in READS or not READS[method].fullmatch(path) or "/../" in path:
        return f"{method} {path!r} is not needed for that"
    return None


def _stranger(given: dict[str, list[str]], own: str) -> str | None:
    """Another site that had the browser ask, as far as headers tell."""
    if any(origin != own for origin in given.get("origin", [])):
        return _shown(given["origin"])
    if not all(f"{referer}/".startswith(f"{own}/") for referer in given.get("referer", [])):
        return _shown(given["referer"])
    if not {"same-origin", "none"}.issuperset(given.get("sec-fetch-site", [])):
        return "another site"
    return None


def _shown(values: list[str]) -> str:
    return ", ".join(map(repr, values)) or "missing"


def _with_headers(send: Send, path: str) -> Send:
    """A `send` that says what browsers may do with an answer, in place of what MLflow says."""
    policy = ARTIFACT_POLICY if path == ARTIFACT else POLICY
    if path.startswith(STUDIES):
        policy = STUDIES_POLICY
    ours = {**HEADERS, b"content-security-policy": policy.encode()}

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            theirs = [
                (name, value)
                for name, value in message.get("headers", [])
                if name.lower() not in ours and not name.lower().startswith(b"access-control-")
            ]
            message["headers"] = [*theirs, *ours.items()]
        await send(message)

    return with_headers


async def _refuse(send: Send, reason: str, port: int) -> None:
    text = REFUSED.format(host=hosts(port)[0], reason=reason).encode("ascii", "backslashreplace")
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *HEADERS.items()]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": text})
