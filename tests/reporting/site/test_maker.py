"""Pages are made in a child process; whatever happens to it becomes a text."""

import page_makers
import pytest

from repro.reporting.site.maker import MOST_KEPT, Maker, Wish

PATIENCE = 60.0  # seconds for a process to start on a busy machine


@pytest.fixture
def making():
    """Starts what makes pages, by its `prepare`, and ends it after the test."""
    started = []
    yield lambda prepare: started.append(Maker(prepare)) or started[-1]
    for maker in started:
        maker.close()


def test_a_page_is_made_once_for_the_same_records(making):
    """And again when they have changed."""
    maker = making(page_makers.quickly)
    wish = Wish("page", "toy", "embedded")
    first = maker.get(wish, "then", patience=PATIENCE)

    assert first.content == "<p>page of toy</p>"
    assert maker.get(wish, "then") is first
    assert maker.get(wish, "now") is None
    assert maker.get(wish, "now", patience=PATIENCE) == first


def test_only_the_last_pages_are_kept(making):
    """Some take megabytes."""
    maker = making(page_makers.quickly)
    wishes = [Wish("page", f"s{n}", "x") for n in range(MOST_KEPT + 1)]
    for wish in wishes:
        maker.get(wish, "", patience=PATIENCE)

    assert [maker.get(wish, "") is None for wish in wishes[:2]] == [True, False]


def test_whoever_waits_is_told_how_far_it_is(making):
    """Nobody waits longer than asked, and a page that waits for another one says so."""
    maker = making(page_makers.slowly)
    maker.get(Wish("summary", "toy", "x"), "", patience=PATIENCE)
    slow, next_one = Wish("page", "toy", "x"), Wish("page", "other", "x")

    assert maker.get(slow, "", patience=0.5) is None
    assert maker.get(next_one, "") is None
    assert "the records are read" in maker.progress(slow)
    assert maker.progress(next_one) == "1 other pages are made before it."


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("damaged", "record.json: damaged"),
        ("defect", "a defect of this program: KeyError: 'nobody expected this'; please report it"),
        ("deadly", "the process that made this page ended (exit status 9)"),
    ],
)
def test_a_failure_is_a_text_and_the_next_page_is_made(name, told, making):
    """A process that died is replaced."""
    maker = making(page_makers.wrongly)
    made = maker.get(Wish("page", name, "x"), "", patience=PATIENCE)

    assert (made.content, made.fault) == ("", told)
    assert maker.get(Wish("page", "fine", "x"), "", patience=PATIENCE).content == "fine"


def test_a_process_that_cannot_begin_is_told(making):
    """With its reason."""
    made = making(page_makers.never).get(Wish("page", "toy", "x"), "", patience=PATIENCE)

    assert made.fault == "nothing to draw with"
