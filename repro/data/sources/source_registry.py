"""The registry of sources: how each is opened, identified by content, and recognised.

A source is a module of this package. The package imports all of them, and each registers its
readers with `reads` (for studies and ``repro data info``) or `prepares` (for ``repro data
prepare``), so that no list of sources is needed.
"""

import difflib
from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from repro.data.pictures import content_digest, picture_files
from repro.data.pictures.collection import Collection
from repro.data.pictures.content_digest import NamedFiles
from repro.data.pictures.images import Photographs, TrainingImages
from repro.data.pictures.raw_pictures import Raw
from repro.data.synthetic import scenes
from repro.errors import DataError
from repro.study.section import Section

Spec = TypeVar("Spec", bound=Section)
CLOSE = 0.5  # similarity of `difflib` from which another name is proposed
OWN = "not stated; pictures of your own"


class Reader(ABC, Generic[Spec]):
    """Reads one kind of source, described by its specification in a study file.

    The defaults suit a folder of pictures, so that such a source needs little code::

        @reads(Folder)
        class FolderReader(Reader[Folder]):
            kind = "folder"

            def open(self, spec: Folder) -> Photographs:
                return picture_files.read(Path(spec.path))

    Attributes:
        spec_type: The specification, set by `reads`.
        kind: Its name for ``repro data info --as``; "" if that command does not support it.
        rank: Layouts are tried by increasing rank: the most reliably recognised comes first.
        label: Label of all its pictures: ``face``, ``no face``, or "" if the layout does not say.
        unique_names: Whether two files with one name are the same picture, whatever their bytes.
        cluster: The column of `attributes` that names the person of a portrait; "" if each portrait
            is taken to be of another person.
        tone: The column of `attributes` that is a scale of skin tone, in numbers; "" if none is.
        may_be_shown: Whether a report or a contact sheet may show its pictures; not where they can
            be withdrawn.
    """

    spec_type: type[Spec]
    kind: ClassVar[str] = ""
    rank: ClassVar[int] = 0
    label: ClassVar[str] = ""
    unique_names: ClassVar[bool] = False
    cluster: ClassVar[str] = ""
    tone: ClassVar[str] = ""
    may_be_shown: ClassVar[bool] = True

    @abstractmethod
    def open(self, spec: Spec) -> Photographs | TrainingImages:
        """The pictures.

        Raises:
            DataError: The source is missing or damaged.
        """

    def groups(self, spec: Spec) -> tuple[str, ...]:
        """The group of each photograph, "" if unknown; no picture is decoded or drawn.

        Raises:
            DataError: The source is missing or damaged, or its pictures are to train on.
        """
        found = self.open(spec)
        if isinstance(found, TrainingImages):
            raise DataError(f"{spec}: training pictures have no groups")
        return found.groups

    def attributes(self, spec: Spec) -> Mapping[str, tuple[str, ...]]:
        """What the source tells of its test portraits; no picture is decoded or drawn.

        Returns:
            Text by column, as the source writes the column's name: one value a portrait, in the
            order of the names of `open`; "" if the source does not say. Empty by default.

        Raises:
            DataError: The source is missing or damaged.
        """
        return {}

    def are_crops(self, spec: Spec) -> bool:
        """Whether each portrait is a crop that one face fills, without surroundings."""
        return False

    def edition(self, spec: Spec) -> str:
        """What a caption says of the copy beside its name, such as its version; "" if nothing.

        Raises:
            DataError: The source is missing or damaged.
        """
        return ""

    def withdrawn(self, spec: Spec) -> tuple[str, ...]:
        """Names of the portraits that the source lists, but whose pictures are gone.

        Raises:
            DataError: The source is missing or damaged.
        """
        return ()

    def training_groups(self, spec: Spec) -> tuple[str, ...] | None:
        """The group of each image to train on, as in `TrainingImages`, without its pictures.

        Raises:
            DataError: The source is missing or damaged, or its pictures are not to train on.
        """
        return self._to_train_on(spec).groups

    def labels(self, spec: Spec) -> NDArray[np.bool_]:
        """Which of the images to train on shows a face, shape (N,).

        Raises:
            DataError: The source is missing or damaged, or its pictures are not to train on.
        """
        return self._to_train_on(spec).is_face

    def _to_train_on(self, spec: Spec) -> TrainingImages:
        found = self.open(spec)
        if isinstance(found, Photographs):
            raise DataError(f"{spec}: these pictures are not training images")
        return found

    def files(self, spec: Spec) -> NamedFiles | None:
        """All files on which its content depends, by relative name; None if it is synthetic.

        Raises:
            DataError: There is no such file or folder, or it has no picture.
        """
        return content_digest.tree(_path(spec))

    def content(self, spec: Spec) -> str:
        """What names the content of a source without files."""
        return scenes.VERSION

    def remarks(self, spec: Spec) -> tuple[str, ...]:
        """What is omitted or assumed, a sentence each."""
        return picture_files.remarks(_path(spec))

    def left_out(self, spec: Spec) -> tuple[tuple[str, ...], int]:
        """Names of pictures omitted because they lack a label, and the number of all pictures."""
        return (), 0

    def fits(self, path: Path) -> bool:
        """Whether the file or folder has this layout."""
        return False

    def look(self, path: Path, groups: tuple[str, ...]) -> Collection:
        """The pictures of a path for inspection, whatever a study would use.

        Args:
            path: A file or a folder that `fits`.
            groups: Columns that make the groups; if none, the default of studies.

        Raises:
            DataError: The source is missing or damaged.
        """
        spec = self.specification(path, groups)
        found = self.open(spec)
        assert isinstance(found, Photographs)
        return self.collection(path, found, self.remarks(spec), self.left_out(spec)[0])

    def specification(self, path: Path, groups: tuple[str, ...], **others: Any) -> Spec:
        """The specification of a path, with defaults for fields that are not given."""
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
        """Photographs of one path for inspection."""
        labels = (self.label,) * len(found)
        return Collection(
            *(path, self.kind, found.names, labels, found.groups, found.read),
            left_out=left_out,
            remarks=remarks,
            files=found.files,
            may_be_shown=self.may_be_shown,
        )


