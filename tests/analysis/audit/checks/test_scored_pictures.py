"""Checks of predictions: what they say."""

import arms
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
