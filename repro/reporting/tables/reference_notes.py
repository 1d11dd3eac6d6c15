"""Footnotes about detectors that were trained elsewhere."""

from repro.analysis.outcomes import Outcomes
from repro.analysis.wording import count


def of_detectors(
    outcomes: Outcomes, *, shown: bool = True, have_intervals: bool = True
) -> list[str]:
    """What the rows below the rule are; empty without any.

    Args:
        outcomes: Of a study.
        shown: Whether the table has such rows.
        have_intervals: Whether its numbers have intervals; those of the paper's columns have none.
    """
    if not outcomes.detectors or not shown:
        return []
    found = count(len(outcomes.detectors), "detector")
    told = (
        f"Below the rule: {found} trained elsewhere, on what data is not known here. Each is read "
        "at its own threshold, has no other seeds and is in no test, claim or selection"
    )
    if have_intervals:
        return [f"{told}; its intervals (95 %) are for new photographs alone."]
    return [f"{told}: its numbers are those of one network."]


def of_areas(outcomes: Outcomes) -> list[str]:
    """The same for areas under a curve, which need no threshold."""
    if not outcomes.detectors:
        return []
    return [
        "Below the rule: detectors trained elsewhere, without other seeds and so without such an "
        "interval. Photographs in which one found nothing are ties, which count half."
    ]
