"""Open the source of a specification, compute the digest of its content, and check it in advance.

Each module here is a source, or a kind of raw pictures; `source_registry` lists all of them.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from repro.data.pictures import content_digest, picture_formats
from repro.data.pictures.images import Material, Photographs, Pixels, TrainingImages
from repro.data.sources.source_registry import RAW, READERS, Reader
from repro.study.data_spec import Data, Source
from repro.study.section import digest
from repro.system import file_digests, private, shared_objects
from repro.system.file_digests import Contents

__all__ = [
    "RAW",
    "READERS",
    "Keeper",
    "attributes",
    "contents",
    "crops",
    "describe",
    "drawn",
    "fingerprint",
    "fingerprints",
    "groups",
    "keeper",
    "labels",
    "material",
    "nonface_photographs",
    "portraits",
    "read",
    "reader",
    "remarks",
    "training_groups",
    "training_images",
    "withdrawn",
]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")


def reader(spec: Source) -> Reader[Any]:
    """The reader of a specification's source."""
    return READERS[type(spec)]


def material(data: Data) -> Material:
    """All data that the runs of a study need.

    Raises:
        DataError: A source is missing or damaged.
    """
    return keeper()(data)


def keeper() -> "Keeper":
    """`material` that keeps what it read last in each role.

    So arms that differ in one role share the pictures of the others, and no two are held at once.
    """
    kept: dict[str, tuple[Source, tuple[Any, Contents]]] = {}

    def material(
        data: Data,
        shared: Mapping[str, Path] | None = None,
        waits: Callable[[], None] = lambda: None,
    ) -> Material:
        parts, files = data.parts, shared or {}
        new = {role: spec for role, spec in parts.items() if kept.get(role, (None,))[0] != spec}
        for role in {*new, *(kept.keys() - parts.keys())}:
            kept.pop(role, None)
        wanted = {role: (files.get(role), partial(read, spec)) for role, spec in new.items()}
        for role, one in shared_objects.all_of(wanted, waits).items():
            kept[role] = new[role], one
        found = {role: kept[role][1] for role in parts}
        named = {"test": "portraits", "nonfaces": "nonfaces", "crops": "crops"}
        return Material(
            found["train"][0],
            {name: found[role][0] for role, name in named.items() if role in found},
            {role: held for role, (_, held) in found.items()},
        )

    return material


class Keeper(Protocol):
    """What `keeper` returns."""

    def __call__(
        self,
        data: Data,
        shared: Mapping[str, Path] | None = None,
        waits: Callable[[], None] = lambda: None,
    ) -> Material:
        """All data that the runs of a study need.

        Args:
            data: Of the study.
            shared: Files of a `shared_objects.Shelf`, by role: one process makes such a part.
            waits: Called about every second while another process makes one.

        Raises:
            DataError: A source is missing or damaged.
        """


def drawn(data: Data, digests: Mapping[str, str]) -> dict[str, str]:
    """A name for each part that is drawn, and not read from files, by role: equal if it is equal.

    Args:
        data: Of a run.
        digests: Of the content of each part.
    """
    made = [role for role, one in data.parts.items() if one.source == "synthetic"]
    return {role: f"{role}/{digests[role]}" for role in made if role in digests}


def read(spec: Source) -> tuple[TrainingImages | Photographs, Contents]:
    """The pictures of a source, and what it held as they were read.

    Every byte comes from a file with the digest in the contents; so does every photograph, whenever
    it is read.

    Raises:
        DataError: The source is missing or damaged, or changes meanwhile.
    """
    with file_digests.as_read() as seen:
        found = reader(spec).open(spec)
    held = contents(spec)
    known = {file.path: file.sha256 for file in held.files.values()}
    content_digest.require_read(seen, known)
    if isinstance(found, Photographs) and found.files:
        found = replace(found, read=_digested(found.read, known))
    return found, held


def _digested(
    read_one: Callable[[int], Pixels], known: Mapping[Path, bytes]
) -> Callable[[int], Pixels]:
    """The same reader, which refuses a picture whose bytes have another digest than is known."""

    def checked(index: int) -> Pixels:
        with file_digests.as_read() as seen:
            pixels = read_one(index)
        content_digest.require_read(seen, known)
        return pixels

    return checked


