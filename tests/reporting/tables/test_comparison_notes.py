"""What stands below the table of comparisons, and when it does not."""

import numpy as np
import pytest
from arms import arm as scored
from arms import counted, lost, noisy, outcomes

from repro.errors import ReproError
from repro.reporting.tables import comparison_notes, output_formats, tables, terminal_summary
from repro.reporting.tables.presentation import Presentation
from repro.stats import comparisons, trends
from repro.stats.disparity import DEFINITIONS

REFERENCE = [[10, 38], [11, 38], [12, 38], [13, 38], [14, 38]]
BETTER = [[30, 38], [32, 38], [34, 38], [36, 38], [38, 38]]
SHIFTED = [[a + 4, b] for a, b in REFERENCE]
OPPOSITE = REFERENCE[::-1]


def compared(*arms, **changes):
    """The table of comparisons of a study whose first arm is the reference."""
    return tables.part(outcomes(*arms, **changes), "comparisons")


def two(rows=BETTER, **changes):
    """One arm against the reference."""
    return compared(counted("ref", REFERENCE), counted("better", rows), **changes)


def remarks(part, words):
    """Its remarks with these words."""
    return [remark for remark in part.remarks if words in remark]


def test_a_comparison_names_its_test_family_and_attainable_p():
    """The word significant never stands alone."""
    assert remarks(two(), "ignificant") == [
        "Significant at .05 (paired t test, Holm over a family of 2 (1 arm x 2 metrics), n = 5, "
        "any p possible for normal differences): better in recall (p below 0.0001); "
        "better in variance (p below 0.0001)."
    ]


def test_the_same_counts_in_other_groups_are_not_significant():
    """All recalls and variances are equal: no difference, no interval, no p below 1."""
    part = two([row[::-1] for row in REFERENCE])

    assert part.table["Difference, new seeds"].tolist() == ["+0.00"] * 2
    assert part.table["p, Holm"].tolist() == ["1.0000"] * 2
    assert part.table["r"].tolist() == ["1.00"] * 2
    assert remarks(part, "ignificant") + remarks(part, "any p possible") == []
    assert remarks(part, "n = 5, no run differs from the reference's).")


def test_an_exact_test_that_cannot_pass_says_so():
    """Five pairs have 32 sign patterns: no p below 1/16."""
    part = two(test="sign_flip")

    assert remarks(
        part, "No comparison has an adjusted p of .05 or less, and none can have one (sign-flip"
    )
    assert part.table["p, sign flip"].tolist() == ["0.0625 (smallest possible 0.0625)"] * 2


def test_a_test_that_can_pass_does_not_say_that_it_cannot():
    """A permutation test of five against five reaches 2 / 252, here of equal recalls."""
    part = two(OPPOSITE, test="permutation")

    assert remarks(part, "No comparison has an adjusted p of .05 or less (permutation test")


def test_tests_of_very_many_runs_say_that_they_are_limits(monkeypatch):
    """No p is out of reach, nothing is exact, and the remarks say so."""
    for module, name in ((comparisons, "MANY"), (comparisons, "EVEN"), (trends, "LISTED")):
        monkeypatch.setattr(module, name, 1)
    arms = [
        counted(name, [[low + i * i % 7, 38] for i in range(5)], alpha=low)
        for name, low in (("x", 10), ("y", 11), ("z", 14))
    ]
    found = outcomes(*arms, test="permutation")
    part = tables.part(found, "comparisons")

    assert "smallest" not in "".join(part.table["p, permutation"])
    assert remarks(part, "any p possible by its normal approximation")
    assert remarks(part, "uses its normal approximation")
    assert remarks(part, ", normal approximation")
    assert not remarks(tables.part(found, "results"), "smallest possible p")


def test_exact_tests_are_no_limits():
    """Five runs list their arrangements."""
    assert remarks(two(), "normal approximation") == []


def test_the_family_is_what_the_study_declares():
    """One metric declared, one row an arm."""
    assert two(metrics=("variance",)).table["Metric"].tolist() == ["variance"]


def test_a_failed_arm_is_told_and_counted():
    """Four planned comparisons of two arms, two of them without a p."""
    part = compared(counted("ref", REFERENCE), counted("better", BETTER), lost("bad", failed=5))

    assert remarks(part, "Holm over a family of 4 (2 arms x 2 metrics)")
    assert remarks(part, "Without") == [
        "Without a p-value, but counted by Holm: 2 of 4 planned comparisons: bad in recall and "
        "variance (no runs with results: 5 failed)."
    ]


