"""Merging of layers of settings, with the position at which each value was written.

A study's configuration is preset, base, profile, ``--set`` and arm, in this order; the later one
wins key by key. If the result is invalid, every error is reported at the position of the wrong
value.
"""

import difflib
import functools
import re
import types
from collections.abc import Collection, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from repro.errors import Problem, StudyError
from repro.study import data_spec, yaml_source
from repro.study.yaml_source import KeyPath, Located, shown

Model = TypeVar("Model", bound=BaseModel)
Origins = dict[KeyPath, tuple[Located, KeyPath]]

MOST_PROBLEMS = 20  # that one reading notes of each part
MOST_PARTS = 8  # of a dotted key
MOST_KNOWN = 1000  # words to choose a near one from
MAX_OPTION = 10_000  # characters of an option
_DATA_ROLES = ("train", "test", "nonfaces", "crops")
_WHOLE = ("train", "test", "nonfaces")  # for which the word ``synthetic`` stands
_NUMBER_TEXT = re.compile(r"^[-+]?(\d+(?:\.\d*)?|\.\d+)([eE][-+]?\d+)?$", re.ASCII)


@dataclass(frozen=True, slots=True)
class Layer:
    """Nested settings.

    Attributes:
        value: The settings, as nested mappings.
        origins: Document and path at which each key of `value` was written.
    """

    value: Mapping[str, Any]
    origins: Origins = field(default_factory=dict)

    @classmethod
    def from_file(cls, file: Located, path: KeyPath) -> "Layer":
        """The mapping at the path of a document."""
        value = file.value
        for key in path:
            value = value[key]
        return cls(value, dict(_walk(value, (), file, path)))

    @classmethod
    def from_dotted(cls, file: Located, choices: Iterable[tuple[str, Any, KeyPath]]) -> "Layer":
        """Settings with dotted keys: (key, value, path in the document)."""
        value: dict[str, Any] = {}
        origins: Origins = {(): (file, ())}
        for dotted, item, path in choices:
            keys = tuple(dotted.split("."))
            nested: Any = item
            for key in reversed(keys):
                nested = {key: nested}
            value = merge(value, nested)
            origins |= {keys[:depth]: (file, path) for depth in range(1, len(keys) + 1)}
            origins |= dict(_walk(item, keys, file, path))
        return cls(value, origins)

    def only(self, *keys: str) -> "Layer":
        """This layer with only these top keys."""
        return self._filtered({key for key in self.value if key in keys})

    def without(self, *keys: str) -> "Layer":
        """This layer without these top keys."""
        return self._filtered({key for key in self.value if key not in keys})

    def _filtered(self, keep: set[str]) -> "Layer":
        origins = {p: o for p, o in self.origins.items() if not p or p[0] in keep}
        return Layer({key: self.value[key] for key in self.value if key in keep}, origins)


def options_layer(overrides: Sequence[str]) -> Layer:
    """The layer of ``--set KEY=VALUE`` options; later ones win.

    Raises:
        StudyError: An option has no ``=`` or its value is not YAML.
    """
    layer = Layer({})
    for override in overrides:
        key, text = _key_and_value(override)
        source = f"--set {override}"
        parsed = yaml_source.parse(text, source=source)
        if parsed.problems:
            raise StudyError(parsed.problems)
        value = parsed.value
        document = Located(source, value)  # an option has no lines
        new = Layer.from_dotted(document, [(key, value, ())])
        layer = combined([layer, new])
    return layer


def override_labels(overrides: Sequence[str]) -> tuple[str, ...]:
    """The overrides for captions: sorted, later ones winning, files by their last part.

    Raises:
        StudyError: An option has no ``=``.
    """
    pairs = dict(_key_and_value(override) for override in overrides)
    return tuple(
        f"{key}={PurePath(value).name if key.startswith('data.') else value}"
        for key, value in sorted(pairs.items())
    )


def _key_and_value(override: str) -> tuple[str, str]:
    key, equals, value = override.partition("=")
    parts = key.split(".")
    if equals and all(parts) and len(parts) <= MOST_PARTS and len(override) <= MAX_OPTION:
        return key, value
    source = f"--set {override if len(override) <= MAX_OPTION else override[:40]}"
    raise StudyError([yaml_source.problem(source, "write KEY=VALUE, for example epochs=2")])


