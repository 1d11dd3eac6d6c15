"""A study keeps the detectors that were scored on its own photographs."""

from dataclasses import replace

import pytest
import reference_detectors
from faults import studies

from repro.execution import planning
from repro.records import detectors, records


@pytest.fixture
def planned(tmp_path):
    """The plan of a toy study, and its results folder."""
    file = studies.toy(tmp_path, arms=studies.ONE_ARM, replicates=2, keep=1)
    return studies.plan(file, tmp_path / "results"), tmp_path / "results"


def with_one(planned, results, **data):
    """The plan after a detector was scored on these data; what is said; its key."""
    same = {role: planned.reference.data[role] for role in detectors.ROLES}
    one = reference_detectors.record(data={**same, **data})
    detectors.write(one, results, reference_detectors.scores())
    records.write_index(replace(planned.index, detectors=[one.key]), results)
    return one.key


def test_a_detector_of_the_same_photographs_stays(planned):
    """As `repro run` writes the index again."""
    plan, results = planned
    key = with_one(plan, results)

    found, told = planning.with_detectors(plan, results)

    assert (found.index.detectors, told) == ([key], [])


def test_a_detector_of_other_photographs_is_dropped_with_a_sentence(planned):
    """Its numbers are no longer of the pictures that the arms see."""
    plan, results = planned
    with_one(plan, results, test="ffffffffffff")

    found, (told,) = planning.with_detectors(plan, results)

    assert found.index.detectors == []
    assert told.startswith("Haar, a detector that was trained elsewhere, was scored on other")


def test_a_damaged_record_stays_until_somebody_decides(planned):
    """Tables and `repro doctor` tell of it."""
    plan, results = planned
    key = with_one(plan, results)
    (results / "detectors" / key / "record.json").write_text("{}")

    found, told = planning.with_detectors(plan, results)

    assert (found.index.detectors, told) == ([key], [])
