"""Rows that name their own columns, as in JSON and YAML -> lines with one header."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from repro.analysis.audit.reading.block import MOST_COLUMNS, Block, are_plain
from repro.analysis.audit.reading.problems import Problems

Record = Mapping[str, object]  # texts, None, or mappings of them by name


@dataclass(frozen=True, slots=True)
class Records:
    """Rows with their lines in the file."""

    rows: Sequence[tuple[int, Record]]
    caption: str = ""
    description: Mapping[str, object] | None = None


def block_of(records: Records, problems: Problems) -> Iterator[Block]:
    """The block of some records; cells that a row does not name are empty."""
    flat = [(line, dict(_flat(line, record, problems))) for line, record in records.rows]
    header: dict[str, None] = {}
    for line, cells in flat:
        header.update(dict.fromkeys(cells))
        if len(header) > MOST_COLUMNS:
            problems.report(line, f"more than {MOST_COLUMNS} columns")
            return
    names = tuple(header)
    lines = [(line, tuple(cells.get(name, "") for name in names)) for line, cells in flat]
    first = lines[0][0] if lines else 1
    plain = [are_plain(line, cells, problems) for line, cells in [(first, names), *lines]]
    if all(plain) and names:
        yield Block(records.caption, [(first, names), *lines], records.description or {})


def _flat(line: int, record: Record, problems: Problems) -> Iterator[tuple[str, str]]:
    """Name and text of each cell; `groups` names its columns, another mapping is put before."""
    for name, value in record.items():
        inner = value if isinstance(value, Mapping) else {"": value}
        for own, cell in inner.items():
            column = own if name == "groups" and own else " ".join(filter(None, (name, own)))
            if cell is None or isinstance(cell, bool | str):
                yield column, "" if cell is None else str(cell)
            else:
                problems.report(line, "holds more than one value: write a number or a word", column)
