"""Prints stored results into docs/statistics.md, between two marks."""

from collections.abc import Sequence
from pathlib import Path

from repro.system import atomic_files
from simulations import stored_results
from simulations.simulation import Mean, Simulation, Table
from simulations.stored_results import FOLDER

DOCUMENT = Path(__file__).parents[2] / "docs" / "statistics.md"
BEGIN = "<!-- results of `make simulations`: written by it -->"
END = "<!-- end of the results of `make simulations` -->"


def update(
    simulations: Sequence[Simulation], document: Path = DOCUMENT, *, folder: Path = FOLDER
) -> None:
    """Write the tables of the results stored in a folder between the marks."""
    before, after = around(document.read_text(encoding="utf-8"))
    atomic_files.put(document, f"{before}{text(simulations, folder)}{after}".encode())


def around(content: str) -> tuple[str, str]:
    """What stands before and after the tables, marks included."""
    before, mark, rest = content.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (mark and end):
        raise ValueError(f"the document lacks the marks {BEGIN} and {END}")
    return before + mark, end + after


def text(simulations: Sequence[Simulation], folder: Path = FOLDER) -> str:
    """A section for each simulation that has results."""
    sections = (
        _section(one, folder) for one in simulations if stored_results.path(one, folder).exists()
    )
    return "\n" + "".join(sections)


def _section(simulation: Simulation, folder: Path) -> str:
    tables = simulation.tables(stored_results.means(simulation, folder))
    parts = [f"### {simulation.title}", " ".join(simulation.text.split()), *map(_markdown, tables)]
    return "\n\n".join(parts) + "\n\n"


def _markdown(table: Table) -> str:
    rows = (table.head, ["---", *["---:"] * (len(table.head) - 1)], *table.rows)
    return "\n".join(_row(row) for row in rows)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def share(mean: Mean) -> str:
    """A share of studies in percent, with the decimals that its Monte Carlo error allows."""
    return number(100 * mean.mean, 0 if mean.error > 0.005 else 1) if mean.n else "-"


def points(mean: Mean, decimals: int = 1) -> str:
    """A mean in the column's own unit."""
    return number(mean.mean, decimals) if mean.n else "-"


def number(value: float, decimals: int) -> str:
    """A number without a minus sign before zero."""
    return f"{round(value, decimals) + 0.0:.{decimals}f}"
