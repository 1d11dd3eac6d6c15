"""Tables in LaTeX: the output of `repro table`, and the parts of a report's tables."""

from collections.abc import Sequence

from repro.reporting import escaping
from repro.reporting.tables.table_part import Part, heads, is_bold

LONG = 45  # from this many rows on a table does not fit on one page


def table(part: Part, *, label: str) -> str:
    """A booktabs table; more than six columns of numbers are scaled to the page, by graphicx.

    A table longer than a page is split over several, by longtable.
    """
    foot = "".join(f"\\par\\smallskip\\footnotesize {text(r)}\n" for r in part.remarks)
    if not len(part.table):
        return f"\\paragraph{{{text(part.title)}}}\n{foot}".rstrip("\n")
    caption, form = text(part.title), _column_format(part)
    if len(part.table) >= LONG:
        return _over_pages(part, f"\\caption{{{caption}}}\\label{{{label}}}\\\\", form, foot)
    lines = [f"\\begin{{tabular}}{{{form}}}", *_ruled(_head(part)), *_rows(part)]
    lines += ["\\bottomrule", "\\end{tabular}"]
    if part.is_broad:
        lines = ["\\resizebox{\\textwidth}{!}{%", *lines[:-1], f"{lines[-1]}}}"]
    top = ["\\begin{table}[ht]", "\\centering", f"\\caption{{{caption}}}", f"\\label{{{label}}}"]
    return "\n".join([*top, *lines, f"{foot}\\end{{table}}"])


def _over_pages(part: Part, caption: str, form: str, foot: str) -> str:
    """Smaller letters and gaps if there are many columns."""
    small = "\\scriptsize\\setlength{\\tabcolsep}{3pt}" if part.is_broad else "\\small"
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
    return [row([_cell(cell) for cell in cells]) for cells in part.table.itertuples()]


def _cell(cell: object) -> str:
    """The cell as LaTeX; the best of its column is bold."""
    shown = text(str(cell))
    return f"\\textbf{{{shown}}}" if is_bold(cell) else shown


def row(cells: Sequence[str]) -> str:
    """A line of a table; a leading bracket or star is kept from the preceding line break."""
    first, *others = cells
    guard = "{}" if first.startswith(("[", "*")) else ""
    return f"{guard}{' & '.join([first, *others])} \\\\"


def _column_format(part: Part) -> str:
    """Right-aligned for numbers; broken lines for words, the last column widest."""
    count = len(part.table.columns)
    if part.holds == "numbers":
        return "l" * (1 + part.keys) + "r" * (count - part.keys)
    narrow = f"p{{{0.55 / count:.3f}\\textwidth}}"
    return f"{narrow * count}p{{0.35\\textwidth}}"


def text(plain: str) -> str:
    """The text in LaTeX, with the tables' symbols as mathematics."""
    escaped = escaping.latex(plain).replace("alpha = ", r"$\alpha$ = ")
    return escaped.replace("E[A]", "$E[A]$").replace("Var[A]", r"$\mathrm{Var}[A]$")
