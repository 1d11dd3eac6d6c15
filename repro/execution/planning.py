"""A study -> its runs, their names and states. Writes nothing; does not import torch."""

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from repro.analysis.looks import level_of
from repro.errors import LaterRelease, RecordError, StudyError
from repro.execution import source_records
from repro.execution.source_records import RunState
from repro.plugins import carriers
from repro.plugins.declared import Plugin
from repro.records import detectors, preregistration, records, study_origin
from repro.records.detectors import DetectorRecord
from repro.records.records import ArmIndex, Computation, StudyIndex
from repro.records.study_index import PLUGIN_WORDS, PortraitsIndex
from repro.records.task import Source, Task
from repro.study import looks, methods
from repro.study.arm import ArmSpec
from repro.study.configuration import Configuration
from repro.study.data_spec import Data
from repro.study.looks import Looks
from repro.study.section import digest
from repro.study.study import Study
from repro.system import private
from repro.system.file_digests import Contents
from repro.training import group_counts, image_counts, provenance
from repro.training.image_counts import ImageCounts

ENDED = ("finished", "failed")  # states of runs with a usable record


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
    names = _Names(study, data, computation, results)
    shown, of_portraits = _portraits(study, known)
    index = _index(study, names, results, seeds=seeds, portraits=shown)
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


def digests(plugins: Mapping[str, Plugin]) -> dict[str, str]:
    """The digest of each plug-in, by kind and name."""
    return {title: one.origin.digest for title, one in plugins.items() if one.origin is not None}


def fingerprints(held: Mapping[str, Contents]) -> dict[str, str]:
    """The digest of each part, as in the names of runs."""
    return {role: contents.fingerprint for role, contents in held.items()}


@dataclass(frozen=True, slots=True)
class _Names:
    """The names under which the runs of a study are kept.

    Attributes:
        study: Resolved.
        data: For each arm's name, the digests of its data.
        computation: Of the workers.
        results: The results folder, where earlier releases may have left records of its runs.
    """

    study: Study
    data: Mapping[str, Mapping[str, str]]
    computation: Computation
    results: Path

    def variant(self) -> str:
        """The name of the variant: its profile, with a digest of what the command line changed."""
        study = self.study
        if not study.overrides:
            return study.profile
        changed = digest([study.overrides, {name: dict(d) for name, d in self.data.items()}])
        return f"{study.profile}-{changed[:6]}"

    def keys(self, arm: ArmSpec, seeds: int) -> list[str]:
        """Keys of the first runs of an arm.

        Each is the run's own, or that of an earlier release if there is a record that can be used.

        Raises:
            LaterRelease: A record is of a schema that this release does not know.
            Unreadable: The system cannot read it.
        """
        own, *earlier = self._digests(arm)
        return [self._in_use(seed, own, earlier) for seed in self.study.seeds(seeds)]

    def source(self, arm: ArmSpec) -> Source | None:
        """What the source runs of an arm's runs have in common; the key is empty."""
        source = self._source_of(arm)
        if source is None:
            return None
        digest, configuration = next(self._digests(source)), source.configuration
        return Source(
            key="",
            arm=source.name,
            digest=digest,
            configuration=configuration,
            plugins=carriers.carried(self.study.plugins_of(source)),
        )

    def _digests(self, arm: ArmSpec) -> Iterator[str]:
        """What the names of an arm's runs begin with: first today, then in earlier releases."""
        source = self._source_of(arm)
        return records.run_digests(
            arm.configuration,
            data=self.data[arm.name],
            computation=self.computation,
            source=next(self._digests(source)) if source else None,
            plugins=digests(self.study.plugins_of(arm)),
        )

    def _source_of(self, arm: ArmSpec) -> ArmSpec | None:
        name = arm.configuration.source_arm
        return next(one for one in self.study.arms if one.name == name) if name else None

    def _in_use(self, seed: int, own: str, earlier: Sequence[str]) -> str:
        key, *aliases = (records.key_of(one, seed) for one in (own, *earlier))
        if records.folder_of(key, self.results).exists():
            return key
        used = (one for one in aliases if records.state_of(one, self.results) in ENDED)
        return next(used, key)


