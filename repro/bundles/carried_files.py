"""What a results folder holds of one study: the one list of kinds of files that a bundle carries.

A new kind of file under the results folder gets a function here and its place in `KINDS`.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from repro.errors import RecordError
from repro.records import preregistration, records
from repro.records.records import EPOCH_WEIGHTS, MODEL, RECORD, WEIGHTS, StudyIndex
from repro.system import regular_file

Found = Iterator[tuple[str, bytes]]  # path below the results folder, and content
NETWORKS = (MODEL, WEIGHTS, EPOCH_WEIGHTS)  # left out unless they are asked for


def contents(index: StudyIndex, results: Path) -> Found:
    """Every file of a study, verified where a record has its digest; without the index itself.

    Args:
        index: Of the study.
        results: The results folder.

    Raises:
        RecordError: A record or a file beside it is missing or damaged.
    """
    for kind in KINDS:
        yield from kind(index, results)


def keys(index: StudyIndex, results: Path) -> list[str]:
    """Keys of the study's runs that ended, each once, and of the runs that they started from."""
    found: dict[str, None] = {}
    wanted = [key for _, _, key in index.wanted()]
    while wanted:
        key = wanted.pop(0)
        if key not in found and records.has_record(key, results):
            found[key] = None
            if source := records.source_of(key, results):
                wanted.append(source)
    return list(found)


def _preregistration(index: StudyIndex, results: Path) -> Found:
    if preregistration.read(index.name, index.variant, results) is not None:
        yield _read(preregistration.path_of(index.name, index.variant, results), results)


def _portraits(index: StudyIndex, results: Path) -> Found:
    named = getattr(index, "portraits", None)
    if named is not None:
        yield _read(results / "portraits" / f"{named.sha256}.csv", results)


def _runs(index: StudyIndex, results: Path) -> Found:
    for key in keys(index, results):
        record, folder = records.read_record(key, results), records.folder_of(key, results)
        yield _read(folder / RECORD, results)
        for name in record.files:
            content = records.read_file(record, results, name)
            if content is not None:
                yield _below(folder / name, results), content


def _detectors(index: StudyIndex, results: Path) -> Found:
    for key in getattr(index, "detectors", ()):
        for path in sorted((results / "detectors" / key).iterdir()):
            if regular_file.is_there(path) and not path.name.startswith("."):
                yield _read(path, results)


KINDS: tuple[Callable[[StudyIndex, Path], Found], ...] = (
    _preregistration,
    _portraits,
    _runs,
    _detectors,
)


def _read(path: Path, results: Path) -> tuple[str, bytes]:
    try:
        return _below(path, results), regular_file.read(path, at_most=records.MOST_BYTES)
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror}); run again") from None
    except regular_file.NotPlain as error:
        raise RecordError(f"{path}: {error}") from None


def _below(path: Path, results: Path) -> str:
    return path.relative_to(results).as_posix()
