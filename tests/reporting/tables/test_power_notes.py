"""What a number of runs can show, in sentences, and when they are not printed."""

import json

import pytest
from arms import counted, lost, outcomes

from repro.reporting.tables import notes, power_notes, study_json, terminal_summary
from repro.stats.disparity import DEFINITIONS

REFERENCE = [[10, 30], [14, 30], [12, 30], [16, 30], [13, 30]]
OTHER = [[20, 30], [22, 30], [26, 30], [27, 30], [20, 30]]
EVEN = [[a + 4, b] for a, b in REFERENCE]
CONSTANT = [[20, 30]] * 5


def below(*arms, **changes):
    """The sentences below the table of results on what it cannot show."""
    return notes.of_strength(outcomes(*arms, keep=5, **changes), DEFINITIONS["dehaan2020"])


def two(rows=OTHER, **changes):
    """One arm against the reference."""
    return below(counted("ref", REFERENCE), counted("other", rows), **changes)


def test_the_power_is_that_of_the_paired_test_after_holm():
    """Both quantities, the spread and correlation of the pairs, and how sure the spread is."""
    assert two() == [
        "With 5 pairs of runs the smallest possible p of an exact paired test is 0.0625, above "
        ".05; with two arms of 5 runs the smallest possible p of a permutation test is 0.00794.",
        "With 80 % power the paired t test at .05 detects with 5 pairs a difference of 1.68 "
        "standard deviations of the pairs' differences alone, and of 2.05 at the first step of "
        "Holm over 2 comparisons. Here: recall 5.76 and 7.02 points, standard deviation 3.42 "
        "points (with 80 % confidence at most 5.33, which gives 8.97 and 10.93; correlation of the "
        "pairs +0.53); variance of single runs 165.29 and 201.46, standard deviation 98.27 (with "
        "80 % confidence at most 153.07, which gives 257.46 and 313.79; correlation of the pairs "
        "+0.49).",
        "A 95 % t interval of ± half a point for recall, for new seeds and the same photographs "
        "only, needs 195 runs per arm at the standard deviation between runs seen here, 3.54 "
        "points.",
    ]


def test_the_spread_is_pooled_over_the_comparisons():
    """Two arms against one, and no such word of a single comparison."""
    arms = [counted("ref", REFERENCE), counted("other", OTHER), counted("again", OTHER[::-1])]

    assert "(pooled over 2 comparisons; with 80 % confidence" in " ".join(below(*arms))
    assert "pooled" not in " ".join(two())


def test_one_comparison_has_no_first_step():
    """Nothing is adjusted."""
    (told,) = [one for one in two(metrics=("recall",)) if "80 % power" in one]

    assert "Holm" not in told
    assert "standard deviations of the pairs' differences. Here: recall 5.76 points, " in told


def test_unpaired_runs_have_an_unpaired_test():
    """No pairs, no correlation, no exact paired test."""
    told = " ".join(two(paired=False))

    assert "the unpaired t test at .05 detects with 5 runs per arm" in told
    assert "standard deviations between the runs of an arm" in told
    assert not [word for word in ("correlation", "pairs") if word in told]


def test_a_test_that_cannot_pass_detects_nothing():
    """Five sign flips reach .0625, twice that after Holm: no size of difference helps."""
    told = " ".join(two(test="sign_flip"))

    assert (
        "No difference can be significant: the smallest possible p of the sign-flip test is 0.125 "
        "at the first step of Holm over 2 comparisons." in told
    )
    assert "80 % power" not in told


def test_a_test_that_can_pass_has_the_t_test_as_a_guide():
    """A permutation test pairs nothing."""
    (told,) = [one for one in two(test="permutation") if "80 % power" in one]

    assert told.startswith("As a guide to the permutation test: with 80 % power the unpaired t ")


@pytest.mark.parametrize(
    "arms",
    [
        [counted("ref", REFERENCE)],
        [counted("ref", REFERENCE), lost("other", failed=5)],
        [lost("ref", failed=5), counted("other", OTHER)],
    ],
    ids=["one arm", "no other with results", "no reference"],
)
def test_without_two_arms_nothing_is_said_of_two(arms):
    """The runs needed for an interval are those of one arm."""
    (told,) = below(*arms)

    assert told.startswith("A 95 % t interval of ± half a point for recall, for new seeds and ")


def test_equal_differences_promise_no_power():
    """Without spread every difference would be found; recalls differ all the same."""
    told = [one for one in two(EVEN, metrics=("recall",)) if "80 % power" in one]

    assert told == []


def test_equal_runs_need_no_number_of_runs():
    """Two runs would do for an interval of no width."""
    told = below(counted("ref", CONSTANT), counted("other", CONSTANT))

    assert not [one for one in told if "needs" in one or "80 % power" in one]


def test_a_single_run_shows_nothing_else():
    """No pairs, no smallest p."""
    assert below(counted("ref", REFERENCE[:1]), counted("other", OTHER[:1])) == [
        "With a single run there is no interval: nothing is known about other seeds."
    ]


def test_a_single_pair_has_no_smallest_p():
    """Five runs in one arm and one in the other."""
    told = two(OTHER[:1])

    assert len(told) == 1
    assert "needs" in told[0]


def shown(*arms, **changes):
    """The remarks of a terminal."""
    found = outcomes(*arms, keep=5, **changes)
    return [r for r in terminal_summary.summary(found, "dehaan2020").remarks if "power" in r]


def test_the_terminal_has_the_power_of_the_declared_test():
    """Alone and after Holm."""
    assert shown(counted("ref", REFERENCE), counted("other", OTHER)) == [
        "Detected with 80 % power by 5 pairs: differences of single runs from 5.8 points and 165 "
        "of variance alone, from 7.0 and 201 at Holm's first step."
    ]


@pytest.mark.parametrize(
    "arms",
    [
        [counted("ref", REFERENCE)],
        [counted("ref", CONSTANT), counted("other", CONSTANT)],
        [counted("ref", REFERENCE[:1]), counted("other", OTHER[:1])],
    ],
    ids=["one arm", "equal runs", "single runs"],
)
def test_the_terminal_promises_no_power_without_pairs_or_spread(arms):
    """Nothing to compare, or nothing to judge it by."""
    assert shown(*arms) == []


def test_json_tells_of_a_failed_reference():
    """Programs read the reason with the other notes."""
    found = outcomes(lost("ref", failed=5), counted("other", OTHER))
    told = json.dumps(study_json.study(found, "dehaan2020")["notes"])

    assert "No arm is compared: the reference, ref, has no runs with results (5 failed)." in told


def test_a_difference_that_cannot_be_is_told_as_such():
    """Two pairs that differ much: the t test would need more than 100 points."""
    wide = [[0, 0], [40, 40]]
    first, second = (counted(name, rows) for name, rows in (("ref", REFERENCE[:2]), ("o", wide)))

    (long,) = [one for one in below(first, second) if "80 % power" in one]
    (short,) = shown(first, second)

    assert "from over 100 points and " in short
    assert "Here: recall over 100 and over 100 points, " in long
    assert power_notes.shown("recall", 100.0, ".1f") == "100.0"
