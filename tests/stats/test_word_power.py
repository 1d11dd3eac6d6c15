import numpy as np
import pytest
from scipy import special
from scipy import stats as scipy_stats

from repro.stats import components, conclusions, power, word_power
from repro.stats.conclusions import WORDS
from repro.stats.intervals import t_interval

# Simulated elsewhere, 100,000 studies each; the smallest effect is one standard deviation.
SIMULATED = {
    (3, 0.0): (0.019, 0.006, 0.173, 0.802),
    (3, 0.5): (0.069, 0.009, 0.071, 0.851),
    (3, 1.0): (0.172, 0.007, 0.019, 0.803),
    (3, 1.5): (0.314, 0.002, 0.003, 0.681),
    (5, 0.0): (0.020, 0.004, 0.398, 0.578),
    (5, 0.5): (0.132, 0.008, 0.131, 0.729),
    (5, 1.0): (0.395, 0.004, 0.020, 0.581),
    (5, 1.5): (0.710, 0.001, 0.001, 0.288),
    (10, 0.0): (0.019, 0.006, 0.798, 0.178),
    (10, 0.5): (0.272, 0.019, 0.272, 0.437),
    (10, 1.0): (0.799, 0.006, 0.019, 0.176),
    (10, 1.5): (0.987, 0.000, 0.000, 0.013),
    (20, 0.0): (0.007, 0.019, 0.970, 0.005),
    (20, 0.5): (0.382, 0.183, 0.383, 0.053),
    (20, 1.0): (0.971, 0.018, 0.006, 0.005),
}


@pytest.mark.parametrize(("pairs", "effect"), SIMULATED)
def test_chances_of_the_words_are_those_of_studies_simulated_elsewhere(pairs, effect):
    """Within four standard errors and the rounding of three decimals."""
    expected = np.array(SIMULATED[pairs, effect])
    error = 4 * np.sqrt(expected * (1 - expected) / 100_000) + 0.0006

    assert (np.abs(word_power.words(pairs, effect, 1.0, 1.0) - expected) <= error).all()


@pytest.mark.parametrize("pairs", [2, 3, 5, 10, 20, 40])
@pytest.mark.parametrize("level", [0.95, 0.99])
def test_a_word_is_wrong_in_half_of_what_the_level_leaves(pairs, level):
    """Both words of an effect where there is none, both words without one where it is smallest."""
    none = word_power.words(pairs, 0.0, 0.7, 1.0, level=level)
    smallest = word_power.words(pairs, 0.7, 0.7, 1.0, level=level)

    assert none.holds + none.too_small == pytest.approx((1 - level) / 2, rel=1e-6)
    assert smallest.too_small + smallest.does_not_hold == pytest.approx((1 - level) / 2, rel=1e-6)


@pytest.mark.parametrize("effect", [-1.0, 0.0, 0.5, 3.0])
def test_chances_add_up_to_one(effect):
    """None is negative."""
    found = word_power.words(5, effect, 1.0, 1.0, photographs=0.1)

    assert sum(found) == pytest.approx(1, abs=1e-12)
    assert min(found) >= 0
    assert [found.of(word) for word in WORDS] == list(found)


def test_an_effect_is_found_with_the_power_of_the_t_test():
    """By either of two words; the other side's small share does not count here."""
    found = word_power.words(5, 2.0, 1.0, 1.0)

    assert found.holds + found.too_small == pytest.approx(power.of_t(2 * np.sqrt(5), 4), abs=1e-4)


def test_the_unit_does_not_matter():
    """Effect, smallest effect and standard deviation in points or in fractions."""
    points = word_power.words(5, 1.5, 2.0, 3.0, photographs=0.4)
    fractions = word_power.words(5, 0.015, 0.02, 0.03, photographs=0.4e-4)

    assert points == pytest.approx(fractions, rel=1e-9)


def simulated(pairs, effect, photographs, word_of, studies=2_000):
    """Shares of the four words over studies whose intervals are those of the tables."""
    rng = np.random.default_rng(3)
    counts = dict.fromkeys(WORDS, 0)
    for values in rng.normal(effect, 1.0, (studies, pairs)):
        deviation = values.std(ddof=1)
        half = components.half_width(deviation**2, pairs, pairs - 1, photographs)
        mean = values.mean() + rng.normal(0, np.sqrt(photographs))
        counts[word_of(conclusions.Interval(mean - half, mean + half), 1.0)] += 1
    return np.array([counts[word] for word in WORDS])


