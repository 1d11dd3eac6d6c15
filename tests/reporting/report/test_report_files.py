"""A report as a page, as LaTeX and as files."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from itertools import pairwise

import jsonschema
import pytest
from report_chapters import ARMS, HOSTILE, asking, chapter, hostile, illustration, judged

from repro.errors import ReproError
from repro.reporting.report import evidence, html, latex, report_files, report_sections
from repro.reporting.tables import json_output


class _Page(HTMLParser):
    """What stands in a page, and whether every element is closed."""

    VOID = ("meta", "img", "col", "link", "br", "wbr")

    def __init__(self, text):
        super().__init__()
        self.open, self.seen = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def values(self, name):
        """Of an attribute, wherever it stands."""
        return [attributes[name] for _, attributes in self.seen if name in attributes]


def page(*chapters):
    """The page of these studies."""
    return html.render(report_sections.document(chapters))


def text_of(*chapters):
    """The LaTeX of these studies."""
    return latex.render(report_sections.document(chapters))


def test_a_page_is_well_formed_and_asks_for_nothing():
    """Every element closed, every address in the page, every id once."""
    found = _Page(page(judged(), hostile()))
    ids = found.values("id")

    assert found.open == []
    assert len(ids) == len(set(ids))
    assert all(one.startswith("data:image/") for one in found.values("src"))
    assert {one.removeprefix("#") for one in found.values("href")} <= set(ids)
    assert not any(tag in ("script", "link") for tag, _ in found.seen)


def test_heading_levels_have_no_gaps():
    """One h1; each heading at most one level below the one before."""
    for chapters in ([judged()], [judged(), hostile()]):
        tags = [tag for tag, _ in _Page(page(*chapters)).seen]
        levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]

        assert levels.count(1) == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))


def test_figures_have_their_words():
    """Alternative text, number, caption, sources."""
    text = page(chapter(drawn=[illustration(sources="Figure 3")]))
    image = next(attributes for tag, attributes in _Page(text).seen if tag == "img")

    assert image["alt"] == "Points that rise from left to right."
    assert (image["width"], image["height"]) == ("384", "288")
    assert "<b>Figure 1.</b> Five runs an arm. Corresponds to: Figure 3." in text


def test_photographs_are_carried_as_webp_and_lines_as_drawings():
    """So that the page stays small enough to open, and lines stay sharp."""
    faces = illustration()
    faces.figure.axes[0].imshow([[0, 1], [1, 0]])
    kinds = [_Page(page(chapter(drawn=[one]))).values("src")[0] for one in (illustration(), faces)]

    assert [kind.partition(";")[0] for kind in kinds] == ["data:image/svg+xml", "data:image/webp"]


def test_tables_can_be_scrolled_by_keyboard_and_read_aloud():
    """Each in a named region that takes the focus, with caption and scopes."""
    seen = _Page(page(judged())).seen
    regions = [attributes for _, attributes in seen if attributes.get("role") == "region"]

    assert all(one["tabindex"] == "0" and one["aria-label"] for one in regions)
    assert [t for t, _ in seen].count("table") == [t for t, _ in seen].count("caption")
    assert {a.get("scope") for tag, a in seen if tag == "th"} == {"col", "row"}


def test_hostile_text_is_text_in_a_page():
    """Neither an element nor an entity of its own."""
    text = page(hostile())

    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; 50 % _a_" in text


def test_hostile_text_is_text_in_latex():
    """What TeX reads as a command is written out; what it has no shape for is named."""
    text = text_of(hostile())

    assert HOSTILE not in text
    assert r"\& 50 \% \_a\_ \{b\} \textbackslash{}c $\mathdollar$d$\mathdollar$ \#e" in text
    assert "[U+65E5 U+672C] [U+1F600]" in text
    assert "日" not in text


def test_hostile_text_of_a_claim_is_text():
    """In both, and in the table of a page as in its answer."""
    one = asking(hostile(), name=HOSTILE, source=HOSTILE)

    assert "<script" not in page(one)
    assert page(one).count("whether &lt;script&gt;alert(1)&lt;/script&gt; &amp; 50 % _a_") == 1
    assert HOSTILE not in text_of(one)


def test_environments_of_latex_are_balanced():
    """Each is closed by its own name."""
    opened = []
    for verb, name in re.findall(r"\\(begin|end)\{(\w+\*?)\}", text_of(judged(), hostile())):
        if verb == "begin":
            opened.append(name)
        else:
            assert opened.pop() == name

    assert opened == []


def test_links_of_latex_lead_somewhere():
    """Every label once, every reference to a label."""
    text = text_of(judged(), chapter(name="other"))
    labels = re.findall(r"\\label\{(.*?)\}", text)

    assert len(labels) == len(set(labels))
    assert set(re.findall(r"\\hyperref\[(.*?)\]", text)) <= set(labels)


def test_a_study_without_a_record_is_written_too(tmp_path):
    """Nothing ran yet, nothing was drawn."""
    nothing = [(arm, seed) for arm in ARMS for seed in range(3)]
    found = report_files.build([chapter(missing=nothing, drawn=[])], tmp_path)

    assert [path.name for path in found] == ["report.html", "report.tex", "verdict.json"]


def test_the_same_records_give_the_same_bytes(tmp_path):
    """Page, document and figures, drawn anew."""
    once, twice = (report_files.build([judged()], tmp_path / str(at)) for at in range(2))

    names = ["report.html", "report.tex", "verdict.json", "recall.pdf"]
    assert [path.name for path in once] == names
    assert [path.read_bytes() for path in once] == [path.read_bytes() for path in twice]
    assert not list(tmp_path.rglob("*.partial"))


def test_figures_of_several_studies_do_not_overwrite_each_other(tmp_path):
    """Each file has the study's name in front."""
    found = report_files.build([chapter(), chapter(name="other")], tmp_path)

    assert [path.relative_to(tmp_path).as_posix() for path in found[3:]] == [
        "figures/toy-recall.pdf",
        "figures/other-recall.pdf",
    ]
    assert all(path.relative_to(tmp_path).as_posix() in found[1].read_text() for path in found[3:])


