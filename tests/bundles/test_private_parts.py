"""What a bundle does not show of the machine where it was written."""

import json

import pytest

from repro.bundles import private_parts
from repro.errors import RecordError
from repro.system import checksum


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("data/train.h5", "data/train.h5"),
        ("~/data/train.h5", "~/data/train.h5"),
        ("${DATA}/train.h5", "${DATA}/train.h5"),
        ("/mnt/somewhere/train.h5", "train.h5"),
        ("C:\\Users\\somebody\\train.h5", "train.h5"),
    ],
)
def test_an_absolute_path_keeps_its_last_part(written, shown):
    """Others are portable already."""
    assert private_parts.path(written) == shown


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("nan in /home/somebody/a b", "nan in a b"),
        ("cannot read '/mnt/x/y.h5': no memory", "cannot read 'y.h5': no memory"),
        ("1/2/3 and/or 4", "1/2/3 and/or 4"),
        ("see https://example.test/a/b", "see https://example.test/a/b"),
        ("https://me:secret@example.test/a", "https://***@example.test/a"),
    ],
)
def test_a_reason_shows_no_folder_and_no_password(said, shown):
    """Addresses and fractions are no paths."""
    assert private_parts.text(said) == shown


def test_a_record_is_sealed_again_only_if_it_changed():
    """A reader finds its checksum right in both cases."""
    plain = checksum.seal({"schema": 3, "metrics": {"recall": 0.1}, "failure": None})
    private = checksum.seal(
        {
            "schema": 3,
            "configuration": {"data": {"test": {"path": "/mnt/x/ppb"}}},
            "failure": {"reason": "nan in /mnt/x/y.h5"},
        }
    )
    clean = private_parts.sealed(private)

    assert private_parts.sealed(plain) == plain
    assert checksum.is_whole(clean)
    assert json.loads(clean)["configuration"]["data"]["test"]["path"] == "ppb"
    assert json.loads(clean)["failure"]["reason"] == "nan in y.h5"


def test_what_is_no_json_is_told():
    """It is no record."""
    with pytest.raises(RecordError, match="not JSON"):
        private_parts.sealed(b"no JSON")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("alpha: 0.1\n# /usr/share/x\n", []),
        ("a\nb /home/somebody/work c\n", ["f, line 2: whoever reads the bundle sees /home/"]),
        ("u = 'https://me:secret@example.test'\n", ["f, line 1: a password or a token"]),
        ("/Users/somebody/x\n/home/b/c\n", ["f, line 1: whoever reads the bundle sees /Users/"]),
    ],
)
def test_a_persons_text_is_carried_and_told(text, told):
    """The first line that shows a person's folder or a secret, which is not repeated."""
    found = list(private_parts.told("f", text.encode()))

    assert len(found) == len(told)
    assert all(one.startswith(begin) for one, begin in zip(found, told, strict=True))
    assert "secret" not in "".join(found)


def test_bytes_show_nothing():
    """A small table of a plug-in may be no text."""
    assert list(private_parts.told("f", b"\xff\xfe/home/a/b")) == []
