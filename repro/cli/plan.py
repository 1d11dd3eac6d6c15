"""``repro plan``: which runs would be trained, why, and the expected cost."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from repro.cli import options
from repro.cli.shared import load, warn
from repro.execution.executors.executor_options import Place
from repro.system.printing import say

if TYPE_CHECKING:
    from repro.execution.planning import Plan
    from repro.records.records import StudyIndex
    from repro.records.task import Task
    from repro.study.study import Study

Line = tuple[Callable[[str], None], str]  # what prints it, and its text


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
    from repro.execution import measuring, planning, stackable
    from repro.execution.executors import hardware
    from repro.execution.executors.executor_registry import executor_at

    resolved = load(study, profile, overrides)
    stackable.refuse(resolved, place)
    with executor_at(place, resolved.resources, remark=warn) as executor:
        planned = planning.plan(resolved, results, computation=executor.computation)
    slots = _slots(place, resolved)
    is_measured = bool(planned.missing or resolved.paper) and not no_calibration
    if is_measured:
        measuring.require(slots)
    if planned.missing and place.address is None and place.stacked is None:
        kernels = hardware.kernels_on(slots[0].partition(":")[0], place.kernels)
        if not kernels.fell_back:  # of which the executor has told
            say(kernels, err=True)
    lines = [*_told(resolved, planned, place, results)]
    if is_measured:
        expected = _expected(resolved, planned, slots, place, machines, hourly_price)
        lines += [(say, one) for one in expected]
    for tell, line in lines:  # all of them or none: nothing is told before an error
        tell(line)


def _slots(place: Place, study: "Study") -> list[str]:
    """The device of each worker of this machine."""
    from repro.execution.executors import hardware

    taken = study.resources.model_copy(update=dict(place.taken))
    is_stacked = place.stacked is not None
    found = hardware.slots(place.device, place.workers, taken, stacked=is_stacked)
    return found[:1] if place.executor == "inline" else found


def _told(study: "Study", planned: "Plan", place: Place, results: Path) -> Iterator[Line]:
    """What is known without a measurement."""
    from repro.execution import kernel_change, planning, source_records, staleness

    missing = planned.missing
    if stop := kernel_change.reason_to_stop(missing, asked=place.asked, index=planned.index):
        yield warn, f"`repro run` stops: {stop}"
    if stop := source_records.without_weights(missing, planned.states):
        yield warn, f"`repro run` stops: {stop}"
    why = staleness.reasons(missing, planned.index, results) | staleness.earlier(planned.ended)
    for one in _runs(planned, why):
        yield say, one
    if told := _changed(planned.index, results):
        yield warn, told
    planned, dropped = planning.with_detectors(planned, results)
    for one in dropped:
        yield warn, one
    for one in _doubts(study, planned, results):
        yield say, one
    total = len(planned.tasks)
    yield say, f"{total} runs: {total - len(missing)} have a record, {len(missing)} to run"
    if missing and place.stacked:
        yield say, _in_stacks(missing, place.stacked)


def _in_stacks(missing: Sequence["Task"], size: int) -> str:
    """How many stacks the runs are, and how much of them is copies."""
    from repro.analysis import wording
    from repro.execution import stack_cost

    stacks = stack_cost.stacks_of(missing, size)
    said = f"In stacks of {size}: {wording.count(stacks, 'stack')}"
    if copies := stacks * size - len(missing):
        said += f", of whose {stacks * size:,} networks {copies:,} are copies that fill them up"
    return said


def _runs(planned: "Plan", why: Mapping[str, str]) -> Iterator[str]:
    """A line for each run: its state, and the reason for it if there is one, by key."""
    for task in planned.tasks:
        state = {"finished": "done", "failed": "failed"}.get(planned.states[task.key], "to run")
        reason = f": {why[task.key]}" if task.key in why else ""
        after = f" (after {task.source.arm}, seed {task.seed})" if task.source else ""
        yield f"{state:7} {task.key} {task.title}{after}{reason}"


def _changed(planned: "StudyIndex", results: Path) -> str | None:
    """A sentence if the study file is not what was run last."""
    from repro.records import records

    path = records.index_path(planned, results)
    before = records.read_index(path).file_digest if path.exists() else None
    if before in (None, planned.file_digest):
        return None
    return (
        "the study file was changed after the last run: tables show what was run then, until "
        "`repro run` has run it"
    )


def _doubts(study: "Study", planned: "Plan", results: Path) -> Iterator[str]:
    """What the study will not be able to tell, however it ends."""
    yield from _unsupported_rates(study)
    yield from _of_clusters(planned, study)
    yield from _of_claims(study, planned, results)
    if study.published is None or planned.index.synthetic:
        return
    from repro.analysis import study_data
    from repro.records import records
    from repro.reporting.tables import verdict_notes

    found = {task.key: records.read_record(task.key, results) for task in planned.ended}
    yield from verdict_notes.before_training(study_data.of_study(planned.index, found, None))


def _of_clusters(planned: "Plan", study: "Study") -> Iterator[str]:
    """What clusters of portraits leave of the intervals, before anything is scored."""
    from repro.analysis import portrait_clusters
    from repro.data import sources
    from repro.records import portraits

    column = planned.index.portraits.cluster if planned.index.portraits else ""
    if not column:
        return
    known = portraits.from_csv(planned.portraits).values()
    for spec in dict.fromkeys(arm.configuration.data.test for arm in study.arms):
        names, groups = sources.portraits(spec).names, sources.groups(spec)
        shown = next(one.cluster for one in known if one.cluster.keys() == set(names))
        found = portrait_clusters.of_portraits(column, groups, [shown[name] for name in names])
        yield from portrait_clusters.of_clusters(found) if found else ()


def _of_claims(study: "Study", planned: "Plan", results: Path) -> list[str]:
    """What the runs can tell of each claim, and what stands in its way."""
    if not study.claims:
        return []
    from repro.analysis import claim_prospects, study_data
    from repro.data import sources
    from repro.records import portraits, records
    from repro.reporting.tables import claim_prospect_notes

    found = {task.key: records.read_record(task.key, results) for task in planned.ended}
    data = {arm.name: arm.configuration.data for arm in study.arms}
    groups = {one: sources.groups(one.test) for one in set(data.values())}
    shown = portraits.from_csv(planned.portraits) if planned.portraits else {}
    outcomes = study_data.of_study(planned.index, found, results, shown=shown)
    outlooks = claim_prospects.of_study(
        outcomes,
        groups={name: sorted(set(groups[one])) for name, one in data.items()},
        photographs={
            name: len(sources.groups(one.nonfaces)) if one.nonfaces else 0
            for name, one in data.items()
        },
    )
    return claim_prospect_notes.of_claims(outlooks, cluster=outcomes.cluster)


def _unsupported_rates(study: "Study") -> Iterator[str]:
    """The false-positive rates for which too few photographs are declared."""
    from repro.reporting.tables import threshold_notes
    from repro.study.data_spec import SyntheticScenes

    counts = {
        arm.configuration.data.nonfaces.photographs
        for arm in study.arms
        if isinstance(arm.configuration.data.nonfaces, SyntheticScenes)
    }
    for reason in threshold_notes.too_few(study.false_positive_rates, sorted(counts)):
        yield f"false_positive_rates: {reason}"


def _expected(
    study: "Study",
    planned: "Plan",
    slots: list[str],
    place: Place,
    machines: int,
    price: float | None,
) -> Iterator[str]:
    """The expected cost of the missing runs and of the paper's study, measured on this machine."""
    from repro.cli import expected_cost
    from repro.execution import study_costs
    from repro.execution.executors import hardware
    from repro.system import machine

    what = f"a stack of {place.stacked} runs" if place.stacked else "a run"
    say(f"Measuring the cost of {what} on this machine ...", err=True)
    kernels = planned.tasks[0].computation.kernels
    if place.stacked:
        kernels = hardware.kernels_on(slots[0].partition(":")[0], place.kernels).name
    found = study_costs.costs(
        study,
        planned.missing,
        slots=slots,
        kernels=kernels,
        machines=machines,
        shared=place.executor != "ray",
        stack=place.stacked or 1,
    )
    if found.missing:
        yield expected_cost.in_words(found.missing, hourly_price=price)
    if found.paper:
        processor = machine.processor_name() if slots[0] == "cpu" else None
        yield from expected_cost.of_paper(found.paper, machines=machines, processor=processor)
