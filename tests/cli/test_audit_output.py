"""What `repro audit` writes: the answer first, in every format, to the terminal or to a file."""

import json
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from repro.cli import main
from repro.reporting.tables import json_output

TABLE = "company,male,female,all\nFirst,10.1,20.8,15.2\nSecond,5.0,6.0,5.5\n"
SAID = "{source: Somebody (2018), printed: Table 4, unit: percent, measure: error, replicates: 1, "
SIZES = "groups: {male: 271, female: 271}}"
RESULTS = ["impossible", "contradicts", "cannot tell", "chance", "more than chance", "fits"]


@pytest.fixture
def file(tmp_path):
    """A table of two services, with what stands beside it."""
    (tmp_path / "table4.yaml").write_text(SAID + SIZES)
    path = tmp_path / "table4.csv"
    path.write_text(TABLE)
    return path


def audit(*arguments, code=0):
    """The output of the command, which must end with this status."""
    done = CliRunner().invoke(main, ["audit", *map(str, arguments)])
    assert done.exit_code == code, done.output
    return done.output


def test_the_answer_comes_first_then_the_reading_then_the_checks(file):
    """As a reviewer reads."""
    text = audit(file)
    answer, reading, checks = (
        text.index(words)
        for words in (" with what is stated", "**How the files were read.**", "| Check |")
    )

    assert answer < reading < checks
    assert text.split("\n\n")[0].count("impossible as stated") == 1
    assert "columns read as arm company" in text


def test_checks_are_in_the_order_of_what_has_to_be_asked(file):
    """First what cannot be; and each says what would settle it."""
    rows = [line.split(" | ") for line in audit(file, "--part", "findings").splitlines()[4:]]
    results = [row[2] for row in rows if len(row) > 2]

    assert results == sorted(results, key=RESULTS.index)
    assert results[0] == "impossible"
    assert "What would settle it" in audit(file, "--part", "findings")


def test_json_has_the_answer_and_is_what_the_schema_says(file):
    """Three sentences, and counts that add up."""
    text = audit(file, "--format", "json")
    found = json.loads(text)["audit"]

    Draft202012Validator(json_output.schema()).validate(json.loads(text))
    assert len(found["answer"]) == 3
    assert sum(found["counts"].values()) == len(found["findings"])
    assert found["publications"][0]["source"] == "Somebody (2018)"
    assert {one["column"]: one["role"] for one in found["columns"]["table4.csv"]} == {
        "company": "arm",
        "male": "share",
        "female": "share",
        "all": "overall",
    }


class Page(HTMLParser):
    """Tags, ids and addresses of a page."""

    def __init__(self):
        """Nothing yet."""
        super().__init__()
        self.tags, self.ids, self.addresses = [], [], []

    def handle_starttag(self, tag, attrs):
        """Note it."""
        self.tags.append(tag)
        named = dict(attrs)
        self.ids += [named["id"]] if "id" in named else []
        self.addresses += [named[name] for name in ("src", "href") if name in named]


def test_html_is_one_page_with_figures_and_nothing_from_elsewhere(file):
    """Self-contained, without scripts; ids are unique, and links lead to them."""
    text, page = audit(file, "--format", "html"), Page()
    page.feed(text)

    assert "script" not in page.tags
    assert page.tags.count("img") == 2
    assert all(one.startswith(("data:image/svg+xml;base64,", "#")) for one in page.addresses)
    assert len(page.ids) == len(set(page.ids))
    assert {one[1:] for one in page.addresses if one.startswith("#")} <= set(page.ids)
    assert text.index("with what is stated") < text.index("Checks of the published numbers")


def test_text_from_a_file_is_text_on_the_page(tmp_path):
    """A name of an arm is no element."""
    path = tmp_path / "t.csv"
    path.write_text("arm,male,female\n<b onclick=x>,90.1,80.2\nb,92.0,81.0\n")
    sizes = ("--group", "male=271", "--group", "female=271", "--runs", 1)
    text = audit(path, *sizes, "--unit", "percent", "--format", "html")

    assert "<b onclick" not in text
    assert "&lt;b onclick" in text


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("page.html", "<!doctype html>"),
        ("page.md", "1 of "),
        ("page.tex", "% "),
        ("page.json", "{"),
        ("page.csv", "check,about,result,finding"),
    ],
)
def test_the_suffix_of_the_file_tells_the_format(file, tmp_path, name, begins):
    """The file has what would be printed, and its path is printed."""
    out = tmp_path / "out" / name
    said = audit(file, "-o", out)

    assert said.strip() == str(out)
    text = out.read_text()
    assert text.startswith(begins)
    assert text == audit(file, "--format", {"md": "markdown", "tex": "latex"}.get(*[name[5:]] * 2))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("page.pdf", "its suffix is none of .html, .md, .tex, .json, .csv, .tsv; say --format"),
        ("table4.csv", "this file is audited; name another"),
    ],
)
def test_a_file_that_cannot_be_written_is_told(file, name, message):
    """Before anything is read or written."""
    out = file.parent / name

    assert message in audit(file, "-o", out, code=1)
    assert file.read_text() == TABLE


def test_publications_of_a_folder_are_audited_one_by_one(tmp_path):
    """By the sources that their descriptions name; a table that names none has its own part."""
    for name in ("x", "y"):
        (tmp_path / f"{name}.csv").write_text(TABLE)
        (tmp_path / f"{name}.yaml").write_text(SAID.replace("Somebody", name) + SIZES)
    text = audit(tmp_path)

    assert re.findall(r"^#+ .*", text, re.M) == [
        "# Audit of published numbers",
        "## x (2018)",
        "## y (2018)",
    ]
    assert text.count("with what is stated") == 2


def test_figures_are_well_formed(file):
    """As pictures in the page."""
    import base64

    found = re.findall(r"data:image/svg\+xml;base64,([^\"]+)", audit(file, "--format", "html"))

    assert [ElementTree.fromstring(base64.b64decode(one)).tag.split("}")[1] for one in found] == [
        "svg",
        "svg",
    ]
