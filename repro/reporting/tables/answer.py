"""The answer of a study in at most three sentences, made from its claims by rules.

A sentence says no more than its claim: the word, the values and the interval are those of
`analysis.claims`.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from repro.analysis import claim_findings, claims, portrait_clusters, verdicts
from repro.analysis.claim_findings import Finding
from repro.analysis.outcomes import Outcomes
from repro.analysis.wording import count, joined
from repro.reporting.tables import detector_sentence
from repro.stats import conclusions
from repro.stats.conclusions import Word
from repro.stats.intervals import LEVEL
from repro.study.claims import Claim

NOTHING = 1e-9  # an effect that is none, but for rounding
NAMED = 4  # claims beside the primary one that are named; more are counted
_LEAD: dict[Word, str] = {
    conclusions.HOLDS: "it holds that {name}",
    conclusions.TOO_SMALL: "it holds that {name}, but too little to matter",
    conclusions.DOES_NOT_HOLD: "it does not hold that {name}",
    conclusions.CANNOT_TELL: "it cannot be told yet whether {name}",
}
_WAYS = {"lower": "a fall by", "higher": "a rise by", "largest": "a lead of"}
_QUANTITY = {
    "recall": "recall",
    "variance": "the variance between groups",
    "gap": "the gap between groups",
    "worst_group": "the recall of the worst group",
    "tone_slope": "the change of recall over the scale of skin tone",
    "auc_variance": "the variance between the groups' areas under the curve",
    "false_positive_rate": "the false-positive rate",
    "failed_share": "the share of failed runs",
    "collapsed_share": "the share of collapsed runs",
    "posterior_collapsed_share": "the share of runs whose latents collapsed",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a study says.

    Attributes:
        sentences: At most three; empty if it declares no claim.
        findings: Of every claim, in the order of the study.
        comparison: A sentence on detectors that were trained elsewhere, see `detector_sentence`.
    """

    sentences: tuple[str, ...]
    findings: tuple[Finding, ...]
    comparison: str = ""

    @property
    def told(self) -> tuple[str, ...]:
        """The sentences, and the comparison if there is one."""
        return (*self.sentences, self.comparison) if self.comparison else self.sentences

    @property
    def text(self) -> str:
        """All of them in one paragraph."""
        return " ".join(self.told)


def of_study(outcomes: Outcomes) -> Answer:
    """The answer of a study.

    Args:
        outcomes: With scores.
    """
    found = claims.findings(outcomes)
    main = claims.primary(found)
    comparison = detector_sentence.sentence(outcomes)
    if main is None:
        return Answer((), (), comparison)
    others = [one for one in found if one is not main]
    told = [_primary(outcomes, main), *_secondary(main, others), _extent(outcomes, main, others)]
    return Answer(tuple(told), tuple(found), comparison)


def _primary(outcomes: Outcomes, main: Finding) -> str:
    data = "the synthetic faces" if outcomes.synthetic else "these data"
    lead = _LEAD[main.word].format(name=main.claim.name)
    return f"On {data} {lead}: {evidence(main)}."


def evidence(found: Finding) -> str:
    """The values, the effect with its interval and what the word rests on; no full stop."""
    if math.isnan(found.effect):
        return found.reason
    return f"{_values(found)}{_ground(found)}"


def _values(found: Finding) -> str:
    """The values of the first and the last arm, and the change."""
    claim, arms = found.claim, found.declared.arms
    at = f"{read_at(claim)} " if read_at(claim) else ""
    unit = _unit_of_value(found)
    first, last = (f"{amount(value, found)}{unit}" for value in (found.first, found.last))
    change = _lead(found) if claim.expect == "largest" else _change(found)
    return f"{at}{quantity(claim)} was {last} with {arms[-1]} and {first} with {arms[0]}, {change}"


def _unit_of_value(found: Finding) -> str:
    claim = found.claim
    if claim.is_metric:
        unit = found.metric.unit if found.metric else ""
        return {"": "", "percent": " %"}.get(unit, f" {unit}")
    if found.unit != "points":
        return ""
    return " points" if claim.quantity in ("gap", "tone_slope") else " %"


def _unit_of_change(found: Finding) -> str:
    if found.claim.is_metric:
        return f" {found.unit}" if found.unit else ""
    return " points" if found.unit == "points" else ""


def _change(found: Finding) -> str:
    """The size of the effect in the direction that was seen, with its interval."""
    if found.claim.contrast.trend is not None:
        line = f"and a line through the {len(found.declared.arms)} arms"
        return f"{line} {'falls' if found.effect < 0 else 'rises'} by {_sized(found)}"
    if abs(found.effect) < NOTHING:
        return f"no difference{_ends(found, 1)}"
    return f"{'lower' if found.effect < 0 else 'higher'} by {_sized(found)}"


