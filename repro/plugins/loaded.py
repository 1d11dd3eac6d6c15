"""The catalogues of the studies that this process has loaded, by the name of the study.

A table is made of an index, which holds no code. A metric of a plug-in is found here if the user
has named the study's file; if not, the table is made without it.
"""

from repro.plugins.catalogue import Catalogue
from repro.plugins.declared import Plugin

_OF_STUDIES: dict[str, Catalogue] = {}


def remember(study: str, catalogue: Catalogue) -> None:
    """Keep what a study can name; the last one of a name counts."""
    _OF_STUDIES[study] = catalogue


def metric(study: str, name: str) -> Plugin | None:
    """A metric of a plug-in of a study; None if the study was not loaded, or lacks it."""
    found = _OF_STUDIES.get(study)
    return found.find("metric", name) if found else None
