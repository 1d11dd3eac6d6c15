"""Open files that a user names or that lie in a user's folders: regular ones only.

A pipe without a writer, a terminal or a device would be waited for without end. Files of the system
that look regular, such as ``/proc/kmsg``, are refused when they have nothing to give.
"""

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
NOTHING = "a file of the system that has nothing to give"
PIECE = 1 << 20  # bytes of one read


class NotAFile(OSError):
    """Something else than a regular file; its `strerror` says what, and what to do."""

    def __init__(self, what: str) -> None:
        """Without a path: whoever asks for the file names it."""
        super().__init__(errno.EINVAL, f"this is {what}: give a file")


class TooLarge(OSError):
    """A file is larger than anything of its kind; its `strerror` says by what limit."""

    def __init__(self, most_bytes: int) -> None:
        """Without a path: whoever asks for the file names it."""
        super().__init__(errno.EFBIG, f"more than {most_bytes:,} bytes")


def opened(path: Path) -> BufferedReader:
    """The file, open for reading; never waits for another program.

    Raises:
        NotAFile: It is a folder, a pipe, a socket or a device.
        OSError: It is missing, or cannot be read.
    """
    if not stat.S_ISREG(kind := path.stat().st_mode):  # a device may do something when it is opened
        raise NotAFile(KINDS.get(stat.S_IFMT(kind), "no file"))
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    try:
        if not stat.S_ISREG(kind := os.fstat(descriptor).st_mode):
            raise NotAFile(KINDS.get(stat.S_IFMT(kind), "no file"))
        return open(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read(path: Path, *, most_bytes: int | None = None) -> bytes:
    """The whole content of a file.

    Args:
        path: The file.
        most_bytes: The limit; None for files that this program wrote.

    Raises:
        TooLarge: It has more bytes.
        NotAFile: As for `opened`, or it has no end.
        OSError: As for `opened`.
    """
    content = bytearray()
    with opened(path) as stream:
        while True:
            piece = stream.read(PIECE)
            if piece is None:
                raise NotAFile(NOTHING)
            if not piece:
                return bytes(content)
            content += piece
            if most_bytes is not None and len(content) > most_bytes:
                raise TooLarge(most_bytes)


def read_text(path: Path, *, most_bytes: int | None = None, encoding: str = "utf-8") -> str:
    """The content as text; raises as `read` does.

    Raises:
        UnicodeDecodeError: It is not text of this encoding.
    """
    return read(path, most_bytes=most_bytes).decode(encoding)


def require(path: Path) -> None:
    """Check a file that a library will open by its path.

    Raises:
        NotAFile: As for `opened`, or it is empty, as files of the system are said to be.
        OSError: As for `opened`.
    """
    with opened(path) as stream:
        if not os.fstat(stream.fileno()).st_size:
            raise NotAFile("an empty file, or one of the system")
