"""Metrics of plug-ins: values, what is refused, and claims that ask of them."""

import numpy as np
import pytest

from repro.analysis import claims, own_metrics
from repro.analysis.arm_scores import ArmScores
from repro.analysis.outcomes import Arm, Outcomes
from repro.plugins.declared import Origin, Plugin
from repro.plugins.plugin_errors import PluginError
from repro.study.claims import Claim, Declared

ORIGIN = Origin("mine.py", "0" * 32, root="mine.py", shown="mine.py")


def gap(scores, groups, labels, threshold):
    """Best recall minus the worst, a fraction."""
    found = scores[labels] >= threshold
    recalls = [found[groups[labels] == one].mean() for one in np.unique(groups[labels])]
    return float(max(recalls) - min(recalls))


def metric(make=gap, unit="points", name="mine"):
    """The metric of a file."""
    return Plugin(kind="metric", name=name, make=make, unit=unit, better="lower", origin=ORIGIN)


def arm(name, portraits):
    """An arm of runs with two portraits of each of two groups, and three other photographs."""
    portraits = np.array(portraits, dtype=float)
    runs = len(portraits)
    nonfaces = np.tile([-1.0, 0.5, -2.0], (runs, 1))
    recall = np.stack([(portraits[:, :2] >= 0).mean(1), (portraits[:, 2:] >= 0).mean(1)], axis=1)
    return Arm(
        name=name,
        alpha=None,
        wanted=runs,
        seeds=tuple(range(runs)),
        groups=("a", "b"),
        sizes=np.array([2, 2]),
        recall=recall,
        selector=recall.mean(1),
        scores=ArmScores(portraits=portraits, group=np.array([0, 0, 1, 1]), nonfaces=nonfaces),
    )


EVEN = arm("even", [[1, 1, 1, -1], [1, 1, -1, -1], [1, 1, 1, -1]])  # gaps .5, 1, .5
OTHER = arm("other", [[1, 1, 1, 1], [1, 1, 1, -1], [1, -1, 1, -1]])  # gaps 0, .5, 0


def test_a_value_is_the_mean_over_the_runs():
    """In points, with Student's interval."""
    found = own_metrics.of_arm(EVEN, metric())

    np.testing.assert_allclose(found.runs, [50, 100, 50])
    assert found.mean == pytest.approx(200 / 3)
    assert found.interval.low == pytest.approx(200 / 3 - 4.302653 * found.sd / 3**0.5)


def test_a_unit_of_its_own_is_not_scaled():
    """Only points and percent are shares."""
    assert own_metrics.of_arm(EVEN, metric(unit="nats")).mean == pytest.approx(2 / 3)


def test_it_is_told_groups_labels_and_the_threshold():
    """Photographs without a face have no group, and come last; arrays cannot be written."""
    seen = []

    def note(*given):
        seen.append(given)
        return 0.0

    own_metrics.values(EVEN, metric(note), 0.3)
    scores, groups, labels, threshold = seen[0]

    assert scores.tolist() == [1, 1, 1, -1, -1, 0.5, -2]
    assert (groups.tolist(), labels.tolist()) == (
        ["a", "a", "b", "b", "", "", ""],
        [True] * 4 + [False] * 3,
    )
    assert threshold == 0.5
    assert not any(one.flags.writeable for one in (scores, groups, labels))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (np.array([0.5]), r"it returned ndarray of shape \(1,\), float64: return a float"),
        (True, "it returned bool: return a float"),
        ("0.5", "it returned str: return a float"),
        (None, "it returned NoneType"),
        (float("nan"), "it returned nan: return a finite number"),
        (np.float32("inf"), "it returned inf: return a finite number"),
    ],
)
def test_what_is_no_finite_number_is_refused(value, said):
    """With the metric's name."""
    with pytest.raises(PluginError, match=f"metric mine: {said}"):
        own_metrics.of_arm(EVEN, metric(lambda *_: value))


def outcomes(found):
    """A study that asks whether the metric falls."""
    claim = Claim.model_validate(
        {
            "name": "it falls",
            "quantity": "mine",
            "contrast": {"arm": "other", "less": "even"},
            "expect": "lower",
            "smallest_effect": {"absolute": 10.0},
            "primary": True,
        }
    )
    return Outcomes(
        name="toy",
        caption="",
        arms=(EVEN, OTHER),
        reference="even",
        keep=1,
        by="recall",
        split="test",
        paired=True,
        rates=(),
        metrics=("recall",),
        test="t",
        synthetic=True,
        claims=(Declared(claim, ("even", "other")),),
        own_metrics={"mine": found},
    )


def test_a_claim_is_answered_by_the_metrics_of_its_pairs():
    """Differences of -50 points in all three tell nothing of other seeds."""
    (found,) = claims.findings(outcomes(metric()))

    assert (found.effect, found.first, found.last) == pytest.approx((-50, 200 / 3, 50 / 3))
    assert found.unit == "points"
    assert "all pairs differ by the same" in found.reason


def test_a_claim_without_its_plugin_says_so():
    """And has no value."""
    (found,) = claims.findings(outcomes(None))

    assert "the plug-in of the metric mine is not here" in found.reason
    assert np.isnan(found.effect)
