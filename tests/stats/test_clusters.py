"""The variance over clusters of portraits: hand-worked numbers, limits, laws, a Monte Carlo."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.stats import clusters, components, group_test, noise, quantities
from repro.stats.disparity import DEFINITIONS, Definition
from repro.stats.intervals import t_quantile

LAW = settings(deadline=None, derandomize=True, max_examples=30)
POOLED = DEFINITIONS["dehaan2020"]
FIRST = Definition(mean="groups", ddof=1, runs="first")
LAST = Definition(mean="groups", ddof=0, runs="last")
ONE = np.ones(1)
NAMES = ("recall", "variance", "gap", "worst")


def spread(values, cluster, group=None, detected=ONE):
    """Of portraits with these contributions."""
    group = np.zeros(len(values), dtype=np.int64) if group is None else np.asarray(group)
    return clusters.spread(np.asarray(values, float), group, np.asarray(detected), cluster)


def drawn(seed, *, groups=3, people=12, each=4, runs=4):
    """Detections of people's portraits, groups and clusters; a person is of one group."""
    generator = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(groups * people), each)
    group = np.repeat(np.arange(groups), people * each)
    hard = generator.normal(size=groups * people)[cluster] + generator.normal(size=len(group))
    chance = 1.0 + hard + generator.normal(0, 0.3, (runs, 1)) - 0.3 * group
    return (generator.normal(size=chance.shape) < chance).astype(np.float64), group, cluster


def parts(name, found, group, cluster):
    """Of a quantity of detections."""
    sizes = np.bincount(group)
    recall = np.stack([found[:, group == k].mean(axis=1) for k in range(len(sizes))], axis=1)
    return components.parts(
        recall,
        quantities.quantity(name, sizes, POOLED),
        sizes,
        detected=found,
        group=group,
        cluster=cluster,
    )


def test_two_clusters_are_worked_by_hand():
    """All of four portraits of one person are found, none of the other's.

    Together they count as one (weight 4): with half a cluster found and half missed the mean is
    (4 + 2) / 12; the two deviations of 2 each, squared, and the halves' give 12, over 8 x 12, times
    2 / 1.
    """
    found = spread([1, 1, 1, 1, 0, 0, 0, 0], np.repeat([0, 1], 4))

    assert found.weight.tolist() == [4.0]
    assert found.variance == pytest.approx(2 * (2 * 2.0**2 + 2 * 0.5 * 2.0**2) / (8 * 12))
    assert (float(found.degrees), float(found.fewest)) == (1.0, 2.0)


def test_portraits_of_two_clusters_that_agree_on_average_count_alone():
    """Half of each person's portraits are found: deviations cancel, and the weight is 1."""
    found = spread([1, 1, 0, 0, 1, 1, 0, 0], np.repeat([0, 1], 4))

    assert found.weight.tolist() == [1.0]
    assert found.variance == pytest.approx(2 * (2 * 0.5 * 0.5**2) / (8 * 9))


@LAW
@given(st.integers(0, 1000))
def test_single_portraits_have_the_variance_of_independent_ones(seed):
    """Each portrait its own cluster: times C / (C - 1), here with groups of one size."""
    found, group, _ = drawn(seed)
    for name in NAMES:
        alone = parts(name, found, group, np.arange(len(group)))
        plain = parts(name, found, group, None)
        each = np.bincount(group)[0]
        over = components.portrait_variance(plain.portraits, group, plain.detected)
        assert alone.of_clusters.variance == pytest.approx(over * each / (each - 1), rel=1e-12)


@LAW
@given(st.integers(0, 1000))
def test_names_of_clusters_and_the_order_of_portraits_change_nothing(seed):
    """Relabelled and shuffled: the same variance, degrees, and U-statistic."""
    found, group, cluster = drawn(seed)
    generator = np.random.default_rng(seed)
    order, names = generator.permutation(len(group)), generator.permutation(cluster.max() + 1)
    for name in NAMES:
        one = parts(name, found, group, cluster)
        other = parts(name, found[:, order], group[order], names[cluster][order])
        for ours, theirs in zip(one.photographs, other.photographs, strict=True):
            assert ours == pytest.approx(theirs, rel=1e-9)
    assert noise.unbiased_variance(
        found[:, order], group[order], 3, FIRST, names[cluster][order]
    ) == pytest.approx(noise.unbiased_variance(found, group, 3, FIRST, cluster), abs=1e-12)


@LAW
@given(st.integers(0, 1000), st.integers(2, 4))
def test_copies_of_each_portrait_do_not_narrow_an_interval(seed, times):
    """As many people, the same interval, where portraits of a person are alike at all.

    Where they are less alike than by chance the half portraits count a little less: by 3 % at most.
    """
    found, group, cluster = drawn(seed)
    many = [np.repeat(one, times, axis=-1) for one in (found, group, cluster)]
    for name in NAMES:
        one, other = parts(name, found, group, cluster), parts(name, *many)
        ratio = components.half_widths(other)[0] / components.half_widths(one)[0]
        alike = (one.of_clusters.weight > 1)[one.detected != 0].all()
        assert ratio == pytest.approx(1, abs=1e-9 if alike else 0.03)


def test_what_moves_all_groups_of_a_cluster_leaves_their_difference_alone():
    """Each country has as many portraits of both groups; a country is found wholly or not."""
    cluster = np.repeat(np.arange(20), 4)
    group = np.tile([0, 0, 1, 1], 20)
    values = (cluster % 4 > 0).astype(np.float64)
    together = spread(values / 2, cluster, group, [0.5, 0.5])
    apart = spread(np.where(group == 0, 1, -1) * values, cluster, group, [1.0, -1.0])

    assert apart.variance < together.variance / 3


