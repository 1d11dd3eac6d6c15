"""Footnotes of the verdict: what is compared, when a claim is reproduced, what can be told at all.

`repro plan` prints the last of these before training.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import get_args

from repro.analysis import verdict_reach, verdicts
from repro.analysis.outcomes import Outcomes
from repro.analysis.verdict_reach import Prospect
from repro.stats.agreement import Word
from repro.stats.power import POWER

_UNIT = {"recall": "points", "variance": "percent squared"}
_ROOT = {"recall": "", "variance": " in the root of the variance"}


def of_verdict(outcomes: Outcomes, name: str) -> list[str]:
    """What is compared, when a claim is reproduced, and how often that can happen."""
    published = outcomes.published
    assert published is not None
    found = [
        f"Both sides are the mean of the best {published.keep} of {published.replicates} runs as "
        f"{published.definition} defines recall and variance. The published value has no spread: "
        "it is treated as one more sample with the spread of our runs. Variances are compared by "
        "their square roots.",
        "Reproduced: an equivalence test with the margin that the study declares passes at 5 %. "
        "Not reproduced: the published value is outside the 95 % prediction interval and beyond "
        "the margin. Otherwise the runs cannot tell. Directions and orders use the values of "
        "single runs, whose mean variance is not that of run-averaged groups; each direction has "
        "its own 95 % interval.",
        *of_reach(verdict_reach.of_outcomes(outcomes)),
    ]
    if name != published.definition:
        found.append(
            f"The verdict uses {published.definition} even if the tables use another definition."
        )
    return found


def summary(outcomes: Outcomes) -> str:
    """The verdict in one sentence without a full stop; empty without published values."""
    published = outcomes.published
    if published is None:
        return ""
    where = f"{published.source}, {published.printed}"
    against = verdicts.refusals(outcomes, published)
    if outcomes.margin is None:
        against.append("no margin is declared")
    if against:
        return f"no verdict on {where}: {against[0]}"
    counts = Counter(one.word for one in verdicts.judge(outcomes, told={}))
    told = ", ".join(f"{n} {word}" for word, n in counts.items())
    return f"verdict on {where}: {told}"


def three_words(outcomes: Outcomes) -> str:
    """What reproduction, replication and robustness are, and where each stands."""
    verdict = summary(outcomes) or "the study names no published values"
    return (
        "Replication: whether a claim holds on these data (this table). Reproduction: whether the "
        f"published numbers come out again (table verdict): {verdict}. Robustness: whether the "
        "claim holds over choices that a paper left open (table specification, if the study "
        "varies such choices)."
    )


def before_training(outcomes: Outcomes) -> list[str]:
    """What the verdict of a planned study can tell, from the records that there are, or none.

    Empty if there will be no verdict: no published values, no margin, or synthetic data.
    """
    published = outcomes.published
    if published is None or outcomes.margin is None or outcomes.synthetic:
        return []
    title = f"Verdict on {published.source}, {published.printed}"
    if outcomes.replicates < published.replicates:
        return [
            f"{title}: none on recall and variance, because {_runs([outcomes.replicates])} per arm "
            f"are planned, and the best {published.keep} of {published.replicates} need "
            f"{published.replicates}."
        ]
    seen = verdict_reach.of_outcomes(outcomes, planned=True)
    if seen:
        against = verdicts.refusals(outcomes, published)
        return (
            [f"{title}: none, because {'; '.join(against)}."]
            if against
            else [
                f"{title}, with the standard deviations of the runs that have a record:",
                *of_reach(seen),
            ]
        )
    told = [of_reach(verdict_reach.assumed(outcomes, one)) for one in verdict_reach.ASSUMED]
    return [f"{title}, with assumed standard deviations between runs:", *chain(*told)]


def of_reach(prospects: Sequence[Prospect]) -> list[str]:
    """For each quantity: how often each word comes if the reproduction is true.

    Args:
        prospects: Of several arms or of one assumed spread; sentences give the range over them.
    """
    found = []
    for quantity in dict.fromkeys(one.quantity for one in prospects):
        own = [one for one in prospects if one.quantity == quantity]
        found.append(" ".join([_chances(own), *_limit(own), *_margin(own), _distance(own)]))
    return found


def _chances(own: Sequence[Prospect]) -> str:
    first = own[0]
    words = [f"{word} {_percent(one.now.chances[word] for one in own)}" for word in get_args(Word)]
    runs = _runs(one.runs for one in own)
    return (
        f"If the published {first.quantity} is from the same process as ours, and runs have a "
        f"standard deviation of {_points(one.deviation for one in own)}"
        f"{_ROOT[first.quantity]}, then with the margin of {first.delta:g} "
        f"{_UNIT[first.quantity]} and {runs} the verdict is: {', '.join(words)}."
    )


def _limit(own: Sequence[Prospect]) -> list[str]:
    """That more runs of ours do not help, where that is so."""
    limits = [one.limit.chances["reproduced"] for one in own]
    told = f"With unlimited runs of ours it is reproduced {_percent(limits)}"
    if max(limits) < POWER:
        return [f"{told}: more runs do not help further, because the published value varies, too."]
    return [f"{told}."]


def _margin(own: Sequence[Prospect]) -> list[str]:
    """The margin that could be told apart, unless the declared one already can be."""
    if min(one.now.chances["reproduced"] for one in own) >= POWER:
        return []
    return [
        f"A margin of about {_number(one.now.margin for one in own)} {_UNIT[own[0].quantity]} "
        f"would be passed in {100 * POWER:.0f} % of true reproductions "
        f"({_number(one.limit.margin for one in own)} with unlimited runs)."
    ]


def _distance(own: Sequence[Prospect]) -> str:
    return (
        f"Not reproduced comes in {100 * POWER:.0f} % of the studies if the processes differ by "
        f"about {_number(one.now.distance for one in own)} {_UNIT[own[0].quantity]} or more."
    )


def _runs(numbers: Iterable[int]) -> str:
    told = _range(f"{n:,}" for n in sorted(numbers))
    return "1 run" if told == "1" else f"{told} runs"


def _percent(shares: Iterable[float]) -> str:
    """The range of the shares in whole percent."""
    return f"{_range(f'{100 * one:.0f}' for one in sorted(shares))} %"


def _number(values: Iterable[float]) -> str:
    """The range of the values, with two significant digits."""
    return _range(f"{float(f'{one:.2g}'):g}" for one in sorted(values))


def _points(values: Iterable[float]) -> str:
    told = _number(values)
    return f"{told} point" if told == "1" else f"{told} points"


def _range(texts: Iterable[str]) -> str:
    first, *_, last = [*texts] * 2
    return first if first == last else f"{first} to {last}"
