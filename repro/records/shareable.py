"""Parts of a record as others may see them: without folders of persons, secrets and controls."""

from collections.abc import Mapping
from typing import Any

from repro.system import printing, private


def configuration(choices: Mapping[str, Any]) -> dict[str, Any]:
    """The choices, as plain values, with portable paths of the data; see `private.portable`."""
    data = choices.get("data")
    if not isinstance(data, Mapping):
        return dict(choices)
    parts = {
        role: {**spec, "path": private.portable(spec["path"])}
        for role, spec in data.items()
        if isinstance(spec, Mapping) and isinstance(spec.get("path"), str)
    }
    return {**choices, "data": {**data, **parts}}


def failure(told: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Why a run failed, on one line: the reason may repeat what another program said."""
    if told is None:
        return None
    return {
        name: printing.one_line(value) if isinstance(value, str) else value
        for name, value in told.items()
    }
