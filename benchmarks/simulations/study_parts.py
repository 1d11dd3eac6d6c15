"""The parts of a statistic's variance, of one simulated study of many."""

from dataclasses import replace

from repro.stats.components import Parts


def one(parts: Parts, index: int) -> Parts:
    """The parts of the study at this position of the leading axis."""
    assert parts.portraits is not None
    return replace(
        parts,
        value=parts.value[index],
        runs=parts.runs[index],
        portraits=parts.portraits[index],
        detected=parts.detected[index],
        bound=parts.bound[index],
        curved=parts.curved[index],
    )
