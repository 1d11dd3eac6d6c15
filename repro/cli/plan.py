"""``repro plan``: which runs would be trained, why, and the expected cost."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from repro.cli import options
from repro.cli.shared import load, warn
from repro.execution.executors.executor_options import Place

if TYPE_CHECKING:
    from repro.records.task import Task


@click.command()
@options.study_file
@options.variant
@options.places
@click.option(
    "--no-calibration",
    is_flag=True,
    help="Do not measure the cost of a run; omits the expected time and memory.",
)
@click.option(
    "--machines",
    default=1,
    show_default=True,
    type=click.IntRange(min=1),
    help="Number of machines like this one that share the study.",
)
@click.option(
    "--hourly-price",
    type=click.FloatRange(min=0),
    help="Price per hour of one machine, in any currency; gives the cost.",
)
def plan(
    study: str,
    profile: str | None,
    overrides: tuple[str, ...],
    results: Path,
    place: Place,
    no_calibration: bool,
    machines: int,
    hourly_price: float | None,
) -> None:
    """List the runs of STUDY, done or to be trained and why, and the time and memory to expect.

    STUDY is a file, or a name: ./NAME.yaml, ./studies/NAME.yaml or the shipped study.
    """
    from repro.execution import planning, staleness
    from repro.execution.executors import hardware
    from repro.execution.executors.executor_registry import executor_at

    resolved = load(study, profile, overrides)
    with executor_at(place, resolved.resources, remark=warn) as executor:
        planned = planning.plan(resolved, results, computation=executor.computation)
    slots = hardware.slots(place.device, place.workers, resolved.resources)
    missing = planned.missing
    why = staleness.reasons(missing, planned.index, results) | staleness.earlier(planned.ended)
    for task in planned.tasks:
        state = {"finished": "done", "failed": "failed"}.get(planned.states[task.key], "to run")
        reason = f": {why[task.key]}" if task.key in why else ""
        click.echo(f"{state:7} {task.key} {task.title}{reason}")
    total = len(planned.tasks)
    click.echo(f"{total} runs: {total - len(missing)} have a record, {len(missing)} to run")
    if missing and not no_calibration:
        click.echo(_expected(missing, slots, machines, hourly_price))


def _expected(
    missing: "Sequence[Task]", slots: list[str], machines: int, price: float | None
) -> str:
    """The expected cost of the missing runs, measured on this machine."""
    from repro.cli import expected_cost
    from repro.execution import calibration

    click.echo("Measuring the cost of a run on this machine ...", err=True)
    expected = calibration.predict(missing, slots=slots, machines=machines)
    return expected_cost.in_words(expected, hourly_price=price)
