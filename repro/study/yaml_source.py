"""YAML -> plain values and their positions in the file.

Scalars follow the core schema of YAML 1.2: ``no``, ``on``, ``010`` and sexagesimals are text.
``1e-3`` stays text, as in every YAML 1.1 reader, and is refused where a number is expected.
Duplicate keys, tags and merge keys are refused. Bytes, values and depth of a file are limited, so
that hostile files cannot use much time or memory.
"""

import re
import reprlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from repro.errors import Problem, StudyError
from repro.system import input_file
from repro.system.printing import hides, one_line

KeyPath = tuple[str | int, ...]
MAX_BYTES = 200_000
MAX_NODES = 20_000  # PyYAML composes about 40,000 a second
MAX_DEPTH = 50
MAX_DIGITS = 100  # of a number as it is written
MAX_MESSAGE = 600  # characters

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
_LINE_END = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 80


class _Refused(yaml.MarkedYAMLError):
    """Valid YAML that is not supported."""


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader with the scalars above in place of YAML 1.1's, without tags."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012 (PyYAML's own hook)

    def __init__(self, stream: str) -> None:
        """Prepare to read a stream."""
        super().__init__(stream)
        self.depth = self.nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """The next node, within the limits."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        self.nodes += 1
        self.depth += 1
        if self.depth > MAX_DEPTH or self.nodes > MAX_NODES:
            message = f"more than {MAX_NODES:,} values or {MAX_DEPTH} levels: a study needs few"
            raise _Refused(problem=message, problem_mark=event.start_mark)
        if getattr(event, "tag", None) is not None:
            message = f"tags are not read here, such as {shown(event.tag)}: remove it"
            raise _Refused(problem=message, problem_mark=event.start_mark)
        node: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node


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
        problems: Duplicate keys and scalars that cannot be read.
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
                return problem(self.source, message, table[path[:depth]])
        return problem(self.source, message)


def problem(source: str, message: str, place: tuple[int, int] = (0, 0)) -> Problem:
    """A problem with text that is safe to show on a terminal."""
    if len(message) > MAX_MESSAGE:
        message = f"{message[: MAX_MESSAGE - 3]}..."
    return Problem(one_line(source), *place, one_line(message))


def shown(value: Any) -> str:
    """The repr of the value, shortened."""
    return _SHORT.repr(value)


def read(path: Path) -> Located:
    """Read a YAML file.

    Raises:
        StudyError: The file is missing, not text or not YAML.
    """
    source = str(path)
    try:
        content = input_file.read(path, most_bytes=MAX_BYTES)
    except input_file.NotAFile as error:
        raise _refusal(source, str(error.strerror)) from None
    except input_file.TooLarge as error:
        raise _refusal(source, f"{error.strerror}: a study needs few") from None
    except FileNotFoundError:
        raise _refusal(source, "file not found") from None
    except OSError as error:
        raise _refusal(source, f"cannot be read: {error.strerror}") from None
    return parse(_decoded(content, source), source=source)


def parse(text: str, *, source: str) -> Located:
    """Turn YAML text into plain values with positions.

    Raises:
        StudyError: The text is not YAML, or exceeds the limits of depth or expansion.
    """
    builder = _Builder(source)
    try:
        node = yaml.compose(text, Loader=_Loader)
        value = builder.build(node, (), 0) if node is not None else None
    except yaml.reader.ReaderError as error:
        what = f"U+{error.character:04X} is not a text character: remove it, or save as UTF-8"
        raise _refusal(source, what, _position(text, error.position)) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise _refusal(source, _reason(error), place) from None
    return Located(source, value, builder.keys, builder.values, tuple(builder.problems))


def _decoded(content: bytes, source: str) -> str:
    """The text of a file in UTF-8, with or without a byte order mark."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _refusal(source, "the file is UTF-16 or UTF-32: save it as UTF-8")
    content = content.removeprefix(b"\xef\xbb\xbf")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        before = content[: error.start].decode()
        what = f"the file is not UTF-8 text ({error.reason}): save it as UTF-8"
        raise _refusal(source, what, _position(before, len(before))) from None


