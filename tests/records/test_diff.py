from dataclasses import replace

from builders import RECORD

from repro.records import diff
from repro.records.records import EPOCH_WEIGHTS, MODEL, WEIGHTS

OLD = replace(RECORD, files={MODEL: "a" * 64, WEIGHTS: "b" * 64})
NEW = replace(OLD, files={**OLD.files, EPOCH_WEIGHTS: "c" * 64})


def test_an_earlier_release_that_kept_fewer_weights_has_no_other_result():
    """Its record lacks the weights of all epochs; whatever it has is compared."""
    assert diff.of_results(OLD, NEW) == []
    assert diff.of_results(replace(OLD, files={**OLD.files, WEIGHTS: "d" * 64}), NEW) == [WEIGHTS]


def test_weights_of_epochs_that_differ_or_are_gone_are_a_difference():
    """Between two records of this release."""
    other = replace(NEW, files={**NEW.files, EPOCH_WEIGHTS: "d" * 64})

    assert diff.of_results(NEW, other) == [EPOCH_WEIGHTS]
    assert diff.of_results(NEW, OLD) == [EPOCH_WEIGHTS]
