"""Prepare raw pictures as one file of training images: decoded once, in parallel, in order.

The content of the file depends only on the sources and the seed, not on the number of workers.
"""

import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from repro import __version__
from repro.data import catalogue, crop_workers, h5_writer
from repro.data.pictures import picture_files, picture_formats
from repro.data.pictures.duplicates import Look
from repro.data.pictures.raw_pictures import Picture, Raw
from repro.data.sources import RAW
from repro.errors import DataError
from repro.system.count_progress import counting

UNREADABLE, OUTSIDE = "unreadable", "box outside the picture"  # why a picture is omitted
MOST_OUTSIDE = 0.01  # share of the boxes; more prove that the list belongs to other pictures
SHOWN = 10  # names per message


@dataclass(frozen=True, slots=True)
class Told:
    """The file's description of one of its sources, without its path.

    Attributes:
        kind: As on the command line.
        faces: Number of images with a face.
        left_out: Number of pictures that are not in the file, by reason.
        left_out: Number of pictures that are not in the file, by reason.
        terms: Terms of use of the pictures.
    """

    kind: str
    faces: int
    nonfaces: int
    left_out: dict[str, int]
    terms: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """The result of the preparation.

    Attributes:
        sha256: Hash of images and labels as stored, in hex.
        sources: The file's description of each source.
        problems: What was wrong with each picture that was omitted during cropping.
    """

    sha256: str
    sources: list[Told]
    problems: tuple[str, ...]


@dataclass(slots=True)
class _Cuts:
    """Information collected while the pictures were cropped.

    Attributes:
        looks: Looks of the pictures in the file, in order.
        lost: Why a picture is not in the file, by index.
        problems: What was wrong with each such picture.
    """

    looks: list[Look | None] = field(default_factory=list)
    lost: dict[int, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def prepare(
    sources: Sequence[Raw],
    out: Path,
    *,
    seed: int,
    workers: int,
    unreadable: Literal["stop", "skip"],
) -> Prepared:
    """Crop all pictures to 64 x 64 and write them into one file, source by source.

    Args:
        sources: Sources with and without faces; both must occur.
        out: The file, which must not exist yet.
        seed: Seed with which the sources were read, for the record.
        workers: Number of processes that decode; 1 is this one.
        unreadable: Whether an unreadable picture is an error, or is omitted and reported.

    Raises:
        DataError: One label is missing, a picture cannot be read, boxes are outside their pictures,
            or the file already exists.
        CannotWrite: The disk is full, or the path cannot be written.
    """
    pictures = [picture for source in sources for picture in source.pictures]
    _require_both(pictures)
    if unreadable == "stop":
        _require_there(pictures)
    with h5_writer.Pack(out, room=len(pictures)) as pack:
        cuts = _append(pictures, pack, workers=workers, unreadable=unreadable)
        kept = [picture for index, picture in enumerate(pictures) if index not in cuts.lost]
        _require_both(kept)
        told = _told(sources, cuts.lost)
        decoders = picture_formats.decoders(picture.file for picture in kept)
        sha256 = pack.finish(
            labels=[picture.label for picture in kept],
            names=[picture.name for picture in kept],
            groups=[picture.group for picture in kept],
            looks=cuts.looks,
            remarks={
                "sources": [asdict(source) for source in told],
                "seed": seed,
                "release": __version__,
                **({"decoders": decoders} if decoders else {}),
            },
        )
    return Prepared(sha256, told, tuple(cuts.problems))


def _append(
    pictures: Sequence[Picture],
    pack: h5_writer.Pack,
    *,
    workers: int,
    unreadable: Literal["stop", "skip"],
) -> _Cuts:
    """Crop all pictures and append them."""
    cuts = _Cuts()
    boxes = sum(picture.box is not None for picture in pictures)
    with (
        counting("decoding", len(pictures), unit="pictures") as advance,
        contextlib.closing(crop_workers.batches(pictures, workers=workers)) as batches,
    ):
        for start, cut in batches:
            for index, problem in sorted(cut.failures.items()):
                outside = index in cut.outside
                if not outside and unreadable == "stop":
                    advice = "or pass --skip-unreadable to leave such pictures out"
                    raise DataError(f"{problem}; {advice}")
                cuts.lost[start + index] = OUTSIDE if outside else UNREADABLE
                cuts.problems.append(problem)
            _require_within(cuts, boxes)
            good = [index for index in range(len(cut.images)) if index not in cut.failures]
            pack.append(cut.images[good])
            cuts.looks += [cut.looks[index] for index in good]
            advance(len(cut.images))
    return cuts


def _require_within(cuts: _Cuts, boxes: int) -> None:
    """Reject many boxes outside their pictures: the list must belong to other pictures."""
    outside = [
        p for p, why in zip(cuts.problems, cuts.lost.values(), strict=True) if why == OUTSIDE
    ]
    if outside and len(outside) >= MOST_OUTSIDE * boxes:
        raise DataError(
            f"{outside[0]}: the boxes are not of these pictures. CelebA's boxes are of the "
            "pictures as found; for the aligned ones, 178 x 218, call their folder "
            "img_align_celeba and use celeba-aligned:DIR, which needs no boxes"
        )


def _require_there(pictures: Sequence[Picture]) -> None:
    """Report missing files immediately, before an hour of decoding."""
    files = {picture.file: None for picture in pictures}
    missing = [file for file in files if not file.is_file()]
    if missing:
        shown = ", ".join(picture_files.shown(file) for file in missing[:SHOWN])
        more = ", ..." if len(missing) > SHOWN else ""
        raise DataError(
            f"{len(missing):,} of {len(files):,} pictures are missing: {shown}{more}; copy them, "
            "or pass --skip-unreadable to leave such pictures out"
        )


def _require_both(pictures: Sequence[Picture]) -> None:
    labels = {picture.label for picture in pictures}
    for label, what, example in ((1, "with", "celeba:DIR"), (0, "without", "imagenet:DIR")):
        if label not in labels:
            raise DataError(f"no picture {what} a face; add a source of some, such as {example}")


def _told(sources: Sequence[Raw], lost: Mapping[int, str]) -> list[Told]:
    """The description of each source; pictures are indexed across all sources."""
    terms = catalogue.read()
    told = []
    start = 0
    for source in sources:
        remain = Counter(
            picture.label
            for index, picture in enumerate(source.pictures, start)
            if index not in lost
        )
        why = Counter(
            lost[index] for index in range(start, start + len(source.pictures)) if index in lost
        )
        start += len(source.pictures)
        known = RAW[source.kind]
        told.append(
            Told(
                kind=source.kind,
                faces=remain[1],
                nonfaces=remain[0],
                left_out={**source.left_out, **why},
                terms=known.terms if known.catalogued is None else terms[known.catalogued].terms,
            )
        )
    return told
