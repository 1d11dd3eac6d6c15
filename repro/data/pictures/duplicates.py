"""Whether two pictures are the same: exactly by digest, very probably by perceptual hash.

The perceptual hash is pHash (Zauner 2010) with 256 bits: the picture in grey at 64 x 64, and of the
16 x 16 lowest frequencies of its discrete cosine transform, which are above their median. It is
computed in integers, so that it is the same on every machine. The hash hardly changes if a picture
is resized or compressed again, but it does if the picture is cropped.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from repro.data.pictures import square_crops
from repro.data.pictures.images import Pixels

SIDE, LOW = 64, 16  # of the grey picture, and of the square of frequencies
BITS = LOW * LOW
WORDS = BITS // 64
ALIKE = 24  # maximum number of different bits between hashes of the same picture; see docs/data.md
BLOCK = 8  # hashes that are compared with all others at once

Hash = NDArray[np.uint64]  # shape (4,); all 0 if the picture is blank or unknown
UNKNOWN: Hash = np.zeros(WORDS, np.uint64)

_COSINES = np.rint(
    1024 * np.cos(np.pi * np.outer(np.arange(LOW), 2 * np.arange(SIDE) + 1) / (2 * SIDE))
).astype(np.int64)


class Look(NamedTuple):
    """The digests by which a picture is recognised.

    Attributes:
        digest: SHA-256 of its file, or of its shape and pixels; b"" if unknown.
        phash: Shape (4,), the 256 bits of its perceptual hash; 0 if unknown.
    """

    digest: bytes
    phash: Hash


class Match(NamedTuple):
    """A picture that is in two data sets.

    Attributes:
        first: Its index in the first data set.
        second: Its index in the second data set.
        distance: Number of different bits of the perceptual hashes; None if a digest is equal.
    """

    first: int
    second: int
    distance: int | None


@dataclass(frozen=True, slots=True)
class Looks:
    """All looks of the pictures of a data set; a picture can have several.

    Attributes:
        owners: Index of the picture, one per look.
        digests: One per look.
        phashes: Shape (looks, 4).
    """

    owners: tuple[int, ...]
    digests: tuple[bytes, ...]
    phashes: NDArray[np.uint64]

    @staticmethod
    def of(looks: Iterable[tuple[int, Look]]) -> "Looks":
        """Looks with the index of the picture that each belongs to."""
        found = list(looks)
        phashes = np.array([look.phash for _, look in found], np.uint64).reshape(-1, WORDS)
        return Looks(
            tuple(owner for owner, _ in found), tuple(look.digest for _, look in found), phashes
        )

    def __len__(self) -> int:
        return len(self.owners)


def digest(pixels: Pixels) -> bytes:
    """SHA-256 of a picture's shape and pixels."""
    whole = hashlib.sha256(repr(pixels.shape).encode())
    whole.update(np.ascontiguousarray(pixels).data)
    return whole.digest()


def phash(pixels: Pixels) -> Hash:
    """The perceptual hash of a picture.

    Args:
        pixels: Shape (H, W, 3), RGB, uint8.

    Returns:
        Shape (4,), uint64: 256 bits; all 0 if the picture has a single colour.
    """
    grey = Image.fromarray(np.ascontiguousarray(pixels)).convert("L")
    small = np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.BOX), np.int64)
    waves = (_COSINES @ small @ _COSINES.T).ravel()
    waves[0] = 0  # the mean brightness
    # The cosines are rounded: their sums, and so the waves of a blank picture, are not quite 0.
    waves[np.abs(waves) < 1024 * SIDE * SIDE] = 0
    bits = waves > np.median(waves[1:])
    return np.packbits(bits).view(np.uint64)


def of_picture(pixels: Pixels) -> Iterator[Look]:
    """The looks of a picture: the whole, and its middle square as `repro data prepare` cuts it."""
    whole = phash(pixels)
    yield Look(digest(pixels), whole)
    height, width = pixels.shape[:2]
    middle = square_crops.cut(pixels, square_crops.centred(width, height))
    if middle.shape != pixels.shape:
        yield Look(digest(middle), whole if width == height else phash(middle))


def matches(here: Looks, there: Looks) -> list[Match]:
    """Pictures of one data set that are also in another, each pair once.

    Returns:
        First the pairs with an equal digest, then those whose hashes differ in at most `ALIKE`
        bits; each in order.
    """
    exact = _exact(here, there)
    alike: dict[tuple[int, int], int] = {}
    for i, j, distance in _alike(here.phashes, there.phashes):
        pair = here.owners[i], there.owners[j]
        if pair not in exact:
            alike[pair] = min(distance, alike.get(pair, BITS))
    return [
        *(Match(*pair, None) for pair in sorted(exact)),
        *(Match(*pair, alike[pair]) for pair in sorted(alike)),
    ]


def _exact(here: Looks, there: Looks) -> set[tuple[int, int]]:
    known: dict[bytes, list[int]] = {}
    for owner, value in zip(here.owners, here.digests, strict=True):
        known.setdefault(value, []).append(owner)
    return {
        (first, second)
        for second, value in zip(there.owners, there.digests, strict=True)
        if value
        for first in known.get(value, ())
    }


def _alike(here: NDArray[np.uint64], there: NDArray[np.uint64]) -> Iterator[tuple[int, int, int]]:
    """Indices into both arrays, and distance, of all pairs of similar hashes."""
    rows, columns = (np.flatnonzero(side.any(axis=1)) for side in (here, there))
    others = np.ascontiguousarray(there[columns].T)
    differing = np.empty((BLOCK, len(columns)), np.uint64)  # fits the processor's cache
    counted, distances = np.empty((2, BLOCK, len(columns)), np.uint8)
    for start in range(0, len(rows), BLOCK):
        part = rows[start : start + BLOCK]
        size = len(part)
        distances[:size] = 0
        for word in range(WORDS):
            np.bitwise_xor(here[part, word, None], others[word], out=differing[:size])
            np.bitwise_count(differing[:size], out=counted[:size])
            distances[:size] += counted[:size]
        for i, j in zip(*np.nonzero(distances[:size] <= ALIKE), strict=True):
            # Compared again, because a distance of 256 is 0 in 8 bits.
            distance = int(np.bitwise_count(here[part[i]] ^ there[columns[j]]).sum())
            if distance <= ALIKE:
                yield int(part[i]), int(columns[j]), distance


def stacked(looks: Sequence[Look | None]) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
    """Digests, shape (n, 32), and hashes, shape (n, 4), for an HDF5 file; 0 if unknown."""
    digests = np.zeros((len(looks), 32), np.uint8)
    phashes = np.zeros((len(looks), WORDS), np.uint64)
    for index, look in enumerate(looks):
        if look is not None:
            digests[index], phashes[index] = np.frombuffer(look.digest, np.uint8), look.phash
    return digests, phashes
