"""A study -> its runs, their names and states. Writes nothing; does not import torch."""

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from repro.errors import LaterRelease, RecordError, StudyError
from repro.execution import planned_index, source_records
from repro.execution.run_names import ENDED, Names
from repro.execution.source_records import RunState
from repro.plugins import carriers
from repro.records import detectors, records, study_origin
from repro.records.detectors import DetectorRecord
from repro.records.records import Computation, StudyIndex
from repro.records.study_index import PortraitsIndex
from repro.records.task import Source, Task
from repro.study import methods
from repro.study.configuration import Configuration
from repro.study.data_spec import Data
from repro.study.study import Study
from repro.system.file_digests import Contents
from repro.training import group_counts, image_counts, provenance
from repro.training.image_counts import ImageCounts


@dataclass(frozen=True, slots=True)
class Plan:
    """The runs of a study and their states.

    Attributes:
        index: The study as tables see it.
        tasks: Every run, in the order of execution, seed by seed.
        states: State of each run, by key.
        portraits: What the index says of the test portraits, as a file; empty if nothing.
    """

    index: StudyIndex
    tasks: Sequence[Task]
    states: Mapping[str, RunState]
    portraits: bytes = b""

    @property
    def reference(self) -> Task:
        """The first run of the arm that the others are compared with."""
        return next(task for task in self.tasks if task.arm == self.index.reference)

    @property
    def missing(self) -> list[Task]:
        """Runs without a usable record."""
        return [task for task in self.tasks if self.states[task.key] not in ENDED]

    @property
    def ended(self) -> list[Task]:
        """Those that have one."""
        return [task for task in self.tasks if self.states[task.key] in ENDED]


def plan(
    study: Study, results: Path, *, computation: Computation, seeds: int | None = None
) -> Plan:
    """Determine the states of the runs of a study. Writes nothing.

    Args:
        study: Resolved.
        results: The results folder.
        computation: How runs are computed where they would execute; see `Executor`.
        seeds: Number of seeds; None: the replicates, or those to which the study has grown.

    Raises:
        DataError: A data source is missing.
        StudyError: It has too few images for a setting, or a method needs groups of faces that
            are not there; see `image_counts` and `group_counts`.
        RecordError: The preregistration is damaged.
        LaterRelease: A record is of a schema that this release does not know.
        ReproError: The results of this name belong to another study file.
    """
    study_origin.require_own(study, results)
    contents = contents_of(_all_data(study))
    _require_enough(study)
    known = {data: fingerprints(held) for data, held in contents.items()}
    data = {arm.name: known[arm.configuration.data] for arm in study.arms}
    names = Names(study, data, computation, results)
    shown, of_portraits = _portraits(study, known)
    index = planned_index.of_study(study, names, seeds=seeds, portraits=shown)
    _require_groups(study, index.seeds)
    keys = {(arm, seed): key for arm, seed, key in index.wanted()}
    sources = {arm.name: names.source(arm) for arm in study.arms}
    commit = provenance.commit()
    carried = {arm.name: carriers.carried(study.plugins_of(arm)) for arm in study.arms}
    tasks = [
        Task(
            key=keys[run.arm.name, run.seed],
            arm=run.arm.name,
            seed=run.seed,
            configuration=run.arm.configuration,
            data=known[run.arm.configuration.data],
            contents=contents[run.arm.configuration.data],
            computation=computation,
            commit=commit,
            results=results,
            plugins=carried[run.arm.name],
            source=_with_key(sources[run.arm.name], run.seed, keys),
        )
        for run in study.runs(index.seeds)
    ]
    return Plan(index, tasks, source_records.states_of(tasks), of_portraits)


def with_detectors(planned: Plan, results: Path) -> tuple[Plan, list[str]]:
    """The plan with the detectors that were scored for the study, and a sentence for each dropped.

    One that was scored on other photographs or windows is dropped. One whose record is missing or
    damaged is kept: tables and `repro doctor` tell.

    Raises:
        LaterRelease: A record is of a schema that this release does not know.
    """
    before, kept, told = index_there(planned.index, results), [], []
    for key in before.detectors if before else ():
        try:
            record = detectors.read(key, results)
        except LaterRelease:
            raise
        except RecordError:
            kept.append(key)
            continue
        if fits(record, planned.reference):
            kept.append(key)
        else:
            told.append(
                f"{record.name}, a detector that was trained elsewhere, was scored on other "
                "photographs or windows: it is not shown any more; `repro score` it again"
            )
    return replace(planned, index=replace(planned.index, detectors=kept)), told