@pytest.mark.parametrize(
    ("third", "told"),
    [
        (lost("x"), "x in recall and variance (no runs with results: 5 not run yet)"),
        (counted("x", BETTER, seeds=(5, 6, 7, 8, 9)), "x in recall and variance (no seed of ref)"),
        (counted("x", BETTER[:1]), "x in recall and variance (a single run)"),
        (counted("x", SHIFTED), "x in recall (no spread)"),
    ],
    ids=["not run", "other seeds", "a single run", "even"],
)
def test_every_comparison_without_a_p_is_told_with_its_reason(third, told):
    """Also where all pairs differ by the same."""
    part = compared(counted("ref", REFERENCE), counted("better", BETTER), third)

    assert told in "".join(remarks(part, "Without a p-value"))


def test_a_complete_family_lacks_no_p():
    """Nor do equal runs, whose p is 1."""
    assert remarks(two(), "Without") == remarks(two(REFERENCE), "Without") == []


def test_single_runs_have_no_p():
    """One seed: differences, and no word about what is possible or significant."""
    part = compared(counted("ref", REFERENCE[:1]), counted("better", BETTER[:1]))

    assert part.table["Difference, new seeds"].tolist() == ["+25.00", "-1125.00"]
    assert remarks(part, "p-value (paired t") == [
        "No comparison has a p-value (paired t test, Holm over a family of 2 (1 arm x 2 metrics), "
        "n = 1)."
    ]
    assert not remarks(part, "possible") + remarks(part, "Spread ratio")


def test_arms_of_different_numbers_of_runs_tell_both():
    """Five pairs of one arm, two of the other."""
    part = compared(counted("ref", REFERENCE), counted("five", BETTER), counted("two", BETTER[:2]))

    assert remarks(part, "n = 2 to 5, any p possible")


def test_the_interval_for_portraits_stays_beside_that_for_seeds():
    """Also where the first arm, equal to the reference, has none; without any there is no column.

    A column that only later rows have would stand behind all others.
    """
    ref, same = scored("ref", noisy(0)), scored("same", noisy(0))
    columns = list(compared(ref, same, scored("other", noisy(1))).table.columns)
    place = columns.index("Difference, new seeds")

    assert columns[place + 1] == "New seeds and portraits"
    assert "New seeds and portraits" not in compared(ref, same).table.columns


def test_a_failed_reference_is_told_in_place_of_the_comparisons():
    """An empty table with the reason."""
    part = compared(lost("ref", failed=3, collapsed=1), counted("better", BETTER))

    assert len(part.table) == 0
    assert part.remarks == [
        "No arm is compared: the reference, ref, has no runs with results (3 failed, 1 collapsed, "
        "1 not run yet)."
    ]


@pytest.mark.parametrize("form", ["csv", "tsv"])
def test_a_file_for_programs_is_refused_with_the_reason(form):
    """An empty file would tell nothing; with rows there is a file."""
    presentation = Presentation(form=form, style="full", part="comparisons")
    whole = outcomes(counted("ref", REFERENCE), counted("better", BETTER))

    with pytest.raises(
        ReproError, match=r"toy: --part comparisons has no rows\. No arm is compared"
    ):
        output_formats.text(outcomes(lost("ref"), counted("better", BETTER)), presentation)
    assert len(output_formats.text(whole, presentation).splitlines()) == 3


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (lost("x", failed=5), "no other arm has runs with results"),
        (
            counted("x", BETTER, seeds=(5, 6, 7, 8, 9)),
            "no run with results of another arm has the seed of one of its own",
        ),
    ],
)
def test_a_reference_without_anything_to_compare_says_why(other, why):
    """Neither arms nor pairs."""
    part = compared(counted("ref", REFERENCE), other)

    assert part.remarks == [f"No arm is compared with ref: {why}."]


@pytest.mark.parametrize(
    "arms",
    [[counted("ref", REFERENCE)], [lost("ref", failed=5), lost("x", failed=5)]],
    ids=["one arm", "no results at all"],
)
def test_where_nothing_can_be_compared_no_comparison_is_missed(arms):
    """One arm plans none; without any results the table of results says so."""
    assert compared(*arms) is None
    assert comparison_notes.of_none(outcomes(*arms), DEFINITIONS["dehaan2020"]) == []


