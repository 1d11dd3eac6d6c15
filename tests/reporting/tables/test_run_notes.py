"""Which runs stand behind a table, in sentences."""

import dataclasses

from builders import study_index
from crowds import record

from repro.analysis import study_data
from repro.reporting.tables import run_notes

XEON = {"device": "cpu", "processor": "Xeon", "compiler": "cc 12"}


def made_on(*provenances):
    """A study of one run on each."""
    runs = [
        dataclasses.replace(
            record("a", seed, detected={"x": 3, "y": 2}, size=4, changes={}, crops=()),
            provenance=provenance,
        )
        for seed, provenance in enumerate(provenances)
    ]
    found = {run.key: run for run in runs}
    return study_data.of_study(study_index({"a": list(found)}), found, None)


def test_a_table_says_that_its_runs_were_made_on_different_machines():
    """Processor and compiler, or the GPU, with how many runs each."""
    told = run_notes.of_machines(
        made_on(XEON, XEON, XEON | {"compiler": "cc 13"}, XEON | {"device": "H200"})
    )

    assert told == [
        "Run on 3 kinds of machine: Xeon, cc 12 (2 runs); Xeon, cc 13 (1 run); H200 (1 run). "
        "A run has bitwise the same result on its own kind of machine; on another the last digits "
        "may differ."
    ]


def test_runs_of_one_kind_of_machine_need_no_remark():
    """Neither do records that do not say on which they were made."""
    assert run_notes.of_machines(made_on(XEON, {}, XEON)) == []
