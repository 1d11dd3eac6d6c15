"""Arms less their placebos: table and fields for programs."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from repro.analysis import placebos
from repro.analysis.outcomes import Outcomes
from repro.analysis.placebos import PlaceboContrast
from repro.reporting.tables import gap_table, json_output, number_format
from repro.reporting.tables.cell import DASH, Cell, Number
from repro.reporting.tables.table_part import Part

_METHOD = "paired runs and photographs, Student's quantile"
_DEALT = {"all": "all faces", "groups": "the faces of each group"}


def part(outcomes: Outcomes, _: str) -> Part | None:
    """A row for each arm and placebo; None if no arm has a placebo.

    Args:
        outcomes: With scores.
        _: Name of a definition; the published source's is used, as in claims.
    """
    found = placebos.contrasts(outcomes)
    if not found:
        return None
    return Part(
        name="placebos",
        title=f"{outcomes.name}: arms less their placebos.",
        table=number_format.frame([_row(one) for one in found], [one.arm for one in found]),
        remarks=list(_remarks(found)),
        keys=1,
    )


def _row(one: PlaceboContrast) -> dict[str, str]:
    seen = Number(value=one.seen, unit=gap_table.unit(one.claim), decimals=1)
    anew = ", anew in each epoch" if one.permutation == "epoch" else ""
    return {
        "Placebo": one.placebo,
        "Dealt over": f"{_DEALT.get(one.within, one.within)}{anew}",
        "Arm less placebo": Cell.of(_effect(one)),
        "Smallest seen": Cell.of(seen) if not math.isnan(one.seen) else DASH,
        "Seeds": Cell(str(one.pairs), {"": one.pairs}),
    }


def _effect(one: PlaceboContrast) -> Number:
    return Number(
        value=one.value,
        unit=gap_table.unit(one.claim),
        decimals=1,
        signed=True,
        interval=one.interval,
        sd=one.sd,
    )


def _remarks(found: Sequence[PlaceboContrast]) -> Iterator[str]:
    yield (
        "A placebo has the arm's weights in every epoch, on other faces: what differs is which "
        f"faces are favoured. Arm less placebo: {gap_table.measured(found[0].claim)}, paired by "
        "seed, with 95 % intervals for new seeds and photographs."
    )
    if any(one.within == "groups" for one in found):
        yield (
            "Dealt over the faces of each group, a placebo keeps the weight of every group: the "
            "difference is what rarity does inside groups."
        )
    if any(one.permutation == "epoch" for one in found):
        yield (
            "Dealt anew in each epoch, weights even out over a run: that is a check, no placebo, "
            "and it flatters the arm."
        )
    yield (
        "Smallest seen: the difference that 80 % of studies with as many seeds, whose runs vary as "
        "these do, would tell from 0. A smaller one may exist where none is seen."
    )
    for one in found:
        if one.reason:
            yield f"No interval for “{one.arm}” less “{one.placebo}”: {one.reason}."
    for doubt in dict.fromkeys(doubt for one in found for doubt in one.doubts):
        yield f"{doubt}. A difference that rests on such runs may be wrong."


def as_fields(outcomes: Outcomes) -> list[dict[str, Any]]:
    """The same for programs; empty if no arm has a placebo."""
    return [_fields(one) for one in placebos.contrasts(outcomes)]


def _fields(one: PlaceboContrast) -> dict[str, Any]:
    return {
        "arm": one.arm,
        "placebo": one.placebo,
        "within": one.within,
        "permutation": one.permutation,
        "quantity": one.claim.quantity,
        "group": one.claim.group,
        "read_at": one.claim.read_at.model_dump(exclude_none=True) if one.claim.read_at else None,
        "difference": json_output.estimate(_effect(one), n=one.pairs, method=_METHOD),
        "smallest_seen": one.seen,
        "reason": one.reason or None,
        "doubts": list(one.doubts),
    }
