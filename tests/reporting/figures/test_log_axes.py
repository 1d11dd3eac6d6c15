"""Logarithmic axes that outliers do not rule."""

import numpy as np
import pytest

from repro.reporting.figures import log_axes, style


def drawn(values, *, always=1.0):
    """An axis with these values, and what is said of it."""
    _, (axes,) = style.canvas(1, 1, height=2)
    axes.plot(values)
    return axes, log_axes.vertical(axes, np.array(values, dtype=float), always=always)


def test_values_of_one_size_are_not_cut():
    """1 to 100, evenly over the decades: nothing lies far out."""
    axes, told = drawn(np.geomspace(1, 100, 50))

    assert told == ""
    assert not list(axes.texts)
    assert axes.get_ylim()[1] >= 100


def test_outliers_are_cut_and_counted_with_the_largest():
    """Quartiles of 1 and 10: the fence is 10 times 10 to the third power."""
    axes, told = drawn([1] * 50 + [10] * 48 + [2e5, 1e9])

    assert told == "The axis is cut at 10,000: 2 of 100 values lie above, up to 1e9. "
    assert [text.get_text() for text in axes.texts] == ["▲ 2 of 100 above,\nup to 1e9"]
    assert max(axes.get_yticks()) <= 10_000


def test_what_must_be_seen_is_seen():
    """A median at 50,000 lies on the axis."""
    _, told = drawn([1] * 50 + [10] * 48 + [2e5, 1e9], always=5e4)

    assert told.startswith("The axis is cut at 50,000: ")


def test_an_axis_that_a_cut_shortens_little_is_left_whole():
    """An outlier of five times the fence."""
    assert drawn([1] * 50 + [10] * 49 + [5e4])[1] == ""


def test_equal_values_have_an_axis():
    """No quartiles apart, and one value far away."""
    assert drawn([3] * 99 + [1e6])[1].startswith("The axis is cut at 5.99: 1 of 100 values")


@pytest.mark.parametrize(
    ("value", "text"),
    [(1e-8, "1e-8"), (0.05, "0.05"), (1, "1"), (31623, "31,600"), (3.21e8, "3.21e8")],
)
def test_numbers_have_three_digits_and_no_raised_exponent(value, text):
    """Thousands have commas, millions a plain exponent."""
    assert log_axes.told(value) == text


def test_an_axis_of_many_decades_has_few_numbers():
    """From 1e-8 to 1e12, with an outlier far above."""
    axes, _ = drawn(
        [*np.geomspace(1e-8, 1e-7, 50), *np.geomspace(1e-7, 1e-6, 50), 1e30], always=1e12
    )

    assert 3 <= len(axes.get_yticks()) <= log_axes.TICKS
