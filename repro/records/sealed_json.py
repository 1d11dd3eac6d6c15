"""Reads the JSON files of a results folder: regular, not too long, of a known schema, unchanged."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from repro.errors import LaterRelease, RecordError, Unreadable
from repro.system import checksum, regular_file

# Schema 1 had no `computation`, and a checksum of its content instead of its bytes; in schema 2 the
# name of a run depended on the digests of the code instead of its numerics. Schema 4 is written
# only for a record with a source run or plug-ins, which earlier releases do not know.
SCHEMA, WITH_SOURCE = 3, 4
NEWEST = WITH_SOURCE
MOST_BYTES = 64 << 20  # a record of 150,000 epochs
_HEAD = re.compile(rb'\{\s*"schema":\s*([0-9]{1,9}),')


def read(path: Path) -> bytes:
    """The content of a record or index as JSON, without its schema and its checksum.

    Raises:
        RecordError: It is missing, damaged, or not of this program.
        LaterRelease: Its schema is not known yet.
        Unreadable: The system does not allow reading it.
    """
    raw = _bytes(path)
    head = _HEAD.match(raw)
    if head and 1 < int(head[1]) <= NEWEST and checksum.is_whole(raw):
        return b"{" + checksum.body(raw)[head.end() :] + b"\n}"
    return json.dumps(_content(raw, path)).encode()


def schema_of(path: Path) -> int | None:
    """The schema that a file says it has; None if it says none, or cannot be read."""
    try:
        head = _HEAD.match(regular_file.start(path, 64))
    except (OSError, regular_file.NotPlain):
        return None
    return int(head[1]) if head else None


def _bytes(path: Path) -> bytes:
    if path.parent.is_symlink():
        raise RecordError(f"{path}: its folder is a link, and only folders are read; move it away")
    try:
        return regular_file.read(path, at_most=MOST_BYTES)
    except FileNotFoundError:
        raise RecordError(f"{path}: record not found") from None
    except OSError as error:
        raise Unreadable(
            f"{path}: cannot be read ({error.strerror}); it may be complete, so make it readable"
        ) from None
    except regular_file.NotPlain as error:
        raise damaged(path, error) from None


def damaged(path: Path, why: object) -> RecordError:
    """The error for a file that is not as this program writes it."""
    return RecordError(f"{path}: damaged ({why}); run again to recreate it")


def _content(raw: bytes, path: Path) -> dict[str, Any]:
    """The content of a file of schema 1; of another one why it cannot be used."""
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise damaged(path, error) from None
    schema = content.get("schema") if isinstance(content, dict) else None
    if not isinstance(schema, int):
        raise RecordError(f"{path}: not a record of this program; move it away")
    if schema > NEWEST:
        raise LaterRelease(
            f"{path}: written by a later release (schema {schema}, this one knows {NEWEST}); use "
            "that release"
        )
    rest = {name: value for name, value in content.items() if name != "checksum"}
    text = json.dumps(rest, sort_keys=True)
    if schema != 1 or content.get("checksum") != hashlib.sha256(text.encode()).hexdigest():
        raise RecordError(f"{path}: its checksum does not match; run again to recreate it")
    del rest["schema"]
    return rest
