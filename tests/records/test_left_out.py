"""Files that a bundle leaves out."""

import pytest

from repro.errors import RecordError
from repro.metrics import Count
from repro.records import left_out, records
from repro.records.records import MODEL, SCORES, Record

RECORD = Record(key="a-seed0", seed=0, configuration={}, data={}, groups={"a": Count(4, 3)})


@pytest.fixture
def results(tmp_path):
    """A run whose files are gone."""
    folder = records.write_record(RECORD, tmp_path, {MODEL: b"x", SCORES: b"y"})
    (folder / MODEL).unlink()
    (folder / SCORES).unlink()
    return tmp_path


def test_a_file_that_was_left_out_is_as_if_the_run_had_none(results):
    """One that was not is missing."""
    (results / left_out.FILE).write_bytes(left_out.text([MODEL]))
    record = records.read_record("a-seed0", results)

    assert records.read_file(record, results, MODEL) is None
    with pytest.raises(RecordError, match="cannot be read"):
        records.read_file(record, results, SCORES)


@pytest.mark.parametrize("content", [b"", b"no JSON", b"5", b"[5]", b"[" * 9999, b" " * 20_000])
def test_a_damaged_list_leaves_nothing_out(content, results):
    """What is missing is then missing."""
    (results / left_out.FILE).write_bytes(content)

    assert left_out.names(results) == frozenset()
