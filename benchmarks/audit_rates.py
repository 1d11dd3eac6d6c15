"""Counts what the audit finds in tables with a planted error, and whether it accuses honest ones.

python benchmarks/audit_rates.py                      300 tables of each kind, some minutes
python benchmarks/audit_rates.py honest "wrong n"     only these kinds
python benchmarks/audit_rates.py --tables 40          fewer
python benchmarks/audit_rates.py --show "wrong n" 7   one table, and what the audit says of it
"""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from printed_tables.errors import KINDS
from printed_tables.files import description, text
from printed_tables.rates import (
    HONEST,
    Rate,
    honest_table,
    planted_table,
    rate,
    said_of_honest,
    said_of_planted,
)

TABLES = 300
HEADER = ["planted", "tables", "detectable", "found", "named", "of the detectable"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the rates; 1 if fewer are named, or more accused, than is promised."""
    kinds = [HONEST, *KINDS]
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kinds", nargs="*", metavar="KIND", help="default: all")
    parser.add_argument("--tables", type=int, default=TABLES, help="of each kind")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--show", nargs=2, metavar=("KIND", "NUMBER"))
    given = parser.parse_args(arguments)
    asked = given.kinds + given.show[:1] if given.show else given.kinds
    if unknown := [kind for kind in asked if kind not in kinds]:
        parser.error(f"there is no kind {unknown[0]!r}; there are {', '.join(kinds)}")
    if given.tables < 1:
        parser.error(f"--tables must be at least 1, not {given.tables}")
    if given.show:
        show(given.show[0], int(given.show[1]))
        return 0
    return 0 if all(one.holds for one in _rates(given.kinds or kinds, given)) else 1


def _rates(kinds: Sequence[str], given: argparse.Namespace) -> list[Rate]:
    """Of each kind, printed as soon as known."""
    print(_line(HEADER), _line(["---"] * len(HEADER)), sep="\n")
    found = []
    tables = [range(given.tables)] * len(kinds)
    with ProcessPoolExecutor(given.processes) as pool:
        for one in (pool.map if given.processes > 1 else map)(rate, kinds, tables):
            print(_line(one.cells()), flush=True)
            found.append(one)
    for one in found:
        if one.missed:
            print(f"{one.kind}: see --show {one.kind!r} {' '.join(map(str, one.missed[:20]))}")
    return found


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def show(kind: str, number: int) -> None:
    """Print a table, what stands beside it, and what the audit says."""
    if kind == HONEST:
        (table, look), said = honest_table(number), said_of_honest(number)
    else:
        planted, look = planted_table(kind, number)
        table, (_, said) = planted.table, said_of_planted(kind, number)
        changed = ", ".join(
            f"{planted.twin.rows[at].texts[c]} -> {table.rows[at].texts[c]} (row {at + 1}, {c})"
            for at, c in sorted(table.changed(planted.twin))
        )
        print(f"planted: {changed or table.stated}", f"to be named: {planted.checks}", sep="\n")
        print(f"detectable: {planted.detectable}; words: {planted.words}\n")
    print(table.design, description(table, look), text(table, look), sep="\n")
    for finding in said.findings:
        print(*finding, sep=": ")


if __name__ == "__main__":
    sys.exit(main())
