"""Which format a file has, and files that nobody should open."""

import os
import time

import pytest

from repro.analysis.audit.reading.grid import NotATable
from repro.analysis.audit.reading.grids import read_grids

CSV = "arm,a\nx,1\n"
MARKDOWN = "|arm|a|\n|-|-|\n|x|1|\n"
LATEX = "\\begin{tabular}{ll} arm & a \\\\ x & 1 \\\\ \\end{tabular}\n"
JSON = '[{"arm": "x", "a": 1}]'
ALIGNED = "arm  a\nx    1\n"
TEXTS = {
    "separated values": CSV,
    "Markdown": MARKDOWN,
    "LaTeX": LATEX,
    "JSON": JSON,
    "aligned text": ALIGNED,
}


@pytest.mark.parametrize("suffix", ["", ".txt", ".csv", ".out"])
@pytest.mark.parametrize(("form", "text"), TEXTS.items())
def test_the_content_tells_the_format(grid, form, text, suffix):
    """Whatever the file is called, and the table says what it was read as."""
    found = grid(f"a{suffix}", text)

    assert (found.form, found.header, found.rows[0].cells) == (form, ("arm", "a"), ("x", "1"))


@pytest.mark.parametrize(("suffix", "form"), [(".md", "Markdown"), (".tex", "LaTeX")])
def test_the_suffix_decides_between_two(grid, suffix, form):
    """A README may show both."""
    assert grid(f"a{suffix}", f"{MARKDOWN}\n{LATEX}").form == form


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("a.txt", MARKDOWN + LATEX, ": can be read as LaTeX and as Markdown: give it the suffix "),
        ("a", "Hello\n", ": holds no table that can be told: tried JSON, LaTeX, Markdown, separ"),
        ("a.csv", b"PK\x03\x04\0", ": is a ZIP archive or an Excel workbook: save the sheet as"),
        ("a.csv", b"%PDF-1.5\n", ": is a PDF: copy the table into a text file"),
        ("a.csv", "<!doctype html><p>", ": is an HTML page: copy the table into a text file"),
        ("a.txt", b"\x80\x04\x95", ":1: is not UTF-8: save it in UTF-8"),
        ("a.csv", "\n" * 100_000, ": is empty: the first line names the columns"),
        ("a.csv", "x" * 2_000_001, ": more than 2,000,000 bytes: leave rows out"),
    ],
)
def test_what_cannot_be_told_is_refused(grids, name, text, problem):
    """With what was tried, or what the file is."""
    with pytest.raises(NotATable) as caught:
        grids(name, text)
    assert f"{name}{problem}" in str(caught.value)


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda path: None, "cannot be read: No such file or directory"),
        (lambda path: path.mkdir(), "this is a folder: give a file"),
        (os.mkfifo, "this is a pipe: give a file"),
        (lambda path: path.symlink_to("/dev/zero"), "this is a device: give a file"),
    ],
)
def test_what_is_no_file_is_refused(tmp_path, make, problem):
    """Without waiting for it."""
    make(path := tmp_path / "a.csv")

    with pytest.raises(NotATable, match=problem):
        read_grids(path)


BIG = 1_900_000
HOSTILE = {
    "one cell.csv": "arm,a\n" + "x" * BIG,
    "one cell.md": "|a|b|\n|-|-|\n|" + "x" * BIG + "|1|",
    "one cell.tex": "\\begin{tabular}{l} a & b \\\\ " + "x" * BIG,
    "one cell.txt": "arm  a\n" + "x" * BIG + "  1",
    "columns.csv": ",".join(map("c{}".format, range(10_000))) + "\n1",
    "columns.md": "|" + "a|" * 10_000 + "\n|" + "-|" * 10_000 + "\n",
    "columns.tex": "\\begin{tabular}{l} " + "a & " * 10_000 + "b \\\\ \\hline 1 \\\\",
    "columns.json": "[{" + ",".join(f'"c{n}": 1' for n in range(10_000)) + "}]",
    "nested.tex": "\\begin{tabular}{l} a & b \\\\ " + "\\textbf{" * 100_000 + "} & 1 \\\\",
    "tables in tables.tex": "\\begin{tabular}{l}" * 100_000 + " a & b ",
    "tables.tex": "\\begin{tabular}{l} a & b \\\\ 1 & 2 \\\\ \\end{tabular}" * 30_000,
    "unclosed.tex": "\\begin{tabular}{ \\end{tabular} \\def\\a{" * 40_000,
    "rules.tex": "\\begin{tabular}{l} " + "\\hline" * 100_000 + " a & b \\\\",
    "brackets.tex": "\\begin{tabular}{l} a & b \\\\ " + "\\color[[" * 100_000,
    "ampersands.tex": "& " * 400_000 + "\\\\",
    "backslashes.tex": "\\" * 500_000,
    "deep.json": "[" * BIG,
    "quotes.json": '"' * BIG,
    "bars.md": "|" * BIG,
    "blanks.txt": "a" + " " * BIG + "b",
}


@pytest.mark.parametrize(("name", "text"), HOSTILE.items(), ids=HOSTILE)
def test_a_hostile_file_ends_soon_with_a_sentence(grids, name, text):
    """Two megabytes of anything take no more time than a file of their size."""
    begun = time.process_time()
    with pytest.raises(NotATable) as caught:
        grids(name, text)
    assert time.process_time() - begun < 10
    assert len(caught.value.problems[0]) < 400
