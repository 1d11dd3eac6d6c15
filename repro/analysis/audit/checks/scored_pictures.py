"""Checks of predictions: runs without results, and whether groups differ by more than chance."""

from collections.abc import Iterator

from repro.analysis import portrait_clusters, thresholds
from repro.analysis.audit.checks.finding import Finding
from repro.analysis.outcomes import Arm, Outcomes
from repro.analysis.wording import count
from repro.stats import group_test

SIGNIFICANCE = 0.05


def findings(outcomes: Outcomes) -> Iterator[Finding]:
    """Of each arm.

    Args:
        outcomes: Of a file of predictions, with scores.
    """
    for arm in outcomes.arms:
        about = f"{outcomes.name}, {arm.name}"
        yield _runs(arm, about)
        if arm.runs and arm.can_differ:
            yield _groups(arm, about, portrait_clusters.refusal(outcomes, [arm]))


def _runs(arm: Arm, about: str) -> Finding:
    without = {
        "failed": len(arm.failed),
        "collapsed (a face is found no more often than in other pictures)": len(arm.collapsed),
        "missing": arm.missing,
    }
    told = ", ".join(f"{number} {word}" for word, number in without.items() if number)
    text = f"{arm.runs} of {count(arm.wanted, 'run')} {'have' if arm.wanted > 1 else 'has'} results"
    if not told:
        return Finding("Failed runs", about, "fits", f"{text}.")
    settle = f"why {count(arm.wanted - arm.runs, 'run')} gave no result"
    text = f"{text}: {told}. The tables are of the others, and count these in every denominator."
    return Finding("Failed runs", about, "cannot tell", text, settle)


def _groups(arm: Arm, about: str, few: str) -> Finding:
    """A Monte Carlo test that deals portraits to groups, jointly over the runs.

    Args:
        arm: With runs.
        about: What it is, in words.
        few: Why there is no test, where clusters of portraits are too few.
    """
    assert arm.scores is not None
    draws = group_test.DRAWS // 10 if arm.many else group_test.DRAWS
    found = thresholds.detections(arm, None)
    test = group_test.groups_differ(
        found, arm.scores.group, len(arm.groups), cluster=arm.scores.cluster, draws=draws
    )
    means = arm.recall.mean(axis=0)
    gap = 100 * float(means.max() - means.min())
    apart = f"Recalls of {len(arm.groups)} groups are up to {gap:.2f} points apart"
    if few:
        settle = "portraits of more clusters"
        return Finding("Groups differ", about, "cannot tell", f"{apart}; no test: {few}.", settle)
    of, scope = f"mean of {arm.runs} runs", "for new seeds and new portraits"
    if arm.runs == 1:
        of, scope = "1 run", "for new portraits; one run says nothing of other seeds"
    text = (
        f"{apart} ({of}); "
        f"p = {test.p:.4g} that equal groups of these sizes differ as much, {scope}."
    )
    beyond = test.p <= SIGNIFICANCE
    return Finding("Groups differ", about, "more than chance" if beyond else "chance", text)
