"""The pages that ``repro ui`` opens, in a browser without a window, where one is installed."""

import shutil
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from builders import study_index
from mirrors import RECORD, TABLE, copy_template, runs_of, template

from repro.metrics import Count
from repro.records import records
from repro.records.mlflow import study_pages
from repro.records.mlflow.mirror import Mirror, experiment_name
from repro.records.mlflow.server import view_url

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next((path for path in map(shutil.which, BROWSERS) if path is not None), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason=f"none of {', '.join(BROWSERS)} is on PATH")

ARMS = {"alpha = 0.1": ["a-seed0", "a-seed1"], "No debias": ["b-seed0", "b-seed1"]}
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><path d="M0 0h9v9"/></svg>'
OPTIONS = [
    "--no-sandbox",  # tests may run as root
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
NOT_OURS = (
    "/ajax-api/2.0/mlflow/users/current",  # MLflow's pages ask who is logged in; nobody can be
    "/ajax-api/3.0/mlflow/assistant/",  # refused: it would start programs
    "ResizeObserver loop completed",  # a remark on layout, harmless, that its pages log as error
)
PATIENCE = 60_000  # milliseconds; two busy cores need a tenth


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A study of two arms with two seeds each, mirrored."""
    folder = tmp_path_factory.mktemp("pages") / "results"
    copy_template(template(tmp_path_factory), folder)
    write_mirror(folder)
    return folder


@pytest.fixture(scope="module")
def url(results):
    """The study's view in MLflow, to which its page of ``repro ui`` links, while it is served."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "repro.cli", "ui", "toy", "--results", str(results)]
    with subprocess.Popen(
        [*command, "--port", str(port)], stdout=subprocess.PIPE, text=True
    ) as server:
        guard = threading.Timer(120, server.terminate)  # one that never listens
        guard.start()
        try:
            assert "starting" in server.stdout.readline()
            assert server.stdout.readline().strip().endswith("/studies/toy/embedded/")
            guard.cancel()
            yield view_url(results, port, experiment_name(study_index(ARMS)))
        finally:
            guard.cancel()
            server.terminate()
            server.wait(30)


def write_mirror(results):
    """What running the study would leave."""
    index = study_index(ARMS)
    mirror = Mirror(results)
    records.write_index(index, results)
    for arm, seed, key in index.wanted():
        found = Count(8, 6 + seed)
        metrics = RECORD.metrics | {"recall": found.share}
        record = replace(RECORD, key=key, seed=seed, groups={"darker": found}, metrics=metrics)
        records.write_record(record, results, {"model.safetensors": b"weights"})
        mirror.add(index, arm, records.read_record(key, results))
    text = study_pages.text(index, TABLE, answer="Bias falls by 4.")
    mirror.finish(index, text, files={"figures/recall.svg": SVG})


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as engine:
        program = engine.chromium.launch(executable_path=BROWSER, args=OPTIONS)
        yield program
        program.close()


@pytest.fixture
def page(browser):
    """A page of a browser that was never here before."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(PATIENCE)
    yield page
    page.close()


def sections(page):
    """The titles of the sections of charts, from the top."""
    titles = page.get_by_test_id("experiment-view-compare-runs-section-header")
    titles.nth(3).wait_for()
    return [text.split()[0] for text in titles.all_inner_texts()]


def unfold(page):
    """Show the whole description of the study."""
    page.locator("[data-component-id='mlflow.experiment.metadata_editor.expand_button']").click()


def summary_page(page):
    """What the link under the study's table opens."""
    unfold(page)
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Tables and figures").click()
    opened.value.set_default_timeout(PATIENCE)
    opened.value.get_by_text("Show more").click()
    return opened.value


def test_a_study_opens_with_its_arms_and_the_results_on_top(page, url):
    """Nobody needs to click: groups and charts are there at once."""
    page.goto(url)

    for arm in ARMS:
        page.get_by_text(f"Group: {arm}").first.wait_for()
    page.get_by_text("test/recall", exact=True).first.wait_for()
    assert sections(page) == ["test", "val", "train", "debias"]
    assert page.get_by_text("Unassigned").count() == 0  # an arm for what has none


def test_a_study_says_its_answer_and_shows_its_figures_after_one_click(page, url):
    """The answer is the line of the description that is always seen."""
    page.goto(url)
    page.get_by_text("Bias falls by 4.").first.wait_for()
    unfold(page)

    page.get_by_role("cell", name="alpha 0.1", exact=True).wait_for()
    picture = page.locator("img[src^='get-artifact?path=figures%2Frecall.svg']")
    picture.wait_for()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 40


def test_tables_and_figures_stand_on_a_page_of_their_own(page, url):
    """The study's description links to it."""
    page.goto(url)
    summary = summary_page(page)

    summary.get_by_role("cell", name="alpha 0.1", exact=True).wait_for()
    picture = summary.locator("img[src^='get-artifact?path=figures%2Frecall.svg']")
    picture.wait_for()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 40


def test_the_checkpoint_is_an_artifact_of_its_run(page, url, results):
    """Beside the record, so that nobody has to look for a folder."""
    run = runs_of(results, "toy/embedded")[0]
    page.goto(f"{url.partition('/runs?')[0]}/runs/{run.info.run_id}/artifacts")

    page.get_by_text("model.safetensors").first.wait_for()
    page.get_by_text("record.json").first.wait_for()


def test_the_pages_ask_no_other_host_and_report_no_error(page, url):
    """Results may be confidential; an error would be a view that MLflow does not understand."""
    asked, errors = set(), []

    def log(message):
        if message.type == "error":
            errors.append(f"{message.location['url']}: {message.text}")

    page.context.on("request", lambda request: asked.add(urlsplit(request.url)))
    page.context.on("console", log)
    page.context.on("weberror", lambda error: errors.append(str(error.error)))
    page.goto(url)
    sections(page)
    summary_page(page).get_by_role("cell", name="alpha 0.1", exact=True).wait_for()

    assert {one.hostname for one in asked if one.scheme not in ("data", "blob")} == {"127.0.0.1"}
    assert [line for line in errors if not any(known in line for known in NOT_OURS)] == []
