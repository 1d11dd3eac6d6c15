"""From a word on the command line to pictures for training: ``KIND:PATH``."""

import difflib
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from repro.data import celeba, imagenet, labels_csv, mit_h5, raw_pictures
from repro.data.raw_pictures import Picture, Raw
from repro.errors import DataError

# By kind: where its terms stand in the catalogue; None for pictures of the user's own.
KINDS: Mapping[str, str | None] = {
    "celeba": "celeba",
    "celeba-aligned": "celeba",
    "imagenet": "imagenet",
    "faces": None,
    "nonfaces": None,
    "csv": None,
    "mit_h5": None,
}
OWN = "not stated; pictures of your own"
OF_A_FILE = "those of the sources of that file"


def read(word: str, *, part: Literal["train", "all"], without: Collection[str], seed: int) -> Raw:
    """The pictures of a source.

    Args:
        word: ``KIND:PATH``, as in ``celeba:DIR``.
        part: Part of CelebA's own partition.
        without: Classes of ImageNet to leave out.
        seed: Of random crops.

    Raises:
        DataError: The kind is unknown, or the source is missing or damaged.
    """
    kind, colon, place = word.partition(":")
    if not colon or not place or kind not in KINDS:
        close = difflib.get_close_matches(kind, KINDS, n=1)
        hint = f" Did you mean {close[0]}:?" if close and kind not in KINDS else ""
        known = ", ".join(f"{name}:PATH" for name in KINDS)
        raise DataError(f"{word!r} is not a source; sources are {known}.{hint}")
    path = Path(place)
    readers: dict[str, Callable[[], Raw]] = {
        "celeba": lambda: celeba.read(path, framing="box", part=part),
        "celeba-aligned": lambda: celeba.read(path, framing="aligned", part=part),
        "imagenet": lambda: imagenet.read(path, without=without, seed=seed),
        "faces": lambda: raw_pictures.plain(path, "faces", 1),
        "nonfaces": lambda: raw_pictures.plain(path, "nonfaces", 0),
        "csv": lambda: _csv(path),
        "mit_h5": lambda: _mit_h5(path),
    }
    return readers[kind]()


def limited(source: Raw, most: int | None, *, seed: int) -> Raw:
    """At most so many of a source's pictures, drawn at random, in their old order."""
    count = len(source.pictures)
    if most is None or count <= most:
        return source
    chosen = np.sort(np.random.default_rng((seed, count)).choice(count, most, replace=False))
    pictures = tuple(source.pictures[index] for index in chosen)
    left_out = {**source.left_out, "beyond the limit": count - most}
    return replace(source, pictures=pictures, left_out=left_out)


def _csv(path: Path) -> Raw:
    pictures = tuple(
        Picture(path.parent / row.name, row.name, row.label, row.group)
        for row in labels_csv.entries(path)
    )
    return Raw("csv", pictures, remarks=labels_csv.remarks(path))


def _mit_h5(path: Path) -> Raw:
    labels = mit_h5.labels(path)
    names = mit_h5.texts(path, "names") or tuple(f"image {row}" for row in range(len(labels)))
    looks = mit_h5.source_looks(path) or (None,) * len(labels)
    rows_of = enumerate(zip(names, labels, looks, strict=True))
    pictures = (
        Picture(path, name, label, row=row, look=look) for row, (name, label, look) in rows_of
    )
    return Raw("mit_h5", tuple(pictures))
