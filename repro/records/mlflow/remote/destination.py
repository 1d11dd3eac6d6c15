"""Where a study is sent: an address of MLflow, what is shown of it, and settings to reach it.

Passwords and tokens come from the environment or stand in the address. They are handed to MLflow
and to nothing else: every text that leaves this package has passed `Destination.clean`.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from repro.errors import ReproError
from repro.records.mlflow import sqlite_store
from repro.system import private
from repro.system.printing import one_line

VARIABLE = "MLFLOW_TRACKING_URI"
HTTP = ("http", "https")
DATABASES = ("postgresql", "mysql", "mssql")  # drivers may follow: postgresql+psycopg2
KEPT = (  # settings of the user by which a server is reached; all others are left out
    *("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN"),
    *("MLFLOW_TRACKING_INSECURE_TLS", "MLFLOW_TRACKING_SERVER_CERT_PATH"),
    *("MLFLOW_TRACKING_CLIENT_CERT_PATH", "MLFLOW_TRACKING_AWS_SIGV4", "MLFLOW_TRACKING_AUTH"),
    *("MLFLOW_WORKSPACE", "MLFLOW_HTTP_", "MLFLOW_S3_", "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD"),
    *("MLFLOW_MULTIPART_", "MLFLOW_ARTIFACT_UPLOAD_DOWNLOAD_TIMEOUT", "MLFLOW_GCS_"),
)
SETTINGS = {
    **sqlite_store.QUIET,
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_ENABLE_ASYNC_LOGGING": "false",
}
RETRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
FEW = "2"  # of MLflow's 7, which take minutes
SECRETS = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")
EXPECTED = "write http://HOST:PORT, https://HOST, sqlite:///FILE or postgresql://HOST/NAME"


@dataclass(frozen=True, slots=True)
class Destination:
    """A tracking server, or a database of one.

    Attributes:
        uri: For MLflow; of a server without user and password, which are settings then.
        shown: For people: without user, password and query.
        file: The database, if it is a file of SQLite.
        is_server: Whether it is reached by HTTP.
        settings: Variables of the environment for MLflow, made of the address.
        secrets: Texts that are never shown.
    """

    uri: str
    shown: str
    file: Path | None
    is_server: bool
    settings: tuple[tuple[str, str], ...] = ()
    secrets: tuple[str, ...] = ()

    def clean(self, text: str) -> str:
        """A text in one line, with every secret hidden."""
        known = {*self.secrets, *filter(None, map(os.environ.get, SECRETS))}
        for secret in sorted(known, key=len, reverse=True):
            if len(secret) >= private.SHORTEST:
                text = text.replace(secret, private.HIDDEN)
        return one_line(text)

    def link(self, experiment: str) -> str:
        """Where an experiment is found: the address of its page, or that of the database."""
        return f"{self.shown}/#/experiments/{experiment}" if self.is_server else self.shown


def parse(address: str) -> Destination:
    """The destination at an address.

    Raises:
        ReproError: MLflow has no server or database there that `repro sync` writes to.
    """
    try:
        parts = urlsplit(address.strip())
        shown = _shown(parts.scheme, parts.hostname, parts.port, parts.path)
    except ValueError:
        raise ReproError(f"--to: this is no address; {EXPECTED}") from None
    scheme = parts.scheme.partition("+")[0]
    if scheme == "sqlite":
        return _of_sqlite(address.strip())
    if parts.hostname is None or scheme not in (*HTTP, *DATABASES):
        raise ReproError(f"--to: {one_line(shown)} is no address of MLflow; {EXPECTED}")
    words = [unquote(word) for word in (parts.username, parts.password) if word]
    secrets = [word for word in (parts.password, words[-1] if parts.password else "") if word]
    if scheme in DATABASES:
        query = [value for _, _, value in (one.partition("=") for one in parts.query.split("&"))]
        hidden = (*secrets, *filter(None, query))
        return Destination(address.strip(), shown, None, is_server=False, secrets=hidden)
    if parts.query or parts.fragment:
        raise ReproError(f"--to: {one_line(shown)}: leave out all that follows ? or #")
    names = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")
    return Destination(
        shown,
        shown,
        None,
        is_server=True,
        settings=tuple(zip(names, words, strict=False)),
        secrets=tuple(secrets),
    )


def _shown(scheme: str, host: str | None, port: int | None, path: str) -> str:
    name = f"[{host}]" if host and ":" in host else host or ""
    return f"{scheme}://{name}{f':{port}' if port is not None else ''}{path}".rstrip("/")


def _of_sqlite(address: str) -> Destination:
    """The database in a file; MLflow's relative paths begin in the current folder."""
    _, _, name = address.partition(":///")
    if not name or "?" in name or "%" in name:
        raise ReproError("--to: write sqlite:///FILE, without ? or % in the path")
    file = Path(name).resolve()
    if not file.parent.is_dir():
        raise ReproError(f"{one_line(str(file.parent))}: there is no such folder")
    if file == sqlite_store.database(file.parent.parent) and (file.parent.parent / "runs").is_dir():
        raise ReproError(
            f"{one_line(str(file))}: these are the MLflow pages of a results folder, which "
            "`repro sync` without --to writes; name another file"
        )
    uri = f"sqlite:///{file.as_posix()}"
    return Destination(uri, uri, file, is_server=False)


@contextlib.contextmanager
def settings(destination: Destination) -> Iterator[None]:
    """The environment in which MLflow reaches a destination; the former one is restored."""
    before = {name: os.environ[name] for name in os.environ if _is_of_mlflow(name)}
    kept = {name: value for name, value in before.items() if name.startswith(KEPT)}
    ours = {RETRIES: FEW, **kept, **dict(destination.settings), **SETTINGS}
    try:
        with sqlite_store.quiet():
            os.environ.update(ours)
            yield
    finally:
        for name in [name for name in os.environ if _is_of_mlflow(name)]:
            del os.environ[name]
        os.environ.update(before)


def _is_of_mlflow(name: str) -> bool:
    return name.lstrip("_").startswith("MLFLOW_")
