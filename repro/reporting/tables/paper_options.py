"""The layout of tables for a paper: which arms, under which names, with how many digits."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pandas as pd

from repro.analysis.outcomes import Outcomes
from repro.errors import ReproError
from repro.reporting.tables import label_file
from repro.reporting.tables.cell import Cell, Number
from repro.reporting.tables.table_part import Format, Part
from repro.study import merge, yaml_source

FOR_PROGRAMS = ("csv", "tsv", "json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Layout options of a table for a paper; by default nothing is changed.

    Attributes:
        decimals: Of percents and points, two more for fractions; None for each table's default.
        arms: Names, in the order in which they are shown; all if empty.
        labels: A YAML file that maps names of arms, groups and columns to labels.
        spread: What is printed after numbers: the runs' standard deviation, the 95 % interval or
            nothing; None for each table's default.
        bold: ``best`` prints the highest recall and the lowest variance of the shown arms in bold.
    """

    decimals: int | None = None
    arms: tuple[str, ...] = ()
    labels: Path | None = None
    spread: Literal["sd", "interval", "none"] | None = None
    bold: Literal["best"] | None = None

    def check(self, form: Format) -> None:
        """Reject options that do not apply to files for programs.

        Raises:
            ReproError: Names the option and the reason.
        """
        if form not in FOR_PROGRAMS:
            return
        for name in ("decimals", "labels", "spread", "bold"):
            if getattr(self, name) is not None:
                raise ReproError(
                    f"--{name} is for tables that people read; {form} has plain names, every "
                    "digit and every spread: leave it out"
                )


def named(outcomes: Outcomes, layout: Layout) -> Outcomes:
    """The outcomes with the layout's labels in place of the names of arms and groups.

    Raises:
        ReproError: The layout names an unknown arm, or labels an unknown name.
    """
    for arm in layout.arms:
        known = [one.name for one in outcomes.arms]
        if arm not in known:
            hint = merge.did_you_mean(arm, known)
            listed = ", ".join(map(yaml_source.shown, known))
            raise ReproError(
                f"{outcomes.name}: no arm {yaml_source.shown(arm)}{hint}; it has {listed}"
            )
    if layout.labels is None:
        return outcomes
    found = label_file.read(layout.labels, label_file.known(outcomes))
    return label_file.applied(outcomes, found, source=layout.labels)


def laid_out(part: Part, outcomes: Outcomes, layout: Layout) -> Part:
    """A table with the layout applied.

    Args:
        part: Made from outcomes that are `named`.
        outcomes: The same outcomes with the study's own names.
        layout: The layout to apply.
    """
    if layout == Layout():
        return part
    told = label_file.read(layout.labels, label_file.known(outcomes)) if layout.labels else {}
    reference = told.get(outcomes.reference, outcomes.reference)
    table = part.table
    if layout.arms:
        arms = [told.get(name, name) for name in layout.arms]
        last = range(part.above, len(table))
        table = table.iloc[[*_rows(table.iloc[: part.above], arms, reference), *last]]
    rows = [[_restyled(cell, layout) for cell in row] for row in table.itertuples(index=False)]
    if layout.bold:
        _mark(rows[: len(rows) - part.below], keys=part.keys)
    table = pd.DataFrame(rows, index=table.index, columns=table.columns, dtype=object)
    heads = {head: told.get(head, head) for head in map(str, [table.index.name, *table.columns])}
    return replace(
        part,
        table=table.rename(columns=heads).rename_axis(heads[str(table.index.name)]),
        remarks=[*_said(part, table, layout, len(outcomes.arms)), *part.remarks],
    )


def _rows(table: pd.DataFrame, arms: Sequence[str], reference: str) -> Iterator[int]:
    """Positions of the arms' rows in the order of the arms; rows of no single arm come last."""
    subjects = list(map(str, table.index))
    if table.index.name not in ("Arm", "Subject"):
        yield from range(len(subjects))
        return
    for arm in arms:
        wanted = (arm, f"{arm} against {reference}")
        yield from (at for at, subject in enumerate(subjects) if subject in wanted)
    yield from (at for at, subject in enumerate(subjects) if subject == "all arms")


def _restyled(cell: str, layout: Layout) -> str:
    number = cell.number if isinstance(cell, Cell) else None
    if number is None:
        return cell
    decimals, shows = number.decimals, layout.spread or number.shows
    if layout.decimals is not None:
        decimals = layout.decimals + (0 if number.unit else 2)
    return Cell.of(replace(number, decimals=decimals, shows=shows))


def _mark(rows: Sequence[list[str]], *, keys: int) -> None:
    """Make the best of each column bold, among rows with equal keys; ties are all bold."""
    alike: dict[tuple[str, ...], list[list[str]]] = {}
    for row in rows:
        alike.setdefault(tuple(row[:keys]), []).append(row)
    for same in alike.values():
        for column in range(keys, len(same[0])):
            for row in _best(same, column):
                cell = row[column]
                assert isinstance(cell, Cell)
                row[column] = Cell(cell, cell.columns, number=cell.number, bold=True)


def _best(rows: Sequence[list[str]], column: int) -> list[list[str]]:
    """The rows whose printed number is the best; none unless there are at least two."""
    scored = []
    for row in rows:
        cell = row[column]
        number = cell.number if isinstance(cell, Cell) else None
        if number is not None and number.better and not math.isnan(number.value):
            scored.append((number.better * float(f"{number.value:.{number.decimals}f}"), row))
    best = max((score for score, _ in scored), default=0.0)
    return [row for score, row in scored if score == best] if len(scored) > 1 else []


def _said(part: Part, table: pd.DataFrame, layout: Layout, arms: int) -> Iterator[str]:
    """Footnotes on what the layout changed."""
    numbers = list(_numbers(table))
    if layout.spread == "sd" and any(not math.isnan(one.sd) for one in numbers):
        yield "Here ± is the standard deviation of the runs' own values (ddof 1)."
    if layout.bold and any(one.better for one in numbers):
        yield (
            "Bold: the best of the arms shown, highest recall or area, lowest variance or gap, "
            "equal ones all; no test says that it differs from the others."
        )
    if len(layout.arms) not in (0, arms) and part.name != "findings":
        yield (
            f"{len(layout.arms)} of {arms} arms are shown; adjusted p-values and sentences below "
            "are of all."
        )


def _numbers(table: pd.DataFrame) -> Iterator[Number]:
    for row in table.itertuples(index=False):
        yield from (one.number for one in row if isinstance(one, Cell) and one.number)
