import re
from pathlib import Path

import numpy as np
import pytest
from scipy import stats as scipy_stats

from repro.stats import stopping
from repro.stats.intervals import NOWHERE, t_interval

EIGHT = (5, 10, 15, 20, 25, 30, 35, 40)
NAN = float("nan")
DOCUMENT = Path(__file__).parents[2] / "docs" / "statistics.md"


@pytest.mark.parametrize(
    ("looks", "significance", "bounds"),
    [
        ((5, 10), 0.025, (3.4954, 2.6850)),
        ((5, 10, 15), 0.018, (3.8696, 2.8860, 2.6785)),
        ((5, 10, 15, 20), 0.015, (4.0880, 2.9982, 2.7714, 2.6742)),
        (EIGHT, 0.010, (4.6041, 3.2498, 2.9768, 2.8609, 2.7969, 2.7564, 2.7284, 2.7079)),
        (
            (3, 6, 9, 12, 15, 18, 20),
            0.010,
            (9.9248, 4.0321, 3.3554, 3.1058, 2.9768, 2.8982, 2.8609),
        ),
    ],
)
def test_bounds_of_shipped_plans_are_those_computed_elsewhere(looks, significance, bounds):
    """One level at every look."""
    assert stopping.significance(looks) == pytest.approx(significance, abs=1e-12)
    assert stopping.boundary(looks) == pytest.approx(bounds, abs=5e-5)


def spelt_out(told):
    """The looks of a row of the document, whose dots stand for equal steps."""
    before, _, after = told.partition(", ..., ")
    first, last = ([int(one) for one in part.split(", ") if one] for part in (before, after))
    step = first[1] - first[0]
    return (*first, *range(first[-1] + step, last[0] if last else 0, step), *last)


def test_bounds_in_the_document_are_those_of_the_code():
    """Every row of its table of plans, to two decimals."""
    rows = re.findall(r"^\| (\d[\d., ]+) \| (\.\d+) \| ([\d. ]+) \|$", DOCUMENT.read_text(), re.M)

    assert len(rows) == 7
    for looks, significance, bounds in rows:
        plan = spelt_out(looks)
        assert stopping.significance(plan) == float(significance)
        assert " ".join(f"{one:.2f}" for one in stopping.boundary(plan)) == bounds


def test_bounds_of_unplanned_looks_are_those_computed_elsewhere():
    """Of the mixture whose standardised effect has variance 1."""
    expected = (8.4532, 3.8698, 3.5376, 3.4248, 3.3732, 3.3466, 3.3322, 3.3246)

    assert [stopping.anytime_boundary(one) for one in EIGHT] == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize("pairs", [2, 5])
def test_the_martingale_of_unplanned_looks_has_mean_one_without_an_effect(pairs):
    """So it reaches 20 in at most one study of twenty, over all looks together."""
    g, nu = 1 + pairs, pairs - 1

    def martingale(t):
        return g**-0.5 * ((1 + t**2 / nu) / (1 + t**2 / (nu * g))) ** (pairs / 2)

    mean = scipy_stats.t(nu).expect(martingale, lb=-np.inf, ub=np.inf)
    assert mean == pytest.approx(1, abs=1e-6)
    if pairs == 5:
        assert martingale(stopping.anytime_boundary(pairs)) == pytest.approx(20)


@pytest.mark.parametrize(("pairs", "finite"), [(2, False), (4, False), (5, True), (6, True)])
def test_four_unplanned_pairs_tell_nothing(pairs, finite):
    """The first look that can is at five."""
    assert np.isfinite(stopping.anytime_boundary(pairs)) == finite


def test_looks_come_after_every_block():
    """The last block may be smaller."""
    assert stopping.blocks(5, 40) == EIGHT
    assert stopping.blocks(5, 12) == (5, 10, 12)
    assert stopping.blocks(5, 5) == (5,)


@pytest.mark.parametrize(("block", "most"), [(1, 5), (5, 4), (0, 5)])
def test_a_block_has_two_pairs_and_there_is_one(block, most):
    """A single pair has no interval."""
    with pytest.raises(ValueError, match="at least"):
        stopping.blocks(block, most)


def test_one_look_is_the_usual_interval():
    """At 95 %."""
    assert stopping.significance((7,)) == 0.05
    assert not stopping.is_simulated((7,))


