"""Metrics of a run that its record does not hold: inequality, and the same at false-positive rates.

Fractions, and squared fractions for variances, like all metrics in MLflow; 0.0004 is 4 percent
squared. Recall is pooled over portraits, the variance is that of the population of groups (ddof 0).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from repro.errors import RecordError
from repro.records import records
from repro.records.records import Record, StudyIndex
from repro.records.scores import Scores
from repro.stats import disparity, operating
from repro.stats.disparity import DEFINITIONS
from repro.stats.intervals import Floats

DEFINITION = DEFINITIONS["dehaan2020"]
Metrics = dict[str, float]


def rates(index: StudyIndex) -> list[float]:
    """The false-positive rates at which a study and its claims read detectors, ascending."""
    read_at = (claim.get("read_at") or {} for claim in index.claims)
    of_claims = (one.get("false_positive_rate") for one in read_at)
    return sorted({*index.false_positive_rates, *(rate for rate in of_claims if rate is not None)})


def of_record(record: Record, at_rates: Sequence[float], results: Path) -> Metrics:
    """The metrics by name; none for a failed run.

    Args:
        record: Of a run, with its counts at logit 0.
        at_rates: False-positive rates; those that its photographs cannot support are left out, and
            all if its scores are missing or damaged, which tables report.
        results: The results folder.

    Returns:
        ``variance``, ``gap`` and ``worst_group`` at logit 0; ``recall_at_fpr_10`` and the same
        three with this ending at 10 %. A single group has no variance and no gap.
    """
    if not record.groups:
        return {}
    counts = record.groups.values()
    sizes = [count.n for count in counts]
    found = _named(np.array([count.share for count in counts]), sizes)
    del found["recall"]  # the record holds it
    for rate, recall in _at_rates(record, at_rates, results):
        found |= _named(recall, sizes, f"_at_fpr_{100 * rate:g}")
    return found


def _named(recall: Floats, sizes: Sequence[int], ending: str = "") -> Metrics:
    """Of the groups' recalls, shape (K,)."""
    values = disparity.run_quantities(recall[None], sizes, DEFINITION)
    values["worst_group"] = values.pop("worst")
    return {
        f"{name}{ending}": float(value[0])
        for name, value in values.items()
        if not np.isnan(value[0])
    }


def _at_rates(
    record: Record, at_rates: Sequence[float], results: Path
) -> Iterator[tuple[float, Floats]]:
    """The rates that the run's photographs support, each with the groups' recalls, shape (K,)."""
    sets = _scores(record, results)
    if not {"portraits", "nonfaces"} <= sets.keys():
        return
    portraits, nonfaces = sets["portraits"], sets["nonfaces"].top_logit
    names = np.asarray(portraits.groups)
    masks = [names == group for group in record.groups]
    for rate in at_rates:
        if operating.supports(rate, len(nonfaces)):
            level = operating.threshold(nonfaces, rate)
            found = operating.detected(portraits.top_logit, level)
            yield rate, np.array([found[mask].mean() for mask in masks])


def _scores(record: Record, results: Path) -> dict[str, Scores]:
    try:
        return records.read_scores(record, results) or {}
    except RecordError:
        return {}
