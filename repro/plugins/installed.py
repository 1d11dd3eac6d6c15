"""Plug-ins of installed distributions: entry points, listed without importing anything.

Only one that a study names is loaded. Its digest is that of the files of its package, because the
version of an editable installation does not change with its text.
"""

import hashlib
import importlib.machinery
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path

from repro.plugins import guard, loaded, plugin_errors
from repro.plugins.declared import Kind, Origin, Plugin, declared_by
from repro.plugins.plugin_errors import PluginError
from repro.plugins.plugin_text import DIGITS
from repro.system import input_file

GROUPS: dict[str, Kind] = {
    "repro.weights": "rule",
    "repro.objectives": "objective",
    "repro.models": "model",
    "repro.metrics": "metric",
    "repro.sources": "source",
}
MOST_FILES = 20_000  # of a package


@dataclass(frozen=True, slots=True)
class Installed:
    """An entry point of one of the groups.

    Attributes:
        kind: By its group.
        name: How a study names it.
        value: ``module:attribute``.
        distribution: Its name; "" if unknown.
        version: Of the distribution; "" if unknown.
    """

    kind: Kind
    name: str
    value: str
    distribution: str
    version: str

    @property
    def where(self) -> str:
        """Distribution and version."""
        return f"{self.distribution or 'unknown distribution'} {self.version}".rstrip()


def listed() -> tuple[Installed, ...]:
    """All that are installed, each once: an editable installation may name one twice."""
    found: dict[tuple[Kind, str, str], Installed] = {}
    owners: set[str] = set()
    for dist in distributions():
        offered = _of_distribution(dist)
        name = offered[0].distribution if offered else ""
        if name not in owners:  # one that comes later on the search path is hidden by the first
            found |= {(one.kind, one.name, one.value): one for one in offered}
        owners |= {name} - {""}
    return tuple(sorted(found.values(), key=lambda one: (one.kind, one.name, one.where)))


def find(kind: Kind | str, name: str) -> Installed | None:
    """The one of this kind and name; None if there is none.

    Raises:
        PluginError: There are several.
    """
    found = [one for one in listed() if (one.kind, one.name) == (kind, name)]
    if len(found) > 1:
        owners = " and ".join(one.where for one in found)
        raise PluginError(
            f"{kind} {name}: {owners} both have one of this name: uninstall one of them"
        )
    return next(iter(found), None)


def names(kind: Kind) -> tuple[str, ...]:
    """The names of one kind, each once."""
    return tuple(dict.fromkeys(one.name for one in listed() if one.kind == kind))


def digest(one: Installed) -> str:
    """Of the files of its package, without importing it.

    Raises:
        PluginError: The package is not there, or cannot be read.
    """
    root = root_of(one)
    hashed = hashlib.sha256()
    try:
        for name, path in _files(root):
            content = hashlib.sha256(input_file.read(path)).hexdigest()
            hashed.update(f"{content}  {name}\n".encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise PluginError(f"{one.where}: {root} cannot be read: {error.strerror}") from None
    return hashed.hexdigest()[:DIGITS]


def load(one: Installed) -> Plugin:
    """The plug-in; its package is imported.

    Raises:
        PluginError: It cannot be imported, or is not declared to be what its entry point says.
    """
    root = root_of(one)
    entry = EntryPoint(name=one.name, value=one.value, group=_group(one.kind))
    what = f"loading {one.value} of {one.where}"
    with plugin_errors.told(what, root=str(root)), guard.undisturbed():
        made = entry.load()
    for plugin in declared_by(made):
        if (plugin.kind, plugin.name) == (one.kind, one.name):
            origin = Origin(one.where, digest(one), root=str(root), shown=str(root), carrier=one)
            found = replace(plugin, origin=origin)
            loaded.keep([found])
            return found
    raise PluginError(
        f"{one.where}: {one.value} is not declared as the {one.kind} {one.name}: put the decorator "
        f'repro.plugins.{one.kind}("{one.name}") on it'
    )


def root_of(one: Installed) -> Path:
    """The folder of its package, or its file, found without importing it.

    Raises:
        PluginError: It is nowhere.
    """
    path: list[str] | None = None
    full = ""
    for part in one.value.partition(":")[0].strip().split("."):
        full = f"{full}.{part}" if full else part
        spec = _spec(full, path)
        if spec is None:
            break
        if spec.origin and spec.has_location:  # no namespace, which many distributions share
            file = Path(spec.origin)
            return file.parent if spec.submodule_search_locations is not None else file
        path = list(spec.submodule_search_locations or [])
    raise PluginError(f"{one.where}: its module {one.value.partition(':')[0]} is not there")


def _spec(name: str, path: list[str] | None) -> importlib.machinery.ModuleSpec | None:
    for finder in sys.meta_path:
        try:
            spec = finder.find_spec(name, path)
        except (ImportError, ValueError, AttributeError):
            continue
        if spec is not None:
            return spec
    return None


def _files(root: Path) -> Iterator[tuple[str, Path]]:
    """Name and path of each file that counts."""
    if root.is_file():
        yield root.name, root
        return
    paths = sorted(path for path in root.rglob("*") if _counts(path.relative_to(root)))
    if len(paths) > MOST_FILES:
        raise PluginError(f"{root}: more than {MOST_FILES:,} files in a package of a plug-in")
    for path in paths:
        if path.is_file():
            yield path.relative_to(root).as_posix(), path


def _counts(path: Path) -> bool:
    hidden = any(part.startswith(".") or part == "__pycache__" for part in path.parts)
    return not hidden and path.suffix != ".pyc"


def _of_distribution(dist: Distribution) -> list[Installed]:
    """What a distribution offers; nothing, if its files are not as they must be.

    It may be anybody's, and half removed: no study has named it.
    """
    try:
        about = (dist.metadata["Name"] or "", dist.metadata["Version"] or "")
        return [
            Installed(GROUPS[one.group], one.name, one.value, *about)
            for one in dist.entry_points
            if one.group in GROUPS
        ]
    except Exception:  # noqa: BLE001 - whatever its files hold
        return []


def _group(kind: Kind) -> str:
    return next(group for group, of in GROUPS.items() if of == kind)