def test_the_terminal_tells_of_a_failed_reference():
    """The first thing that is seen says why no difference is shown."""
    found = outcomes(lost("ref", failed=5), counted("better", BETTER))
    told = terminal_summary.summary(found, "dehaan2020").remarks

    assert "No arm is compared: the reference, ref, has no runs with results (5 failed)." in told


def test_the_table_at_equal_false_positive_rates_tells_of_a_failed_reference():
    """It lacks the columns of differences."""
    found = outcomes(lost("ref", failed=5), scored("better", noisy(0)))
    both = outcomes(scored("ref", noisy(1)), scored("better", noisy(0)))

    assert remarks(tables.part(found, "false_alarms"), "No arm is compared")
    assert not remarks(tables.part(both, "false_alarms"), "No arm is compared")


def test_the_terminal_counts_planned_comparisons():
    """Those of a failed arm, too; of a single one nothing is adjusted."""
    arms = counted("ref", REFERENCE), counted("better", BETTER)
    whole, failed, alone = (
        "".join(terminal_summary.summary(found, "dehaan2020").remarks)
        for found in (
            outcomes(*arms),
            outcomes(*arms, lost("bad", failed=5)),
            outcomes(*arms, metrics=("recall",)),
        )
    )

    assert "(Variance: of averaged runs); p adjusted by Holm over 2 comparisons." in whole
    assert "p adjusted by Holm over 4 comparisons planned, 2 without results." in failed
    assert "Holm" not in alone
    assert "Variance:" not in alone


@pytest.mark.parametrize(("rows", "told"), [(OPPOSITE, True), (BETTER, False)])
def test_pairing_without_gain_is_told_where_it_is_seen(rows, told):
    """Correlations of -1 in one case, of 1 in the other."""
    assert bool(remarks(two(rows), "Where r is 0 or below")) == told


def test_an_undefined_correlation_is_a_dash():
    """An arm that is always the same has none, not one of 0.00."""
    part = two([[20, 38]] * 5)

    assert part.table["r"].tolist() == ["—"] * 2
    assert not remarks(part, "Where r is 0 or below")


def test_spreads_are_explained_where_they_are_compared():
    """A reference without spread has no ratio; two runs have no test of it."""
    assert remarks(two(), "detects a 16-fold ratio in 14 %")
    assert (
        remarks(compared(counted("ref", [[20, 38]] * 5), counted("x", BETTER)), "Spread ratio")
        == []
    )
    (of_two,) = remarks(
        compared(counted("ref", REFERENCE[:2]), counted("x", BETTER[:2])), "Spread ratio"
    )
    assert "Brown-Forsythe" not in of_two


def test_an_arm_without_spread_has_a_ratio_without_an_interval():
    """0, and not 0 [0, 0]."""
    assert two([[20, 38]] * 5).table["Spread ratio"].tolist() == ["0"] * 2


def test_recall_alone_needs_no_word_on_variances():
    """What the mean of variances is not."""
    assert remarks(two(), "the variance of run-averaged groups")
    assert not remarks(two(metrics=("recall",)), "variance of run-averaged groups")


def test_unpaired_arms_have_no_sign_flip():
    """Somebody else's runs share no seeds."""
    part = two(paired=False, test="permutation")

    assert "p, sign flip" not in part.table
    assert part.table["p, permutation"].tolist() == ["0.0079 (smallest possible 0.00794)"] * 2
    assert remarks(part, "Runs are not paired; intervals and p, t are Welch's.")
    assert not remarks(two(), "not paired")


def test_arms_ordered_by_alpha_have_one_trend_test():
    """No resampling is the largest alpha."""
    arms = [counted(str(alpha), REFERENCE, alpha=alpha) for alpha in (np.inf, 0.1, 0)]

    (told,) = remarks(compared(*arms), "Trend")
    assert "over 15 runs" in told
    assert "recall +0.00 (p 1.0000), variance +0.00 (p 1.0000)" in told


def test_arms_with_equal_alphas_have_no_trend():
    """Two arms that differ in something else are not points of one sweep."""
    arms = [counted(name, REFERENCE, alpha=a) for name, a in (("a", 1), ("b", 0.1), ("c", 0.1))]

    assert not remarks(compared(*arms), "Trend")
