"""What ``repro audit`` does with a bundle: its scores as predictions, its tables against them."""

from pathlib import Path
from typing import TYPE_CHECKING

from repro.cli import resolve, table
from repro.cli.shared import place, warn
from repro.errors import ReproError
from repro.system.printing import printable, say

if TYPE_CHECKING:
    from repro.cli.shared import Place
    from repro.records.records import StudyIndex


def predictions(file: Path) -> Path:
    """The predictions file of a bundle's records, in the place where it is opened.

    What the bundle's tables differ in from those of its records is printed.

    Args:
        file: The bundle.

    Raises:
        BadBundle: It is none, or damaged.
        ReproError: Its records hold no scores.
    """
    from repro.reporting.tables.presentation import Presentation

    at = place(str(file), Path())
    assert at.bundle is not None
    index = resolve.one(at.results, at.study, profile=None, overrides=(), bundle=at.bundle)
    _compare_tables(at, index)
    path = at.bundle.folder / f"{index.name}-{index.variant}.csv"
    text = table.predictions([index], at.results, Presentation(form="predictions"))
    path.write_text(f"{printable(text)}\n", encoding="utf-8")
    return path


def _compare_tables(at: "Place", index: "StudyIndex") -> None:
    """Say whether the tables in a bundle are those that its records give here."""
    from repro.cli.bundle import TABLES
    from repro.reporting.tables.presentation import Presentation

    assert at.bundle is not None
    other, same = [], 0
    for form, name in TABLES.items():
        stored = at.bundle.table(name)
        if stored is None:
            continue
        try:
            made = table.text([index], at.results, Presentation(form=form))
        except ReproError:
            made = ""
        if stored == f"{printable(made)}\n".encode():
            same += 1
        else:
            other.append(f"tables/{name}")
    if other:
        warn(
            f"{at.bundle.path}: {', '.join(other)}: not what this release makes of the records; "
            "the records are audited"
        )
    elif same:
        say(f"{at.bundle.path}: its tables are those that its records give", err=True)
