"""The command line: parse, call one function, print. Heavy imports stay inside the commands.

Exit status: 0 success, 1 user error, 2 wrong usage, 3 another process is running this study, 130 or
143 interrupted, 141 nobody reads the output any more.
"""

import io
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from repro import __version__
from repro.cli import (
    audit,
    bundle,
    clean,
    completion,
    data,
    doctor,
    figures,
    new,
    plan,
    plugins,
    preregister,
    replication,
    report,
    run,
    score,
    show,
    signals,
    status,
    studies,
    sync,
    table,
    ui,
    verify,
)
from repro.cli.help_texts import with_help
from repro.cli.shared import Group
from repro.errors import Busy, ReproError
from repro.system import limits, machine, standard_streams, worker_environment
from repro.system.printing import say

COMMANDS = (
    studies.studies,
    new.new,
    plugins.plugins,
    run.run,
    score.score,
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
    bundle.bundle,
    audit.audit,
    replication.replication,
    ui.ui,
    sync.sync,
    data.data,
    completion.completion,
)


class _Group(Group):
    """Prints a user error as plain lines, and sets the exit status."""

    def main(  # type: ignore[override]  # all callers name the other arguments
        self, args: Sequence[str] | None = None, *, standalone_mode: bool = True, **options: Any
    ) -> Any:
        """Run the program: standard streams that fail or are closed cause no traceback."""
        if not standalone_mode:
            return super().main(args, standalone_mode=False, **options)
        standard_streams.prepare()
        if reason := machine.unsupported():
            _end_with(ReproError(reason))
        limits.respect_few_threads()
        try:
            status = super().main(args, standalone_mode=False, **options)
            standard_streams.end()
        except click.ClickException as error:  # it repeats what the user wrote
            said = io.StringIO()
            error.show(said)
            say(said.getvalue().rstrip("\n"), err=True)
            sys.exit(error.exit_code)
        except ReproError as error:  # of the output, such as help on a full disk
            _end_with(error)
        except click.Abort:
            sys.exit(1)
        sys.exit(status if isinstance(status, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the chosen command."""
        try:
            with signals.watched():
                worker_environment.settle()  # nothing that computes is loaded yet
                return super().invoke(ctx)
        except ReproError as error:
            _end_with(error)
        except signals.Interrupted as interruption:
            signals.end(interruption.status)


def _end_with(error: ReproError) -> NoReturn:
    say(f"Error: {error}", err=True)
    sys.exit(3 if isinstance(error, Busy) else 1)


HELP: dict[str, Any] = {"help_option_names": ["-h", "--help"]}


@click.group(cls=_Group, context_settings=HELP)
@click.version_option(__version__, prog_name="repro")
def main() -> None:
    """Run published machine-learning claims again and say whether they hold."""


for _command in COMMANDS:
    _command.context_settings.update(HELP)  # also if its parser is made without the group's
    main.add_command(with_help(_command))
