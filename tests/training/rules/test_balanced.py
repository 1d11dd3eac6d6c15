import numpy as np
import pytest

from repro import resampling
from repro.resampling import DegenerateWeights
from repro.training.rules import balanced


def groups(**sizes):
    return np.repeat(list(sizes), list(sizes.values()))


def test_groups_of_four_and_two():
    """The worked example: an effective sample size of 16/3."""
    found = balanced.inverse_frequency(groups(a=4, b=2))

    assert found.tolist() == [0.125] * 4 + [0.25] * 2
    assert resampling.effective_sample_size(found) == pytest.approx(16 / 3)


def test_groups_of_three_two_and_one():
    """The worked example: G^2 / sum(1/n) = 54/11."""
    found = balanced.inverse_frequency(groups(a=3, b=2, c=1))

    assert found.tolist() == pytest.approx([1 / 9] * 3 + [1 / 6] * 2 + [1 / 3])
    assert resampling.effective_sample_size(found) == pytest.approx(54 / 11)


def test_the_skew_of_the_embedded_faces():
    """13 % darker faces: factors .5747 and 3.8462, and 45.24 % effective."""
    names = groups(**{"m lighter": 435, "f lighter": 435, "m darker": 65, "f darker": 65})
    found = balanced.inverse_frequency(names)

    assert len(found) * found[0] == pytest.approx(0.5747, abs=5e-5)
    assert len(found) * found[-1] == pytest.approx(3.8462, abs=5e-5)
    assert resampling.effective_sample_size(found) / 1000 == pytest.approx(0.4524, abs=5e-5)


def test_each_group_has_the_same_mass():
    """To 1e-12, in any order of the faces."""
    names = np.random.default_rng(0).choice(list("abcde"), 997, p=[0.6, 0.2, 0.1, 0.07, 0.03])
    found = balanced.inverse_frequency(names)

    assert [found[names == one].sum() for one in "abcde"] == pytest.approx([0.2] * 5, abs=1e-12)


def test_subsampling_keeps_as_many_of_each_group_as_the_smallest_has():
    """26 % of the embedded faces' skew: 4 times 6.5 %."""
    names = groups(a=435, b=435, c=65, d=65)
    kept = balanced.subsampled(names, np.random.default_rng(0))

    assert [kept[names == one].sum() for one in "abcd"] == [65] * 4


def test_subsampling_leaves_out_other_faces_with_another_stream():
    """Which are kept is by chance alone."""
    names = groups(a=50, b=5)
    one, again, other = (
        balanced.subsampled(names, np.random.default_rng(seed)) for seed in (0, 0, 1)
    )

    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("rule", ["inverse_frequency", "subsampled"])
def test_a_group_without_a_face_is_named(rule):
    """Instead of an infinite weight, or of balance among the groups that are left."""
    more = {"subsampled": [np.random.default_rng(0)]}.get(rule, [])
    with pytest.raises(DegenerateWeights, match="'darker'"):
        getattr(balanced, rule)(groups(lighter=3), *more, names=("darker", "lighter"))
