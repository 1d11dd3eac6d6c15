"""Records of detectors that were trained elsewhere."""

import json
from dataclasses import replace

import pytest
import reference_detectors
import scored_study

from repro.errors import RecordError
from repro.records import detectors, records


def test_a_record_is_read_as_it_was_written(tmp_path):
    """All fields, and the scores beside it."""
    written = reference_detectors.record()
    scores = reference_detectors.scores()
    detectors.write(written, tmp_path, scores)

    read = detectors.read(written.key, tmp_path)

    assert replace(read, files={}) == written
    assert detectors.read_scores(read, tmp_path)["portraits"].names == scores["portraits"].names


def test_the_key_follows_from_everything_that_decides_the_numbers():
    """Another threshold, digest, name or data has another key; other times have the same."""
    one = reference_detectors.record()
    others = [
        reference_detectors.record(threshold=0.5),
        reference_detectors.record(digest="1" * 32),
        reference_detectors.record(name="HOG"),
        reference_detectors.record(data={"test": "x", "nonfaces": "y"}),
    ]

    assert len({one.key, *(other.key for other in others)}) == 5
    assert reference_detectors.record(provenance={"seconds": 3.0}).key == one.key


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda content: content.replace(b'"threshold": 0.0', b'"threshold": 1.0'), "checksum"),
        (lambda content: content[:-20], "damaged"),
        (lambda content: b"{}", "not a record"),
    ],
)
def test_a_changed_record_is_refused(tmp_path, change, told):
    """As a run's is, by its checksum."""
    one = reference_detectors.record()
    path = detectors.write(one, tmp_path, reference_detectors.scores()) / "record.json"
    path.write_bytes(change(path.read_bytes()))

    with pytest.raises(RecordError, match=told):
        detectors.read(one.key, tmp_path)


def test_scores_of_another_detector_are_refused(tmp_path):
    """The file must be the one that was written with the record."""
    one = reference_detectors.record()
    path = detectors.write(one, tmp_path, reference_detectors.scores()) / "scores.csv"
    path.write_bytes(path.read_bytes().replace(b",0.99", b",1.99"))

    with pytest.raises(RecordError, match="its checksum does not match"):
        detectors.read_scores(detectors.read(one.key, tmp_path), tmp_path)


def test_an_index_has_detectors_only_if_there_are_some(tmp_path):
    """So indexes of other studies keep their bytes, and earlier releases read them."""
    scored_study.write(tmp_path)
    path = tmp_path / "studies" / "toy" / "embedded.json"
    before = json.loads(path.read_text())

    (one,) = reference_detectors.write(tmp_path)

    assert "detectors" not in before
    assert records.read_index(path).detectors == [one.key]
