"""The expected cost of a study, and of the paper's own, in words."""

from collections.abc import Iterable, Iterator

from repro.execution import paper_cost
from repro.execution.calibration import Prediction
from repro.execution.measured_gpus import OnGpu
from repro.execution.paper_cost import Expected
from repro.execution.study_costs import OfPaper
from repro.reporting.terminal.progress import duration, size, staff


def in_words(expected: Prediction, *, hourly_price: float | None) -> str:
    """Time, memory, and the price if one is given.

    Args:
        expected: Prediction of `calibration`.
        hourly_price: Price of one machine, in any currency; None omits the cost.
    """
    many = expected.machines > 1
    on_each = " on each" if many else ""
    unit = "run" if expected.stack == 1 else "stack"
    said = (
        f"Expected on {_where(expected.machines)}, {_staff(expected.workers, expected.stack)}"
        f"{on_each}: {duration(expected.seconds)}; {size(expected.memory)} of memory{on_each} "
        f"({size(expected.each)} per {unit})"
    )
    if many or hourly_price is not None:
        said += f"; {expected.machine_hours:,.2f} machine-hours"
    if hourly_price is not None:
        said += f", {hourly_price * expected.machine_hours:,.2f} at {hourly_price:g} per hour"
    return said


def _where(machines: int) -> str:
    return f"{machines} machines like this one" if machines > 1 else "this machine"


def _staff(workers: int, stack: int) -> str:
    """Number of workers, and what each of them trains at a time."""
    return staff(workers) if stack == 1 else f"{staff(workers)} with stacks of {stack}"


def of_paper(found: OfPaper, *, machines: int, processor: str | None) -> Iterator[str]:
    """What the paper's own study would cost here and on cards that were measured, line by line.

    Args:
        found: Its prediction.
        machines: Number of machines like this one.
        processor: Its name; None if runs train on GPUs.
    """
    yield f"The paper's study ({_extent(found)}):"
    named = f" ({processor})" if processor else ""
    on_each = " on each" if machines > 1 else ""
    where = f"{_where(machines)}{named}, {_staff(found.workers, found.stack)}{on_each}"
    yield f"  {where}: {_time(found.here)}"
    for one in found.gpus:
        yield from _on_gpu(one, found.study.runs)
    yield (
        "Evaluation is validation after each epoch and the windows of "
        f"{found.study.portraits:,} portraits (taken as {found.windows:.0f} each). Reading files "
        "is not counted."
    )
    for one in found.gpus:
        if one.single is not None:
            yield _source(one)


def _extent(found: OfPaper) -> str:
    """Profile, runs, epochs, images and batches."""
    study, arms = found.study, [arm.configuration for arm in found.study.arms]
    used = {study.images - paper_cost.sizes(study, arm).validated for arm in arms}
    epochs, batches = ({getattr(arm, name) for arm in arms} for name in ("epochs", "batch_size"))
    return (
        f"profile {study.profile}: {study.runs} runs x {_numbers(epochs)} epochs x "
        f"{_numbers(used)} images, batch {_numbers(batches)}"
    )


def _numbers(values: Iterable[int]) -> str:
    return " or ".join(f"{value:,}" for value in sorted(values))


def _time(expected: Expected) -> str:
    return f"{duration(expected.seconds)}, evaluation {100 * expected.evaluation:.1f} % of it"


def _on_gpu(found: OnGpu, runs: int) -> Iterator[str]:
    name = f"  one {found.gpu.name}"
    if found.single is None:
        which = "all" if found.unmeasured == runs else f"{found.unmeasured} of {runs}"
        yield f"{name}: not known; {which} runs have networks or settings that were not measured"
        return
    yield f"{name}, one run after the other: {_time(found.single)}"
    if found.stacked is not None:
        how = f"{found.gpu.together} runs as one network (`repro run --stack {found.gpu.together}`)"
        yield f"{name}, {how}: {_time(found.stacked)}"


def _source(found: OnGpu) -> str:
    said = (
        f"The times of the {found.gpu.name} are estimates: steps, encoding and validation were "
        f"measured on {found.gpu.measured}, and a window is taken to cost what a held-out image "
        "does."
    )
    for batch, (low, high) in sorted(found.between.items()):
        said += f" Steps of {batch} images lie between those measured at {low} and {high}."
    return said
