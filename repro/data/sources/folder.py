"""A folder of photographs: without a face in a study, of either kind for preparation."""

from pathlib import Path

from repro.data.pictures import picture_files
from repro.data.pictures.images import Photographs
from repro.data.pictures.raw_pictures import Picture, Raw
from repro.data.sources.source_registry import RawOptions, Reader, prepares, reads, require_columns
from repro.study.data_spec import Folder


@reads(Folder)
class FolderReader(Reader[Folder]):
    """Any folder of pictures, and therefore the last layout to be tried."""

    kind = "folder"
    rank = 4

    def open(self, spec: Folder) -> Photographs:
        """All pictures, by relative name, without groups."""
        return picture_files.read(Path(spec.path))

    def fits(self, path: Path) -> bool:
        """Whether it is a folder."""
        return path.is_dir()


@prepares("faces")
def faces(path: Path, options: RawOptions) -> Raw:
    """All pictures of a folder as faces, the middle of each; there are no groups."""
    require_columns(options.groups, (), path)
    return _plain(path, "faces", 1)


@prepares("nonfaces")
def nonfaces(path: Path, _: RawOptions) -> Raw:
    """All pictures of a folder as pictures without a face, the middle of each."""
    return _plain(path, "nonfaces", 0)


def _plain(path: Path, kind: str, label: int) -> Raw:
    names = picture_files.pictures(path)
    pictures = tuple(Picture(path / name, name, label) for name in names)
    return Raw(kind, pictures, picture_files.left_out(path), picture_files.remarks(path))
