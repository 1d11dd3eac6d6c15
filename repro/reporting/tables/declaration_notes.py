"""The footnotes on what a study declared before its results."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from repro.analysis.outcomes import Outcomes
from repro.reporting.tables.run_notes import few

SHORT = 8  # digits of a digest in a sentence


def of_declaration(outcomes: Outcomes) -> list[str]:
    """Whether the study was preregistered before any result, and what was changed later."""
    declared = outcomes.declaration
    if declared is None:
        return []
    day = datetime.fromisoformat(declared.date).date()
    when = f"preregistration of {day}, digest {declared.digest[:SHORT]}"
    known = f"Declared before any result ({when})"
    if declared.known:
        known = f"Declared when results were known ({when}): {declared.said}"
    if not declared.changed:
        return [f"{known}. Nothing was changed later."]
    return [f"{known}. Changed later: {'; '.join(few(declared.changed, 'changes'))}."]


def as_fields(outcomes: Outcomes) -> Mapping[str, Any] | None:
    """The same for programs; None without a preregistration."""
    declared = outcomes.declaration
    if declared is None:
        return None
    return {
        "date": declared.date,
        "digest": declared.digest,
        "known_runs": declared.known,
        "known": declared.said,
        "changed": list(declared.changed),
    }
