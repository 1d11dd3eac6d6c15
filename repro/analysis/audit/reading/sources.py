"""A table -> what the checks across files and the tables of runs take."""

import re
from collections.abc import Iterator
from pathlib import Path

from repro.analysis.audit.reading.mean_files import GroupMeans, Table, group_means_of, means_of
from repro.analysis.audit.reading.published_table import PublishedTable
from repro.analysis.audit.reading.run_files import Runs, runs_of

Source = Runs | Table | GroupMeans


def sources_of(table: PublishedTable) -> Iterator[Source]:
    """The printed means of a table, and its runs or the shares of its groups."""
    if means := means_of(table):
        yield means
    if groups := runs_of(table) or group_means_of(table):
        yield groups


def same_arms(one: Source | PublishedTable, other: Source | PublishedTable) -> bool:
    """Whether two files are about the same arms of the same study.

    The arms of one must be a subset of the other's, at least two unless both have only one; if both
    file names begin with an author and a year, these must agree.
    """
    mine, theirs = ({key.matched for key in source.keys} for source in (one, other))
    common = mine & theirs
    within = common in (mine, theirs) and (len(common) > 1 or mine == theirs)
    authors = {a for a in (_author(one.path), _author(other.path)) if a}
    return within and len(authors) < 2


def _author(path: Path) -> str:
    """First word of a file name if it is like dehaan2020, else empty."""
    found = re.match(r"[^\W\d_]+\d{4}[a-z]?(?![^\W_])", path.stem.lower())
    return found.group() if found else ""


def kind_of(table: PublishedTable) -> str:
    """What a table has, in words."""
    shares = [share for row in table.rows for share in row.groups.values()]
    if table.single_runs:
        counted = any(share.detected is not None for share in shares)
        what = "counts" if counted else "accuracies" if shares else "means"
        return f"{what} of every run"
    if shares:
        return "shares of groups"
    return "published means"
