"""A disk that fails, or a process or the power that is gone, at the n-th change below a folder."""

import contextlib
import errno
import os
from pathlib import Path
from unittest import mock

FOR_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
ON_FILES = ("write", "fsync", "ftruncate")  # these are given a descriptor
CHANGES = ("open", *ON_FILES, "replace", "rename", "mkdir", "unlink", "rmdir")
ERRORS = tuple(OSError(n, os.strerror(n)) for n in (errno.EIO, errno.ENOSPC, errno.EACCES))


class Killed(BaseException):
    """From here on the process would be no more: nothing that it does leaves a trace."""


class PowerLost(Killed):
    """The machine would be, too: what was not yet put onto the disk is gone."""


class Disk:
    """Counts the changes below a folder, and fails.

    Attributes:
        done: The changes so far, by name.
        met: Whether it has failed.
    """

    def __init__(self, root, *, at, error, once):
        """Fail with this error at this change, counted from 1; once, or from then on."""
        self.root, self.at, self.error, self.once = str(root.resolve()), at, error, once
        self.done, self.met = [], False
        self._unsettled = set()

    def change(self, name, original, *arguments, **options):
        """In place of a function of `os`."""
        if not self._concerns(name, arguments, options):
            return original(*arguments, **options)
        self._note(name, arguments)
        number = len(self.done)
        if number == self.at or (number > self.at and not self.once):
            self.met = True
            if name == "write":
                descriptor, content = arguments
                original(descriptor, content[: len(content) // 2])
            raise self.error
        return None if name == "fsync" else original(*arguments, **options)

    def lose_power(self):
        """Empty the files whose content was never put onto the disk."""
        for path in Path(self.root).rglob("*"):
            if path.stat().st_ino in self._unsettled and path.is_file():
                path.write_bytes(b"")

    def _note(self, name, arguments):
        self.done.append(name)
        if name in ("write", "fsync"):
            change = self._unsettled.add if name == "write" else self._unsettled.discard
            change(os.fstat(arguments[0]).st_ino)

    def _concerns(self, name, arguments, options):
        if name == "open" and not arguments[1] & FOR_WRITING:
            return False
        if name in ON_FILES:
            place = os.readlink(f"/proc/self/fd/{arguments[0]}")
        else:
            place = os.fspath(arguments[0])
            if options.get("dir_fd") is not None:
                place = os.path.join(os.readlink(f"/proc/self/fd/{options['dir_fd']}"), place)
        return os.path.abspath(place).startswith(self.root)


@contextlib.contextmanager
def failing(root, *, at=0, error=None, once=True):
    """Within, a folder's disk fails; at 0 it only counts.

    Args:
        root: The folder.
        at: Number of the change, from 1.
        error: What is raised.
        once: Whether the disk works again after that.
    """
    disk = Disk(root, at=at or 1 << 60, error=error, once=once)
    with contextlib.ExitStack() as stack:
        for name in CHANGES:
            original = getattr(os, name)
            stack.enter_context(mock.patch.object(os, name, _stand_in(disk, name, original)))
        yield disk


def _stand_in(disk, name, original):
    return lambda *arguments, **options: disk.change(name, original, *arguments, **options)
