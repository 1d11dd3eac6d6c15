"""Means and standard deviations over seeds, on MLflow's page of a study."""

import crowds

from repro.reporting.tables import run_means


def of(found, **changes):
    """The table of a study whose reference has these detections of twenty in each run."""
    view = crowds.view(crowds.SWEEP, ("a", "b"), found={"No debias": found}, **changes)
    return run_means.part(view.outcomes).table


def test_numbers_of_runs_are_averaged_with_their_standard_deviation():
    """Recalls 100 and 50, then twice 50: variances of 625 and 0, gaps of 50 and 0."""
    first = of([(20, 10), (10, 10)], runs=2).iloc[0]

    assert first.to_dict() == {
        "Read at": "logit 0",
        "Runs": "2/2",
        "Recall": "62.50 ± 17.68",
        "Variance": "312.50 ± 441.94",
        "Gap": "25.00 ± 35.36",
        "Worst group": "50.00 ± 0.00",
        "False positives": "10.00 ± 0.00",
    }


def test_a_single_run_has_no_standard_deviation():
    """A mean alone."""
    assert of([(20, 10)], runs=1)["Recall"].iloc[0] == "75.00"


def test_arms_stand_together_at_each_rate_that_the_photographs_support():
    """Twenty photographs without a face give a threshold for 5 and 10 %, not for 1 %."""
    table = of([(20, 10)] * 3)

    assert list(zip(table.index, table["Read at"], strict=True)) == [
        (arm, at) for at in ("logit 0", "FPR 5 %", "FPR 10 %") for arm in crowds.SWEEP
    ]


def test_an_arm_without_results_has_no_row():
    """Its failures stand in the other tables."""
    assert list(of([(20, 10)] * 3, failed=("alpha = 0.1",)).index) == ["No debias"] * 3


def test_a_single_group_has_no_variance():
    """Nor a gap."""
    view = crowds.view(crowds.SWEEP, ("a",))
    first = run_means.part(view.outcomes).table.iloc[0]

    assert (first["Variance"], first["Gap"]) == ("—", "—")
