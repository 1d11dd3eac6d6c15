"""A study -> its runs, their names and states. Writes nothing; does not import torch."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repro.records import records
from repro.records.records import ArmIndex, Computation, State, StudyIndex
from repro.records.task import Task
from repro.study.data_spec import Data
from repro.study.section import digest
from repro.study.study import ArmSpec, Study
from repro.training import provenance


@dataclass(frozen=True, slots=True)
class Plan:
    """The runs of a study and their states.

    Attributes:
        index: The study as tables see it.
        tasks: Every run, in the order of execution, seed by seed.
        states: State of each run, by key.
    """

    index: StudyIndex
    tasks: Sequence[Task]
    states: Mapping[str, State]

    @property
    def missing(self) -> list[Task]:
        """Runs without a usable record."""
        return [task for task in self.tasks if self.states[task.key] in ("absent", "damaged")]

    @property
    def ended(self) -> list[Task]:
        """Those that have one."""
        return [task for task in self.tasks if self.states[task.key] in ("finished", "failed")]


def plan(study: Study, results: Path, *, computation: Computation) -> Plan:
    """Determine the states of the runs of a study. Writes nothing.

    Args:
        study: Resolved.
        results: The results folder.
        computation: How runs are computed where they would execute; see `Executor`.

    Raises:
        DataError: A data source is missing.
        LaterRelease: A record is of a schema that this release does not know.
    """
    from repro.data import preflight, sources

    known: dict[Data, dict[str, str]] = {}
    for arm in study.arms:
        if arm.configuration.data not in known:
            known[arm.configuration.data] = sources.fingerprints(arm.configuration.data)
    first = study.arms[0].configuration.data
    index = _index(
        study,
        data={arm.name: known[arm.configuration.data] for arm in study.arms},
        description=sources.describe(first) + preflight.allowed(first),
        computation=computation,
        results=results,
    )
    keys = {(arm, seed): key for arm, seed, key in index.wanted()}
    commit = provenance.commit()
    tasks = [
        Task(
            key=keys[run.arm.name, run.seed],
            arm=run.arm.name,
            seed=run.seed,
            configuration=run.arm.configuration,
            data=known[run.arm.configuration.data],
            computation=computation,
            commit=commit,
            results=results,
        )
        for run in study.runs()
    ]
    return Plan(index, tasks, states_of(tasks))


def states_of(tasks: Sequence[Task]) -> dict[str, State]:
    """State of each run, by key."""
    return {task.key: records.state_of(task.key, task.results) for task in tasks}


def _keys(
    arm: ArmSpec,
    seeds: Iterable[int],
    *,
    data: Mapping[str, str],
    computation: Computation,
    results: Path,
) -> list[str]:
    """The names under which an arm's runs are kept.

    Each is the run's own, or that of an earlier release if there is a record that can be used.

    Raises:
        LaterRelease: A record is of a schema that this release does not know.
        Unreadable: The system cannot read it.
    """
    own, *earlier = records.run_digests(arm.configuration, data=data, computation=computation)

    def in_use(seed: int) -> str:
        key, *aliases = (records.key_of(one, seed) for one in (own, *earlier))
        if records.folder_of(key, results).exists():
            return key
        used = (one for one in aliases if records.state_of(one, results) in ("finished", "failed"))
        return next(used, key)

    return [in_use(seed) for seed in seeds]


def _index(
    study: Study,
    *,
    data: Mapping[str, Mapping[str, str]],
    description: str,
    computation: Computation,
    results: Path,
) -> StudyIndex:
    """The index of a study.

    Args:
        study: The resolved study.
        data: For each arm's name, the digests of its data.
        description: Of the data, for captions.
        computation: Of the workers.
        results: The results folder, where earlier releases may have left records of its runs.
    """
    keys = {
        arm.name: _keys(
            arm,
            range(study.first_seed, study.first_seed + study.replicates),
            data=data[arm.name],
            computation=computation,
            results=results,
        )
        for arm in study.arms
    }
    changed = digest([study.overrides, {name: dict(d) for name, d in data.items()}])[:6]
    return StudyIndex(
        name=study.name,
        variant=f"{study.profile}-{changed}" if study.overrides else study.profile,
        question=study.question,
        profile=study.profile,
        overrides=list(study.overrides),
        data=description,
        synthetic=any(arm.configuration.data.is_synthetic for arm in study.arms),
        arms=[
            ArmIndex(
                name=arm.name,
                keys=keys[arm.name],
                select=arm.select.model_dump(mode="json") if arm.select else None,
            )
            for arm in study.arms
        ],
        reference=study.reference,
        select=study.select.model_dump(mode="json"),
        published=_published(study),
        false_positive_rates=list(study.false_positive_rates),
        compare=study.compare.model_dump(mode="json"),
        claims=[
            {**one.claim.model_dump(mode="json"), "arms": list(one.arms)} for one in study.claims
        ],
        first_seed=study.first_seed,
    )


def _published(study: Study) -> dict[str, Any] | None:
    if study.published is None:
        return None
    margin = study.margin.model_dump(mode="json") if study.margin else None
    return study.published.model_dump(mode="json") | {"margin": margin}
