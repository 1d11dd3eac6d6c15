"""Refuse a plug-in that imports a file beside it by its absolute name.

Such a file is not part of the plug-in: it is not in the digest and does not travel to a worker, and
whether Python finds it depends on the folder in which the program was started.
"""

import ast
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

from repro.plugins.plugin_errors import PluginError
from repro.plugins.plugin_text import PluginText


def refuse(text: PluginText) -> None:
    """Raise an error if a file beside the plug-in, or one of its own, is imported absolutely.

    Raises:
        PluginError: So, with file and line.
    """
    folder = Path(text.where)
    beside = [folder, folder.parent] if text.is_folder else [folder.parent]
    for path, source in text.sources():
        for line, name in absolute_imports(source):
            if sibling := _sibling(name, [*beside, Path(path).parent]):
                raise PluginError(
                    f"{path}:{line}: it imports {name}, which is {sibling}, by an absolute name; "
                    "that is not part of a plug-in: make one folder with __init__.py of both, and "
                    f"write `from . import {name}`"
                )


def absolute_imports(source: str) -> Iterator[tuple[int, str]]:
    """Line and first part of the name of each absolute import, also within functions.

    A text that is not Python has none: that is told when it is loaded.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.lineno, node.module.partition(".")[0]


def _sibling(name: str, folders: list[Path]) -> Path | None:
    """The file or folder of this name beside the plug-in, if Python would take no other one."""
    near = [path for folder in folders for path in (folder / f"{name}.py", folder / name)]
    near = [path for path in near if path.exists()]
    if not near or name in sys.builtin_module_names:
        return None
    taken = _place(name)
    if taken is None:
        return near[0]
    return next((path for path in near if path.resolve() in (taken, *taken.parents)), None)


def _place(name: str) -> Path | None:
    """Where Python finds a module; None if nowhere."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return None
    if spec is None:
        return None
    if spec.origin and spec.has_location:
        return Path(spec.origin).resolve()
    folders = list(spec.submodule_search_locations or [])
    return Path(folders[0]).resolve() if folders else Path("/")
