"""The arms of a contrast: a pair, or a sweep in the order of a key."""

import math

import pytest
from builders import configuration

from repro.study import contrasts
from repro.study.claims import Contrast

PLAIN = configuration(resampling={"rule": "none"})


def arms(*alphas, plain=True):
    """Arms by name: without resampling, then with these alphas."""
    found = {f"alpha = {one}": configuration(resampling={"alpha": one}) for one in alphas}
    return {"none": PLAIN, **found} if plain else found


def wrong(contrast, found, reference="none"):
    """Keys and sentences."""
    return list(contrasts.problems(Contrast(**contrast), found, reference))


def test_a_pair_begins_with_the_arm_that_is_subtracted():
    """So that the effect is the last minus the first."""
    pair = Contrast(arm="alpha = 0.1", less="none")

    assert contrasts.arms_of(pair, arms(0.1), "none") == ("none", "alpha = 0.1")
    assert wrong({"arm": "alpha = 0.1", "less": "none"}, arms(0.1)) == []


def test_a_trend_falls_from_a_reference_at_the_large_end():
    """Whatever the order in the file."""
    found = contrasts.arms_of(Contrast(trend="alpha"), arms(0.001, 0.1, 0.01), "none")

    assert found == ("none", "alpha = 0.1", "alpha = 0.01", "alpha = 0.001")


def test_a_trend_rises_from_a_reference_at_the_small_end():
    """The reference is the first arm in any case."""
    found = contrasts.arms_of(
        Contrast(trend="resampling.alpha"), arms(0.1, 0.01, 0.001, plain=False), "alpha = 0.001"
    )

    assert found == ("alpha = 0.001", "alpha = 0.01", "alpha = 0.1")


def test_arms_without_the_key_are_left_out_of_a_trend():
    """A sweep of something else beside it does no harm."""
    keyed = {f"n = {n}": configuration(epochs=n) for n in (1, 2, 3)}
    found = contrasts.arms_of(Contrast(trend="epochs"), keyed, "n = 1")

    assert found == ("n = 1", "n = 2", "n = 3")


@pytest.mark.parametrize(
    ("key", "found", "reference", "message"),
    [
        ("alhpa", arms(0.1, 0.01), "none", "no arm has a number at 'alhpa'"),
        ("alpha", arms(0.1), "none", "'alpha' has 2 numbers in the arms: a trend needs 3"),
        ("epochs", arms(0.1, 0.01), "none", "'epochs' has 1 number in the arms: a trend needs 3"),
        (
            "alpha",
            arms(0.1, 0.01) | {"twin": PLAIN},
            "none",
            "two arms have the same 'alpha': compare two arms instead",
        ),
        (
            "alpha",
            arms(0.1, 0.01),
            "alpha = 0.1",
            "the reference must have the smallest or the largest 'alpha'",
        ),
    ],
)
def test_arms_that_no_line_runs_through_are_told(key, found, reference, message):
    """At the key of the trend."""
    assert wrong({"trend": key}, found, reference) == [("trend", message)]


def test_both_arms_of_a_pair_are_checked():
    """Each at its own key."""
    assert [key for key, _ in wrong({"arm": "x", "less": "y"}, arms(0.1))] == ["arm", "less"]


def test_the_value_of_a_key_is_a_number_or_none():
    """Booleans, words and sections have none; without resampling alpha is infinite."""
    small = configuration(resampling={"alpha": 0.1})

    assert (
        contrasts.value_of("alpha", small) == contrasts.value_of("resampling.alpha", small) == 0.1
    )
    assert contrasts.value_of("alpha", PLAIN) == math.inf
    assert contrasts.value_of("batch_size", PLAIN) == 16.0
    assert contrasts.value_of("resampling.rule", PLAIN) is None
    assert contrasts.value_of("resampling", PLAIN) is None
    assert contrasts.value_of("resampling.alpha.more", PLAIN) is None
