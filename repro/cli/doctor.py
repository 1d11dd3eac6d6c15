"""``repro doctor``: checks what in a results folder is intact."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from repro.cli import options
from repro.system.printing import say

if TYPE_CHECKING:
    pass


@click.command()
@options.results
def doctor(results: Path) -> None:
    """Say what in the results folder is whole, what is not, and what to do about it."""
    from repro.execution import doctor as examination

    findings = examination.examine(results)
    say(examination.summary(findings))
    sys.exit(1 if examination.needs_mending(findings) else 0)
