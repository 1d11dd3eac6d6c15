"""The share of a gap that each arm closes: table and fields for programs."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from repro.analysis import claim_findings, gap_closed
from repro.analysis.gap_closed import Closing
from repro.analysis.outcomes import Outcomes
from repro.analysis.wording import joined
from repro.reporting.tables import answer, json_output, number_format
from repro.reporting.tables.cell import DASH, Cell, Number, Unit
from repro.reporting.tables.table_part import Part
from repro.stats.gap_share import Closed, GapShare
from repro.stats.intervals import NOWHERE, Interval
from repro.study.claims import Claim

_FIELLER = "Fieller, paired runs"
_STUDENT = "Student's t, paired runs"
_UNITS: dict[Unit, str] = {"percent_squared": "percent squared", "points": "points"}
_REFUSALS = {
    "may be no gap": "Student's interval of the gap holds 0, so there may be nothing to close",
    "no gap": "the ceiling has no smaller gap than the reference, so there is nothing to close",
    "one pair": "its arms have one seed in common, and an interval takes 2",
    "one ratio": "all pairs have the same ratio, which tells nothing of others",
}


def part(outcomes: Outcomes, _: str) -> Part | None:
    """A row for each arm and ceiling; None if the study does not ask for them.

    Args:
        outcomes: With scores.
        _: Name of a definition; claims have that of the published source.
    """
    found = gap_closed.closings(outcomes)
    if not found:
        return None
    return Part(
        name="gap_share",
        title=f"{outcomes.name}: share of the gap closed.",
        table=number_format.frame([_row(one) for one in found], [one.arm for one in found]),
        remarks=list(_remarks(found)),
        keys=1,
    )


def _row(one: Closing) -> dict[str, str]:
    row: dict[str, str] = {"Ceiling": one.ceiling}
    if one.found is None:
        return row | dict.fromkeys(("Share closed, %", "Closed", "Gap", "Seeds", "Bootstrap"), DASH)
    return row | {
        "Share closed, %": Cell.of(share(one.found)),
        "Closed": Cell.of(_amount(one.claim, one.found.numerator)),
        "Gap": Cell.of(_amount(one.claim, one.found.denominator)),
        "Seeds": Cell(str(one.found.pairs), {"": one.found.pairs}),
        "Bootstrap": _bootstrap(one.found),
    }


def share(found: GapShare) -> Number:
    """In percent, with Fieller's interval; NaN if it is refused."""
    return Number(
        value=100 * found.share, decimals=1, interval=number_format.scaled(found.interval, 100)
    )


def _amount(claim: Claim, found: Closed) -> Number:
    return Number(value=found.value, unit=unit(claim), decimals=1, interval=found.interval)


def unit(claim: Claim) -> Unit:
    """Of a difference of a claim's quantity."""
    return "percent_squared" if claim_findings.is_variance(claim) else "points"


def _bootstrap(found: GapShare) -> Cell:
    ends = NOWHERE if found.bootstrap is None or found.refusal else found.bootstrap.interval
    if math.isnan(ends.low):
        return Cell(DASH)
    low, high = number_format.scaled(ends, 100)
    return Cell(f"[{low:.1f}, {high:.1f}]", {"percent_low": low, "percent_high": high})


def _remarks(found: Sequence[Closing]) -> Iterator[str]:
    first = found[0]
    yield (
        f"Share closed, %: (V0 - V) / (V0 - V of the ceiling), where V is {measured(first.claim)} "
        f"{_cleaned(first.claim)}, as in the primary claim, and V0 that of “{first.reference}”; "
        f"Closed and Gap are numerator and denominator, in {_UNITS[unit(first.claim)]}. Means over "
        "seeds, paired; the interval is Fieller's, for new seeds and these photographs. Above "
        "100 % an arm goes beyond the ceiling, below 0 the gap grows."
    )
    if len({one.ceiling for one in found}) > 1:
        yield "Each ceiling is a question of its own: shares of different ceilings do not compare."
    yield from _bootstraps(found)
    yield from _refused(found)
    for doubt in dict.fromkeys(doubt for one in found for doubt in one.doubts):
        yield f"{doubt}. A share that rests on such runs may be wrong."


def _refused(found: Sequence[Closing]) -> Iterator[str]:
    """Why there are no shares; arms with the same reason are named together."""
    alike: dict[tuple[str, str], list[str]] = {}
    for one in found:
        if why := reason(one):
            alike.setdefault((one.ceiling, why), []).append(f"“{one.arm}”")
    for (ceiling, why), arms in alike.items():
        yield f"No share of {joined(arms)} with the ceiling “{ceiling}”: {why}."


def measured(claim: Claim) -> str:
    """A claim's quantity at its threshold, in words."""
    at = answer.read_at(claim)
    return f"{answer.quantity(claim)} {at}".strip()


def _cleaned(claim: Claim) -> str:
    if claim.quantity == "variance":
        return "without the noise of seeds and portraits"
    return "with the noise of seeds and portraits"


def _bootstraps(found: Sequence[Closing]) -> Iterator[str]:
    made = [one.found.bootstrap for one in found if one.found and one.found.bootstrap]
    if not made:
        return
    few = min(made, key=lambda one: one.resamples)
    which = f"all {few.resamples:,}" if few.enumerated else f"{few.resamples:,} drawn"
    yield (
        f"Bootstrap: percentiles of the share over {which} resamples of seeds. With five seeds "
        "they cover in 84 % of studies, so Fieller's interval is the one to use."
    )


def reason(one: Closing) -> str:
    """Why there is no share or no interval, with the gap; empty if there are both."""
    if one.found is None:
        return one.reason
    if not one.found.refusal:
        return ""
    told = f"gap {_amount(one.claim, one.found.denominator).text}"
    if one.found.bootstrap and one.found.bootstrap.without_gap:
        told += f"; {100 * one.found.bootstrap.without_gap:.1f} % of resamples have no gap"
    return f"{_REFUSALS[one.found.refusal]} ({told})"


def as_fields(outcomes: Outcomes) -> list[dict[str, Any]]:
    """The same for programs; empty if the study does not ask."""
    return [_fields(one) for one in gap_closed.closings(outcomes)]


def _fields(one: Closing) -> dict[str, Any]:
    found = one.found
    n = found.pairs if found else 0
    nothing = Closed(math.nan, NOWHERE)
    amounts = (found.numerator, found.denominator) if found else (nothing, nothing)
    closed, gap = (
        json_output.estimate(_amount(one.claim, amount), n=n, method=_STUDENT) for amount in amounts
    )
    known = Number(value=math.nan) if found is None else share(found)
    return {
        "arm": one.arm,
        "ceiling": one.ceiling,
        "reference": one.reference,
        "quantity": one.claim.quantity,
        "group": one.claim.group,
        "read_at": one.claim.read_at.model_dump(exclude_none=True) if one.claim.read_at else None,
        "share": json_output.estimate(known, n=n, method=_FIELLER),
        "closed": closed,
        "gap": gap,
        "g": found.g if found else math.nan,
        "bootstrap": _bootstrap_fields(found),
        "refusal": reason(one) or None,
        "doubts": list(one.doubts),
    }


def _bootstrap_fields(found: GapShare | None) -> dict[str, Any] | None:
    if found is None or found.bootstrap is None:
        return None
    ends = Interval(*found.bootstrap.interval)
    return {
        "low": 100 * ends.low,
        "high": 100 * ends.high,
        "without_gap": found.bootstrap.without_gap,
        "resamples": found.bootstrap.resamples,
        "enumerated": found.bootstrap.enumerated,
    }
