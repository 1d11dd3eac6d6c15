"""Download data sets from the catalogue: resumed if interrupted, checked by size and hash.

A partial download is kept in a file that ends with ``.part``; the next attempt requests the rest.
Only a complete and verified file gets its final name.
"""

import hashlib
import logging
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pooch
import requests

from repro.data.catalogue import Entry
from repro.errors import DataError
from repro.system import atomic_files
from repro.system.count_progress import Advance, counting

TRIES = 4  # in one command, each continuing the previous one
PATIENCE = (10.0, 60.0)  # timeouts in seconds for a connection, and between two pieces
PIECE = 2**16  # bytes; a broken connection loses less than one piece
TO = "pass --to with another folder"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A downloaded file.

    Attributes:
        path: Path of the file.
        sha256: Hash of its content, in hex.
        is_checked: Whether the hash was compared with the catalogue's, which may have none.
        was_there: Whether the file existed already.
    """

    path: Path
    sha256: str
    is_checked: bool
    was_there: bool


def fetch(entry: Entry, folder: Path) -> Fetched:
    """Download a data set, unless it exists already.

    Args:
        entry: Entry of the catalogue, with an address.
        folder: Folder for the file.

    Raises:
        DataError: The server does not answer, or sends something else; a different file of that
            name exists.
        CannotWrite: The disk is full, or the folder cannot be written.
    """
    assert entry.url is not None
    assert entry.file is not None
    assert entry.size is not None
    path = folder / entry.file
    if os.path.lexists(path):
        return Fetched(path, _require_same(path, entry), entry.sha256 is not None, True)
    atomic_files.require_writable(folder, advice=TO)
    part = folder / f"{entry.file}.part"
    _require_room(folder, entry.size - _length(part))
    pooch.get_logger().setLevel(logging.WARNING)
    try:
        with counting(entry.file, entry.size, unit="bytes") as advance:
            pooch.retrieve(
                entry.url,
                known_hash=None if entry.sha256 is None else f"sha256:{entry.sha256}",
                fname=entry.file,
                path=folder,
                downloader=Resuming(part, entry.size, advance),
            )
    except ValueError:  # pooch has removed the file
        raise DataError(
            f"{entry.url}: the SHA-256 of the download is not the catalogue's, "
            f"{entry.sha256}; it was removed. Try again, or ask its publisher"
        ) from None
    except OSError as error:
        raise atomic_files.CannotWrite(
            f"{path}: cannot be written ({error.strerror}); {TO}"
        ) from None
    return Fetched(path, _sha256(path), entry.sha256 is not None, False)


class Resuming:
    """A downloader for pooch that resumes partial downloads."""

    def __init__(self, part: Path, size: int, advance: Advance) -> None:
        """Store what to download.

        Args:
            part: The file for the partial download.
            size: Total size in bytes.
            advance: Called with the number of bytes received.
        """
        self.part, self.size, self.advance = part, size, advance

    def __call__(self, url: str, output_file: str, _: Any) -> None:
        """Fill the output file, which pooch checks afterwards.

        Raises:
            DataError: The server does not send what the catalogue says, or disconnects.
        """
        self.advance(_length(self.part))
        reason = ""
        for _try in range(TRIES):
            if _length(self.part) == self.size:
                os.replace(self.part, output_file)
                return
            try:
                self._ask(url)
            except requests.RequestException as error:
                reason = f" ({type(error).__name__})"
        if _length(self.part) == self.size:
            os.replace(self.part, output_file)
            return
        raise DataError(
            f"{url}: {_length(self.part):,} of {self.size:,} bytes arrived, then no more{reason}; "
            "the same command continues from there"
        )

    def _ask(self, url: str) -> None:
        """Request the missing part and write it as it arrives."""
        have = _length(self.part)
        if have > self.size:
            self._start_over()
            have = 0
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        with requests.get(url, headers=headers, stream=True, timeout=PATIENCE) as response:
            status = response.status_code
            if status == requests.codes.requested_range_not_satisfiable:
                self._start_over()
                return
            if status not in (requests.codes.ok, requests.codes.partial_content):
                raise DataError(
                    f"{url}: the server answers {status} {response.reason}; try again later, or "
                    "ask its publisher for its address"
                )
            goes_on = response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
            if status == requests.codes.ok and have:
                self._start_over()
            elif status == requests.codes.partial_content and not goes_on:
                self._start_over()
                return
            self._write(url, response)

    def _write(self, url: str, response: requests.Response) -> None:
        have = _length(self.part)
        coming = response.headers.get("Content-Length")
        if coming is not None and have + int(coming) != self.size:
            raise self._of_another_size(url, have + int(coming))
        with self.part.open("ab") as stream:
            for piece in response.iter_content(PIECE):
                stream.write(piece)
                self.advance(len(piece))
                have += len(piece)
                if have > self.size:
                    raise self._of_another_size(url, have)

    def _of_another_size(self, url: str, size: int) -> DataError:
        self._start_over()
        return DataError(
            f"{url}: sends {size:,} bytes or more, but the catalogue says {self.size:,}; "
            "ask its publisher whether it was replaced"
        )

    def _start_over(self) -> None:
        self.advance(-_length(self.part))
        self.part.unlink(missing_ok=True)


def _require_same(path: Path, entry: Entry) -> str:
    """The hash of an existing file, if it is the one in the catalogue."""
    if not path.is_file():
        raise DataError(f"{path}: is not a regular file; {TO}")
    size, sha256 = path.stat().st_size, _sha256(path)
    if size != entry.size:
        what = f"{size:,} bytes, not the {entry.size:,} that the catalogue says"
    elif sha256 != (entry.sha256 or sha256):
        what = f"SHA-256 {sha256}, not {entry.sha256}"
    else:
        return sha256
    raise DataError(f"{path}: exists, but has {what}; remove it, or {TO}")


def _require_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise atomic_files.CannotWrite(
            f"{folder}: {needed:,} bytes are needed and {free:,} are free; {TO}"
        )


def _length(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 0


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
