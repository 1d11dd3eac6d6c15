import numpy as np
import pytest

from repro.training.objectives import dfr
from repro.training.objectives.dfr import Scaler
from repro.training.objectives.l1_logistic import Linear

FEATURES = np.array([(1.0, 10), (3, 14), (5, 18), (7, 22)])
FITS = (Linear(np.array([0.8, 0.0]), 0.1), Linear(np.array([0.6, -0.2]), 0.3))


def seeded(seed=0):
    return np.random.default_rng(seed)


def test_folding_back_gives_the_logit_of_the_standardised_features():
    """Two fits averaged, worked by hand."""
    scaler = Scaler.of(FEATURES)
    assert scaler.mean == pytest.approx([4, 16])
    assert scaler.sd == pytest.approx([2.236068, 4.472136], abs=5e-7)
    mean = dfr.mean_of(FITS)
    assert (*mean.weights, mean.intercept) == pytest.approx((0.7, -0.1, 0.2))
    folded = scaler.folded(mean)
    assert folded.weights == pytest.approx([0.313050, -0.022361], abs=5e-7)
    assert folded.intercept == pytest.approx(-0.694427, abs=5e-7)
    point = np.array([[4.0, 20.0]])
    logits = [folded.logits(point)[0], mean.logits(scaler.scaled(point))[0]]
    assert logits == pytest.approx([0.110557, 0.110557], abs=5e-7)


def test_averaging_fits_averages_logits_and_not_probabilities():
    """The two differ in the sixth decimal here."""
    point = Scaler.of(FEATURES).scaled(np.array([[4.0, 20.0]]))

    def sigmoid(logit):
        return float(1 / (1 + np.exp(-logit[0])))

    assert sigmoid(dfr.mean_of(FITS).logits(point)) == pytest.approx(0.527611, abs=5e-7)
    each = [sigmoid(one.logits(point)) for one in FITS]
    assert np.mean(each) == pytest.approx(0.527610, abs=5e-7)


def test_a_constant_feature_is_not_divided_by_its_deviation_of_0():
    """A rectified unit that never fires."""
    scaler = Scaler.of(np.array([[0.0, 1], [0, 3]]))
    assert scaler.scaled(np.array([[0.0, 2]])).tolist() == [[0, 0]]


@pytest.mark.parametrize(
    ("nonfaces", "of_each", "others"),
    [(20, 3, 9), (9, 3, 9), (7, 2, 6)],  # fewer non-faces than faces leave fewer faces
)
def test_a_balanced_subset_has_as_many_of_each_group_and_of_nonfaces(nonfaces, of_each, others):
    """Groups of 3, 5 and 10 faces, none of them twice."""
    groups = np.repeat([0, 1, 2, -1], [3, 5, 10, nonfaces])
    chosen = dfr.balanced(groups, seeded())
    assert len(set(chosen.tolist())) == len(chosen)
    counts = np.unique(groups[chosen], return_counts=True)[1]
    assert counts.tolist() == [others, of_each, of_each, of_each]


def test_balanced_subsets_differ():
    """Else the mean of twenty fits were one fit."""
    groups = np.repeat([0, 1, -1], [4, 40, 40])
    random = seeded()
    first, second = dfr.balanced(groups, random), dfr.balanced(groups, random)
    assert set(first.tolist()) != set(second.tolist())


def test_halves_share_no_image_and_have_half_of_each_group():
    """What is scored was not fitted."""
    groups = np.repeat([0, 1, -1], [4, 5, 10])
    first, second = dfr.halves(groups, seeded())
    assert sorted([*first, *second]) == list(range(19))
    assert np.unique(groups[first], return_counts=True)[1].tolist() == [5, 2, 3]


def test_the_worst_group_is_the_one_with_the_lowest_recall():
    """Not the smallest one; non-faces count as a group."""
    groups = np.array([0, 0, 0, 0, 1, -1, -1])
    logits = np.array([1.0, 1, -1, -1, 1, -1, -1])
    assert dfr.recalls(logits, groups).tolist() == [1, 0.5, 1]
    assert dfr.recalls(np.ones(7), groups).tolist() == [0, 1, 1]


def test_the_penalty_is_the_one_whose_worst_group_is_best():
    """A penalty so strong that nothing is left fails one class whole."""
    random = seeded(3)
    groups = np.repeat([0, 1, -1], [20, 20, 40])
    features = random.normal(size=(80, 5))
    features[:, 0] += np.where(groups == -1, -2, 2)
    c, recall = dfr.chosen_strength(features, groups, [1.0, 0.0001], seeded())
    assert c == 1.0
    assert recall > 0.8


def test_of_equally_good_penalties_the_strongest_is_chosen():
    """With few images ties are common: here all groups are classified without an error."""
    groups = np.repeat([0, 1, -1], [20, 20, 40])
    features = np.where(groups == -1, -5.0, 5.0)[:, None]
    assert dfr.chosen_strength(features, groups, [1.0, 0.7, 0.3], seeded()) == (0.3, 1.0)