def merge(lower: Any, upper: Any, path: KeyPath = ()) -> Any:
    """`upper` laid over `lower`, key by key; another kind of source replaces the whole mapping.

    Args:
        lower: The lower layer.
        upper: The upper layer, which wins.
        path: Path of both in a configuration.
    """
    if not isinstance(upper, Mapping):
        return upper
    lower = _opened(lower, path)
    if not isinstance(lower, Mapping) or upper.get("source", lower.get("source")) != lower.get(
        "source"
    ):
        return dict(upper)
    return {**lower, **{key: merge(lower.get(key), upper[key], (*path, key)) for key in upper}}


def _opened(lower: Any, path: KeyPath) -> Any:
    """Expand the word ``synthetic`` by one level if it stands for data or a part of it."""
    if lower != "synthetic" or path[:1] != ("data",):
        return lower
    return dict.fromkeys(_WHOLE, "synthetic") if len(path) == 1 else {"source": "synthetic"}


def combined(layers: Sequence[Layer]) -> Layer:
    """The layers as one, later ones winning."""
    origins: Origins = {}
    for layer in layers:
        origins.update(layer.origins)
    return Layer(merged(layers, ()), origins)


def merged(layers: Sequence[Layer], path: KeyPath) -> Any:
    """The value at the path in the merged layers, None if absent."""
    value: Any = functools.reduce(merge, (layer.value for layer in layers), {})
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def validate(
    model: type[Model],
    layers: Sequence[Layer],
    problems: list[Problem],
    *,
    beside: Collection[str] = (),
) -> Model | None:
    """The validated model of the merged layers, or None with problems added.

    Args:
        model: Of the settings.
        layers: The lowest first.
        problems: Mistakes are added.
        beside: Further keys that are allowed there, which another model checks.
    """
    try:
        return model.model_validate(merged(layers, ()))
    except ValidationError as error:
        details = error.errors()[:MOST_PROBLEMS]
        found = [_problem(model, each, layers, beside) for each in details]
        problems += [problem for problem in found if problem not in problems]
        return None


def refusal(problems: Iterable[Problem], file: Located) -> StudyError:
    """An error with the first problems; unreadable values are not also reported as invalid."""
    unread = {(p.source, p.line, p.column): p for p in file.problems}
    found = sorted({unread.get((p.source, p.line, p.column), p) for p in problems})
    if len(found) > MOST_PROBLEMS:
        more = yaml_source.problem(file.source, f"the first {MOST_PROBLEMS} mistakes of more:")
        found = [more, *found[:MOST_PROBLEMS]]
    return StudyError(found)


