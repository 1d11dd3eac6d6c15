"""The cells of a table as they stand in a file, whatever its format.

No column has a meaning here. The header is one name a column, each cell its printed text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from repro.errors import DataError

DecimalMark = Literal[".", ","]


@dataclass(frozen=True, slots=True)
class GridRow:
    """The cells of one row.

    Attributes:
        line: Of the file, from 1.
        cells: One text a column of the header; empty where nothing is printed.
    """

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """One table of a file.

    Attributes:
        path: The file.
        form: What it was read as: "comma-separated values", "a Markdown table".
        caption: What stands above it; empty if the file has nothing but the table.
        line: Of the header, the last one of several.
        header: Names of the columns, each another one; none is empty.
        rows: At least one.
        description: What the file says beside the table, under the keys of `Description`.
        decimal_mark: Of the numbers of the file; None if none has one.
        notes: Sentences on names that were filled in.
    """

    path: Path
    form: str
    caption: str
    line: int
    header: tuple[str, ...]
    rows: tuple[GridRow, ...]
    description: Mapping[str, object] = field(default_factory=dict)
    decimal_mark: DecimalMark | None = None
    notes: tuple[str, ...] = ()


class NotATable(DataError):
    """A file holds no table that can be read; the text lists all problems.

    Attributes:
        problems: Each with the file, and the line where there is one.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        """One problem or more, sorted by line."""
        super().__init__("\n".join(problems))
        self.problems = problems
