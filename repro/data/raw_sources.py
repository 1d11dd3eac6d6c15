"""Parse ``KIND:PATH`` from the command line and read pictures for training."""

import difflib
from dataclasses import replace
from pathlib import Path

import numpy as np

from repro.data.pictures.raw_pictures import Raw
from repro.data.sources import RAW
from repro.data.sources.source_registry import RawOptions
from repro.errors import DataError


def read(word: str, options: RawOptions) -> Raw:
    """The pictures of a source ``KIND:PATH``, such as ``celeba:DIR``.

    Raises:
        DataError: The kind is unknown, or the source is missing or damaged.
    """
    kind, colon, place = word.partition(":")
    if not colon or not place or kind not in RAW:
        close = difflib.get_close_matches(kind, RAW, n=1)
        hint = f" Did you mean {close[0]}:?" if close and kind not in RAW else ""
        known = ", ".join(f"{name}:PATH" for name in RAW)
        raise DataError(f"{word!r} is not a source; sources are {known}.{hint}")
    return RAW[kind].read(Path(place), options)


def limited(source: Raw, most: int | None, *, seed: int) -> Raw:
    """A random sample of at most this many of a source's pictures, in their original order."""
    count = len(source.pictures)
    if most is None or count <= most:
        return source
    chosen = np.sort(np.random.default_rng((seed, count)).choice(count, most, replace=False))
    pictures = tuple(source.pictures[index] for index in chosen)
    left_out = {**source.left_out, "beyond the limit": count - most}
    return replace(source, pictures=pictures, left_out=left_out)
