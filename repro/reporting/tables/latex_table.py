"""Tables in LaTeX: the output of `repro table`, and the parts of a report's tables."""

import math
from collections.abc import Sequence

from repro.reporting import escaping
from repro.reporting.tables import column_widths
from repro.reporting.tables.table_part import BELOW, Part, by_column, heads, is_bold

LONG = 45  # from this many lines on a table does not fit on one page
LETTERS, GAP = 68, 0.03  # letters of a line of a page; gap between columns, of a page's width


def table(part: Part, *, label: str) -> str:
    """A booktabs table; more than six columns of numbers are scaled to the page, by graphicx.

    A table longer than a page is split over several, by longtable.
    """
    foot = "".join(f"\\par\\smallskip\\footnotesize {text(r)}\n" for r in part.remarks)
    if not len(part.table):
        return f"\\paragraph{{{text(part.title)}}}\n\\begingroup{foot}\\par\\endgroup"
    caption, form = text(part.title), _column_format(part)
    if _lines(part) >= LONG:
        return _over_pages(part, f"\\caption{{{caption}}}\\label{{{label}}}\\\\", form, foot)
    lines = [f"\\begin{{tabular}}{{{form}}}", *_ruled(_head(part)), *_rows(part)]
    lines += ["\\bottomrule", "\\end{tabular}"]
    if part.is_broad:
        lines = ["\\resizebox{\\textwidth}{!}{%", *lines[:-1], f"{lines[-1]}}}"]
    loose = ["\\small\\sloppy"] if part.holds == "words" else []
    top = [
        "\\begin{table}[ht]",
        "\\centering",
        *loose,
        f"\\caption{{{caption}}}",
        f"\\label{{{label}}}",
    ]
    return "\n".join([*top, *lines, f"{foot}\\end{{table}}"])


def _over_pages(part: Part, caption: str, form: str, foot: str) -> str:
    """Smaller letters and gaps if there are many columns."""
    small = "\\scriptsize\\setlength{\\tabcolsep}{3pt}" if part.is_broad else "\\small"
    small += "\\sloppy" if part.holds == "words" else ""
    lines = long_table(form, _head(part), _rows(part), caption=caption)
    return "\n".join([f"\\begingroup{small}", *lines, f"{foot}\\par\\endgroup"])


def long_table(
    form: str, head: str, rows: Sequence[str], *, caption: str = "", again: Sequence[str] = ()
) -> list[str]:
    """Lines of a table that may be split over pages, with its header on each page.

    Args:
        form: Column specification.
        head: The header line.
        rows: The lines of the body.
        caption: Caption line; a table without one is not numbered.
        again: Lines above the header on all pages but the first.
    """
    name = "longtable" if caption else "longtable*"
    return [
        f"\\begin{{{name}}}{{{form}}}",
        *([caption] if caption else []),
        *(*_ruled(head), "\\endfirsthead"),
        *(*again, *_ruled(head), "\\endhead"),
        *("\\bottomrule", "\\endfoot"),
        *rows,
        f"\\end{{{name}}}",
    ]


def _ruled(head: str) -> list[str]:
    return ["\\toprule", head, "\\midrule"]


def _head(part: Part) -> str:
    first, *others = map(text, heads(part))
    return row([first if part.keys else "", *others])


def _rows(part: Part) -> list[str]:
    words = part.holds == "words"
    found = [row([_cell(cell, words) for cell in cells]) for cells in part.table.itertuples()]
    return [*found[: part.above], *below(part, len(heads(part))), *found[part.above :]]


def below(part: Part, columns: int) -> list[str]:
    """The rule and the heading above the rows of detectors; empty without any."""
    if not part.below:
        return []
    return ["\\midrule", f"\\multicolumn{{{columns}}}{{@{{}}l}}{{\\emph{{{text(BELOW)}}}}} \\\\"]


def _cell(cell: object, words: bool) -> str:
    """The cell as LaTeX; the best of its column is bold, long words may be broken."""
    shown = text(column_widths.breakable(str(cell)) if words else str(cell))
    return f"\\textbf{{{shown}}}" if is_bold(cell) else shown


def row(cells: Sequence[str]) -> str:
    """A line of a table; a leading bracket or star is kept from the preceding line break."""
    first, *others = cells
    guard = "{}" if first.startswith(("[", "*")) else ""
    return f"{guard}{' & '.join([first, *others])} \\\\"


def _column_format(part: Part) -> str:
    """Right-aligned for numbers; broken lines for words."""
    if part.holds == "numbers":
        return "l" * (1 + part.keys) + "r" * (len(part.table.columns) - part.keys)
    gaps = GAP * (1 + len(part.table.columns))
    return "".join(f"p{{{share * (1 - gaps):.3f}\\textwidth}}" for share in _shares(part))


def _shares(part: Part) -> list[float]:
    """How the width of a page is divided among columns of words."""
    columns = [[column_widths.breakable(cell) for cell in each] for each in by_column(part)]
    found = column_widths.widths(columns, LETTERS)
    return [width / sum(found) for width in found]


def _lines(part: Part) -> int:
    """Lines of the body, of words when they are broken."""
    if part.holds == "numbers":
        return len(part.table)
    widths = [max(1.0, LETTERS * share) for share in _shares(part)]
    rows = zip(*(cells for _, *cells in by_column(part)), strict=True)
    return sum(
        max(math.ceil(len(cell) / width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )


def text(plain: str) -> str:
    """The text in LaTeX, with the tables' symbols as mathematics."""
    escaped = escaping.latex(plain).replace("alpha = ", r"$\alpha$ = ")
    return escaped.replace("E[A]", "$E[A]$").replace("Var[A]", r"$\mathrm{Var}[A]$")
