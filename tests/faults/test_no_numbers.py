"""What is not a number is an outcome of its run: noted, never ranked, never in a table."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from builders import a_task, configuration, execute, study_index
from click.testing import CliRunner

from repro.analysis import study_data
from repro.cli import main
from repro.losses import formulas
from repro.metrics import Count
from repro.records import records
from repro.training import evaluation

DATA = {
    "train": {"source": "synthetic", "faces": 30, "nonfaces": 30},
    "test": {"source": "synthetic", "per_group": 2, "size": 64},
    "nonfaces": {"source": "synthetic", "photographs": 4, "size": 64},
}
STEPS = 6  # of two epochs of three batches
OBJECTIVE, CLASSIFICATION = formulas.objective, formulas.classification
METRICS, SCORE = evaluation.validation_metrics, evaluation.score


def run(results, **changes):
    """One real run; its record."""
    task = a_task(results, configuration=configuration(data=DATA, **changes))
    execute(task)
    return records.read_record(task.key, results)


def at_step(step, value):
    """An objective that is `value` in one step."""
    steps = iter(range(1, STEPS + 1))

    def objective(**terms):
        loss = OBJECTIVE(**terms)
        return loss * value if next(steps) == step else loss

    return objective


def with_gradient_of_no_number(logit, is_face):
    """The right value, and a slope that is 0 times infinity."""
    return CLASSIFICATION(logit, is_face) + 0 * torch.sqrt(0 * logit)


def with_metric(name, value):
    """Validation metrics of which one is `value`."""

    def metrics(*arguments):
        found, kl_per_latent = METRICS(*arguments)
        return found | {name: value}, kl_per_latent

    return metrics


def with_logit(value):
    """Scores of which one top logit is `value`."""

    def score(*arguments):
        scores = SCORE(*arguments)
        return dataclasses.replace(scores, top_logit=np.array([value, *scores.top_logit[1:]]))

    return score


FAULTS = {
    "NaN loss in the first step": (formulas, "objective", at_step(1, float("nan"))),
    "NaN loss in the middle": (formulas, "objective", at_step(4, float("nan"))),
    "NaN loss in the last step": (formulas, "objective", at_step(STEPS, float("nan"))),
    "infinite loss in the first step": (formulas, "objective", at_step(1, float("inf"))),
    "NaN gradient": (formulas, "classification", with_gradient_of_no_number),
    "NaN metric": (evaluation, "validation_metrics", with_metric("val_kl", float("nan"))),
    "infinite metric": (evaluation, "validation_metrics", with_metric("val_kl", float("inf"))),
    "NaN logit": (evaluation, "score", with_logit(float("nan"))),
    "infinite logit": (evaluation, "score", with_logit(float("inf"))),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_run_without_numbers_has_failed_with_epoch_term_and_reason(
    tmp_path, fault, monkeypatch, tally
):
    """Its record is whole and holds no NaN and no infinity; nothing unfinished is left."""
    monkeypatch.setattr(*FAULTS[fault])
    record = run(tmp_path)
    tally.faults += 1
    text = (records.folder_of(record.key, tmp_path) / "record.json").read_text()

    assert set(record.failure) == {"epoch", "term", "reason"}
    assert record.failure["epoch"] in (1, 2)
    assert json.loads(text, parse_constant=pytest.fail)["groups"] == {}
    assert list((tmp_path / "unfinished").iterdir()) == []


def test_failed_runs_stay_in_the_denominator_and_are_never_ranked(tmp_path, tally):
    """Two of five: three have numbers, and the best are chosen among them."""
    fine = a_task(tmp_path)
    keys = [f"k-seed{seed}" for seed in range(5)]
    for seed, key in enumerate(keys):
        failure = {"epoch": 1, "term": "loss", "reason": "it is nan"} if seed < 2 else None
        numbers = {} if failure else numbers_of(seed)
        task = dataclasses.replace(fine, key=key, seed=seed)
        records.write_record(task.record(failure=failure, **numbers), tmp_path, {})
        tally.faults += bool(failure)
    index = study_index({"x": keys}, select={"keep": 3, "by": "recall", "split": "test"})
    records.write_index(index, tmp_path)
    (arm,) = study_data.of_study(index, records.read_study(index, tmp_path), None).arms

    assert (arm.wanted, arm.runs, arm.seeds) == (5, 3, (2, 3, 4))
    assert len(arm.failed) == 2
    assert sorted(arm.kept(3)) == [0, 1, 2]
    assert ",3,5," in table(tmp_path)


def test_a_constant_answer_is_no_detector(tmp_path, monkeypatch, tally):
    """Face is said of everything: the run has collapsed, and its recall of 100 % is not ranked."""

    def always(*arguments):
        scores = SCORE(*arguments)
        ones = np.ones_like(scores.top_logit)
        return dataclasses.replace(scores, top_logit=ones, positive=scores.windows)

    monkeypatch.setattr(evaluation, "score", always)
    record = run(tmp_path)
    tally.faults += 1
    index = study_index({"x": [record.key]})
    (arm,) = study_data.of_study(index, records.read_study(index, tmp_path), None).arms

    assert record.finished
    assert (arm.runs, arm.collapsed, arm.kept(1)) == (0, (0,), [])


def test_a_posterior_that_collapsed_is_told_and_ranked(tmp_path, tally):
    """A detector may do without latents: it has numbers, and the table counts it."""
    record = a_task(tmp_path).record(**numbers_of(0), kl_per_latent=[0.0] * 100)
    record = dataclasses.replace(record, metrics=record.metrics | {"val_active_units": 0.0})
    records.write_record(record, tmp_path, {})
    tally.faults += 1
    index = study_index({"x": [record.key]})
    (arm,) = study_data.of_study(index, records.read_study(index, tmp_path), None).arms

    assert (arm.runs, arm.posterior_collapsed, arm.kept(1)) == (1, 1, [0])


def numbers_of(seed):
    """What a run that tells faces from other things comes to."""
    groups = {"dark": Count(10, 7 + seed % 3), "light": Count(10, 9)}
    return {
        "groups": groups,
        "nonfaces": Count(10, 2),
        "metrics": {
            "recall": (16 + seed % 3) / 20,
            "val_active_units": 90.0,
            "false_positive_rate": 0.2,
        },
    }


def table(results):
    """The full table in Markdown."""
    done = CliRunner().invoke(main, ["table", "toy", "--format", "csv", "--style", "full",
                                     "--results", str(results)])  # fmt: skip
    assert done.exit_code == 0, done.output
    return done.output
