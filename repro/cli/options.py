"""Options that several commands share. Imports nothing heavy, because --help loads this."""

import functools
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast, get_args

import click

from repro.cli import completion_words
from repro.execution.executors.executor_options import (
    MOST_STACKED,
    MOST_WORKERS,
    ExecutorName,
    Kernels,
    Place,
)

Command = TypeVar("Command", bound=Callable[..., Any])
# Same as `tables.PARTS` and `disparity.DEFINITIONS`, which are too heavy to load for --help.
PARTS = [
    "claims",
    "gap_share",
    "placebos",
    "results",
    "groups",
    "inequality",
    "accuracy",
    "false_alarms",
    "areas",
    "tone",
    "comparisons",
    "specification",
    "verdict",
]
ASKED_FOR = ("curve", "tone_curve", "withdrawn")  # same as `tables.ASKED_FOR`
AMOUNT = click.FloatRange(min=0, min_open=True, max=1024)
PLACES = [
    click.option(
        "--executor",
        type=click.Choice(get_args(ExecutorName)),
        default="local",
        show_default=True,
        help="Processes here, only this process (for a debugger), or a Ray cluster.",
    ),
    click.option(
        "--address",
        metavar="HOST:PORT",
        help="Of the Ray cluster that this machine belongs to, or auto [default: start one here].",
    ),
    click.option(
        "--device",
        default="cpu",
        show_default=True,
        help="Where runs train: cpu, cuda, several GPUs as cuda:0,cuda:1, or mps (Apple's).",
    ),
    click.option(
        "--workers",
        type=click.IntRange(1, MOST_WORKERS),
        help="Concurrent runs, one thread each [default: as many as fit].",
    ),
    click.option(
        "--kernels",
        type=click.Choice(get_args(Kernels)),
        help="What computes networks on a processor [default: REPRO_KERNELS, or blocked if there "
        "is a C compiler and the processor has AVX2 or is a 64-bit ARM].",
    ),
    click.option(
        "--stack",
        type=click.IntRange(1, MOST_STACKED),
        metavar="N",
        help="Train runs of one shape as one network, N at a time, in one process for each GPU; N "
        "is part of their names, and 1 is singly [default: singly].",
    ),
    click.option("--cpus-per-run", type=AMOUNT, help="Cores per run [default: the study's, or 1]."),
    click.option(
        "--gpus-per-run",
        type=click.FloatRange(min=0, min_open=True, max=1),
        help="Share of a GPU per run, on --device cuda and mps [default: the study's, or 0.25].",
    ),
    click.option(
        "--memory-per-run",
        type=AMOUNT,
        metavar="GB",
        help="Per run without the data, for --executor ray [default: the study's, or 1].",
    ),
    click.option(
        "--stall-minutes",
        type=click.FloatRange(min=0, min_open=True),
        default=10.0,
        show_default=True,
        help="A worker that uses no CPU time and says nothing for so long is ended, and its run "
        "continues from its checkpoint.",
    ),
]
FORMATS = ["terminal", "latex", "markdown", "html", "csv", "tsv", "json"]
PAPER = [
    click.option(
        "--decimals",
        type=click.IntRange(min=0, max=10),
        help="Decimals of percentages and points [default: 2].",
    ),
    click.option(
        "--arms",
        multiple=True,
        shell_complete=completion_words.arms,
        metavar="ARM",
        help="Show only these arms, in this order; repeatable.",
    ),
    click.option(
        "--labels",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE.yaml",
        help="Texts in place of the names of arms, groups and columns: a line NAME: TEXT for each.",
    ),
    click.option(
        "--spread",
        type=click.Choice(["sd", "interval", "none"]),
        help="After numbers: standard deviation of the runs, 95 % interval, or nothing.",
    ),
    click.option(
        "--bold",
        type=click.Choice(["best"]),
        help="Highest recall and lowest variance of the arms shown in bold, equal ones all.",
    ),
]
LAYOUT = ("decimals", "arms", "labels", "spread", "bold")  # names of the layout options
STYLE = click.option(
    "--style",
    type=click.Choice(["paper", "full"]),
    help="The paper's two columns, or all [default: full for Markdown and HTML, a summary "
    "on a terminal, else paper].",
)
DEFINITIONS = ["amini2019", "dehaan2020", "fijen2020"]
DEFINITION = click.option(
    "--definition",
    type=click.Choice(DEFINITIONS),
    help="Definition of E[A] and Var[A] [default: the published source's].",
)


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
        shell_complete=completion_words.choices,
        help="Change a choice, e.g. epochs=2 or data.train=FILE.h5; repeatable.",
    )(command)
    command = click.option(
        "--profile",
        shell_complete=completion_words.profiles,
        help="One of the study's profiles [default: its first].",
    )(command)
    return results(command)


