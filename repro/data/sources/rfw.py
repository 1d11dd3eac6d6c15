"""RFW, Racial Faces in the Wild (Wang 2019): aligned face crops of four groups.

Pictures are in ``test/data/African/m.0abc/m.0abc_0001.jpg``. A few identifiers occur in two groups,
so that a person is a group and an identifier. ``test_aligned`` is somebody's derivative.
"""

from collections.abc import Mapping
from pathlib import Path

from repro.data.pictures import person_folders
from repro.data.pictures.collection import FACE
from repro.data.pictures.content_digest import NamedFiles
from repro.data.pictures.images import Photographs
from repro.data.pictures.picture_table import PERSON
from repro.data.sources.source_registry import Reader, reads
from repro.errors import DataError
from repro.study.data_spec import Rfw

FOLDERS = {name: name.lower() for name in ("African", "Asian", "Caucasian", "Indian")}
PLACES = ("test/data", "data", ".")  # of the groups' folders; others are not searched


def root_of(path: Path) -> Path | None:
    """The folder that holds the groups' folders; None if there is none."""
    for place in PLACES:
        if any((path / place / name).is_dir() for name in FOLDERS):
            return path / place
    return None


def _root(spec: Rfw) -> Path:
    root = root_of(Path(spec.path))
    if root is None:
        raise DataError(
            f"{spec.path}: no folders {', '.join(FOLDERS)} in it, in data/ or in test/data/"
        )
    return root


@reads(Rfw)
class RfwReader(Reader[Rfw]):
    """RFW as test portraits."""

    kind = "rfw"
    rank = 1
    label = FACE
    cluster = PERSON

    def open(self, spec: Rfw) -> Photographs:
        """The crops with their groups: ``african``, ``asian``, ``caucasian``, ``indian``."""
        return person_folders.photographs(_root(spec), FOLDERS)

    def attributes(self, spec: Rfw) -> Mapping[str, tuple[str, ...]]:
        """The person, with its group."""
        return {PERSON: person_folders.persons(person_folders.names(_root(spec), FOLDERS))}

    def are_crops(self, spec: Rfw) -> bool:
        """All are."""
        return True

    def files(self, spec: Rfw) -> NamedFiles:
        """The crops."""
        return person_folders.files(_root(spec), FOLDERS)

    def remarks(self, spec: Rfw) -> tuple[str, ...]:
        """Groups that are not there, and files that are not read."""
        return person_folders.remarks(Path(spec.path), _root(spec), FOLDERS)

    def fits(self, path: Path) -> bool:
        """Whether there are folders of its groups, and in them folders of persons."""
        return person_folders.fits(root_of(path), FOLDERS)
