"""Scores of every picture by anybody's detectors -> the outcomes that a study's records give.

Scores are moved so that the threshold is 0: their order and which of them are above it stay.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import special

from repro.analysis.arm_scores import ArmScores, clusters_of
from repro.analysis.audit import prediction_columns, prediction_file, prediction_header
from repro.analysis.audit.prediction_columns import EXPORTED, LOGITS, PROBABILITIES
from repro.analysis.audit.prediction_file import PredictionFile
from repro.analysis.audit.prediction_header import ArmHeader, Header, ScoreKind
from repro.analysis.outcomes import MANY_ARMS, MANY_RUNS, Arm, Outcomes
from repro.analysis.wording import count, joined
from repro.errors import DataError, ReproError
from repro.metrics import Count, collapsed, pooled_recall, says_face
from repro.stats.intervals import Floats, Integers
from repro.system.printing import one_line

MOST_NAMED = 5  # groups in a note
FAILED = "no score is a number"
NEAR = 0.25  # from probability 0.5, within which its logit is an inverse hyperbolic tangent
SURE = 54 * np.log(2)  # logit of a probability that double precision rounds to 1
NEVER = -746.0  # below the logit of any positive double


@dataclass(frozen=True, slots=True)
class Threshold:
    """What the scores are, and from which on a picture is called a face.

    Attributes:
        why: How it is known, as a clause.
    """

    kind: ScoreKind
    value: float
    why: str

    @property
    def text(self) -> str:
        """As tables name it."""
        word = "score" if self.kind == "other" else self.kind
        return f"{word} {self.value:g}"


@dataclass(frozen=True, slots=True)
class Predictions:
    """A file of predictions as tables and statistics need it.

    Attributes:
        outcomes: As of a study.
        notes: How the file was read, in sentences.
    """

    outcomes: Outcomes
    notes: tuple[str, ...]


def read(
    path: Path,
    *,
    columns: Mapping[str, str],
    header: Mapping[str, object],
) -> Predictions:
    """Read a file with a score for every picture, and what a YAML file beside it says.

    Args:
        path: A CSV file with a column of pictures and one of scores.
        columns: Roles of columns, by name.
        header: Values that take the place of those in the file: ``scores``, ``threshold``,
            ``keep``, ``reference``.

    Raises:
        DataError: The file cannot be read, does not say what its scores are, or contradicts
            itself.
    """
    said = prediction_header.beside(path)
    roles = said.pop("columns", {})
    file = prediction_file.read(path, declared={**roles, **columns}, header={**said, **header})
    threshold = _threshold(file)
    arms = tuple(_arm(file, threshold, name) for name in _arms(file))
    outcomes = _outcomes(file, arms, threshold)
    return Predictions(outcomes, tuple(_notes(file, threshold, outcomes)))


def read_all(
    paths: Sequence[Path], columns: Mapping[str, str], header: Mapping[str, object]
) -> tuple[list[Predictions], list[Path]]:
    """Read the files of predictions among these, and those in folders.

    Args:
        paths: Files and folders.
        columns: As for `read`.
        header: As for `read`; None for a value that the file has.

    Returns:
        What was read, and the paths that may hold something else.
    """
    given = {key: value for key, value in header.items() if value is not None}
    found: list[Predictions] = []
    rest = []
    for path in paths:
        inside = sorted(path.glob("*.csv")) if path.is_dir() else [path]
        own = [one for one in inside if prediction_file.is_one(one, _roles(one, columns))]
        found += [read(one, columns=columns, header=given) for one in own]
        if len(own) < len(inside) or not inside:
            rest.append(path)
    return found, rest


def _roles(path: Path, columns: Mapping[str, str]) -> dict[str, str]:
    """The roles of a file's columns that are declared; of a table's they are of no use here."""
    try:
        return {**prediction_header.beside(path).get("columns", {}), **columns}
    except ReproError:
        return dict(columns)


# What the scores are


def _threshold(file: PredictionFile) -> Threshold:
    kind, why = _kind(file)
    given = file.header.threshold
    if kind is None and given is None:
        name = file.columns.name("score")
        raise DataError(
            f"{file.path}: the column '{name}' may hold logits or probabilities: say "
            "--scores logit (a face from 0 on), --scores probability (from 0.5 on), or "
            "--threshold NUMBER (from there on)"
        )
    if kind == "other" and given is None:
        raise DataError(f"{file.path}: scores of another kind need a threshold: --threshold NUMBER")
    if kind == "probability":
        _require_probabilities(file, given)
    value = given if given is not None else (0.5 if kind == "probability" else 0.0)
    return Threshold(kind or "other", value, why)


def _kind(file: PredictionFile) -> tuple[ScoreKind | None, str]:
    if file.header.scores is not None:
        return file.header.scores, "declared"
    name = prediction_columns.plain(file.columns.name("score"))
    if name in LOGITS:
        return "logit", "by the name of their column"
    if name in PROBABILITIES:
        return "probability", "by the name of their column"
    return None, "declared"


def _require_probabilities(file: PredictionFile, threshold: float | None) -> None:
    for scores in (file.faces, file.others):
        known = scores[~np.isnan(scores)]
        wrong = known[(known < 0) | (known > 1)]
        if len(wrong):
            raise DataError(
                f"{file.path}: {wrong[0]:g} is no probability: if the scores are logits, say "
                "--scores logit"
            )
    if threshold is not None and not 0 < threshold < 1:
        raise DataError(
            f"{file.path}: a threshold of probabilities lies between 0 and 1, not at {threshold:g}"
        )


def moved(scores: Floats, threshold: Threshold) -> Floats:
    """The scores with the threshold at 0; probabilities as logits. NaN stays NaN."""
    if threshold.kind == "probability":
        found = _logit(scores) - float(_logit(np.array(threshold.value)))
    elif threshold.value == 0:
        return scores
    else:
        found = scores - threshold.value
    above = scores >= threshold.value  # exactly, whatever was rounded
    below = found.clip(None, -np.finfo(np.float64).tiny)
    placed: Floats = np.where(above, found.clip(0), below)
    placed[np.isnan(scores)] = np.nan
    return placed


def _logit(probability: Floats) -> Floats:
    """Increasing also where rounding is felt, finite at 0 and 1."""
    with np.errstate(divide="ignore"):
        middle = 2 * np.arctanh((2 * probability - 1).clip(-2 * NEAR, 2 * NEAR))
        outer = special.logit(probability)
    near = np.abs(probability - 0.5) <= NEAR
    found: Floats = np.where(near, middle, outer.clip(NEVER, SURE))
    return found


# Arms


def _arms(file: PredictionFile) -> list[str]:
    """Names of the arms, those of the header first."""
    return list(dict.fromkeys([one.name for one in file.header.arms] + [r.arm for r in file.runs]))


def _arm(file: PredictionFile, threshold: Threshold, name: str) -> Arm:
    said = file.header.arm(name)
    places = [at for at, run in enumerate(file.runs) if run.arm == name]
    seeds = dict(zip(places, _seeds([file.runs[at].name for at in places]), strict=True))
    faces = moved(file.faces[places], threshold)
    others = moved(file.others[places], threshold)
    failed = np.isnan(faces).any(axis=1)
    order = _group_order(file)
    group = np.array([order.index(name) for name in file.groups])[file.group]
    counts = [_counts(row, group, order) for row in faces]
    lost = np.array([_is_collapsed(*pair) for pair in zip(counts, others, strict=True)], dtype=bool)
    good = np.flatnonzero(~failed & ~lost)
    wanted = max(said.runs or 0, len(places))
    bad = [places[at] for at in np.flatnonzero(failed)]
    return Arm(
        name=name,
        alpha=said.smoothing,
        wanted=wanted,
        seeds=tuple(seeds[places[at]] for at in good),
        groups=tuple(order) if len(good) else (),
        sizes=np.bincount(group, minlength=len(order)) if len(good) else np.empty(0, np.int64),
        recall=np.array(
            [[counts[at][one].share for one in order] for at in good], dtype=np.float64
        ).reshape(len(good), len(order) if len(good) else 0),
        selector=_selector(file, said, [file.runs[places[at]].name for at in good], good, counts),
        false_positive_rate=_false_positives(others[good]),
        nonfaces=others.shape[1] if len(good) else 0,
        scores=_scores(file, faces[good], group, others[good]),
        failed=tuple(said.failed.get(file.runs[at].name, FAILED) for at in bad),
        failed_seeds=tuple(seeds[at] for at in bad),
        collapsed=tuple(seeds[places[at]] for at in np.flatnonzero(lost & ~failed)),
        ranked=said.ranked,
        keys=_keys(faces, others),
        block=_block(file.header),
        many=len(_arms(file)) > MANY_ARMS or len(file.runs) > MANY_RUNS,
    )


def _seeds(names: Sequence[str]) -> list[int]:
    """The runs' names if they are whole numbers, else 1, 2, ..."""
    numbers = [int(name) if re.fullmatch(r"\d{1,9}", name, re.ASCII) else -1 for name in names]
    usable = min(numbers, default=0) >= 0 and len(set(numbers)) == len(numbers)
    return numbers if usable else list(range(1, len(names) + 1))


