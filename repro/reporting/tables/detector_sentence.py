"""What detectors that were trained elsewhere do on a study's portraits, in one sentence.

It stands beside the answer: a gap between groups that an ordinary detector does not have is the
method's own. Numbers and intervals are those of the rows below the tables.
"""

import math

from repro.analysis import reference_rows
from repro.analysis.outcomes import Arm, Outcomes
from repro.analysis.wording import joined
from repro.stats import rounding

MOST, MOST_GROUPS = 4, 6  # detectors, and groups of each, that are named
PPB = "ppb"  # the source on which it is told that none was scored


def sentence(outcomes: Outcomes) -> str:
    """The sentence; on the Pilot Parliaments Benchmark without any how to get it; else empty.

    Args:
        outcomes: With scores.
    """
    if not outcomes.detectors:
        return _missing(outcomes)
    shown = outcomes.detectors[:MOST]
    told = "; ".join(_told(one, first=at == 0) for at, one in enumerate(shown))
    more = len(outcomes.detectors) - len(shown)
    rest = f"; {more} more in the tables" if more else ""
    whose = "its own threshold" if len(outcomes.detectors) == 1 else "their own thresholds"
    return f"For comparison, without training here and at {whose}, {told}{rest}."


def _missing(outcomes: Outcomes) -> str:
    sources = {_source(arm) for arm in outcomes.arms}
    if PPB not in sources:
        return ""
    return (
        "What an ordinary face detector finds in these portraits was not measured: "
        f"`repro score {outcomes.name} --detectors`."
    )


def _source(arm: Arm) -> object:
    data = arm.configured.get("data")
    test = data.get("test") if isinstance(data, dict) else None
    return test.get("source") if isinstance(test, dict) else None


def _told(one: Arm, *, first: bool) -> str:
    found, whole = sum(_found(one)), int(one.sizes.sum())
    share = "all" if found == whole else f"{100 * found / whole:.1f} %"
    portraits = " of the portraits" if first else ""
    return f"{one.name} finds {share}{portraits} ({_groups(one)}){_alarms(one, first=first)}"


def _found(one: Arm) -> list[int]:
    """The number of portraits found in each group."""
    return [round(float(share) * int(n)) for share, n in zip(one.recall[0], one.sizes, strict=True)]


def _groups(one: Arm) -> str:
    """The number found in each group, with the interval of the worst; of many groups that alone."""
    worst = rounding.lowest(one.recall[0])
    if len(one.groups) > MOST_GROUPS:
        return f"fewest of {_group(one, worst, with_interval=True)}"
    every = range(len(one.groups))
    return joined([_group(one, at, with_interval=at == worst) for at in every])


def _group(one: Arm, at: int, *, with_interval: bool) -> str:
    counted = f"{one.groups[at].replace('_', ' ')} {_found(one)[at]} of {int(one.sizes[at])}"
    low, high = reference_rows.group_estimates(one)[at].interval
    if not with_interval or math.isnan(low):
        return counted
    return f"{counted} [{100 * low:.0f}, {100 * high:.0f} %]"


def _alarms(one: Arm, *, first: bool) -> str:
    if one.false_positive_rate is None:
        return ""
    share = f" with {100 * float(one.false_positive_rate[0]):.1f} %"
    return f"{share} false alarms" if first else share
