"""Printed tables as files: CSV in three shapes, Markdown, LaTeX, aligned text; a YAML beside."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import yaml

from printed_tables.designs import pick
from printed_tables.tables import ALPHAS, BEHIND, OVERALL, VARIANCE, Design, PrintedTable, Row

SUFFIX = {
    **{"csv": "csv", "semicolons": "csv", "tsv": "tsv"},
    **{"markdown": "md", "latex": "tex", "text": "txt"},
}


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a table is written.

    Attributes:
        long: A row a run and group; only of a table with a row a run.
        inline: `84.1 ± 0.4` in one cell; otherwise ± has columns of its own.
        arm, run, overall, variance: Names of these columns.
        prefix: Before the names of groups.
        in_header: Whether the header says the unit; otherwise the YAML does.
        sizes, runs, spread: Whether anything says the sizes of the groups, the number of runs, what
            ± is.
    """

    form: str = "csv"
    long: bool = False
    inline: bool = True
    arm: str = "arm"
    run: str = "run"
    overall: str = "overall"
    variance: str = "variance"
    prefix: str = ""
    in_header: bool = False
    sizes: bool = True
    runs: bool = True
    spread: bool = True


def secretive(look: Look, generator: np.random.Generator) -> Look:
    """The same, of authors who may leave out what a reader needs."""
    sizes, runs, spread = generator.random(3) < 0.6
    return replace(
        look,
        sizes=bool(sizes or look.long),
        runs=bool(runs),
        spread=bool(spread),
        inline=look.inline or not spread,  # the name of a column would say what ± is
    )


def any_look(design: Design, generator: np.random.Generator) -> Look:
    """Whatever suits the table; it says all."""
    bare = design.rows == "runs" and design.overall is None and design.ddof is None
    long = design.cells == "counts" or (bare and bool(generator.random() < 0.4))
    return Look(
        form=pick(generator, ["csv", "csv", "csv", "tsv"] if long else [*SUFFIX]),
        long=long,
        inline=bool(generator.random() < 0.7),
        arm=pick(generator, ["arm", "method", "Model", "Algorithm"]),
        run=pick(generator, ["run", "seed", "replicate", "Trial"]),
        overall=pick(generator, ["overall", "Avg", "Average", "mean", "all"]),
        variance=pick(generator, ["variance", "var", "Variance"]),
        prefix=pick(generator, ["", "", "acc_", "recall_"]),
        in_header=bool(design.unit == "percent" and generator.random() < 0.3),
    )


def write(table: PrintedTable, folder: Path, look: Look | None = None) -> Path:
    """Write the table and the YAML beside it.

    Returns:
        The path of the table.
    """
    look = look or Look(long=table.design.cells == "counts")
    path = folder / f"results.{SUFFIX[look.form]}"
    path.write_text(text(table, look), encoding="utf-8")
    said = description(table, look)
    if said:
        path.with_suffix(".yaml").write_text(yaml.safe_dump(said, sort_keys=False))
    return path


def description(table: PrintedTable, look: Look) -> dict[str, object]:
    """What stands beside the numbers, by the keys of a description."""
    design, said = table.design, {}
    shares = design.cells == "shares"
    if shares and not look.in_header:
        said["unit"] = table.stated_unit
    if design.rows == "means":
        if look.runs:
            said["replicates"] = design.runs
            said |= {"keep": design.keep} if design.keep else {}
        said |= {"average": "median"} if design.average == "median" else {}
        said |= {"spread": table.stated_spread} if table.stated_spread and look.spread else {}
    if look.sizes and not look.long:
        names = [look.prefix + name for name in table.groups]
        said["groups"] = dict(zip(names, table.stated, strict=True))
    return said


def text(table: PrintedTable, look: Look) -> str:
    """The file's text."""
    cells = _long(table, look) if look.long else _wide(table, look)
    return FORMS[look.form](cells)


# Cells


def _wide(table: PrintedTable, look: Look) -> list[list[str]]:
    """Header and rows, with a column a group."""
    columns = [c for c in table.columns if not (look.inline and c.endswith(BEHIND))]
    header = [*_names(table, look), *(_title(table, column, look) for column in columns)]
    rows = [
        [*_named(table, row), *(_cell(row, column, look) for column in columns)]
        for row in table.rows
    ]
    return [header, *rows]


def _cell(row: Row, column: str, look: Look) -> str:
    error = row.texts.get(column + BEHIND) if look.inline else None
    return row.texts[column] if error is None else f"{row.texts[column]} ± {error}"


def _title(table: PrintedTable, column: str, look: Look) -> str:
    """A column's name, with the unit where the header says it."""
    if column == VARIANCE:
        return look.variance
    unit = " (%)" if look.in_header else ""
    if column == OVERALL:
        return look.overall + unit
    if column.endswith(BEHIND):
        end = "std" if table.stated_spread == "sd" else "sem"
        return f"{look.prefix}{column.removesuffix(BEHIND)}_{end}"
    return f"{look.prefix}{column}{unit}"


def _long(table: PrintedTable, look: Look) -> list[list[str]]:
    """Header and rows, with a row a run and group."""
    counts = table.design.cells == "counts"
    share = "detected" if counts else "accuracy (%)" if look.in_header else "accuracy"
    header = [*_names(table, look), "group", "n", share]
    rows = [
        [*_named(table, row), group, str(n), row.texts[group]]
        for row in table.rows
        for group, n in zip(table.groups, table.stated, strict=True)
    ]
    return [header, *rows]


def _names(table: PrintedTable, look: Look) -> list[str]:
    alpha = ["alpha"] if table.design.series else []
    return [look.arm, *alpha, *([look.run] if table.design.rows == "runs" else [])]


def _named(table: PrintedTable, row: Row) -> list[str]:
    alpha = [ALPHAS[row.arm] or ""] if table.design.series else []
    return [table.arm_name(row.arm), *alpha, *([] if row.run is None else [str(row.run + 1)])]


# Files


def _separated(by: str):
    def joined(cells: Sequence[Sequence[str]]) -> str:
        return "".join(by.join(row) + "\n" for row in cells)

    return joined


def _semicolons(cells: Sequence[Sequence[str]]) -> str:
    header, *rows = cells
    meant = [[cell.replace(".", ",") for cell in row] for row in rows]
    return _separated(";")([header, *meant])


def _markdown(cells: Sequence[Sequence[str]]) -> str:
    header, *rows = cells
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _latex(cells: Sequence[Sequence[str]]) -> str:
    header, *rows = [[_escaped(cell) for cell in row] for row in cells]
    lines = [
        f"\\begin{{tabular}}{{{'l' * len(header)}}}",
        r"\toprule",
        " & ".join(header) + r" \\",
        r"\midrule",
        *(" & ".join(row) + r" \\" for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _escaped(cell: str) -> str:
    for letter in "%_":
        cell = cell.replace(letter, "\\" + letter)
    return cell.replace("±", r"$\pm$")


def _aligned(cells: Sequence[Sequence[str]]) -> str:
    """As DomainBed prints: columns of one width, `+/-`, and something for an empty cell."""
    shown = [[(cell or "-").replace("±", "+/-") for cell in row] for row in cells]
    widths = [max(map(len, column)) + 4 for column in zip(*shown, strict=True)]
    lines = [
        "".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in shown
    ]
    return "".join(line.rstrip() + "\n" for line in lines)


FORMS = {
    "csv": _separated(","),
    "semicolons": _semicolons,
    "tsv": _separated("\t"),
    "markdown": _markdown,
    "latex": _latex,
    "text": _aligned,
}
