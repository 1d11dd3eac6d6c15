"""The LaTeX of a report compiles with a plain TeX, and nothing runs off the page."""

import functools
import re
import shutil
import subprocess

import pytest
from report_chapters import asking, chapter, hostile, illustration, judged

from repro.reporting.report import report_files

TOO_WIDE = 20.0  # points

pytestmark = pytest.mark.skipif(
    shutil.which("pdflatex") is None, reason="there is no pdflatex here to compile with"
)
CASES = {
    "judged": lambda: [judged()],
    "hostile": lambda: [hostile()],
    "several": lambda: [judged(), hostile(), chapter(name="many", of=20)],
    "empty": lambda: [
        chapter(missing=[(arm, seed) for arm in ("none", "alpha = 0.1") for seed in range(3)])
    ],
}


def compiled(folder):
    """Twice, as the document says; what the second run noted."""
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", report_files.TYPESET]
    for _ in range(2):
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=120)
        assert done.returncode == 0, done.stdout[-3000:].decode("latin-1")
    return (folder / "report.log").read_text(encoding="latin-1")


@pytest.fixture(scope="module")
def log_of(tmp_path_factory):
    """What TeX noted of a case; each is compiled once."""

    @functools.cache
    def log(name):
        folder = tmp_path_factory.mktemp(name)
        report_files.build(CASES[name](), folder)
        return compiled(folder)

    return log


@pytest.mark.parametrize("name", CASES)
def test_a_report_compiles_and_keeps_to_the_page(name, log_of):
    """No error, every link leads somewhere, nothing much wider than its column."""
    log = log_of(name)
    wide = [float(points) for points in re.findall(r"Overfull \\hbox \((.*?)pt too wide\)", log)]

    assert [points for points in wide if points > TOO_WIDE] == []
    assert "undefined" not in log
    assert "Rerun" not in re.sub(r"\\usepackage.*|Package: .*", "", log)


def test_no_font_has_to_be_made(log_of):
    """What TeX brings along is enough: none of the bitmaps that METAFONT would draw."""
    assert not re.findall(r"\.\d+pk", log_of("hostile"))


def test_a_large_figure_fits_the_page(tmp_path):
    """Taller and wider than paper, it is shrunk with its caption on the same page."""
    large = illustration("large")
    large.figure.set_size_inches(20, 30)
    report_files.build([chapter(drawn=[large])], tmp_path)

    assert "Overfull \\vbox" not in compiled(tmp_path)


def test_an_answer_longer_than_a_page_goes_on_on_the_next_one(tmp_path):
    """Its figure and its table of claims with all remarks; only its sentences are on grey."""
    tall = illustration("claims", caption="A sentence of a long caption. " * 20)
    tall.figure.set_size_inches(6, 6)
    report_files.build([asking(chapter(drawn=[tall]))], tmp_path)

    assert "Overfull \\vbox" not in compiled(tmp_path)
