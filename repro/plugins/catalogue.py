"""Everything that a study can name: what is built in, and what its plug-ins add."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from repro.errors import ReproError
from repro.plugins.declared import KINDS, Kind, Plugin


class NameTaken(ReproError):
    """Two plug-ins of one kind have the same name."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Plug-ins by kind and name.

    Attributes:
        entries: (kind, name) -> plug-in, in the order in which they were added.
        elsewhere: Finds what is not among them: an installed plug-in, loaded when it is named.
        names_elsewhere: What can be found so.
    """

    entries: Mapping[tuple[Kind, str], Plugin] = field(default_factory=dict)
    elsewhere: Callable[[Kind, str], Plugin | None] | None = None
    names_elsewhere: Callable[[Kind], Iterable[str]] | None = None

    def __iter__(self) -> Iterator[Plugin]:
        """All, kind by kind."""
        return (one for kind in KINDS for one in self.entries.values() if one.kind == kind)

    def find(self, kind: Kind, name: str) -> Plugin | None:
        """The plug-in of this kind and name, or None.

        Raises:
            PluginError: It is an installed one that cannot be loaded.
        """
        found = self.entries.get((kind, name))
        if found is None and self.elsewhere is not None:
            return self.elsewhere(kind, name)
        return found

    def is_own(self, kind: Kind, name: str) -> bool:
        """Whether it is a plug-in's, and not built in; raises as `find` does."""
        found = self.find(kind, name)
        return found is not None and found.origin is not None

    def names(self, kind: Kind) -> tuple[str, ...]:
        """The names of one kind, built-in ones first and installed ones last."""
        here = [name for of, name in self.entries if of == kind]
        more = self.names_elsewhere(kind) if self.names_elsewhere else ()
        return tuple(dict.fromkeys([*here, *more]))

    def with_plugins(self, more: Iterable[Plugin]) -> "Catalogue":
        """This catalogue and some plug-ins more; nothing is replaced.

        Raises:
            NameTaken: A name of that kind is there already.
        """
        entries = dict(self.entries)
        for one in more:
            known = entries.setdefault((one.kind, one.name), one)
            if known is not one:
                raise NameTaken(
                    f"{_place(one)}: there is a {one.kind} called '{one.name}' already, "
                    f"{_told(known)}: give this one another name"
                )
        return replace(self, entries=entries)


def _place(plugin: Plugin) -> str:
    return plugin.origin.where if plugin.origin else plugin.title


def _told(plugin: Plugin) -> str:
    return f"that of {plugin.origin.where}" if plugin.origin else "a built-in one"
