"""An arm at logit 0 against the reference at the arm's own false-positive rates.

An arm that says yes more often has more recall and smaller gaps without being fairer. Here each of
its runs is paired with the reference's run of the same seed, read at the threshold at which that
run detects as many of the photographs without a face. The interval of the difference includes that
other photographs would set another number and another threshold: they are redrawn jointly for both
arms and all runs.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np

from repro.analysis import arm_parts, operating_points, thresholds
from repro.analysis.arm_parts import ESTIMATED
from repro.analysis.object_cache import cached_by_owner
from repro.analysis.operating_points import Estimate
from repro.analysis.outcomes import Arm
from repro.analysis.wording import count
from repro.metrics import says_face
from repro.stats import components, intervals, operating, redrawn, rounding
from repro.stats.components import Parts
from repro.stats.disparity import Definition
from repro.stats.intervals import NOWHERE, Floats, Integers

_NEWEST = 64  # arms whose redrawn statistics are cached, 320 kB each


def refusal(arm: Arm, reference: Arm) -> str:
    """Why the reference cannot be read at the arm's false-positive rates; "" if it can."""
    if not set(arm.seeds) & set(reference.seeds):
        return f"no run of {arm.name} has the seed of a run of {reference.name}"
    a, b = operating_points.paired(arm, reference)
    for one in (a, b):
        if not thresholds.nonfaces(one):
            return f"{one.name} has no scores of photographs without a face"
    if not operating_points.same_photographs(a, b):
        return f"{a.name} and {b.name} were tested on other photographs"
    found, others = counts(a), thresholds.nonfaces(a)
    for extreme, word in ((0, "none"), (others, "all")):
        if runs := int((found == extreme).sum()):
            return (
                f"{a.name} detects {word} of {others:,} photographs without a face in {runs} of "
                f"{count(a.runs, 'run')}"
            )
    return ""


def counts(arm: Arm) -> Integers:
    """The photographs without a face that each run detects at logit 0, shape (R,)."""
    assert arm.scores is not None
    return np.asarray(says_face(arm.scores.nonfaces).sum(axis=1), dtype=np.int64)


def ties(arm: Arm, reference: Arm) -> Integers:
    """Photographs that each matched run of the reference detects beyond the arm's, shape (R,)."""
    a, b = _matchable(arm, reference)
    assert b.scores is not None
    return operating.excess(b.scores.nonfaces, counts(a))


def shifted(arm: Arm, reference: Arm) -> Arm:
    """The reference's runs of the arm's seeds, each with its matched threshold moved to logit 0.

    So every statistic at logit 0 of what is returned is one at the matched thresholds.

    Raises:
        ValueError: It cannot be matched: `refusal`.
    """
    return _shifted(arm, reference)


@cached_by_owner(most=_NEWEST)
def _shifted(arm: Arm, reference: Arm) -> Arm:
    a, b = _matchable(arm, reference)
    assert b.scores is not None
    portraits, others = b.scores.portraits, b.scores.nonfaces
    levels = operating.matched_threshold(others, counts(a))[:, None]
    scores = replace(b.scores, portraits=portraits - levels, nonfaces=others - levels)
    moved = replace(b, scores=scores, false_positive_rate=says_face(others - levels).mean(axis=1))
    return replace(moved, recall=thresholds.group_shares(moved, thresholds.detections(moved, None)))


def _matchable(arm: Arm, reference: Arm) -> tuple[Arm, Arm]:
    """Both arms with their common seeds."""
    if why := refusal(arm, reference):
        raise ValueError(f"{reference.name} cannot be matched: {why}")
    return operating_points.paired(arm, reference)


def pair(arm: Arm, reference: Arm, name: str, definition: Definition) -> tuple[Parts, Parts]:
    """The parts of a statistic's variance, of the arm at logit 0 and of the matched reference.

    Runs, portraits and redrawn photographs of both stand in the same order, so that any function
    of both statistics has an interval; the arm's statistic does not vary with the photographs.

    Args:
        arm: With two groups or more for ``variance`` and ``gap``.
        reference: What it is compared with.
        name: One of `ESTIMATED`, or `arm_parts.of_group`.
        definition: Of the mean and the variance.

    Raises:
        ValueError: The reference cannot be matched: `refusal`.
    """
    ours = arm_parts.parts(_matchable(arm, reference)[0], name, definition)
    theirs = arm_parts.parts(shifted(arm, reference), name, definition)
    names = arm_parts.drawn_with(reference, name)
    both = _redrawn_matched(arm, reference, names, replace(definition, runs="first"))
    values = both[name, definition.runs if name == "variance" else "first"]
    fixed = np.full(len(values), float(ours.value))
    return replace(ours, redrawn=fixed), replace(theirs, redrawn=values)


