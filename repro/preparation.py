"""Raw pictures -> one file of training images: decoded once, in parallel, in a fixed order.

What the file holds hangs on the sources and the seed alone, not on the number of workers.
"""

import contextlib
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from repro import __version__, cutting, packing
from repro.counter import counting
from repro.data import catalogue, formats, raw_sources
from repro.data.raw import Picture, Raw
from repro.errors import DataError


@dataclass(frozen=True, slots=True)
class Told:
    """What the file says of one of its sources; the place is no part of it.

    Attributes:
        kind: As on the command line.
        faces: Number of images with a face.
        nonfaces: Number of images without one.
        left_out: Number of pictures that are not in the file, by reason.
        terms: Of the pictures' use.
    """

    kind: str
    faces: int
    nonfaces: int
    left_out: dict[str, int]
    terms: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was written.

    Attributes:
        sha256: Of images and labels as stored, in hex.
        sources: What the file says of each.
        unreadable: What was wrong with pictures that were skipped.
    """

    sha256: str
    sources: list[Told]
    unreadable: tuple[str, ...]


def prepare(
    sources: Sequence[Raw],
    out: Path,
    *,
    seed: int,
    workers: int,
    unreadable: Literal["stop", "skip"],
) -> Prepared:
    """Cut all pictures to 64 x 64 and write them into one file, source by source.

    Args:
        sources: With a face and without; both must occur.
        out: The file, which must not be there yet.
        seed: With which the sources were read; it is written down.
        workers: Processes that decode; 1 is this one.
        unreadable: Whether a picture that cannot be read ends it all, or is left out and told.

    Raises:
        DataError: One label is missing, a picture cannot be read, or the file is there already.
        CannotWrite: The disk is full, or the place cannot be written.
    """
    pictures = [picture for source in sources for picture in source.pictures]
    _require_both(pictures)
    with packing.Pack(out, room=len(pictures)) as pack:
        lost = _append(pictures, pack, workers=workers, unreadable=unreadable)
        kept = [picture for index, picture in enumerate(pictures) if index not in lost]
        _require_both(kept)
        told = _told(sources, lost)
        decoders = formats.decoders(picture.file for picture in kept)
        sha256 = pack.finish(
            labels=[picture.label for picture in kept],
            names=[picture.name for picture in kept],
            groups=[picture.group for picture in kept],
            remarks={
                "sources": [asdict(source) for source in told],
                "seed": seed,
                "release": __version__,
                **({"decoders": decoders} if decoders else {}),
            },
        )
    return Prepared(sha256, told, tuple(lost.values()))


def _append(
    pictures: Sequence[Picture],
    pack: packing.Pack,
    *,
    workers: int,
    unreadable: Literal["stop", "skip"],
) -> dict[int, str]:
    """Cut all pictures and append them; what is wrong with those that were skipped, by index."""
    lost: dict[int, str] = {}
    with (
        counting("decoding", len(pictures), unit="pictures") as advance,
        contextlib.closing(cutting.batches(pictures, workers=workers)) as batches,
    ):
        for start, cut in batches:
            if cut.failures and unreadable == "stop":
                first = cut.failures[min(cut.failures)]
                raise DataError(f"{first}; or pass --skip-unreadable to leave such pictures out")
            lost |= {start + index: problem for index, problem in cut.failures.items()}
            good = [index for index in range(len(cut.images)) if index not in cut.failures]
            pack.append(cut.images[good])
            advance(len(cut.images))
    return lost


def _require_both(pictures: Sequence[Picture]) -> None:
    labels = {picture.label for picture in pictures}
    for label, what, example in ((1, "with", "celeba:DIR"), (0, "without", "imagenet:DIR")):
        if label not in labels:
            raise DataError(f"no picture {what} a face; add a source of some, as {example}")


def _told(sources: Sequence[Raw], lost: Collection[int]) -> list[Told]:
    """What is said of each source, where pictures are counted on through all of them."""
    terms = catalogue.read()
    told = []
    start = 0
    for source in sources:
        remain = Counter(
            picture.label
            for index, picture in enumerate(source.pictures, start)
            if index not in lost
        )
        start += len(source.pictures)
        unread = len(source.pictures) - remain.total()
        entry = raw_sources.KINDS[source.kind]
        own = raw_sources.OF_A_FILE if source.kind == "mit_h5" else raw_sources.OWN
        told.append(
            Told(
                kind=source.kind,
                faces=remain[1],
                nonfaces=remain[0],
                left_out={**source.left_out, **({"unreadable": unread} if unread else {})},
                terms=own if entry is None else terms[entry].terms,
            )
        )
    return told
