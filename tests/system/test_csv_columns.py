"""Columns of a CSV that may be larger than memory."""

import csv

import pytest

from repro.system import csv_file, file_digests


def written(tmp_path, content):
    """A file with these bytes."""
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    return path


def test_columns_are_lists_of_cells_with_their_lines(tmp_path):
    """A byte order mark, quoted commas and lines, blanks and blank rows."""
    path = written(tmp_path, b'\xef\xbb\xbfa, b\n1,"x, y"\n\n2,"u\nv"\n 3 ,\n')
    found = csv_file.columns(path)

    assert found.cells == {"a": ["1", "2", "3"], "b": ["x, y", "u\nv", ""]}
    assert found.lines == [2, 4, 6]
    assert found.long == ()


def test_columns_with_a_long_cell_are_left_out(tmp_path):
    """Longer than Python's reader takes by itself, in whatever row."""
    long = b"x" * 140_000
    path = written(tmp_path, b"a,b,c\n1,x,y\n2," + long + b",z\n3,,\n")
    found = csv_file.columns(path)

    assert found.cells == {"a": ["1", "2", "3"], "c": ["y", "z", ""]}
    assert found.long == ("b",)


def test_another_content_is_read_again(tmp_path):
    """And each reading is noted with the digest of what was read."""
    path = written(tmp_path, b"a\n1\n")
    with file_digests.as_read() as first:
        csv_file.columns(path)
    written(tmp_path, b"a\n2\n")
    with file_digests.as_read() as second:
        found = csv_file.columns(path)

    assert found.cells == {"a": ["2"]}
    assert [one.path for one in (*first, *second)] == [path, path]
    assert first[0].sha256 != second[0].sha256 == file_digests.sha256(path)


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b"", 0, "is empty"),
        (b"a,b\n1\n", 2, "1 cells, but the header has 2 columns"),
        (b"a,a\n1,2\n", 1, "more than one column 'a'"),
        (b'a\n"open\n', 2, "is not CSV"),
        (b"a\n\xe4\n", 2, "is not UTF-8"),
    ],
)
def test_what_is_no_csv_is_told_with_its_line(tmp_path, content, line, message):
    """The limit of Python's reader is left as it was."""
    with pytest.raises(csv_file.NotCsv, match=message) as caught:
        csv_file.columns(written(tmp_path, content))

    assert caught.value.line == line
    assert csv.field_size_limit() == 131_072
