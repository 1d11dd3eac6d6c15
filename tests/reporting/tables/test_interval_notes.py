"""What stands below a table of intervals, and where it must not."""

from dataclasses import replace

import numpy as np
import pytest
from arms import arm, counted, lost, noisy, outcomes

from repro.reporting.tables import interval_notes, tables
from repro.stats import disparity, noise
from repro.stats.disparity import DEFINITIONS

ARMS = [arm(name, noisy(seed)) for seed, name in enumerate("xyz")]
POOLED = "The spread between runs is the wider of the arm's own and the one pooled over 3 arms."
OWN = "The spread between runs is the arm's own."
BY_COUNTS = "Without the score of each portrait, all runs are assumed to miss the same portraits"


def runs(name, *detected):
    """Runs that detect so many of 100 portraits in both groups."""
    return counted(name, [[one, one] for one in detected], size=100)


def told(*arms):
    """The remarks in one string."""
    return " ".join(interval_notes.of_intervals(outcomes(*arms)))


def test_the_spread_is_said_to_be_pooled_over_the_arms_that_have_one():
    """Three arms with runs, one without."""
    assert POOLED in told(*ARMS, lost("failed", failed=5))


@pytest.mark.parametrize(
    "arms",
    [ARMS[:1], [ARMS[0], arm("single", noisy(9, 1))], [ARMS[0], lost("failed", failed=5)]],
    ids=["one arm", "a single run", "a failed arm"],
)
def test_the_spread_of_a_single_arm_is_not_said_to_be_pooled(arms):
    """There is nothing to pool."""
    assert OWN in told(*arms)
    assert "pooled" not in told(*arms)


def test_single_runs_have_no_remark_on_intervals():
    """They have no intervals."""
    assert told(arm("a", noisy(0, 1)), arm("b", noisy(1, 1))) == ""


def test_portraits_are_said_to_be_unknown_only_without_scores():
    """An arm whose scores are missing widens its own intervals."""
    assert BY_COUNTS not in told(*ARMS)
    assert BY_COUNTS in told(*ARMS[:2], replace(ARMS[2], scores=None))


def test_bad_runs_are_told_also_where_there_are_none():
    """None of 15, with the fault that is still possible: 1 - .025^(1/15) is 21.8 %."""
    study = outcomes(*(runs(name, 90, 91, 92, 91, 90) for name in "xyz"))

    assert interval_notes.of_bad_runs(study) == [
        "0 of 15 runs are more than 10 points of recall and 5 median absolute deviations from "
        "the median of their arm: 0.0 to 21.8 % of all runs (exact 95 % interval); a fault in up "
        "to 22 % of the runs is possible."
    ]


def test_bad_runs_are_counted_and_their_arms_named():
    """Two of 15; the arms without one spread unlike those with one."""
    study = outcomes(
        runs("x", 90, 91, 92, 91, 60), runs("y", 90, 91, 92, 91, 50), runs("z", 90, 91, 92, 91, 90)
    )

    assert interval_notes.of_bad_runs(study) == [
        "2 of 15 runs are more than 10 points of recall and 5 median absolute deviations from the "
        "median of their arm: 1.7 to 40.5 % of all runs (exact 95 % interval).",
        "The interval of the mean cannot be trusted: x (seed 4 far from its median); y (seed 4 far "
        "from its median); z (its runs spread 0.05 times as much as those of the other arms).",
    ]


def test_a_single_bad_run_is_told_in_the_singular():
    """1 of 5 runs is."""
    (first, *_) = interval_notes.of_bad_runs(outcomes(runs("x", 90, 91, 92, 91, 60)))

    assert first.startswith("1 of 5 runs is more than 10 points")
    assert "is possible" not in first


def test_no_interval_is_said_to_be_untrusted_where_arms_spread_alike():
    """And no run is far."""
    study = outcomes(runs("x", 90, 91, 92, 93, 94), runs("y", 88, 91, 92, 93, 94))

    assert "cannot be trusted" not in " ".join(interval_notes.of_bad_runs(study))
    assert "not to be trusted" not in " ".join(interval_notes.briefly(study))


def test_arms_with_too_few_runs_are_not_counted_as_without_a_bad_run():
    """Five of seven runs can be judged; of two, neither is the odd one."""
    study = outcomes(runs("x", 90, 91, 92, 91, 90), runs("y", 90, 20))

    assert interval_notes.of_bad_runs(study)[0].startswith(
        "0 of 5 runs in arms with 3 or more are more than 10 points"
    )
    assert interval_notes.briefly(study)[0].startswith(
        "Runs far from their arm's median: 0 of 5 runs in arms with 3 or more (0 to "
    )


def test_two_runs_an_arm_have_no_remark_on_bad_runs():
    """Which of two is the odd one is not known."""
    study = outcomes(runs("x", 90, 20), runs("y", 90, 91))

    assert interval_notes.of_bad_runs(study) == interval_notes.briefly(study) == []