def _group_order(file: PredictionFile) -> list[str]:
    declared = [name for name in file.header.groups or () if name in file.groups]
    return list(dict.fromkeys([*declared, *file.groups]))


def _counts(scores: Floats, group: Integers, names: Sequence[str]) -> dict[str, Count]:
    found = says_face(scores)
    return {
        name: Count(int((group == k).sum()), int(found[group == k].sum()))
        for k, name in enumerate(names)
    }


def _is_collapsed(counts: Mapping[str, Count], others: Floats) -> bool:
    nonfaces = Count(len(others), int(says_face(others).sum())) if len(others) else None
    return collapsed(counts, nonfaces)


def _selector(
    file: PredictionFile,
    said: ArmHeader,
    names: Sequence[str],
    good: Sequence[int] | Integers,
    counts: Sequence[Mapping[str, Count]],
) -> Floats:
    """What ranks the runs: the header's numbers, else recall."""
    by = said.ranked[0] if said.ranked else file.header.by
    if said.selector is None:
        if by != "recall":
            raise DataError(
                f"{file.path}: runs are ranked by {by}, and the header has no selector of "
                f"{said.name}"
            )
        return np.array([pooled_recall(counts[at]) for at in good], dtype=np.float64)
    lacking = [name for name in names if name not in said.selector]
    if lacking:
        raise DataError(
            f"{file.path}: the header has no selector of run {joined(lacking)} of {said.name}"
        )
    return np.array([said.selector[name] for name in names], dtype=np.float64)


