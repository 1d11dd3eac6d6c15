"""How far a long count is."""

import io
import sys

from repro.system import count_progress, screen


class Terminal(io.StringIO):
    """A terminal that keeps what it shows."""

    def isatty(self):
        """It is one."""
        return True


def test_a_terminal_shows_a_bar(monkeypatch):
    """With what is done, how much of it, and of how much; names are no markup."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    with count_progress.counting("reading [b]x", 4, unit="pictures") as advance:
        advance(4)

    assert "reading [b]x" in sys.stderr.getvalue()
    assert "4/4" in sys.stderr.getvalue()


def test_a_terminal_shows_bytes_in_their_size(monkeypatch):
    """Nobody counts bytes."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    with count_progress.counting("x.h5", 2_000_000, unit="bytes") as advance:
        advance(1_000_000)

    assert "1.0/2.0 MB" in sys.stderr.getvalue()


def test_a_pipe_gets_a_line_now_and_then(monkeypatch, capsys):
    """At most one in ten seconds."""
    times = iter([0, 5, 11, 11, 12])
    monkeypatch.setattr(count_progress.time, "monotonic", lambda: next(times))
    with count_progress.counting("decoding", 300, unit="pictures") as advance:
        for _ in range(3):
            advance(100)

    assert capsys.readouterr().err == "decoding: 200 of 300 pictures\n"


def test_a_pipe_gets_megabytes(monkeypatch, capsys):
    """Of a download."""
    times = iter([0, 11, 11])
    monkeypatch.setattr(count_progress.time, "monotonic", lambda: next(times))
    with count_progress.counting("x.h5", 1_263_889_489, unit="bytes") as advance:
        advance(5_000_000)

    assert capsys.readouterr().err == "x.h5: 5 of 1,264 MB\n"


def gone_through(what, times, monkeypatch):
    """All items of a loop whose clock shows these times."""
    monkeypatch.setattr(count_progress.time, "monotonic", lambda: next(times))
    with count_progress.each(what, "abc", unit="arms") as items:
        return [*items]


def test_a_short_loop_shows_nothing(monkeypatch):
    """A bar that comes and goes at once says nothing."""
    monkeypatch.setattr(sys, "stderr", Terminal())

    assert gone_through("table", iter([0.0, 0.1, 0.2, 0.3]), monkeypatch) == ["a", "b", "c"]
    assert sys.stderr.getvalue() == ""


def test_a_long_loop_shows_how_far_it_is(monkeypatch):
    """From the first item that ends after two seconds on."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    clock = iter([0.0, 1.0, *[3.0] * 10_000])

    assert gone_through("table", clock, monkeypatch) == ["a", "b", "c"]
    assert "table" in sys.stderr.getvalue()
    assert "3/3" in sys.stderr.getvalue()


def test_a_loop_within_something_drawn_draws_nothing(monkeypatch):
    """Two bars would overwrite each other."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    with screen.drawing():
        assert gone_through("table", iter([0.0, *[3.0] * 10]), monkeypatch) == ["a", "b", "c"]

    assert sys.stderr.getvalue() == ""


def test_where_no_progress_is_wanted_none_is_shown(monkeypatch):
    """Within the block; afterwards it is shown again."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    with count_progress.hidden(), count_progress.counting("a", 4, unit="pictures") as advance:
        advance(4)
    hidden = sys.stderr.getvalue()
    with count_progress.counting("b", 4, unit="pictures") as advance:
        advance(4)

    assert hidden == ""
    assert "4/4" in sys.stderr.getvalue()
