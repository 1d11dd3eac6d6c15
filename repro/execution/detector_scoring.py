"""Score a detector that was trained elsewhere for a study: its record, and the study's index.

What a study has trained stays as it is: an index that is there only gets one detector more.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from repro.analysis.wording import count
from repro.detectors import worker
from repro.detectors.base import DetectorError, Given
from repro.detectors.worker import Found, Request
from repro.errors import LaterRelease, RecordError, ReproError
from repro.execution import planning, runner
from repro.execution.executors import hardware
from repro.execution.executors.executor_options import Kernels
from repro.execution.planning import Plan
from repro.plugins import carriers
from repro.records import detectors, records, scores
from repro.records.detectors import DetectorRecord
from repro.records.records import BriefRecord, StudyIndex
from repro.records.task import Task
from repro.study.study import Study
from repro.system import private, stalls
from repro.system.child_process import Child, Gone
from repro.system.count_progress import counting
from repro.system.printing import say

PLACEHOLDER = "detector-000000000000"  # the key of a record before its fields are known


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What came of it.

    Attributes:
        index: The study's, with the detector.
        record: Of the detector.
        is_new: Whether it was scored now; False if it had been before.
        differing: Of the photographs, how many have another score than in the record; None if
            they were not compared.
    """

    index: StudyIndex
    record: DetectorRecord
    is_new: bool
    differing: int | None = None


def score(
    study: Study,
    given: Given,
    results: Path,
    *,
    kernels: Kernels | None = None,
    stall: float = stalls.LIMIT,
    check: bool = False,
) -> Scored:
    """Score a detector on the portraits of a study and its photographs without a face.

    Those are the data and windows of the arm that the others are compared with.

    Args:
        study: Resolved.
        given: The detector; nothing of it has been run.
        results: The results folder.
        kernels: What computes networks of this program.
        stall: Seconds after which a detector that does nothing is ended.
        check: Whether one that was scored before is scored again and compared with its record.

    Raises:
        Busy: Another process is running this study.
        DetectorError: The detector cannot be used, or its name is taken.
        ReproError: An error in study, data, records or disk.
    """
    planned = planning.plan(study, results, computation=hardware.computation(["cpu"], kernels))
    with runner.alone_at(planned.index, results):
        index = planning.index_there(planned.index, results) or planned.index
        task = _with_network(study, given, planned.reference)
        given = _with_digest(study, given)
        _require_same_pictures(planned, index, results)
        mine = list(_of_study(index, results))
        if known := _known(given, task, mine):
            differing = _differing(known, given, task, results, stall) if check else None
            return Scored(index=index, record=known, is_new=False, differing=differing)
        earlier = [one for one in mine if _is_earlier(one, given)]
        _require_free(given, index, [one for one in mine if one not in earlier], planned)
        known = _known(given, task, detectors.there(results))
        record = known or _scored(given, task, results, stall=stall)
        planned, dropped = planning.with_detectors(planned, results)
        for line in dropped:
            say(line, err=True)
        dropped_keys = {one.key for one in earlier}
        kept = [key for key in planned.index.detectors if key not in dropped_keys]
        index = replace(index, detectors=[*kept, record.key])
        records.write_index(index, results)
        return Scored(index=index, record=record, is_new=known is None)


def _differing(
    record: DetectorRecord, given: Given, task: Task, results: Path, stall: float
) -> int:
    """The number of photographs whose score is another one now."""
    say(f"Detector: {given.where or given.origin} ({given.digest})", err=True)
    now = _found(Request(given=given, task=task), stall).sets
    before = detectors.read_scores(record, results)
    return sum(
        int((one.top_logit != before[name].top_logit).sum())
        for name, one in now.items()
        if name in before
    )


def remove(index: StudyIndex, name: str, results: Path) -> StudyIndex:
    """Take a detector out of a study; its record stays until `repro clean`.

    Raises:
        Busy: Another process is running this study.
        DetectorError: The study has none of this name.
    """
    with runner.alone_at(index, results):
        index = records.read_index(records.index_path(index, results))
        named = {key: _names(key, results) for key in index.detectors}
        kept = [key for key in index.detectors if name not in (key, *named[key])]
        if len(kept) == len(named):
            listed = ", ".join(names[0] for names in named.values()) or "none"
            raise DetectorError(f"{index.address}: it has no detector {name!r}; it has {listed}")
        index = replace(index, detectors=kept)
        records.write_index(index, results)
        return index


def _names(key: str, results: Path) -> tuple[str, ...]:
    """The name of a detector, and its word if it is a package's; its key if it cannot be read."""
    try:
        record = detectors.read(key, results)
    except RecordError:
        return (key,)
    return (record.name, record.origin) if record.kind == "package" else (record.name,)


def _of_study(index: StudyIndex, results: Path) -> Iterator[DetectorRecord]:
    for key in index.detectors:
        try:
            yield detectors.read(key, results)
        except LaterRelease:
            raise
        except RecordError:
            continue  # it is scored again, or removed


def _with_network(study: Study, given: Given, task: Task) -> Task:
    """The run with the plug-in of the declared network, which its arm need not use."""
    name = given.settings.get("architecture")
    plugin = study.catalogue.find("model", name) if name else None
    if plugin is None or plugin.origin is None:
        return task
    return replace(task, plugins={**task.plugins, **carriers.carried({f"model {name}": plugin})})


