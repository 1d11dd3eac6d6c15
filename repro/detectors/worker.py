"""The process that scores: it loads the study's pictures and the detector, and runs other's code.

It is a child of its own, so that nothing of a detector reaches the program: a crash of a library, a
random state, threads. The parent writes the record.
"""

import itertools
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from repro.detectors.base import Detector, DetectorError, Given, Reads
from repro.records.scores import Scores
from repro.records.task import Task
from repro.system.child_process import Answer, Say

if TYPE_CHECKING:
    from repro.data.pictures.images import Photographs
    from repro.system.file_digests import Contents

STEP = 10  # pictures between two messages
SETS = {"test": "portraits", "nonfaces": "nonfaces"}  # of photographs, by the role of their data


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be scored.

    Attributes:
        given: The detector.
        task: A run of the study: its data, windows and plug-ins.
    """

    given: Given
    task: Task = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What came of it.

    Attributes:
        sets: Scores of ``portraits`` and ``nonfaces``, the threshold subtracted.
        reads: What the detector read.
        threshold: That was subtracted.
        provenance: Machine, times, packages.
    """

    sets: Mapping[str, Scores]
    reads: Reads
    threshold: float
    provenance: Mapping[str, Any]


def prepare() -> Answer:
    """In the child: load what reads and scores, and answer requests."""
    from repro.data import sources  # noqa: F401 - what is loaded now is not waited for later
    from repro.detectors import loading, scoring  # noqa: F401
    from repro.training import provenance, trainer  # noqa: F401

    return _answer


def _answer(request: Request, say: Say) -> Found:
    from repro.data.pictures import content_digest
    from repro.detectors import loading, scoring
    from repro.training import provenance, trainer
    from repro.training.kernels import c_library

    given, task, began = request.given, request.task, time.monotonic()
    started = datetime.now(UTC)
    trainer.prepare_process()
    context = loading.Context(catalogue=task.catalogue())
    sets, held = _pictures(task)
    on_picture = _counted(sum(map(len, sets.values())), say)
    with c_library.using(task.computation.kernels):
        detector = loading.load(given, context)
        threshold = threshold_of(given, detector)
        found = scoring.score(
            detector,
            sets,
            task.configuration.reading,
            threshold=threshold,
            on_picture=on_picture,
        )
    content_digest.require_unchanged(held)
    seconds = round(time.monotonic() - began, 3)
    made = provenance.environment("cpu")
    times = {"started": started.isoformat(timespec="seconds"), "seconds": seconds}
    return Found(
        sets=found,
        reads=detector.reads,
        threshold=threshold,
        provenance={**made, **times, "commit": task.commit},
    )


def _pictures(task: Task) -> "tuple[dict[str, Photographs], dict[str, Contents]]":
    """The pictures of each set, and by role the digests of what was read: those of the plan."""
    from repro.data import sources
    from repro.data.pictures import content_digest
    from repro.data.pictures.images import Photographs

    parts = task.configuration.data.parts
    roles = {role: name for role, name in SETS.items() if role in parts}
    read = {name: sources.read(parts[role]) for role, name in roles.items()}
    held = {role: read[name][1] for role, name in roles.items()}
    of_roles = {role: task.contents[role] for role in held if role in task.contents}
    content_digest.require_planned({r: task.data[r] for r in held}, of_roles, held)
    sets = {name: found for name, (found, _) in read.items() if isinstance(found, Photographs)}
    return sets, held


def _counted(total: int, say: Say) -> Callable[[], None]:
    """What is called after each picture; it tells how many there are, then every so many."""
    done = itertools.count(1)
    say((0, total))

    def on_picture() -> None:
        if not next(done) % STEP:
            say((STEP, total))

    return on_picture


def threshold_of(given: Given, detector: Detector) -> float:
    """The score from which on a picture is a face: the user's, or else the detector's own, or 0.

    Raises:
        DetectorError: It is no finite number.
    """
    own = getattr(detector, "threshold", 0.0) if given.threshold is None else given.threshold
    if isinstance(own, bool) or not isinstance(own, int | float) or not math.isfinite(own):
        raise DetectorError(
            f"{given.origin}: its threshold is {own!r}: a finite number is expected"
        )
    return float(own)
