"""GRIMMER and DEBIT against published examples and enumeration."""

import itertools
from fractions import Fraction
from statistics import mean, variance

import pytest
from published_tables import printed

from repro.stats.grimmer import grimmer, least_squares, most_squares, squared

PIGS_5 = [
    *("7.22 5.30 38 mean", "4.74 6.55 31 possible", "5.23 2.55 35 parity", "2.57 2.57 30 possible"),
    *("6.77 2.18 33 mean", "2.68 2.59 34 possible", "7.01 6.68 35 mean", "7.38 3.65 32 possible"),
    *("3.14 5.32 33 mean", "6.89 4.18 37 possible", "5.00 2.18 31 possible"),
    "0.24 6.43 34 possible",
]
OTHERS = ["7.3 2.51 12 parity", "5.23 2.55 31 possible", "1.03 0.41 40 spread"]
PIGS_3 = [
    *(".53 .50", ".44 .50", ".77 .42", ".34 .47", ".93 .25", ".12 .33"),
]


def judged(text, **more):
    """The verdict on "mean sd n"."""
    centre, sd, n = text.split()[:3]
    return grimmer(printed(centre).interval(), squared(printed(sd)), int(n), **more)


@pytest.mark.parametrize("text", [*PIGS_5, *OTHERS])
def test_published_examples(text):
    """`pigs5` of the R package scrutiny, and hand-worked ones."""
    assert judged(text) == text.split()[3]


def test_two_items_have_a_finer_grain():
    """63 people, two items each."""
    assert judged("2.74 0.96 63", grain=2) == "possible"


@pytest.mark.parametrize("text", ["0.03 0.18 200", "8.9 2.81 25"])
def test_every_sum_that_rounds_to_the_mean_is_tried(text):
    """Packages that try one sum accuse these: seven ones in 200, and 25 numbers that sum to 223."""
    assert judged(text) == "possible"


def test_one_mean_and_deviation_that_no_sum_gives():
    """2.6 and 2.05 of 25 numbers."""
    assert judged("2.6 2.05 25") != "possible"


@pytest.mark.parametrize("text", PIGS_3)
def test_debit(text):
    """Of zeros and ones the mean fixes the deviation: `pigs3`."""
    assert judged(f"{text} 1683", scale=(0, 1)) == "possible"


@pytest.mark.parametrize("text", [".19 .35 1683", ".35 .18 20", ".36 .11 20"])
def test_debit_finds_a_deviation_that_its_mean_excludes(text):
    """.19 of 1,683 has .39."""
    assert judged(text, scale=(0, 1)) != "possible"


def test_debit_is_a_closed_form():
    """The variance is k (n - k) / (n (n - 1)) for a k that rounds to the mean."""
    n, texts = 20, [f".{last:02d}" for last in range(1, 100)]
    for centre, sd in itertools.product(texts[::7], texts[:60:3]):
        low, high = squared(printed(sd))
        exact = any(
            low <= Fraction(k * (n - k), n * (n - 1)) <= high
            for k in range(n + 1)
            if abs(Fraction(k, n) - Fraction(centre)) <= Fraction(1, 200)
        )

        assert (judged(f"{centre} {sd} {n}", scale=(0, 1)) == "possible") is exact


@pytest.mark.parametrize("count", [2, 3, 4, 5])
@pytest.mark.parametrize("ddof", [0, 1])
def test_shares_of_runs_equal_enumeration(count, ddof):
    """All sets of runs over six portraits, against every deviation that can be printed."""
    sets = list(itertools.combinations_with_replacement(range(7), count))
    real = set()
    for counts in sets:
        centre = Fraction(100 * sum(counts), 6 * count)
        spread = sum((Fraction(100 * k, 6) - centre) ** 2 for k in counts) / (count - ddof)
        real.add((f"{float(centre):.2f}", f"{float(spread) ** 0.5:.1f}"))
    means = sorted({centre for centre, _ in real})[::3]
    for centre, tenths in itertools.product(means, range(0, 620, 3)):
        sd = f"{tenths / 10:.1f}"
        verdict = grimmer(
            printed(centre).interval(),
            squared(printed(sd)),
            count,
            grain=Fraction(6, 100),
            ddof=ddof,
            scale=(0, 6),
        )

        assert (verdict == "possible") is ((centre, sd) in real)


def test_a_standard_error_is_a_deviation_divided_by_the_root():
    """200, 201 and 205 of 300: sd .88, standard error .51."""
    counts = [Fraction(100 * k, 300) for k in (200, 201, 205)]
    centre = printed(f"{float(mean(counts)):.2f}").interval()
    error = f"{float(variance(counts) / 3) ** 0.5:.2f}"
    low, high = squared(printed(error))
    grain = {"grain": Fraction(300, 100), "scale": (0, 300)}

    assert error == "0.51"
    assert grimmer(centre, (3 * low, 3 * high), 3, **grain) == "possible"
    assert grimmer(centre, (low, high), 3, **grain) != "possible"


def test_squares_have_ends():
    """Four numbers from 1 to 5 that sum to 11: 3, 3, 3, 2 and 5, 4, 1, 1."""
    assert least_squares(11, 4) == 31
    assert most_squares(11, 4, (1, 5)) == 43
