"""GRIM against published examples and hand arithmetic."""

from fractions import Fraction

import pytest
from published_tables import printed

from repro.stats import grim

TABLE_3 = ["92.39", "91.78", "90.76", "90.52", "85.22"]
PIGS_1 = {
    True: ["7.22/32", "5.00/25", "2.68/28", "7.38/26"],
    False: [
        "4.74/25",
        "5.23/29",
        "2.57/24",
        "6.77/27",
        "7.01/29",
        "3.14/27",
        "6.89/31",
        "0.24/28",
        "5.27/43",
    ],
}


@pytest.mark.parametrize(
    ("text", "possible"), [(text, word) for word, texts in PIGS_1.items() for text in texts]
)
def test_means_of_whole_numbers(text, possible):
    """Examples of the R package scrutiny, `pigs1` and its manual."""
    mean, n = text.split("/")

    assert bool(grim.whole(printed(mean).interval(), int(n))) is possible


def test_no_sum_of_43_gives_a_mean():
    """Another example of scrutiny."""
    assert not grim.whole(printed("5.27").interval(), 43)


def test_of_28_whole_numbers_few_means_are_possible():
    """From 5.19 to 5.30 only three."""
    means = [f"5.{last}" for last in range(19, 31)]

    assert [m for m in means if grim.whole(printed(m).interval(), 28)] == ["5.21", "5.25", "5.29"]


@pytest.mark.parametrize("mean", ["5.71", "4.61", "5.24"])
def test_more_items_have_a_finer_grain(mean):
    """Of 40 people one answer cannot have these means, three answers can."""
    interval = printed(mean).interval()

    assert not grim.whole(interval, 40)
    assert grim.whole(interval, 40 * 3)


def test_whole_counts_of_a_hand_worked_percentage():
    """33.3 % of 30 is 10 of 30, and nothing else."""
    assert list(grim.whole_counts(printed("33.3"), 30)) == [10]


def test_a_percentage_between_two_counts_has_none():
    """Of 30, 10 are 33.33 % and 11 are 36.67 %."""
    assert not grim.whole_counts(printed("35.0"), 30)


def test_a_tie_may_be_rounded_either_way():
    """1 of 8 is 12.5 %, which some round to 12 and some to 13."""
    counts = [list(grim.whole_counts(printed(text), 8)) for text in ("12", "13")]

    assert counts == [[1], [1]]


def test_counts_end_at_none_and_all():
    """Rounding reaches beyond 0 and 100 %, counts do not."""
    assert [list(grim.whole_counts(printed(text), 10)) for text in ("0", "100")] == [[0], [10]]


def test_a_float_written_out_is_its_count():
    """Sixteen digits of a float are not sixteen digits of the fraction."""
    assert list(grim.whole_counts(printed("84.90566037735849"), 318)) == [270]


@pytest.mark.parametrize(
    ("text", "rounding", "counts"),
    [
        ("66.6", "nearest", []),
        ("66.6", "truncated", [2]),
        ("66.7", "nearest", [2]),
        ("66.7", "ceiling", [2]),
        ("66.7", "truncated", []),
    ],
)
def test_a_share_may_be_truncated(text, rounding, counts):
    """2 of 3 is 66.666... %."""
    assert list(grim.whole_counts(printed(text), 3, rounding)) == counts


def test_a_number_read_off_a_figure_has_an_error_besides():
    """33.2 is no share of 30, but within 0.1 it is 10 of 30."""
    assert not grim.whole_counts(printed("33.2"), 30)
    assert list(grim.whole_counts(printed("33.2"), 30, error=Fraction(1, 10))) == [10]


@pytest.mark.parametrize("rounding", ["nearest", "truncated", "ceiling"])
@pytest.mark.parametrize("text", ["0.0", "16.8", "50.00", "84.905660377358", "99.9", "100"])
def test_whole_numbers_equal_fractions(text, rounding):
    """The fast path and the plain definition are one."""
    number = printed(text)
    found = [list(grim.whole_counts(number, n, rounding)) for n in range(1, 60)]
    low, high = number.interval(rounding)

    assert found == [
        [k for k in range(n + 1) if low <= Fraction(100 * k, n) <= high] for n in range(1, 60)
    ]


