"""What a source holds: its files by relative name and SHA-256, wherever they are.

A plan says by these digests which data a run is of. Whoever reads the data compares: what the plan
says, what is read, and what is there when the run has ended are the same, or the study stops.
"""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from repro.data.pictures import picture_files
from repro.errors import DataError
from repro.system.file_digests import Contents, FileDigest

NamedFiles = list[tuple[str, Path]]  # relative name, file
ADVICE = (
    "put the earlier content back and run the same command again, or run it again as it is: then "
    "all runs on these data are new ones"
)


def of_files(named: Iterable[tuple[str, Path]]) -> dict[str, FileDigest]:
    """Path and SHA-256 of each file, by relative name.

    Raises:
        DataError: A file cannot be read.
    """
    return {name: FileDigest(file, picture_files.sha256(file)) for name, file in named}


def content(files: Mapping[str, FileDigest]) -> str:
    """SHA-256 over relative names and digests."""
    whole = hashlib.sha256()
    for name, file in files.items():
        whole.update(f"{name}\0{file.sha256.hex()}\n".encode())
    return whole.hexdigest()


def tree(root: Path, *, tables: tuple[str, ...] = ()) -> NamedFiles:
    """Pictures in a folder and its subfolders, and tables.

    Raises:
        DataError: There is no such folder, or it has no picture.
    """
    try:
        everything = sorted(root.rglob("*"))
    except OSError as error:
        raise DataError(f"{picture_files.shown(root)}: cannot be read ({error.strerror})") from None
    found = [f for f in everything if picture_files.is_picture(f) or f.name in tables]
    if not found:
        raise DataError(f"{root}: folder not found, or no picture in it")
    return [(f.relative_to(root).as_posix(), f) for f in found]


def require_read(seen: Iterable[FileDigest], known: Mapping[Path, bytes]) -> None:
    """Refuse files of which other bytes were read than those that a source is known by.

    Args:
        seen: The files as they were read.
        known: SHA-256 of each file of the source.

    Raises:
        DataError: Names the first such file.
    """
    for file in seen:
        if known.get(file.path) != file.sha256:
            raise _changed(file.path, "changed while the study ran")


def require_planned(
    fingerprints: Mapping[str, str],
    planned: Mapping[str, Contents],
    read: Mapping[str, Contents],
) -> None:
    """Refuse data that are not those that a plan named its runs by.

    Args:
        fingerprints: Of each part of the data, in the names of the runs.
        planned: What each part held when the study was planned; used to name the file.
        read: What it held when it was read.

    Raises:
        DataError: Names the first file that differs.
    """
    for role, now in read.items():
        if now.fingerprint == fingerprints[role]:
            continue
        before = planned[role].files if role in planned else {}
        for name in (*before, *now.files) if before else ():
            if before.get(name) != now.files.get(name):
                file = now.files.get(name) or before[name]
                raise _changed(file.path, _how(before.get(name), now.files.get(name)))
        raise DataError(f"data.{role}: not the data that the study began with; {ADVICE}")


def _how(before: FileDigest | None, now: FileDigest | None) -> str:
    if before is None or now is None:
        return "was added after the study began" if now else "was removed after the study began"
    return "changed after the study began"


def require_unchanged(read: Mapping[str, Contents]) -> None:
    """Refuse the results of data that are no longer what was read.

    Files are read again only if the system says that they were written to, replaced or renamed.

    Args:
        read: What each part of the data held when it was read.

    Raises:
        DataError: Names the first file that differs.
    """
    for contents in read.values():
        for file in contents.files.values():
            try:
                same = picture_files.sha256(file.path) == file.sha256
            except DataError:
                raise _changed(file.path, "is no longer there, or cannot be read") from None
            if not same:
                raise _changed(file.path, "changed while the study ran")


def _changed(file: Path, what: str) -> DataError:
    return DataError(
        f"{picture_files.shown(file)}: {what}, so no run is recorded that may have used it; "
        f"{ADVICE}"
    )
