"""What programs read: one shape for every JSON that a command prints, with a version.

The shape is in ``output.schema.json`` and docs/json.md. Later versions of this program add fields
and keep those that there are, unless `SCHEMA` is another number.
"""

import json
import math
from collections.abc import Mapping
from importlib import resources
from typing import Any

from repro import __version__
from repro.cell import Number

SCHEMA = 1


def document(kind: str, **content: Any) -> str:
    """A whole answer as text.

    Args:
        kind: Of answer, such as ``table``, ``audit``, ``status`` or ``studies``.
        content: Its fields. NaN and infinities become null.
    """
    envelope = {"schema": SCHEMA, "kind": kind, "program": "repro", "version": __version__}
    return json.dumps(_finite({**envelope, **content}), indent=2, ensure_ascii=False)


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) that every answer is valid under."""
    text = resources.files("repro").joinpath("output.schema.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def estimate(number: Number, *, n: int | None, method: str) -> dict[str, Any]:
    """A number with unit, interval and how many runs it is of.

    Args:
        number: As tables have it, every digit.
        n: Runs.
        method: By which its interval is made.
    """
    low, high = number.interval
    known = not math.isnan(low)
    return {
        "value": number.value,
        "unit": number.unit or "1",
        "n": n,
        "sd": number.sd,
        "interval": {"low": low, "high": high, "level": 0.95, "method": method} if known else None,
    }


def _finite(value: Any) -> Any:
    """The same with null for what JSON has no word for."""
    if isinstance(value, Mapping):
        return {str(key): _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
