"""The ledger: all choices that the papers left open, and all fixed deviations from them.

``literature.yaml`` is the single source; the table in ``docs/configuration.md`` and the ledger
of a report are made from it here. Nothing here runs anything or judges whether a choice is right.
A source is named by a letter: A Amini & Soleimany et al. 2019, H de Haan et al. 2020, M the MIT
lab, F Fijen et al. 2020, E Ebner et al. 2020.
"""

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Any, Literal

from pydantic import ValidationError

from repro.study import yaml_source
from repro.study.configuration import STANDARD, Configuration
from repro.study.method_settings import flat

FILE = "literature.yaml"
NOT_SAID = "-"
NOT_USED = "not used"

Value = str | int | float
Scope = Literal["configuration", "study", "table"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A paper or program that implements a DB-VAE.

    Attributes:
        letter: Its letter in tables.
        name: Short name.
        cite: Full citation.
    """

    letter: str
    name: str
    cite: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """The setting of one source for a choice.

    Attributes:
        text: In words; "-" where the source does not say.
        values: Equivalent values in a study file, that of its code first; empty if there is
            none.
    """

    text: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A setting that must be chosen.

    Attributes:
        key: Dotted key of the setting.
        scope: Where it is set: in an arm's configuration, for a whole study, or for a table.
        means: Its meaning and allowed values.
        left_open: Who left it open and where; empty if nobody did.
        uses: What each source does, by letter.
    """

    key: str
    scope: Scope = "configuration"
    means: str
    left_open: str
    uses: Mapping[str, Use]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """A difference between this program and a source that no setting removes.

    Attributes:
        number: From 1, for reference.
        text: What is different.
        effect: What it does to the results; "unknown" where nobody measured it.
        applies_to: Letters of the sources that differ.
        where: Modules, with the name inside them, that implement it.
    """

    number: int
    text: str
    effect: str
    applies_to: tuple[str, ...]
    where: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Sources, choices and deviations, in the order of the file."""

    sources: tuple[Source, ...]
    choices: tuple[Choice, ...]
    deviations: tuple[Deviation, ...]


@functools.cache
def load() -> Ledger:
    """The ledger that comes with the package."""
    text = resources.files("repro.study").joinpath(FILE).read_text(encoding="utf-8")
    return parse(text)


def parse(text: str) -> Ledger:
    """A ledger from YAML.

    Raises:
        ValueError: A key is given twice.
        TypeError: A part lacks a key, or has one too many.
    """
    file = yaml_source.parse(text, source=FILE)
    if file.problems:
        raise ValueError("\n".join(map(str, file.problems)))
    return Ledger(
        sources=tuple(Source(letter=k, **v) for k, v in file.value["sources"].items()),
        choices=tuple(_choice(**row) for row in file.value["choices"]),
        deviations=tuple(_deviation(**row) for row in file.value["deviations"]),
    )


def _choice(*, uses: dict[str, Any], **rest: Any) -> Choice:
    return Choice(uses=MappingProxyType({k: _use(v) for k, v in uses.items()}), **rest)


def _use(entry: Any) -> Use:
    """A text with its values; a single value is its own text, and "-" means none."""
    if isinstance(entry, dict):
        return Use(text=str(entry["text"]), values=tuple(entry["values"]))
    return Use(text=_text(entry), values=() if entry == NOT_SAID else (entry,))


def _deviation(*, applies_to: list[str], where: list[str], **rest: Any) -> Deviation:
    return Deviation(applies_to=tuple(applies_to), where=tuple(where), **rest)


def values(configurations: Mapping[str, Mapping[str, object]]) -> dict[str, dict[str, str]]:
    """The value of each setting in each arm, as text.

    Args:
        configurations: Plain configurations, as records hold them, by arm.

    Returns:
        By key, in the ledger's order, then by arm; "not used" if the setting does not
        affect the arm. Data files by the last part of their paths.
    """
    arms = {arm: _shown(plain) for arm, plain in configurations.items()}
    return {
        choice.key: {arm: shown.get(choice.key, NOT_USED) for arm, shown in arms.items()}
        for choice in load().choices
        if choice.scope == "configuration"
    }


def beside(configuration: Mapping[str, object]) -> dict[str, str]:
    """The settings of an arm that are no choice of the ledger: objective, parameters of methods.

    Args:
        configuration: A plain configuration, as a record holds it.

    Returns:
        Text by key, as of `values`.
    """
    known = {choice.key for choice in load().choices}
    found = {"objective.name": STANDARD} | _shown(configuration)
    return {key: text for key, text in found.items() if key not in known}


def _shown(plain: Mapping[str, object]) -> dict[str, str]:
    """Text of every setting that affects a run, by key."""
    try:
        configuration = Configuration.model_validate(dict(plain))
    except ValidationError:  # of another release
        return {key: _text(value) for key, value in _leaves(plain)}
    shown = {key: _text(value) for key, value in _leaves(flat(configuration.settings()))}
    data = configuration.data.model_dump(mode="json")
    return shown | {
        f"data.{name}": value if isinstance(value, str) else _source_text(value)
        for name, value in data.items()
    }


def _leaves(section: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in section.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _text(value: Any) -> str:
    """A number without superfluous zeros, a list in words, anything else as it is."""
    if isinstance(value, list):
        return " and ".join(map(_text, value))
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _source_text(spec: Mapping[str, Any] | None) -> str:
    """A source of data: its file's name, or ``synthetic``, and its other choices."""
    if spec is None:
        return "none"
    path = spec.get("path")
    name = spec["source"] if path is None else re.split(r"[/\\]", path.rstrip("/\\"))[-1]
    details = [f"{k} {_text(v)}" for k, v in spec.items() if k not in ("source", "path")]
    return f"{name} ({', '.join(details)})" if details else name


def users(choice: Choice, value: object) -> list[str]:
    """Letters of the sources that use this value; numbers are compared as numbers.

    Args:
        choice: One of the ledger's.
        value: As `values` has it, or plain.
    """
    return [
        letter
        for letter, use in choice.uses.items()
        if any(_same(known, value) for known in use.values)
    ]


def _same(known: Value, value: object) -> bool:
    one, other = _number(known), _number(value)
    return known == value if one is None or other is None else one == other


def _number(value: object) -> float | None:
    """A value or its text as a number, None if it is not one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def markdown_table() -> str:
    """Every choice and the setting of each source, as in ``docs/configuration.md``."""
    found = load()
    letters = [source.letter for source in found.sources]
    rows = [
        [_label(choice), choice.means, *(choice.uses[letter].text for letter in letters)]
        for choice in found.choices
    ]
    head = [_row(["key", "values", *letters]), "|" + "---|" * (2 + len(letters))]
    return "\n".join([*head, *map(_row, rows)]) + "\n"


def _label(choice: Choice) -> str:
    where = {"configuration": "", "study": " of a study", "table": " of a table"}[choice.scope]
    return f"`{choice.key}`{where}"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
