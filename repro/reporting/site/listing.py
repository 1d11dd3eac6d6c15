"""The studies of a results folder as the start page lists them, read without their numbers."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from repro.errors import ReproError
from repro.records import records
from repro.records.mlflow import sqlite_store
from repro.records.mlflow.request_rules import STUDIES
from repro.records.records import StudyIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A variant of a study in the list.

    Attributes:
        name: Of the study.
        variant: Id of the variant.
        path: Of its page.
        index: None if it cannot be read.
        fault: Why not.
        stamp: Changes when its index or one of its records changes.
        done: Runs that have a record.
    """

    name: str
    variant: str
    path: str
    index: StudyIndex | None = None
    fault: str = ""
    stamp: str = ""
    done: int = 0

    @property
    def wanted(self) -> int:
        """The number of its runs."""
        return 0 if self.index is None else sum(len(arm.keys) for arm in self.index.arms)


def path_of(name: str, variant: str) -> str:
    """The path of a study's page; its files are below it."""
    return f"{STUDIES}{quote(name, safe='')}/{quote(variant, safe='')}/"


def entries(results: Path) -> Iterator[Entry]:
    """Every variant of every study, by name; one that cannot be read is told, too."""
    for file in sorted((results / "studies").glob("*/*.json")):
        yield entry(file, results)


def find(results: Path, name: str, variant: str) -> Entry | None:
    """The variant of these names; None if there is none."""
    files = (results / "studies").glob("*/*.json")  # so that no name leads elsewhere
    found = [file for file in files if (file.parent.name, file.stem) == (name, variant)]
    return entry(found[0], results) if found else None


def entry(file: Path, results: Path) -> Entry:
    """What the list says of the index in a file."""
    name, variant = file.parent.name, file.stem
    path = path_of(name, variant)
    try:
        index = records.read_index(file)
    except ReproError as error:
        return Entry(name=name, variant=variant, path=path, fault=str(error))
    keys = [key for _, _, key in index.wanted()]
    return Entry(
        name=name,
        variant=variant,
        path=path,
        index=index,
        stamp=_stamp(file, keys, results),
        done=sum(records.has_record(key, results) for key in keys),
    )


def _stamp(index: Path, keys: list[str], results: Path) -> str:
    """A digest of the state of files, without reading them."""
    files = [results / "runs" / key / "record.json" for key in dict.fromkeys(keys)]
    states = []
    for file in (index, sqlite_store.database(results), *files):
        try:
            found = file.stat()
            states.append(f"{found.st_mtime_ns} {found.st_size}")
        except OSError:
            states.append("-")
    return hashlib.sha256("\n".join(states).encode()).hexdigest()
