"""The page of a report in a browser: from the disk, without a network, for everybody."""

import os
import shutil

import pytest
from report_chapters import chapter, hostile, judged

from repro.reporting.report import report_files

sync_api = pytest.importorskip("playwright.sync_api", reason="there is no Playwright here")
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 400, "height": 800}

pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium here")


@pytest.fixture(scope="module")
def browser():
    """One for all tests of this module."""
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=BROWSER, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Of a report of three studies."""
    folder = tmp_path_factory.mktemp("report")
    page, *_ = report_files.build([judged(), hostile(), chapter(name="other")], folder)
    return page.as_uri()


@pytest.fixture
def opened(browser, address):
    """The page on a wide screen; what went wrong and what was asked for in `noted`."""
    page = browser.new_page(viewport=WIDE)
    page.noted = []
    page.on("console", lambda message: page.noted.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: page.noted.append(str(error)))
    page.on("dialog", lambda dialog: page.noted.append(f"dialog: {dialog.message}"))
    page.on("request", lambda request: page.noted.append(request.url))
    page.goto(address)
    yield page
    page.close()


def test_a_page_opens_without_an_error_or_another_host(opened, address):
    """Nothing on the console, no dialog, no request but for the file and what stands in it."""
    opened.wait_for_load_state("load")

    assert [one for one in opened.noted if one != address and not one.startswith("data:")] == []


def test_tables_and_figures_are_there(opened):
    """Every figure has dots, every table rows, and the verdict can be seen."""
    assert opened.evaluate("[...document.images].every(one => one.naturalWidth > 0)")
    assert opened.locator("img").count() == 3
    assert opened.evaluate("[...document.querySelectorAll('table')].every(t => t.rows.length > 1)")
    assert opened.get_by_text("cannot tell").first.is_visible()


def test_the_first_tab_skips_to_the_report(opened):
    """Whoever has no mouse need not walk through the contents."""
    opened.keyboard.press("Tab")
    focused = opened.locator(":focus")

    assert focused.inner_text() == "Skip to the report"
    assert focused.bounding_box()["x"] >= 0
    opened.keyboard.press("Enter")
    assert opened.evaluate("document.activeElement.id") == "content"


def test_a_row_leads_to_its_runs(opened):
    """From the paper's table to the first run of the arm."""
    opened.locator("#toy-embedded-table-paper tbody a").nth(1).click()
    row = opened.locator(":target")

    assert row.locator("th").inner_text() == "alpha = 0.1"
    assert row.locator("td").first.inner_text() == "0"


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_a_page_has_no_barrier_that_a_machine_can_find(opened, viewport):
    """All rules of axe: names, headings, landmarks, contrast, keyboard."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="there is no axe here"
    )
    opened.set_viewport_size(viewport)

    found = axe.Axe().run(opened).response["violations"]

    assert [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found] == []


def test_a_page_fits_a_phone(opened):
    """Wide tables scroll by themselves; the page does not."""
    opened.set_viewport_size(PHONE)

    assert opened.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_a_page_prints(opened, tmp_path):
    """On paper nothing is left to scroll, and what is only for screens is gone."""
    opened.emulate_media(media="print")

    assert not opened.locator(".skip").is_visible()
    for place in opened.locator(".wide").all():
        assert place.evaluate("one => getComputedStyle(one).overflowX") == "visible"
    assert opened.pdf(path=os.fspath(tmp_path / "report.pdf"), prefer_css_page_size=True)
