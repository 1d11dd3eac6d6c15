"""How much of a gap each arm closes: the key ``gap_share`` of a study file.

The gap is that of the quantity of the primary claim, at its threshold.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from repro.study.claims import Claim
from repro.study.merge import did_you_mean
from repro.study.section import Section
from repro.study.yaml_source import shown

MOST = 10  # ceilings
BETTER = {  # quantities that can have a gap: -1 if lower is better
    "variance": -1,
    "gap": -1,
    "auc_variance": -1,
    "worst_group": 1,
    "group_recall": 1,
    "recall": 1,
}
Names = Annotated[list[str], Field(min_length=1)]


class GapShare(Section):
    """Which arms close how much of which gap.

    Attributes:
        reference: The arm with the gap; None: the study's reference.
        ceilings: Arms that show how far it can be closed; each gives a share of its own.
        arms: Those whose share is told; None: all others.
    """

    reference: str | None = None
    ceilings: Annotated[Names, Field(max_length=MOST)]
    arms: Names | None = None

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for names in (self.ceilings, self.arms or []):
            twice = [name for name in names if names.count(name) > 1]
            if twice:
                raise ValueError(f"arm '{twice[0]}' is named twice")
        return self

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Each arm with each other ceiling, ceiling by ceiling, once `completed`."""
        return (
            (arm, ceiling) for ceiling in self.ceilings for arm in self.arms or () if arm != ceiling
        )


def completed(asked: GapShare, arms: Sequence[str], reference: str) -> GapShare:
    """The same with its defaults filled in.

    Args:
        asked: As written.
        arms: Names of the study's arms, in their order.
        reference: Of the study.
    """
    start = asked.reference or reference
    others = asked.arms or [name for name in arms if name != start]
    return asked.model_copy(update={"reference": start, "arms": others})


def problems(
    asked: GapShare, arms: Sequence[str], reference: str, claims: Sequence[Claim]
) -> Iterator[tuple[tuple[Any, ...], str]]:
    """What is wrong with it: (place below its key, a sentence)."""
    own = [(("ceilings", place), name) for place, name in enumerate(asked.ceilings)]
    own += [(("arms", place), name) for place, name in enumerate(asked.arms or ())]
    start = asked.reference or reference
    for place, name in [*own, *([(("reference",), asked.reference)] if asked.reference else [])]:
        if name not in arms:
            known = did_you_mean(name, arms) or f"; the arms are: {', '.join(arms)}"
            yield place, f"no arm is called {shown(name)}{known}"
    for place, name in own:
        if name == start:
            yield place, f"{shown(name)} is the reference, which closes nothing: name another arm"
    if not any(completed(asked, arms, reference).pairs()):
        yield ("arms",), "no arm is left to compare with the ceiling: name one that is no ceiling"
    if why := _unread(claims):
        yield (), why


def _unread(claims: Sequence[Claim]) -> str:
    """Why the primary claim says no quantity and threshold to read; empty if it does."""
    main = next((one for one in claims if one.primary), None)
    if main is None:
        return "it is read where the primary claim is, and the study has none: declare claims"
    if main.quantity not in BETTER:
        return (
            f"it is read where the primary claim is, and {main.quantity} has no gap to close: "
            f"a claim on {', '.join(BETTER)} has"
        )
    if main.read_at is not None and main.read_at.matched_to is not None:
        return (
            "it is read where the primary claim is, and matched_to gives the reference a threshold "
            "for each arm: read the claim at a false_positive_rate or at logit 0"
        )
    return ""
