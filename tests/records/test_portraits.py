"""The file that says who is shown on the test portraits, and how dark."""

import hashlib
import math

import pytest

from repro.errors import RecordError
from repro.records import portraits
from repro.records.portraits import Portraits
from repro.records.study_index import PortraitsIndex

KNOWN = {
    "0a": Portraits({"x.jpg": "ann", 'y",\n.jpg': "bob"}, {"x.jpg": 0.1, 'y",\n.jpg': math.nan}),
    "0b": Portraits({"x.jpg": ""}, {"x.jpg": 6.0}),
}


def index(content):
    """What an index says of the file."""
    return PortraitsIndex(cluster="who", tone="t", sha256=hashlib.sha256(content).hexdigest())


def test_portraits_come_back_as_they_were_written(tmp_path):
    """Names that need quotes, a tone that is unknown, two test sets with one name."""
    content = portraits.to_csv(KNOWN)
    portraits.write(content, tmp_path)
    found = portraits.read(index(content), tmp_path)

    assert {test: one.cluster for test, one in found.items()} == {
        test: one.cluster for test, one in KNOWN.items()
    }
    assert repr([one.tone for one in found.values()]) == repr([o.tone for o in KNOWN.values()])


def test_a_file_that_is_there_is_not_written_again(tmp_path):
    """Its name is its digest, so that studies share it."""
    content = portraits.to_csv(KNOWN)
    portraits.write(content, tmp_path)
    path = portraits.path_of(index(content).sha256, tmp_path)
    before = path.stat().st_mtime_ns
    portraits.write(content, tmp_path)

    assert path.stat().st_mtime_ns == before


def test_a_changed_file_is_refused_by_name(tmp_path):
    """And the next run writes it again."""
    content = portraits.to_csv(KNOWN)
    portraits.write(content, tmp_path)
    path = portraits.path_of(index(content).sha256, tmp_path)
    path.write_bytes(content.replace(b"ann", b"eve"))

    with pytest.raises(RecordError, match="its checksum does not match; `repro run`"):
        portraits.read(index(content), tmp_path)
    portraits.write(content, tmp_path)
    assert portraits.read(index(content), tmp_path)["0a"].cluster["x.jpg"] == "ann"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not enough values"),
        (b"test,photograph\n", "its first line is not"),
        (b"test,photograph,cluster,tone\n0a,x,ann\n", "is no line of portraits"),
        (b"test,photograph,cluster,tone\n0a,x,ann,1\n0a,x,bob,1\n", "'x' is in two lines"),
        (b"test,photograph,cluster,tone\n0a,x,ann,inf\n", "'inf' is no tone"),
        (b"test,photograph,cluster,tone\n0a,x,ann,dark\n", "could not convert string to float"),
    ],
)
def test_a_forged_file_is_damaged(tmp_path, content, said):
    """Whose digest is right, and whose content is not."""
    portraits.write(content, tmp_path)

    with pytest.raises(RecordError, match=said):
        portraits.read(index(content), tmp_path)
