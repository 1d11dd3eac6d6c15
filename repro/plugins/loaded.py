"""The plug-ins that this process has loaded, and the catalogues of its studies by their names.

A specification of data names a plug-in by its digest. A table is made of an index, which holds no
code: a metric of a plug-in is found here if the user has named the study's file; if not, the table
is made without it.
"""

from collections.abc import Iterable

from repro.plugins.catalogue import Catalogue
from repro.plugins.declared import Kind, Plugin

_PLUGINS: dict[tuple[Kind, str, str], Plugin] = {}  # by kind, name and digest
_OF_STUDIES: dict[str, Catalogue] = {}


def remember(study: str, catalogue: Catalogue) -> None:
    """Keep what a study can name; the last one of a name counts."""
    _OF_STUDIES[study] = catalogue


def metric(study: str, name: str) -> Plugin | None:
    """A metric of a plug-in of a study; None if the study was not loaded, or lacks it."""
    found = _OF_STUDIES.get(study)
    return found.find("metric", name) if found else None


def keep(plugins: Iterable[Plugin]) -> None:
    """Keep what was loaded."""
    for one in plugins:
        if one.origin is not None:
            _PLUGINS[one.kind, one.name, one.origin.digest] = one


def exactly(kind: Kind, name: str, digest: str) -> Plugin | None:
    """A plug-in with these files; None if this process has not loaded it."""
    return _PLUGINS.get((kind, name, digest))
