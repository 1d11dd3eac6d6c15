"""The pages of studies in a browser: what each shows, and that nobody is kept out."""

import asyncio
import re
import shutil
from pathlib import Path

import mirrors
import pytest
import reference_detectors
import scored_study
from mirrors import INDEX, write_study

from repro.cli import page_making
from repro.records import records
from repro.records.mlflow import page_links
from repro.records.mlflow.mirror import Mirror
from repro.reporting.site import application, listing, maker
from repro.reporting.site.application import Studies
from repro.reporting.site.maker import Made

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
PHONE = {"width": 400, "height": 800}
HOSTILE = "<script>alert(1)</script> & \"two\" 'three'"


class Direct:
    """Makes pages in this process, at once."""

    def __init__(self, results):
        """Of a results folder."""
        self.answer = page_making.prepare(results)

    def get(self, wish, _stamp, patience=0.0):
        """As `Maker.get`."""
        try:
            return self.answer(wish, lambda _: None)
        except maker.ReproError as error:
            return Made(fault=str(error))


class Never:
    """Makes no page."""

    def get(self, *_, **__):
        """As `Maker.get`."""

    def progress(self, _):
        """As `Maker.progress`."""
        return "For 7 s now: the figures are drawn."


def ask(studies, path):
    """Status, text and headers of an answer."""
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(studies({"type": "http", "path": path}, None, send))
    return sent[0]["status"], sent[1]["body"].decode(), dict(sent[0]["headers"])


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A study with scores, one without, one whose index is damaged, one without a record."""
    results = tmp_path_factory.mktemp("site") / "results"
    scored_study.write(results)
    write_study(results)
    path = results / "studies" / "broken" / "embedded.json"
    path.parent.mkdir()
    path.write_text("{")
    new = scored_study.study_index({HOSTILE: ["n-seed0"]}, name="new", question=HOSTILE)
    records.write_index(new, results)
    return results


@pytest.fixture(scope="module")
def mirrored(results, tmp_path_factory):
    """The same, with the small study in MLflow."""
    copy = tmp_path_factory.mktemp("mirrored") / "results"
    shutil.copytree(results, copy)
    mirrors.copy_template(mirrors.template(tmp_path_factory), copy)
    mirror = Mirror(copy)
    for key in ("a-seed0", "a-seed1"):
        mirror.add(INDEX, "alpha 0.1", records.read_record(key, copy))
    return copy


@pytest.fixture(scope="module")
def pages(mirrored):
    """The text of every page by a short name."""
    studies, waits = Studies(mirrored, Direct(mirrored)), Studies(mirrored, Never())
    return {
        "start": ask(studies, "/studies/")[1],
        "study": ask(studies, "/studies/toy/embedded/")[1],
        "in MLflow": ask(studies, "/studies/alpha_sweep/embedded/")[1],
        "damaged": ask(studies, "/studies/broken/embedded/")[1],
        "new": ask(studies, "/studies/new/embedded/")[1],
        "waiting": ask(waits, "/studies/toy/embedded/")[1],
        "reading": ask(waits, "/studies/")[1],
    }


def test_the_start_page_lists_every_study(pages):
    """Its question, how far it is, and its page; a damaged one with its reason."""
    page = " ".join(re.sub(r"<[^>]+>", " ", pages["start"].partition("<body")[2]).split())

    assert "4 in results" in page
    assert "toy profile embedded Does it? It declares no claim" in page
    assert "9 of 9 runs done" in page
    assert "2 of 2 runs done, 1 of them failed" in page
    assert "No run has a record yet. 0 of 1 runs done" in page
    assert "Cannot be read:" in page
    assert 'href="/studies/toy/embedded/"' in pages["start"]


def test_what_detectors_find_is_no_answer(results, tmp_path):
    """The list prints it as a remark, not as bold as an answer, also where no claim is declared."""
    copy = tmp_path / "results"
    shutil.copytree(results, copy)
    (copy / "studies" / "broken" / "embedded.json").unlink()
    (copy / "studies" / "new" / "embedded.json").unlink()
    (copy / "studies" / "alpha_sweep" / "embedded.json").unlink()
    reference_detectors.write(copy, "Haar")
    page = ask(Studies(copy, Direct(copy)), "/studies/")[1]

    assert '<p class="remark">For comparison, without training here' in page
    assert 'class="answer"' not in page


def test_a_page_leads_to_each_run_in_mlflow(mirrored, pages):
    """By the identifiers that its database has; where the study is not there, it says so."""
    links = page_links.of_study(mirrored, INDEX)
    page = pages["in MLflow"].replace("&amp;", "&")

    assert set(links.runs) == {("alpha 0.1", "a-seed0"), ("alpha 0.1", "a-seed1")}
    assert f'<a href="{links.runs["alpha 0.1", "a-seed0"]}">seed 0</a>' in page
    assert f'<a href="{links.runs["alpha 0.1", "a-seed1"]}">seed 1, failed</a>' in page
    assert f'<a href="{links.study}">Runs in MLflow</a>' in page
    assert "2 of 2 runs done, 1 of them failed." in page
    assert "The study is not in MLflow yet" in pages["study"]


def test_a_page_that_is_not_ready_is_loaded_again_by_the_browser(results, monkeypatch):
    """It says how far it is; no script is needed."""
    monkeypatch.setattr(application, "PATIENCE", 0.0)
    status, text, headers = ask(Studies(results, Never()), "/studies/toy/embedded/")

    assert (status, headers[b"refresh"]) == (200, b"2")
    assert "For 7 s now: the figures are drawn." in text
    assert b"refresh" not in ask(Studies(results, Direct(results)), "/studies/")[2]


def test_damaged_and_missing_results_are_told(pages):
    """With the reason, and what to do."""
    assert "The page of broken cannot be made" in pages["damaged"]
    assert "embedded.json: damaged" in pages["damaged"]
    assert "<code>repro doctor</code>" in pages["damaged"]
    assert "no run has a record yet" in pages["new"]


@pytest.mark.parametrize(
    "path",
    [
        *("/studies/toy", "/studies/toy/other/", "/studies/nobody/embedded/", "/studies//"),
        *("/studies/toy/embedded/no.csv", "/studies/..%2Ftoy/embedded/", "/studies/../../etc/"),
        *("/studies/toy/..%2F..%2Fruns/", "/studies/*/embedded/"),
    ],
)
def test_what_is_no_page_is_404(results, path):
    """No path leads out of the studies."""
    status, text, _ = ask(Studies(results, Direct(results)), path)

    assert status == 404
    assert "There is no such page" in text


def test_a_table_that_a_page_links_to_is_a_download(results):
    """As the browser is told."""

    class Filed(Never):
        def get(self, *_, **__):
            return Made(content="x", files={"tables/runs.csv": b"1,2\n"})

    status, text, headers = ask(Studies(results, Filed()), "/studies/toy/embedded/tables/runs.csv")

    assert (status, text, headers[b"content-type"]) == (200, "1,2\n", b"text/csv")
    assert headers[b"content-disposition"] == b"attachment"


def test_a_study_is_read_again_when_a_record_came(results, tmp_path):
    """The stamp of its entry changes, and nothing is read for it."""
    copy = tmp_path / "results"
    shutil.copytree(results, copy)
    before = listing.find(copy, "toy", "embedded")
    shutil.rmtree(copy / "runs" / "0.1-seed0")
    after = listing.find(copy, "toy", "embedded")

    assert (before.done, after.done, before.wanted) == (9, 8, 9)
    assert before.stamp != after.stamp


def test_no_text_of_a_study_is_taken_for_html(pages):
    """Neither its question nor the name of an arm."""
    assert "<script" not in "".join(pages.values())
    assert "&lt;script&gt;alert(1)" in pages["start"]


@pytest.fixture(scope="module")
def browser():
    """One for all pages."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="there is no Playwright here")
    if BROWSER is None:
        pytest.skip("there is no Chromium here")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=BROWSER, args=ARGUMENTS)
        yield opened
        opened.close()


def test_no_page_has_a_barrier_that_a_machine_can_find(browser, pages):
    """All rules of axe, and no page is wider than a phone."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="there is no axe here"
    )
    page, found = browser.new_page(viewport=PHONE), {}
    for name, text in pages.items():
        page.set_content(text)
        violations = axe.Axe().run(page).response["violations"]
        found[name] = [(one["id"], one["nodes"][0]["html"][:200]) for one in violations]
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"], name
    page.close()

    assert found == {name: [] for name in pages}


def test_the_program_of_the_server_is_where_the_command_says():
    """It is started as a file, not imported."""
    from repro.cli import ui

    assert Path(ui.SERVER).is_file()
