"""What a paper says beside its numbers: runs, sizes of groups, what ± is.

A YAML file beside the table, or options. Files in `studies/published/` have the same keys.
Of a table in `results.csv` that file is `results.yaml`, in the same folder.
"""

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from repro.errors import Problem, StudyError
from repro.study import yaml_source
from repro.study.description import Average, Description, Measure, Spread, Unit
from repro.study.merge import Layer, validate

__all__ = ["Average", "Description", "Measure", "Spread", "Unit"]
YAMLS = (".yaml", ".yml")
OPTIONS = {"replicates": "--runs", "unit": "--unit", "measure": "--measure", "keep": "--keep"}
OPTIONS |= {"average": "--average", "spread": "--plus-minus"}


def beside(path: Path) -> Path | None:
    """The description beside a table, or None if there is no such file."""
    found = (path.with_suffix(end) for end in YAMLS)
    return next((one for one in found if one != path and one.is_file()), None)


def read_description(path: Path) -> Description:
    """Read a description beside a table.

    Raises:
        StudyError: Everything that is wrong with it, by line and column.
    """
    problems: list[Problem] = []
    file = yaml_source.read(path)
    problems += file.problems
    if not isinstance(file.value, dict):
        raise StudyError([file.problem((), f"a mapping of {', '.join(KEYS)} is expected")])
    found = validate(Description, [Layer.from_file(file, ())], problems)
    if found is None or problems:
        raise StudyError(problems)
    return found


KEYS = tuple(Description.model_fields)


def merged(descriptions: Iterable[Mapping[str, Any]]) -> Description:
    """One description of several; the later one wins, key by key.

    Raises:
        ValueError: Together they contradict each other; the text says how.
    """
    said: dict[str, Any] = {}
    for one in descriptions:
        for key, value in one.items():
            known = said.get(key)
            said[key] = {**known, **value} if isinstance(known, dict) else value
    try:
        return Description(**said)
    except ValidationError as error:
        details = error.errors()
        raise ValueError(
            "; ".join(one["msg"].removeprefix("Value error, ") for one in details)
        ) from None


def command(path: Path, said: Description, more: str) -> str:
    """The whole command that audits the file with the options so far and one more."""
    words = ["repro", "audit", shlex.quote(str(path))]
    for column, role in said.columns.items():
        words += ["--column", shlex.quote(f"{column}={role}")]
    for group, n in said.groups.items():
        words += ["--group", shlex.quote(f"{group}={n}")]
    for key, option in OPTIONS.items():
        if key in said.model_fields_set:
            words += [option, str(getattr(said, key))]
    return f"{' '.join(words)} {more}"
