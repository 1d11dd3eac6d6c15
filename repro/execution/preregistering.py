"""What a study declares before its results, and which of its runs have a record already."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from repro import __version__
from repro.analysis.looks import level_of
from repro.execution import planning, staleness
from repro.execution.planning import Plan
from repro.records import records
from repro.records.records import Computation
from repro.records.task import Task
from repro.study.section import digest
from repro.study.study import Study


def planned_runs(study: Study, results: Path, *, computation: Computation) -> Plan:
    """All runs that a study can ask for: with a rule to stop those of its last look."""
    most = study.stop.at_most if study.stop else None
    return planning.plan(study, results, computation=computation, seeds=most)


def content(study: Study, planned: Plan, results: Path, *, now: datetime) -> dict[str, Any]:
    """A preregistration as plain values.

    Args:
        study: Resolved.
        planned: Its runs, from `planned_runs`.
        results: The results folder.
        now: Time of the declaration, with its zone.

    Returns:
        ``study``, ``date``, ``digest``, ``program``, ``records`` and ``declared``. The digest is
        that of all but the date and the program.
    """
    fixed = {
        "study": planned.index.address,
        "records": _records(planned, results),
        "declared": declared(study, {task.arm: task.data for task in planned.tasks}),
    }
    return {
        "study": fixed["study"],
        "date": now.isoformat(timespec="seconds"),
        "digest": digest(fixed),
        "program": f"repro {__version__}",
        "records": fixed["records"],
        "declared": fixed["declared"],
    }


def declared(study: Study, data: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """The choices of a study that its results must not change.

    Args:
        study: Resolved.
        data: For each arm's name, the digests of its data.
    """
    return {
        "question": study.question,
        "claims": [
            {**one.claim.model_dump(mode="json", exclude_none=True), "arms": list(one.arms)}
            for one in study.claims
        ],
        **({"gap_share": study.gap_share.model_dump(mode="json")} if study.gap_share else {}),
        "stop": {
            "looks": list(study.looks),
            "level": level_of(study.looks),
            "rule": study.stop.model_dump(mode="json") if study.stop else None,
        },
        "seeds": {"first": study.first_seed, "replicates": study.replicates},
        "select": study.select.model_dump(mode="json"),
        "reference": study.reference,
        "compare": study.compare.model_dump(mode="json"),
        "false_positive_rates": list(study.false_positive_rates),
        "margin": study.margin.model_dump(mode="json") if study.margin else None,
        "changed": list(study.overrides),
        "arms": [
            {
                "name": arm.name,
                "select": arm.select.model_dump(mode="json") if arm.select else None,
                "configuration": arm.configuration.identity(),
                "data": dict(data[arm.name]),
            }
            for arm in study.arms
        ],
    }


def _records(planned: Plan, results: Path) -> dict[str, Any]:
    """Which runs have a record: a sentence, their keys, and the number of all runs.

    A run that was computed otherwise, as on a GPU, is known as well as one of the same key.
    """
    alike = staleness.kin(planned.tasks, planned.index, results)
    keys: dict[str, Task] = {}
    for task in planned.tasks:
        if records.has_record(task.key, results):
            keys[task.key] = task
        choices = task.configuration.identity()
        same = alike.get((task.seed, digest(choices)), ())
        keys |= {one.key: task for one in same if one.data == task.data}
    there = list({id(task): task for task in keys.values()}.values())
    return {
        "said": said(there, len(planned.tasks)),
        "exist": list(keys),
        "of": len(planned.tasks),
    }


def said(there: Sequence[Task], of: int) -> str:
    """Which runs have a record, in one sentence."""
    if not there:
        return "no run of this study has a record"
    seeds = defaultdict(list)
    for task in there:
        seeds[task.arm].append(task.seed)
    told = "; ".join(f"{arm} seeds {ranges(own)}" for arm, own in seeds.items())
    have = "has" if len(there) == 1 else "have"
    return f"{len(there):,} of {of:,} runs {have} a record already: {told}"


def ranges(seeds: Iterable[int]) -> str:
    """Numbers as text: ``0-3, 7``."""
    runs: list[list[int]] = []
    for seed in sorted(seeds):
        if runs and seed == runs[-1][-1] + 1:
            runs[-1][1:] = [seed]
        else:
            runs.append([seed])
    return ", ".join("-".join(map(str, run)) for run in runs)
