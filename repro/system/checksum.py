"""JSON that can tell whether it is whole: its last line is the checksum of every byte before."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

_SEAL = b',\n "checksum": "'
_END = b'"\n}\n'


def seal(content: Mapping[str, Any]) -> bytes:
    """A mapping as JSON, sealed.

    Args:
        content: With at least one key; no NaN and no infinity.

    Raises:
        ValueError: A number is none.
    """
    body = json.dumps(content, indent=1, allow_nan=False).encode().removesuffix(b"\n}")
    return body + _SEAL + hashlib.sha256(body).hexdigest().encode() + _END


def is_whole(raw: bytes) -> bool:
    """Whether these are the bytes that were sealed: nothing cut off, added or changed."""
    body, _, its_seal = raw.rpartition(_SEAL)
    return its_seal == hashlib.sha256(body).hexdigest().encode() + _END
