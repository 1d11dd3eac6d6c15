"""Which portraits of a study belong together, and what that leaves of its intervals, in words.

A cluster is what the study's column `cluster` says: the portraits of one person, of one country.
Intervals and tests are then for new clusters. Where a group has fewer than `clusters.LEAST` of
them there are none, and the sentence why stands in their place.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from repro.analysis import arm_scores
from repro.analysis.object_cache import cached_by_owner
from repro.analysis.outcomes import Arm, Outcomes
from repro.analysis.wording import count, joined
from repro.stats import clusters
from repro.stats.clusters import ENOUGH, LEAST
from repro.stats.intervals import Integers

NAMED = 4  # groups that are named; of more the number


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """The clusters of an arm's portraits.

    Attributes:
        column: That names them.
        number: Of clusters.
        portraits: Number of portraits.
        groups: Names of the groups.
        per_group: Clusters with a portrait of each group.
        in_all: Clusters with portraits of every group.
    """

    column: str
    number: int
    portraits: int
    groups: tuple[str, ...]
    per_group: tuple[int, ...]
    in_all: int

    @property
    def fewest(self) -> int:
        """Of the group with the fewest."""
        return min(self.per_group)

    def below(self, least: int) -> list[str]:
        """Groups with fewer clusters than this, each with its number."""
        pairs = zip(self.groups, self.per_group, strict=True)
        return [f"{group} {number}" for group, number in pairs if number < least]


def of_arm(outcomes: Outcomes, arm: Arm) -> Clusters | None:
    """The clusters of an arm's portraits; None if they are independent, or without scores."""
    return _of_arm(arm, outcomes.cluster)


@cached_by_owner()
def _of_arm(arm: Arm, column: str) -> Clusters | None:
    if arm.scores is None or arm.scores.cluster is None or not arm.groups:
        return None
    return _counted(column or "cluster", arm.groups, arm.scores.group, arm.scores.cluster)


def of_portraits(column: str, groups: Sequence[str], who: Sequence[str]) -> Clusters | None:
    """The clusters of portraits that nothing has scored yet; None if no two are of one.

    Args:
        column: That names them.
        groups: The group of each portrait.
        who: The cluster of each portrait.
    """
    cluster = arm_scores.clusters_of(who)
    if cluster is None:
        return None
    names = tuple(sorted(set(groups)))
    return _counted(column, names, np.array([names.index(one) for one in groups]), cluster)


def _counted(column: str, groups: tuple[str, ...], group: Integers, cluster: Integers) -> Clusters:
    cells = clusters.layout(group, cluster)
    sizes = np.diff(np.append(cells.firsts, len(cells.starts)))
    return Clusters(
        column=column,
        number=len(cells.firsts),
        portraits=len(group),
        groups=groups,
        per_group=tuple(clusters.per_group(group, cluster, len(groups)).tolist()),
        in_all=int((sizes == len(groups)).sum()),
    )


def of_study(outcomes: Outcomes) -> list[Clusters]:
    """The different clusters of its arms: one for all of them, unless their test sets differ."""
    found = (of_arm(outcomes, arm) for arm in outcomes.arms if arm.runs)
    return list(dict.fromkeys(one for one in found if one is not None))


def are_unknown(outcomes: Outcomes, arm: Arm) -> bool:
    """Whether portraits belong together and it is not known which: the scores are missing."""
    return bool(outcomes.cluster) and arm.scores is None


def too_few(found: Clusters) -> str:
    """Why there is no interval, as a clause; empty if every group has enough clusters."""
    below = found.below(LEAST)
    if not below:
        return ""
    told = _few(below)
    return (
        f"photographs of one {found.column} are not independent, and fewer than {LEAST} of them in "
        f"a group say too little of others ({told}){_confounded(found)}"
    )


def too_few_of(arm: Arm) -> str:
    """As `too_few`, in a few words."""
    found = _of_arm(arm, "")
    return "too few clusters of portraits" if found and found.below(LEAST) else ""


