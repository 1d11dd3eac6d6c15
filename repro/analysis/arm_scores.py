"""The scores of every photograph in every run of an arm, as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from repro.errors import RecordError
from repro.records import detectors, records
from repro.records.detectors import DetectorRecord
from repro.records.portraits import ByTest, Portraits
from repro.records.records import BriefRecord
from repro.stats.intervals import Floats, Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmScores:
    """Top logits of every photograph in every run of an arm.

    Attributes:
        portraits: Shape (R, N).
        group: Position of each portrait's group, shape (N,).
        nonfaces: Shape (R, M); M may be 0.
        cluster: Position of each portrait's cluster, from 0, shape (N,); portraits of a cluster
            are not independent, such as those of one person. None: all are.
        tone: Of each portrait, on the study's scale, shape (N,); NaN where it is unknown. None:
            the study has no scale.
    """

    portraits: Floats
    group: Integers
    nonfaces: Floats
    cluster: Integers | None = None
    tone: Floats | None = None


def of_runs(
    good: Sequence[BriefRecord], groups: Sequence[str], results: Path, shown: ByTest
) -> ArmScores | None:
    """The logits of an arm's runs; None if a run's file is missing.

    Args:
        good: Its records, of finished runs.
        groups: Names, in the order of `Arm.groups`.
        results: The results folder.
        shown: Clusters and tones of the portraits, by the digest of the test set.

    Raises:
        RecordError: A file is damaged, or a portrait is not in the file of the portraits.
    """
    none, places = np.empty(0), np.empty(0, dtype=np.int64)
    logits: list[Floats] = []
    nonfaces: list[Floats] = []
    names: tuple[str, ...] = ()
    for record in good:
        found = records.read_scores(record, results)
        if found is None:
            return None
        if not logits:
            places = np.array([groups.index(name) for name in found["portraits"].groups])
            names = found["portraits"].names
        logits.append(found["portraits"].top_logit)
        nonfaces.append(found["nonfaces"].top_logit if "nonfaces" in found else none)
    return ArmScores(
        portraits=np.stack(logits),
        group=places,
        nonfaces=np.stack(nonfaces),
        **_shown(names, shown.get(good[0].data.get("test", ""))),
    )


def of_detector(
    record: DetectorRecord, groups: Sequence[str], results: Path, shown: ByTest
) -> ArmScores:
    """The scores of a detector that was trained elsewhere, as those of one run.

    Args:
        record: Of the detector.
        groups: As for `of_runs`.
        results: Likewise.
        shown: Likewise.

    Raises:
        RecordError: As for `of_runs`.
    """
    found = detectors.read_scores(record, results)
    portraits, others = found["portraits"], found.get("nonfaces")
    return ArmScores(
        portraits=portraits.top_logit[None],
        group=np.array([groups.index(name) for name in portraits.groups]),
        nonfaces=(others.top_logit if others else np.empty(0))[None],
        **_shown(portraits.names, shown.get(record.data.get("test", ""))),
    )


def _shown(names: Sequence[str], known: Portraits | None) -> dict[str, Any]:
    """Cluster and tone of the portraits, as arrays; empty if nothing is known of them.

    Raises:
        RecordError: A portrait of the scores is not in the file of the portraits.
    """
    if known is None:
        return {}
    absent = next((name for name in names if name not in known.cluster), None)
    if absent is not None:
        raise RecordError(
            f"{absent[:100]!r} is scored, and the study's file of portraits does not know it; "
            "`repro run` of the study writes it again"
        )
    who = [known.cluster[name] for name in names]
    tones = np.array([known.tone[name] for name in names], dtype=np.float64)
    return {
        "cluster": clusters_of(who) if any(who) else None,
        "tone": None if np.isnan(tones).all() else tones,
    }


def clusters_of(who: Sequence[str]) -> Integers | None:
    """The position of each portrait's cluster; None if no two are of one: they are independent."""
    places = {one: place for place, one in enumerate(dict.fromkeys(who))}
    if len(places) == len(who):
        return None
    return np.array([places[one] for one in who], dtype=np.int64)
