"""What `repro plan` says of each claim: what the planned runs can tell, and what they cannot."""

from collections.abc import Iterator, Sequence

from repro.analysis.claim_prospects import Outlook, Prospect
from repro.stats import conclusions
from repro.stats.power import POWER
from repro.stats.word_power import MOST

DECIDED = (
    "Claims: decided means that an effect of the smallest size that matters holds, and that no "
    "effect at all does not hold; each is as likely. A claim that something is kept is decided if "
    "it holds where nothing changes."
)


def of_claims(outlooks: Sequence[Outlook]) -> list[str]:
    """Sentences and warnings on every claim; empty without claims."""
    if not outlooks:
        return []
    told = [line for one in outlooks for line in _of_claim(one)]
    return [DECIDED, *told] if any(one.prospects for one in outlooks) else told


def _of_claim(one: Outlook) -> Iterator[str]:
    name = f"claim '{one.claim.name}'"
    primary = " (primary)" if one.claim.primary else ""
    if one.prospects:
        yield (
            f"{name.capitalize()}{primary}: {_spreads(one)}, it is decided {_chances(one)}; "
            f"{_needed(one)}."
        )
    if len(one.attainable) < _all_words(one):
        yield (
            f"{name.capitalize()}{primary}: with {one.seeds[-1]} seeds an arm it can get "
            f"{_quoted(one.attainable)}."
        )
    for why in one.obstacles:
        yield f"Warning: {name} cannot be answered: {why}."
    if one.is_doubtful and not one.obstacles:
        yield f"Warning: {name} is more likely to stay undecided with {one.seeds[-1]} seeds an arm."


def _all_words(one: Outlook) -> int:
    """Number of words that a claim of its kind can get at all."""
    return len(conclusions.WORDS) - (one.claim.expect == "kept")


def _quoted(words: Sequence[str]) -> str:
    return "only " + " or ".join(f'"{word}"' for word in words)


def _spreads(one: Outlook) -> str:
    told = _either([_spread(one, each) for each in one.prospects])
    if one.seen:
        return (
            f"if pairs of runs differ with a standard deviation of {told}, as those with a "
            "record do"
        )
    return f"if pairs of runs differ with a standard deviation of {told}"


def _spread(one: Outlook, prospect: Prospect) -> str:
    """In the unit of the effect where the smallest effect is known in it."""
    absolute = one.found.smallest if one.seen else one.claim.smallest_effect.absolute
    last = prospect is one.prospects[-1]
    if absolute is not None:
        return f"{prospect.spread * absolute:.3g}{f' {one.found.unit}' * last}"
    return f"{prospect.spread:g}{' times the smallest effect' * last}"


def _chances(one: Outlook) -> str:
    """How likely it is decided at the first and the last look."""
    columns = zip(*(each.chances for each in one.prospects), strict=True)
    told = [
        f"with {seeds} seeds an arm in {_either([f'{100 * p:.0f}' for p in chances])} % of studies"
        for seeds, chances in zip(one.seeds, columns, strict=True)
    ]
    return " and ".join(told)


def _needed(one: Outlook) -> str:
    numbers = [each.needed for each in one.prospects]
    told = _either([f"more than {MOST:,}" if n is None else f"{n:,}" for n in numbers])
    return f"{100 * POWER:.0f} % takes {told} seeds at a single look"


def _either(words: Sequence[str]) -> str:
    """Words with "or" before the last."""
    return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
