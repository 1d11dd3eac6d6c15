"""Keeps a study from silently computing its finished runs again with other kernels.

A compiler that is gone, or a home that cannot be written, would change the name of every run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from repro.analysis import wording
from repro.errors import ReproError
from repro.execution.executors import hardware
from repro.execution.executors.executor_options import Kernels
from repro.records import records
from repro.records.records import Computation, Record
from repro.records.task import Task

OTHER: Mapping[str, Kernels] = {"blocked": "torch", "torch": "blocked"}


def refuse(missing: Sequence[Task], *, asked: Kernels | None, study: str) -> None:
    """Refuse to train runs that other kernels have finished, unless kernels were asked for.

    Args:
        missing: Runs without a record.
        asked: Kernels of the option, if it was given.
        study: For the message.

    Raises:
        ReproError: There are such runs.
    """
    if why := reason_to_stop(missing, asked=asked):
        raise ReproError(f"{study}: {why}")


def refuse_to_verify(
    found: Sequence[Record], computation: Computation, *, asked: Kernels | None, study: str
) -> None:
    """Refuse to compare records with runs of other kernels, unless kernels were asked for.

    Args:
        found: The records.
        computation: How they would be computed now.
        asked: Kernels of the option, if it was given.
        study: For the message.

    Raises:
        ReproError: Their kernels are others.
    """
    there = OTHER[computation.kernels]
    made = [one for one in found if one.computation.get("kernels") == there]
    if _is_open(computation, asked) and made:
        raise ReproError(f"{study}: {_sentence(len(made), computation.kernels)}")


def reason_to_stop(missing: Sequence[Task], *, asked: Kernels | None) -> str:
    """Why `refuse` refuses, in words; empty if it does not."""
    if not missing or not _is_open(missing[0].computation, asked):
        return ""
    names: dict[str, list[str]] = {}
    ended = sum(_has_other(task, names) for task in missing)
    return _sentence(ended, missing[0].computation.kernels) if ended else ""


def _is_open(computation: Computation, asked: Kernels | None) -> bool:
    """Whether nobody has said which kernels compute; on a GPU there is no choice."""
    return computation.device == "cpu" and hardware.asked_kernels(asked) is None


def _has_other(task: Task, names: dict[str, list[str]]) -> bool:
    """Whether the other kernels have made a record of a run; `names` holds those of each arm."""
    if task.source is not None:  # its source run is asked about as well
        return False
    if task.arm not in names:
        other = replace(task.computation, kernels=OTHER[task.computation.kernels])
        digests = records.run_digests(
            task.configuration,
            data=task.data,
            computation=other,
            plugins=task.plugin_digests,
        )
        names[task.arm] = [*digests]
    keys = (records.key_of(one, task.seed) for one in names[task.arm])
    return any(records.has_record(key, task.results) for key in keys)


def _sentence(count: int, here: str) -> str:
    there = OTHER[here]
    now = hardware.kernels_on("cpu", None)
    again = "mend that and start the same again" if now.fell_back else f"pass --kernels {there}"
    return (
        f"{wording.count(count, 'run')} of it, computed with {there} kernels, would be computed "
        f"again with {here} ones, {now.why}: {again} to go on as before, or pass --kernels {here} "
        "if that is meant"
    )
