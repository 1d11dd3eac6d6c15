"""Detectors that were trained elsewhere: their intervals are over photographs alone."""

from dataclasses import replace

import numpy as np
import pytest

from repro.analysis import reference_rows
from repro.analysis.arm_scores import ArmScores
from repro.analysis.outcomes import Arm
from repro.stats.disparity import DEFINITIONS

POOLED, GROUPS = DEFINITIONS["dehaan2020"], DEFINITIONS["amini2019"]


def detector(portraits, nonfaces, groups=2):
    """A detector with these scores; the portraits are dealt to the groups in equal parts."""
    portraits, nonfaces = np.asarray(portraits, dtype=float), np.asarray(nonfaces, dtype=float)
    group = np.repeat(np.arange(groups), len(portraits) // groups)
    recall = [[(portraits[group == k] >= 0).mean() for k in range(groups)]]
    return Arm(
        name="theirs",
        alpha=None,
        wanted=1,
        seeds=(0,),
        groups=tuple("abcdefgh"[:groups]),
        sizes=np.bincount(group),
        recall=np.array(recall),
        selector=np.array([0.5]),
        false_positive_rate=np.array([(nonfaces >= 0).mean()]),
        nonfaces=len(nonfaces),
        scores=ArmScores(portraits=portraits[None], group=group, nonfaces=nonfaces[None]),
    )


def test_recall_has_the_exact_interval_over_all_portraits():
    """15 of 20: Clopper and Pearson give 50.9 to 91.3 %."""
    one = detector([1] * 15 + [-1] * 5, [-1] * 20)

    found = reference_rows.reading(one, POOLED).of["recall"]

    assert found.value == 0.75
    assert found.interval == pytest.approx((0.509, 0.913), abs=5e-4)


@pytest.mark.parametrize("quantity", ["variance", "gap"])
def test_other_quantities_have_intervals_too(quantity):
    """Although there is one run: its photographs are many."""
    one = detector([1] * 10 + [1] * 5 + [-1] * 5, [-1] * 20)

    found = reference_rows.reading(one, POOLED).of[quantity]

    assert found.interval.low < found.value < found.interval.high


def test_a_mean_over_groups_has_an_interval_too():
    """By the parts of its variance, since the groups need not be of one size."""
    one = detector([1] * 15 + [-1] * 5, [-1] * 20)

    found = reference_rows.reading(one, GROUPS).of["recall"]

    assert found.value == 0.75
    assert 0.5 < found.interval.low < 0.75 < found.interval.high < 1


def test_clusters_of_portraits_widen_the_interval_of_a_group():
    """Twelve persons a group of five portraits each, all found or all missed."""
    found = np.repeat([1.0, 1.0, 1.0, -1.0], 5)
    one = detector(np.tile(found, 6), [-1] * 20)
    who = np.repeat(np.arange(24), 5)
    clustered = replace(one, scores=replace(one.scores, cluster=who))

    alone, together = (reference_rows.group_estimates(each)[0] for each in (one, clustered))

    assert alone.value == together.value == 0.75
    widths = [each.interval.high - each.interval.low for each in (alone, together)]
    assert widths[1] > widths[0]


def test_there_is_no_rate_where_nothing_was_found_in_most_photographs():
    """Their order is not known; a detector that ranks them all has one."""
    ranked = detector([1] * 20, np.linspace(-2, -1, 40))
    silent = detector([1] * 20, [0.5] + [-np.inf] * 39)

    assert reference_rows.can_read(ranked, 0.1)
    assert not reference_rows.can_read(silent, 0.1)


def test_equal_scores_have_no_rate():
    """A threshold at them would let all of them pass."""
    one = detector([1] * 20, [1.0] * 10 + [-1.0] * 30)

    assert not reference_rows.can_read(one, 0.1)
