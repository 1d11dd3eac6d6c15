"""The Pilot Parliaments Benchmark's folder: ``imgs/`` and ``PPB-2017-metadata.csv``.

Copies of the metadata end their lines with CR, LF or CRLF, and name the columns other than
``filename`` differently, such as ``bi_fitz`` for ``bi.fitz``; only ``filename`` and the columns
that make the groups are needed. Every row must have a picture, and every picture a row, so that no
part is lost unnoticed.
"""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from repro.data.pictures import content_digest, picture_files, picture_table
from repro.data.pictures.collection import FACE
from repro.data.pictures.content_digest import NamedFiles
from repro.data.pictures.images import Photographs
from repro.data.sources.source_registry import Reader, reads
from repro.errors import DataError
from repro.study.data_spec import Ppb

METADATA = "PPB-2017-metadata.csv"
PICTURES = "imgs"
_SKIN = ("bi.fitz", "bi_fitz")  # two names of one column


def read(path: Path, *, groups: tuple[str, ...]) -> Photographs:
    """The portraits with their groups.

    Args:
        path: Folder that contains the metadata and the pictures' folder.
        groups: Columns whose values, joined, form a portrait's group: ``darker_female``.

    Raises:
        DataError: A file is missing, a column is missing, a row has no picture or no group, or a
            picture has no row.
    """
    table = path / METADATA
    lines: dict[str, int] = {}
    labels = []
    require_metadata(path)
    groups = _as_written(table, groups)
    mistakes = picture_table.Mistakes(table)
    names = picture_table.GroupNames(groups)
    for line, row in picture_table.read(table, ("filename", *groups)):
        name, where = row["filename"], f"{table}:{line}"
        with mistakes.gathered():
            labels.append(names.of(row, where))
            picture_table.picture(name, where, path / PICTURES)
            if lines.setdefault(name, line) != line:
                raise DataError(f"{where}: {name} is in two rows, first in {lines[name]}")
    mistakes.tell()
    if not labels:
        raise DataError(f"{table}: no row below the header")
    _require_rows(table, path / PICTURES, lines)
    return picture_files.photographs(path / PICTURES, tuple(lines), tuple(labels))


def _as_written(table: Path, groups: tuple[str, ...]) -> tuple[str, ...]:
    """The names of columns as in this copy: a public loader writes ``bi_fitz`` for ``bi.fitz``."""
    written = {name.lower() for name in picture_table.header(table, ("filename",)).written}
    known = {a: b for a, b in (_SKIN, _SKIN[::-1]) if a not in written and b in written}
    return tuple(known.get(name.lower(), name) for name in groups)


def require_metadata(path: Path) -> None:
    """Reject a folder without PPB's table: a mere path for `data.test` means PPB.

    Raises:
        DataError: Says what to write for folders of other kinds.
    """
    table = path / METADATA
    if os.path.isdir(path) and not os.path.lexists(table):
        raise DataError(
            f"{table}: file not found, so this is not a folder of the Pilot Parliaments "
            f"Benchmark; for a folder with a folder for each group use data.test={{source: groups, "
            f"path: {path}}}, and source: fairface or utkface for these "
            f"(`repro data info {shlex.quote(str(path))}` says which it is)"
        )


def _require_rows(table: Path, pictures: Path, named: Mapping[str, int]) -> None:
    """Reject pictures without a row: the row was lost, or the picture is not the benchmark's."""
    strays = sorted(f.name for f in pictures.iterdir() if picture_files.is_picture(f))
    strays = [name for name in strays if name not in named]
    if strays:
        raise DataError(
            f"{table}: no row for {picture_files.shown(strays[0])}, which is one of "
            f"{len(strays):,} such pictures; complete the table, or take them out of {PICTURES}/"
        )


@reads(Ppb)
class PpbReader(Reader[Ppb]):
    """The benchmark as test portraits."""

    kind = "ppb"
    rank = 1
    label = FACE

    def open(self, spec: Ppb) -> Photographs:
        """The portraits with their groups."""
        return read(Path(spec.path), groups=spec.groups)

    def files(self, spec: Ppb) -> NamedFiles:
        """The table and the pictures."""
        require_metadata(Path(spec.path))
        return content_digest.tree(Path(spec.path), tables=(METADATA,))

    def remarks(self, spec: Ppb) -> tuple[str, ...]:
        """Remarks about the pictures' folder."""
        return picture_files.remarks(Path(spec.path) / PICTURES)

    def attributes(self, spec: Ppb) -> Mapping[str, tuple[str, ...]]:
        """All columns of the table."""
        require_metadata(Path(spec.path))
        return picture_table.columns(Path(spec.path) / METADATA, ("filename",))

    def fits(self, path: Path) -> bool:
        """Whether the table exists."""
        return (path / METADATA).exists()