def test_degrees_of_freedom_are_those_of_equal_clusters():
    """Twelve people in one group: 11; in three groups of equal variance 3 x 11."""
    values = np.tile([1, 1, 0, 1.0], 12)
    one = spread(values, np.repeat(np.arange(12), 4))
    three = spread(
        np.tile(values, 3), np.repeat(np.arange(36), 4), np.repeat([0, 1, 2], 48), np.ones(3)
    )

    assert (float(one.degrees), float(three.degrees)) == (pytest.approx(11), pytest.approx(33))


def test_a_cluster_that_dominates_leaves_few_degrees_of_freedom():
    """One person has 100 of 119 portraits."""
    cluster = np.concatenate([np.zeros(100, dtype=np.int64), np.arange(1, 20)])
    found = spread(np.arange(119) % 3 > 0, cluster)

    assert float(found.degrees) == 1.0
    assert float(found.fewest) == 20


@pytest.mark.parametrize(("people", "has"), [(9, False), (10, True)])
def test_below_ten_clusters_a_group_there_is_no_interval(people, has):
    """Of no quantity, and no test; from ten on there are both."""
    found, group, cluster = drawn(1, people=people)
    test = group_test.groups_differ(found, group, 3, cluster=cluster, draws=99)

    assert np.isfinite(test.p) == has
    for name in NAMES:
        ends = components.interval(parts(name, found, group, cluster))
        assert np.isfinite(ends.low) == has


def test_a_small_group_that_hardly_counts_does_not_refuse_the_overall_recall():
    """Three people of a group of 6 portraits beside 400: the recall of all has an interval."""
    found, group, cluster = drawn(2, groups=1, people=100)
    more, _, people = drawn(3, groups=1, people=3, each=2)
    found, group = np.concatenate([found, more], axis=1), np.repeat([0, 1], [400, 6])
    made = parts("recall", found, group, np.concatenate([cluster, people + 100]))

    assert made.fewest_clusters == 100
    assert np.isfinite(components.interval(made).low)


def test_the_interval_takes_its_degrees_from_the_clusters():
    """Runs that agree: Student's quantile with as many degrees, as for a mean of people."""
    found, group, cluster = drawn(4, groups=1, people=15, runs=1)
    made = parts("recall", np.repeat(found, 3, axis=0), group, cluster)
    half = t_quantile(14) * np.sqrt(made.of_clusters.variance)

    assert components.half_widths(made)[0] == pytest.approx(half, rel=1e-6)


@pytest.mark.parametrize("definition", [FIRST, LAST], ids=["first", "last"])
def test_the_variance_without_noise_is_that_of_all_pairs_of_other_clusters(definition):
    """Listed: each product of two runs and two portraits that are not of one cluster."""
    found, group, _ = drawn(5, groups=3, people=3, each=3, runs=3)
    cluster = np.random.default_rng(5).integers(0, 12, len(group))  # some are in several groups
    runs, k = len(found), 3
    pairs = [
        (a, b) for a in range(runs) for b in range(runs) if (a != b) == (definition.runs == "first")
    ]
    means = np.zeros((k, k))
    for g in range(k):
        for h in range(k):
            products = [
                np.mean([found[a, i] * found[b, j] for a, b in pairs])
                for i in np.flatnonzero(group == g)
                for j in np.flatnonzero(group == h)
                if cluster[i] != cluster[j]
            ]
            means[g, h] = np.mean(products)
    expected = (np.trace(means) - means.sum() / k) / (k - definition.ddof)

    ours = noise.unbiased_variance(found, group, k, definition, cluster)
    assert ours == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("definition", [FIRST, LAST], ids=["first", "last"])
def test_without_noise_single_portraits_are_independent_ones(definition):
    """The same number by the other way."""
    found, group, _ = drawn(6)
    alone = noise.unbiased_variance(found, group, 3, definition, np.arange(len(group)))

    assert alone == pytest.approx(noise.unbiased_variance(found, group, 3, definition), abs=1e-12)


def test_a_single_cluster_of_a_group_has_no_variance_without_noise():
    """There is no pair of different ones."""
    found, group, _ = drawn(7, groups=2)

    assert np.isnan(noise.unbiased_variance(found, group, 2, FIRST, group))


def test_people_who_are_found_or_missed_as_a_whole_do_not_make_groups_differ():
    """Of 200 studies with equal groups the test of clusters finds few, the other one many."""
    generator = np.random.default_rng(0)
    cluster, group = np.repeat(np.arange(40), 5), np.repeat([0, 1], 100)
    found = [np.tile((generator.random(40) < 0.8)[cluster], (3, 1)) * 1.0 for _ in range(200)]
    rejected = [
        np.mean(
            [
                group_test.groups_differ(one, group, 2, cluster=own, draws=99).p <= 0.05
                for one in found
            ]
        )
        for own in (cluster, None)
    ]

    assert rejected[0] <= 0.09
    assert rejected[1] >= 0.25


def test_intervals_of_people_cover_where_those_of_portraits_do_not():
    """300 studies of 20 people with five portraits, all alike: the recall of .8."""
    generator = np.random.default_rng(0)
    cluster = np.repeat(np.arange(20), 5)
    held = np.zeros(2)
    for _ in range(300):
        people = generator.random(20) < 0.8
        found = np.tile(people[cluster], (4, 1)) * 1.0
        for kind, own in enumerate((None, cluster)):
            made = parts("recall", found, np.zeros(100, dtype=np.int64), own)
            held[kind] += 0.8 in components.share_interval(made, 100)

    assert held[0] / 300 < 0.75
    assert held[1] / 300 > 0.93 - 3 * (0.93 * 0.07 / 300) ** 0.5