def _path(spec: Section) -> Path:
    return Path(spec.path)  # type: ignore[attr-defined]  # all that are read from files have one


@dataclass(frozen=True, slots=True)
class RawOptions:
    """Options of ``repro data prepare`` that apply to sources.

    Attributes:
        part: Part of CelebA's or FairFace's own partition.
        without: Classes of ImageNet to exclude.
        seed: Seed of random crops.
        groups: Columns that make the groups of faces; if none, the default of each source.
    """

    part: Literal["train", "all"]
    without: Container[str]
    seed: int
    groups: tuple[str, ...] = ()


def require_columns(asked: Sequence[str], known: Sequence[str], source: Path) -> None:
    """Reject a column that is to make groups and that a source of faces does not have.

    Args:
        asked: Names of columns.
        known: Those that the source has.
        source: Its path, for the message.

    Raises:
        DataError: Names the first such column, and the known ones.
    """
    for name in asked:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1, cutoff=CLOSE)
            hint = f". Did you mean {close[0]!r}?" if close else ""
            raise DataError(
                f"{source}: no column {picture_files.shown(name)[:100]!r} to make groups of; "
                f"it has {', '.join(known) or 'none'}{hint}"
            )


RawReader = Callable[[Path, RawOptions], Raw]


@dataclass(frozen=True, slots=True)
class RawSource:
    """A kind of source for ``repro data prepare``.

    Attributes:
        read: Function that opens it.
        catalogued: Its name in the catalogue, which has its terms; None if it is not there.
        terms: Terms of use of a source that is not in the catalogue.
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
