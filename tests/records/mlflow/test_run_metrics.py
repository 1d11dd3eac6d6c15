"""What MLflow holds of a run beyond its record: inequality between groups, at equal rates."""

from dataclasses import replace

import mirrors
import numpy as np
import pytest
from builders import study_index

from repro.metrics import Count, group_counts
from repro.records import records, scores
from repro.records.mlflow import run_content, run_metrics
from repro.records.scores import Scores

COUNTS = {"a": Count(4, 4), "b": Count(2, 1)}
METRICS = mirrors.RECORD.metrics | {"recall": 5 / 6}
RECORD = replace(mirrors.RECORD, groups=COUNTS, metrics=METRICS)


def of_set(groups, logits):
    """Photographs with one window each."""
    logit = np.array(logits, dtype=np.float64)
    names = tuple(f"{place}.png" for place in range(len(logits)))
    ones = np.ones(len(logits), dtype=np.int64)
    return Scores(names, tuple(groups), logit, ones, (logit >= 0).astype(np.int64))


def written(results, *, nonfaces=10, groups=("a",) * 4 + ("b",) * 2):
    """The record with its scores: ten photographs without a face have the logits -2.5 to 6.5."""
    sets = {"portraits": of_set(groups, np.array([9, 9, 9, 3, 9, 0]) - 2.5)}
    if nonfaces:
        sets["nonfaces"] = of_set([""] * nonfaces, np.arange(nonfaces) - 2.5)
    counts = group_counts(groups, sets["portraits"].detected)
    others = Count(nonfaces, nonfaces - 3) if nonfaces else None
    record = replace(RECORD, groups=counts, nonfaces=others)
    records.write_record(record, results, {records.SCORES: scores.to_csv(sets)})
    return records.read_record(RECORD.key, results)


def test_inequality_between_groups_at_logit_0(tmp_path):
    """Recalls of 1 and 0.5: their mean 0.75, squared deviations of 1/16."""
    assert run_metrics.of_record(RECORD, [], tmp_path) == {
        "variance": 0.0625,
        "gap": 0.5,
        "worst_group": 0.5,
    }


def test_a_rate_sets_the_threshold(tmp_path):
    """Of ten logits 0 to 9 the largest is the threshold for 10 %: 3 of 4 and 1 of 2 reach it."""
    found = run_metrics.of_record(written(tmp_path), [0.1], tmp_path)

    assert {name: value for name, value in found.items() if name.endswith("_at_fpr_10")} == {
        "recall_at_fpr_10": pytest.approx(4 / 6),
        "variance_at_fpr_10": 0.125**2,
        "gap_at_fpr_10": 0.25,
        "worst_group_at_fpr_10": 0.5,
    }


@pytest.mark.parametrize(("photographs", "named"), [(8, False), (9, True), (0, False)])
def test_a_rate_needs_enough_photographs(tmp_path, photographs, named):
    """10 % takes nine photographs without a face."""
    found = run_metrics.of_record(written(tmp_path, nonfaces=photographs), [0.1], tmp_path)

    assert ("recall_at_fpr_10" in found) == named


def test_a_rate_is_named_in_percent(tmp_path):
    """20 % and 12.5 %."""
    found = run_metrics.of_record(written(tmp_path), [0.2, 0.125], tmp_path)

    assert {"gap_at_fpr_20", "gap_at_fpr_12.5"} <= found.keys()


@pytest.mark.parametrize("harm", ["missing", "damaged"])
def test_a_run_without_its_scores_keeps_what_its_record_gives(tmp_path, harm):
    """Tables report the file; the mirror goes on."""
    record = written(tmp_path)
    path = tmp_path / "runs" / record.key / records.SCORES
    if harm == "missing":
        path.unlink()
    else:
        path.write_bytes(b"set,photograph\n")

    assert set(run_metrics.of_record(record, [0.1], tmp_path)) == {"variance", "gap", "worst_group"}


def test_a_single_group_has_a_recall_and_no_variance(tmp_path):
    """Nothing that is undefined is logged."""
    found = run_metrics.of_record(replace(RECORD, groups={"a": Count(4, 3)}), [], tmp_path)

    assert found == {"worst_group": 0.75}


def test_a_failed_run_has_none(tmp_path):
    """It scored nothing."""
    assert run_metrics.of_record(mirrors.FAILED, [0.1], tmp_path) == {}


def test_rates_are_those_of_the_study_and_of_its_claims():
    """Each once, ascending; a claim may be read elsewhere, or at logit 0."""
    claims = [{"read_at": {"false_positive_rate": 0.02}}, {"read_at": {"logit": 0.0}}, {}]
    index = study_index({"x": ["k"]}, false_positive_rates=[0.1, 0.02], claims=claims)

    assert run_metrics.rates(index) == [0.02, 0.1]


def test_a_group_of_a_metrics_name_does_not_hide_the_metric(tmp_path):
    """A group called `at_fpr_10` would be logged as test/recall_at_fpr_10, too."""
    record = written(tmp_path, groups=("at_fpr_10",) * 4 + ("b",) * 2)
    points = run_content.content(mirrors.INDEX, "alpha 0.1", record, tmp_path).points

    assert [value for name, value, _ in points if name == "test/recall_at_fpr_10"] == [
        pytest.approx(4 / 6)
    ]
