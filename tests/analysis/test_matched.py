"""The reference at an arm's own false-positive rates: by hand, under shifts, and when refused."""

from dataclasses import replace

import numpy as np
import pytest
from arms import GROUP, arm, counted, noisy

from repro.analysis import arm_parts, matched, operating_points
from repro.analysis.operating_points import ESTIMATED
from repro.stats import components, operating, redrawn
from repro.stats.disparity import DEFINITIONS

DEFINITION = DEFINITIONS["dehaan2020"]
GROUPS = ("group a", "group b")


def others(seed, shift=0.0, *, runs=5, count=40):
    """Photographs without a face, which runs see alike but not equally."""
    generator = np.random.default_rng([7, seed])
    own = np.random.default_rng(7).normal(size=count)
    return shift + own + generator.normal(scale=0.5, size=(runs, count))


def an_arm(name, seed, shift=0.0, **changes):
    """Five runs whose logits are shifted alike."""
    return arm(name, noisy(seed, shift=shift), nonfaces=others(seed, shift), **changes)


REFERENCE = an_arm("plain", 0, shift=-1.0)
ARM = an_arm("eager", 1)


def test_a_run_is_matched_by_hand():
    """The arm detects two of five; so the reference's threshold is -2.5, midway to the third.

    There it detects 1, 2, -2 and 3 of the first group, and 1 of the second: recall .625, variance
    .140625; at logit 0 it detects one less.
    """
    reference = arm("plain", [[1, 2, -2, 3, -3, -3, 1, -9]], nonfaces=[[-1, -2, -3, -4, -5]])
    eager = arm("eager", [[1] * 8], nonfaces=[[-5, 3, -3, 2, -1]])

    assert matched.counts(eager).tolist() == [2]
    assert matched.values(eager, reference, DEFINITION) == {
        "recall": 0.625,
        "variance": 0.140625,
        "gap": 0.75,
        "worst": 0.25,
    }
    apart = matched.difference(eager, reference, DEFINITION)
    assert {name: one.value for name, one in apart.items()} == {
        "recall": 0.375,
        "variance": -0.140625,
        "gap": -0.75,
        "worst": 0.75,
    }


@pytest.mark.parametrize("shift", [-0.7, 0.3, 1.9])
def test_a_shifted_copy_does_not_differ_at_all(shift):
    """As long as no portrait lies between two photographs: exactly 0, run by run."""
    apart = np.where(noisy(0) > 1, 20.0, -20.0)
    reference = arm("plain", apart, nonfaces=others(0))
    copy = arm("copy", apart + shift, nonfaces=others(0) + shift)

    assert len(set(matched.counts(copy))) > 1
    for name in (*ESTIMATED, *GROUPS):
        found = matched.parts(copy, reference, name, DEFINITION)
        assert found.value == 0
        assert not found.runs.any()
        assert not found.portraits.any()
    assert all(one.value == 0 for one in matched.difference(copy, reference, DEFINITION).values())


def test_a_shifted_copy_differs_by_the_portraits_between_two_photographs():
    """Here one, between the largest photograph and the midpoint."""
    reference = arm("plain", [[0.9, *[5] * 7]], nonfaces=[[1.0, 0.0, -1.0]])
    copy = arm("copy", [[0.2, *[4.3] * 7]], nonfaces=[[0.3, -0.7, -1.7]])
    lower = arm("copy", [[-0.05, *[4.05] * 7]], nonfaces=[[0.05, -0.95, -1.95]])

    recalls = [
        matched.difference(one, reference, DEFINITION)["recall"].value for one in (copy, lower)
    ]
    assert recalls == [0, -0.125]


def test_the_shift_of_the_reference_does_not_matter():
    """Only the order of its photographs and portraits does."""
    moved = an_arm("plain", 0, shift=2.0)

    ours, theirs = (matched.difference(ARM, one, DEFINITION) for one in (REFERENCE, moved))
    for name in ESTIMATED:
        assert ours[name].value == pytest.approx(theirs[name].value, abs=1e-12)
        assert ours[name].interval == pytest.approx(theirs[name].interval, abs=1e-12)


def test_every_run_is_matched_with_the_run_of_its_seed():
    """As many photographs, seed by seed, whatever the order and whichever runs are missing."""
    reference = an_arm("plain", 0, shift=-1.0, seeds=(4, 3, 2, 1, 9))
    found = matched.shifted(ARM, reference)
    ours, _ = operating_points.paired(ARM, reference)

    assert found.seeds == ours.seeds == (1, 2, 3, 4)
    assert matched.counts(found).tolist() == matched.counts(ours).tolist()
    np.testing.assert_array_equal(found.false_positive_rate, ours.false_positive_rate)


def test_the_shifted_reference_is_what_it_detects_above_its_thresholds():
    """Its recalls, from the logits as they are."""
    levels = operating.matched_threshold(REFERENCE.scores.nonfaces, matched.counts(ARM))
    expected = operating.detected(REFERENCE.scores.portraits, levels)
    found = matched.shifted(ARM, REFERENCE)

    for k in (0, 1):
        np.testing.assert_array_equal(found.recall[:, k], expected[:, k == GROUP].mean(axis=1))


