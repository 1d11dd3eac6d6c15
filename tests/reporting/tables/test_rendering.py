"""Text cells as LaTeX, Markdown and HTML."""

import re
from html.parser import HTMLParser

import pandas as pd

from repro.reporting.report import latex_tables
from repro.reporting.report.document import Sheet
from repro.reporting.tables import rendering
from repro.reporting.tables.table_part import Part


def part(**changes):
    """Two arms, the second name twice."""
    index = pd.Index(["a_b", "x | y", "x | y"], name="Arm")
    table = pd.DataFrame({"Recall": ["90 % ± 1", "—", "<1"], "Why": ["a", "b", "c"]}, index=index)
    plain = {"name": "one", "title": "A title & more.", "table": table, "remarks": ["Mind it."]}
    return Part(**(plain | changes))


EMPTY = pd.DataFrame(index=pd.Index([], name="Subject"))


def test_markdown_keeps_a_bar_inside_its_cell():
    """Title, rule, rows and remark, a blank line between."""
    assert rendering.render([part()], form="markdown", label="x").splitlines() == [
        "**A title & more.**",
        "",
        "| Arm | Recall | Why |",
        "| --- | ---: | ---: |",
        "| a_b | 90 % ± 1 | a |",
        "| x \\| y | — | b |",
        "| x \\| y | <1 | c |",
        "",
        "Mind it.",
    ]


def test_markdown_sets_words_flush_left():
    """Numbers line up by their ends, sentences by their beginnings."""
    text = rendering.render([part(holds="words")], form="markdown", label="x")

    assert "| --- | --- | --- |" in text


def test_a_part_without_rows_is_its_title_and_remarks():
    """A refusal has no table in any format."""
    texts = {
        form: rendering.render([part(table=EMPTY)], form=form, label="x")
        for form in ("markdown", "latex", "html")
    }

    assert texts["markdown"] == "**A title & more.**\n\nMind it."
    assert "tabular" not in texts["latex"]
    assert "<table" not in texts["html"]


def test_latex_escapes_titles_names_and_cells():
    """What LaTeX reads as a command is written out."""
    text = rendering.render([part()], form="latex", label="x")

    assert r"\caption{A title \& more.}" in text
    assert r"a\_b & 90 \% $\pm$ 1 & a \\" in text
    assert r"$<$1" in text


def test_latex_has_a_label_for_each_part():
    """Several tables of one study can be referred to."""
    text = rendering.render([part(), part(name="two")], form="latex", label="toy")

    assert re.findall(r"\\label\{(.*?)\}", text) == ["tab:toy-one", "tab:toy-two"]


def test_latex_breaks_words_into_lines():
    """Every column of sentences has a width, together less than the page."""
    text = rendering.render([part(holds="words")], form="latex", label="x")
    widths = re.findall(r"p\{(0\.\d+)\\textwidth\}", text)

    assert len(widths) == 3
    assert sum(map(float, widths)) < 1


def test_latex_shrinks_wide_tables_of_numbers():
    """Seven columns do not fit a page as they are."""
    wide = part(table=pd.DataFrame({str(i): ["1"] for i in range(7)}, index=["a"]))
    text = rendering.render([wide], form="latex", label="x")

    assert text.index("\\resizebox") < text.index("\\begin{tabular}")
    assert "\\end{tabular}}" in text


class _Tags(HTMLParser):
    """Counts what is open and what is named."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_a_page_is_well_formed_and_asks_for_nothing():
    """Every element closed, headings and header cells named, no address in it."""
    page = rendering.render([part(), part(name="two")], form="html", label="toy")
    tags = _Tags()
    tags.feed(page)

    assert tags.open == []
    assert [tag for tag, _ in tags.seen].count("h2") == 2
    assert not [a for _, a in tags.seen if {"src", "href"} & set(a)]
    assert {a["scope"] for tag, a in tags.seen if tag == "th"} == {"col", "row"}


def test_a_page_escapes_cells():
    """A less-than sign is no tag."""
    assert "&lt;1" in rendering.render([part()], form="html", label="toy")


def test_a_table_longer_than_a_page_goes_over_several_in_latex():
    """Its head stands on each; fewer rows float."""
    rows = pd.DataFrame({"Recall": ["1"] * 60}, index=pd.Index(["x"] * 60, name="Arm"))
    long = rendering.render([part(table=rows)], form="latex", label="x")
    short = rendering.render([part(table=rows[:40])], form="latex", label="x")

    assert long.count(r"& Recall \\") == 2
    assert (r"\begin{longtable}{lr}" in long, r"\begin{table}" in long) == (True, False)
    assert (r"\begin{longtable}" in short, r"\begin{table}[ht]" in short) == (False, True)


def test_a_long_table_keeps_its_caption_its_label_and_its_remarks():
    """In this order."""
    rows = pd.DataFrame({"Recall": ["1"] * 60}, index=pd.Index(["x"] * 60, name="Arm"))
    text = rendering.render([part(table=rows)], form="latex", label="x")
    places = [text.index(what) for what in (r"\caption{A title", r"\label{tab:x}", "Mind it.")]

    assert places == sorted(places)


def test_rows_with_the_same_name_say_in_each_what_they_are_of():
    """The name and the key stand in every row, their heads above them, in LaTeX and HTML."""
    latex, html = (rendering.render([part(keys=1)], form=f, label="x") for f in ("latex", "html"))

    assert "\\begin{tabular}{llr}" in latex
    assert "Arm & Recall & Why \\\\" in latex
    assert html.count('<th scope="row">x | y</th><th scope="row">') == 2


def test_every_panel_of_a_report_says_what_its_rows_are_of():
    """A table that is broken into panels repeats the keys beside the names."""
    columns = {"Threshold": ["logit 0", "5 %"]} | {f"Number {i}": ["1" * 20] * 2 for i in range(9)}
    table = pd.DataFrame(columns, index=pd.Index(["x", "x"], name="Arm"))
    panels = latex_tables.panels(Sheet(part=part(table=table, keys=1), heading="H", anchor="a"))

    assert len(panels) > 1
    assert all("logit 0" in one.rows[0] and "Threshold" in one.head for one in panels)
