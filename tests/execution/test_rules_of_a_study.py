"""Rules from a study file to the records of its runs, on very little data."""

import numpy as np
import pytest
from builders import execute

from repro.execution import planning
from repro.execution.executors import hardware
from repro.records import records
from repro.study import study

FILE = """\
name: rules
question: Do rules reach the records?
base:
  preset: dehaan2020
  epochs: 2
  batch_size: 8
  resampling: {alpha: 0.01, uniform_epochs: draw}
arms:
  - name: rarest
  - {name: dealt, resampling: {rule: placebo, of: rarest}}
  - {name: first, model: classifier, epochs: 1, resampling: {rule: none}}
  - name: twice
    model: classifier
    checkpoint: worst_class
    resampling: {rule: jtt, of: first, upweight: 4, empty: even}
reference: rarest
replicates: 1
select: {keep: 1, by: recall, split: test}
compare: {metrics: [recall], test: t}
profiles:
  tiny:
    data:
      train: {source: synthetic, faces: 20, nonfaces: 20, darker_share: 0.4}
      test: {source: synthetic, per_group: 1, size: 64}
      nonfaces: {source: synthetic, photographs: 2, size: 64}
    expected: seconds
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Where the runs are."""
    return tmp_path_factory.mktemp("rules")


@pytest.fixture(scope="module")
def ended(results):
    """The record of each arm's only run."""
    file = results / "rules.yaml"
    file.write_text(FILE)
    results.joinpath("runs").mkdir()
    computation = hardware.computation(["cpu"])
    planned = planning.plan(study.load(file), results, computation=computation)
    for task in planned.tasks:
        execute(task)
    return {arm.name: records.read_record(arm.keys[0], results) for arm in planned.index.arms}


def test_a_placebo_has_the_weights_of_the_record_that_it_started_from(ended, results):
    """Sorted, to the bit, in every epoch; and the same effective sample size."""
    arm, dealt = (records.read_epoch_weights(ended[name], results) for name in ("rarest", "dealt"))

    assert list(arm) == list(dealt) == [2]
    assert np.array_equal(np.sort(arm[2]), np.sort(dealt[2]))
    assert not np.array_equal(arm[2], dealt[2])
    assert dealt[2].sum() == pytest.approx(1, abs=1e-12)


def test_the_last_epochs_weights_are_in_both_files(ended, results):
    """Figures read the one, source runs the other."""
    every = records.read_epoch_weights(ended["rarest"], results)

    assert np.array_equal(records.read_weights(ended["rarest"], results), every[max(every)])


def test_the_second_stage_of_jtt_is_a_run_with_weights_of_two_sizes(ended, results):
    """An image of the error set counts four times; without one the epochs are even."""
    found = records.read_epoch_weights(ended["twice"], results)
    ratios = {round(float(w.max() / w.min()), 9) for w in found.values()}

    assert ended["twice"].finished
    assert ratios <= {1.0, 4.0}
    assert "val_worst_class" in ended["twice"].history[0]


def test_runs_that_never_resampled_have_no_weights(ended, results):
    """The first stage draws all alike."""
    assert records.read_epoch_weights(ended["first"], results) == {}
