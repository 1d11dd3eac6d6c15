"""The one list of what a bundle carries of a results folder."""

from dataclasses import dataclass, fields, replace
from types import SimpleNamespace

import pytest
import scored_study

from repro.bundles import carried_files
from repro.errors import RecordError
from repro.records import records


@dataclass(frozen=True)
class _Portraits:
    sha256: str = "a" * 64


@pytest.fixture
def results(tmp_path):
    """Three arms with three seeds each."""
    scored_study.write(tmp_path)
    return tmp_path


def paths(index, results):
    """Of all files."""
    return [path for path, _ in carried_files.contents(index, results)]


def test_records_and_scores_of_every_run_are_carried(results):
    """And nothing that belongs to another study."""
    (index,) = records.read_indexes(results)
    (results / "runs" / "other-seed0").mkdir()
    (results / "runs" / "other-seed0" / "record.json").write_text("{}")
    found = paths(index, results)

    assert len(found) == 2 * 9
    assert {path.rpartition("/")[2] for path in found} == {"record.json", "scores.csv"}
    assert not any("other" in path for path in found)


def test_the_source_of_a_run_is_carried_once(results):
    """Also if the study does not list it."""
    (index,) = records.read_indexes(results)
    own = replace(records.read_record("0.1-seed0", results), key="b-seed0", source="None-seed0")
    records.write_record(replace(own, files={}), results, {})
    arms = [replace(index.arms[1], keys=["b-seed0"])]
    asked = replace(index, arms=arms, reference=arms[0].name)

    assert carried_files.keys(asked, results) == ["b-seed0", "None-seed0"]


def test_a_damaged_record_is_named(results):
    """A bundle holds only what was checked."""
    (index,) = records.read_indexes(results)
    (results / "runs" / "0.1-seed0" / "scores.csv").write_text("")

    with pytest.raises(RecordError, match=r"0\.1-seed0/scores\.csv: its checksum"):
        paths(index, results)


def test_detectors_and_portraits_are_carried_where_an_index_names_them(results):
    """Their kinds are on the list, whatever the study has."""
    (index,) = records.read_indexes(results)

    for name in (f"portraits/{'a' * 64}.csv", "detectors/haar/record.json"):
        (results / name).parent.mkdir(parents=True)
        (results / name).write_text("x")
    plain = {one.name: getattr(index, one.name) for one in fields(index)}
    both = SimpleNamespace(**{**plain, "detectors": ["haar"], "portraits": _Portraits()})
    both.wanted = index.wanted

    assert {f"portraits/{'a' * 64}.csv", "detectors/haar/record.json"} <= set(paths(both, results))
