"""JSON -> its tables: what `repro table --format json` writes, a list of rows, or lines of rows."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from repro.analysis.audit.reading.block import Block
from repro.analysis.audit.reading.description import Description
from repro.analysis.audit.reading.problems import Problems, short
from repro.analysis.audit.reading.records import Record, Records, block_of

MOST_DEPTH = 50
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]', re.DOTALL)
_FORMS = (
    'write a list of rows: [{"arm": "plain", "recall": 92.39}], or lines of them; '
    "or what `repro table --format json` prints"
)


class _Object(dict[str, Any]):
    """A mapping, and the line where it begins."""

    line = 0


def holds_one(text: str) -> bool:
    """Whether the text begins as JSON does."""
    return bool(re.match(r'\s*(\{\s*["}]|\[\s*[\[{\]])', text))


def read(text: str, problems: Problems) -> Iterator[Block]:
    """The tables of a document."""
    found = _document(text, problems)
    if found is None:
        return
    tables = list(_tables(found, problems))
    for records in tables:
        yield from block_of(records, problems)
    if not tables and not problems.found:
        problems.refuse(f"holds no list of rows: {_FORMS}")


def _document(text: str, problems: Problems) -> object:
    """The values, numbers as they are written; None if it is no JSON."""
    if not _is_shallow(text):
        problems.refuse(f"is nested more than {MOST_DEPTH} levels deep")
        return None
    try:
        return _loaded(text, 0, problems)
    except json.JSONDecodeError as error:
        lines = text.split("\n")
        if "Extra data" not in error.msg or not all(map(_is_object, lines)):
            problems.report(error.lineno, f"is not JSON: {error.msg} (column {error.colno})")
            return None
    rows = []
    for number, line in enumerate(lines):
        try:
            rows += [_loaded(line, number, problems)] if line.strip() else []
        except json.JSONDecodeError as error:
            problems.report(number + 1, f"is not JSON: {error.msg} (column {error.colno})")
    return None if problems.found else rows


def _is_object(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("{")


def _is_shallow(text: str) -> bool:
    depth = 0
    for found in _TOKEN.finditer(text):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(found.group(), 0)
        if depth > MOST_DEPTH:
            return False
    return True


def _loaded(text: str, above: int, problems: Problems) -> object:
    """The values of a text that begins after so many lines."""
    closed = iter(_lines_of_objects(text, above))

    def with_line(pairs: list[tuple[str, Any]]) -> _Object:
        # Objects end in this order, here and in the text.
        found = _Object(pairs)
        found.line = next(closed, above + 1)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            problems.report(found.line, "is twice in the same row: keep one", short(twice))
        return found

    return json.loads(
        text, object_pairs_hook=with_line, parse_float=str, parse_int=str, parse_constant=str
    )


def _lines_of_objects(text: str, above: int) -> Iterator[int]:
    """The line where each object begins, in the order in which they end."""
    line, at, opened = above + 1, 0, list[int]()
    for found in _TOKEN.finditer(text):
        line += text.count("\n", at, found.start())
        at = found.start()
        if found.group() == "{":
            opened.append(line)
        elif found.group() == "}" and opened:
            yield opened.pop()


def _tables(found: object, problems: Problems) -> Iterator[Records]:
    """The tables of a document, whichever of the forms it has."""
    if isinstance(found, list):
        yield from _rows(found, "", {}, problems)
    elif isinstance(found, _Object) and isinstance(found.get("studies"), list):
        for study in found["studies"]:
            yield from _of_study(study, problems)
    elif isinstance(found, _Object) and {"columns", "data"} <= set(found):
        yield from _split(found, problems)
    elif isinstance(found, _Object):
        lists = {name: value for name, value in found.items() if _has_rows(value)}
        others = {name: _counts(found[name]) for name in Description.model_fields if name in found}
        for name, value in lists.items():
            yield from _rows(value, "" if name == "rows" else name, others, problems)


def _counts(value: object) -> object:
    """The value, with whole numbers for their digits."""
    if isinstance(value, dict):
        return {name: _counts(inner) for name, inner in value.items()}
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _has_rows(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(row, _Object) for row in value)


def _rows(
    rows: Sequence[object], caption: str, beside: Mapping[str, object], problems: Problems
) -> Iterator[Records]:
    found = []
    for number, row in enumerate(rows):
        if not isinstance(row, _Object):
            problems.refuse(f"row {number + 1} does not name its columns: {_FORMS}")
            return
        found.append((row.line, row))
    if found:
        yield Records(found, caption, beside)


def _split(found: _Object, problems: Problems) -> Iterator[Records]:
    """What pandas writes with orient="split"."""
    names, rows = found["columns"], found["data"]
    index = found.get("index")
    flat = isinstance(names, list) and all(isinstance(name, str) for name in names)
    if not flat or not isinstance(rows, list):
        problems.refuse(f"'columns' and 'data' are no table: {_FORMS}")
        return
    records = []
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(names):
            problems.refuse(f"row {number + 1} of 'data' has other columns than 'columns'")
            return
        label = index[number] if isinstance(index, list) and number < len(index) else None
        first = {"index": label} if isinstance(label, str) else {}
        records.append((found.line, {**first, **dict(zip(names, row, strict=True))}))
    yield Records(records)


def _of_study(study: object, problems: Problems) -> Iterator[Records]:
    """The runs of a study: a row a run and group."""
    try:
        yield Records(list(_runs(study)), str(_of(study, "caption")), _described(study))
    except (KeyError, TypeError, IndexError):
        problems.refuse("'studies' is not as `repro table --format json` writes it")


def _of(value: Any, key: str) -> Any:
    return value[key]


def _described(study: Any) -> Mapping[str, object]:
    selection = study["selection"]
    return {
        "source": study["study"],
        "replicates": int(selection["of"]),
        "keep": int(selection["keep"]),
    }


def _runs(study: Any) -> Iterator[tuple[int, Record]]:
    alphas = any(arm["alpha"] is not None for arm in study["arms"])
    known: list[Any] = next((arm["groups"] for arm in study["arms"] if arm["groups"]), [])
    for arm in study["arms"]:
        named = {"arm": arm["name"], **({"alpha": arm["alpha"]} if alphas else {})}
        for run in arm["runs"]:
            failed = [{**group, "detected": "failed"} for group in arm["groups"] or known]
            for group in run["groups"] or failed:
                row = {"group": group["name"], "n": group["n"], "detected": group["detected"]}
                yield getattr(group, "line", run.line), {**named, "run": run["seed"], **row}
