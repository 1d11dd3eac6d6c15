"""`repro run`: what stands on a terminal at its end."""

import io
import sys

import pytest
from faults import studies

from repro.cli import main
from repro.records.mlflow import mirror_process


class Terminal(io.StringIO):
    """A standard output that shows colours."""

    encoding = "utf-8"

    def isatty(self):
        """As a terminal says."""
        return True


@pytest.mark.parametrize("colours", [True, False])
def test_its_table_has_the_colours_of_a_terminal(colours, tmp_path, monkeypatch):
    """And not their codes as text; where nobody wants colours there are none."""
    file = studies.toy(tmp_path)
    with studies.canned():
        studies.run_here(file, tmp_path / "results")
        monkeypatch.setattr(mirror_process, "Scribe", studies.Nothing)
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.delenv("NO_COLOR", raising=False)
        if not colours:
            monkeypatch.setenv("NO_COLOR", "1")
        terminal = Terminal()
        monkeypatch.setattr(sys, "stdout", terminal)
        options = ["--results", str(tmp_path / "results"), "--executor", "inline", "--quiet"]
        main(["run", str(file), *options], standalone_mode=False)

    assert "toy@embedded" in terminal.getvalue()
    assert "\\x1b" not in terminal.getvalue()
    assert ("\x1b[" in terminal.getvalue()) is colours