def test_a_share_of_five_in_some_number_of_runs():
    """16.8 % is no share of five; it is 21 of 125, the mean of 25 runs."""
    assert not grim.whole_counts(printed("16.8"), 5)
    assert list(grim.whole_counts(printed("16.8"), 125)) == [21]
    assert grim.fewest_runs(printed("16.80"), 5) == 25


def test_a_median_of_runs_is_a_share_or_the_middle_of_two():
    """Of three runs 1 of 5 or 2 of 5; of four also 30 %."""
    assert [grim.trials(5, runs, median=True) for runs in (3, 4)] == [5, 10]
    assert grim.trials(5, 4) == 20


def test_a_mean_over_groups_is_enumerated():
    """Of groups of 2 and 3 the mean is a twelfth; 1/12 and 11/12 cannot be reached."""
    reached = [
        k for k in range(13) if grim.means_over_groups(printed(f"{100 * k / 12:.4f}"), [2, 3], 1)
    ]

    assert reached == [0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12]


def test_a_mean_over_large_groups_may_be_anything():
    """The least common multiple of the benchmark's groups is beyond any print."""
    assert grim.means_over_groups(printed("91.2345"), [318, 271, 386, 295], 1)


@pytest.mark.parametrize(
    ("n", "chances"),
    [
        (271, [1, 0.272, 0.027]),
        (318, [1, 0.319, 0.032]),
        (1270, [1, 1, 0.127]),
        (5, [0.059, 0.006, 0.0006]),
        (3 * 271, [1, 0.813, 0.081]),
        (5 * 271, [1, 1, 0.136]),
    ],
)
def test_chance_that_a_random_print_passes(n, chances):
    """With 0, 1 and 2 decimals."""
    found = [grim.chance_of_shares([(n, decimals)]) for decimals in range(3)]

    assert found == pytest.approx(chances, rel=0.02)


@pytest.mark.parametrize("n", [3, 8, 16, 25, 40, 271, 998])
@pytest.mark.parametrize("decimals", [0, 1])
def test_both_prints_of_a_tie_are_possible(n, decimals):
    """The closed form equals counting every print."""
    units = 100 * 10**decimals
    prints = [printed(f"{m / 10**decimals:.{decimals}f}") for m in range(units + 1)]

    assert grim.possible_prints(n, decimals) == sum(bool(grim.whole_counts(p, n)) for p in prints)


@pytest.mark.parametrize(("most", "chance"), [(1, 0.0272), (5, 0.271), (10, 0.722)])
def test_chance_counts_all_numbers_of_runs_that_were_tried(most, chance):
    """With two decimals and 271 portraits; a fit of some number of ten means little."""
    assert grim.chance_up_to([(printed("50.00"), 271)], most) == pytest.approx(chance, abs=5e-4)


def test_chance_of_any_equals_enumeration():
    """Two cells of 3 and 4 portraits, in one run or in two."""

    def possible(m, n):
        return bool(grim.whole_counts(printed(str(m)), n))

    pairs = [(a, b) for a in range(101) for b in range(101)]
    hits = sum(any(possible(a, 3 * r) and possible(b, 4 * r) for r in (1, 2)) for a, b in pairs)

    found = grim.chance_of_any([[(3, 0), (4, 0)], [(6, 0), (8, 0)]])
    assert found == pytest.approx(hits / len(pairs))


def test_grim_finds_the_three_runs_of_table_3():
    """Counts of 3 x 1,270 portraits give all recalls; 1 or 5 runs do not."""
    found = grim.grim([(printed(text), 1270) for text in TABLE_3])

    fitting = [sum(one.fitting) for one in found]
    assert fitting == [0, 0, 5, 1, 4, 5, 4, 5, 5, 5]


def test_grim_says_how_little_many_runs_mean():
    """8 x 1,270 portraits give every percentage with two decimals."""
    found = grim.grim([(printed(text), 1270) for text in TABLE_3])

    assert [found[2].chance, found[7].chance] == [pytest.approx((3811 / 10001) ** 5), 1]
