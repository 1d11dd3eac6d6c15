"""Trains finished runs again and compares the results bit by bit.

A difference is attributed to differences in code, libraries, threads, device, environment or data.
If there are none, the run is not deterministic here, which is a defect.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from repro.errors import RecordError, ReproError
from repro.execution import (
    kernel_change,
    planning,
    preregistering,
    scheduler,
    source_records,
    stackable,
)
from repro.execution.executors.base import Executor
from repro.execution.executors.executor_options import NOTHING, Asked
from repro.plugins import carriers
from repro.plugins.catalogue import Catalogue
from repro.plugins.declared import Kind, Plugin
from repro.records import diff, records, stack_names
from repro.records.events import RunRecorded
from repro.records.records import BriefRecord, Computation, Record, StudyIndex
from repro.records.task import LOST, OF_SOURCE, Source, Task
from repro.study import methods
from repro.study.data_spec import Data
from repro.system.file_digests import Contents
from repro.training import provenance

OTHER_PLUGIN = "not trained again, as a plug-in was changed or is not here"
NOT_TRAINED = "not trained again, as its data are no longer there"
NO_SOURCE = "not trained again, as its source run cannot be read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A run and its repetition.

    Attributes:
        title: Arm and seed.
        differences: Of the results; empty if all bits are equal.
        causes: Differences in code, environment and data of the two.
        left_out: Why runs of a bundle are not trained again; empty for one that was.
        runs: Number of these.
    """

    title: str
    differences: Sequence[str] = field(default_factory=tuple)
    causes: Sequence[str] = field(default_factory=tuple)
    left_out: str = ""
    runs: int = 1

    def __str__(self) -> str:
        if self.left_out:
            return f"left out   {self.title}: {self.left_out}"
        made = "; ".join(self.causes)
        if not self.differences:
            return f"same       {self.title}" + (f" (although {made})" if made else "")
        because = made or "nothing recorded differs, so the run is not deterministic here"
        return (
            f"DIFFERENT  {self.title}: {'; '.join(self.differences)}. Made differently: {because}"
        )


def verify(
    index: StudyIndex,
    results: Path,
    *,
    runs: int,
    executor: Executor,
    asked: Asked = NOTHING,
    catalogue: Catalogue = methods.BUILT_IN,
    is_bundle: bool = False,
) -> Iterator[Comparison]:
    """Train runs of a study again, in a separate folder, and compare.

    Args:
        index: Of the study.
        results: The results folder; nothing in it is changed.
        runs: Number of runs, spread over the arms: one of each arm first.
        executor: Where they execute.
        asked: What the user says of kernels and stacks; nothing: those of the records, or none.
        catalogue: Of the study, with its plug-ins.
        is_bundle: Whether the results came from elsewhere: what cannot be trained here is left out.

    Yields:
        A comparison for each run when it ends; first what is left out.

    Raises:
        ReproError: No run has finished, or data or device are missing.
    """
    if not (ended := _chosen(index, results)):
        raise ReproError(f"{index.address}: no run has finished; run it first")
    if is_bundle:
        left_out = _left_out(ended, results, catalogue)
        yield from _told(ended, left_out)
        ended = [(arm, one) for arm, one in ended if one.key not in left_out]
    chosen = [(arm, records.read_record(one.key, results)) for arm, one in ended[:runs]]
    kernel_change.refuse_to_verify(
        [record for _, record in chosen], executor.computation, asked=asked, study=index.address
    )
    if stack_names.count(executor.computation.kernels):
        stackable.refuse_to_verify(
            [(arm, record.choices) for arm, record in chosen], catalogue, study=index.address
        )
    found = []
    for arm, record in chosen:
        source = _source_of(arm, record, results, catalogue)
        if isinstance(source, Comparison):
            yield source
        else:
            found.append((arm, record, source))
    yield from _trained_again(found, executor, catalogue)


def _trained_again(
    found: Sequence[tuple[str, Record, Source | None]], executor: Executor, catalogue: Catalogue
) -> Iterator[Comparison]:
    """Train runs in a separate folder; those whose data are others are only told."""
    with tempfile.TemporaryDirectory(prefix="repro-verify-") as folder:
        tasks = _tasks(found, Path(folder), executor.computation, catalogue)
        originals = {task.key: record for task, (_, record, _) in zip(tasks, found, strict=True)}
        other = {task.key: diff.of_data(originals[task.key].data, task.data) for task in tasks}
        for task in tasks:
            if causes := other[task.key]:
                yield Comparison(title=task.title, differences=(NOT_TRAINED,), causes=causes)
        again = [task for task in tasks if not other[task.key]]
        for event in scheduler.run_tasks(again, executor):
            if not isinstance(event, RunRecorded):
                continue
            new = event.record
            if new.failure is not None and new.failure["term"] == LOST:
                yield Comparison(title=event.title, differences=(new.failure["reason"],))
            else:
                yield _compared(event.title, originals[event.key], new)


def _left_out(
    ended: Sequence[tuple[str, BriefRecord]], results: Path, catalogue: Catalogue
) -> dict[str, str]:
    """Why runs of a bundle cannot be trained again here, by their keys."""
    digests: dict[Data, Mapping[str, str] | str] = {}
    found = {}
    for arm, brief in ended:
        why = _without_data(brief, digests)
        if not why:
            source = _source_of(arm, records.read_record(brief.key, results), results, catalogue)
            if isinstance(source, Comparison):
                why = f"{source.differences[0]} ({'; '.join(source.causes)})"
        if brief.plugins and not all(catalogue.is_own(*_kind_and_name(t)) for t in brief.plugins):
            why = (
                f"it uses code of the bundle ({', '.join(brief.plugins)}), which is not run: read "
                "it, then pass --run-plugins"
            )
        if why:
            found[brief.key] = why
    return found