def _lead(found: Finding) -> str:
    """The group's gain against that of the other group that gained most."""
    trend, arms = found.claim.contrast.trend, len(found.declared.arms)
    line = "" if trend is None else f" along a line through the {arms} arms"
    if found.effect < 0:
        return f"a change {_sized(found)} below that of another group{line}"
    return f"a change {_sized(found)} above that of every other group{line}"


def _sized(found: Finding) -> str:
    sign = -1 if found.effect < 0 else 1
    return f"{amount(abs(found.effect), found)}{_unit_of_change(found)}{_ends(found, sign)}"


def _ends(found: Finding, sign: int) -> str:
    if math.isnan(found.interval.low):
        return ""
    looks = found.claim.primary and found.level != LEVEL
    level = f" ({100 * found.level:.4g} % interval)" if looks else ""
    return f" {ends(found, sign)}{level}"


def ends(found: Finding, sign: int = 1) -> str:
    """The interval of the effect in brackets, or of the effect with the other sign."""
    low, high = sorted(sign * end for end in found.interval)
    return f"[{amount(low, found)}, {amount(high, found)}]"


def signed(found: Finding) -> str:
    """The effect with its sign."""
    shown = amount(found.effect, found)
    return f"+{shown}" if found.effect > NOTHING else shown


def _ground(found: Finding) -> str:
    """What excludes, or fails to exclude, the smallest effect."""
    if found.reason:
        return f"; {found.reason}"
    least = smallest(found)
    if found.claim.expect == "kept":
        return {
            conclusions.HOLDS: f"; a change of {least} or more is excluded",
            conclusions.DOES_NOT_HOLD: f"; a change of less than {least} is excluded",
        }.get(found.word, f"; changes of more and of less than {least} are both possible")
    if found.word == conclusions.HOLDS:
        return f"; a smaller effect than {least} is excluded" if found.exceeds else ""
    if found.opposite:
        return "; the effect is in the other direction"
    if found.word == conclusions.CANNOT_TELL:
        return f"; no effect and {least} are both possible"
    return f"; {least} or {_further(found)} is excluded"


def _further(found: Finding) -> str:
    """On which side of the smallest effect larger ones lie."""
    shrinks = found.claim.smallest_effect.ratio is not None and found.claim.expect == "lower"
    return "less" if shrinks else "more"


def smallest(found: Finding) -> str:
    """The smallest effect that matters, in words."""
    effect, kind = found.claim.smallest_effect, found.claim.expect
    if effect.ratio is not None:
        way = "a fall to" if kind == "lower" else "a rise to"
        return f"{way} {100 * effect.ratio:g} %"
    what = f"{effect.absolute:g}"
    unit = _unit_of_change(found)
    what += " point" if unit == " points" and effect.absolute == 1 else unit
    if kind == "kept":
        return what
    return f"{_WAYS[kind]} {what}"


def amount(value: float, found: Finding) -> str:
    """A number of a claim in its unit, with as many digits as a summary needs."""
    return "unknown" if math.isnan(value) else f"{value:z.{_decimals(found)}f}"


def _decimals(found: Finding) -> int:
    """One of a percentage, three digits of a variance; more where the effect would look like 0."""
    sizes = (found.first, found.last, found.effect)
    largest = max((abs(one) for one in sizes if not math.isnan(one)), default=0.0)
    least = 0 if largest >= 100 else 1 if largest >= 10 else 2
    fewest = 1 if found.unit == "points" else least
    effect = abs(found.effect)
    if math.isnan(effect) or effect < NOTHING:
        return fewest
    return max(fewest, math.ceil(-math.log10(2 * effect)))


def quantity(claim: Claim) -> str:
    """What is measured, in words."""
    if claim.quantity == "group_recall":
        return f"the recall of {claim.group}"
    if claim.is_metric:
        return f"the {claim.quantity.replace('_', ' ')}"
    return _QUANTITY[claim.quantity]


def read_at(claim: Claim) -> str:
    """The threshold, in words; empty without one."""
    at = claim.read_at
    if at is None or claim.quantity in ("false_positive_rate", "auc_variance"):
        return ""
    if at.false_positive_rate is not None:
        return f"at {100 * at.false_positive_rate:g} % false positives"
    if at.matched_to is not None:
        return "at equal false positives"
    return "at the papers' threshold (logit 0)"


def _secondary(main: Finding, others: Sequence[Finding]) -> Iterator[str]:
    """One sentence on the claims beside the primary one."""
    if not others:
        return
    by_word = {word: [one for one in others if one.word == word] for word in conclusions.WORDS}
    if len(others) > NAMED:
        yield _numbers({word: len(some) for word, some in by_word.items() if some})
        return
    told = [_named(word, some, main) for word, some in by_word.items() if some]
    sentence = "; ".join(told)
    yield f"{sentence[0].upper()}{sentence[1:]}."


