"""Inspect data sets: counts, channel means, and unfit, duplicate and leaked pictures.

Within a data set pictures are compared by a digest of their decoded pixels. Between two data sets,
they are compared by all their looks: see `duplicates`. An image of an HDF5 file has the look of its
pixels and, if `repro data prepare` wrote it, of its source picture; any other picture has those of
its file, of its pixels and of its middle square.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from repro.data.pictures import duplicates, picture_files
from repro.data.pictures.collection import Collection
from repro.data.pictures.duplicates import Look, Looks, Match
from repro.data.pictures.images import Pixels
from repro.errors import DataError
from repro.system.count_progress import counting

CONSTANT = 4.0  # standard deviation of all values, 0 to 255, below which a picture is blank


@dataclass(frozen=True, slots=True)
class Survey:
    """The findings about a data set.

    Attributes:
        collection: The data set.
        labels: Number of pictures by label.
        groups: Number of pictures by group.
        means: Means of red, green and blue, 0 to 255, over all pixels; NaN without pictures.
        sizes: Smallest and largest width and height.
        constant: Indices of almost blank pictures.
        unreadable: Error message of each unreadable picture, by index.
        digests: Digest of each readable picture's pixels, by index.
        looks: All looks of the readable pictures.
    """

    collection: Collection
    labels: Counter[str]
    groups: Counter[str]
    means: tuple[float, float, float]
    sizes: tuple[tuple[int, int], tuple[int, int]]
    constant: tuple[int, ...]
    unreadable: dict[int, str]
    digests: dict[int, bytes]
    looks: Looks

    @property
    def doubles(self) -> list[tuple[int, ...]]:
        """Indices of pictures with equal pixels."""
        return [same for same in _by_digest(self.digests).values() if len(same) > 1]


def survey(collection: Collection) -> Survey:
    """Decode every picture once and collect its properties."""
    constant, unreadable, digests = [], {}, {}
    looks: list[tuple[int, Look]] = []
    total, pixels = np.zeros(3), 0
    shapes = []
    count = len(collection.names)
    with counting(f"reading {collection.path.name}", count, unit="pictures") as advance:
        for index in range(count):
            try:
                picture = collection.read(index)
            except DataError as error:
                unreadable[index] = str(error)
                continue
            finally:
                advance(1)
            found = list(_looks(collection, index, picture))
            digests[index] = found[0].digest
            looks += ((index, look) for look in found)
            shapes.append(picture.shape[:2])
            total += picture.sum((0, 1), dtype=np.int64)
            pixels += picture.shape[0] * picture.shape[1]
            if picture.std() < CONSTANT:
                constant.append(index)
    means = total / pixels if pixels else np.full(3, np.nan)
    return Survey(
        collection,
        Counter(collection.labels),
        Counter(collection.groups),
        (float(means[0]), float(means[1]), float(means[2])),
        _sizes(shapes),
        tuple(constant),
        unreadable,
        digests,
        Looks.of(looks),
    )


def _looks(collection: Collection, index: int, picture: Pixels) -> Iterator[Look]:
    """All looks of a picture; that of its own pixels is the first."""
    if collection.kind != "h5":
        own = list(duplicates.of_picture(picture))
        yield from own
        yield Look(picture_files.sha256(collection.files[index]), own[0].phash)
        return
    yield Look(duplicates.digest(picture), duplicates.phash(picture))
    source = collection.sources[index] if collection.sources else None
    if source is not None:
        yield source


def leaks(surveys: Sequence[Survey]) -> dict[tuple[int, int], list[Match]]:
    """For each two data sets, by their positions in the list, the pictures that are in both.

    Returns:
        Every copy is paired with every other.
    """
    return {
        (a, b): duplicates.matches(surveys[a].looks, surveys[b].looks)
        for a, b in combinations(range(len(surveys)), 2)
    }


def unsourced(collection: Collection) -> int:
    """Number of images whose source picture, before they were cut, is unknown."""
    if collection.kind != "h5":
        return 0
    return len(collection.names) - sum(source is not None for source in collection.sources)


def sample(
    surveyed: Survey, each: int, *, generator: np.random.Generator
) -> dict[tuple[str, str], list[int]]:
    """Indices of a few readable pictures of each label and group, drawn at random."""
    members: dict[tuple[str, str], list[int]] = {}
    for index in surveyed.digests:
        key = (surveyed.collection.labels[index], surveyed.collection.groups[index])
        members.setdefault(key, []).append(index)
    return {
        key: sorted(generator.permutation(found)[:each].tolist())
        for key, found in sorted(members.items())
    }


def _by_digest(digests: dict[int, bytes]) -> dict[bytes, tuple[int, ...]]:
    found: dict[bytes, list[int]] = {}
    for index, value in digests.items():
        found.setdefault(value, []).append(index)
    return {value: tuple(indices) for value, indices in found.items()}


def _sizes(shapes: Sequence[tuple[int, ...]]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Smallest and largest width, smallest and largest height."""
    both: npt.NDArray[np.int64] = np.asarray(shapes or [(0, 0)])
    (low_y, low_x), (high_y, high_x) = both.min(0).tolist(), both.max(0).tolist()
    return (low_x, high_x), (low_y, high_y)
