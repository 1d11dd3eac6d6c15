"""Whether the first arm of a table is told from the others."""

import math
from dataclasses import replace

import numpy as np
from published_tables import table
from scipy import stats

from repro.analysis.audit.checks import order
from repro.analysis.audit.reading.arm_keys import Key


def one(rows, **description):
    """The one finding of a table."""
    (found,) = order.findings(table(rows, **description))
    return found


def overall(*texts):
    """Arms a, b, c with these overall values."""
    return [(name, {}, {"overall": text}) for name, text in zip("abc", texts, strict=False)]


def test_an_arm_far_behind_is_told_from_the_first():
    """Another, near it, is not."""
    found = one(overall("85.0 ± 0.4", "84.6 ± 0.4", "80.0 ± 0.4"), replicates=5, spread="sem")

    assert (found.check, found.result, found.settle) == ("Order", "more than chance", "")
    assert found.text == (
        "By overall share a (85.0) is highest of 3 arms (Welch's t, p times the 3 pairs); above by "
        "more than chance: c 80.0 (p < 0.001); not told from it: b 84.6 (p = 1)."
    )


def test_arms_within_their_spread_are_in_no_order():
    """More runs would settle it."""
    found = one(overall("84.1 ± 0.4", "84.5 ± 0.4"), replicates=3, spread="sem")

    assert (found.result, found.settle) == ("cannot tell", "more runs of each arm")


def test_means_without_a_spread_are_in_no_order():
    """Nor those of one run each."""
    found = one(overall("84.1", "90.5"))

    assert found.result == "cannot tell"
    assert found.settle.startswith("single runs of each arm")
    assert found.text.startswith("By overall share b (90.5) is highest of 2 arms.")


def test_single_runs_are_compared_by_welch():
    """SciPy's p of two arms."""
    values = {"a": (84.1, 85.0, 83.2), "b": (80.0, 82.0, 81.0)}
    rows = [
        ((arm, str(run)), {}, {"overall": str(value)})
        for arm, runs in values.items()
        for run, value in enumerate(runs)
    ]
    expected = stats.ttest_ind(*values.values(), equal_var=False).pvalue

    assert f"b 81.00 (p = {expected:.2g})" in one(rows).text


def test_of_errors_the_smallest_is_best():
    """And they are called errors."""
    found = one(overall("6.3 ± 0.1", "12.1 ± 0.1"), replicates=5, spread="sem", measure="error")

    assert found.text.startswith("By overall error a (6.3) is lowest of 2 arms")


def test_arms_of_one_trend_are_judged_by_it():
    """Not by their best."""
    made = table(overall("84.1", "85.1", "90.5"))
    keys = [Key("none", math.inf), Key("max", 0.1), Key("max", 0.01)]
    rows = tuple(replace(row, arm=key) for row, key in zip(made.rows, keys, strict=True))

    assert not list(order.findings(replace(made, rows=rows)))


def test_equal_arms_are_seldom_told_apart():
    """At most 5 % of honest tables of five arms of five runs."""
    generator = np.random.default_rng(0)
    told = 0
    for _ in range(100):
        rows = [
            ((f"m{arm}", str(run)), {}, {"overall": f"{generator.normal(90, 1):.2f}"})
            for arm in range(5)
            for run in range(5)
        ]
        told += one(rows).result == "more than chance"

    assert told <= 5