@cached_by_owner(most=_NEWEST)
def _redrawn_matched(
    arm: Arm, reference: Arm, names: tuple[str, ...], definition: Definition
) -> Mapping[tuple[str, str], Floats]:
    """Each statistic of the reference, matched in each sample of photographs, shape (D,).

    By name and order of averaging. Only the variance depends on that order, so both are made at
    once: thresholds take most of the time.
    """
    a, b = _matchable(arm, reference)
    assert a.scores is not None
    assert b.scores is not None
    kinds = [(name, "first") for name in names]
    made = [arm_parts.quantity_of(b, name, definition) for name in names]
    if "variance" in names:
        kinds.append(("variance", "last"))
        made.append(arm_parts.quantity_of(b, "variance", replace(definition, runs="last")))
    found = redrawn.matched_statistic(
        b.scores.portraits,
        b.scores.nonfaces,
        says_face(a.scores.nonfaces),
        b.scores.group,
        len(b.groups),
        of=lambda recall: np.stack([one.value(recall) for one in made], axis=1),
        times=redrawn.draws(b.scores.nonfaces.shape[1], few=b.many),
    )
    return dict(zip(kinds, np.ascontiguousarray(found.T), strict=True))


def parts(arm: Arm, reference: Arm, name: str, definition: Definition) -> Parts:
    """The parts of the variance of arm minus matched reference; arguments as for `pair`."""
    ours, theirs = pair(arm, reference, name, definition)
    return ours.minus(theirs)


def values(arm: Arm, reference: Arm, definition: Definition) -> Mapping[str, float]:
    """Each quantity of the matched reference; NaN where it is not defined or not matched."""
    if refusal(arm, reference):
        return dict.fromkeys(ESTIMATED, float("nan"))
    return _values(shifted(arm, reference), definition)


def changes(arm: Arm, reference: Arm, definition: Definition) -> Mapping[str, float]:
    """The values of `difference`, far faster than with their intervals."""
    level = values(arm, reference, definition)
    if refusal(arm, reference):
        return level
    own = _values(operating_points.paired(arm, reference)[0], definition)
    return {name: own[name] - level[name] for name in ESTIMATED}


def _values(arm: Arm, definition: Definition) -> Mapping[str, float]:
    return {
        name: float(arm_parts.quantity_of(arm, name, definition).value(arm.recall))
        if arm.can_differ or name not in ("variance", "gap")
        else float("nan")
        for name in ESTIMATED
    }


def difference(arm: Arm, reference: Arm, definition: Definition) -> Mapping[str, Estimate]:
    """Arm minus matched reference for each quantity; NaN where it is not defined or not matched.

    As in `operating_points.difference`, the spread is that of the pairs alone, and pairs that all
    differ by the same have no interval.
    """
    both = _matched_differences(arm, reference, replace(definition, runs="first"))
    return both[definition.runs]


@cached_by_owner()
def _matched_differences(
    arm: Arm, reference: Arm, definition: Definition
) -> Mapping[str, Mapping[str, Estimate]]:
    """By order of averaging: tables show both, and the redrawn thresholds are the same."""
    orders: tuple[Literal["first", "last"], ...] = ("first", "last")
    return {
        runs: _matched_difference(arm, reference, replace(definition, runs=runs)) for runs in orders
    }


def _matched_difference(arm: Arm, reference: Arm, definition: Definition) -> Mapping[str, Estimate]:
    found = dict.fromkeys(ESTIMATED, Estimate(float("nan")))
    if refusal(arm, reference):
        return found
    a, b = operating_points.paired(arm, reference)[0], shifted(arm, reference)
    own, others = (
        operating_points.own_quantities(one.recall, one.sizes, definition) for one in (a, b)
    )
    for name in ESTIMATED:
        if not b.can_differ and name in ("variance", "gap"):
            continue
        both = parts(arm, reference, name, definition)
        interval = NOWHERE if rounding.constant(both.runs) else components.interval(both)
        sd = intervals.sd(own[name] - others[name])
        found[name] = Estimate(float(both.value), interval, sd)
    return found


def gain(arm: Arm, reference: Arm, quantity: str, definition: Definition) -> Estimate:
    """As `operating_points.gain`, compared with the matched reference; NaN where not matched."""
    base = values(arm, reference, definition)[quantity]
    apart = difference(arm, reference, definition)[quantity]
    return operating_points.relative(apart, base, quantity)
