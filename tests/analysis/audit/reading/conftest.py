"""Files of tables, written where a test can read them."""

import pytest

from repro.analysis.audit.reading.grids import read_grids


@pytest.fixture
def grids(tmp_path):
    """Writes a file and returns its tables."""

    def read(name, text):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_grids(path)

    return read


@pytest.fixture
def grid(grids):
    """Writes a file and returns its only table."""

    def read(name, text):
        (only,) = grids(name, text)
        return only

    return read


@pytest.fixture
def cells(grid):
    """Writes a file and returns the header and the rows of its only table."""

    def read(name, text):
        only = grid(name, text)
        return [only.header, *(row.cells for row in only.rows)]

    return read