def _numbers(by_word: Mapping[Word, int]) -> str:
    """How many claims have which word."""
    whole = f"{sum(by_word.values())} other claims"
    if len(by_word) > 1:
        told = [f"{number} {_counted(word, number)}" for word, number in by_word.items()]
        return f"Of {whole} {joined(told)}."
    (word,) = by_word
    if word == conclusions.CANNOT_TELL:
        return f"None of the {whole} can be told yet."
    if word == conclusions.DOES_NOT_HOLD:
        return f"None of the {whole} holds."
    return f"All {whole} {_counted(word, 2)}."


def _counted(word: Word, number: int) -> str:
    one = number == 1
    return {
        conclusions.HOLDS: "holds" if one else "hold",
        conclusions.TOO_SMALL: f"{'holds' if one else 'hold'} but too little to matter",
        conclusions.DOES_NOT_HOLD: f"{'does' if one else 'do'} not hold",
        conclusions.CANNOT_TELL: "cannot be told yet",
    }[word]


def _named(word: Word, some: Sequence[Finding], main: Finding) -> str:
    names = [one.claim.name for one in some]
    if word == conclusions.CANNOT_TELL:
        return f"it cannot be told yet {joined([f'whether {one}' for one in names], 'or')}"
    if word == conclusions.DOES_NOT_HOLD:
        return f"it does not hold {joined([f'that {one}' for one in names], 'or')}"
    also = "also " if main.word == word else ""
    holds = f"it {also}holds {joined([f'that {one}' for one in names])}"
    return holds if word == conclusions.HOLDS else f"{holds}, but too little to matter"


def _extent(outcomes: Outcomes, main: Finding, others: Sequence[Finding]) -> str:
    """On how many seeds the answer rests, what would settle it, and why it may be wrong."""
    told = [
        f"{kind(outcomes)} {_seeds(main)} per arm{_clusters(outcomes)}",
        _settled(main, others),
        _doubt(main),
        _few_clusters(outcomes, main),
    ]
    return f"{'; '.join(filter(None, told))}."


def _seeds(main: Finding) -> str:
    if main.pairs < main.started:
        return f"{main.pairs or 'none'} of {count(main.started, 'planned seed')}"
    return count(main.pairs, "seed")


def _doubt(main: Finding) -> str:
    """Why the interval may be wrong, of the first arm of which runs look so."""
    if not main.doubts or math.isnan(main.interval.low):
        return ""
    more = len(main.doubts) - 1
    others = f"; also {count(more, 'other arm')}" if more else ""
    return f"the interval may be wrong ({main.doubts[0]}{others})"


def _clusters(outcomes: Outcomes) -> str:
    """Over how many clusters of portraits, if these belong together."""
    short = portrait_clusters.short(outcomes)
    return f" and {short} of test portraits" if short else ""


def _few_clusters(outcomes: Outcomes, main: Finding) -> str:
    """That the interval may be too narrow, because clusters are few."""
    why = "" if math.isnan(main.interval.low) else portrait_clusters.warning(outcomes)
    return f"the interval may be too narrow ({why})" if why else ""


def kind(outcomes: Outcomes) -> str:
    """Whether it is a reproduction or a replication, before a number of seeds."""
    if outcomes.published is None:
        return "This rests on"
    if verdicts.refusals(outcomes, outcomes.published):
        return "This is a replication (data or settings differ from the published ones) with"
    return "This is a reproduction (data and settings are the published ones) with"


def _settled(main: Finding, others: Sequence[Finding]) -> str:
    """What would decide the primary claim, or else the open claim that takes the fewest seeds."""
    if main.word == conclusions.CANNOT_TELL:
        what = "the first claim" if others else "it"
        return f"{takes(main)} would probably settle {what}" if takes(main) else ""
    open_ones = [one for one in others if one.word == conclusions.CANNOT_TELL and takes(one)]
    if not open_ones:
        return ""
    nearest = min(open_ones, key=_effort)
    return f"{takes(nearest)} would probably settle whether {nearest.claim.name}"


def _effort(found: Finding) -> float:
    wanted = claim_findings.needed(found)
    return (wanted.pairs or math.inf) * wanted.times


def takes(found: Finding) -> str:
    """The seeds, and the photographs if there are too few, that decide a claim; or nothing."""
    wanted = claim_findings.needed(found)
    if wanted.pairs is None:
        return ""
    seeds = f"about {count(_about(wanted.pairs), 'seed')} per arm"
    if wanted.times <= 1:
        return seeds
    return f"{seeds} with {_times(wanted.times)} times as many {found.sampled}"


def _about(number: int) -> int:
    """Rounded up to two digits: the spread that it comes from is not known any better."""
    step = int(10 ** max(0, math.floor(math.log10(number)) - 1))
    return step * math.ceil(number / step)


def _times(times: float) -> str:
    return f"{times:.1f}" if times < 10 else f"{_about(math.ceil(times)):,}"
