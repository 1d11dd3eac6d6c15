"""FHIBE's answers: what the cells of its tables say, and the names of groups that they make.

A cell holds one answer, as ``2. CD III``, or several as a list, as ``['0. Africa', '4. Southern
Africa']``. The numbers are positions in the questionnaire.

Skin is one of six colours, named by their values of red, green and blue. FHIBE describes them as
the Fitzpatrick types I (very light) to VI (dark), but numbers them from the darkest, 0, to the
lightest, 5. A tone here is a number from 1, the darkest, to 6, the lightest, told by the colour.
"""

import bisect
import re
from collections.abc import Sequence
from typing import Any

from repro.data.pictures import picture_files, regions
from repro.errors import DataError

COLOURS = (  # red, green, blue; from the darkest
    *((102, 78, 65), (136, 105, 81), (164, 131, 103)),
    *((175, 148, 120), (189, 163, 137), (198, 180, 157)),
)
TYPES = ("vi", "v", "iv", "iii", "ii", "i")  # Fitzpatrick's, of these colours
DARKER = 3  # tones up to this one are types VI to IV
SKINS = ("natural_skin_color", "apparent_skin_color")
REGIONS = {0: "africa", 6: "americas", 11: "asia", 17: "europe", 22: "oceania"}
MOST_REGION = 26  # the last sub-region of Oceania
_NUMBERED = re.compile(r"(\d{1,3})\. *(.*)", re.ASCII | re.DOTALL)
_COUNTRIES = {  # words that people wrote, in lower case, by country; a city stands for its country
    "angola": "abgola",
    "argentina": "argentiina",
    "australia": "australie, autsralia, auustralia",
    "bahamas": "the bahamas",
    "canada": "caanada, canadad",
    "france": "french",
    "iceland": "lceland",
    "italy": "italiana",
    "kenya": "keenya, kenyan, kiambu, muranga, nairobi, nairobi nairobi, nyari",
    "mexico": "mexican",
    "micronesia": "mironesi, mironesia",
    "morocco": "morroco",
    "nigeria": "abuja, lagos, nigerian, nigeriia, niheria, nugeria",
    "pakistan": "pakisan, pakisatn, pakistain, paksitan, punjab",
    "philippines": "phillipines",
    "south africa": "south afica, south afria, south african, southern africa",
    "south korea": "republic of korea",
    "tanzania": "united republic of tanzania",
    "turkey": "turkiye, türkiye",
    "uganda": "ugnd",
    "ukraine": "ua, ukaine",
    "united arab emirates": "uae",
    "united kingdom": "uk",
    "united states": "usa, united states of america",
    "viet nam": "hanoi vietnam, ho chi min, veitnam, vienam, vietam, vietnam, vietname, viietnam, "
    "vitenam, vitnam, viwtnam",
    "": "i go, owow disable abilities off level up",
}
_MEANT = {word: country for country, words in _COUNTRIES.items() for word in words.split(", ")}


def answers(cell: str) -> tuple[str, ...]:
    """The answers of a cell, in order, each once; none if it is empty."""
    found: Any = regions.literal(cell) if cell.startswith("[") else [cell]
    if not isinstance(found, list):
        found = [cell]
    return tuple(dict.fromkeys(text for one in found if (text := str(one).strip())))


def words(column: str, cell: str, where: str) -> tuple[str, ...]:
    """The different words by which a cell makes groups; more than one if it has several answers.

    Ancestry makes groups by region: ``['0. Africa', '4. Southern Africa']`` is one of them.

    Args:
        column: Name of the column, or ``skin`` for the halves of the apparent skin colour.
        cell: Its text.
        where: Position of the row, for messages.

    Raises:
        DataError: A skin colour or a region is not one of FHIBE's.
    """
    if column in (*SKINS, "skin"):
        tone = tone_of(cell, where)
        if tone is None:
            return ()
        if column == "skin":
            return ("darker" if tone <= DARKER else "lighter",)
        return (f"skin_{TYPES[tone - 1]}",)
    if column == "location_country":
        return tuple(one for one in (country(cell),) if one)
    if column == "ancestry":
        return tuple(dict.fromkeys(region(one, where) for one in answers(cell)))
    return tuple(dict.fromkeys(_word(one) for one in answers(cell)))


def _word(answer: str) -> str:
    """An answer without its number, as a group is named: ``he/him/his``."""
    said = _NUMBERED.fullmatch(answer)
    return (said[2] if said else answer).lower()


def tone_of(cell: str, where: str) -> int | None:
    """The tone of a skin colour, from 1, the darkest, to 6, the lightest; None for an empty cell.

    Args:
        cell: As ``2. [164, 131, 103]``.
        where: Position of the row, for messages.

    Raises:
        DataError: It is none of the six colours.
    """
    if not cell:
        return None
    said = _NUMBERED.fullmatch(cell)
    colour = regions.literal(said[2]) if said else None
    if not isinstance(colour, list) or tuple(colour) not in COLOURS:
        raise DataError(
            f"{where}: {picture_files.shown(cell)[:50]!r} is not one of FHIBE's six skin colours, "
            f"such as '0. {list(COLOURS[0])}'"
        )
    return COLOURS.index(tuple(colour)) + 1


def region(answer: str, where: str) -> str:
    """The region of a region or sub-region of ancestry.

    Raises:
        DataError: The answer has no number, or not one of a region.
    """
    said = _NUMBERED.fullmatch(answer)
    number = int(said[1]) if said else -1
    if not 0 <= number <= MOST_REGION:
        raise DataError(
            f"{where}: {picture_files.shown(answer)[:50]!r} is no region of FHIBE's, such as "
            "'0. Africa'"
        )
    starts = list(REGIONS)
    return REGIONS[starts[bisect.bisect_right(starts, number) - 1]]


def country(cell: str) -> str:
    """The country that somebody wrote, in lower case; "" if it names none."""
    said = " ".join(cell.lower().split())
    if said.endswith(", the"):
        said = f"the {said.removesuffix(', the')}"
    return _MEANT.get(said, said)


def chosen(found: Sequence[str], several: str) -> str | None:
    """The word of several, by a declared choice.

    Args:
        found: At least one word.
        several: ``first``; ``set``, all of them as a word of their own; or ``drop``.

    Returns:
        None if the portrait is left out.
    """
    if len(found) == 1 or several == "first":
        return found[0]
    return "+".join(sorted(found)) if several == "set" else None
