"""Differences from the matched reference as cells, and the footnotes that explain them."""

from collections.abc import Iterable, Iterator

from repro.analysis import matched, thresholds
from repro.analysis.arm_differences import Quantity
from repro.analysis.operating_points import Estimate
from repro.analysis.outcomes import LOGIT_0, MANY_ARMS, MANY_RUNS, Arm
from repro.analysis.wording import count
from repro.reporting.tables import number_format
from repro.reporting.tables.cell import DASH, Cell
from repro.reporting.tables.run_notes import few
from repro.stats.disparity import Definition

Pair = tuple[Arm, Arm]  # an arm and what it is compared with


def difference(
    arm: Arm, reference: Arm, quantity: Quantity, definition: Definition, *, arms: int = 1
) -> Cell:
    """Arm minus matched reference; a dash where it is not matched.

    One decimal, because the interval has the Monte Carlo error of redrawn photographs. With more
    than `MANY_ARMS` arms in the table there are no intervals, because they take 20 ms an arm.
    """
    if matched.refusal(arm, reference):
        return Cell(DASH)
    if arms > MANY_ARMS or arm.many:
        plain = Estimate(matched.changes(arm, reference, definition)[quantity])
        return number_format.difference(plain, quantity, decimals=1)
    found = matched.difference(arm, reference, definition)[quantity]
    return number_format.difference(found, quantity, decimals=1)


def of_pairs(pairs: Iterable[Pair], *, threshold: str = LOGIT_0) -> list[str]:
    """What matched means, which arms are not matched and why, and ties; empty without scores."""
    known = [pair for pair in pairs if all(map(thresholds.nonfaces, pair))]
    return [*_meaning(known, threshold), *_refused(known), *_tied(known)] if known else []


def briefly(pairs: Iterable[Pair]) -> list[str]:
    """What matched means, in one sentence for the summary; empty if nothing is matched."""
    if all(matched.refusal(*pair) for pair in pairs):
        return []
    return ["Matched: from the reference at the arm's own false-positive rate, run by run."]


def _meaning(pairs: list[Pair], threshold: str) -> Iterator[str]:
    if any(not matched.refusal(*pair) for pair in pairs):
        yield (
            f"Matched: the arm at {threshold} minus its reference at the arm's own false-positive "
            "rate, run by run: at the threshold, midway between two logits, at which the run with "
            "the same seed detects as many photographs without a face. " + _of_intervals(pairs)
        )


def _of_intervals(pairs: list[Pair]) -> str:
    if len(pairs) > MANY_ARMS:
        return f"With more than {MANY_ARMS} arms these differences have no interval."
    if any(arm.many for arm, _ in pairs):
        return f"With more than {MANY_RUNS:,} runs these differences have no interval."
    return "The intervals include that other photographs would set other thresholds."


def _refused(pairs: list[Pair]) -> Iterator[str]:
    reasons = [why for pair in pairs if (why := matched.refusal(*pair))]
    if reasons:
        yield f"Cannot be matched: {'; '.join(few(reasons, 'arms'))}."


def _tied(pairs: list[Pair]) -> Iterator[str]:
    found = [
        int(more) for pair in pairs if not matched.refusal(*pair) for more in matched.ties(*pair)
    ]
    if tied := sum(more > 0 for more in found):
        yield (
            "Photographs without a face tie at the matched threshold in "
            f"{tied:,} of {count(len(found), 'run')}: up to {max(found):,} more are positive than "
            "in the arm's run."
        )
