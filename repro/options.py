"""Options that several commands share. Nothing heavy is imported: --help loads this."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])
STUDIES = Path("studies")
# As `tables.PARTS` and `disparity.DEFINITIONS`, which are too heavy to load for --help.
PARTS = [
    "results",
    "groups",
    "accuracy",
    "false_alarms",
    "areas",
    "comparisons",
    "specification",
    "verdict",
]
DEFINITIONS = ["amini2019", "dehaan2020", "fijen2020"]


def _complete_study(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    return [str(p) for p in sorted(STUDIES.glob("*.yaml")) if str(p).startswith(incomplete)]


def results(command: Command) -> Command:
    """The option of every command that reads or writes results."""
    return click.option(
        "--results",
        default=Path("results"),
        show_default=True,
        type=click.Path(file_okay=False, path_type=Path),
        help="Folder of the records.",
    )(command)


def variant(command: Command) -> Command:
    """Options of every command that takes a study."""
    command = click.option(
        "--set",
        "overrides",
        multiple=True,
        metavar="KEY=VALUE",
        help="Change a choice, e.g. epochs=2 or data.train=FILE.h5; repeatable.",
    )(command)
    command = click.option("--profile", help="One of the study's profiles [default: its first].")(
        command
    )
    return results(command)


def places(command: Command) -> Command:
    """Options of every command that executes runs, or would."""
    command = click.option(
        "--device",
        default="cpu",
        show_default=True,
        help="Where runs train: cpu, cuda, or several GPUs as cuda:0,cuda:1.",
    )(command)
    return click.option(
        "--workers",
        type=click.IntRange(min=1),
        help="Runs at a time, one thread each [default: one a core, or four a GPU].",
    )(command)


def presentation(*parts: str) -> Callable[[Command], Command]:
    """Options of every command that prints tables, of which these can be asked for alone."""

    def decorate(command: Command) -> Command:
        command = click.option(
            "--part", type=click.Choice(parts), help="One table of the full style alone."
        )(command)
        command = click.option(
            "--definition",
            type=click.Choice(DEFINITIONS),
            help="What E[A] and Var[A] are [default: as the published source has it].",
        )(command)
        return click.option(
            "--style",
            type=click.Choice(["paper", "full"]),
            help="The paper's two columns, or all [default: full for Markdown and HTML].",
        )(command)

    return decorate


def with_images(command: Command) -> Command:
    """The option of every command that draws pictures."""
    return click.option(
        "--with-images",
        is_flag=True,
        help="Show real faces, too; without it only synthetic ones are written to files.",
    )(command)


def form(default: str) -> Callable[[Command], Command]:
    """The option of every command that prints tables."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["latex", "markdown", "html", "csv"]),
        default=default,
        show_default=True,
    )


study_file = click.argument(
    "study", type=click.Path(path_type=Path), shell_complete=_complete_study
)
