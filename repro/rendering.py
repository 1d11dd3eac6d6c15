"""Parts of a document -> LaTeX, Markdown, HTML or CSV. Text cells alone, whatever they mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

import pandas as pd

Format = Literal["latex", "markdown", "html", "csv"]
DASH = "—"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A table with its title above it and remarks below it.

    Attributes:
        name: By which it can be asked for alone.
        title: In words, closed by a full stop.
        table: Text cells; the index is the first column. Empty where there are only remarks.
        remarks: Sentences.
        holds: Numbers, set flush right, or words, set flush left and broken into lines.
    """

    name: str
    title: str
    table: pd.DataFrame
    remarks: Sequence[str] = ()
    holds: Literal["numbers", "words"] = "numbers"


def render(parts: Sequence[Part], *, form: Format, label: str) -> str:
    """The parts as text.

    Args:
        parts: One or more; CSV leaves out title and remarks, with a blank line between parts.
        form: Of the text.
        label: Of the tables in LaTeX, and the title of the page in HTML.
    """
    if form == "csv":
        return "\n\n".join(part.table.to_csv(lineterminator="\n").rstrip("\n") for part in parts)
    if form == "markdown":
        return "\n\n".join(map(_markdown, parts))
    if form == "html":
        return _html(parts, label)
    alone = len(parts) == 1
    return "\n\n".join(
        _latex(part, label=f"tab:{label}" if alone else f"tab:{label}-{part.name}")
        for part in parts
    )


def _markdown(part: Part) -> str:
    lines = [f"**{part.title}**", ""]
    if len(part.table):
        header = [str(part.table.index.name), *map(str, part.table.columns)]
        rows = [[str(name), *map(str, cells)] for name, *cells in part.table.itertuples()]
        rule = "---:" if part.holds == "numbers" else "---"
        lines += [_row(header), _row(["---", *[rule] * (len(header) - 1)]), *map(_row, rows), ""]
    return "\n".join([*lines, *(f"{remark}\n" for remark in part.remarks)]).rstrip()


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
    body = "\n".join(map(_section, parts))
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<h1>{escape(title)}</h1>\n{body}\n</body>\n</html>"
    )


def _section(part: Part) -> str:
    lines = [f'<section id="{escape(part.name)}">', f"<h2>{escape(part.title)}</h2>"]
    if len(part.table):
        heads = [str(part.table.index.name), *map(str, part.table.columns)]
        head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in heads)
        words = ' class="words"' if part.holds == "words" else ""
        lines += [f'<div class="wide"><table{words}>', f"<thead><tr>{head}</tr></thead>", "<tbody>"]
        for name, *cells in part.table.itertuples():
            row = "".join(f"<td>{escape(str(cell))}</td>" for cell in cells)
            lines.append(f'<tr><th scope="row">{escape(str(name))}</th>{row}</tr>')
        lines += ["</tbody>", "</table></div>"]
    lines += [f"<p>{escape(remark)}</p>" for remark in part.remarks]
    return "\n".join([*lines, "</section>"])


def _latex(part: Part, *, label: str) -> str:
    """A booktabs table; numbers in more than six columns are shrunk to the page, by graphicx."""
    foot = "".join(f"\\par\\smallskip\\footnotesize {_latex_text(r)}\n" for r in part.remarks)
    if not len(part.table):
        return f"\\paragraph{{{_latex_text(part.title)}}}\n{foot}".rstrip("\n")
    columns = [_latex_text(str(name)) for name in part.table.columns]
    body = part.table.map(_latex_text)
    body.columns = pd.Index(columns)
    body.index = pd.Index([_latex_text(str(name)) for name in part.table.index])
    styled = body.reset_index(names="").style.hide(axis="index") if _repeats(body) else body.style
    text = styled.to_latex(
        hrules=True,
        column_format=_column_format(part),
        caption=_latex_text(part.title),
        label=label,
        position="ht",
        position_float="centering",
    )
    if len(columns) > 6 and part.holds == "numbers":
        text = text.replace("\\begin{tabular}", "\\resizebox{\\textwidth}{!}{%\n\\begin{tabular}")
        text = text.replace("\\end{tabular}", "\\end{tabular}}")
    return text.replace("\\end{table}", f"{foot}\\end{{table}}").rstrip("\n")


def _column_format(part: Part) -> str:
    """Flush right for numbers; broken lines for words, the last column widest."""
    columns = len(part.table.columns)
    if part.holds == "numbers":
        return "l" + "r" * columns
    narrow = f"p{{{0.55 / columns:.3f}\\textwidth}}"
    return f"{narrow * columns}p{{0.35\\textwidth}}"


def _repeats(body: pd.DataFrame) -> bool:
    """Whether a name heads several rows, which pandas' styles refuse."""
    return not body.index.is_unique


_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"$<$",
    ">": r"$>$",
    DASH: "--",
    "±": r"$\pm$",
    "×": r"$\times$",
}


def _latex_text(text: str) -> str:
    escaped = "".join(_LATEX.get(character, character) for character in text)
    escaped = escaped.replace("alpha = ", r"$\alpha$ = ")
    return escaped.replace("E[A]", "$E[A]$").replace("Var[A]", r"$\mathrm{Var}[A]$")