def _position(text: str, index: int) -> tuple[int, int]:
    lines = _LINE_END.split(text[:index])
    return len(lines), len(lines[-1]) + 1


def _reason(error: yaml.MarkedYAMLError) -> str:
    """The message of the parser, with the start of its context if on another line."""
    if isinstance(error, _Refused):
        return str(error.problem)
    if isinstance(error, yaml.composer.ComposerError) and error.context:  # one sentence in two
        return f"not YAML: {error.context}, {error.problem}"
    begun, found = error.context_mark, error.problem_mark
    if error.context and begun and found and begun.line != found.line:
        return f"not YAML: {error.problem}, {error.context} begun on line {begun.line + 1}"
    return f"not YAML: {error.problem}"


def _refusal(source: str, message: str, place: tuple[int, int] = (0, 0)) -> StudyError:
    return StudyError([problem(source, message, place)])


class _Builder:
    """Walks the node tree once, building values and noting positions."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.size = 0  # characters of all scalars, with aliases expanded
        self.problems: list[Problem] = []
        self.keys: dict[KeyPath, tuple[int, int]] = {}
        self.values: dict[KeyPath, tuple[int, int]] = {}

    def build(self, node: yaml.Node, path: KeyPath, depth: int) -> Any:
        """The plain value of a node, its positions noted under the path; aliases are expanded."""
        place = _place(node)
        self.size += len(node.value) if isinstance(node, yaml.ScalarNode) else 0
        if depth > MAX_DEPTH or len(self.values) > MAX_NODES or self.size > MAX_BYTES:
            raise _refusal(
                self.source, "this expands too far by its aliases: write values out", place
            )
        self.values[path] = place
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*path, i), depth + 1) for i, item in enumerate(node.value)]
        return self._scalar(node)

    def _scalar(self, node: yaml.Node) -> Any:
        text, kind = node.value, node.tag.rpartition(":")[2]
        if kind == "str":
            return self._text(node, text)
        if kind in ("int", "float"):
            return self._number(node, text, kind)
        return text.lower() == "true" if kind == "bool" else None

    def _text(self, node: yaml.Node, text: str) -> str | None:
        plain = text.replace("\n", " ").replace("\t", " ")
        hidden = None if plain.isprintable() else next(filter(hides, plain), None)
        if hidden is None:
            return text
        self._report(node, f"the text holds U+{ord(hidden):04X}, which is invisible: remove it")
        return None

    def _number(self, node: yaml.Node, text: str, kind: str) -> int | float | None:
        if len(text) > MAX_DIGITS:
            self._report(node, f"a number of {len(text):,} characters: write {MAX_DIGITS} at most")
            return None
        if kind == "int":
            return int(text)
        value = float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        if value == 0 and re.search("[1-9]", re.split("[eE]", text)[0]):
            self._report(node, f"{text} is too close to 0: write 0 or a larger one")
        return value + 0.0  # -0.0 becomes 0.0

    def _mapping(self, node: yaml.MappingNode, path: KeyPath, depth: int) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            if key is None:
                continue
            if key in mapping:
                line = self.keys[(*path, key)][0]
                message = f"duplicate key {shown(key)} (first on line {line}): remove one"
                self._report(key_node, message)
                continue
            self.keys[(*path, key)] = _place(key_node)
            mapping[key] = self.build(value_node, (*path, key), depth + 1)
        return mapping

    def _key(self, node: yaml.Node) -> str | None:
        key = node.value
        if not isinstance(key, str) or any(map(hides, key)):
            self._report(node, "a key must be plain text")
        elif key == "<<":
            self._report(node, "merge keys are not read here: write the keys out")
        else:
            return key
        return None

    def _report(self, node: yaml.Node, message: str) -> None:
        self.problems.append(problem(self.source, message, _place(node)))


def _place(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1
