"""What a bundle must not show: folders of a machine and of persons, secrets.

What this program wrote is changed: a path keeps its last part. What a person wrote (a study file, a
plug-in) is carried as it is, because its digest counts; what it shows is told.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from repro.errors import RecordError
from repro.system import checksum, private

PATHS = ("path", "where", "file", "origin")  # keys of JSON whose values are paths
REASONS = ("failure", "provenance")  # keys below which texts may repeat what others said
_NAME = r"[^\s/\\:,;'\"()<>]+"  # of a folder or file in a text
_ABSOLUTE = re.compile(rf"(?<![\w.:/~$}}\\-])(?:[A-Za-z]:\\|/)(?:{_NAME}[/\\])+(?:{_NAME})?")
_OF_A_PERSON = re.compile(rf"(?:/home|/Users|/root|[A-Za-z]:\\Users)(?:[/\\]{_NAME})+")


def sealed(raw: bytes) -> bytes:
    """A record, an index or a preregistration without private parts, sealed again if changed.

    Raises:
        RecordError: It is not JSON.
    """
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"a file of the results is not JSON ({error})") from None
    clean = _clean(content, reason=False)
    if clean == content or not isinstance(clean, dict):
        return raw
    clean.pop("checksum", None)
    return checksum.seal(clean)


def path(written: str) -> str:
    """A path as a bundle shows it: relative, below ``~`` or a variable; else its last part."""
    portable = private.portable(written)
    if PurePosixPath(portable).is_absolute():
        return PurePosixPath(portable).name
    if PureWindowsPath(portable).is_absolute():
        return PureWindowsPath(portable).name
    return portable


def text(said: str) -> str:
    """A text without secrets, and with the last parts of the absolute paths in it."""
    said = private.without_secrets(said)
    return _ABSOLUTE.sub(lambda found: re.split(r"[/\\]", found[0])[-1], said)


def told(name: str, content: bytes) -> Iterator[str]:
    """Sentences about what a person's text shows of this machine; of at most its first such line.

    Args:
        name: Of the file, for the sentence.
        content: Of the file; other content than text shows nothing.
    """
    try:
        lines = content.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        return
    for number, line in enumerate(lines, 1):
        if private.without_secrets(line) != line:
            yield f"{name}, line {number}: a password or a token seems to stand there"
            return
        found = _OF_A_PERSON.search(line)
        if found or ((home := _home()) and home in line):
            shown = found[0] if found else home
            yield f"{name}, line {number}: whoever reads the bundle sees {shown}"
            return


def _clean(value: Any, *, reason: bool) -> Any:
    if isinstance(value, dict):
        return {
            name: path(one)
            if name in PATHS and isinstance(one, str)
            else _clean(one, reason=reason or name in REASONS)
            for name, one in value.items()
        }
    if isinstance(value, list):
        return [_clean(one, reason=reason) for one in value]
    if isinstance(value, str):
        return text(value) if reason else private.without_secrets(value)
    return value


def _home() -> str | None:
    home = os.path.expanduser("~")
    return home if Path(home).is_absolute() and len(Path(home).parts) > 1 else None
