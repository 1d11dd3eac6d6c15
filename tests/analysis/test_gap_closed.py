"""Shares of a gap, from a study's arms: what is read, of which seeds, and why nothing is."""

from dataclasses import replace

import numpy as np
import pytest
from asking import claim
from closing import GROUP, of, study

from repro.analysis import arm_parts, claims, gap_closed, thresholds
from repro.analysis.operating_points import without_noise
from repro.stats import noise
from repro.stats.disparity import DEFINITIONS

FIRST, LAST = DEFINITIONS["dehaan2020"], DEFINITIONS["fijen2020"]
AT_RATE = {"read_at": {"false_positive_rate": 0.1}}
CONTRAST = {"contrast": {"arm": "weighted", "less": "placebo"}}


@pytest.mark.parametrize("definition", [FIRST, LAST])
def test_values_of_seeds_average_to_the_variance_without_noise(definition):
    """That of the table of groups, for both orders of averaging."""
    found = study()
    one = found.arms[0]
    values = arm_parts.variances_without_noise(one, definition)

    assert values.shape == (5,)
    assert values.mean() == pytest.approx(without_noise(found, one, definition).value, rel=1e-9)


def test_the_threshold_is_that_of_the_primary_claim():
    """At 10 % false positives other portraits are detected than at logit 0."""
    found = study(claim(**CONTRAST, **AT_RATE))
    one = found.arms[0]
    values = gap_closed.lower_is_better(found.claims[0].claim, one, FIRST)
    detected = thresholds.detections(one, 0.1)

    whole = noise.unbiased_variance(detected, GROUP, 2, FIRST)
    assert values.mean() == pytest.approx(1e4 * whole, rel=1e-9)
    assert values.mean() != pytest.approx(
        1e4 * arm_parts.variances_without_noise(one, FIRST).mean()
    )


def test_each_arm_has_a_share_with_each_other_ceiling():
    """In the order of the ceilings; the gap of the second is the wider one here."""
    found = gap_closed.closings(study())

    assert [(one.arm, one.ceiling) for one in found] == [
        ("weighted", "oracle"),
        ("even faces", "oracle"),
        ("weighted", "even faces"),
        ("oracle", "even faces"),
    ]
    assert {one.reason for one in found} == {""}
    assert found[1].found.share == pytest.approx(1 / found[3].found.share)
    assert 0 < found[2].found.share < found[0].found.share < 1


def test_only_seeds_that_all_three_arms_have_are_paired():
    """The reference lacks the first."""
    whole = study()
    less = replace(whole, arms=(whole.arms[0].only((1, 2, 3, 4)), *whole.arms[1:]))

    assert {one.found.pairs for one in gap_closed.closings(less)} == {4}


@pytest.mark.parametrize(
    ("quantity", "changes"),
    [
        ("gap", {}),
        ("worst_group", {"expect": "higher"}),
        ("recall", {"expect": "higher"}),
        ("group_recall", {"expect": "higher", "group": "b"}),
        ("auc_variance", {"read_at": None}),
    ],
)
def test_every_quantity_with_a_gap_can_be_closed_in_part(quantity, changes):
    """Also where more is better; the mean of the values is the claim's own value."""
    found = study(claim(quantity=quantity, **CONTRAST, **changes))
    one = found.claims[0].claim
    (parts,) = claims.statistics(one, [found.arms[0]], FIRST)
    values = gap_closed.lower_is_better(one, found.arms[0], FIRST)
    first = gap_closed.closings(found)[0].found

    assert 0 < first.numerator.value < first.denominator.value
    assert abs(values.mean()) == pytest.approx(
        abs(claims.unit(one) * float(parts.runs.mean())), rel=1e-9
    )


def test_a_gap_that_there_may_not_be_is_refused():
    """The reference is as even as the ceiling."""
    found = gap_closed.closings(study(none=0.0))

    assert {one.found.refusal for one in found} <= {"may be no gap", "no gap"}


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (study(runs=2), "its arms have 2 seeds in common, and a variance without noise takes 3"),
        (study(runs=1), "1 of 1 planned seed has results in all its arms"),
        (
            study(claim(read_at={"false_positive_rate": 0.01}, **CONTRAST)),
            "a false-positive rate of 1 % takes 99 photographs",
        ),
    ],
)
def test_why_nothing_can_be_read_is_told(found, reason):
    """Seeds, scores, photographs: by the words of the claims."""
    assert all(one.reason.startswith(reason) for one in gap_closed.closings(found))
    assert all(one.found is None for one in gap_closed.closings(found))


def test_a_group_of_one_portrait_has_noise_that_cannot_be_removed():
    """Its recall is 0 or 1."""
    whole = study()
    alone = [
        replace(
            of(one.name, 0.5),
            scores=replace(one.scores, group=np.where(np.arange(100) == 99, 1, 0)),
        )
        for one in whole.arms
    ]
    found = gap_closed.closings(replace(whole, arms=tuple(alone)))

    assert {one.reason for one in found} == {
        "a group has one portrait, whose noise cannot be removed"
    }


def test_a_study_that_does_not_ask_has_none():
    """Nor one whose claims are gone."""
    assert gap_closed.closings(replace(study(), gap_share=None)) == []
    assert gap_closed.closings(replace(study(), claims=())) == []
