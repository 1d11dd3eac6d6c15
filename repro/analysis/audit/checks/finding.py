"""A finding: what one check of published numbers says."""

from dataclasses import dataclass
from typing import Literal

from repro.analysis.audit.reading.mean_files import PPB_NAME, GroupMeans
from repro.analysis.wording import joined
from repro.stats.disparity import Definition

Result = Literal["fits", "impossible", "contradicts", "chance", "more than chance", "cannot tell"]
CHANCE = 0.05  # above this probability of fitting by chance, a fit is no evidence
MEAN_WORDS = {"pooled": "recall pooled over portraits", "groups": "mean over groups"}


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Attributes:
        check: Short title.
        about: The file, and the arm if it concerns one.
        result: Of the check.
        text: One or two sentences with the numbers.
        settle: What would settle it: the number, file or statement that is missing; empty if
            nothing is open.
    """

    check: str
    about: str
    result: Result
    text: str
    settle: str = ""


def mean_words(definition: Definition) -> str:
    """A definition of the mean."""
    return MEAN_WORDS[definition.mean]


def variance_words(definition: Definition) -> str:
    """A definition of the variance."""
    return str(definition).split("; ")[1]


def percent(share: float) -> str:
    """A probability, to two digits."""
    if share == 0:  # too small for a float
        return "below 1e-300 %"
    return f"{100 * share:.2g} %" if share < 0.995 else "100 %"


def sizes_words(other: GroupMeans) -> str:
    """What is known of the sizes of the groups."""
    if other.sizes is None:
        return "group sizes unknown, so pooling is not tried"
    return f"groups of {joined([str(n) for n in other.sizes])} portraits as in {PPB_NAME}"
