"""Footnotes on thresholds at false-positive rates: how they are set, and how exact they can be."""

from collections.abc import Iterable, Iterator

from repro.analysis import thresholds
from repro.analysis.outcomes import Arm, Outcomes
from repro.stats import operating


def of_thresholds(outcomes: Outcomes) -> list[str]:
    """The rule, then the rates for which there are too few photographs, and ties."""
    arms = [arm for arm in outcomes.arms if arm.runs and arm.scores is not None]
    return [
        *_rule(outcomes, arms),
        *_too_few(outcomes, arms),
        *_imprecise(outcomes, arms),
        *_tied(outcomes, arms),
    ]


def _rule(outcomes: Outcomes, arms: list[Arm]) -> Iterator[str]:
    if any(thresholds.can_read(arm, rate) for arm in arms for rate in outcomes.rates):
        yield (
            "Each run has its own threshold: the k-th largest logit of the N photographs without a "
            "face, for the largest k with k / (N + 1) at most the stated rate; this logit and "
            "larger ones are positive. False positives at such a threshold: the expected rate "
            "among new photographs, k / (N + 1), and the 95 % interval of the true rate, which has "
            "a Beta distribution. All runs share the photographs, so more runs do not narrow it."
        )


def _counts(arms: list[Arm]) -> list[int]:
    """The numbers of photographs without a face; usually one for all arms."""
    return sorted({count for arm in arms if (count := thresholds.nonfaces(arm))})


def _too_few(outcomes: Outcomes, arms: list[Arm]) -> Iterator[str]:
    """The rates that have no threshold."""
    for reason in too_few(outcomes.rates, _counts(arms)):
        yield f"No threshold: {reason}."


def too_few(rates: Iterable[float], counts: Iterable[int]) -> list[str]:
    """For each rate that one of these numbers of photographs cannot support: how many it takes."""
    return [
        operating.too_few(rate, count)
        for count in counts
        for rate in sorted(rates)
        if not operating.supports(rate, count)
    ]


def _imprecise(outcomes: Outcomes, arms: list[Arm]) -> Iterator[str]:
    """The rates whose true rate may differ from the stated one by more than a factor of 2."""
    for count in _counts(arms):
        told = [
            f"{100 * rate:g} % needs {operating.needed(rate, operating.WITHIN_TWO):,}"
            for rate in sorted(outcomes.rates)
            if operating.supports(rate, count)
            and operating.rank(rate, count) < operating.WITHIN_TWO
        ]
        if told:
            yield (
                f"With {count:,} photographs without a face, the true rate is not known within a "
                f"factor of 2 with 95 % confidence: {', '.join(told)}."
            )


def _tied(outcomes: Outcomes, arms: list[Arm]) -> Iterator[str]:
    """The thresholds that several photographs share, which makes the true rate larger."""
    for rate in sorted(outcomes.rates):
        found = [
            count
            for arm in arms
            if thresholds.can_read(arm, rate)
            for count in thresholds.ties(arm, rate)
        ]
        tied = sum(count > 0 for count in found)
        if tied:
            yield (
                f"At {100 * rate:g} % false positives, photographs without a face tie at the "
                f"threshold in {tied:,} of {len(found):,} runs: up to {int(max(found)):,} more are "
                "positive than k, and the true rate is larger than stated."
            )
