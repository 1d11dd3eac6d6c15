"""Parts of a document -> LaTeX, Markdown or HTML. Works on text cells only."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

import pandas as pd

from repro.reporting import escaping
from repro.reporting.tables import column_widths
from repro.reporting.tables.cell import Cell

Format = Literal["terminal", "latex", "markdown", "html", "csv", "tsv", "json"]
Markup = Literal["latex", "markdown", "html"]
LETTERS, GAP = 150, 3  # on a line of a page, and between two columns, about
LONG = 45  # rows from which on they do not fit a page's height
MANY = 7  # columns of numbers from which on they do not fit a page's width as they are


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A table with its title above it and remarks below it.

    Attributes:
        name: For the option ``--part``.
        title: A sentence that ends with a full stop.
        table: Text cells; the index is the first column. Empty where there are only remarks.
        remarks: Sentences.
        holds: ``numbers``, aligned right, or ``words``, aligned left and broken into lines.
        keys: How many columns after the first identify the row together with it.
    """

    name: str
    title: str
    table: pd.DataFrame
    remarks: Sequence[str] = ()
    holds: Literal["numbers", "words"] = "numbers"
    keys: int = 0


def render(parts: Sequence[Part], *, form: Markup, label: str) -> str:
    """The parts as text for readers.

    Args:
        parts: One or more.
        form: Of the text.
        label: Of the tables in LaTeX, and the title of the page in HTML.
    """
    if form == "markdown":
        return "\n\n".join(map(_markdown, parts))
    if form == "html":
        return _html(parts, label)
    named = f"tab:{escaping.anchor(label)}"
    alone = len(parts) == 1
    return "\n\n".join(
        _latex(part, label=named if alone else f"{named}-{part.name}") for part in parts
    )


def _markdown(part: Part) -> str:
    lines = [f"**{part.title}**", ""]
    if len(part.table):
        header = heads(part)
        rows = [[str(name), *map(_marked, cells)] for name, *cells in part.table.itertuples()]
        rule = "---:" if part.holds == "numbers" else "---"
        lines += [_row(header), _row(["---", *[rule] * (len(header) - 1)]), *map(_row, rows), ""]
    return "\n".join([*lines, *(f"{remark}\n" for remark in part.remarks)]).rstrip()


def _marked(cell: object) -> str:
    return f"**{cell}**" if is_bold(cell) else str(cell)


def is_bold(cell: object) -> bool:
    """Whether a cell is marked as the best of its column."""
    return isinstance(cell, Cell) and cell.bold


def _row(cells: Sequence[str]) -> str:
    escaped = (cell.replace("|", "\\|").replace("\n", " ") for cell in cells)
    return f"| {' | '.join(escaped)} |"


_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; margin: 2rem auto;
  max-width: 80rem; padding: 0 1rem; }