def _with_digest(study: Study, given: Given) -> Given:
    """With the digest of the declared network, if it is a plug-in's."""
    name = given.settings.get("architecture")
    plugin = study.catalogue.find("model", name) if name else None
    if plugin is None or plugin.origin is None:
        return given
    return replace(given, settings={**given.settings, "network": plugin.origin.digest})


def _require_same_pictures(planned: Plan, index: StudyIndex, results: Path) -> None:
    """Refuse a study whose runs have seen other photographs than there are now.

    Raises:
        ReproError: So.
    """
    for record in _ended(index, results):
        for role in detectors.ROLES:
            now = planned.reference.data.get(role)
            if record.data.get(role, now) != now:
                raise ReproError(
                    f"{index.address}: its runs have seen other photographs ({role}) than there "
                    "are now: `repro run` it again, then score the detector"
                )


def _ended(index: StudyIndex, results: Path) -> Iterator[BriefRecord]:
    """The first run of the reference that has a record."""
    arm = next(arm for arm in index.arms if arm.name == index.reference)
    for key in arm.keys:
        if records.has_record(key, results):
            yield records.read_record(key, results).brief()
            return


def _known(
    given: Given, task: Task, found: "Iterator[DetectorRecord] | list[DetectorRecord]"
) -> DetectorRecord | None:
    """The record of the same detector on the same pictures, asked for in the same words."""
    for one in found:
        same = (one.name, one.kind, one.digest) == (given.name, given.kind, given.digest)
        if same and one.settings == given.asked and planning.fits(one, task):
            return one
    return None


def _is_earlier(record: DetectorRecord, given: Given) -> bool:
    """Whether it is the same detector of a package, of another release: the new one replaces it."""
    return record.kind == given.kind == "package" and record.origin == given.origin


def _require_free(
    given: Given, index: StudyIndex, mine: list[DetectorRecord], planned: Plan
) -> None:
    """Refuse a name that another detector or an arm has.

    Raises:
        DetectorError: So, with what to do.
    """
    if any(arm.name == given.name for arm in index.arms):
        raise DetectorError(
            f"{given.origin}: an arm of the study is called {given.name!r}: add --name"
        )
    for one in mine:
        if one.name == given.name and planning.fits(one, planned.reference):
            other = "other options" if one.digest == given.digest else f"digest {one.digest}"
            raise DetectorError(
                f"{given.origin}: the study has a detector called {given.name!r} already "
                f"({one.origin}, {other}): add --name with another name, or take that one out: "
                f"repro score {index.address} --remove {given.name!r}"
            )


def _scored(given: Given, task: Task, results: Path, *, stall: float) -> DetectorRecord:
    """Score it in a process of its own, and write its record."""
    if given.kind != "package":
        say(f"Detector: {given.where or given.origin} ({given.digest})", err=True)
    found = _found(Request(given=given, task=task), stall)
    groups, nonfaces = scores.counts(found.sets)
    windows = task.configuration.reading_settings
    record = DetectorRecord(
        key=PLACEHOLDER,
        name=given.name,
        origin=private.without_secrets(given.origin),
        kind=given.kind,
        digest=given.digest,
        reads=found.reads,
        data={role: task.data[role] for role in detectors.ROLES if role in task.data},
        windows=windows if found.reads == "windows" else {},
        threshold=found.threshold,
        settings=given.asked,
        groups=groups,
        nonfaces=nonfaces,
        provenance=dict(found.provenance),
    )
    record = replace(record, key=detectors.key_of(record))
    if detectors.folder_of(record.key, results).exists() and _is_damaged(record.key, results):
        aside = detectors.set_aside(record.key, results)
        say(f"{given.name}: its record was damaged, kept as {aside}", err=True)
    detectors.write(record, results, dict(found.sets))
    return detectors.read(record.key, results)


def _is_damaged(key: str, results: Path) -> bool:
    try:
        detectors.read_scores(detectors.read(key, results), results)
    except RecordError:
        return True
    return False


def _found(request: Request, stall: float) -> Found:
    """The answer of the child; it is ended in any case.

    Raises:
        ReproError: What is wrong with the detector or the data, or how the child ended.
    """
    given = request.given
    child = Child(worker.prepare, stall=stall)
    try:
        child.send(request)
        return _answer(child, given)
    except Gone as fate:
        raise DetectorError(
            f"{given.origin}: the process that scored it ended: {fate}; nothing is recorded"
        ) from None
    finally:
        child.stop()
        child.join()


def _answer(child: Child, given: Given) -> Found:
    """The answer, with the progress until then."""
    word, content = child.receive()
    while word == "ready":
        word, content = child.receive()
    if word == "said":
        total = content[1]
        with counting(f"{given.name}: scoring", total, unit="pictures") as advance:
            while word == "said":
                advance(content[0])
                word, content = child.receive()
    found: Found = content
    return found


def told(scored: Scored) -> str:
    """What came of it, in a sentence."""
    record = scored.record
    found = sum(one.detected for one in record.groups.values())
    total = sum(one.n for one in record.groups.values())
    done = "scored" if scored.is_new else "scored already, nothing was done"
    if scored.differing is not None:
        done = "scored again: all scores are as in its record"
        if scored.differing:
            done = f"scored again: {count(scored.differing, 'photograph')} with another score"
    alarms = ""
    if record.nonfaces:
        alarms = (
            f" and in {record.nonfaces.detected:,} of {record.nonfaces.n:,} photographs without one"
        )
    return (
        f"{record.name}: {done}; it finds a face in {found:,} of {total:,} portraits{alarms} "
        f"({record.key})"
    )
