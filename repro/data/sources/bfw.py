"""BFW, Balanced Faces in the Wild (Robinson 2020): aligned face crops of 800 persons.

Pictures are in ``white_females/n000001/0003_01.jpg``; the archives have more folders around these.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from repro.data.pictures import person_folders
from repro.data.pictures.collection import FACE
from repro.data.pictures.content_digest import NamedFiles
from repro.data.pictures.images import Photographs
from repro.data.pictures.picture_table import PERSON
from repro.data.sources.source_registry import Reader, reads
from repro.errors import DataError
from repro.study.data_spec import Bfw

RACES = ("asian", "black", "indian", "white")
GENDERS = {"females": "female", "males": "male"}
FOLDERS = {
    f"{race}_{folder}": f"{race}_{gender}" for race in RACES for folder, gender in GENDERS.items()
}
COLUMNS = ("race", "gender")  # of which a group's name is made


def root_of(path: Path) -> Path:
    """The folder that holds the groups' folders.

    Raises:
        DataError: There is none, or there are two.
    """
    root = person_folders.root_of(path, FOLDERS)
    if root is None:
        raise DataError(f"{path}: no folder of BFW's groups in it, such as {min(FOLDERS)}/n000009/")
    return root


@reads(Bfw)
class BfwReader(Reader[Bfw]):
    """BFW as test portraits."""

    kind = "bfw"
    rank = 1
    label = FACE
    cluster = PERSON

    def open(self, spec: Bfw) -> Photographs:
        """The crops with their groups: ``white_female``, or one half of it."""
        found = person_folders.photographs(root_of(Path(spec.path)), FOLDERS)
        parts = (dict(zip(COLUMNS, group.split("_"), strict=True)) for group in found.groups)
        return replace(found, groups=tuple("_".join(one[c] for c in spec.groups) for one in parts))

    def attributes(self, spec: Bfw) -> Mapping[str, tuple[str, ...]]:
        """The person, with its group; race and gender, of the folder."""
        found = person_folders.photographs(root_of(Path(spec.path)), FOLDERS)
        parts = [group.split("_") for group in found.groups]
        told = {column: tuple(one[at] for one in parts) for at, column in enumerate(COLUMNS)}
        return {PERSON: person_folders.persons(found.names), **told}

    def are_crops(self, spec: Bfw) -> bool:
        """All are."""
        return True

    def files(self, spec: Bfw) -> NamedFiles:
        """The crops."""
        return person_folders.files(root_of(Path(spec.path)), FOLDERS)

    def remarks(self, spec: Bfw) -> tuple[str, ...]:
        """Groups that are not there, and files that are not read."""
        path = Path(spec.path)
        return person_folders.remarks(path, root_of(path), FOLDERS)

    def fits(self, path: Path) -> bool:
        """Whether there are folders of its groups, and in them folders of persons."""
        try:
            return person_folders.fits(person_folders.root_of(path, FOLDERS), FOLDERS)
        except DataError:  # two such folders, of which one must be named
            return True
