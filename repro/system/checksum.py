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
    body = json.dumps(content, indent=1, allow_nan=False).encode().removesuffix(b"\n}")
    return body + _SEAL + hashlib.sha256(body).hexdigest().encode() + _END


def is_whole(raw: bytes) -> bool:
    """Whether the bytes are exactly as sealed: nothing cut off, added or changed."""
    body, _, its_seal = raw.rpartition(_SEAL)
    return its_seal == hashlib.sha256(body).hexdigest().encode() + _END
