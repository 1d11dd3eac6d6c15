"""What a study is expected to cost, in words."""

from repro.execution.calibration import Prediction
from repro.reporting.terminal.progress import duration, size, staff


def in_words(expected: Prediction, *, hourly_price: float | None) -> str:
    """Time, memory, and where it matters what is paid for.

    Args:
        expected: What `calibration` predicts.
        hourly_price: Of one machine, in any currency; None leaves the cost out.
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
