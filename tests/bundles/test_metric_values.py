"""Values of plug-ins' metrics, stored by what the function was given."""

from dataclasses import replace

import numpy as np
import pytest
from builders import study_index

from repro.analysis import own_metrics
from repro.analysis.arm_scores import ArmScores
from repro.analysis.outcomes import Arm
from repro.bundles import metric_values
from repro.plugins.declared import Origin, Plugin
from repro.plugins.plugin_errors import PluginError

ORIGIN = Origin("/home/somebody/mine.py", "0" * 32, root="mine.py", shown="mine.py")
PORTRAITS = np.array([[1.0, -1.0], [1.0, -1.0], [2.0, 3.0]])  # the first two runs are equal
NONFACES = np.array([[0.5, -2.0]] * 3)
ARM = Arm(
    name="arm",
    alpha=None,
    wanted=3,
    seeds=(4, 5, 6),
    groups=("a", "b"),
    sizes=np.array([1, 1]),
    recall=np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 1.0]]),
    selector=np.array([0.5, 0.5, 1.0]),
    scores=ArmScores(portraits=PORTRAITS, group=np.array([0, 1]), nonfaces=NONFACES),
)


def mean(scores, groups, labels, threshold):
    """Of the faces' scores above the threshold."""
    return float((scores[labels] - threshold).mean())


def plugin(make=mean):
    """The metric of a file."""
    return Plugin(
        kind="metric", name="mine", make=make, unit="nats", better="higher", origin=ORIGIN
    )


class _Outcomes:
    """What is asked of the results of a study."""

    arms = (ARM,)
    own_metrics = {"mine": plugin(), "gone": None}  # noqa: RUF012


def stored(tmp_path, **changes):
    """The metric as a bundle has it."""
    index = study_index({"arm": ["a-seed4"]}, **changes)
    path = tmp_path / metric_values.FILE
    path.write_bytes(metric_values.to_json(metric_values.of_outcomes(_Outcomes(), index)))
    return metric_values.read(path).find("metric", "mine")


def test_a_stored_metric_gives_the_functions_values(tmp_path):
    """Of each run, equal runs included; words and unit are as declared, no path is shown."""
    found = stored(tmp_path)

    assert own_metrics.values(ARM, found).tolist() == [0.0, 0.0, 2.5]
    assert (found.unit, found.better, found.origin.where) == ("nats", "higher", "mine.py")


def test_a_claims_rate_is_stored_too(tmp_path):
    """The threshold of that rate is what the function was given."""
    claim = {
        "name": "x",
        "quantity": "mine",
        "arms": ["arm", "arm"],
        "read_at": {"false_positive_rate": 0.5},
    }
    index = replace(study_index({"arm": ["a-seed4"]}), claims=[claim])
    (found,) = metric_values.of_outcomes(_Outcomes(), index)

    assert [one.threshold for one in found.values] == ["logit 0"] * 3 + [0.5] * 3
    assert [one.seed for one in found.values] == [4, 5, 6] * 2


def test_other_scores_have_no_value(tmp_path):
    """One bit of one score is enough."""
    other = np.nextafter(PORTRAITS, 9)
    arm = replace(ARM, scores=replace(ARM.scores, portraits=other))

    with pytest.raises(PluginError, match="no value for these scores"):
        own_metrics.values(arm, stored(tmp_path))


def test_a_metric_that_fails_is_told_as_its_own(tmp_path):
    """While the bundle is written."""
    outcomes = _Outcomes()
    outcomes.own_metrics = {"mine": plugin(make=lambda *_: 1 / 0)}

    with pytest.raises(PluginError, match="ZeroDivisionError"):
        metric_values.of_outcomes(outcomes, study_index({"arm": ["a-seed4"]}))
