"""What several commands do alike: load a study, say a warning."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from repro.study import Study


def load(file: Path, profile: str | None, overrides: tuple[str, ...]) -> "Study":
    """The study of a file, with a command's options laid over it."""
    from repro import study

    return study.load(file, profile=profile, overrides=overrides)


def warn(line: str) -> None:
    """Say a warning on standard error."""
    click.echo(f"Warning: {printable(line)}", err=True)


def printable(text: str) -> str:
    """Lines of text that leave a terminal as it is, whatever a name in them holds."""
    from repro import yamlfile

    return "\n".join(map(yamlfile.printable, text.splitlines()))