def _without_data(record: BriefRecord, digests: dict[Data, Mapping[str, str] | str]) -> str:
    """Why the data of a run are not here; empty if they are.

    Args:
        record: Of the run.
        digests: What was found of each data set before, or why nothing was.
    """
    try:
        data = record.choices.data
    except RecordError as error:
        return str(error)
    if data not in digests:
        try:
            digests[data] = planning.fingerprints(planning.contents_of([data])[data])
        except ReproError as error:
            digests[data] = f"its data are not here: {error}"
    here = digests[data]
    if isinstance(here, str):
        return here
    other = [role for role in here if here[role] != record.data.get(role)]
    return f"its data are not here: other content in {', '.join(other)}" if other else ""


def _told(
    ended: Sequence[tuple[str, BriefRecord]], left_out: Mapping[str, str]
) -> Iterator[Comparison]:
    """The runs that are left out: those of an arm with the same reason in one line."""
    alike: dict[tuple[str, str], list[int]] = {}
    for arm, one in ended:
        if one.key in left_out:
            alike.setdefault((arm, left_out[one.key]), []).append(one.seed)
    for (arm, why), seeds in alike.items():
        word = "seed" if len(seeds) == 1 else "seeds"
        title = f"{arm}, {word} {preregistering.ranges(seeds)}"
        yield Comparison(title=title, left_out=why, runs=len(seeds))


def _source_of(
    arm: str, record: Record, results: Path, catalogue: Catalogue
) -> Source | Comparison | None:
    """The source run of a run, if it has one; a comparison if it cannot be trained as it was."""
    title, here = f"{arm}, seed {record.seed}", carriers.carried(_plugins(record, catalogue))
    digests = {name: one.digest for name, one in here.items()}
    if causes := diff.of_plugins(record.plugins, digests):
        return Comparison(title=title, differences=(OTHER_PLUGIN,), causes=causes)
    try:
        return _source(record, results, catalogue)
    except RecordError as error:
        return Comparison(title=title, differences=(NO_SOURCE,), causes=[str(error)])


def _chosen(index: StudyIndex, results: Path) -> list[tuple[str, BriefRecord]]:
    """Ended runs with their arms, seed by seed, without those that a lost worker ended."""
    found = records.read_study(index, results)
    wanted = sorted(index.wanted(), key=lambda one: one[1])
    ended = [(arm, found[key]) for arm, _, key in wanted if key in found]
    untrained = (LOST, OF_SOURCE)
    return [
        (arm, one) for arm, one in ended if not one.failure or one.failure["term"] not in untrained
    ]


def _tasks(
    chosen: Sequence[tuple[str, Record, Source | None]],
    results: Path,
    computation: Computation,
    catalogue: Catalogue,
) -> list[Task]:
    from repro.data import preflight

    commit = provenance.commit()
    contents: dict[Data, dict[str, Contents]] = {}
    tasks = []
    for arm, record, source in chosen:
        configuration = record.choices
        if configuration.data not in contents:
            contents |= planning.contents_of([configuration.data])
            preflight.check(configuration.data, smallest=configuration.reading.smallest)
        data = planning.fingerprints(contents[configuration.data])
        tasks.append(
            Task(
                key=records.run_key(
                    configuration,
                    record.seed,
                    data=data,
                    computation=computation,
                    source=source.digest if source else None,
                    plugins=record.plugins,
                ),
                arm=arm,
                seed=record.seed,
                configuration=configuration,
                data=data,
                contents=contents[configuration.data],
                computation=computation,
                commit=commit,
                results=results,
                source=source,
                plugins=carriers.carried(_plugins(record, catalogue)),
                shares_epochs=False,  # each run is computed by itself
            )
        )
    return tasks


def wanted(index: StudyIndex) -> list[tuple[Kind, str]]:
    """Kind and name of each plug-in of the study's runs."""
    return [_kind_and_name(title) for title in index.plugins]


def _plugins(record: Record, catalogue: Catalogue) -> dict[str, Plugin]:
    """The plug-ins that a run used, as they are now; without those that are not here."""
    found = {title: catalogue.find(*_kind_and_name(title)) for title in record.plugins}
    return {title: one for title, one in found.items() if one is not None}


def _kind_and_name(title: str) -> tuple[Kind, str]:
    kind, _, name = title.partition(" ")
    return cast(Kind, kind), name


def _source(record: Record, results: Path, catalogue: Catalogue) -> Source | None:
    """The source run of a run as it is recorded, with its files.

    Raises:
        RecordError: Its record is missing or damaged.
    """
    if not record.source:
        return None
    source = records.read_record(record.source, results)
    files = source_records.files_of(source, results)
    if lacking := [one for one in source_records.NEEDED if one in source.files.keys() - files]:
        raise RecordError(f"{source.key}: {', '.join(lacking)} of its source run was left out")
    return Source(
        key=source.key,
        arm=source.key,
        digest=source.key.rpartition("-seed")[0],
        configuration=source.choices,
        files=files,
        plugins=carriers.carried(_plugins(source, catalogue)),
    )


def _compared(title: str, old: Record, new: Record) -> Comparison:
    differences = diff.of_results(old, new)
    causes = [
        *diff.of_computation(old.computation, new.computation),
        *(diff.of_code(old.computation, new.computation) if differences else ()),
        *diff.of_environment(old.provenance, new.provenance),
    ]
    return Comparison(title=title, differences=differences, causes=causes)
