"""Footnotes about the runs of a table: selection, runs without results, machines."""

from collections import Counter
from collections.abc import Sequence

from repro.analysis.outcomes import Arm, Outcomes
from repro.analysis.wording import count
from repro.records.task import LOST
from repro.stats import intervals
from repro.stats.disparity import DEFINITIONS

MOST, FIRST = 50, 10  # up to 50 are listed one by one; of more only the first ten


def of_selection(outcomes: Outcomes, name: str) -> list[str]:
    """The runs and the definition of the paper's columns."""
    return [
        f"E[A] and Var[A] are of {_selection(outcomes)}, as {name} defines them: "
        f"{DEFINITIONS[name]}, in percent and percent squared."
    ]


def _selection(outcomes: Outcomes) -> str:
    keep, wanted = outcomes.keep, outcomes.block
    first = "the first " if outcomes.has_grown else ""
    if keep == wanted:
        return f"{first or 'all '}{wanted} runs" if wanted > 1 else f"{first or 'a single '}run"
    flattering = ", a selection that biases them" if outcomes.split == "test" else ""
    chosen = (
        f"the best {keep} of {first}{wanted} runs by {outcomes.by} on the {outcomes.split} data"
    )
    return f"{chosen}{flattering}{_otherwise(outcomes)}"


def _otherwise(outcomes: Outcomes) -> str:
    """The arms whose runs are ranked by a metric or split other than the study's."""
    ways: dict[tuple[str, str], list[str]] = {}
    for arm in outcomes.arms:
        if arm.ranked:
            ways.setdefault(arm.ranked, []).append(arm.name)
    told = [
        f"by {by} on the {split} data in {', '.join(few(arms, 'arms'))}"
        for (by, split), arms in ways.items()
    ]
    return f" ({'; '.join(told)})" if told else ""


def of_recall_alone(outcomes: Outcomes) -> list[str]:
    """What recall without false positives cannot tell."""
    if not any(arm.recall_alone for arm in outcomes.arms):
        return []
    return [
        "Recall alone: there are no photographs without a face, and a detector that calls every "
        "picture a face has a recall of 100 %. Detectors with other thresholds cannot be compared."
    ]


def of_single_groups(outcomes: Outcomes) -> list[str]:
    """Why an arm has no variance and no gap."""
    single = [arm.name for arm in outcomes.arms if arm.runs and not arm.can_differ]
    if not single:
        return []
    if len(single) == sum(arm.runs > 0 for arm in outcomes.arms):
        return ["There is a single group, so there is no variance between groups."]
    return [f"A single group, so no variance between groups: {', '.join(few(single, 'arms'))}."]


def of_runs(outcomes: Outcomes) -> list[str]:
    """Failed, collapsed and missing runs, arm by arm."""
    found = []
    for arm in outcomes.arms:
        if arm.failed:
            reasons = "; ".join(few(sorted(set(arm.failed)), "reasons"))
            found.append(f"{arm.name}: {_of(arm, len(arm.failed))} failed ({reasons}).")
        if arm.collapsed:
            how = (
                "find no face in any portrait"
                if arm.recall_alone
                else "classify faces as faces no more often than other photographs"
            )
            found.append(
                f"{arm.name}: {_of(arm, len(arm.collapsed))} collapsed: they {how}, and count as "
                "without results."
            )
        if arm.posterior_collapsed:
            found.append(
                f"{arm.name}: in {_of(arm, arm.posterior_collapsed)} the posterior collapsed "
                "(fewer than a tenth of the latents are active); the detector works without it and "
                "is ranked."
            )
        if arm.missing:
            found.append(f"{arm.name}: {arm.missing} of {arm.wanted} runs have no record yet.")
    if len(found) <= MOST:
        return found
    counts = {
        "failed": sum(len(arm.failed) for arm in outcomes.arms),
        "collapsed": sum(len(arm.collapsed) for arm in outcomes.arms),
        "have a collapsed posterior": sum(arm.posterior_collapsed for arm in outcomes.arms),
        "have no record yet": sum(arm.missing for arm in outcomes.arms),
    }
    told = ", ".join(f"{count:,} {what}" for what, count in counts.items())
    return [
        *found[:FIRST],
        f"{len(found) - FIRST:,} more remarks of this kind; of all runs {told}.",
    ]


def without_results(arm: Arm) -> str:
    """The number of runs that failed, collapsed or have not run; "" if all have results."""
    counts = {
        "failed": len(arm.failed),
        "collapsed": len(arm.collapsed),
        "not run yet": arm.missing,
    }
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)


def of_no_numbers(outcomes: Outcomes) -> str | None:
    """Why a study has no results if all its runs failed; else None."""
    reasons = Counter(reason for arm in outcomes.arms for reason in arm.failed)
    wanted = sum(arm.wanted for arm in outcomes.arms)
    if reasons.total() < wanted:
        return None
    reason, count = reasons.most_common(1)[0]
    lost = any(reason.startswith(f"{LOST}:") for reason in reasons)
    again = "; --retry-lost repeats runs whose worker was lost" if lost else ""
    every = f"all {wanted:,} runs" if wanted > 1 else "the only run"
    common = "" if count == wanted else f"{count:,} times "
    return f"{outcomes.name}: {every} failed, so there are no results ({common}{reason}){again}"


def of_machines(outcomes: Outcomes) -> list[str]:
    """Warns that results are not bitwise repeatable across the kinds of machine that were used."""
    counts = Counter(kind for arm in outcomes.arms for kind in arm.hardware if kind)
    if len(counts) < 2:
        return []
    kinds = [f"{kind} ({count(number, 'run')})" for kind, number in counts.most_common()]
    return [
        f"Run on {len(kinds)} kinds of machine: {'; '.join(few(kinds, 'kinds'))}. A run has "
        "bitwise the same result on its own kind of machine; on another the last digits may differ."
    ]


def few(told: Sequence[str], what: str) -> list[str]:
    """All of them, or of more than `MOST` the first ten and the number of the rest."""
    if len(told) <= MOST:
        return list(told)
    return [*told[:FIRST], f"and {len(told) - FIRST:,} more {what}"]


def _of(arm: Arm, count: int) -> str:
    low, high = intervals.wilson(count, arm.wanted)
    return f"{count} of {arm.wanted} runs ({100 * low:.0f} to {100 * high:.0f} %)"


def of_crops(arms: Sequence[Arm]) -> str:
    """The number of crops and of their groups, in words."""
    known = {(arm.crops.count, arm.crops.groups) for arm in arms if arm.crops is not None}
    if len(known) > 1:
        return "the crops of each arm"
    count, names = next(iter(known))
    return f"{count} crops in {len(names)} groups"
