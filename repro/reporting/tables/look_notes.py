"""The footnotes on the looks at a study that grows until its primary claim is decided."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from repro.analysis import claims, looks
from repro.analysis.outcomes import Outcomes
from repro.analysis.wording import joined

FEW = 4  # looks that are listed one by one


def of_looks(outcomes: Outcomes) -> list[str]:
    """When the study was looked at, and what that means for the primary claim's interval.

    Nothing where a single look was planned and taken.
    """
    found = outcomes.looks
    if found is None:
        return []
    if not looks.is_planned(outcomes):
        return [f"{_why_unplanned(outcomes)}: {_anytime(outcomes)}."]
    if len(found.planned) < 2:
        return []
    level, most = 100 * found.level, found.planned[-1]
    taken = [one for one in found.planned if one <= outcomes.replicates]
    return [
        f"Looked at after {listed(taken)} of at most {most} seeds an arm. At every look the "
        f"primary claim has an interval of {level:.4g} %, so that all looks together err in at "
        "most 5 % of studies."
    ]


def _why_unplanned(outcomes: Outcomes) -> str:
    found, started = outcomes.looks, outcomes.replicates
    assert found is not None
    if found.changed:
        return f"The plan to look after {listed(found.planned)} seeds was changed after a look"
    if started in found.planned:
        return f"Not all runs of the look after {started} seeds have ended"
    return f"{started} seeds an arm are no look of the study's plan ({listed(found.planned)})"


def _anytime(outcomes: Outcomes) -> str:
    main = claims.primary(claims.findings(outcomes))
    if main is None or main.level >= looks.WIDEST or math.isnan(main.interval.low):
        return "the primary claim cannot be decided with so few pairs"
    return (
        "the primary claim has an interval that holds at any number of pairs, which is wider "
        f"(Student's of {100 * main.level:.4g} % with {main.pairs})"
    )


def listed(numbers: Sequence[int]) -> str:
    """Numbers as text: ``5``, ``5 and 10``, ``5, 10, ..., 40``."""
    if len(numbers) <= FEW:
        return joined([f"{one:,}" for one in numbers])
    return f"{numbers[0]:,}, {numbers[1]:,}, ..., {numbers[-1]:,}"


def of_expected(outcomes: Outcomes) -> list[str]:
    """What the two columns beside the paper's are."""
    if not outcomes.has_grown:
        return []
    keep, of = outcomes.keep, outcomes.block
    return [
        f"Expected recall and variance: those of the best {keep} of {of} runs, averaged over the "
        "sets of so many of all runs."
    ]


def as_fields(outcomes: Outcomes) -> Mapping[str, Any] | None:
    """The looks for programs; None where the study has no claims."""
    found = outcomes.looks
    if found is None:
        return None
    return {
        "planned": list(found.planned),
        "taken": list(found.taken),
        "changed": found.changed,
        "as_planned": looks.is_planned(outcomes),
        "level": found.level,
        "decided": found.decided,
    }