def _few(below: Sequence[str]) -> str:
    return joined(below) if len(below) <= NAMED else f"{len(below)} groups have fewer"


def _confounded(found: Clusters) -> str:
    """Why groups cannot be compared over so few clusters; empty if each has all groups."""
    partial = found.number - found.in_all
    if len(found.groups) < 2 or not partial:
        return ""
    which = f"every {found.column}" if not found.in_all else f"{partial} of {found.number}"
    verb = "has" if partial == 1 or not found.in_all else "have"
    return (
        f"; {which} {verb} portraits of some groups only, so {found.column} and group are "
        "confounded, and nothing can separate them"
    )


def refusal(outcomes: Outcomes, arms: Sequence[Arm]) -> str:
    """Why an interval over these arms is missing; empty if their clusters are enough."""
    if any(are_unknown(outcomes, arm) for arm in arms):
        return (
            f"photographs of one {outcomes.cluster} are not independent, and without scores it is "
            "unknown which are missed together"
        )
    found = (of_arm(outcomes, arm) for arm in arms)
    return next((why for one in found if one and (why := too_few(one))), "")


def sentences(outcomes: Outcomes) -> list[str]:
    """What the clusters are and what they do to the intervals; empty for independent portraits."""
    told = [line for one in of_study(outcomes) for line in of_clusters(one)]
    if any(are_unknown(outcomes, arm) for arm in outcomes.arms if arm.runs):
        missing = [arm for arm in outcomes.arms if arm.runs and are_unknown(outcomes, arm)]
        told.append(f"No interval of photographs: {refusal(outcomes, missing)}.")
    return told


def of_clusters(found: Clusters) -> list[str]:
    """The clusters of one test set, in sentences."""
    told = [
        f"Photographs of one {found.column} are not independent: intervals and tests are for new "
        f"ones, over {found.number:,} clusters ({found.column}) of {found.portraits:,} portraits."
    ]
    if why := too_few(found):
        fewest = f"Where such a group counts there is no interval and no p for new ones: {why}."
        return [*told, fewest]
    if below := found.below(ENOUGH):
        told.append(
            f"With fewer than {ENOUGH} clusters ({found.column}) in a group an interval can be too "
            f"narrow: {_few(below)}."
        )
    return told


def in_caption(outcomes: Outcomes) -> str:
    """A sentence for a caption, with a space before it; empty for independent portraits."""
    found = of_study(outcomes)
    few = any(one.below(LEAST) for one in found)
    none = f", none where a group has fewer than {LEAST}" if few else ""
    return f" Intervals are over {short(outcomes)}{none}." if found else ""


def sampled(outcomes: Outcomes, arms: Sequence[Arm]) -> str:
    """What is drawn with the test portraits: photographs, or clusters of them."""
    found = [one for arm in arms if (one := of_arm(outcomes, arm)) is not None]
    return f"clusters ({found[0].column})" if found else "photographs"


def warning(outcomes: Outcomes) -> str:
    """That clusters are few, as a clause; empty where they are enough, or too few by far."""
    few = [one for one in of_study(outcomes) if LEAST <= one.fewest < ENOUGH]
    if not few:
        return ""
    return f"a group has only {few[0].fewest} clusters ({few[0].column})"


def as_fields(outcomes: Outcomes) -> list[dict[str, Any]]:
    """The clusters of each different test set as fields; empty for independent portraits."""
    return [
        {
            "column": one.column,
            "clusters": one.number,
            "portraits": one.portraits,
            "groups": [
                {"name": group, "clusters": number}
                for group, number in zip(one.groups, one.per_group, strict=True)
            ],
            "refusal": too_few(one) or None,
        }
        for one in of_study(outcomes)
    ]


def short(outcomes: Outcomes) -> str:
    """The number of clusters for a caption, as "40 clusters (subject_id)"; empty without any."""
    found = of_study(outcomes)
    if not found:
        return ""
    number = max(one.number for one in found)
    return f"{count(number, 'cluster')} ({found[0].column})"
