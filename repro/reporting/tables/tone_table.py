"""Recall against skin tone: change over the scale, the curve, fields for programs."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from repro.analysis import tone
from repro.analysis.operating_points import Estimate
from repro.analysis.outcomes import Arm, Outcomes
from repro.analysis.tone import Point, Scale, SlopeDifference
from repro.analysis.wording import count, joined
from repro.reporting.tables import number_format, reference_notes
from repro.reporting.tables.cell import DASH, Cell, Number
from repro.reporting.tables.json_output import estimate
from repro.reporting.tables.table_part import Part
from repro.stats.clusters import LEAST

EVERY = 4  # of the points of a smooth curve one is in the table
_METHOD = "runs and clusters, Student's quantile of each"
_WHOSE = {
    "apparent_skin_color": "as it appears in the picture",
    "natural_skin_color": "as the person says it is",
}


def part(outcomes: Outcomes, _: str) -> Part | None:
    """Change of recall over the scale of each arm at each threshold; None without a scale.

    Args:
        outcomes: With scores.
        _: Name of a definition, on which nothing here depends.
    """
    below = tone.detectors(outcomes)
    arms = [*tone.scaled(outcomes), *below]
    if not arms:
        return None
    rows = [(arm.name, row) for arm in arms for row in _rows(outcomes, arm)]
    return Part(
        name="tone",
        title=f"{outcomes.name}: recall against skin tone, all runs with results.",
        table=number_format.frame([row for _, row in rows], [arm for arm, _ in rows]),
        remarks=[*sentences(outcomes), *_remarks(outcomes, arms)],
        keys=1,
        below=sum(len(_rates(outcomes, one)) for one in below),
    )


def curve(outcomes: Outcomes, _: str) -> Part | None:
    """Recall of each arm at each tone and threshold; None without a scale. Arguments as `part`."""
    below = tone.detectors(outcomes)
    arms = [*tone.scaled(outcomes), *below]
    if not arms:
        return None
    rows = [
        (arm.name, {"Threshold": _threshold(outcomes, arm, rate), **_point(point, rate)})
        for arm in arms
        for rate in _rates(outcomes, arm)
        for point in _shown(outcomes, arm, rate)
    ]
    return Part(
        name="tone_curve",
        title=f"{outcomes.name}: recall at each skin tone, all runs with results.",
        table=number_format.frame([row for _, row in rows], [arm for arm, _ in rows]),
        remarks=[*_said_of_scale(outcomes, arms[0]), *_said_of_curve(outcomes, arms[0])],
        keys=2,
        below=sum(
            len(_shown(outcomes, one, rate)) for one in below for rate in _rates(outcomes, one)
        ),
    )


def _rows(outcomes: Outcomes, arm: Arm) -> Iterator[dict[str, str]]:
    reference = outcomes.arm(outcomes.reference)
    trained = arm in outcomes.arms
    for rate in _rates(outcomes, arm):
        row: dict[str, str] = {
            "Threshold": _threshold(outcomes, arm, rate),
            "Change over the scale": Cell.of(change(tone.slope(outcomes, arm, rate=rate))),
            "Change minus reference": Cell(DASH),
            "p": Cell(DASH),
        }
        apart = None
        if reference is not None and trained:
            apart = tone.slope_difference(outcomes, arm, reference, rate=rate)
        if apart is not None:
            row["Change minus reference"] = Cell.of(change(apart.estimate, signed=True))
            row["p"] = number_format.p_value(apart.p)
        yield row


def _rates(outcomes: Outcomes, arm: Arm) -> list[float | None]:
    """The thresholds at which an arm is read: logit 0 and what its photographs allow."""
    return [None, *(rate for rate in outcomes.rates if tone.can_read(arm, rate))]


def _threshold(outcomes: Outcomes, arm: Arm, rate: float | None) -> str:
    if rate is not None:
        return f"{100 * rate:g} % false positives"
    return outcomes.threshold if arm in outcomes.arms else "its own"


def change(found: Estimate, *, signed: bool = False) -> Number:
    """A change of recall, or if signed a difference of two, in points."""
    return Number(
        value=100 * found.value,
        unit="points",
        decimals=1,
        signed=signed,
        interval=number_format.scaled(found.interval, 100),
        sd=100 * found.sd,
    )


def _shown(outcomes: Outcomes, arm: Arm, rate: float | None) -> list[Point]:
    """All levels, or some points of a smooth curve."""
    known, found = tone.scale(outcomes, arm), tone.curve(outcomes, arm, rate=rate)
    assert known is not None
    if known.levels is not None:
        return found
    chosen = {float(one) for one in tone.grid(known)[::EVERY]}
    return [point for point in found if point.tone in chosen]


def _point(point: Point, rate: float | None) -> dict[str, str]:
    return {
        "Tone": Cell(f"{point.tone:.4g}", {"": point.tone}),
        "Clusters": Cell(f"{point.clusters:.0f}", {"": point.clusters}),
        "Recall": number_format.estimate(point.recall, "recall", decimals=2 if rate is None else 1),
    }


def sentences(outcomes: Outcomes) -> list[str]:
    """How the recall of the reference arm, or of the first arm, changes over the scale."""
    arms = tone.scaled(outcomes) or tone.detectors(outcomes)
    if not arms:
        return []
    arm = next((one for one in arms if one.name == outcomes.reference), arms[0])
    known = tone.scale(outcomes, arm)
    assert known is not None
    return [_sentence(outcomes, arm, known)]


def _sentence(outcomes: Outcomes, arm: Arm, known: Scale) -> str:
    found = tone.slope(outcomes, arm)
    falls = found.value < 0
    low, high = sorted(-end if falls else end for end in found.interval)
    ends = "" if np.isnan(low) else f" [{100 * low:.1f}, {100 * high:.1f}]"
    points = f"{100 * abs(found.value):.1f}"
    moves = f"{'falls' if falls else 'rises'} by {points} points{ends}"
    if float(points) == 0 and not ends:
        moves = "does not change"
    told = f"At {outcomes.threshold} the recall of “{arm.name}” {moves} {between(known)}"
    if not np.isnan(low) and low <= 0 <= high:
        told += "; whether it changes at all cannot be told"
    return f"{told}."


def between(known: Scale) -> str:
    """The two ends of the scale, in words."""
    first, last = (f"{end:.4g}" for end in known.ends)
    if not known.rises:
        return f"from tone {first} to tone {last} of the column {known.column}"
    return f"from the lightest tone ({first}) to the darkest ({last}) of the column {known.column}"


def _remarks(outcomes: Outcomes, arms: Sequence[Arm]) -> Iterator[str]:
    yield (
        "Change over the scale: what a straight line through the portraits' detections changes "
        "between the two ends, in points of recall, with a 95 % interval for new seeds and new "
        "portraits. Where the recalls do not lie on a line it sums up how they rise or fall; "
        "--part tone_curve has the recall at each tone."
    )
    if any(arm.name != outcomes.reference for arm in tone.scaled(outcomes)):
        yield (
            "Change minus reference: over the common seeds. Its p is not adjusted and belongs to "
            "no family of tests: it explores."
        )
    yield from _said_of_scale(outcomes, arms[0])
    yield from reference_notes.of_detectors(outcomes, shown=bool(tone.detectors(outcomes)))


def _said_of_scale(outcomes: Outcomes, arm: Arm) -> Iterator[str]:
    """The column, its direction, who is counted, and what is left out."""
    known = tone.scale(outcomes, arm)
    assert known is not None
    whose = f", {_WHOSE[known.column]}" if known.column in _WHOSE else ""
    direction = f"a larger number is {known.rises}" if known.rises else "its direction is not known"
    yield (
        f"Scale: {between(known).removeprefix('from ')}{whose}; {direction}. "
        f"{count(len(known.tones), 'portrait')}{_said_of_clusters(outcomes, known)}"
    )
    if lacking := int((~known.known).sum()):
        yield f"Left out: {count(lacking, 'portrait')} of unknown tone."
    yield from _said_of_few(outcomes, known)


def _said_of_clusters(outcomes: Outcomes, known: Scale) -> str:
    told = "; each counts as independent of the others."
    if known.cluster is not None:
        told = f" in {count(known.clusters, 'cluster')} of equal {outcomes.cluster}."
    if known.clusters < LEAST:
        told += f" There is no interval below {LEAST}."
    return told


def _said_of_few(outcomes: Outcomes, known: Scale) -> Iterator[str]:
    """The tones of a single cluster, and those of too few for an interval."""
    if known.levels is None:
        return
    what = "portrait" if known.cluster is None else outcomes.cluster
    clusters = {float(one): known.at(float(one))[1] for one in known.levels}
    alone = [f"{one:.4g}" for one, n in clusters.items() if n == 1]
    few = [f"{one:.4g}" for one, n in clusters.items() if n < LEAST]
    if alone:
        yield (
            f"{_tones(alone)}: a single {what}{_each(alone)}, so that what is found there may "
            "be due to it as well as to the tone."
        )
    if few:
        yield (
            f"{_tones(few)}: fewer than {LEAST} {_plural(known)}{_each(few)}, recall without "
            "an interval."
        )


def _tones(listed: Sequence[str]) -> str:
    return f"Tone{'s' if len(listed) > 1 else ''} {joined(listed)}"


def _each(listed: Sequence[str]) -> str:
    return " each" if len(listed) > 1 else ""


def _plural(known: Scale) -> str:
    return "portraits" if known.cluster is None else "clusters"


def _said_of_curve(outcomes: Outcomes, arm: Arm) -> Iterator[str]:
    known = tone.scale(outcomes, arm)
    assert known is not None
    told = (
        "Pointwise 95 % intervals for new seeds and new portraits: each is for its tone alone, so "
        "one in twenty misses."
    )
    if known.levels is None:
        told = (
            f"A local line with a Gaussian kernel, standard deviation {known.bandwidth:.3g}; "
            f"clusters: their effective number near a tone, no point below {LEAST}. {told} What "
            "the kernel smooths away is not in them."
        )
    yield told


def as_fields(outcomes: Outcomes, arms: Sequence[str]) -> dict[str, Any] | None:
    """The same for programs, of the named arms and all detectors; None without a scale."""
    chosen = [arm for arm in tone.scaled(outcomes) if arm.name in arms]
    found = [*chosen, *tone.detectors(outcomes)]
    known = tone.scale(outcomes, found[0]) if found else None
    if known is None:
        return None
    levels = [] if known.levels is None else [float(one) for one in known.levels]
    return {
        "column": known.column,
        "cluster": outcomes.cluster or None,
        "larger_is": known.rises or None,
        "ends": list(known.ends),
        "portraits": len(known.tones),
        "clusters": known.clusters,
        "unknown": int((~known.known).sum()),
        "levels": [
            {"tone": one, "portraits": n, "clusters": who}
            for one in levels
            for n, who in [known.at(one)]
        ],
        "bandwidth": known.bandwidth if known.levels is None else None,
        "readings": [
            _fields(outcomes, arm, rate) for arm in found for rate in _rates(outcomes, arm)
        ],
    }


def _fields(outcomes: Outcomes, arm: Arm, rate: float | None) -> dict[str, Any]:
    reference = outcomes.arm(outcomes.reference)
    trained, apart = arm in outcomes.arms, None
    if reference is not None and trained:
        apart = tone.slope_difference(outcomes, arm, reference, rate=rate)
    found = change(tone.slope(outcomes, arm, rate=rate))
    return {
        "arm": arm.name,
        "detector": not trained,
        "rate": None if rate is None else {"value": 100 * rate, "unit": "percent"},
        "change": estimate(found, n=arm.runs, method=_METHOD),
        "difference": apart and _difference(arm, reference, apart),
        "curve": [
            {
                "tone": point.tone,
                "clusters": point.clusters,
                "recall": estimate(
                    number_format.number(point.recall, "recall"), n=arm.runs, method=_METHOD
                ),
            }
            for point in tone.curve(outcomes, arm, rate=rate)
        ],
    }


def _difference(arm: Arm, reference: Arm | None, apart: SlopeDifference) -> dict[str, Any]:
    assert reference is not None
    common = len(set(arm.seeds) & set(reference.seeds))
    told = estimate(change(apart.estimate), n=common, method=_METHOD)
    return {"reference": reference.name, "estimate": told, "p": apart.p}
