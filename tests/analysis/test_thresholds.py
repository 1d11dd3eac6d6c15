"""An arm at a threshold: who is detected, and what follows."""

from dataclasses import replace

import numpy as np
import pytest
from arms import GROUP, OTHERS, arm, noisy
from scipy import stats as scipy_stats

from repro.analysis import thresholds
from repro.stats import operating

ARM = arm("x", noisy(0), nonfaces=np.random.default_rng(1).normal(-1, 1, (5, 10)))


def test_detections_at_logit_0_are_the_counted_ones():
    """The recalls of the records."""
    found = thresholds.detections(ARM, None)

    for k in (0, 1):
        np.testing.assert_array_equal(found[:, k == GROUP].mean(axis=1), ARM.recall[:, k])
    assert thresholds.recalls(ARM, None) is ARM.recall


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.9])
def test_recalls_at_a_rate_are_counted_run_by_run(rate):
    """Above each run's own k-th largest logit, k = floor(11 rate)."""
    k = int(11 * rate)
    found = thresholds.recalls(ARM, rate)
    for run in range(5):
        level = sorted(ARM.scores.nonfaces[run], reverse=True)[k - 1]
        for group in (0, 1):
            portraits = ARM.scores.portraits[run, group == GROUP]
            assert found[run, group] == np.mean([logit >= level for logit in portraits])


def test_recalls_at_a_rate_do_not_need_those_at_logit_0():
    """And the arm at a rate has them as its own."""
    blind = replace(ARM, recall=np.zeros((5, 2)))

    np.testing.assert_array_equal(thresholds.at(blind, 0.2).recall, thresholds.recalls(ARM, 0.2))


def test_recalls_do_not_fall_as_the_rate_rises():
    """Of every run and group."""
    found = np.array([thresholds.recalls(ARM, rate) for rate in (0.1, 0.2, 0.4, 0.8)])

    assert (np.diff(found, axis=0) >= 0).all()


def test_an_arm_without_scores_can_be_read_at_no_rate():
    """Nor has it photographs whose scores are known."""
    blind = replace(ARM, scores=None)

    assert not thresholds.can_read(blind, 0.5)
    assert thresholds.nonfaces(blind) == 0


@pytest.mark.parametrize(("rate", "can"), [(0.09, False), (0.0909, False), (0.091, True)])
def test_ten_photographs_support_rates_from_one_in_eleven_on(rate, can):
    """The first rank has an expected rate of 1 / 11."""
    assert thresholds.can_read(ARM, rate) is can


def test_areas_are_those_of_mann_whitney():
    """Of each run and group, against SciPy."""
    for run in range(5):
        for k in (0, 1):
            faces, others = ARM.scores.portraits[run, k == GROUP], ARM.scores.nonfaces[run]
            expected = scipy_stats.mannwhitneyu(faces, others).statistic / 40
            assert thresholds.areas(ARM)[run, k] == pytest.approx(expected, abs=1e-12)


def test_curves_have_the_rates_of_one_run_in_all():
    """Twelve points for ten photographs, of each run and group."""
    rates, recall = thresholds.curves(ARM)

    assert recall.shape == (5, 12, 2)
    expected = operating.curve(ARM.scores.portraits[3, GROUP == 1], ARM.scores.nonfaces[3])
    np.testing.assert_array_equal([rates, recall[3, :, 1]], expected)


def test_ties_are_counted_for_each_run():
    """Run 0 has three equal logits at the first rank, run 1 none."""
    others = np.stack([np.where(OTHERS > -4, -1.0, OTHERS), OTHERS])

    assert thresholds.ties(arm("x", noisy(0, 2), nonfaces=others), 0.1).tolist() == [2, 0]