def index_there(index: StudyIndex, results: Path) -> StudyIndex | None:
    """The stored index of the same variant; None if there is none that can be read.

    Raises:
        LaterRelease: It is of a schema that this release does not know.
    """
    try:
        return records.read_index(records.index_path(index, results))
    except LaterRelease:
        raise
    except RecordError:
        return None


def fits(record: DetectorRecord, task: Task) -> bool:
    """Whether a detector was scored on the photographs of a run, and on its windows if it does."""
    windows = task.configuration.reading_settings
    same = all(record.data.get(role) == task.data.get(role) for role in detectors.ROLES)
    return same and record.windows in ({}, windows)


def _require_enough(study: Study) -> None:
    """Refuse arms that would train or score nothing, each at the setting that is wrong.

    Raises:
        StudyError: All such settings.
        DataError: A source is damaged, or has no picture of a kind.
    """
    from repro.data import sources

    labels = {data.train: sources.labels(data.train) for data in _all_data(study)}
    problems = []
    for arm in study.arms:
        is_face = labels[arm.configuration.data.train]
        faces = int(is_face.sum())
        counts = ImageCounts(faces, len(is_face) - faces)
        problems += [arm.problem(*one) for one in image_counts.problems(arm.configuration, counts)]
    if problems:
        raise StudyError(problems)
    for data in _all_data(study):
        sources.groups(data.test)
        if data.nonfaces is not None:
            sources.groups(data.nonfaces)


def _require_groups(study: Study, seeds: int) -> None:
    """Refuse methods that need groups of training faces, each at its name, where a group lacks.

    Raises:
        StudyError: All such methods.
        DataError: A source is damaged.
    """
    from repro.data import sources

    @functools.cache
    def lacking(data: Data, share: float, fewest: int) -> list[str]:
        return list(
            group_counts.problems(
                sources.labels(data.train),
                sources.training_groups(data.train),
                tested=sources.groups(data.test),
                share=share,
                seeds=study.seeds(seeds),
                fewest_held_out=fewest,
            )
        )

    def kept(choices: Configuration) -> list[str]:
        is_face, groups = (
            sources.labels(choices.data.train),
            sources.training_groups(choices.data.train),
        )
        found = group_counts.too_few_kept(choices, is_face, groups, seeds=study.seeds(seeds))
        return list(found)

    problems = []
    for arm in study.arms:
        choices = arm.configuration
        for path, title in methods.grouped(choices, study.catalogue):
            places = [path, path[:1], ("data", "train")]
            fewest = methods.objective(choices, study.catalogue).held_out
            found = lacking(choices.data, choices.validation_share, fewest) or kept(choices)
            problems += [arm.problem(places, f"the {title}: {what}") for what in found]
    if problems:
        raise StudyError(problems)


def _portraits(
    study: Study, known: Mapping[Data, Mapping[str, str]]
) -> tuple[PortraitsIndex | None, bytes]:
    from repro.execution import portrait_columns

    return portrait_columns.of_study(
        study, {data.test: digests["test"] for data, digests in known.items()}
    )


def _all_data(study: Study) -> dict[Data, None]:
    """The data of all arms, each once."""
    return dict.fromkeys(arm.configuration.data for arm in study.arms)


def contents_of(all_data: Iterable[Data]) -> dict[Data, dict[str, Contents]]:
    """What each part of each data set holds now.

    Raises:
        DataError: A data source is missing.
    """
    from repro.data import sources

    return {
        data: {role: sources.contents(spec) for role, spec in data.parts.items()}
        for data in dict.fromkeys(all_data)
    }


def fingerprints(held: Mapping[str, Contents]) -> dict[str, str]:
    """The digest of each part, as in the names of runs."""
    return {role: contents.fingerprint for role, contents in held.items()}


def _with_key(
    source: Source | None, seed: int, keys: Mapping[tuple[str, int], str]
) -> Source | None:
    return replace(source, key=keys[source.arm, seed]) if source else None