def locate(path: KeyPath, layers: Sequence[Layer]) -> tuple[Located, KeyPath] | None:
    """Where the value at the path was written: the last layer that reaches deepest into it."""
    for depth in range(len(path), -1, -1):
        for layer in reversed(layers):
            if path[:depth] in layer.origins:
                return layer.origins[path[:depth]]
    return None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` if one of the known words is near, else nothing."""
    near = difflib.get_close_matches(word[:100], list(known)[:MOST_KNOWN], n=1, cutoff=0.6)
    return f"; did you mean {shown(near[0])}?" if near else ""


def _walk(
    value: Any, at: KeyPath, file: Located, path: KeyPath
) -> Iterable[tuple[KeyPath, tuple[Located, KeyPath]]]:
    yield at, (file, path)
    items = (
        value.items()
        if isinstance(value, Mapping)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, item in items:
        yield from _walk(item, (*at, key), file, (*path, key))


def _problem(
    model: type[BaseModel],
    details: ErrorDetails,
    layers: Sequence[Layer],
    beside: Collection[str],
) -> Problem:
    path = _without_union_tags(details["loc"])
    is_key = details["type"] == "extra_forbidden"
    # A key of the outermost mapping is missing in the file, not in what is laid over it.
    found = locate(path, layers[:1] if details["type"] == "missing" and len(path) == 1 else layers)
    message = _message(model, details, path, beside)
    if found is None:
        return yaml_source.problem("study", message)
    document, place = found
    if details["type"] == "value_error" and path:
        message = f"{_dotted(path)}: {message}"
    return document.problem(place, message, at_key=is_key)


def _message(
    model: type[BaseModel], details: ErrorDetails, path: KeyPath, beside: Collection[str]
) -> str:
    kind, given = details["type"], details["input"]
    context, name = details.get("ctx", {}), _dotted(path)
    if kind == "extra_forbidden":
        allowed = _fields(model, path[:-1]) | (set(beside) if len(path) == 1 else set())
        return _unknown_key(str(path[-1]), allowed)
    if kind in {"value_error", "assertion_error"}:
        return str(context["error"])
    if kind in {"literal_error", "union_tag_invalid"}:
        wrong = context.get("tag", given)
        known = re.findall(r"'([^']*)'", context.get("expected", context.get("expected_tags", "")))
        hint = did_you_mean(wrong, known) if isinstance(wrong, str) else ""
        return f"{name}: {shown(wrong)} is not one of {', '.join(known)}{hint}"
    if (
        isinstance(given, str)
        and _NUMBER_TEXT.match(given)
        and kind.split("_")[0] in {"int", "float"}
    ):
        return f"{name}: {shown(given)} is text, not a number{_number_hint(given)}"
    sentences = {
        "missing": "{name} is missing: add it",
        "union_tag_not_found": "{name}: say which source it is, for example 'source: synthetic'",
        "string_pattern_mismatch": "{name}: {given} must match {pattern}",
        "model_type": "{name}: a mapping of keys is expected, not {given}",
        "dict_type": "{name}: a mapping of keys is expected, not {given}",
        "list_type": "{name}: a list is expected, not {given}",
        "too_short": "{name}: {size} given, at least {min_length} needed",
        "too_long": "{name}: {size} given, at most {max_length} allowed",
    }
    if kind in sentences:
        size = len(given) if isinstance(given, Sized) else 1
        return sentences[kind].format(name=name, given=shown(given), size=size, **context)
    return f"{name}: {details['msg'][0].lower()}{details['msg'][1:]}, not {shown(given)}"


def _unknown_key(key: str, known: set[str]) -> str:
    if key in known:
        return f"key {shown(key)} belongs to another source than this: say which one by 'source'"
    hint = did_you_mean(key, sorted(known)) or f"; known here: {', '.join(sorted(known))}"
    return f"unknown key {shown(key)}{hint}"


def _number_hint(text: str) -> str:
    mantissa, exponent = re.split("[eE]", f"{text}e")[:2]
    if exponent and "." not in mantissa:
        return f". YAML needs a dot before an exponent: write {mantissa}.0e{exponent}"
    digits = text.lstrip("+-")
    if len(digits) > 1 and digits.startswith("0") and digits.isdigit():
        return ": remove the leading zeros"
    sign = text.removesuffix(digits)
    return f": write {sign}0{digits}" if digits.startswith(".") else ": remove the quotes"


def _without_union_tags(path: KeyPath) -> KeyPath:
    """Pydantic puts tags after ``data.train``, the last one the source's; the file has none."""
    if path[:1] != ("data",) or len(path) < 3 or path[1] not in _DATA_ROLES:
        return path
    return (*path[:2], *path[4 if path[2] == data_spec.BUILT_IN else 3 :])


def _fields(model: type[BaseModel], path: KeyPath) -> set[str]:
    """Names of the keys that are allowed under the path."""
    models: list[Any] = [model]
    for key in (key for key in path if not isinstance(key, int)):  # items have their list's models
        annotations = [m.model_fields[key].annotation for m in models if str(key) in m.model_fields]
        models = [m for annotation in annotations for m in _models_in(annotation)]
    return {name for m in models for name in m.model_fields if m is not data_spec.OwnSource}


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return [annotation] if issubclass(annotation, BaseModel) else []
    return [m for argument in get_args(annotation) for m in _models_in(argument)]


def _dotted(path: KeyPath) -> str:
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return text.lstrip(".") or "the study"
