"""The file of scores."""

import csv
import io

import numpy as np
import pytest

from repro.records import scores
from repro.records.scores import Scores

SETS = {
    "portraits": Scores(
        ("a", "b", "c"),
        ("x", "y", "x"),
        np.array([0.1, -1e-300, -np.inf]),
        np.array([9, 27, 0]),
        np.array([2, 0, 0]),
    ),
    "nonfaces": Scores(("d",), ("",), np.array([1 / 3]), np.array([9]), np.array([1])),
}


def named(name):
    """The sets with another name of the second portrait."""
    names = ("a", name, "c")
    first = SETS["portraits"]
    portraits = Scores(names, first.groups, first.top_logit, first.windows, first.positive)
    return {**SETS, "portraits": portraits}


@pytest.mark.parametrize("name", ["b", "b,c", 'b"', "b\nc", "é"])
def test_scores_come_back_as_they_were_written(name):
    """Every bit of every number, with names that a file has to quote and with plain ones."""
    written = named(name)
    found = scores.from_csv(scores.to_csv(written))

    assert found.keys() == written.keys()
    for which, one in found.items():
        assert (one.names, one.groups) == (written[which].names, written[which].groups)
        for column in ("top_logit", "windows", "positive"):
            assert getattr(one, column).tobytes() == getattr(written[which], column).tobytes()


def test_lines_may_stand_in_any_order():
    """The sets of a file that was sorted by something else are the same."""
    head, *lines = scores.to_csv(SETS).splitlines()
    mixed = b"\n".join([head, lines[0], lines[3], *lines[1:3]]) + b"\n"

    assert scores.from_csv(mixed)["portraits"].names == ("a", "b", "c")
    assert scores.from_csv(mixed)["nonfaces"].names == ("d",)


def test_plain_files_are_read_without_the_csv_module(monkeypatch):
    """Which takes four times as long: thousands of files are read for a table."""
    content = scores.to_csv(SETS)
    monkeypatch.setattr(csv, "reader", None)

    assert scores.from_csv(content)["nonfaces"].top_logit.tolist() == [1 / 3]


@pytest.mark.parametrize("line", ["portraits,a,x,1.0,1", "portraits,a,x,1.0,1,1,1", "", "x"])
def test_a_line_with_other_cells_is_not_cut_at_the_commas(line):
    """Its cells would move to other columns."""
    file = io.BytesIO(scores.to_csv(SETS) + line.encode() + b"\n")

    assert not scores._is_plain(file.getvalue())


@pytest.mark.parametrize("cell", ["-1.", "-.5", "-inf", "-1e-320", "-00.5", "-1", "-0.1", "-1_0.5"])
def test_a_logit_is_what_float_says(cell):
    """Also where JSON has no such number."""
    content = f"{','.join(scores.HEADER)}\nportraits,a,x,{cell},1,0\n".encode()

    assert scores.from_csv(content)["portraits"].top_logit.tobytes() == np.float64(cell).tobytes()


@pytest.mark.parametrize(
    "cell", ["true", "null", "[1]", "{}", "NaN", "1e999", "9" * 400, "", "1-1"]
)
def test_other_cells_are_no_logits(cell):
    """Whatever JSON would make of them."""
    content = f"{','.join(scores.HEADER)}\nportraits,a,x,{cell},1,1\n".encode()

    with pytest.raises(ValueError, match=r"could not|NaN or infinite"):
        scores.from_csv(content)
