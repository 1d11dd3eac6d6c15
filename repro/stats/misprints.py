"""Numbers that become another by exchanging two neighbouring digits."""

import itertools
from decimal import Decimal

from repro.stats.forensics import Printed


def exchanges(printed: Printed) -> list[Printed]:
    """The numbers that differ from it by the exchange of two neighbouring digits.

    The point stays in its place; a number that would begin with a needless 0 is left out.
    """
    text = str(printed)
    places = [at for at, letter in enumerate(text) if letter.isdigit()]
    found = []
    for one, other in itertools.pairwise(places):
        letters = list(text)
        letters[one], letters[other] = letters[other], letters[one]
        changed = "".join(letters)
        needless = changed.lstrip("-").startswith("0") and places[-1] > 0 and changed[1:2] != "."
        if text[one] != text[other] and not needless:
            found.append(Printed(Decimal(changed)))
    return found
