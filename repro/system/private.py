"""What text must not show: values of variables in paths, passwords and tokens in addresses.

A path of a study may hold ``${NAME}``, whose value may be a secret or a person's folder. Whoever
opens the path gets it expanded; text and records show it as it was written.
"""

import os
import re
from pathlib import Path

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_ACCOUNT = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/@\"'<>]+@", re.IGNORECASE)
_TOKEN = re.compile(
    r"([?&#](?:[\w.-]*(?:token|secret|password|passwd|signature|credential|api[_-]?key|auth)"
    r"[\w.-]*|key|sig|pwd)=)[^\s&#\"'<>]+",
    re.IGNORECASE,
)
HIDDEN = "***"
SHORTEST = 4  # characters of a value that is replaced wherever it stands; "/" or "1" are no secrets

_written: dict[str, str] = {}  # what a text shows, by what it replaces


def variables(path: str) -> list[str]:
    """Names of the environment's variables in a path."""
    return _VARIABLE.findall(path)


def expanded(path: str) -> str:
    """A path with its ``${NAME}`` and a leading ``~`` taken from the environment.

    What was expanded is shown as it was written from now on, by `without_secrets`. A variable that
    is not set stays as it is.
    """
    for name in variables(path):
        value = os.environ.get(name)
        if value is None:
            continue
        if len(value) >= SHORTEST:
            _written[value] = f"${{{name}}}"
        path = path.replace(f"${{{name}}}", value)
    return os.path.expanduser(path)


def show_as(path: str, name: str) -> None:
    """Show a temporary path as something that the user knows, also after it is gone."""
    _written[path] = name


def without_secrets(text: str) -> str:
    """The text without expanded variables of paths, passwords and tokens in addresses."""
    for value in sorted(_written, key=len, reverse=True):
        text = text.replace(value, _written[value])
    if "://" in text:
        text = _ACCOUNT.sub(rf"\1{HIDDEN}@", text)
    return _TOKEN.sub(rf"\1{HIDDEN}", text) if "=" in text else text


def portable(path: str) -> str:
    """A path as a record holds it: with its variables, and without the folder of a person.

    Below the working directory it is relative, below the home directory it begins with ``~``; any
    other is kept. `expanded` turns it into one that can be opened.
    """
    path = without_secrets(path)
    if not os.path.isabs(path):
        return path
    for folder, mark in ((_here(), ""), (_home(), "~")):
        if folder is not None and Path(path).is_relative_to(folder):
            return str(Path(mark) / Path(path).relative_to(folder))
    return path


def _here() -> Path | None:
    try:
        return _below_the_root(Path.cwd())
    except OSError:  # it was deleted
        return None


def _home() -> Path | None:
    try:
        return _below_the_root(Path.home())
    except RuntimeError:  # the user has none
        return None


def _below_the_root(folder: Path) -> Path | None:
    return None if folder == Path("/") else folder
