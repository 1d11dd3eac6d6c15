"""Find and remove what no study needs any more in a results folder.

What an index names is never removed, nor what such a run started from, and nothing is removed while
a study runs: studies share the lock of their results folder, cleaning holds it exclusively.
Everything is removed at once, by a rename; if the process is killed after that, a partial file is
left like any other.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from repro.errors import Busy, LaterRelease, RecordError, ReproError, Unreadable
from repro.records import checkpoint_store, detectors, locks, records
from repro.records.records import RECORD
from repro.system import atomic_files

Category = Literal["superseded", "aside", "unfinished", "temporary"]
CATEGORIES: tuple[Category, ...] = get_args(Category)
WHAT: dict[Category, str] = {
    "superseded": "records of runs and of detectors that no study names any more",
    "aside": "records that were damaged or tried again, and set aside",
    "unfinished": "checkpoints of runs that have a record, or that no study names",
    "temporary": "partly written files of processes that were killed",
}
BY_INDEX = ("superseded", "unfinished")  # categories that depend on the indexes


@dataclass(frozen=True, slots=True)
class Leftover:
    """A file or folder that can be removed.

    Attributes:
        category: Why it can be removed.
        path: Its path.
        size: Bytes of its files.
        linked: The part of `size` whose files have another hard link, such as in MLflow's
            artifacts: this space is freed only when that is removed too.
    """

    category: Category
    path: Path
    size: int
    linked: int


def find(results: Path, categories: Collection[Category] = CATEGORIES) -> list[Leftover]:
    """List what can be removed; changes nothing.

    Args:
        results: The results folder.
        categories: The categories to look for.

    Raises:
        ReproError: There is no such folder, or an index cannot be read: its runs are unknown.
    """
    if not results.is_dir():
        raise ReproError(f"{results}: folder not found; run a study first")
    wanted = _wanted(results) if set(categories) & set(BY_INDEX) else set()
    paths: dict[Category, Iterator[Path]] = {
        "superseded": _superseded(results, wanted),
        "aside": _entries(results / "aside"),
        "unfinished": _unfinished(results, wanted),
        "temporary": _temporary(results),
    }
    return [_leftover(one, path) for one in CATEGORIES if one in categories for path in paths[one]]


def running(results: Path) -> str | None:
    """The process that runs a study or trains a run in a results folder now, or None."""
    files = [*results.glob("studies/*/*.lock"), *results.glob("unfinished/*/lock")]
    return next((holder for file in files if (holder := locks.holder_of(file))), None)


def remove(results: Path, categories: Collection[Category] = CATEGORIES) -> list[Leftover]:
    """Remove what can be removed; return it.

    Args:
        results: The results folder.
        categories: The categories to remove.

    Raises:
        Busy: A study is running on this folder.
        CannotWrite: Something cannot be removed; what precedes it was removed.
        ReproError: As for `find`, or the file system does not support locks.
    """
    if not results.is_dir() or not locks.are_kept(results):
        find(results, ())
        raise ReproError(
            f"{results}: its file system has no locks, so a running study cannot be detected; "
            "nothing is removed. Make sure that no study runs, then remove what is listed yourself"
        )
    with locks.of_results(results, alone=True) as others:
        holder = running(results) or (others and "another process")
        if holder is not None:
            raise Busy(f"{holder} is using {results}; nothing is removed until it has ended")
        found = find(results, categories)  # under the lock: nobody adds to it
        for one in found:
            atomic_files.remove(one.path)
        return found


def _wanted(results: Path) -> set[str]:
    """Keys of all runs that an index names, of their source runs, and of its detectors."""
    try:
        indexes = records.read_indexes(results)
    except RecordError as error:
        raise ReproError(
            f"{error}. What this study names is not known, so nothing is removed; `repro run` of "
            "the study writes its index again"
        ) from None
    runs = _with_sources({key for index in indexes for _, _, key in index.wanted()}, results)
    return runs | {key for index in indexes for key in index.detectors}


def _with_sources(keys: set[str], results: Path) -> set[str]:
    """These runs, their source runs, and so on."""
    found, new = set(keys), keys
    while new:
        new = {records.source_of(key, results) for key in new} - {"", *found}
        found |= new
    return found


def _superseded(results: Path, wanted: Collection[str]) -> Iterator[Path]:
    for path in _entries(results / "runs"):
        if path.name not in wanted and (path / RECORD).is_file() and _is_ours(path.name, results):
            yield path
    for path in _entries(results / detectors.FOLDER):
        if path.name not in wanted and path.name.startswith("detector-"):
            yield path


def _is_ours(key: str, results: Path) -> bool:
    """Whether a folder is a run of this or an earlier release, possibly damaged."""
    try:
        return records.read_record(key, results).key == key
    except (LaterRelease, Unreadable):
        return False
    except RecordError:
        digest, _, seed = key.rpartition("-seed")
        return bool(digest) and seed.isdecimal()


def _unfinished(results: Path, wanted: Collection[str]) -> Iterator[Path]:
    for path in _entries(results / "unfinished"):
        if not path.is_dir() or locks.holder_of(path / "lock") is not None:
            continue
        if path.name not in wanted or checkpoint_store.are_left_over(path.name, results):
            yield path


def _temporary(results: Path) -> Iterator[Path]:
    folders = [results / name for name in ("runs", "unfinished", "aside", "portraits")]
    for pattern in ("studies/*", "preregistered/*", "unfinished/*"):
        folders += results.glob(pattern)
    for folder in folders:
        for paths in atomic_files.left_over(folder).values():
            yield from sorted(paths)


def _entries(folder: Path) -> Iterator[Path]:
    """The entries of a results folder, without partial files."""
    paths = folder.iterdir() if folder.is_dir() else ()
    return (path for path in sorted(paths) if not path.name.endswith(atomic_files.PARTIAL))


def _leftover(category: Category, path: Path) -> Leftover:
    inside = path.rglob("*") if path.is_dir() and not path.is_symlink() else [path]
    sizes = [(stat.st_size, stat.st_nlink) for stat in map(Path.lstat, _files(inside))]
    linked = sum(size for size, names in sizes if names > 1)
    return Leftover(category, path, sum(size for size, _ in sizes), linked)


def _files(paths: Iterator[Path] | list[Path]) -> Iterator[Path]:
    return (path for path in paths if path.is_symlink() or path.is_file())
