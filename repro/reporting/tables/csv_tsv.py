"""Format tables as CSV or TSV for programs: one number per cell, stable column names.

A cell with several numbers becomes several columns: the value with its unit in the name, then
`_low`, `_high`, `_sd`. Numbers have ten significant digits; NaN is an empty cell. A text that
begins like a formula of a spreadsheet has a ``'`` before it, which `repro audit` takes away again.
"""

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from repro.reporting.tables.cell import DASH, Cell
from repro.reporting.tables.table_part import Part, by_column
from repro.system import csv_file

_NAMES = {  # of columns whose file name is not derived from the header
    "E[A]: Recall": "recall",
    "Var[A]: Measure of Bias": "variance",
    "Recall, all runs": "recall_all_runs",
    "Median [range]": "median",
    "Recall of each run": "recall",
    "Difference, new seeds": "difference",
    "Runs with results": "runs_with_numbers",
    "Threshold": "read_at",
    "Recall minus reference": "recall_difference",
    "Variance minus reference": "variance_difference",
    "Recall minus no debias": "recall_difference",
    "Variance minus no debias": "variance_difference",
    "Difference, matched": "matched_difference",
    "Recall minus matched no debias": "matched_recall_difference",
    "Variance minus matched no debias": "matched_variance_difference",
    "P(arm > reference)": "superiority",
    "95 % interval": "interval",
    "Published": "printed",
}


def text(parts: Sequence[Part], *, separator: str) -> str:
    """The tables without titles and remarks, separated by blank lines."""
    return "\n\n".join(_table(part, separator) for part in parts)


def _table(part: Part, separator: str) -> str:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=separator, lineterminator="\n")
    heads, columns = [], []
    for head, *cells in by_column(part):
        for name, values in _expanded(head, cells):
            heads.append(name)
            columns.append([_written(value, separator) for value in values])
    if part.below:
        heads.append("row")
        columns.append([*["arm"] * part.above, *["detector"] * part.below])
    writer.writerow(_unlike(heads))
    writer.writerows(zip(*columns, strict=True))
    return file.getvalue().rstrip("\n")


def _expanded(head: str, cells: Sequence[str]) -> Iterator[tuple[str, list[object]]]:
    """The file columns made from one printed column."""
    name = snake(head)
    texts = [_texts(cell) for cell in cells]
    for end in _ends(texts):
        yield f"{name}_{end}" if end else name, [one.get(end, "") for one in texts]
    numbers = [cell.number if isinstance(cell, Cell) else None for cell in cells]
    known = [number for number in numbers if number is not None]
    if not known:
        return
    units = {number.unit for number in known}
    stem = f"{name}_recall" if any(number.before for number in known) else name
    if len(units) == 1 and "" not in units:
        stem = f"{stem}_{known[0].unit}"
    for end in _ends([number.columns for number in known]):
        found = [None if number is None else number.columns.get(end) for number in numbers]
        yield f"{stem}_{end}" if end else stem, ["" if one is None else one for one in found]
    if len(units) > 1:
        yield f"{stem}_unit", ["" if number is None else number.unit for number in numbers]


def _texts(cell: str) -> Mapping[str, float | str]:
    """The cell's columns besides its number; a dash has none."""
    if isinstance(cell, Cell):
        return cell.columns
    return {} if cell == DASH else {"": cell}


def _ends(columns: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(end for each in columns for end in each))


def snake(head: str) -> str:
    """The column name in lower case, words joined by ``_``."""
    return _NAMES.get(head) or re.sub(r"\W+", "_", head.replace("'", "").lower()).strip("_")


def _unlike(names: Sequence[str]) -> list[str]:
    """The names, with a number appended to repeated ones."""
    found: list[str] = []
    for name in names:
        nth = next(n for n in range(1, len(names) + 2) if _nth(name, n) not in found)
        found.append(_nth(name, nth))
    return found


def _nth(name: str, n: int) -> str:
    return name if n == 1 else f"{name}_{n}"


def _written(value: object, separator: str) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.10g}"
    text = str(value)
    if text == DASH:
        return ""
    if separator == "\t":
        text = re.sub(r"[\t\r\n]+", " ", text)
    return text if _is_number(text) else csv_file.as_text(text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
