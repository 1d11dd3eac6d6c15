"""What several commands do alike: load a study, say a warning."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from repro.study import Study


def load(wanted: str, profile: str | None, overrides: tuple[str, ...]) -> "Study":
    """The study of a name or a path, with a command's options laid over it.

    Of a name, the file that is used is said on standard error.
    """
    from repro import study, study_files

    found = study_files.find(wanted)
    if not study_files.is_path(wanted):
        instead = f" (in place of the shipped {found.hides})" if found.hides else ""
        click.echo(printable(f"Study: {found.path}{instead}"), err=True)
    return study.load(found.path, profile=profile, overrides=overrides)


def warn(line: str) -> None:
    """Say a warning on standard error."""
    click.echo(f"Warning: {printable(line)}", err=True)


def printable(text: str) -> str:
    """Lines of text that leave a terminal as it is, whatever a name in them holds."""
    from repro import yamlfile

    return "\n".join(map(yamlfile.printable, text.splitlines()))