def training_images(spec: Source) -> TrainingImages:
    """The crops to train on.

    Raises:
        DataError: The source is missing or damaged.
    """
    found = reader(spec).open(spec)
    assert isinstance(found, TrainingImages)
    return found


def portraits(spec: Source) -> Photographs:
    """The test pictures, each with a face and a group.

    Raises:
        DataError: The source is missing or damaged.
    """
    return _photographs(spec)


def nonface_photographs(spec: Source) -> Photographs:
    """The test pictures without a face.

    Raises:
        DataError: The source is missing or damaged.
    """
    return _photographs(spec)


def crops(spec: Source) -> Photographs:
    """Face crops by group, (64, 64, 3) each: the lab averages a network's outputs for them.

    Raises:
        DataError: The source is missing or damaged.
    """
    return _photographs(spec)


def _photographs(spec: Source) -> Photographs:
    found = reader(spec).open(spec)
    assert isinstance(found, Photographs)
    return found


def labels(spec: Source) -> NDArray[np.bool_]:
    """Which of the images to train on shows a face, shape (N,), without decoding or drawing them.

    Raises:
        DataError: The source is missing or damaged.
    """
    return reader(spec).labels(spec)


def training_groups(spec: Source) -> tuple[str, ...] | None:
    """The group of each image to train on, without decoding or drawing them.

    Returns:
        One per image, "" for non-faces and where it is unknown; None if the source has no groups.

    Raises:
        DataError: The source is missing or damaged.
    """
    return reader(spec).training_groups(spec)


def groups(spec: Source) -> tuple[str, ...]:
    """The group of each photograph, "" if it has none, without decoding or drawing pictures.

    Raises:
        DataError: The source is missing or damaged.
    """
    return reader(spec).groups(spec)


def attributes(spec: Source) -> Mapping[str, tuple[str, ...]]:
    """What a source tells of its test portraits, by column: one text a portrait, in their order.

    Raises:
        DataError: The source is missing or damaged.
    """
    return reader(spec).attributes(spec)


def withdrawn(spec: Source) -> tuple[str, ...]:
    """Names of the portraits that a source lists, but whose pictures are gone.

    Raises:
        DataError: The source is missing or damaged.
    """
    return reader(spec).withdrawn(spec)


def fingerprints(data: Data) -> dict[str, str]:
    """Twelve hex digits for the content of each part: equal content has equal digests.

    A generated source is named by its parameters and the version of its generator.

    Raises:
        DataError: A source is missing.
    """
    return {role: fingerprint(spec) for role, spec in data.parts.items()}


def fingerprint(spec: Source) -> str:
    """Twelve hex digits for the content of one part, and for decoders other than Pillow."""
    return contents(spec).fingerprint


def contents(spec: Source) -> Contents:
    """What a source holds: all its files with their digests, and its fingerprint.

    Raises:
        DataError: The source is missing.
    """
    choices = spec.model_dump(mode="json", exclude={"path", "digest"})
    named = reader(spec).files(spec)
    files = content_digest.of_files(named or ())
    content = reader(spec).content(spec) if named is None else content_digest.content(files)
    decoders = picture_formats.decoders(file for _, file in named or ())
    return Contents(digest([choices, content, *decoders])[:12], files)


def remarks(data: Data) -> list[str]:
    """What is omitted from the data or assumed about them, a sentence each.

    Raises:
        DataError: A source is missing.
    """
    return list(
        dict.fromkeys(line for spec in data.parts.values() for line in reader(spec).remarks(spec))
    )


def describe(data: Data) -> str:
    """For captions: the sources, with the last part of their paths, and their editions."""
    names = {
        role: Path(private.without_secrets(spec.path)).name
        if hasattr(spec, "path")
        else spec.source
        for role, spec in data.parts.items()
    }
    lacking = "" if data.nonfaces else ", no photographs without a face"
    if set(names.values()) == {"synthetic"}:
        return f"embedded synthetic data{lacking}"
    editions = {role: reader(spec).edition(spec) for role, spec in data.parts.items()}
    told = (f"{role} {name}{_in_brackets(editions[role])}" for role, name in names.items())
    return f"{', '.join(told)}{lacking}"


def _in_brackets(text: str) -> str:
    return text and f" ({text})"
