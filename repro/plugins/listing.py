"""What there is to name, and where from: nothing of a plug-in is run to list it."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from repro.plugins import installed
from repro.plugins.catalogue import Catalogue
from repro.plugins.declared import KINDS, Kind
from repro.plugins.plugin_errors import PluginError
from repro.plugins.plugin_text import PluginText

BUILT_IN = "built in"


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of the list.

    Attributes:
        kind: What it is.
        name: How a study names it.
        where: ``built in``, file and line, or distribution and version.
        digest: Of its files; "" if it is built in or cannot be read.
        problem: Why it cannot be used; "" if nothing is known against it.
    """

    kind: Kind
    name: str
    where: str
    digest: str = ""
    problem: str = ""


def everything(built_in: Catalogue, texts: Iterable[PluginText]) -> list[Listed]:
    """All that is built in, in some texts, and installed, kind by kind.

    Args:
        built_in: Without plug-ins.
        texts: Of a study.
    """
    found = [Listed(one.kind, one.name, BUILT_IN) for one in built_in]
    found += [one for text in texts for one in of_text(text)]
    found += [_installed(one) for one in installed.listed()]
    taken: dict[tuple[Kind, str], str] = {}
    told = []
    for one in found:
        first = taken.setdefault((one.kind, one.name), one.where)
        problem = one.problem or (f"{first} has this name already" if first != one.where else "")
        told.append(Listed(one.kind, one.name, one.where, one.digest, problem))
    return sorted(told, key=lambda one: KINDS.index(one.kind))


def of_text(text: PluginText) -> Iterator[Listed]:
    """What the decorators in a text say; a name that is computed is not seen."""
    for path, source in text.sources():
        for kind, name, line in _decorated(_tree(source, path)):
            yield Listed(kind, name, f"{path}:{line}", text.digest)


def _installed(one: installed.Installed) -> Listed:
    try:
        return Listed(one.kind, one.name, one.where, installed.digest(one))
    except PluginError as error:
        return Listed(one.kind, one.name, one.where, problem=str(error))


def _tree(source: str, path: str) -> ast.Module:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = f":{error.lineno}" if isinstance(error, SyntaxError) else ""
        raise PluginError(f"{path}{line}: this is not Python: {error}") from None


def _decorated(tree: ast.Module) -> Iterator[tuple[Kind, str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            for one in node.decorator_list:
                yield from _declared(one)


def _declared(decorator: ast.expr) -> Iterator[tuple[Kind, str, int]]:
    if not (isinstance(decorator, ast.Call) and decorator.args):
        return
    called, name = decorator.func, decorator.args[0]
    word = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    if not (isinstance(name, ast.Constant) and isinstance(name.value, str)):
        return
    for kind in KINDS:
        if kind == word:
            yield kind, name.value, decorator.lineno