def places(command: Command) -> Command:
    """Options of commands that execute or plan runs; the command gets them as one `Place`."""

    @functools.wraps(command)
    def with_place(
        *arguments: Any,
        executor: ExecutorName,
        device: str,
        workers: int | None,
        address: str | None,
        kernels: Kernels | None,
        stack: int | None,
        cpus_per_run: float | None,
        gpus_per_run: float | None,
        memory_per_run: float | None,
        stall_minutes: float,
        **others: Any,
    ) -> Any:
        taken = {"cpus": cpus_per_run, "gpus": gpus_per_run, "memory": memory_per_run}
        place = Place(
            executor=executor,
            device=device,
            workers=workers,
            address=address,
            kernels=kernels,
            stack=stack,
            stall_minutes=stall_minutes,
            taken={name: amount for name, amount in taken.items() if amount is not None},
        )
        return command(*arguments, place=place, **others)

    for option in reversed(PLACES):
        with_place = option(with_place)
    return cast(Command, with_place)


def run_plugins(command: Command) -> Command:
    """The option of every command that reads a bundle and could run code of it."""
    return click.option(
        "--run-plugins",
        is_flag=True,
        help="Run the plug-ins of a bundle, whose text you have read [default: stored values].",
    )(command)


def with_images(command: Command) -> Command:
    """The option of every command that draws pictures."""
    return click.option(
        "--with-images",
        is_flag=True,
        help="Show real faces, too; without it only synthetic ones are written to files.",
    )(command)


def presentation(
    default: str, *parts: str, forms: Sequence[str] = ()
) -> Callable[[Command], Command]:
    """Options of commands that print tables; the command gets them as one `Presentation`.

    Args:
        default: Format for a pipe or a file; a terminal gets its own.
        parts: Names of tables that can be requested alone.
        forms: Formats besides `FORMATS`.
    """

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def with_presentation(
            *arguments: Any,
            form: Any,
            style: Any,
            definition: str | None,
            part: str | None,
            **others: Any,
        ) -> Any:
            from repro.reporting.tables.paper_options import Layout
            from repro.reporting.tables.presentation import Presentation

            layout = Layout(**{name: others.pop(name) for name in LAYOUT})
            wanted = Presentation(
                form=form, style=style, definition=definition, part=part, layout=layout
            )
            return command(*arguments, presentation=wanted, **others)

        for option in reversed(
            [form(default, [*FORMATS, *forms]), STYLE, DEFINITION, _part(parts), *PAPER]
        ):
            with_presentation = option(with_presentation)
        return cast(Command, with_presentation)

    return decorate


def form(default: str, forms: Sequence[str]) -> Callable[[Command], Command]:
    """The option of every command that prints in several formats."""

    def on_a_terminal(_: click.Context, __: click.Parameter, value: str | None) -> str:
        return value or ("terminal" if sys.stdout.isatty() else default)

    return click.option(
        "--format",
        "form",
        type=click.Choice(forms),
        callback=on_a_terminal,
        help=f"[default: terminal on a terminal, {default} elsewhere]",
    )


def _part(parts: tuple[str, ...]) -> Callable[[Command], Command]:
    return click.option(
        "--part", type=click.Choice(parts), help="Only one table of the full style."
    )


study_file = click.argument("study", shell_complete=completion_words.studies)
