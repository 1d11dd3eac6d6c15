"""Published tables, built without a file.

    table([("a", {"x": "91.2 of 250", "y": "87.0"}, {"overall": "89.9"})], groups={"y": 250})

A share is written as printed, in percent; `12/250` is a count, `91.2 of 250` a share with its n,
`91.2 ± 0.4` one with an error, `nan` a failed run. `("a", "1")` for the arm names the run, too.
"""

from decimal import Decimal
from pathlib import Path

from repro.analysis.audit.reading.arm_keys import Key
from repro.analysis.audit.reading.description import Description
from repro.analysis.audit.reading.published_table import Cell, PublishedTable, Row, Share
from repro.stats.forensics import Printed


def printed(text):
    """A number as somebody printed it; None for None."""
    return None if text is None else Printed(Decimal(text))


def cell(text, *, line=2, column="x"):
    """A printed number, with its error if it has one."""
    value, _, error = text.partition(" ± ")
    if value in {"-", "X", ""}:
        return Cell(line, column, text, "missing")
    if value == "nan":
        return Cell(line, column, text, "failed")
    return Cell(line, column, text, "number", printed(value), printed(error or None))


def share(text, *, line=2, column="x"):
    """What a row says of one group."""
    if "/" in text:
        detected, n = map(int, text.split("/"))
        return Share(None, detected, n)
    text, _, n = text.partition(" of ")
    found = cell(text, line=line, column=column)
    return Share(found, n=int(n) if n else None, failed=found.state == "failed")


def row(arm, shares, aggregates, line):
    """One row; the arm may be a name, or a name and a run."""
    word, run = (arm, None) if isinstance(arm, str) else arm
    groups = {name: share(text, line=line, column=name) for name, text in shares.items()}
    other = {name: cell(text, line=line, column=name) for name, text in aggregates.items()}
    return Row(line, Key(word, None), run, groups, **other)


def table(rows, *, name="table.csv", **description):
    """A table of rows (arm, shares by group, aggregates by name).

    Args:
        rows: Tuples as above; the aggregates may be left out.
        name: Of the file.
        description: Fields of `Description`: runs, sizes, what ± is.
    """
    made = [
        row(arm, shares, more[0] if more else {}, line)
        for line, (arm, shares, *more) in enumerate(rows, start=2)
    ]
    groups = tuple(made[0].groups)
    return PublishedTable(Path(name), "", Description(**description), groups, tuple(made))