def test_the_conclusions_of_every_study_stand_in_a_file_for_programs(tmp_path):
    """Answer, claims and verdict, valid under the schema; null and empty without claims."""
    _, _, file, *_ = report_files.build([asking(judged()), chapter(name="other")], tmp_path)
    found = json.loads(file.read_text())
    first, second = found["studies"]

    jsonschema.validate(found, json_output.schema())
    assert first["answer"][0].startswith("On these data it cannot be told yet whether")
    assert [one["word"] for one in first["claims"]] == ["cannot tell yet"]
    assert first["verdict"] is not None
    assert (second["study"], second["answer"], second["claims"]) == ("other@embedded", None, [])


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    """In a line, with what to do."""
    (tmp_path / "file").write_text("")

    with pytest.raises(ReproError, match="cannot be written"):
        report_files.build([chapter()], tmp_path / "file")


def test_a_report_never_loads_torch():
    """It is made from records alone, on machines that cannot train."""
    probe = "import sys, repro.reporting.report.report_files; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0


def test_a_long_table_is_printed_in_part_and_written_whole(monkeypatch, tmp_path):
    """The report says so, links only to rows that it prints, and the file has every row."""
    for module in (evidence, report_sections):
        monkeypatch.setattr(module, "MOST_ROWS", 4)
    one = chapter()
    runs = sum(len(arm.keys) for arm in one.index.arms)
    report_files.build([one], tmp_path)
    shown = (tmp_path / "report.html").read_text()
    rows = (tmp_path / "tables" / "runs.csv").read_text().splitlines()
    ids = _Page(shown).values("id")

    assert runs > 4
    assert len(rows) == 1 + runs
    assert f"The first 4 of {runs} rows; all of them are in tables/runs.csv." in shown
    assert 'href="tables/runs.csv"' in shown
    assert "tables/runs.csv" in (tmp_path / "report.tex").read_text().replace("\\allowbreak{}", "")
    for link in _Page(shown).values("href"):
        assert link.removeprefix("#") in ids or (tmp_path / link).is_file()
    assert [key for arm in one.index.arms for key in arm.keys if key in shown] == [
        key for arm in one.index.arms for key in arm.keys
    ][:4]
