"""The answer of a study in at most three sentences, made from its claims by rules.

A sentence says no more than its claim: the word, the values and the interval are those of
`analysis.claims`.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from repro.analysis import claims, verdicts
from repro.analysis.claims import Finding
from repro.analysis.study_data import Outcomes
from repro.analysis.wording import count, joined
from repro.stats import conclusions
from repro.stats.conclusions import Word
from repro.stats.intervals import LEVEL
from repro.study.claims import Claim

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
    """

    sentences: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def text(self) -> str:
        """The sentences in one paragraph."""
        return " ".join(self.sentences)


def of_study(outcomes: Outcomes) -> Answer:
    """The answer of a study.

    Args:
        outcomes: With scores.
    """
    found = claims.findings(outcomes)
    main = claims.primary(found)
    if main is None:
        return Answer((), ())
    others = [one for one in found if one is not main]
    told = [_primary(outcomes, main), *_secondary(others), _extent(outcomes, main, others)]
    return Answer(tuple(told), tuple(found))


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
    claim, names = found.claim, found.declared.arms
    where, what = read_at(claim), quantity(claim)
    at = f"{where} " if where else ""
    first, last = (amount(value, found) for value in (found.first, found.last))
    if claim.expect == "largest":
        return (
            f"{at}{what} was {last} with {names[-1]} and {first} with {names[0]}, a gain that "
            f"exceeds every other group's by {_sized(found)} or more"
            if found.effect > 0
            else f"{at}{what} was {last} with {names[-1]} and {first} with {names[0]}, and another "
            f"group gained {_sized(found)} more"
        )
    if claim.contrast.trend is not None:
        line = f"along a line through {len(names)} arms"
        return f"{at}{what} was {first} with {names[0]} and {last} with {names[-1]}, {line} " + (
            _change(found)
        )
    return f"{at}{what} was {last} with {names[-1]} and {first} with {names[0]}, {_change(found)}"


def _change(found: Finding) -> str:
    """The size of the effect in the direction that was seen, with its interval."""
    if amount(abs(found.effect), found) == amount(0.0, found):
        return f"no difference{_ends(found, 1)}"
    return f"{'lower' if found.effect < 0 else 'higher'} by {_sized(found)}"


def _sized(found: Finding) -> str:
    sign = -1 if found.effect < 0 else 1
    return f"{amount(abs(found.effect), found)}{_ends(found, sign)}"


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
    return shown if found.effect < 0 else f"+{shown}"


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
        return ""
    if found.opposite:
        return "; the effect is in the other direction"
    if found.word == conclusions.CANNOT_TELL:
        return f"; no effect and {least} are both possible"
    return f"; {least} or more is excluded"


def smallest(found: Finding) -> str:
    """The smallest effect that matters, in words."""
    effect, kind = found.claim.smallest_effect, found.claim.expect
    if effect.ratio is not None:
        way = "a fall to" if kind == "lower" else "a rise to"
        return f"{way} {100 * effect.ratio:g} %"
    what = f"{effect.absolute:g}"
    if kind == "kept":
        return what
    return f"{_WAYS[kind]} {what}"


def amount(value: float, found: Finding) -> str:
    """A number of a claim in its unit, with as many digits as a summary needs."""
    if math.isnan(value):
        return "unknown"
    if found.unit == "points":
        return f"{value:.1f}"
    sizes = (found.first, found.last, found.effect)
    largest = max((abs(one) for one in sizes if not math.isnan(one)), default=0.0)
    return f"{value:.{0 if largest >= 100 else 1 if largest >= 10 else 2}f}"


def quantity(claim: Claim) -> str:
    """What is measured, in words."""
    if claim.quantity == "group_recall":
        return f"the recall of {claim.group}"
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


def _secondary(others: Sequence[Finding]) -> Iterator[str]:
    """One sentence on the claims beside the primary one."""
    if not others:
        return
    by_word = {word: [one for one in others if one.word == word] for word in conclusions.WORDS}
    if len(others) > NAMED:
        told = [
            f"{len(some)} {_counted(word, len(some))}" for word, some in by_word.items() if some
        ]
        yield f"Of {count(len(others), 'other claim')} {joined(told)}."
        return
    told = [_named(word, some) for word, some in by_word.items() if some]
    sentence = "; ".join(told)
    yield f"{sentence[0].upper()}{sentence[1:]}."


def _counted(word: Word, number: int) -> str:
    one = number == 1
    return {
        conclusions.HOLDS: "holds" if one else "hold",
        conclusions.TOO_SMALL: f"{'holds' if one else 'hold'}, but too little to matter,",
        conclusions.DOES_NOT_HOLD: f"{'does' if one else 'do'} not hold",
        conclusions.CANNOT_TELL: "cannot be told yet",
    }[word]


def _named(word: Word, some: Sequence[Finding]) -> str:
    names = [one.claim.name for one in some]
    if word == conclusions.CANNOT_TELL:
        return f"it cannot be told yet whether {' or whether '.join(names)}"
    if word == conclusions.DOES_NOT_HOLD:
        return f"it does not hold that {' or that '.join(names)}"
    also = "it also holds" if word == conclusions.HOLDS else "it holds, but too little to matter,"
    return f"{also} that {' and that '.join(names)}"


def _extent(outcomes: Outcomes, main: Finding, others: Sequence[Finding]) -> str:
    """On how many seeds the answer rests, what would settle it, and why it may be wrong."""
    told = [f"{kind(outcomes)} {count(main.pairs, 'seed')} per arm"]
    if settled := _settled(main, others):
        told.append(settled)
    if main.doubts:
        told.append(f"the intervals may be wrong, because {main.doubts[0]}")
    return f"{'; '.join(told)}."


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
        return f"{takes(main)} would settle it" if takes(main) else ""
    open_ones = [one for one in others if one.word == conclusions.CANNOT_TELL and takes(one)]
    if not open_ones:
        return ""
    nearest = min(open_ones, key=_effort)
    return f"{takes(nearest)} would settle whether {nearest.claim.name}"


def _effort(found: Finding) -> float:
    wanted = claims.needed(found)
    return (wanted.pairs or math.inf) * wanted.times


def takes(found: Finding) -> str:
    """The seeds, and the photographs if there are too few, that decide a claim; or nothing."""
    wanted = claims.needed(found)
    if wanted.pairs is None:
        return ""
    seeds = f"about {count(wanted.pairs, 'seed')} per arm"
    if wanted.times <= 1:
        return seeds
    return f"{seeds} with {_times(wanted.times)} times as many photographs"


def _times(times: float) -> str:
    return f"{times:.1f}" if times < 10 else f"{math.ceil(times):,}"
