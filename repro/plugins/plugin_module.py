"""The text of a plug-in -> its module, under a name that follows from its digest.

The same text has the same module in every process: the one that the user started, its workers, a
machine of a cluster. Nothing is installed, no path of Python is changed, and two versions of a
plug-in can be loaded side by side.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import linecache
import sys
from collections.abc import Sequence
from dataclasses import replace
from types import ModuleType

from repro.plugins import guard, loaded, plugin_errors, sibling_imports
from repro.plugins.declared import Origin, Plugin, declared_in
from repro.plugins.plugin_errors import PluginError
from repro.plugins.plugin_text import INIT, PluginText


class _Loader(importlib.abc.SourceLoader):
    """Gives Python the text of a module, and the plug-in's data by ``pkgutil.get_data``."""

    def __init__(self, text: PluginText, file: str) -> None:
        """For one file of a text."""
        self.text, self.file = text, file

    def get_filename(self, fullname: str) -> str:
        """The file as in tracebacks."""
        return self.text.path(self.file)

    def get_data(self, path: str | bytes) -> bytes:
        """The content of a file of the plug-in; raises OSError for another one."""
        for name, content in self.text.files.items():
            if self.text.path(name) == path:
                return content
        raise FileNotFoundError(path)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the modules of the texts that are loaded, so that relative imports work."""

    def __init__(self) -> None:
        """No text yet."""
        self.texts: dict[str, PluginText] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The module's, if it is a plug-in's."""
        first, *rest = fullname.split(".")
        text = self.texts.get(first)
        if text is None:
            return None
        below = "/".join(rest)
        file = _file_of(text, below)
        if file is None:
            return None
        is_package = file.endswith(INIT)
        spec = importlib.util.spec_from_loader(
            fullname, _Loader(text, file), origin=text.path(file), is_package=is_package
        )
        if spec is not None:
            spec.has_location = True
            if is_package:
                spec.submodule_search_locations = [text.path(below) if below else text.where]
        return spec


_FINDER = _Finder()


def plugins_of(text: PluginText) -> tuple[Plugin, ...]:
    """What a text declares; its code is run if this process has not loaded it yet.

    Raises:
        PluginError: It cannot be loaded, or declares nothing.
    """
    load(text)
    own = [module for name, module in list(sys.modules.items()) if _belongs(name, text) and module]
    first = _FINDER.texts[text.module]  # the same text may lie in two places
    origin = Origin(text.where, text.digest, root=first.where, shown=text.where, carrier=text)
    with plugin_errors.told("loading it", root=origin.root, shown=origin.shown):
        found = tuple(replace(one, origin=origin) for one in declared_in(own))
    if not found:
        raise PluginError(
            f"{text.where}: it declares nothing: put a decorator of repro.plugins (rule, "
            "objective, model, metric, source) on a function or class"
        )
    loaded.keep(found)
    return found


def load(text: PluginText) -> ModuleType:
    """The module of a text, run once in each process.

    Raises:
        PluginError: It cannot be loaded.
    """
    if known := sys.modules.get(text.module):
        return known
    sibling_imports.refuse(text)
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)
    _FINDER.texts[text.module] = text
    for path, source in text.sources():
        lines = source.splitlines(keepends=True)
        linecache.cache[path] = (len(source), None, lines, path)
    try:
        with plugin_errors.told("loading it", root=text.where), guard.undisturbed():
            return importlib.import_module(text.module)  # which enters it before it runs it
    except BaseException:
        for name in [name for name in sys.modules if _belongs(name, text)]:
            del sys.modules[name]
        del _FINDER.texts[text.module]
        raise


def _file_of(text: PluginText, below: str) -> str | None:
    """The file of a module, by its path below the plug-in's."""
    if not text.is_folder:
        return None if below else next(iter(text.files))
    names = (f"{below}/{INIT}", f"{below}.py") if below else (INIT,)
    return next((name for name in names if name in text.files), None)


def _belongs(module: str, text: PluginText) -> bool:
    return module == text.module or module.startswith(f"{text.module}.")
