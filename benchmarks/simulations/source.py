"""The source that a simulation's numbers depend on, as a digest."""

import ast
import functools
import hashlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

COUNTED = ("repro.stats", "repro.analysis", "simulations")  # packages that compute the numbers
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef)


@functools.cache
def digest(module: str) -> str:
    """Of a module and all that it imports of COUNTED; docstrings and comments apart."""
    found: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found and (path := _file(name)):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            waiting += [one for one in _imports(tree) if one.startswith(COUNTED)]
            found[name] = ast.dump(_without_docstrings(tree))
    whole = "\n".join(f"{name} {found[name]}" for name in sorted(found))
    return hashlib.sha256(whole.encode()).hexdigest()


def _file(module: str) -> Path | None:
    """The file of a module; None for names that are no modules, as functions."""
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec and spec.origin else None


def _imports(tree: ast.Module) -> Iterator[str]:
    """Names of modules, and of what is imported from them, which can be modules."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{one.name}" for one in node.names)


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return tree
