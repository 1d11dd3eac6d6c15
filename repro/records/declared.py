"""What a preregistration holds, and the model by which it is read."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from repro.records import field_types
from repro.records.field_types import Known, Name, Text, plain
from repro.study.section import digest

MOST = 1000  # claims or arms


def _date(text: str) -> str:
    datetime.fromisoformat(text)
    return text


class _Records(Known):
    said: Text
    exist: list[Text]


class _Named(Known):
    name: Text


class _Arm(Known):
    name: Name
    select: dict[str, Any] | None
    configuration: dict[str, Any]
    data: dict[Text, Text]


class _Stop(Known):
    looks: list[int]


class _Declared(Known):
    question: Text
    reference: Name
    select: dict[str, Any]
    compare: dict[str, Any]
    false_positive_rates: list[float]
    margin: dict[str, Any] | None
    seeds: dict[str, Any]
    stop: _Stop
    claims: Annotated[list[_Named], Field(max_length=MOST)]
    arms: Annotated[list[_Arm], Field(max_length=MOST)]


class _Preregistration(Known):
    study: Text
    date: Annotated[Text, AfterValidator(_date)]
    digest: Text
    records: _Records
    declared: _Declared


def require(content: Mapping[str, Any]) -> None:
    """Check the content of a preregistration.

    Raises:
        ValueError: A field is wrong, or its digest is not that of what it declares; one sentence.
    """
    for value in content.values():
        plain(value)
    field_types.check(_Preregistration, content)
    fixed = {name: content[name] for name in ("study", "records", "declared")}
    if digest(fixed) != content["digest"]:
        raise ValueError("digest: it is not that of what is declared")