h2 { font-size: 1.05rem; margin: 2.2rem 0 .6rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; border-top: 2px solid; border-bottom: 2px solid; }
th, td { padding: .25rem .7rem; text-align: right; vertical-align: top; }
thead th { border-bottom: 1px solid; }
th:first-child { text-align: left; }
.words td { text-align: left; }
p { max-width: 60rem; margin: .5rem 0; }
@media print { .wide { overflow: visible; } table { font-size: 8pt; } }
"""


def _html(parts: Sequence[Part], title: str) -> str:
    """One page that needs no other file."""
    body = "\n".join(html_section(part, anchor=part.name) for part in parts)
    return (
        f'<!doctype html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n<h1>{escape(title)}</h1>\n{body}\n</main>\n</body>\n</html>"
    )


def html_section(
    part: Part,
    *,
    anchor: str,
    level: int = 2,
    heading: str | None = None,
    number: str = "",
    links: Mapping[str, str] | None = None,
    targets: Mapping[int, str] | None = None,
) -> str:
    """A part as a section of a page: heading, table, remarks.

    Args:
        part: With or without rows.
        anchor: The section's id.
        level: Of the heading.
        heading: In place of the part's title, which then stands above the table as its caption.
        number: In front of the caption, such as ``Table 1.``
        links: For rows of these names, the id that they lead to.
        targets: For rows at these positions, the id that they have.
    """
    lines = [
        f'<section id="{escape(anchor)}">',
        f'<h{level} id="{escape(anchor)}-title">{escape(heading or part.title)}</h{level}>',
    ]
    if len(part.table):
        counted = f"<b>{escape(number)}</b> " if number else ""
        caption = f"{counted}{escape(part.title)}" if heading else None
        named = f"{number} {heading or part.title}".strip()
        lines.append(
            f'<div class="wide" role="region" tabindex="0" aria-label="{escape(named)}">'
            f"<table{_letters(part)}{'' if caption else _labelled(anchor)}>"
        )
        if caption:
            lines.append(f"<caption><span>{caption}</span></caption>")
        lines += [*_html_rows(part, links or {}, targets or {}), "</table></div>"]
    elif heading:
        lines.append(f"<p>{escape(part.title)}</p>")
    lines += [f'<p class="remark">{escape(remark)}</p>' for remark in part.remarks]
    return "\n".join([*lines, "</section>"])


def _labelled(anchor: str) -> str:
    return f' aria-labelledby="{escape(anchor)}-title"'


def _html_rows(part: Part, links: Mapping[str, str], targets: Mapping[int, str]) -> Iterator[str]:
    if part.holds == "words":
        yield _column_widths(part)
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in heads(part))
    yield f"<thead><tr>{head}</tr></thead>"
    yield "<tbody>"
    for position, (name, *cells) in enumerate(part.table.itertuples()):
        title = _html_text(name)
        if name in links:
            title = f'<a href="#{escape(links[name])}">{title}</a>'
        own = f' id="{escape(targets[position])}"' if position in targets else ""
        keys = "".join(f'<th scope="row">{_html_text(cell)}</th>' for cell in cells[: part.keys])
        row = "".join(f"<td>{_html_text(cell)}</td>" for cell in cells[part.keys :])
        yield f'<tr{own}><th scope="row">{title}</th>{keys}{row}</tr>'
    yield "</tbody>"


def _html_text(cell: object) -> str:
    text = column_widths.breakable(str(cell), at="letters")
    escaped = escape(text).replace(column_widths.BREAK, "<wbr>")
    return f"<b>{escaped}</b>" if is_bold(cell) else escaped


def _letters(part: Part) -> str:
    """How wide a table of sentences wants to be, for the styles to limit."""
    if part.holds == "numbers":
        return ""
    return f' class="words" style="--letters: {sum(_widths(part)):.0f}"'


def _column_widths(part: Part) -> str:
    """Of sentences; numbers take what they need."""
    found = _widths(part)
    cols = "".join(f'<col style="width: {100 * one / sum(found):.1f}%">' for one in found)
    return f"<colgroup>{cols}</colgroup>"


def _widths(part: Part) -> list[float]:
    texts = [
        [column_widths.breakable(text, at="letters") for text in column]
        for column in by_column(part)
    ]
    return column_widths.widths(texts, LETTERS, measure=lambda text: len(text) + GAP)


def by_column(part: Part) -> list[list[str]]:
    """The texts of each column, the first included, its head above them."""
    table = part.table
    cells = [table.index, *(table.iloc[:, at] for at in range(table.shape[1]))]
    return [[head, *column] for head, column in zip(heads(part), cells, strict=True)]


def heads(part: Part) -> list[str]:
    """What stands above each column, the first included."""
    return [str(part.table.index.name), *map(str, part.table.columns)]


def _latex(part: Part, *, label: str) -> str:
    """A booktabs table; numbers in more than six columns are shrunk to the page, by graphicx.

    One that is longer than a page goes over several, by longtable.
    """
    foot = "".join(f"\\par\\smallskip\\footnotesize {latex_text(r)}\n" for r in part.remarks)
    if not len(part.table):
        return f"\\paragraph{{{latex_text(part.title)}}}\n{foot}".rstrip("\n")
    caption, form = latex_text(part.title), _column_format(part)
    if len(part.table) >= LONG:
        return _latex_over_pages(part, caption, label, form, foot)
    lines = [f"\\begin{{tabular}}{{{form}}}", *_latex_head(part), *_latex_rows(part)]
    lines += ["\\bottomrule", "\\end{tabular}"]
    if _is_broad(part):
        lines = ["\\resizebox{\\textwidth}{!}{%", *lines[:-1], f"{lines[-1]}}}"]
    top = ["\\begin{table}[ht]", "\\centering", f"\\caption{{{caption}}}", f"\\label{{{label}}}"]
    return "\n".join([*top, *lines, f"{foot}\\end{{table}}"])


def _latex_over_pages(part: Part, caption: str, label: str, form: str, foot: str) -> str:
    """The head again on each page; letters and gaps smaller where there are many columns."""
    small = "\\scriptsize\\setlength{\\tabcolsep}{3pt}" if _is_broad(part) else "\\small"
    lines = [
        f"\\begingroup{small}",
        f"\\begin{{longtable}}{{{form}}}",
        f"\\caption{{{caption}}}\\label{{{label}}}\\\\",
        *_latex_head(part),
        "\\endfirsthead",
        *_latex_head(part),
        "\\endhead",
        "\\bottomrule",
        "\\endfoot",
        *_latex_rows(part),
        "\\end{longtable}",
    ]
    return "\n".join([*lines, f"{foot}\\par\\endgroup"])


def _is_broad(part: Part) -> bool:
    return len(part.table.columns) >= MANY and part.holds == "numbers"


def _latex_head(part: Part) -> list[str]:
    first, *others = map(latex_text, heads(part))
    head = latex_row([first if part.keys else "", *others])
    return ["\\toprule", head, "\\midrule"]


def _latex_rows(part: Part) -> list[str]:
    return [latex_row([latex_cell(cell) for cell in row]) for row in part.table.itertuples()]


def latex_cell(cell: object) -> str:
    """A cell in LaTeX, the best of its column bold."""
    text = latex_text(str(cell))
    return f"\\textbf{{{text}}}" if is_bold(cell) else text


def latex_row(cells: Sequence[str]) -> str:
    """A line of a table; the command that ends the one before would take a bracket or a star."""
    first, *others = cells
    guard = "{}" if first.startswith(("[", "*")) else ""
    return f"{guard}{' & '.join([first, *others])} \\\\"


def _column_format(part: Part) -> str:
    """Flush right for numbers; broken lines for words, the last column widest."""
    count = len(part.table.columns)
    if part.holds == "numbers":
        return "l" * (1 + part.keys) + "r" * (count - part.keys)
    narrow = f"p{{{0.55 / count:.3f}\\textwidth}}"
    return f"{narrow * count}p{{0.35\\textwidth}}"


def latex_text(text: str) -> str:
    """The text in LaTeX, with the tables' symbols as mathematics."""
    escaped = escaping.latex(text).replace("alpha = ", r"$\alpha$ = ")
    return escaped.replace("E[A]", "$E[A]$").replace("Var[A]", r"$\mathrm{Var}[A]$")
