"""The scores of a study's runs as a predictions file, which `repro audit` reads.

A row is a photograph in a run of an arm, with its top logit in full precision. A run that failed
has all its rows without a score. Names of photographs are those of the records. Where portraits
belong together, a last column says which: empty for photographs without a face.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from repro.analysis import verdicts
from repro.analysis.audit import prediction_header
from repro.analysis.audit.prediction_columns import CLUSTER, EXPORTED
from repro.analysis.audit.prediction_header import ArmHeader, Header
from repro.analysis.outcomes import Arm, Outcomes
from repro.errors import ReproError
from repro.records import portraits, records
from repro.records.records import BriefRecord, StudyIndex
from repro.records.scores import Scores
from repro.system import csv_file

LABEL = {"portraits": 1, "nonfaces": 0}


def text(
    outcomes: Outcomes, index: StudyIndex, found: Mapping[str, BriefRecord], results: Path
) -> str:
    """The whole file.

    Args:
        outcomes: Of the study.
        index: Of the study.
        found: Its records by key.
        results: Folder of their scores.

    Raises:
        ReproError: No run has scores, or a finished one has none.
        RecordError: A file of scores is damaged.
    """
    file = io.StringIO()
    file.write(prediction_header.written(_header(outcomes, index)))
    rows = csv.writer(file, lineterminator="\n")
    together = _clusters(index, found, results)
    rows.writerow((*EXPORTED, CLUSTER) if together is not None else EXPORTED)
    blank = _first(index, found, results)
    for arm in index.arms:
        for seed, key in index.runs_of(arm):
            record = found.get(key)
            if record is not None:
                scores = _scores(record, results)
                rows.writerows(_rows(csv_file.as_text(arm.name), seed, scores, blank, together))
    return file.getvalue().rstrip("\n")


def _first(
    index: StudyIndex, found: Mapping[str, BriefRecord], results: Path
) -> Mapping[str, Scores]:
    """The scores of the first finished run: its photographs are those of all runs."""
    for _, _, key in index.wanted():
        if key in found and found[key].finished:
            scores = records.read_scores(found[key], results)
            if scores:
                return scores
    raise ReproError(f"{index.address}: no run has scores, so there are no predictions")


def _clusters(
    index: StudyIndex, found: Mapping[str, BriefRecord], results: Path
) -> Mapping[str, str] | None:
    """The cluster of each portrait, by name; None if they are independent.

    Raises:
        ReproError: Its arms were tested on different portraits, which one file cannot hold.
    """
    if index.portraits is None or not index.portraits.cluster:
        return None
    shown = portraits.read(index.portraits, results)
    tests = {found[key].data.get("test", "") for _, _, key in index.wanted() if key in found}
    known = [shown[test].cluster for test in sorted(tests) if test in shown]
    if len(known) != 1:
        raise ReproError(f"{index.address}: its arms were not tested on the same portraits")
    return known[0]


def _scores(record: BriefRecord, results: Path) -> Mapping[str, Scores] | None:
    """Of a run; None if it failed."""
    if not record.finished:
        return None
    scores = records.read_scores(record, results)
    if scores is None:
        raise ReproError(f"{record.key}: its record has no scores, so it has no predictions")
    return scores


def _rows(
    arm: str,
    seed: int,
    scores: Mapping[str, Scores] | None,
    blank: Mapping[str, Scores],
    together: Mapping[str, str] | None,
) -> Iterator[tuple[str | int | float, ...]]:
    for name, one in (scores or blank).items():
        label = LABEL[name]
        names = map(csv_file.as_text, one.names)
        last = _last(one, together, label)
        pictures = zip(names, map(csv_file.as_text, one.groups), last, strict=True)
        if scores is None:
            for picture, group, who in pictures:
                yield arm, seed, picture, group, label, "", "", "", *who
            continue
        numbers = zip(one.top_logit.tolist(), one.windows, one.positive, strict=True)
        for (picture, group, who), (logit, windows, positive) in zip(
            pictures, numbers, strict=True
        ):
            yield arm, seed, picture, group, label, logit, int(windows), int(positive), *who


def _last(one: Scores, together: Mapping[str, str] | None, label: int) -> Iterator[tuple[str, ...]]:
    """The cell of each photograph's cluster, if the file has that column."""
    if together is None:
        return (() for _ in one.names)
    return ((csv_file.as_text(together[name]) if label else "",) for name in one.names)


def _header(outcomes: Outcomes, index: StudyIndex) -> Header:
    published = outcomes.published
    refused = verdicts.refusals(outcomes, published) if published else []
    groups = dict.fromkeys(group for arm in outcomes.arms for group in arm.groups)
    arms = [_arm(arm, outcomes.by) for arm in outcomes.arms]
    return prediction_header.of_index(
        index, refused, caption=outcomes.caption, groups=tuple(groups) or None, arms=tuple(arms)
    )


def _arm(arm: Arm, by: str) -> ArmHeader:
    by = arm.ranked[0] if arm.ranked else by
    ranked_by = zip(arm.seeds, arm.selector, strict=True)
    failed = zip(arm.failed_seeds, arm.failed, strict=True)
    return ArmHeader(
        name=arm.name,
        alpha=_alpha(arm.alpha),
        runs=arm.wanted,
        failed={str(seed): reason for seed, reason in failed},
        ranked=arm.ranked,
        selector=None if by == "recall" else {str(seed): float(value) for seed, value in ranked_by},
    )


def _alpha(alpha: float | None) -> float | Literal["none"] | None:
    return "none" if alpha == float("inf") else alpha
