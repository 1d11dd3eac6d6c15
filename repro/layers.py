"""Layers of choices, laid over each other, each value remembering where it was written.

A study's configuration is preset, base, profile, ``--set`` and arm, in this order; the later one
wins key by key. When the result does not validate, every mistake is reported at the place that
wrote the offending value.
"""

import difflib
import re
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from repro import yamlfile
from repro.errors import Problem, StudyError
from repro.yamlfile import KeyPath, Located

Model = TypeVar("Model", bound=BaseModel)
Origins = dict[KeyPath, tuple[Located, KeyPath]]

_DATA_ROLES = ("train", "test", "nonfaces")
_NUMBER_TEXT = re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$")


@dataclass(frozen=True, slots=True)
class Layer:
    """Nested choices.

    Attributes:
        value: What the layer says, as nested mappings.
        origins: Document and path at which each key of `value` was written.
    """

    value: Mapping[str, Any]
    origins: Origins = field(default_factory=dict)

    @classmethod
    def from_file(cls, file: Located, path: KeyPath) -> "Layer":
        """The mapping that stands at the path of a document."""
        value = file.value
        for key in path:
            value = value[key]
        return cls(value, dict(_walk(value, (), file, path)))

    @classmethod
    def from_dotted(cls, file: Located, choices: Iterable[tuple[str, Any, KeyPath]]) -> "Layer":
        """Choices written as dotted keys: (key, value, path in the document)."""
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
        """This layer with these top keys alone."""
        return self._filtered({key for key in self.value if key in keys})

    def without(self, *keys: str) -> "Layer":
        """This layer less these top keys."""
        return self._filtered({key for key in self.value if key not in keys})

    def _filtered(self, keep: set[str]) -> "Layer":
        origins = {p: o for p, o in self.origins.items() if not p or p[0] in keep}
        return Layer({key: self.value[key] for key in self.value if key in keep}, origins)


def options_layer(overrides: Sequence[str]) -> Layer:
    """The layer that ``--set KEY=VALUE`` options make; later ones win.

    Raises:
        StudyError: An option has no ``=`` or its value is no YAML.
    """
    layer = Layer({})
    for override in overrides:
        key, text = _key_and_value(override)
        source = f"--set {override}"
        value = yamlfile.parse(text, source=source).value
        document = Located(source, value)  # an option has no lines
        new = Layer.from_dotted(document, [(key, value, ())])
        layer = Layer(merge(layer.value, new.value), layer.origins | new.origins)
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
    if not equals or not all(key.split(".")):
        message = "write KEY=VALUE, for example epochs=2"
        raise StudyError([Problem(f"--set {override}", 0, 0, message)])
    return key, value


def merge(lower: Any, upper: Any, path: KeyPath = ()) -> Any:
    """`upper` laid over `lower`, key by key; another kind of source replaces the whole mapping.

    Args:
        lower: What is there.
        upper: What wins.
        path: Where in a configuration the two stand.
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
    """The word ``synthetic`` written out one level, where it stands for data or one part of it."""
    if lower != "synthetic" or path[:1] != ("data",):
        return lower
    return dict.fromkeys(_DATA_ROLES, "synthetic") if len(path) == 1 else {"source": "synthetic"}


def validate(model: type[Model], layers: Sequence[Layer], problems: list[Problem]) -> Model | None:
    """The model that the layers make together, or None with the problems noted."""
    value: Any = {}
    for layer in layers:
        value = merge(value, layer.value)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        problems += [_problem(model, details, layers) for details in error.errors()]
        return None


def locate(path: KeyPath, layers: Sequence[Layer]) -> tuple[Located, KeyPath] | None:
    """Where the value at the path was written: the last layer that reaches deepest into it."""
    for depth in range(len(path), -1, -1):
        for layer in reversed(layers):
            if path[:depth] in layer.origins:
                return layer.origins[path[:depth]]
    return None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` if one of the known words is near, else nothing."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean '{near[0]}'?" if near else ""


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


def _problem(model: type[BaseModel], details: ErrorDetails, layers: Sequence[Layer]) -> Problem:
    path = _without_union_tags(details["loc"])
    is_key = details["type"] == "extra_forbidden"
    found = locate(path, layers)
    message = _message(model, details, path)
    if found is None:
        return Problem("study", 0, 0, message)
    document, place = found
    if details["type"] == "value_error" and path:
        message = f"{_dotted(path)}: {message}"
    return document.problem(place, message, at_key=is_key)


def _message(model: type[BaseModel], details: ErrorDetails, path: KeyPath) -> str:
    kind, given = details["type"], details["input"]
    name = _dotted(path)
    if kind == "extra_forbidden":
        keys = sorted(_fields(model, path[:-1]))
        hint = did_you_mean(str(path[-1]), keys) or f"; known here: {', '.join(keys)}"
        return f"unknown key '{path[-1]}'{hint}"
    if kind == "missing":
        return f"{name} is missing: add it"
    if kind in {"value_error", "assertion_error"}:
        return str(details["ctx"]["error"])
    if kind == "literal_error":
        known = re.findall(r"'([^']*)'", details["ctx"]["expected"])
        return (
            f"{name}: {given!r} is not one of {', '.join(known)}{did_you_mean(str(given), known)}"
        )
    if kind == "union_tag_not_found":
        return f"{name}: say which source it is, for example 'source: synthetic'"
    if kind == "string_pattern_mismatch":
        return f"{name}: {given!r} must match {details['ctx']['pattern']}"
    if (
        isinstance(given, str)
        and _NUMBER_TEXT.match(given)
        and kind.split("_")[0] in {"int", "float"}
    ):
        return f"{name}: '{given}' is text, not a number{_number_hint(given)}"
    return f"{name}: {details['msg'][0].lower()}{details['msg'][1:]}, not {given!r}"


def _number_hint(text: str) -> str:
    mantissa, exponent = re.split("[eE]", f"{text}e")[:2]
    if exponent and "." not in mantissa:
        return f". YAML needs a dot before an exponent: write {mantissa}.0e{exponent}"
    if text.lstrip("+-").startswith("0") and text.lstrip("+-").isdigit():
        return ": remove the leading zeros"
    return ": remove the quotes" if not text.startswith(".") else f": write 0{text}"


def _without_union_tags(path: KeyPath) -> KeyPath:
    """Pydantic puts the source's name after ``data.train``; the file has no such level."""
    tagged = len(path) > 2 and path[0] == "data" and path[1] in _DATA_ROLES
    return (*path[:2], *path[3:]) if tagged else path


def _fields(model: type[BaseModel], path: KeyPath) -> set[str]:
    """Names of the keys that are allowed under the path."""
    models: list[Any] = [model]
    for key in path:
        annotations = [m.model_fields[key].annotation for m in models if str(key) in m.model_fields]
        models = [m for annotation in annotations for m in _models_in(annotation)]
    return {name for m in models for name in m.model_fields}


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return [annotation] if issubclass(annotation, BaseModel) else []
    return [m for argument in get_args(annotation) for m in _models_in(argument)]


def _dotted(path: KeyPath) -> str:
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return text.lstrip(".") or "the study"
