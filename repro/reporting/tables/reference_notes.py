"""Footnotes about detectors that were trained elsewhere."""

from repro.analysis.study_data import Outcomes
from repro.analysis.wording import count


def of_detectors(outcomes: Outcomes, *, shown: bool = True) -> list[str]:
    """What the rows below the rule are; empty without any.

    Args:
        outcomes: Of a study.
        shown: Whether the table has such rows.
    """
    if not outcomes.detectors or not shown:
        return []
    found = count(len(outcomes.detectors), "detector")
    return [
        f"Below the rule: {found} trained elsewhere, on what data is not known here. Each is read "
        "at its own threshold, has no other seeds and is in no test, claim or selection; its "
        "intervals (95 %) are for new photographs alone."
    ]


def of_areas(outcomes: Outcomes) -> list[str]:
    """The same for areas under a curve, which need no threshold."""
    if not outcomes.detectors:
        return []
    return [
        "Below the rule: detectors trained elsewhere, without other seeds and so without such an "
        "interval. Photographs in which one found nothing are ties, which count half."
    ]