def _with_key(
    source: Source | None, seed: int, keys: Mapping[tuple[str, int], str]
) -> Source | None:
    return replace(source, key=keys[source.arm, seed]) if source else None


def _index(
    study: Study,
    names: _Names,
    results: Path,
    *,
    seeds: int | None,
    portraits: PortraitsIndex | None,
) -> StudyIndex:
    from repro.data import preflight, sources

    first = study.arms[0].configuration.data
    variant = names.variant()
    before = _before(study, names, variant, results)
    declared = preregistration.read(study.name, variant, results)
    count = max(study.replicates, _grown_to(before), seeds or 0)
    return StudyIndex(
        name=study.name,
        variant=variant,
        question=study.question,
        profile=study.profile,
        overrides=list(study.overrides),
        data=sources.describe(first) + preflight.allowed(first),
        synthetic=any(arm.configuration.data.is_synthetic for arm in study.arms),
        arms=[
            ArmIndex(
                name=arm.name,
                keys=names.keys(arm, count),
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
        gap_share=study.gap_share.model_dump(mode="json") if study.gap_share else None,
        first_seed=study.first_seed,
        replicates=study.replicates,
        looks=_looks(study, before, declared),
        preregistration=declared,
        file=study_origin.written(study.file, results) if study.file else None,
        file_digest=study.file_digest,
        metrics=list(study.metrics),
        plugins=_plugins(study),
        portraits=portraits,
        withdrawn=_withdrawn(study),
    )


def _withdrawn(study: Study) -> list[str]:
    """Portraits of the test sets whose pictures are gone, each once."""
    from repro.data import sources

    tests = dict.fromkeys(data.test for data in _all_data(study))
    return [*dict.fromkeys(name for spec in tests for name in sources.withdrawn(spec))]


def _plugins(study: Study) -> dict[str, dict[str, str]]:
    """Where the plug-ins of its runs come from, their digests, and what they say of themselves."""
    used = {title: one for arm in study.arms for title, one in study.plugins_of(arm).items()}
    return {
        title: {
            "where": private.portable(one.origin.where),
            "digest": one.origin.digest,
            **{word: said for word in PLUGIN_WORDS if (said := getattr(one, word))},
        }
        for title, one in sorted(used.items())
        if one.origin is not None
    }


def _before(study: Study, names: _Names, variant: str, results: Path) -> StudyIndex | None:
    """The index of the last time; None if there is none, or if its runs are all others."""
    path = records.path_of_index(study.name, variant, results)
    try:
        before = records.read_index(path)
    except LaterRelease:
        raise
    except RecordError:
        return None
    now = {arm.name: names.keys(arm, 1) for arm in study.arms}
    same = any(arm.keys[:1] == now.get(arm.name) for arm in before.arms)
    return before if same and before.first_seed == study.first_seed else None


def _grown_to(before: StudyIndex | None) -> int:
    """Number of seeds of a study that went on after its first look; 0 if it did not."""
    if before is None or before.replicates is None or before.seeds == before.replicates:
        return 0
    return before.seeds


def _looks(
    study: Study, before: StudyIndex | None, declared: Mapping[str, Any] | None
) -> Looks | None:
    """The looks at a study's claims: those of its file, or of what was declared before any run."""
    if not study.claims:
        return None
    planned = study.looks
    if declared is not None and not declared["records"]["exist"]:
        planned = looks.looks(study.replicates, study.stop)
    today = Looks(planned=planned, level=level_of(planned))
    old = before.looks if before else None
    return old.followed_by(today) if old else today


def _published(study: Study) -> dict[str, Any] | None:
    if study.published is None:
        return None
    margin = study.margin.model_dump(mode="json") if study.margin else None
    return study.published.compared | {"margin": margin}
