"""Sentences below the tables, and the situations in which they must not be printed."""

from dataclasses import replace

import numpy as np
import pytest
from arms import arm, outcomes

from repro.analysis import operating_points
from repro.reporting.tables import notes, tables
from repro.stats.disparity import DEFINITIONS

DEFINITION = DEFINITIONS["dehaan2020"]
FOUND = [[4, 3], [4, 4], [1, 1]]  # portraits found of four in each group, run by run


def runs(*found):
    """An arm whose runs find these numbers of portraits of its two groups."""
    logits = [[1.0] * a + [-1.0] * (4 - a) + [1.0] * b + [-1.0] * (4 - b) for a, b in found]
    return arm("x", logits)


def biases(study):
    """The sentences on the selection bias."""
    return [one for one in notes.of_strength(study, DEFINITION) if "Selection bias" in one]


def test_selection_bias_is_the_best_runs_minus_all_runs():
    """Recalls 15/16 and 17/24; groups 1/16 and 1/24 from their mean, squared."""
    found = operating_points.selection_bias(runs(*FOUND), 2, DEFINITION)

    assert found["recall"] == pytest.approx(15 / 16 - 17 / 24)
    assert found["variance"] == pytest.approx(1 / 16**2 - 1 / 24**2)


def test_selection_bias_is_that_of_the_columns_of_the_table():
    """93.75 and 39.06 of the best two runs, beside 70.83 and 17.36 of all three."""
    study = outcomes(runs(*FOUND), keep=2)
    row = tables.part(study, "results").table.loc["x"]

    assert (row[tables.RECALL], row[tables.VARIANCE]) == ("93.75", "39.06")
    assert biases(study) == [
        "Selection bias: the best 2 of 3 runs minus all of them, in points of recall and in "
        "variance: "
        "x +22.92 and +21.70. For normally distributed runs theory expects the mean of the metric "
        "that selects to be too high by 0.4231 standard deviations between runs for the best 2 of "
        "3."
    ]


def test_no_selection_bias_is_told_where_all_runs_are_kept():
    """Nothing was selected."""
    assert biases(outcomes(runs(*FOUND), keep=3)) == []


def test_selection_bias_of_an_arm_with_too_few_runs_is_not_told():
    """An arm with as many runs as are kept selects nothing."""
    few = replace(runs(*FOUND[:2]), name="few")
    told = biases(outcomes(runs(*FOUND), few, keep=2))

    assert "few" not in told[0]


def test_selection_bias_of_a_single_group_has_no_variance():
    """Recall alone."""
    both = runs(*FOUND)
    one = replace(both, groups=("a",), sizes=np.array([4]), recall=both.recall[:, :1], scores=None)

    assert "in points of recall: x +25.00. For" in biases(outcomes(one, keep=2))[0]


SWITCHES = [[1, 1, 1, -1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1, -1, -1], [1, 1, 1, -1, 1, 1, 1, -1]]
STAYS = [[1, 1, 1, 1, 1, 1, -1, -1], [1, 1, 1, 1, 1, -1, -1, -1], [1, 1, 1, 1, 1, -1, -1, -1]]


@pytest.mark.parametrize(
    ("logits", "expected"),
    [(SWITCHES, 1), (STAYS, 0), (SWITCHES[:1], 0)],
    ids=["another group in some runs", "always the same", "a single run"],
)
def test_the_worst_group_is_told_to_have_its_own_interval_where_it_has(logits, expected):
    """The lowest recall of any group is not the recall of one group."""
    study = outcomes(arm("x", logits))
    told = [one for one in notes.of_false_alarms(study, DEFINITION) if "Worst group:" in one]

    assert len(told) == expected