@pytest.mark.parametrize("name", [*ESTIMATED, *GROUPS])
def test_the_pair_is_the_arm_and_the_matched_reference(name):
    """With the arm's own parts, and redrawn values of one length, which the arm's keep."""
    ours, theirs = matched.pair(ARM, REFERENCE, name, DEFINITION)
    plain = arm_parts.parts(ARM, name, DEFINITION)
    level = arm_parts.parts(matched.shifted(ARM, REFERENCE), name, DEFINITION)

    np.testing.assert_array_equal(ours.runs, plain.runs)
    np.testing.assert_array_equal(theirs.runs, level.runs)
    assert (ours.value, theirs.value) == (plain.value, level.value)
    assert ours.redrawn.shape == theirs.redrawn.shape == (redrawn.samples(40),)
    assert (ours.redrawn == ours.value).all()
    assert theirs.redrawn.std() > 0


@pytest.mark.parametrize("name", ESTIMATED)
def test_the_difference_is_that_of_the_pair(name):
    """Value, interval and the spread of single runs."""
    ours, theirs = matched.pair(ARM, REFERENCE, name, DEFINITION)
    found = matched.difference(ARM, REFERENCE, DEFINITION)[name]
    level = matched.values(ARM, REFERENCE, DEFINITION)[name]

    assert found.value == ours.value - theirs.value == ours.value - level
    assert found.value == matched.changes(ARM, REFERENCE, DEFINITION)[name]
    assert found.interval == components.interval(ours.minus(theirs))
    without = components.interval(replace(ours.minus(theirs), redrawn=np.empty(0)))
    assert found.interval.low < without.low < without.high < found.interval.high


def test_the_gain_is_a_share_of_what_the_matched_reference_leaves():
    """Of its misses, and of its variance, positive for less of either."""
    level = matched.values(ARM, REFERENCE, DEFINITION)
    apart = matched.difference(ARM, REFERENCE, DEFINITION)
    misses, variance = (matched.gain(ARM, REFERENCE, q, DEFINITION) for q in ("recall", "variance"))

    room = 1 - level["recall"]
    assert misses.value == pytest.approx(apart["recall"].value / room)
    assert misses.interval == pytest.approx([end / room for end in apart["recall"].interval])
    assert variance.value == pytest.approx(-apart["variance"].value / level["variance"])


def test_pairs_that_all_differ_by_the_same_have_no_interval():
    """Nothing is known of other seeds."""
    lots = np.where(noisy(0, runs=1) > 1, 20.0, -20.0).repeat(3, axis=0)
    one, other = (arm(name, lots, nonfaces=others(0, runs=3)) for name in "xy")
    found = matched.difference(one, other, DEFINITION)["recall"]

    assert found.value == 0
    assert np.isnan(found.interval.low)


def test_a_single_group_has_no_variance_and_no_gap():
    """Recall and the worst group are matched all the same."""
    one, other = (
        replace(
            each,
            groups=("a",),
            sizes=np.array([8]),
            recall=each.recall.mean(axis=1, keepdims=True),
            scores=replace(each.scores, group=np.zeros(8, dtype=np.int64)),
        )
        for each in (ARM, REFERENCE)
    )
    values = matched.values(one, other, DEFINITION)
    apart = matched.difference(one, other, DEFINITION)

    for name in ESTIMATED:
        undefined = name in ("variance", "gap")
        assert np.isnan(values[name]) == np.isnan(apart[name].value) == undefined


REFUSED = {
    "eager detects none of 40 photographs without a face in 5 of 5 runs": an_arm("eager", 1, -9.0),
    "eager detects all of 40 photographs without a face in 5 of 5 runs": an_arm("eager", 1, 9.0),
    "no run of eager has the seed of a run of plain": an_arm("eager", 1, seeds=(5, 6, 7, 8, 9)),
    "eager has no scores of photographs without a face": counted("eager", [[3, 4]] * 5),
    "eager and plain were tested on other photographs": arm(
        "eager", noisy(1), nonfaces=others(1, count=41)
    ),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_cannot_be_matched_is_told(why):
    """In words; no number is made up."""
    one = REFUSED[why]

    assert matched.refusal(one, REFERENCE) == why
    assert all(np.isnan(x) for x in matched.values(one, REFERENCE, DEFINITION).values())
    found = matched.difference(one, REFERENCE, DEFINITION).values()
    assert all(np.isnan(x.value) and np.isnan(x.interval.low) for x in found)
    with pytest.raises(ValueError, match=f"plain cannot be matched: {why}"):
        matched.parts(one, REFERENCE, "recall", DEFINITION)


def test_one_run_that_cannot_be_matched_refuses_the_arm():
    """To leave it out would select runs by what they found."""
    logits = others(1)
    logits[2] -= 20
    found = matched.refusal(arm("eager", noisy(1), nonfaces=logits), REFERENCE)

    assert found == "eager detects none of 40 photographs without a face in 1 of 5 runs"


def test_an_arm_that_can_be_matched_has_no_refusal():
    """Nothing is said."""
    assert matched.refusal(ARM, REFERENCE) == ""


def test_ties_at_the_matched_threshold_are_counted():
    """The arm detects one, the reference cannot detect fewer than three."""
    tied = arm("plain", [[1] * 8], nonfaces=[[2.0, 2.0, 2.0, 1.0]])
    eager = arm("eager", [[1] * 8], nonfaces=[[1.0, -1.0, -2.0, -3.0]])

    assert matched.ties(eager, tied).tolist() == [2]
