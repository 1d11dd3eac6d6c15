"""Checks of predictions: what they say."""

from dataclasses import replace

import arms
import numpy as np
import pytest

from repro.analysis.audit.checks import scored_pictures


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        (1, "points apart (1 run); p = "),
        (1, "for new portraits; one run says nothing of other seeds."),
        (3, "points apart (mean of 3 runs); p = "),
        (3, "for new seeds and new portraits."),
    ],
)
def test_the_scope_of_a_difference_follows_from_the_runs(runs, said):
    """One run knows no seeds."""
    outcomes = arms.outcomes(arms.arm("a", arms.noisy(1, runs)))
    (found,) = (one for one in scored_pictures.findings(outcomes) if one.check == "Groups differ")

    assert said in found.text


def test_groups_of_too_few_people_are_not_tested():
    """Two people a group: it cannot be told, and why."""
    one = arms.arm("a", arms.noisy(1, 3))
    one = replace(one, scores=replace(one.scores, cluster=np.repeat(np.arange(4), 2)))
    found = scored_pictures.findings(arms.outcomes(one, cluster="subject_id"))
    (told,) = (one for one in found if one.check == "Groups differ")

    assert told.result == "cannot tell"
    assert "no test: photographs of one subject_id are not independent" in told.text
    assert "p = " not in told.text
