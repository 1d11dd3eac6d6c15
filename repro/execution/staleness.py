"""Why a run must be trained: no similar record exists, or how it differs from the most similar one.

The name of a run depends on its configuration, seed, data and computation, so an outdated record
belongs to another run. This module finds the record that a user would expect to be used.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from repro.errors import RecordError
from repro.execution import source_records
from repro.records import checkpoint_store, diff, numerics, records
from repro.records.records import Record, StudyIndex
from repro.records.task import Task
from repro.study.section import digest

Kin = Mapping[tuple[int, str], Sequence[Record]]  # by seed and digest of the configuration


def reasons(missing: Sequence[Task], index: StudyIndex, results: Path) -> dict[str, str]:
    """The reason for each run without a record, by key.

    Args:
        missing: The runs.
        index: Of their study, as planned now.
        results: The results folder.
    """
    if not missing:
        return {}
    alike = kin(missing, index, results)
    before = _keys_before(index, results)
    return {task.key: _reason(task, alike, before, results) for task in missing}


def earlier(ended: Sequence[Task]) -> dict[str, str]:
    """The reason for using a record of an earlier release, for each such run by key.

    Args:
        ended: Runs with a usable record.
    """
    said = (
        "the record of an earlier release, whose code computes the same bits "
        f"(numerics {numerics.NUMERICS})"
    )
    return {task.key: said for task in ended if task.key != _own_name(task)}


def _own_name(task: Task) -> str:
    return records.run_key(
        task.configuration,
        task.seed,
        data=task.data,
        computation=task.computation,
        source=task.source.digest if task.source else None,
        plugins=task.plugin_digests,
    )


def _reason(task: Task, alike: Kin, before: Mapping[tuple[str, int], str], results: Path) -> str:
    if records.has_record(task.key, results):
        return source_records.why_again(task, results) or "its record is damaged"
    if epochs := checkpoint_store.epochs_kept(task.key, results):
        return f"continues after epoch {epochs}"
    choices = task.configuration.identity()
    relatives = list(alike.get((task.seed, digest(choices)), []))
    if not relatives and (task.arm, task.seed) in before:
        relatives = _readable([before[task.arm, task.seed]], results)
    if not relatives:
        return "new"
    found = sorted((_differences(old, task, choices) for old in relatives), key=len)
    return "; ".join(found[0])


def _differences(old: Record, task: Task, choices: Mapping[str, Any]) -> list[str]:
    return [
        *diff.of_choices(_choices(old), choices),
        *diff.of_data(old.data, task.data),
        *diff.of_plugins(old.plugins, task.plugin_digests),
        *diff.of_computation(old.computation, asdict(task.computation)),
        *diff.of_source(old.source, task.source.key if task.source else ""),
    ]


def kin(missing: Sequence[Task], index: StudyIndex, results: Path) -> Kin:
    """Records of the same seeds that the study does not use."""
    wanted = {key for _, _, key in index.wanted()}
    seeds = {f"seed{task.seed}" for task in missing}
    names = [path.name for path in (results / "runs").glob("*-seed*")]
    keys = [n for n in names if n not in wanted and n.rpartition("-")[2] in seeds]
    found = defaultdict(list)
    for record in _readable(keys, results):
        found[record.seed, digest(_choices(record))].append(record)
    return found


def _keys_before(index: StudyIndex, results: Path) -> dict[tuple[str, int], str]:
    """Keys of the runs of the study when it was last run."""
    try:
        found = records.read_indexes(results, index.name)
    except RecordError:
        return {}
    same = [old for old in found if old.variant == index.variant]
    return {(arm, seed): key for old in same for arm, seed, key in old.wanted()}


def _choices(record: Record) -> dict[str, Any]:
    """The configuration of a run, as far as this release understands it."""
    try:
        return record.choices.identity()
    except RecordError:
        return {name: value for name, value in record.configuration.items() if name != "data"}


def _readable(keys: Sequence[str], results: Path) -> list[Record]:
    found = []
    for key in keys:
        try:
            found.append(records.read_record(key, results))
        except RecordError:
            continue
    return found
