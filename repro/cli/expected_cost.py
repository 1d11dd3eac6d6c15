"""The expected cost of a study, in words."""

from repro.execution.calibration import Prediction
from repro.reporting.terminal.progress import duration, size, staff


def in_words(expected: Prediction, *, hourly_price: float | None) -> str:
    """Time, memory, and the price if one is given.

    Args:
        expected: Prediction of `calibration`.
        hourly_price: Price of one machine, in any currency; None omits the cost.
    """
    many = expected.machines > 1
    where = f"{expected.machines} machines like this one" if many else "this machine"
    on_each = " on each" if many else ""
    said = (
        f"Expected on {where}, {staff(expected.workers)}{on_each}: "
        f"{duration(expected.seconds)}; {size(expected.memory)} of memory{on_each} "
        f"({size(expected.each)} per run)"
    )
    if many or hourly_price is not None:
        said += f"; {expected.machine_hours:,.2f} machine-hours"
    if hourly_price is not None:
        said += f", {hourly_price * expected.machine_hours:,.2f} at {hourly_price:g} per hour"
    return said