@pytest.mark.parametrize(
    ("chances", "word_of"),
    [
        (word_power.words, conclusions.of_interval),
        (word_power.kept, conclusions.equivalent),
    ],
)
@pytest.mark.parametrize(("effect", "photographs"), [(0.0, 0.05), (0.6, 0.0), (1.2, 0.1)])
def test_chances_are_those_of_simulated_studies(chances, word_of, effect, photographs):
    """With the words' own functions, with and without a variance from photographs."""
    counts = simulated(8, effect, photographs, word_of)

    for count, expected in zip(
        counts, chances(8, effect, 1.0, 1.0, photographs=photographs), strict=True
    ):
        assert scipy_stats.binom.cdf(count, counts.sum(), expected + 1e-9) > 1e-4
        assert scipy_stats.binom.sf(count - 1, counts.sum(), expected + 1e-9) > 1e-4


@pytest.mark.parametrize(("smallest", "pairs"), [(0.5, 34), (1.0, 11), (2.0, 5), (50.0, 2)])
def test_pairs_needed_are_the_fewest_with_the_power(smallest, pairs):
    """34, 11 and 5 for half a standard deviation, one, and two."""
    needed = word_power.pairs_needed(1.0, smallest)

    assert needed == pairs
    assert word_power.words(needed, smallest, smallest, 1.0).holds >= 0.8
    assert word_power.words(needed, 0.0, smallest, 1.0).does_not_hold >= 0.8
    if pairs > 2:
        assert word_power.words(needed - 1, smallest, smallest, 1.0).holds < 0.8


def test_a_kept_quantity_needs_more_pairs_than_a_change():
    """Two smallest effects are to be excluded."""
    needed = word_power.pairs_needed_to_keep(1.0, 1.0)

    assert needed == 13
    assert word_power.kept(needed, 0.0, 1.0, 1.0).holds >= 0.8
    assert word_power.kept(needed - 1, 0.0, 1.0, 1.0).holds < 0.8


def test_no_number_of_pairs_makes_up_for_too_few_photographs():
    """Their variance alone leaves a power of 29 % at the smallest effect."""
    alone = special.ndtr(1 / np.sqrt(0.5) - special.ndtri(0.975))

    assert alone == pytest.approx(0.29, abs=0.005)
    assert word_power.pairs_needed(1.0, 1.0, photographs=0.5) is None
    assert word_power.pairs_needed(1.0, 1.0, photographs=0.05) == 15


def test_more_photographs_decide_what_pairs_do_not():
    """6.6 times as many with twenty pairs; none with five, as many as there are with no need."""
    times = word_power.photographs_needed(20, 1.0, 1.0, 0.5)

    assert times == pytest.approx(6.64, abs=0.01)
    assert word_power.words(20, 1.0, 1.0, 1.0, photographs=0.5 / times).holds == pytest.approx(
        0.8, abs=1e-3
    )
    assert word_power.photographs_needed(5, 1.0, 1.0, 0.5) is None
    assert word_power.photographs_needed(20, 1.0, 1.0, 0.001) == 1


@pytest.mark.parametrize("power_", [0.0, 1.0, float("nan")])
def test_a_power_is_a_probability(power_):
    """And less than 1, which no number of pairs gives."""
    with pytest.raises(ValueError, match="probability"):
        word_power.pairs_needed(1.0, 1.0, power=power_)


@pytest.mark.parametrize(
    ("pairs", "smallest", "sd"), [(1, 1.0, 1.0), (5, 0.0, 1.0), (5, 1.0, 0.0), (5, 1.0, np.nan)]
)
def test_chances_need_two_pairs_a_smallest_effect_and_a_spread(pairs, smallest, sd):
    """Without them nothing is computed."""
    with pytest.raises(ValueError, match=r"pairs|sd"):
        word_power.words(pairs, 0.0, smallest, sd)


def test_the_interval_of_the_chances_is_students():
    """Without a variance from photographs."""
    values = np.random.default_rng(1).normal(size=6)
    half = components.half_width(float(values.var(ddof=1)), 6, 5, 0.0)

    assert t_interval(values).high - values.mean() == pytest.approx(half, rel=1e-12)