@pytest.mark.parametrize("looks", [(5, 12), (4, 7, 11), (5, 11, 17, 23, 29)])
def test_a_plan_of_ones_own_shares_five_percent_among_its_looks(looks):
    """By Bonferroni, which needs no simulation."""
    assert stopping.significance(looks) == 0.05 / len(looks)
    assert not stopping.is_simulated(looks)


@pytest.mark.parametrize(
    ("looks", "expected"), [((5, 15, 25, 30, 35, 40), 0.01), ((5, 40), 0.025), (EIGHT[:7], 0.01)]
)
def test_a_plan_with_some_looks_of_a_shipped_one_may_use_its_level(looks, expected):
    """Fewer looks stop no more often; Bonferroni's level is taken where it is larger."""
    assert stopping.significance(looks) == expected


@pytest.mark.parametrize("looks", [(), (1, 5), (5, 5), (10, 5)])
def test_looks_increase_from_two_on(looks):
    """Otherwise they are no plan."""
    with pytest.raises(ValueError, match="increasing"):
        stopping.significance(looks)


def test_more_looks_leave_no_more_to_each():
    """And no plan is looked at with more than the level of a single look."""
    for row in stopping.BLOCKS.values():
        assert list(row) == sorted(row, reverse=True)
    assert all(value < 0.05 for value in stopping.PLANS.values())
    assert all(stopping.is_simulated(looks) for looks in stopping.PLANS)


def test_the_interval_of_a_look_is_students_at_the_plans_level():
    """Of the pairs that were started by then."""
    values = np.random.default_rng(2).normal(size=12)
    first, second = stopping.at_looks(values, EIGHT)

    assert first == t_interval(values[:5], level=0.99)
    assert second == t_interval(values[:10], level=0.99)


def test_a_failed_pair_counts_to_the_look_that_it_was_started_for():
    """The look is not moved to the next pair."""
    values = np.array([1.0, 2, NAN, 4, 5, 6, NAN, 8, 9, 10])
    first, second = stopping.at_looks(values, (5, 10))

    assert first == t_interval([1, 2, 4, 5], level=0.975)
    assert second == t_interval([1, 2, 4, 5, 6, 8, 9, 10], level=0.975)


@pytest.mark.parametrize("values", [[NAN] * 5, [1, NAN, NAN, NAN, NAN], [2.0] * 5])
def test_a_look_with_fewer_than_two_results_has_no_interval(values):
    """Nor one whose pairs all differ by the same."""
    assert stopping.at_looks(np.array(values), (5, 10)) == [pytest.approx(NOWHERE, nan_ok=True)]


def test_an_unplanned_look_has_a_wider_interval():
    """About the same mean."""
    values = np.random.default_rng(2).normal(size=20)
    found, usual = stopping.anytime_interval(values), stopping.at_looks(values, (20,))[0]

    assert found.low < usual.low < usual.high < found.high
    assert sum(found) == pytest.approx(sum(usual))
    assert (found.high - found.low) / (usual.high - usual.low) == pytest.approx(
        3.4248 / 2.0930, abs=1e-4
    )


def test_unplanned_looks_at_few_pairs_have_no_end():
    """And at equal pairs no interval."""
    assert stopping.anytime_interval(np.array([1.0, 2, 3])) == (-np.inf, np.inf)
    assert stopping.anytime_interval(np.ones(6)) is NOWHERE


@pytest.mark.parametrize("block", stopping.BLOCKS)
def test_shipped_plans_stop_no_more_than_one_study_in_twenty_without_an_effect(block):
    """Of 4,000 studies that are looked at after every pair block, for each number of looks."""
    looks = tuple(block * (i + 1) for i in range(len(stopping.BLOCKS[block]) + 1))
    values = np.random.default_rng(block).normal(size=(4_000, looks[-1]))
    t = np.stack([scipy_stats.ttest_1samp(values[:, :n], 0, axis=1).statistic for n in looks])
    for count in range(2, len(looks) + 1):
        bounds = np.array(stopping.boundary(looks[:count]))
        stopped = (np.abs(t[:count]) > bounds[:, None]).any(axis=0).sum()
        assert scipy_stats.binom.sf(stopped - 1, 4_000, 0.05) > 1e-4
