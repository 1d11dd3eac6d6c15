"""A ZIP file whose bytes are the same each time, and limits of those of others."""

import hashlib
import os
import zipfile

import pytest

from repro.bundles import archive
from repro.bundles.archive import Archive
from repro.bundles.refused import BadBundle


@pytest.fixture
def files(tmp_path):
    """Two files, of which one is dense."""
    found = {}
    for name in ("b.txt", "a.safetensors"):
        path = tmp_path / name
        path.write_bytes(name.encode() * 100)
        found[f"results/{name}"] = path
    return found


def test_the_bytes_depend_on_content_alone(files, tmp_path):
    """Neither on the order nor on the files' times."""
    archive.write(tmp_path / "one.zip", files, ["results/b.txt"])
    for path in files.values():
        os.utime(path, (10**9, 10**9))
    again = dict(reversed(files.items()))
    archive.write(tmp_path / "two.zip", again, ["results/b.txt"])

    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_members_have_the_first_moment_and_a_plain_mode(files, tmp_path):
    """1 January 1980, readable by all; networks are stored as they are."""
    archive.write(tmp_path / "one.zip", files, ["results/b.txt"])
    with zipfile.ZipFile(tmp_path / "one.zip") as found:
        first, second = found.infolist()

    assert [first.filename, second.filename] == ["results/b.txt", "results/a.safetensors"]
    assert first.date_time == (1980, 1, 1, 0, 0, 0)
    assert first.external_attr >> 16 == 0o100644
    assert (first.compress_type, second.compress_type) == (8, 0)


def test_a_member_is_unpacked_with_its_digest(files, tmp_path):
    """Below the folder, under its own name."""
    archive.write(tmp_path / "one.zip", files)
    with archive.opened(tmp_path / "one.zip") as stream:
        digest = Archive(tmp_path / "one.zip", stream).unpack("results/b.txt", tmp_path / "out")

    assert (tmp_path / "out" / "results" / "b.txt").read_bytes() == b"b.txt" * 100
    assert digest == hashlib.sha256(b"b.txt" * 100).hexdigest()


def test_a_folder_among_the_members_is_passed_over(files, tmp_path):
    """As other programs write them."""
    archive.write(tmp_path / "one.zip", files)
    with zipfile.ZipFile(tmp_path / "one.zip", "a") as found:
        found.mkdir("results/runs")
    with archive.opened(tmp_path / "one.zip") as stream:
        members = Archive(tmp_path / "one.zip", stream).members

    assert sorted(members) == sorted(files)


def test_a_member_above_its_limit_is_refused(files, tmp_path):
    """Before it is read."""
    archive.write(tmp_path / "one.zip", files)
    with archive.opened(tmp_path / "one.zip") as stream:
        found = Archive(tmp_path / "one.zip", stream)
        with pytest.raises(BadBundle, match=r"results/b\.txt: 500 bytes, more than 499"):
            found.read("results/b.txt", most_bytes=499)
