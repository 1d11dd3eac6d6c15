"""What `repro plan` says of each claim: what the planned runs can tell, and what they cannot."""

from collections.abc import Iterator, Sequence

from repro.analysis import claims
from repro.analysis.claim_findings import Needed
from repro.analysis.claim_prospects import Outlook, Prospect
from repro.analysis.wording import count, joined
from repro.stats import conclusions
from repro.stats.power import POWER

DECIDED = (
    "Claims: decided means that an effect of the smallest size that matters holds, and that no "
    "effect at all does not hold; each is as likely. A claim that something is kept is decided if "
    "it holds where nothing changes."
)


def of_claims(outlooks: Sequence[Outlook], *, cluster: str = "") -> list[str]:
    """Sentences and warnings on every claim; empty without claims.

    Args:
        outlooks: Of the claims.
        cluster: The column that says which portraits are not independent; empty: all are.
    """
    if not outlooks:
        return []
    told = [line for one in outlooks for line in _of_claim(one)]
    if not any(one.prospects for one in outlooks):
        return told
    return [DECIDED, *_of_clusters(outlooks, cluster), *told]


def _of_clusters(outlooks: Sequence[Outlook], cluster: str) -> list[str]:
    """How far the chances take clusters of portraits into account."""
    if not cluster:
        return []
    if any(one.seen for one in outlooks):
        return [
            f"Chances where runs have a record take what other clusters ({cluster}) would change "
            "as known, as it was seen."
        ]
    return [f"Without a record the chances leave out what other clusters ({cluster}) would change."]


def _of_claim(one: Outlook) -> Iterator[str]:
    name = f"'{one.claim.name}'{' (primary)' * one.claim.primary}"
    seeds = count(one.seeds[-1], "seed")
    if one.prospects:
        yield f"Claim {name}: if {_spreads(one)}, it is decided {_chances(one)}; {_needed(one)}."
    if claims.is_share(one.claim) or len(one.attainable) < _all_words(one):
        yield f"Claim {name}: with {seeds} an arm it can get {_quoted(one.attainable)}."
    for why in one.obstacles:
        yield f"Warning: claim {name} cannot be answered: {why}."
    if one.is_doubtful and not one.obstacles:
        even = "" if one.seen else ", even with the smallest of these spreads"
        yield f"Warning: claim {name} is likely to stay undecided with {seeds} an arm{even}."


def _all_words(one: Outlook) -> int:
    """Number of words that a claim of its kind can get at all."""
    return len(conclusions.WORDS) - (one.claim.expect == "kept")


def _quoted(words: Sequence[str]) -> str:
    return "only " + _either([f'"{word}"' for word in words])


def _spreads(one: Outlook) -> str:
    numbers = _either([_number(one, each) for each in one.prospects])
    told = f"pairs of runs differ with a standard deviation of {numbers}{_unit(one)}"
    return f"{told}, as those with a record do" if one.seen else told


def _number(one: Outlook, prospect: Prospect) -> str:
    """In the unit of the effect where the smallest effect is known in it."""
    return f"{prospect.spread * (_smallest(one) or 1.0):.3g}"


def _unit(one: Outlook) -> str:
    return f" {one.found.unit}" if _smallest(one) else " times the smallest effect"


def _smallest(one: Outlook) -> float | None:
    """The smallest effect; None for a ratio of a value that is not known yet."""
    return one.found.smallest if one.seen else one.claim.smallest_effect.absolute


def _chances(one: Outlook) -> str:
    """How likely it is decided at the first and the last look."""
    columns = zip(*(each.chances for each in one.prospects), strict=True)
    told = [
        f"with {seeds} seeds an arm in {_either([f'{100 * p:.0f}' for p in chances])} % of studies"
        for seeds, chances in zip(one.seeds, columns, strict=True)
    ]
    return " and ".join(told)


def _needed(one: Outlook) -> str:
    needs = [each.needed for each in one.prospects]
    if all(need.pairs is not None and need.times == 1 for need in needs):
        told = f"{_either([f'{need.pairs:,}' for need in needs])} seeds"
    else:
        told = _either([_amount(need, one.found.sampled) for need in needs])
    return f"{100 * POWER:.0f} % takes {told} at a single look"


def _amount(need: Needed, sampled: str) -> str:
    if need.pairs is None:
        return "more than there can be"
    more = f" and {need.times:,.{0 if need.times >= 10 else 1}f} times the {sampled}"
    return f"{count(need.pairs, 'seed')}{more if need.times > 1 else ''}"


def _either(words: Sequence[str]) -> str:
    """Words with "or" before the last."""
    return joined(words, "or")
