"""Render tables as LaTeX, Markdown or HTML. Works on text cells only."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from repro.reporting import escaping
from repro.reporting.tables import column_widths, latex_table
from repro.reporting.tables.table_part import BELOW, Markup, Part, by_column, heads, is_bold
from repro.system.printing import as_markdown

LETTERS, GAP = 150, 3  # letters per line of a page, and between two columns, approximately


def render(parts: Sequence[Part], *, form: Markup, label: str, opening: Sequence[str] = ()) -> str:
    """The parts as text for people.

    Args:
        parts: One or more.
        form: Markup of the text.
        label: Label of the tables in LaTeX, and title of the page in HTML.
        opening: Sentences before them, in LaTeX as comments: the answer of the study.
    """
    if form == "markdown":
        before = [as_markdown(" ".join(opening))] if opening else []
        return "\n\n".join([*before, *map(_markdown, parts)])
    if form == "html":
        return _html(parts, label, opening)
    named = f"tab:{escaping.anchor(label)}"
    alone = len(parts) == 1
    comments = "".join(f"% {' '.join(sentence.split())}\n" for sentence in opening)
    return comments + "\n\n".join(
        latex_table.table(part, label=named if alone else f"{named}-{part.name}") for part in parts
    )


def _markdown(part: Part) -> str:
    lines = [f"**{as_markdown(part.title)}**", ""]
    if len(part.table):
        header = heads(part)
        rows = [[str(name), *map(_marked, cells)] for name, *cells in part.table.itertuples()]
        rule = "---:" if part.holds == "numbers" else "---"
        lines += [_row(header), _row(["---", *[rule] * (len(header) - 1)])]
        lines += map(_row, rows[: part.above])
        if part.below:
            lines.append(_row([f"*{BELOW}*", *[""] * (len(header) - 1)]))
        lines += [*map(_row, rows[part.above :]), ""]
    return "\n".join([*lines, *(f"{as_markdown(remark)}\n" for remark in part.remarks)]).rstrip()


def _marked(cell: object) -> str:
    return f"**{cell}**" if is_bold(cell) else str(cell)


def _row(cells: Sequence[str]) -> str:
    escaped = (as_markdown(cell.replace("|", "\\|").replace("\n", " ")) for cell in cells)
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
.below { border-top: 1px solid; }
.below th[colspan] { font-weight: normal; font-style: italic; }
p { max-width: 60rem; margin: .5rem 0; }
@media print { .wide { overflow: visible; } table { font-size: 8pt; } }
"""


def _html(parts: Sequence[Part], title: str, opening: Sequence[str]) -> str:
    """One self-contained page."""
    first = f'<p class="answer">{escape(" ".join(opening))}</p>\n' if opening else ""
    body = first + "\n".join(html_section(part, anchor=part.name) for part in parts)
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
        anchor: Id of the section.
        level: Level of the heading.
        heading: Replaces the part's title, which then becomes the caption above the table.
        number: Text before the caption, such as ``Table 1.``
        links: For rows of these names, the id that they link to.
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
        if part.below and position == part.above:
            yield f'</tbody>\n<tbody class="below"><tr>{_html_below(part)}</tr>'
        title = _html_text(name)
        if name in links:
            title = f'<a href="#{escape(links[name])}">{title}</a>'
        own = f' id="{escape(targets[position])}"' if position in targets else ""
        keys = "".join(f'<th scope="row">{_html_text(cell)}</th>' for cell in cells[: part.keys])
        row = "".join(f"<td>{_html_text(cell)}</td>" for cell in cells[part.keys :])
        yield f'<tr{own}><th scope="row">{title}</th>{keys}{row}</tr>'
    yield "</tbody>"


def _html_below(part: Part) -> str:
    """The heading of the rows below the rule, over all columns."""
    return f'<th scope="rowgroup" colspan="{len(heads(part))}">{escape(BELOW)}</th>'


def _html_text(cell: object) -> str:
    text = column_widths.breakable(str(cell), at="letters")
    escaped = escape(text).replace(column_widths.BREAK, "<wbr>")
    return f"<b>{escaped}</b>" if is_bold(cell) else escaped


def _letters(part: Part) -> str:
    """The preferred width of a table of sentences, which the styles may limit."""
    if part.holds == "numbers":
        return ""
    return f' class="words" style="--letters: {sum(_widths(part)):.0f}"'


def _column_widths(part: Part) -> str:
    """Widths of columns of sentences; columns of numbers size themselves."""
    found = _widths(part)
    cols = "".join(f'<col style="width: {100 * one / sum(found):.1f}%">' for one in found)
    return f"<colgroup>{cols}</colgroup>"


def _widths(part: Part) -> list[float]:
    texts = [
        [column_widths.breakable(text, at="letters") for text in column]
        for column in by_column(part)
    ]
    return column_widths.widths(texts, LETTERS, measure=lambda text: len(text) + GAP)
