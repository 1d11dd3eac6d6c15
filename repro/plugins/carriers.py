"""How plug-ins reach a worker: the text of a file or folder, and the name of an installed one.

One way for all executors: a worker builds the same module from the same text, and refuses an
installed plug-in whose files differ from those of the machine that planned the run.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from repro.plugins import installed, plugin_module
from repro.plugins.declared import Plugin
from repro.plugins.installed import Installed
from repro.plugins.plugin_errors import PluginError
from repro.plugins.plugin_text import PluginText


@dataclass(frozen=True, slots=True)
class Carried:
    """A plug-in, or a text with several, on its way to a worker.

    Attributes:
        carrier: Its text, or where an installed one is found.
        digest: Of its files.
    """

    carrier: PluginText | Installed
    digest: str


def carried(plugins: Mapping[str, Plugin]) -> dict[str, Carried]:
    """What some plug-ins need to reach a worker, under the same names; nothing of built-in ones."""
    found = {}
    for title, one in plugins.items():
        if one.origin is not None and one.origin.carrier is not None:
            found[title] = Carried(one.origin.carrier, one.origin.digest)
    return found


def unpacked(all_carried: Iterable[Carried]) -> Iterator[Plugin]:
    """In the worker: the plug-ins, loaded.

    Raises:
        PluginError: One cannot be loaded, is not installed here, or differs here.
    """
    for one in all_carried:
        if isinstance(one.carrier, PluginText):
            yield from plugin_module.plugins_of(one.carrier)
        else:
            yield _installed(one.carrier, one.digest)


def _installed(wanted: Installed, digest: str) -> Plugin:
    what = f"{wanted.kind} {wanted.name} of {wanted.where}"
    found = installed.find(wanted.kind, wanted.name)
    if found is None:
        raise PluginError(f"{what} is not installed where this run is: install it there")
    here = installed.digest(found)
    if here != digest:
        raise PluginError(
            f"{what} has other files where this run is ({found.where}, digest {here}, not "
            f"{digest}): install the same there"
        )
    return installed.load(found)
