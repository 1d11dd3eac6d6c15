"""Printed spreads against chance: readings, both ends of the correlation, what settles it."""

import pytest
from published_tables import table

from repro.analysis.audit.checks import chance

PPB = {"darker_male": 318, "darker_female": 271, "lighter_male": 386, "lighter_female": 295}
TEN = {f"g{at}": 200 for at in range(10)}
ROWS = [
    ("a", {}, {"overall": "99.82", "variance": "0.0875"}),
    ("b", {}, {"overall": "99.80", "variance": "0.1083"}),
    ("c", {}, {"overall": "99.70", "variance": "0.1217"}),
    ("d", {}, {"overall": "99.77", "variance": "0.0950"}),
    ("e", {}, {"overall": "99.75", "variance": "0.1275"}),
]


def one(rows, **description):
    """The one finding of a table."""
    (found,) = chance.findings(table(rows, **description))
    return found


def means(variance, **more):
    """An arm at 92.4 % with a variance."""
    return [("a", {}, {"overall": "92.40", "variance": variance, **more})]


def test_ten_groups_show_no_more_than_chance_gives():
    """The grain says how the variance was computed; as another one it would be judged otherwise."""
    found = one(ROWS, groups=TEN, replicates=3)

    assert (found.check, found.result, found.settle) == ("Chance", "chance", "")
    assert found.text.startswith(
        "Variance between groups: no more than chance gives in equal groups (10 groups of 200 "
        "portraits, 3 runs): a 0.0875 (by chance 0.08"
    )
    assert (
        "The digits of the means and the variances allow only the population variance (ddof 0) of "
        "each run, then averaged. As a variance of run averages it would be judged otherwise: for "
        "runs that miss independent portraits p from 0.00" in found.text
    )


def test_a_column_that_no_definition_allows_is_judged_under_all():
    """Then the verdicts differ, and the text says what they range over."""
    wrong = [("f", {}, {"overall": "99.81", "variance": "0.0871"})]
    found = one([*ROWS, *wrong], groups=TEN, replicates=3)

    assert found.result == "cannot tell"
    assert "and over the 4 definitions that the number may have." in found.text
    assert found.settle.startswith("which portraits each run misses")


@pytest.mark.parametrize(
    ("variance", "result"), [("2.00", "chance"), ("4.00", "chance"), ("6.00", "more than chance")]
)
def test_a_variance_of_one_run(variance, result):
    """Equal groups of PPB give up to 4.40 (ddof 0) or 5.87 (ddof 1) in 95 %."""
    found = one(means(variance), groups=PPB, replicates=1)

    assert found.result == result


@pytest.mark.parametrize(
    ("variance", "result"),
    [("0.30", "chance"), ("2.00", "cannot tell"), ("6.00", "more than chance")],
)
def test_a_variance_over_runs_is_judged_at_both_ends(variance, result):
    """Five runs of the same misses show as much as one, five independent ones a fifth."""
    found = one(means(variance), groups=PPB, replicates=5)

    assert found.result == result


def test_the_best_runs_count_as_the_kept_ones():
    """Best 3 of 5: three runs."""
    assert "3 runs" in one(means("6.00"), groups=PPB, replicates=5, keep=3).text


def test_an_unknown_number_of_runs_is_asked_for():
    """One run shows most; more is more than chance whatever their number."""
    low, high = one(means("2.00"), groups=PPB), one(means("6.00"), groups=PPB)

    assert (low.result, low.settle) == (
        "cannot tell",
        "the number of runs behind each number: --runs N",
    )
    assert (high.result, high.settle) == ("more than chance", "")


def test_unknown_sizes_are_asked_for():
    """Chance depends on them."""
    found = one(means("6.00"), replicates=5)

    assert (found.result, found.settle) == (
        "cannot tell",
        "the portraits of each group: --group NAME=N, once for each",
    )


def test_a_table_without_a_mean_has_no_chance_to_compare_with():
    """Nothing is said."""
    assert not list(chance.findings(table([("a", {}, {"variance": "6"})], groups=PPB)))


def test_a_standard_deviation_is_judged_as_its_square():
    """The roots of 9 and of 2."""
    rows = [
        ("a", {}, {"overall": "92.40", "sd": "3.00"}),
        ("b", {}, {"overall": "92.40", "sd": "1.41"}),
    ]
    more, less = chance.findings(table(rows, groups=PPB, replicates=1))

    assert (more.result, less.result) == ("more than chance", "chance")
    assert "a 3.00 (by chance 1.3 to 1.5 on average, 95 % point 2.1 to 2.43; p" in more.text


def test_a_gap_and_a_worst_group_of_one_run():
    """Equal groups of PPB at 92.4 % give a gap of 5.44 and a worst group of 88.85 in 95 %."""
    rows = means("1.00", gap="5.9", worst="89.0")
    found = {
        one.text.split(":")[0]: one
        for one in chance.findings(table(rows, groups=PPB, replicates=1))
    }

    assert found["Gap"].result == "more than chance"
    assert "95 % point 5.4" in found["Gap"].text
    assert found["Worst group"].result == "chance"
    assert "5 % point 88.8" in found["Worst group"].text


def test_errors_are_judged_as_recalls():
    """A worst error of 11.1 % is a worst recall of 88.9 %."""
    rows = [("a", {}, {"overall": "7.60", "worst": "11.10", "gap": "5.0"})]
    gap, worst = chance.findings(table(rows, groups=PPB, replicates=1, measure="error"))

    assert (gap.result, worst.result) == ("chance", "chance")
    assert "95 % point 11.1" in worst.text


def test_printed_groups_say_which_variance_it_is():
    """28.82 is the sample variance of four printed shares."""
    shares = dict(zip(PPB, ("87.54", "95.19", "99.47", "98.29"), strict=True))
    found = one([("a", shares, {"variance": "28.82"})], groups=PPB, replicates=5)

    assert (
        "The printed groups give it as the sample variance (ddof 1) of run-averaged" in found.text
    )


def test_p_is_adjusted_for_the_rows():
    """One of forty equal arms at p .02 is nothing."""
    rows = means("5.60")
    many = [(f"m{at}", {}, {"overall": "92.40", "variance": "1.00"}) for at in range(40)]

    assert one(rows, groups=PPB, replicates=1).result == "cannot tell"  # ddof 0 or 1
    assert one([*rows, *many], groups=PPB, replicates=1).result == "chance"


def test_a_long_table_names_five_rows():
    """And how many more."""
    rows = [(f"m{at}", {}, {"overall": "92.40", "variance": "1.00"}) for at in range(300)]

    assert "; and 295 more." in one(rows, groups=PPB, replicates=1).text


def test_a_mean_of_100_percent_may_be_a_little_less():
    """100.0 may be 99.95: a variance of .02 is possible."""
    rows = [("a", {}, {"overall": "100.0", "variance": "0.01"})]

    assert one(rows, groups=PPB, replicates=1).result == "chance"


def test_rows_of_single_runs_are_judged_by_themselves():
    """The arm and the run are named."""
    shares = dict(zip(PPB, ("84.906", "95.572", "98.446", "99.322"), strict=True))
    found = one([(("a", "1"), shares, {"overall": "94.646", "variance": "44.002"})], groups=PPB)

    assert found.result == "more than chance"
    assert "a, run 1 44.002" in found.text
