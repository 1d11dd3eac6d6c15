"""Call what a plug-in declares: its errors are told as its own, and nothing else notices it."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from repro.plugins import guard, plugin_errors
from repro.plugins.declared import Plugin

if TYPE_CHECKING:
    from numpy.typing import NDArray


@contextlib.contextmanager
def own_code(plugin: Plugin) -> Iterator[None]:
    """Within, code of a plug-in is called; that of a built-in one is ours, and trusted.

    Raises:
        PluginError: It raised an exception; the text has its file and line.
        RunFailed: It said that this run has failed.
    """
    if plugin.origin is None:
        yield
        return
    origin = plugin.origin
    told = plugin_errors.told(plugin.title, root=origin.root, shown=origin.shown)
    with told, guard.undisturbed():
        yield


def call(plugin: Plugin, *given: Any, **named: Any) -> Any:
    """What its function or class returns; raises as `own_code` does."""
    with own_code(plugin):
        return plugin.function(*given, **named)


def refuse(plugin: Plugin, what: str) -> plugin_errors.PluginError:
    """The error of a plug-in that returned something wrong.

    Args:
        plugin: Which.
        what: It returned, and what is expected, as the end of a sentence: ``it returned ...``.
    """
    if plugin.origin is None:
        return plugin_errors.PluginError(f"{plugin.title}: {what}")
    return plugin_errors.PluginError(f"{_place(plugin)}: {plugin.title}: {what}")


def read_only(values: "NDArray[Any]") -> "NDArray[Any]":
    """A view that cannot be written; whoever tries gets ValueError."""
    view = values.view()
    view.flags.writeable = False
    return view


def described(value: object) -> str:
    """Kind, shape and type of what was returned, in words."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        shape = tuple(getattr(value, "shape", ()))
        return f"{type(value).__name__} of shape {shape}, {getattr(value, 'dtype', '')}"
    return f"{type(value).__name__}"


def _place(plugin: Plugin) -> str:
    """File and line of the function or class."""
    assert plugin.origin is not None
    root, shown = plugin.origin.root, plugin.origin.shown
    code = getattr(plugin.make, "__code__", None)
    if code is None or not isinstance(code.co_filename, str):
        return shown
    return f"{shown}{code.co_filename.removeprefix(root)}:{code.co_firstlineno}"
