"""Footnotes about intervals: what they cover, and where they cannot be trusted."""

from repro.analysis import arm_parts, bad_runs, portrait_clusters
from repro.analysis.outcomes import Outcomes
from repro.reporting.tables.run_notes import few
from repro.stats.disparity import DEFINITIONS

WHAT = "for new seeds and new photographs"


def of_intervals(outcomes: Outcomes) -> list[str]:
    """How the intervals of a table are made; of clusters alone if no arm has two runs."""
    arms = [arm for arm in outcomes.arms if arm.runs > 1]
    if not arms:
        return portrait_clusters.sentences(outcomes)
    pooled = arm_parts.pooled(outcomes, "recall", DEFINITIONS["dehaan2020"])
    spread = "the arm's own"
    if pooled is not None:
        spread = f"the wider of the arm's own and the one pooled over {pooled.arms} arms"
    found = [
        f"Intervals (95 %) are {WHAT}: Student's quantile times the root of the variance between "
        f"runs plus that between photographs. The spread between runs is {spread}."
    ]
    found += portrait_clusters.sentences(outcomes)
    if any(arm.scores is None for arm in arms) and not outcomes.cluster:
        found.append(
            "Without the score of each portrait, all runs are assumed to miss the same portraits, "
            "which gives the widest interval."
        )
    return found


def of_bad_runs(outcomes: Outcomes) -> list[str]:
    """How many runs are far from the others, even if none is, and which arms are unlike."""
    found = bad_runs.share(outcomes)
    if found is None:
        return []
    count, total, (low, high) = found
    told = [
        f"{count} of {_judged(outcomes, total)} {'is' if count == 1 else 'are'} more than "
        f"{100 * bad_runs.FAR:.0f} points of recall and {bad_runs.DEVIATIONS} median absolute "
        f"deviations from the median of their arm: {100 * low:.1f} to {100 * high:.1f} % of all "
        "runs (exact 95 % interval)."
    ]
    if not count:
        told[0] = told[0][:-1] + f"; a fault in up to {100 * high:.0f} % of the runs is possible."
    return told + _untrusted(outcomes, "The interval of the mean cannot be trusted")


def _judged(outcomes: Outcomes, total: int, what: str = " runs") -> str:
    """The number of runs that were judged; which, if an arm has too few for a median."""
    if all(arm.runs >= bad_runs.FEWEST for arm in outcomes.arms if arm.runs):
        return f"{total}{what}"
    return f"{total} runs in arms with {bad_runs.FEWEST} or more"


def briefly(outcomes: Outcomes) -> list[str]:
    """As `of_bad_runs`, in one sentence or two for the summary."""
    found = bad_runs.share(outcomes)
    if found is None:
        return []
    count, total, (low, high) = found
    told = [
        f"Runs far from their arm's median: {count} of {_judged(outcomes, total, '')} "
        f"({100 * low:.0f} to {100 * high:.0f} %)."
    ]
    return told + _untrusted(outcomes, "Interval not to be trusted")


def _untrusted(outcomes: Outcomes, what: str) -> list[str]:
    """The arms whose intervals cannot be trusted, with the reason; empty if there are none."""
    doubts = [
        f"{arm.name} ({why})"
        for arm in outcomes.arms
        if arm.runs and (why := bad_runs.untrusted(outcomes, arm))
    ]
    return [f"{what}: {'; '.join(few(doubts, 'arms'))}."] if doubts else []
