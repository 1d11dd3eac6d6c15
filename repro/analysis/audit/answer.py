"""The answer of an audit in three sentences: what is sound, what cannot be, what cannot be told.

A sentence says no more than the findings: their checks, how many there are, and the worst by name.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from repro.analysis.audit.checks.finding import Finding, Result
from repro.analysis.wording import count, joined

# As a reviewer reads them: first what has to be asked, last what is in order.
ORDER: tuple[Result, ...] = (
    "impossible",
    "contradicts",
    "cannot tell",
    "chance",
    "more than chance",
    "fits",
)
NAMED = 5  # kinds of checks that a sentence names; more are counted
LONGEST = 240  # letters of the worst finding that an answer repeats


@dataclass(frozen=True, slots=True)
class Answer:
    """What an audit says.

    Attributes:
        sentences: What is sound; what is impossible or contradictory; what cannot be told.
        counts: Findings of each result that occurs, in the order of `ORDER`.
    """

    sentences: tuple[str, str, str]
    counts: dict[Result, int]

    @property
    def text(self) -> str:
        """The sentences in one paragraph."""
        return " ".join(self.sentences)


def ordered(findings: Sequence[Finding]) -> list[Finding]:
    """The findings by result, in the order of `ORDER`; of one result as they came."""
    return sorted(findings, key=lambda one: ORDER.index(one.result))


def of(findings: Sequence[Finding]) -> Answer:
    """The answer that findings give.

    Args:
        findings: Of one audit, in the order of its files and checks.
    """
    found: dict[Result, list[Finding]] = {
        word: [one for one in findings if one.result == word] for word in ORDER
    }
    return Answer(
        (_sound(found, len(findings)), _wrong(found), _open(found)),
        {word: len(some) for word, some in found.items() if some},
    )


def _sound(found: dict[Result, list[Finding]], whole: int) -> str:
    """What agrees with what is stated, and differs by more than chance."""
    fits, beyond = found["fits"], found["more than chance"]
    told = []
    if fits:
        told.append(f"{_of(fits, whole)} with what is stated ({_checks(fits)})")
    if beyond:
        told.append(
            f"{count(len(beyond), 'difference')} {_be(beyond)} more than chance gives "
            f"({_checks(beyond)})"
        )
    if not told:
        return "Nothing could be confirmed." if whole else "There was nothing to check."
    return f"{_capital('; '.join(told))}."


def _wrong(found: dict[Result, list[Finding]]) -> str:
    """What cannot be, given what is stated, or contradicts something printed."""
    impossible, contradicts = found["impossible"], found["contradicts"]
    told = []
    if impossible:
        told.append(
            f"{_finds(impossible)} numbers that are impossible as stated ({_checks(impossible)})"
        )
    if contradicts:
        told.append(f"{_finds(contradicts)} a contradiction ({_checks(contradicts)})")
    if not told:
        return "Nothing was found that cannot be."
    worst = [*impossible, *contradicts]
    return f"{joined(told)}{', ' if len(worst) == 1 else '; first, '}{_named(worst[0])}."


def _open(found: dict[Result, list[Finding]]) -> str:
    """What is left open, and what would settle the first of it."""
    chance, undecided = found["chance"], found["cannot tell"]
    told = []
    if chance:
        told.append(
            f"{count(len(chance), 'difference')} {_be(chance)} no more than chance gives "
            f"({_checks(chance)})"
        )
    if undecided:
        told.append(f"{count(len(undecided), 'check')} cannot tell ({_checks(undecided)})")
    if not told:
        return "Nothing is left undecided."
    wanted = list(dict.fromkeys(one.settle.rstrip(".") for one in undecided if one.settle))
    who = "It" if len(wanted) == 1 else "The first of them"
    asked = f" {who} would take {wanted[0]}." if wanted else ""
    return f"{_capital('; '.join(told))}.{asked}"


def _named(worst: Finding) -> str:
    """Which finding it is, and its first sentence, or the first clause of a long one."""
    said = re.split(r"(?<=[.?!]) (?=[A-Z'])", worst.text, maxsplit=1)[0].rstrip(".")
    if len(said) > LONGEST:
        said = said.partition("; ")[0]
    file, _, arm = worst.about.partition(": ")  # the text often begins with the arm
    text = f"{worst.check} of {file if arm and said.startswith(arm) else worst.about}"
    return f"{text}: {said}" if len(said) <= LONGEST else text


def _checks(some: Sequence[Finding]) -> str:
    """The checks of findings, the most frequent first, with the number of each."""
    counts = Counter(one.check for one in some).most_common()
    told = [check if number == 1 else f"{check} x {number}" for check, number in counts[:NAMED]]
    more = sum(number for _, number in counts[NAMED:])
    return joined([*told, *([f"{more} more"] if more else [])])


def _of(some: Sequence[Finding], whole: int) -> str:
    if len(some) == whole:
        return "the only check agrees" if whole == 1 else f"all {whole} checks agree"
    return f"{len(some)} of {whole} checks {'agrees' if len(some) == 1 else 'agree'}"


def _finds(some: Sequence[Finding]) -> str:
    return f"{count(len(some), 'check')} {'finds' if len(some) == 1 else 'find'}"


def _be(some: Sequence[Finding]) -> str:
    return "is" if len(some) == 1 else "are"


def _capital(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"