def _false_positives(others: Floats) -> Floats | None:
    if not others.size:
        return None
    rows = (Count(len(row), int(says_face(row).sum())).share for row in others)
    return np.array(list(rows))


def _scores(
    file: PredictionFile, faces: Floats, group: Integers, others: Floats
) -> ArmScores | None:
    if not len(faces):
        return None
    together = None if file.cluster is None else clusters_of(file.cluster)
    return ArmScores(portraits=faces, group=group, nonfaces=others, cluster=together)


def _keys(faces: Floats, others: Floats) -> tuple[str, ...]:
    """Digests of the runs' scores: arms with the same are the same runs, ranked differently."""
    pairs = zip(faces, others, strict=True)
    return tuple(hashlib.sha256(a.tobytes() + b.tobytes()).hexdigest() for a, b in pairs)


def _block(header: Header) -> range | None:
    if header.block is None:
        return None
    first, runs = header.block
    return range(first, first + runs)


# Outcomes


def _outcomes(file: PredictionFile, arms: tuple[Arm, ...], threshold: Threshold) -> Outcomes:
    header, names = file.header, [arm.name for arm in arms]
    reference = header.reference if header.reference is not None else names[0]
    if reference not in names:
        raise DataError(f"{file.path}: unknown arm '{reference}'; the arms are: {'; '.join(names)}")
    most = max(arm.wanted for arm in arms)
    if header.keep is not None and header.keep > most:
        raise DataError(
            f"{file.path}: keep is {header.keep}, but no arm has more than {count(most, 'run')}"
        )
    published, margin = header.printed()
    if unknown := header.named - set(names):
        raise DataError(f"{file.path}: its header asks of unknown arms: {joined(sorted(unknown))}")
    return Outcomes(
        name=header.name or file.path.stem,
        caption=header.caption or _caption(file, arms),
        arms=arms,
        reference=reference,
        keep=header.keep or most,
        by=header.by,
        split=header.split,
        paired=header.paired,
        rates=header.rates,
        metrics=header.metrics,
        test=header.test or ("t" if header.paired else "permutation"),
        synthetic=header.synthetic,
        changed=header.changed,
        published=published,
        margin=margin,
        refused=header.refused,
        claims=header.asked(),
        gap_share=header.gap_share,
        looks=header.looks,
        label=header.label or file.path.stem,
        threshold=threshold.text,
        cluster=_column_of_clusters(file),
    )


def _column_of_clusters(file: PredictionFile) -> str:
    """What names the clusters, as a column of a study does; empty without any."""
    if file.cluster is None:
        return ""
    return file.header.cluster or file.columns.name("cluster")


def _caption(file: PredictionFile, arms: Sequence[Arm]) -> str:
    runs = sorted({arm.wanted for arm in arms})
    each = count(runs[0], "run") if len(runs) == 1 else f"{runs[0]} to {runs[-1]} runs"
    return f"{file.path.name}: predictions of {count(len(arms), 'arm')}, {each} each."


def _notes(file: PredictionFile, threshold: Threshold, outcomes: Outcomes) -> list[str]:
    """How the file was read."""
    runs, faces = len(file.runs), file.faces.shape[1]
    used = [f"{role} from '{file.columns.name(role)}'" for role in file.columns.place]
    told = [
        f"{file.path.name}: predictions, {count(len(outcomes.arms), 'arm')}, {count(runs, 'run')}, "
        f"{faces:,} faces in {count(len(file.groups), 'group')}, {file.others.shape[1]:,} pictures "
        f"without a face: {', '.join(used)}. Scores are {_PLURAL[threshold.kind]}, "
        f"{threshold.why}; a face from {threshold.text} on."
    ]
    if unused := [one for one in file.columns.unused if one not in EXPORTED]:
        told.append(f"{file.path.name}: not read: {', '.join(unused)}.")
    if file.faceless:
        told.append(
            f"{file.path.name}: no face is of group {_some(file.faceless)}: not in any table, "
            "because recall needs faces."
        )
    return told


def _some(names: Sequence[str]) -> str:
    """The first few."""
    rest = len(names) - MOST_NAMED
    return ", ".join(map(one_line, names[:MOST_NAMED])) + (f" and {rest} more" if rest > 0 else "")


_PLURAL = {"logit": "logits", "probability": "probabilities", "other": "of another kind"}
