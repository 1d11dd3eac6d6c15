"""Objects that processes of this machine share: made once, in whichever process needs one first.

The process that starts the others has an anonymous file in memory for each object (`Shelf`). The
first of the others makes the object and writes it there; all of them map its arrays, so that they
are in memory once. A process that changes an array changes a copy of its own. The files end with
the process that has them, however it ends.
"""

import mmap
import os
import pickle
import struct
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from repro.system import machine

MOST = 16  # objects of a shelf; each process makes any others for itself
HEADER = struct.Struct("<8sQQ")  # what it is, bytes of the pickle, number of arrays
MAGIC = b"repro-1\0"
ALIGNED = 64  # bytes, of the first element of an array
GLANCE = 0.02  # seconds between two looks whether another process has made an object
WORD = 1.0  # seconds between two words that this one waits


class Shelf:
    """The files of the process that starts the others."""

    def __init__(self) -> None:
        """It has none yet."""
        self._files: dict[str, IO[bytes]] = {}

    def path(self, name: str) -> Path | None:
        """Where other processes find the file of an object; None if there can be none.

        Args:
            name: Equal for equal objects.
        """
        if name not in self._files:
            if len(self._files) >= MOST:
                return None
            try:
                file = machine.memory_file()
            except OSError:  # the system allows no more files
                return None
            if file is None:
                return None
            self._files[name] = file
        return machine.path_for_others(self._files[name].fileno())

    def close(self) -> None:
        """Forget the files; what is mapped stays until its process lets it go."""
        for file in self._files.values():
            file.close()
        self._files.clear()


def _nothing() -> None:
    pass


def all_of(
    wanted: Mapping[str, tuple[Path | None, Callable[[], Any]]],
    waits: Callable[[], None] = _nothing,
) -> dict[str, Any]:
    """Objects by name; those that nobody makes come first, so that processes make different ones.

    Args:
        wanted: For each its file on a `Shelf`, or None, and what makes it.
        waits: Called about every second while another process makes one, so that nobody takes
            this process, which does nothing meanwhile, for one that hangs.
    """
    found: dict[str, Any] = {}
    told = time.monotonic()
    while True:
        for name, (path, make) in wanted.items():
            if name not in found and (shared := _taken(path, make)) is not None:
                (found[name],) = shared
        if found.keys() == wanted.keys():
            return {name: found[name] for name in wanted}
        time.sleep(GLANCE)
        if time.monotonic() - told >= WORD:
            waits()
            told = time.monotonic()


def _taken(path: Path | None, make: Callable[[], Any]) -> tuple[Any] | None:
    """One object; None if another process makes it now."""
    try:
        file = open(path, "r+b", buffering=0) if path else None  # noqa: SIM115 - closed below
    except OSError:  # no /proc here, or not for us
        file = None
    if file is None:
        return (make(),)
    with file:
        try:
            machine.lock(file.fileno(), alone=True)
        except BlockingIOError:
            return None
        except OSError:  # no locks here
            return (make(),)
        try:
            return (_written(file, make),)
        finally:
            machine.unlock(file.fileno())  # a map keeps the file, and its lock, open


def _written(file: IO[bytes], make: Callable[[], Any]) -> Any:
    """The object of a file that is locked; it is made first if it is not there."""
    if not _is_whole(file):
        made = make()
        try:
            _write(file, made)
        except OSError:  # no memory for another copy
            return made
    return _mapped(file)


def _is_whole(file: IO[bytes]) -> bool:
    """Whether an object is there: its header is written last."""
    head = os.pread(file.fileno(), HEADER.size, 0)
    return len(head) == HEADER.size and HEADER.unpack(head)[0] == MAGIC


def _write(file: IO[bytes], made: Any) -> None:
    buffers: list[pickle.PickleBuffer] = []
    pickled = pickle.dumps(made, protocol=5, buffer_callback=buffers.append)
    raw = [one.raw() for one in buffers]
    lengths = struct.pack(f"<{len(raw)}Q", *map(len, raw))
    place = HEADER.size
    place += _put(file, lengths, place)
    place += _put(file, pickled, place)
    for array in raw:
        place = _aligned(place)
        place += _put(file, array, place)
    _put(file, HEADER.pack(MAGIC, len(pickled), len(raw)), 0)


def _put(file: IO[bytes], piece: "bytes | memoryview", place: int) -> int:
    """Write all of it, there; return its length."""
    rest = memoryview(piece)
    while rest:
        written = os.pwrite(file.fileno(), rest, place)
        rest, place = rest[written:], place + written
    return len(piece)


def _mapped(file: IO[bytes]) -> Any:
    view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    _, size, count = HEADER.unpack(view[: HEADER.size])
    place = HEADER.size
    lengths = struct.unpack(f"<{count}Q", view[place : place + 8 * count])
    place += 8 * count
    pickled = view[place : place + size]
    place += size
    buffers = []
    for length in lengths:
        place = _aligned(place)
        buffers.append(view[place : place + length])
        place += length
    return pickle.loads(pickled, buffers=buffers)  # written by a process of ours


def _aligned(place: int) -> int:
    return -(-place // ALIGNED) * ALIGNED
