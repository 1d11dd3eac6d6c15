"""The text of a file of predictions: its header, its line of columns, its rows and their lines."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from repro.analysis.audit.prediction_columns import Columns
from repro.analysis.audit.prediction_header import MARK
from repro.analysis.wording import count
from repro.errors import DataError
from repro.system import csv_file, input_file

MOST_BYTES = 400_000_000
FIRST_BYTES = 4_000_000  # in which the columns must be found
_KINDS = {"score": "str"}


@dataclass(frozen=True, slots=True)
class PredictionText:
    """A file's text, cut into the header, the line of columns and the rest."""

    path: Path
    remarks: tuple[str, ...]
    header: tuple[str, ...]
    separator: str
    body: str

    @property
    def first(self) -> int:
        """Line of the first row."""
        return len(self.remarks) + 2


def read(path: Path) -> PredictionText:
    """The whole text of a file.

    Raises:
        DataError: It cannot be read, is too large, or is not UTF-8.
    """
    try:
        return _cut(path, csv_file.decoded(input_file.read(path, most_bytes=MOST_BYTES)))
    except input_file.TooLarge as error:
        raise DataError(f"{path}: {error.strerror}: split it") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: is not UTF-8: save it as CSV in UTF-8") from None


def beginning(path: Path) -> PredictionText:
    """The text of the first bytes, which have the line of columns.

    Raises:
        OSError, ValueError, csv.Error: It cannot be read, or is not CSV.
    """
    with input_file.opened(path) as stream:
        return _cut(path, csv_file.decoded(stream.read(FIRST_BYTES) or b"", errors="replace"))


def _cut(path: Path, text: str) -> PredictionText:
    lines, at = [], 0
    while text.startswith(MARK, at):
        end = text.find("\n", at) + 1 or len(text)
        lines.append(text[at:end].rstrip("\r\n"))
        at = end
    end = text.find("\n", at) + 1 or len(text)
    line = text[at:end]
    separator = csv_file.separator_of(line)
    header = next(csv.reader([line], delimiter=separator), [])
    return PredictionText(
        path, tuple(lines), tuple(h.strip() for h in header), separator, text[end:]
    )


def frame(text: PredictionText, columns: Columns) -> pd.DataFrame:
    """The columns that are used, named by role: categories, and scores as text.

    Raises:
        DataError: There is no row, or a row has more or fewer cells than the header.
    """
    kinds = {place: _KINDS.get(role, "category") for role, place in columns.place.items()}
    try:
        found = pd.read_csv(
            io.StringIO(text.body),
            header=None,
            names=list(range(len(columns.header))),
            index_col=False,
            usecols=sorted(columns.place.values()),
            sep=text.separator,
            dtype=kinds,
            keep_default_na=False,
            skipinitialspace=True,
            low_memory=False,
        )
    except (ValueError, pd.errors.ParserError):
        _refuse_lines(text)
        raise
    if found.empty:
        raise DataError(f"{text.path}: a header and no rows")
    short = text.body.count(text.separator) != len(found) * (len(text.header) - 1)
    if short or '"' in text.body:
        _refuse_lines(text)
    return found.rename(columns={place: role for role, place in columns.place.items()})


def _rows(text: PredictionText) -> Iterator[tuple[int, list[str]]]:
    """Line and cells of each row, slowly; for messages."""
    reader = csv.reader(io.StringIO(text.body, newline=""), delimiter=text.separator)
    line = text.first
    for cells in reader:
        if cells:
            yield line, cells
        line = text.first + reader.line_num


def line_of(text: PredictionText, row: int) -> int:
    """Line of a row, counted from 0."""
    return next(line for at, (line, _) in enumerate(_rows(text)) if at == row)


def where(text: PredictionText, row: int) -> str:
    """The file and the line of a row, for messages."""
    return f"{text.path}:{line_of(text, row)}"


def _refuse_lines(text: PredictionText) -> None:
    width = len(text.header)
    try:
        for line, cells in _rows(text):
            if len(cells) != width:
                raise DataError(
                    f"{text.path}:{line}: {count(len(cells), 'cell')}, and the header has {width}"
                )
    except csv.Error as error:
        raise DataError(f"{text.path}: is not CSV: {error}") from None
