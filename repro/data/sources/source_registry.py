"""The registry of sources: how each is opened, named by content, and recognised.

A source is a module of this package. The package imports all of them, and each registers what it
has with `reads` (for a study and for ``repro data info``) or `prepares` (for ``repro data
prepare``), so that no list of sources has to be kept.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar, cast

from repro.data.pictures import content_digest, picture_files
from repro.data.pictures.collection import Collection
from repro.data.pictures.content_digest import NamedFiles
from repro.data.pictures.images import Photographs, TrainingImages
from repro.data.pictures.raw_pictures import Raw
from repro.study.section import Section

Spec = TypeVar("Spec", bound=Section)
OWN = "not stated; pictures of your own"


class Reader(ABC, Generic[Spec]):
    """Reads one kind of source; made for the specification that a study file has of it.

    The defaults suit a folder of pictures, so that such a source needs little::

        @reads(Folder)
        class FolderReader(Reader[Folder]):
            kind = "folder"

            def open(self, spec: Folder) -> Photographs:
                return picture_files.read(Path(spec.path))

    Attributes:
        spec_type: The specification, set by `reads`.
        kind: What ``repro data info --as`` calls it; "" if that does not show it.
        rank: Layouts are tried in the rising order of it: the surest sign comes first.
        label: Of all its pictures: ``face``, ``no face``, or "" where the layout does not say.
        unique_names: Whether two files of one name are the same picture, whatever their bytes.
    """

    spec_type: type[Spec]
    kind: ClassVar[str] = ""
    rank: ClassVar[int] = 0
    label: ClassVar[str] = ""
    unique_names: ClassVar[bool] = False

    @abstractmethod
    def open(self, spec: Spec) -> Photographs | TrainingImages:
        """The pictures.

        Raises:
            DataError: The source is missing or damaged.
        """

    def files(self, spec: Spec) -> NamedFiles | None:
        """All files that its content hangs on, by relative name; None if it is drawn.

        Raises:
            DataError: There is no such file or folder, or no picture in it.
        """
        return content_digest.tree(_path(spec))

    def remarks(self, spec: Spec) -> tuple[str, ...]:
        """What is left out or taken for granted, a sentence each."""
        return picture_files.remarks(_path(spec))

    def left_out(self, spec: Spec) -> tuple[tuple[str, ...], int]:
        """Names of pictures that are not read as their names lack a label, and of how many."""
        return (), 0

    def fits(self, path: Path) -> bool:
        """Whether the file or folder has this layout."""
        return False

    def look(self, path: Path, groups: tuple[str, ...]) -> Collection:
        """The pictures of a place, whatever a study would make of them.

        Args:
            path: A file or a folder that `fits`.
            groups: Columns that make the groups; the default of a study, if none.

        Raises:
            DataError: The source is missing or damaged.
        """
        spec = self.specification(path, groups)
        found = self.open(spec)
        assert isinstance(found, Photographs)
        return self.collection(path, found, self.remarks(spec), self.left_out(spec)[0])

    def specification(self, path: Path, groups: tuple[str, ...], **others: Any) -> Spec:
        """What a study file would say of a place, with defaults for what is not said."""
        if groups and "groups" in self.spec_type.model_fields:
            others["groups"] = groups
        values: dict[str, Any] = {"path": str(path), **others}
        return cast(Spec, self.spec_type.model_construct(**values))

    def collection(
        self,
        path: Path,
        found: Photographs,
        remarks: tuple[str, ...] = (),
        left_out: tuple[str, ...] = (),
    ) -> Collection:
        """Photographs of one place to look at."""
        labels = (self.label,) * len(found)
        return Collection(
            *(path, self.kind, found.names, labels, found.groups, found.read),
            left_out=left_out,
            remarks=remarks,
            files=found.files,
        )


def _path(spec: Section) -> Path:
    return Path(spec.path)  # type: ignore[attr-defined]  # all that are read from files have one


@dataclass(frozen=True, slots=True)
class RawOptions:
    """What ``repro data prepare`` was told beside the sources.

    Attributes:
        part: Part of CelebA's own partition.
        without: Classes of ImageNet to leave out.
        seed: Of random crops.
    """

    part: Literal["train", "all"]
    without: Container[str]
    seed: int


RawReader = Callable[[Path, RawOptions], Raw]


@dataclass(frozen=True, slots=True)
class RawSource:
    """What ``repro data prepare`` knows of a kind of source.

    Attributes:
        read: Opens it.
        catalogued: Its name in the catalogue, where its terms stand; None if it is not there.
        terms: Of what is not in the catalogue.
    """

    read: RawReader
    catalogued: str | None
    terms: str


READERS: dict[type[Section], Reader[Any]] = {}  # by the specification's class
RAW: dict[str, RawSource] = {}  # by the word before the colon


def reads(spec_type: type[Spec]) -> Callable[[type[Reader[Spec]]], type[Reader[Spec]]]:
    """Register a reader for a specification."""

    def register(reader: type[Reader[Spec]]) -> type[Reader[Spec]]:
        reader.spec_type = spec_type
        READERS[spec_type] = reader()
        return reader

    return register


def prepares(
    kind: str, *, catalogued: str | None = None, terms: str = OWN
) -> Callable[[RawReader], RawReader]:
    """Register a function that opens ``KIND:PATH`` of ``repro data prepare``."""

    def register(read: RawReader) -> RawReader:
        RAW[kind] = RawSource(read, catalogued, terms)
        return read

    return register
