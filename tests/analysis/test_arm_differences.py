"""Arms against the reference: the planned family, ties of counts, the trend."""

import exact
import numpy as np
import pytest
from arms import counted, lost, outcomes

from repro.analysis import arm_differences
from repro.stats.disparity import DEFINITIONS

DEFINITION = DEFINITIONS["dehaan2020"]
SHIPPED = {  # detected of 150 in each of four groups, five runs: the shipped study of the README
    np.inf: "150 149 148 148, 150 145 149 147, 144 146 150 150, 133 130 150 150, 146 141 149 150",
    0.1: "145 142 150 147, 144 141 149 145, 147 148 149 150, 149 145 150 149, 147 144 149 150",
    0.05: "150 148 149 148, 145 140 149 150, 137 136 149 150, 146 140 149 149, 147 140 150 150",
    0.01: "124 125 150 148, 149 149 149 150, 149 147 149 150, 146 146 148 149, 147 146 149 148",
    0.001: "148 144 149 149, 149 146 146 145, 146 148 149 150, 125 124 149 150, 149 149 150 147",
}
REFERENCE = [[10, 38], [11, 38], [12, 38], [13, 38], [14, 38]]
BETTER = [[30, 38], [32, 38], [34, 38], [36, 38], [38, 38]]


@pytest.fixture(scope="module")
def shipped():
    """The study with these counts."""
    arms = [
        counted(f"{alpha:g}", [row.split() for row in counts.split(",")], size=150, alpha=alpha)
        for alpha, counts in SHIPPED.items()
    ]
    return outcomes(*arms)


@pytest.mark.parametrize(
    ("quantity", "printed", "p"), [("variance", "-0.07", 0.695), ("recall", "+0.04", 0.82)]
)
def test_the_trend_of_the_shipped_counts_is_that_of_fractions(shipped, quantity, printed, p):
    """Of 250 pairs of runs from different arms, ties as none; p as computed elsewhere."""
    rows = [list(map(int, row.split())) for arm in SHIPPED.values() for row in arm.split(",")]
    values = getattr(exact, quantity)(rows, [150] * 4)
    found = arm_differences.trend(shipped, shipped.arms, quantity, DEFINITION)

    assert found.rise == pytest.approx(
        exact.rise(values, [i // 5 for i in range(25)]) / 250, abs=1e-12
    )
    assert f"{found.rise:+.2f}" == printed
    assert found.test.p == pytest.approx(p, abs=0.01)


def test_equal_variances_of_the_shipped_counts_are_ties(shipped):
    """The first runs of 0.05 and of the reference vary alike, so four pairs are left to move."""
    found = arm_differences.family(shipped, DEFINITION)
    (one,) = [c for c in found.made if (c.arm.name, c.quantity) == ("0.05", "variance")]

    assert one.tests["sign_flip"].attainable == 2 / 2**4


def test_the_family_is_every_arm_in_every_declared_quantity():
    """In the order of the arms, without the reference."""
    found = outcomes(*(counted(name, REFERENCE) for name in "abc"), metrics=("variance",))

    planned = arm_differences.family(found, DEFINITION).planned
    assert [(arm.name, quantity) for arm, quantity in planned] == [
        ("b", "variance"),
        ("c", "variance"),
    ]


def test_one_group_has_no_variance_to_plan_for():
    """Recall alone is compared, and is the whole family."""
    arms = [
        counted(name, np.array(counts)[:, :1]) for name, counts in (("a", BETTER), ("b", BETTER))
    ]

    family = arm_differences.family(outcomes(*arms), DEFINITION)
    assert [one.quantity for one in family.made] == ["recall"]
    assert family.size == 1


@pytest.mark.parametrize(
    "third",
    [
        counted("third", REFERENCE),
        lost("third", failed=5),
        lost("third", collapsed=5),
        lost("third"),
        counted("third", REFERENCE, seeds=(5, 6, 7, 8, 9)),
        counted("third", REFERENCE[:1]),
    ],
    ids=["with results", "failed", "collapsed", "not run", "other seeds", "a single run"],
)
def test_a_planned_arm_counts_in_holms_family_whatever_happens_to_it(third):
    """The other arm's p is multiplied by 4, of two arms in two quantities, in every case."""
    found = outcomes(counted("reference", REFERENCE), counted("better", BETTER), third)
    family = arm_differences.family(found, DEFINITION)
    (one,) = [c for c in family.made if (c.arm.name, c.quantity) == ("better", "recall")]
    (other,) = [c for c in family.made if (c.arm.name, c.quantity) == ("better", "variance")]

    smaller = min(one, other, key=lambda c: c.tests["t"].p)
    assert family.size == 4
    assert smaller.adjusted == pytest.approx(4 * smaller.tests["t"].p)


def test_without_a_reference_nothing_is_made_of_what_was_planned():
    """All its runs failed."""
    family = arm_differences.family(
        outcomes(lost("reference", failed=5), counted("better", BETTER)), DEFINITION
    )

    assert family.made == []
    assert family.size == len(family.missing) == 2


def test_arms_at_one_place_are_not_ordered():
    """What lies between them adds nothing to a trend."""
    arms = [counted(name, rows) for name, rows in (("a", REFERENCE), ("b", BETTER))]
    found = outcomes(*arms, counted("c", REFERENCE))
    apart, level = (
        arm_differences.trend(found, found.arms, "recall", DEFINITION, places=places).rise
        for places in ([0, 1, 2], [0, 1, 1])
    )

    assert apart == 0  # a below b, b above c, a as c
    assert level == 0.5  # a below b, a as c


def test_arms_in_rising_order_rise_by_one():
    """No resampling is the largest alpha; the first group gains as alpha falls."""
    arms = [counted(str(low), [[low + i, 38] for i in range(5)]) for low in (10, 15, 20)]

    assert arm_differences.trend(outcomes(*arms), arms, "recall", DEFINITION).rise == 1
