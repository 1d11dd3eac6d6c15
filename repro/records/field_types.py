"""Types of the fields of records and indexes, which anybody may have written.

They are checked by one model each when a file is read; a field of another type, length or range
makes the whole file damaged, and the sentence says which field.
"""

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from repro.study.yaml_source import shown
from repro.system.printing import printable

NEWEST = 8  # values that are checked once
MOST_DEPTH = 12  # levels of mappings and lists in a free field
MOST_TEXT = 10_000  # characters
MOST_SEEDS = 10_000  # of an arm
STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
KEY = r"^[0-9A-Za-z][0-9A-Za-z_.-]{0,63}-seed(0|[1-9][0-9]{0,19})$"
DETECTOR = r"^detector-[0-9a-f]{12}$"

Key = Annotated[str, Field(pattern=KEY)]  # of a run
DetectorKey = Annotated[str, Field(pattern=DETECTOR)]  # of a detector that was trained elsewhere
FileName = Annotated[str, Field(pattern=r"^[0-9A-Za-z_][0-9A-Za-z_.-]{0,99}$")]  # in its folder
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, Field(max_length=MOST_TEXT)]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\n\t]*$")]
Whole = Annotated[int, Field(ge=1, le=10**9)]
Seed = Annotated[int, Field(ge=0, lt=2**64)]


class Known(BaseModel):
    """The known keys of a free field; others may be there, and are kept."""

    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False)


def plain(value: Any) -> Any:
    """A value of JSON as it is.

    Raises:
        ValueError: It is nested too deeply, a text is too long, or a number is not finite.
    """
    _check(value, MOST_DEPTH)
    return value


def _check(value: Any, depth: int) -> None:
    if isinstance(value, str):
        if len(value) > MOST_TEXT:
            raise ValueError(f"a text of {len(value):,} characters, more than {MOST_TEXT:,}")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} is not a finite number")
    elif isinstance(value, (dict, list)):
        if depth == 0:
            raise ValueError(f"more than {MOST_DEPTH} levels of mappings and lists")
        for one in value.values() if isinstance(value, dict) else value:
            _check(one, depth - 1)


Free = dict[str, Any]  # of any keys
Plain = Annotated[Free, AfterValidator(plain)]
Check = Callable[[Free], Free]
Model = TypeVar("Model")


def checked_once(check: Check) -> Check:
    """A check that gives the same object for the newest equal values: runs of an arm share many."""
    known: dict[str, Free] = {}

    def checked(value: Free) -> Free:
        text = repr(value)  # 1 and 1.0 differ
        if text not in known:
            found = check(value)
            while len(known) >= NEWEST:
                known.pop(next(iter(known)))
            known[text] = found
        return known[text]

    return checked


def parsed(model: TypeAdapter[Model], text: bytes) -> Model:
    """JSON as a model has it.

    Raises:
        ValueError: It is not; one sentence names the first field.
    """
    try:
        return model.validate_json(text)
    except ValidationError as error:
        raise ValueError(sentence(error)) from None


def check(model: type[BaseModel], value: Mapping[str, Any]) -> None:
    """Check plain values by a model.

    Raises:
        ValueError: As for `parsed`.
    """
    try:
        model.model_validate(value)
    except ValidationError as error:
        raise ValueError(sentence(error)) from None


def sentence(error: ValidationError) -> str:
    """What is wrong with the first field, and where it is."""
    first, *more = error.errors(include_url=False)
    place = ".".join(str(part)[:100] for part in first["loc"])
    if first["type"] in ("value_error", "json_invalid"):
        told = str(first.get("ctx", {}).get("error", first["msg"]))
    elif first["type"] in ("missing", "extra_forbidden", "unexpected_keyword_argument"):
        told = "it is missing" if first["type"] == "missing" else "no such field is known"
    else:
        told = f"{first['msg'][0].lower()}{first['msg'][1:]}, not {shown(first['input'])}"
    others = f" (and {len(more)} more)" if more else ""
    return printable(f"{place}: {told}{others}" if place else f"{told}{others}")