def test_the_summary_says_the_same_briefly():
    """One sentence on the share, one on the arms."""
    study = outcomes(runs("x", 90, 91, 92, 91, 60), runs("y", 90, 60, 92, 93, 94))

    assert interval_notes.briefly(study) == [
        "Runs far from their arm's median: 2 of 10 (3 to 56 %).",
        "Interval not to be trusted: x (seed 4 far from its median); y (seed 1 far from its "
        "median).",
    ]


def of_groups(*arms, definition="dehaan2020"):
    """The remarks below the table of groups."""
    return " ".join(tables.part(outcomes(*arms), "groups", definition=definition).remarks)


SENTENCES = {
    "counts": "From counts alone the noise is known within bounds",
    "portrait": "The noise cannot be estimated if a group has a single portrait.",
    "run": "The noise of seeds cannot be estimated from a single run.",
    "averages": "seeds and portraits alone would give these averages of",
    "one run": "portraits alone would give one run",
}


@pytest.mark.parametrize(
    ("arms", "definition", "stand"),
    [
        (ARMS, "dehaan2020", {"averages"}),
        (ARMS, "fijen2020", {"one run"}),
        ([arm("a", noisy(0, 1, shift=-1))], "dehaan2020", {"run", "one run"}),
        ([arm("a", noisy(0, 1, shift=-1))], "fijen2020", {"one run"}),
        ([replace(ARMS[0], scores=None)], "dehaan2020", {"counts", "averages"}),
        ([replace(ARMS[0], scores=None)], "fijen2020", {"one run"}),
        (
            [replace(ARMS[0], scores=None, sizes=np.array([7, 1]))],
            "fijen2020",
            {"portrait", "one run"},
        ),
    ],
)
def test_sentences_on_noise_stand_only_where_they_hold(arms, definition, stand):
    """Of five, those of the situation and no other."""
    remarks = of_groups(*arms, definition=definition)

    assert {key for key, sentence in SENTENCES.items() if sentence in remarks} == stand


def test_the_noise_floor_of_counts_is_between_that_of_nested_and_of_spread_misses():
    """The variance minus both ends of the variance without noise."""
    bare = replace(ARMS[0], scores=None)
    definition = DEFINITIONS["dehaan2020"]
    low, high = noise.unbiased_bounds(bare.recall, bare.sizes, definition)
    variance = float(disparity.variance(bare.recall, definition))
    least, most = (1e4 * max(variance - end, 0.0) for end in (high, low))

    assert f"a variance of {least:.2f} to {most:.2f} on average" in of_groups(bare)


def test_the_noise_floor_is_of_the_arms_with_as_many_runs():
    """The first arm has a single run, and the last three."""
    remarks = of_groups(arm("a", noisy(7, 1)), *ARMS, arm("b", noisy(8, 3)))

    assert "these averages of 5 runs" in remarks
    assert "It is the mean over 3 arms of the variance" in remarks


def test_perfect_recall_has_no_noise_floor():
    """Nothing is missed in any arm."""
    assert "Noise floor" not in of_groups(arm("a", [[1.0] * 8] * 5))


def test_areas_are_explained_only_where_there_are_photographs():
    """Counts have no areas."""
    known, blind = (
        " ".join(tables.part(outcomes(one), "inequality").remarks)
        for one in (ARMS[0], replace(ARMS[0], scores=None))
    )

    for sentence in ("Variance of areas: between", "p, equal groups: Monte Carlo"):
        assert sentence in known
        assert sentence not in blind


def test_counts_have_no_logit_and_a_reason_for_the_dashes():
    """A file of counts does not say by what threshold they were made."""
    known, blind = (
        tables.part(outcomes(one), "inequality") for one in (ARMS[0], replace(ARMS[0], scores=None))
    )
    why = "Without the score of each portrait there is no test of equal groups"

    assert known.title.endswith("at logit 0.")
    assert "logit" not in blind.title
    assert why not in " ".join(known.remarks)
    assert why in " ".join(blind.remarks)


def test_accuracy_of_counts_does_not_name_a_threshold():
    """Only where logits are known it is 0."""
    known, blind = (
        tables.part(outcomes(one), "accuracy").remarks[0]
        for one in (ARMS[0], replace(ARMS[0], scores=None))
    )

    assert "in which any window has a logit of 0 or more" in known
    assert "portraits that are detected; overall" in blind


def test_own_intervals_are_named_only_where_there_are_some():
    """A single run has none, and counts have no areas."""
    said = "use the arm's own spread alone"
    single, counts = (
        " ".join(tables.part(outcomes(one), "inequality").remarks)
        for one in (arm("x", noisy(0, 1)), replace(ARMS[0], scores=None))
    )

    assert said not in single
    assert f"The intervals of this column {said}." in counts


def test_false_positives_are_named_only_where_they_are_counted():
    """A file of portraits alone."""
    (known, *_), (blind, *_) = (
        tables.part(outcomes(one), "groups").remarks
        for one in (ARMS[0], replace(ARMS[0], scores=None, false_positive_rate=None, nonfaces=0))
    )

    assert known.startswith("Groups and false positives: mean")
    assert blind.startswith("Groups: mean")


def test_inequality_takes_two_groups():
    """A single group is unequal to nothing."""
    lone = counted("x", [[3], [4]], size=5)

    assert tables.part(outcomes(lone), "inequality") is None
