"""The table of a study's claims: each with its answer, its effect and what would matter."""

import math
from collections.abc import Iterator, Sequence

from repro.analysis import claims, looks, portrait_clusters
from repro.analysis.claim_findings import Finding
from repro.analysis.outcomes import Outcomes
from repro.reporting.tables import answer, metric_columns, number_format, verdict_notes
from repro.reporting.tables.cell import DASH, Cell
from repro.reporting.tables.table_part import Part
from repro.stats import conclusions
from repro.study.claims import Claim

WORDS = (
    "An answer is made from one interval: a claim holds if the whole interval is on the expected "
    "side of 0, but too small to matter if it also excludes the smallest effect that matters; it "
    "does not hold if only that effect is excluded, or the whole interval is on the other side; "
    "otherwise it cannot be told yet."
)


def part(outcomes: Outcomes, name: str) -> Part | None:
    """The claims with their answers; None if the study declares none.

    Args:
        outcomes: With scores.
        name: Of a definition; claims have that of the published source, so it changes nothing.
    """
    found = claims.findings(outcomes)
    if not found:
        return None
    return Part(
        name="claims",
        title=f"{outcomes.name}: claims and what these runs say to them.",
        table=number_format.frame(
            [_row(one) for one in found], [one.claim.name for one in found], "Claim"
        ),
        remarks=list(_remarks(outcomes, found)),
        holds="words",
    )


def _row(found: Finding) -> dict[str, str]:
    low, high = found.interval
    return {
        "Answer": found.word,
        "Effect": Cell(_effect(found), {"": found.effect, "low": low, "high": high}),
        "Smallest effect": _smallest(found),
        "Measured": _measured(found),
        "To settle": Cell(_to_settle(found) or DASH),
    }


def _effect(found: Finding) -> str:
    if math.isnan(found.effect):
        return DASH
    shown = answer.signed(found)
    return shown if math.isnan(found.interval.low) else f"{shown} {answer.ends(found)}"


def _smallest(found: Finding) -> Cell:
    return Cell(answer.smallest(found), {"": found.smallest})


def _to_settle(found: Finding) -> str:
    return answer.takes(found) if found.word == conclusions.CANNOT_TELL else ""


def _measured(found: Finding) -> str:
    """Quantity, threshold and arms, as short as they can be told."""
    claim, arms = found.claim, found.declared.arms
    if claim.contrast.trend is not None:
        between = f"{arms[0]} to {arms[-1]} ({len(arms)} arms)"
    else:
        between = f"{arms[1]} less {arms[0]}"
    named = claim.quantity.replace("_", " ") if claim.group is None else f"recall, {claim.group}"
    return f"{named}{_read_at(claim)}: {between}"


def _read_at(claim: Claim) -> str:
    at = claim.read_at
    if at is None or not answer.read_at(claim):
        return ""
    if at.false_positive_rate is not None:
        return f" at {100 * at.false_positive_rate:g} % FP"
    return " at equal FP" if at.matched_to is not None else " at logit 0"


def _remarks(outcomes: Outcomes, found: Sequence[Finding]) -> Iterator[str]:
    main = claims.primary(found)
    assert main is not None
    yield f"Primary claim: {main.claim.name}. {WORDS}"
    yield from _levels(found, main)
    yield (
        "FP: false positives. Effects are in percentage points, of a variance in percent squared; "
        "intervals are for new seeds and new photographs, of shares of runs for new runs."
    )
    if any(one.claim.is_metric for one in found):
        yield (
            "Intervals of metrics of plug-ins are for new seeds and these photographs, in the "
            "metric's unit."
        )
    yield from portrait_clusters.sentences(outcomes)
    yield from metric_columns.notes(outcomes)
    if sources := [f"{one.claim.name}: {one.claim.source}" for one in found if one.claim.source]:
        yield f"Sources: {'; '.join(sources)}."
    for one in found:
        if one.reason:
            yield f"No interval for “{one.claim.name}”: {one.reason}."
    for doubt in dict.fromkeys(doubt for one in found for doubt in one.doubts):
        yield (
            f"{doubt}. If one arm alone has such runs, an answer is wrong in up to 30 % of studies "
            "of five seeds."
        )
    yield verdict_notes.three_words(outcomes)


def _levels(found: Sequence[Finding], main: Finding) -> Iterator[str]:
    others = [one for one in found if one is not main]
    shared = ""
    if others:
        level = f"{100 * others[0].level:.4g} %"
        shared = f"; of the others {level}, so that all together err in 5 % (Bonferroni)"
    yield f"Level of the primary claim's interval: {_level(main)}{shared}."
    if any(one.word == conclusions.CANNOT_TELL for one in found):
        yield (
            "To settle: seeds and photographs with which an effect of the smallest size would be "
            "told from none in 80 % of studies, if runs vary as these do."
        )


def _level(main: Finding) -> str:
    if main.level < looks.WIDEST:
        return f"{100 * main.level:.4g} %"
    return "none, a look that nobody planned needs at least 5 pairs"
