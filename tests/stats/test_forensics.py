"""Printed digits against hand arithmetic."""

from decimal import Decimal

import numpy as np
import pytest

from repro.stats import forensics
from repro.stats.disparity import ALL, DEFINITIONS, Definition
from repro.stats.forensics import Computed, GroupValues, Printed

POPULATION = Definition(mean="groups", ddof=0, runs="first")
SAMPLE = Definition(mean="groups", ddof=1, runs="first")
EACH_RUN = Definition(mean="groups", ddof=0, runs="last")


def printed(text):
    """A number as somebody printed it."""
    return Printed(Decimal(text))


def values(recall, *, sizes=None, error=0.0):
    """Recalls of shape (R, K) that may all be off by the same."""
    recall = np.array(recall, dtype=np.float64)
    known = None if sizes is None else np.array(sizes)
    return GroupValues(recall, np.full_like(recall, error), known)


@pytest.mark.parametrize(
    ("text", "decimals", "half"),
    [("46.20", 2, 0.005), ("46.2", 1, 0.05), ("46", 0, 0.5), ("4.6E+1", 0, 0.5)],
)
def test_trailing_zeros_are_digits(text, decimals, half):
    """46.20 is known ten times better than 46.2."""
    assert (printed(text).decimals, printed(text).half) == (decimals, pytest.approx(half))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("22.43", "fits"),
        ("22.42", "last digit"),
        ("22.44", "last digit"),
        ("22.41", "differs"),
        ("22.4", "fits"),
        ("22.5", "last digit"),
        ("22", "fits"),
    ],
)
def test_match_is_rounding_or_one_unit_of_the_last_digit(text, word):
    """Judged by the digits that are printed."""
    assert forensics.match(printed(text), Computed(22.4291)) == word


def test_match_allows_for_the_computed_numbers_error():
    """What may be off by 0.2 agrees within 0.2 and half a digit."""
    matches = [forensics.match(printed(text), Computed(18.05, 0.2)) for text in ("18.25", "18.26")]

    assert matches == ["fits", "differs"]


def test_mean_pools_by_size_or_averages_groups():
    """0.5 of 30 and 0.9 of 10: 60 % of all, 70 % on average."""
    two = values([[0.5, 0.9]], sizes=[30, 10])
    means = [two.mean(DEFINITIONS[name]) for name in ("dehaan2020", "amini2019")]

    assert [mean.value for mean in means] == pytest.approx([60, 70])


def test_pooling_takes_sizes():
    """Without them there is no pooled mean."""
    assert values([[0.5, 0.9]]).mean(DEFINITIONS["dehaan2020"]) is None


def test_variance_of_hand_worked_groups():
    """0.8, 0.9, 0.9 and 1.0: 50 percent squared, and 4/3 of it as a sample."""
    four = values([[0.8, 0.9, 0.9, 1.0]])

    found = [four.variance(definition).value for definition in (POPULATION, SAMPLE)]
    assert found == pytest.approx([50, 200 / 3])


def test_error_of_the_variance_is_a_hand_worked_bound():
    """0.8 and 1.0 off by 0.01: (2 x 0.2 x 0.01 + 2 x 0.0001) / 2 = 0.0021."""
    two = values([[0.8, 1.0]], error=0.01)

    assert two.variance(POPULATION).error == pytest.approx(21)


@pytest.mark.parametrize("definition", [POPULATION, SAMPLE, EACH_RUN], ids=str)
def test_error_of_the_variance_bounds_every_change(definition):
    """No recalls within their errors have a variance further off."""
    generator = np.random.default_rng(0)
    recall, error = generator.uniform(0.7, 1, (3, 4)), generator.uniform(0, 0.02, (3, 4))
    exact = GroupValues(recall, error, None).variance(definition)
    moved = recall + error * generator.choice([-1, 1], (500, 3, 4))

    off = [abs(values(m).variance(definition).value - exact.value) for m in moved]
    assert max(off) <= exact.error


def test_the_bound_is_reached_by_a_spread_that_widens():
    """The lower group down and the upper one up is the worst case of two."""
    exact = values([[0.8, 1.0]], error=0.01).variance(POPULATION)

    worst = values([[0.79, 1.01]]).variance(POPULATION).value - exact.value
    assert worst == pytest.approx(exact.error)


def test_best_runs_are_chosen_by_pooled_recall():
    """The large group decides, in the order of the runs."""
    runs = values([[0.5, 1.0], [0.9, 0.0], [0.8, 0.2]], sizes=[90, 10])

    assert runs.best(2).recall.tolist() == [[0.9, 0.0], [0.8, 0.2]]


def test_best_keeps_all_where_there_are_no_more():
    """Two of two are both."""
    runs = values([[0.5], [0.9]])

    assert runs.best(2) is runs


def test_best_refuses_to_pool_without_sizes():
    """A wrong order would be worse than none."""
    with pytest.raises(ValueError, match="takes the groups' sizes"):
        values([[0.5], [0.9]]).best(1)


def test_readings_come_with_the_best_first():
    """60 and 70 %: only one of them was printed."""
    two = values([[0.5, 0.9]], sizes=[30, 10])
    found = forensics.mean_fits([printed("70.0")], [two])

    assert [(r.definition.mean, r.fitting) for r in found] == [("groups", 1), ("pooled", 0)]


def test_unknown_sizes_leave_one_reading_of_the_mean():
    """Pooling is not tried."""
    found = forensics.mean_fits([printed("70.0")], [values([[0.5, 0.9]])])

    assert [reading.definition.mean for reading in found] == ["groups"]


def test_variance_is_read_four_ways():
    """Two divisors, runs averaged before or after."""
    runs = values([[0.8, 1.0], [1.0, 0.8]])
    found = forensics.variance_fits([printed("100.00")], [runs])

    kinds = [(r.definition.ddof, r.definition.runs, r.fitting) for r in found]
    assert kinds == [(0, "last", 1), (0, "first", 0), (1, "first", 0), (1, "last", 0)]


def test_a_single_run_has_no_order_of_averaging():
    """Only the divisor is a question."""
    found = forensics.variance_fits([printed("100.00")], [values([[0.8, 1.0]])])

    assert [r.definition.ddof for r in found] == [0, 1]


def test_readings_together_cover_all_definitions():
    """Two means and four variances make the eight."""
    runs = values([[0.8, 1.0], [1.0, 0.8]], sizes=[1, 1])
    means = {r.definition.mean for r in forensics.mean_fits([printed("90")], [runs])}
    spreads = forensics.variance_fits([printed("100")], [runs])
    kinds = {(r.definition.ddof, r.definition.runs) for r in spreads}

    covered = {
        Definition(mean=mean, ddof=ddof, runs=order) for mean in means for ddof, order in kinds
    }
    assert covered == set(ALL)


def test_shorter_cells_are_those_that_lost_a_digit():
    """46.2 among numbers with two decimals."""
    column = [printed(text) for text in ("46.2", "36.39", "32.30")]

    assert forensics.shorter_cells(column) == [0]
