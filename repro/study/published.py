"""Published values: their definitions, their protocol, and the equivalence margin.

A file in ``studies/published/`` holds them, with their definitions of recall and variance and the
protocol that must agree before results are compared.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from repro.errors import Problem, StudyError
from repro.study import yaml_source
from repro.study.configuration import Configuration
from repro.study.description import Description
from repro.study.merge import Layer, did_you_mean, validate
from repro.study.section import PositiveInt, Section
from repro.study.yaml_source import KeyPath, shown


class PublishedRow(Section):
    """One published row, in percent and percent squared; None if not published."""

    arm: str
    recall: float | None = None
    variance: float | None = None
    groups: dict[str, float] | None = None  # run-averaged recall of each, if known
    configuration: dict[str, Any] = Field(default_factory=dict)  # differences from the protocol

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if (self.recall, self.variance, self.groups) == (None, None, None):
            raise ValueError(f"row '{self.arm}' has no number")
        return self


class Protocol(Section):
    """What must agree before results are compared with published values."""

    groups: Annotated[dict[str, PositiveInt], Field(min_length=1)]  # test portraits of each
    training_images: PositiveInt | None = None  # faces and others, held-out ones included
    configuration: dict[str, Any]  # required settings of every arm


class Published(Description):
    """Published values that studies are compared with, and how they were obtained."""

    source: str
    printed: str
    definition: Literal["dehaan2020", "amini2019", "fijen2020"]
    replicates: PositiveInt
    keep: PositiveInt
    decimals: Annotated[int, Field(ge=0, le=6)] = 2  # of the published values
    protocol: Protocol
    rows: Annotated[list[PublishedRow], Field(min_length=1)]

    @property
    def compared(self) -> dict[str, Any]:
        """What an index of a study stores: everything but what only audits read."""
        unread = set(Description.model_fields) - {"source", "printed", "replicates", "keep"}
        return self.model_dump(mode="json", exclude=unread)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [row.arm for row in self.rows]
        for row in self.rows:
            if names.count(row.arm) > 1:
                raise ValueError(f"two rows are called '{row.arm}'")
            if row.groups is not None and not set(row.groups) <= set(self.protocol.groups):
                raise ValueError(f"row '{row.arm}' has other groups than the protocol")
        return self


class Margin(Section):
    """The equivalence margin, fixed before the runs."""

    recall: Annotated[float, Field(gt=0)]  # percent points
    variance: Annotated[float, Field(gt=0)]  # percent squared


class Answers(Section):
    """The published values that a study is compared with."""

    source: str  # a file in `published/` beside the study
    margin: Margin


def _answers(value: Any) -> Any:
    if not isinstance(value, (dict, Answers)):
        example = "{source: dehaan2020_table3, margin: {recall: 0.9, variance: 12.0}}"
        raise ValueError(f"name the source and the margin: {example}")
    return value


Answering = Annotated[Answers | None, BeforeValidator(_answers)]


def load(path: Path, problems: list[Problem]) -> Published | None:
    """Read a file of published values, adding its errors to the problems."""
    file = yaml_source.read(path)
    problems += file.problems
    if not isinstance(file.value, dict):
        raise StudyError([file.problem((), "a mapping of keys is expected")])
    if not file.problems and not {"protocol", "rows"} & set(file.value):
        told = "describes a table for repro audit; a study is compared with protocol and rows"
        raise StudyError([file.problem((), told)])
    published = validate(Published, [Layer.from_file(file, ())], problems)
    if published is not None:
        place: KeyPath = ("protocol", "configuration")
        for keys, message in _unknown_choices(published.protocol.configuration, Configuration):
            problems.append(file.problem((*place, *keys), message, at_key=True))
        for number, row in enumerate(published.rows):
            place = ("rows", number, "configuration")
            for keys, message in _unknown_choices(row.configuration, Configuration):
                problems.append(file.problem((*place, *keys), message, at_key=True))
    return published


def _unknown_choices(
    choices: Mapping[str, Any], section: type[BaseModel]
) -> Iterator[tuple[KeyPath, str]]:
    """Unknown keys of a configuration; inside `data` the keys depend on the source."""
    for key, value in choices.items():
        field = section.model_fields.get(key)
        if field is None:
            yield (key,), f"unknown key {shown(key)}{did_you_mean(key, section.model_fields)}"
            continue
        inner = field.annotation
        if isinstance(value, dict) and isinstance(inner, type) and issubclass(inner, BaseModel):
            for keys, message in _unknown_choices(value, inner):
                yield (key, *keys), message


def read(path: Path) -> Published:
    """Read a file of published values.

    Raises:
        StudyError: Every mistake in it.
    """
    problems: list[Problem] = []
    published = load(path, problems)
    if published is None or problems:
        raise StudyError(problems)
    return published
