"""The command line: parse, call one function, print. Heavy imports stay inside the commands.

Exit status: 0 success, 1 user error, 2 wrong usage, 3 another process is running this study, 130 or
143 interrupted.
"""

import sys
from typing import Any

import click

from repro import __version__
from repro.cli import (
    audit,
    clean,
    completion,
    data,
    doctor,
    figures,
    new,
    plan,
    preregister,
    report,
    run,
    show,
    signals,
    status,
    studies,
    sync,
    table,
    ui,
    verify,
)
from repro.cli.shared import Group, printable
from repro.errors import Busy, ReproError
from repro.system import worker_environment

COMMANDS = (
    studies.studies,
    new.new,
    run.run,
    plan.plan,
    preregister.preregister,
    verify.verify,
    doctor.doctor,
    status.status,
    show.show,
    clean.clean,
    table.table,
    figures.figures,
    report.report,
    audit.audit,
    ui.ui,
    sync.sync,
    data.data,
    completion.completion,
)


class _Group(Group):
    """Prints a user error as plain lines, and sets the exit status."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the chosen command."""
        try:
            with signals.watched():
                worker_environment.settle()  # nothing that computes is loaded yet
                return super().invoke(ctx)
        except ReproError as error:
            click.echo(f"Error: {printable(str(error))}", err=True)
            sys.exit(3 if isinstance(error, Busy) else 1)
        except signals.Interrupted as interruption:
            signals.end(interruption.status)


HELP: dict[str, Any] = {"help_option_names": ["-h", "--help"]}


@click.group(cls=_Group, context_settings=HELP)
@click.version_option(__version__, prog_name="repro")
def main() -> None:
    """Run published machine-learning claims again and say whether they hold."""


for _command in COMMANDS:
    _command.context_settings.update(HELP)  # also if its parser is made without the group's
    main.add_command(_command)
