"""JSON with a checksum: its last line is the checksum of all bytes before it."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

_SEAL = b',\n "checksum": "'
_END = b'"\n}\n'


def seal(content: Mapping[str, Any]) -> bytes:
    """A mapping as JSON with a checksum.

    Args:
        content: At least one key; no NaN or infinity.

    Raises:
        ValueError: A number is NaN or infinite.
    """
    text = json.dumps(content, indent=1, allow_nan=False).encode().removesuffix(b"\n}")
    return text + _SEAL + hashlib.sha256(text).hexdigest().encode() + _END


def is_whole(raw: bytes) -> bool:
    """Whether the bytes are exactly as sealed: nothing cut off, added or changed."""
    sealed, _, its_seal = raw.rpartition(_SEAL)
    return its_seal == hashlib.sha256(sealed).hexdigest().encode() + _END


def body(raw: bytes) -> bytes:
    """The bytes before the checksum: the JSON without its last key and its closing brace."""
    return raw.rpartition(_SEAL)[0]
