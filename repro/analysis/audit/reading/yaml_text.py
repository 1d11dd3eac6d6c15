"""A file of published values in YAML, as in `studies/published/` -> its table."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from repro.analysis.audit.reading.block import Block
from repro.analysis.audit.reading.description import Description
from repro.analysis.audit.reading.problems import Problems
from repro.analysis.audit.reading.records import Record, Records, block_of
from repro.errors import StudyError
from repro.study import yaml_source
from repro.study.yaml_source import KeyPath, Located

_NUMBER = re.compile(r"(?:&\S+\s+)?([^\s,\]}#]+)")  # behind the name of an anchor
_LEFT_OUT = frozenset({"configuration"})  # settings of the row's arm


def read(text: str, problems: Problems) -> Iterator[Block]:
    """The rows of a file; its other keys are its description."""
    try:
        file = yaml_source.parse(text, source=str(problems.path))
    except StudyError as error:
        problems.refuse_all(map(str, error.problems))
        return
    problems.refuse_all(map(str, file.problems))
    content = file.value
    if not isinstance(content, dict) or not isinstance(content.get("rows"), list):
        problems.refuse("holds no 'rows': name the file of the table, not its description")
        return
    lines = text.splitlines()
    rows: list[tuple[int, Record]] = []
    for number, row in enumerate(content["rows"]):
        place = ("rows", number)
        line = file.values[place][0]
        if isinstance(row, dict):
            kept = {key: value for key, value in row.items() if key not in _LEFT_OUT}
            rows.append((line, _printed(kept, place, file, lines)))
        else:
            problems.report(line, "is no row: write names and values, such as 'arm: plain'")
    if not problems.found:
        yield from block_of(Records(rows, _caption(content), _described(content)), problems)


def _printed(row: Mapping[str, Any], place: KeyPath, file: Located, lines: list[str]) -> Record:
    """The texts of a row, numbers as they are written."""
    return {
        name: _printed(value, (*place, name), file, lines)
        if isinstance(value, dict)
        else _text(value, (*place, name), file, lines)
        for name, value in row.items()
    }


def _text(value: object, place: KeyPath, file: Located, lines: list[str]) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    line, column = file.values[place]
    found = _NUMBER.match(lines[line - 1], column - 1)
    return found[1] if found else str(value)


def _caption(content: Mapping[str, Any]) -> str:
    return ", ".join(str(content[key]) for key in ("source", "printed") if content.get(key))


def _described(content: Mapping[str, Any]) -> Mapping[str, object]:
    """What the file says beside its rows; published values are in percent unless it says more."""
    protocol = content.get("protocol")
    sizes = protocol.get("groups") if isinstance(protocol, dict) else None
    found = {key: content[key] for key in Description.model_fields if key in content}
    named = {name for row in content["rows"] for name in _groups(row)}
    columns = dict.fromkeys(sorted(named), "share") | dict(found.get("columns") or {})
    groups = {"groups": sizes} if isinstance(sizes, dict) else {}
    return {"unit": "percent", **groups, **found, **({"columns": columns} if columns else {})}


def _groups(row: Any) -> list[str]:
    groups = row.get("groups") if isinstance(row, dict) else None
    return list(groups) if isinstance(groups, dict) else []
