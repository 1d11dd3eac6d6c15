"""What is said of thresholds below the tables, and when it is not said."""

from dataclasses import replace

import numpy as np
import pytest
from arms import OTHERS, arm, noisy, outcomes

from repro.reporting.tables import tables, threshold_notes

RULE = "Each run has its own threshold"
NONE = (
    "No threshold: a false-positive rate of 1 % takes 99 photographs without a face, and there are "
    "10; within a factor of 2 with 95 % confidence it takes 1,099."
)
MANY = np.linspace(-9, -1, 1099)


def told(*arms, rates=(0.1,)):
    """The footnotes of a study of these arms."""
    return threshold_notes.of_thresholds(outcomes(*arms, rates=rates))


def test_the_rule_is_all_that_is_said_of_many_distinct_logits():
    """1,099 photographs set thresholds at 1 and 10 % within a factor of 2."""
    said = told(arm("x", noisy(0), nonfaces=MANY), rates=(0.01, 0.1))

    assert len(said) == 1
    assert said[0].startswith(RULE)


def test_a_rate_that_the_photographs_cannot_support_says_how_many_it_takes():
    """Ten photographs set none at 1 %: it takes 99."""
    assert NONE in told(arm("x", noisy(0)), rates=(0.01, 0.1))


def test_no_rule_is_said_where_no_rate_has_a_threshold():
    """Only that there are too few photographs."""
    assert told(arm("x", noisy(0)), rates=(0.01,)) == [NONE]


def test_rates_that_are_known_roughly_are_named():
    """With 200 photographs 5 and 1 % are ranks 10 and 2, below 11; 10 % is rank 20."""
    said = told(arm("x", noisy(0), nonfaces=np.linspace(-9, -1, 200)), rates=(0.01, 0.05, 0.1))

    assert said[1:] == [
        "With 200 photographs without a face, the true rate is not known within a factor of 2 with "
        "95 % confidence: 1 % needs 1,099, 5 % needs 219."
    ]


def test_ties_at_the_threshold_are_counted():
    """In one of two runs three photographs share the largest logit."""
    tied = np.stack([OTHERS, np.where(OTHERS > -4, -1.0, OTHERS)])

    assert told(arm("x", noisy(0, 2), nonfaces=tied))[-1] == (
        "At 10 % false positives, photographs without a face tie at the threshold in 1 of 2 runs: "
        "up to 2 more are positive than k, and the true rate is larger than stated."
    )


def test_ties_elsewhere_are_not_told():
    """Equal logits below the threshold change nothing."""
    tied = np.where(OTHERS < -4, -9.0, OTHERS)

    assert not any("tie" in one for one in told(arm("x", noisy(0), nonfaces=tied)))


def test_a_table_without_any_rate_keeps_logit_0_and_says_why():
    """Too few photographs for each declared rate."""
    part = tables.part(outcomes(arm("x", noisy(0)), rates=(0.01,)), "false_alarms")

    assert part.table["Threshold"].tolist() == ["logit 0"]
    assert any("takes 99 photographs" in remark for remark in part.remarks)


def test_without_photographs_there_is_no_table():
    """Nothing sets a threshold, and nothing was promised."""
    full = arm("x", noisy(0))
    empty = replace(full, scores=replace(full.scores, nonfaces=np.empty((full.runs, 0))))

    assert tables.part(outcomes(empty), "false_alarms") is None


@pytest.mark.parametrize(
    ("rate", "shown"), [(0.01, "1.00 [0.12, 2.75]"), (0.1, "9.95 [6.22, 14.44]")]
)
def test_false_positives_of_a_rate_are_the_expected_ones_with_their_interval(rate, shown):
    """Of 200 photographs, the second and the twentieth largest."""
    found = arm("x", noisy(0), nonfaces=np.linspace(-9, -1, 200))
    part = tables.part(outcomes(found, rates=(rate,)), "false_alarms")

    assert part.table["False positives"].tolist()[1] == shown
