"""Everything that a study can name: what is built in, and what its plug-ins add."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from repro.errors import ReproError
from repro.plugins.declared import KINDS, Kind, Plugin


class NameTaken(ReproError):
    """Two plug-ins of one kind have the same name."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Plug-ins by kind and name.

    Attributes:
        entries: (kind, name) -> plug-in, in the order in which they were added.
    """

    entries: Mapping[tuple[Kind, str], Plugin] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Plugin]:
        """All, kind by kind."""
        return (one for kind in KINDS for one in self.entries.values() if one.kind == kind)

    def find(self, kind: Kind, name: str) -> Plugin | None:
        """The plug-in of this kind and name, or None."""
        return self.entries.get((kind, name))

    def names(self, kind: Kind) -> tuple[str, ...]:
        """The names of one kind, built-in ones first."""
        return tuple(name for of, name in self.entries if of == kind)

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
        return Catalogue(entries)


def _place(plugin: Plugin) -> str:
    return plugin.origin.where if plugin.origin else plugin.title


def _told(plugin: Plugin) -> str:
    return f"that of {plugin.origin.where}" if plugin.origin else "a built-in one"
