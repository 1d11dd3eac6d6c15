"""The JSON output of all commands: one schema with a version.

The schema is ``output.schema.json``, described in docs/json.md. Later versions of this program only
add fields, unless `SCHEMA` changes.
"""

import json
import math
from collections.abc import Mapping
from importlib import resources
from typing import Any

from repro import __version__
from repro.reporting.tables.cell import Number
from repro.system.printing import hides

SCHEMA = 1


def document(kind: str, **content: Any) -> str:
    """A whole JSON document as text.

    Args:
        kind: ``table``, ``audit``, ``status``, ``studies`` and so on.
        content: Its fields. NaN and infinities become null.
    """
    envelope = {"schema": SCHEMA, "kind": kind, "program": "repro", "version": __version__}
    text = json.dumps(_finite({**envelope, **content}), indent=2, ensure_ascii=False)
    return "".join(_escaped(line) for line in text.splitlines(keepends=True))


def _escaped(line: str) -> str:
    """A line of a document, invisible characters escaped as JSON has them."""
    if line.removesuffix("\n").isprintable():
        return line
    return "".join(json.dumps(c)[1:-1] if c != "\n" and hides(c) else c for c in line)


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of every document."""
    text = (
        resources.files("repro.reporting.tables").joinpath("output.schema.json").read_text("utf-8")
    )
    found: dict[str, Any] = json.loads(text)
    return found


def estimate(number: Number, *, n: int | None, method: str) -> dict[str, Any]:
    """A number with its unit, interval and number of runs.

    Args:
        number: As in the tables, with all digits.
        n: Number of runs.
        method: Method of the interval.
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
    """The same value with null for NaN and infinities."""
    if isinstance(value, Mapping):
        return {str(key): _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
