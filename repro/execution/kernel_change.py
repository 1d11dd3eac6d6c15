"""Keeps a study from silently computing its runs with other kernels than its records name.

A compiler that is gone, a home that cannot be written, or a forgotten ``--stack`` would change the
name of every run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from repro.analysis import wording
from repro.errors import RecordError, ReproError
from repro.execution import planning
from repro.execution.executors import hardware
from repro.execution.executors.executor_options import Asked, Kernels
from repro.records import records, stack_names
from repro.records.records import Computation, Record, StudyIndex
from repro.records.task import Task
from repro.training.kernels import c_library

OTHER: Mapping[str, Kernels] = {"blocked": "torch", "torch": "blocked"}


def refuse(missing: Sequence[Task], *, asked: Asked, index: StudyIndex) -> None:
    """Refuse to train runs that other kernels have finished, unless kernels were asked for.

    And runs that the kernels of their names cannot compute here.

    Args:
        missing: Runs without a record.
        asked: What the user says of kernels and stacks.
        index: Of the study.

    Raises:
        ReproError: There are such runs.
        LaterRelease: The stored index is of a schema that this release does not know.
    """
    if why := reason_to_stop(missing, asked=asked, index=index):
        raise ReproError(f"{index.address}: {why}")


def refuse_to_verify(
    found: Sequence[Record], computation: Computation, *, asked: Asked, study: str
) -> None:
    """Refuse to compare records with runs of other kernels, unless kernels were asked for.

    Args:
        found: The records.
        computation: How they would be computed now.
        asked: What the user says of kernels and stacks.
        study: For the message.

    Raises:
        ReproError: Their kernels are others.
    """
    sizes = [size for one in found if (size := stack_names.count(_kernels(one)))]
    if sizes and asked.stack is None:
        raise ReproError(
            f"{study}: {_were(sizes)}, and would be compared with single runs: pass --stack "
            f"{sizes[0]} to train them again as they were, or --stack 1 if that is meant"
        )
    there = OTHER.get(computation.kernels)
    made = [one for one in found if there and _kernels(one) == there]
    if _is_open(computation, asked) and made:
        raise ReproError(f"{study}: {_sentence(len(made), computation.kernels)}")


def _kernels(record: Record) -> str:
    """Those of a record; empty in records of schema 1."""
    return str(record.computation.get("kernels", ""))


def reason_to_stop(missing: Sequence[Task], *, asked: Asked, index: StudyIndex) -> str:
    """Why `refuse` refuses, in words; empty if it does not."""
    if not missing:
        return ""
    if why := _of_precision(missing):
        return why
    now = missing[0].computation
    if asked.stack is None and (size := _stack_before(missing, index)):
        ended = _count(missing, stack_names.kernels(size))
        return _of_stack([size] * ended) if ended else ""
    if not _is_open(now, asked):
        return ""
    ended = _count(missing, OTHER[now.kernels])
    return _sentence(ended, now.kernels) if ended else ""


def _of_precision(missing: Sequence[Task]) -> str:
    """Why kernels cannot compute the precision of a run; whether there are kernels is known."""
    for task in missing:
        precision = task.configuration.precision
        if precision == "bf16" and (why := c_library.cannot(task.computation.kernels, precision)):
            return (
                f"arm {task.arm} is of precision bf16, and blocked kernels cannot compute it here "
                f"({why}): pass --kernels torch"
            )
    return ""


def _of_stack(sizes: Sequence[int]) -> str:
    return (
        f"{_were(sizes)}, and would be trained again singly: pass --stack {sizes[0]} to go on as "
        "before, or --stack 1 if that is meant"
    )


def _were(sizes: Sequence[int]) -> str:
    """That so many runs were trained as stacks of such sizes."""
    verb = "was" if len(sizes) == 1 else "were"
    shown = wording.joined([f"{size:,}" for size in sorted(set(sizes))])
    return f"{wording.count(len(sizes), 'run')} of it {verb} trained in stacks of {shown}"


def _stack_before(missing: Sequence[Task], index: StudyIndex) -> int | None:
    """The size of the stacks in which the study was run last; None if singly, or never."""
    results = missing[0].results
    before = planning.index_there(index, results)
    for _, _, key in before.wanted() if before else ():
        if records.has_record(key, results):
            try:
                return stack_names.count(_kernels(records.read_record(key, results)))
            except RecordError:
                continue
    return None


def _is_open(computation: Computation, asked: Asked) -> bool:
    """Whether nobody has said which kernels compute; on a GPU, and in stacks, is no choice."""
    has_choice = computation.device == "cpu" and computation.kernels in OTHER
    return has_choice and hardware.asked_kernels(asked.kernels) is None


def _count(missing: Sequence[Task], kernels: str) -> int:
    """The number of runs of which these kernels have made a record."""
    names: dict[str, list[str]] = {}
    return sum(_has_other(task, kernels, names) for task in missing)


def _has_other(task: Task, kernels: str, names: dict[str, list[str]]) -> bool:
    """Whether these kernels have made a record of a run; `names` holds those of each arm."""
    if task.source is not None:  # its source run is asked about as well
        return False
    if task.arm not in names:
        digests = records.run_digests(
            task.configuration,
            data=task.data,
            computation=replace(task.computation, kernels=kernels),
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
