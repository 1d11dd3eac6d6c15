"""Whole studies on a GPU without MLflow, singly or as stacks; for `gpu_checks` and `gpu_cells`."""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import embedded
from gpu_place import Place

from repro.execution import runner
from repro.execution.executors import hardware
from repro.execution.executors.base import Executor
from repro.execution.executors.local import Local
from repro.execution.executors.stacks import Stacks
from repro.records import records
from repro.records.record import Record
from repro.study import study, study_files


def singly(device: str, workers: int | None) -> Local:
    """Where each run is a network, so many at once; None: as many as fit."""
    return Local(hardware.slots(device, workers))


def as_stacks(device: str, size: int) -> Stacks:
    """Where so many runs are one network, in one process."""
    return Stacks(hardware.slots(device, 1, stacked=True), size)


def run(
    file: Path,
    results: Path,
    executor: Executor,
    *,
    profile: str | None = None,
    changes: Sequence[str] = (),
) -> float:
    """Execute a study; the seconds from its plan to its last record.

    Args:
        file: Of the study.
        results: The results folder.
        executor: Not begun.
        profile: Of the study.
        changes: Of it, KEY=VALUE.
    """
    loaded, begin = study.load(file, profile=profile, overrides=changes), time.perf_counter()
    with executor:
        runner.run(loaded, results, executor=executor, on_event=lambda event: None)
    return time.perf_counter() - begin


def by_key(results: Path) -> dict[str, Record]:
    """All records."""
    keys = [path.name for path in (results / "runs").iterdir()]
    return {key: records.read_record(key, results) for key in keys}


def timed(place: Place, stack: int | None, changes: Sequence[str]) -> dict[str, Any]:
    """A row; see `gpu_cells.study`."""
    executor = as_stacks(place.device, stack) if stack else singly(place.device, None)
    file = study_files.find("alpha_sweep").path
    with tempfile.TemporaryDirectory(prefix="repro-gpu-study-") as folder:
        own = embedded.TOY if place.toy else changes
        took = run(file, Path(folder), executor, changes=own)
        made = by_key(Path(folder))
    failed = sum(one.failure is not None for one in made.values())
    how = f"{stack} as one network" if stack else f"singly, {executor.workers} at once"
    what = ", ".join([f"study of {len(made)} runs", how, *changes])
    note = f"whole study in {took:.1f} s" + (f"; {failed} runs failed" if failed else "")
    return {"what": what, "ms": round(1000 * took, 1), "note": note}
