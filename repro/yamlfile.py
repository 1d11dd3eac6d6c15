"""YAML with positions: plain values, and where each of them stands in the file.

Scalars follow YAML 1.2's core: ``no`` and ``on`` are text, ``010`` is text, sexagesimals are text.
``1e-3`` stays text, as in every YAML 1.1 reader, and is refused where a number is wanted.
A key that is given twice is a mistake here, not a silent choice.
"""

import re
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from repro.errors import Problem, StudyError

KeyPath = tuple[str | int, ...]
MAX_BYTES = 1_000_000
MAX_NODES = 100_000
MAX_DEPTH = 50

_SCALARS: tuple[tuple[str, str, str], ...] = (
    ("tag:yaml.org,2002:null", r"^(?:~|null|Null|NULL|)$", "~nN\0"),
    ("tag:yaml.org,2002:bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("tag:yaml.org,2002:int", r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789"),
    (
        "tag:yaml.org,2002:float",
        r"^(?:[-+]?[0-9]+\.[0-9]*(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
        "-+.0123456789",
    ),
)


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader with the scalars above in place of YAML 1.1's."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012 (PyYAML's own hook)


for _tag, _pattern, _first in _SCALARS:
    _Loader.add_implicit_resolver(
        _tag, re.compile(_pattern), [c if c != "\0" else "" for c in _first]
    )


@dataclass(frozen=True, slots=True)
class Located:
    """A YAML document as plain values.

    Attributes:
        source: The file's name, or the option's.
        value: Mappings, lists and scalars.
        keys: Line and column of each mapping key, by its path.
        values: Line and column of each value, by its path.
        problems: Keys given twice and scalars that cannot be read.
    """

    source: str
    value: Any
    keys: dict[KeyPath, tuple[int, int]] = field(default_factory=dict)
    values: dict[KeyPath, tuple[int, int]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def problem(self, path: KeyPath, message: str, *, at_key: bool = False) -> Problem:
        """A problem at the path, or at its nearest parent that has a position."""
        for depth in range(len(path), -1, -1):
            table = self.keys if at_key and depth == len(path) else self.values
            if path[:depth] in table:
                return Problem(self.source, *table[path[:depth]], message)
        return Problem(self.source, 0, 0, message)


def read(path: Path) -> Located:
    """Read a YAML file.

    Raises:
        StudyError: The file is missing, is no text or is no YAML.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _refusal(
                str(path), f"the file has more than {MAX_BYTES} bytes; a study needs few"
            )
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise _refusal(str(path), "there is no such file") from None
    except UnicodeDecodeError as error:
        raise _refusal(str(path), f"the file is not UTF-8 text ({error.reason})") from None
    except OSError as error:
        raise _refusal(str(path), f"cannot be read: {error.strerror}") from None
    return parse(text, source=str(path))


def parse(text: str, *, source: str) -> Located:
    """Turn YAML text into plain values with positions.

    Raises:
        StudyError: The text is no YAML, or nests or expands beyond reason.
    """
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise StudyError([Problem(source, *place, f"not YAML: {error.problem}")]) from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        first = str(error).splitlines()[0] if str(error) else "too deeply nested"
        raise _refusal(source, f"not YAML: {first}") from None
    builder = _Builder(source)
    value = builder.build(node, (), 0) if node is not None else None
    return Located(source, value, builder.keys, builder.values, tuple(builder.problems))


def _refusal(source: str, message: str) -> StudyError:
    return StudyError([Problem(source, 0, 0, message)])


class _Builder:
    """Walks the node tree once, building values and noting positions."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.problems: list[Problem] = []
        self.keys: dict[KeyPath, tuple[int, int]] = {}
        self.values: dict[KeyPath, tuple[int, int]] = {}
        self.constructor = _Loader("")

    def build(self, node: yaml.Node, path: KeyPath, depth: int) -> Any:
        """The plain value of a node, its positions noted under the path."""
        place = _place(node)
        if depth > MAX_DEPTH or len(self.values) > MAX_NODES:
            raise StudyError([Problem(self.source, *place, "the file nests or expands too far")])
        self.values[path] = place
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*path, i), depth + 1) for i, item in enumerate(node.value)]
        return self._scalar(node)

    def _scalar(self, node: yaml.Node) -> Any:
        try:
            return self.constructor.construct_object(node)
        except (yaml.YAMLError, ValueError) as error:
            reason = getattr(error, "problem", None) or str(error)
            self.problems.append(Problem(self.source, *_place(node), f"cannot be read: {reason}"))
            return None

    def _mapping(self, node: yaml.MappingNode, path: KeyPath, depth: int) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            if key is None:
                continue
            if key in mapping:
                first = self.keys[(*path, key)][0]
                self._report(key_node, f"duplicate key '{key}' (first on line {first}): remove one")
                continue
            self.keys[(*path, key)] = _place(key_node)
            mapping[key] = self.build(value_node, (*path, key), depth + 1)
        return mapping

    def _key(self, node: yaml.Node) -> str | None:
        key: Hashable = node.value if isinstance(node, yaml.ScalarNode) else None
        if isinstance(key, str) and key != "<<":
            return key
        self._report(node, "a key must be plain text")
        return None

    def _report(self, node: yaml.Node, message: str) -> None:
        self.problems.append(Problem(self.source, *_place(node), message))


def _place(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1
