"""A bundle of somebody else -> a folder of results in a private place, every file checked.

Nothing of it is run. The place is named in messages as the bundle is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from repro.bundles import archive, crate, metric_values
from repro.bundles.archive import Archive
from repro.bundles.refused import BadBundle
from repro.bundles.staging import RESULTS
from repro.bundles.study_parts import FOLDER
from repro.plugins.catalogue import Catalogue
from repro.records import records
from repro.records.records import StudyIndex
from repro.study import methods
from repro.system import private
from repro.system.count_progress import each

MOST_METADATA = 512 << 20
TABLES = "tables"
UNPACKED = (f"{RESULTS}/", f"{FOLDER}/", f"{TABLES}/", metric_values.FILE)


@dataclass(frozen=True, slots=True)
class Bundle:
    """An opened bundle.

    Attributes:
        path: The file.
        folder: Where it is unpacked.
        index: Of its study.
        run_plugins: Whether the user wants the code in it to be run.
    """

    path: Path
    folder: Path
    index: StudyIndex
    run_plugins: bool = False

    @property
    def results(self) -> Path:
        """Its folder of results."""
        return self.folder / RESULTS

    @property
    def study(self) -> Path:
        """Its study file."""
        return self.folder / str(self.index.file)

    @property
    def address(self) -> str:
        """The study for commands: its name and the whole name of its variant."""
        return f"{self.index.name}@{self.index.variant}"

    def metrics(self) -> Catalogue:
        """What its tables can name without running code: its metrics by their stored values.

        Raises:
            BadBundle: The file of values is damaged.
        """
        try:
            return metric_values.read(self.folder / metric_values.FILE)
        except FileNotFoundError:
            return methods.BUILT_IN
        except (OSError, ValueError) as error:
            raise BadBundle(self.path, f"{metric_values.FILE}: {error}") from None

    def table(self, name: str) -> bytes | None:
        """A table as the sender printed it; None if it is not in the bundle."""
        path = self.folder / TABLES / name
        return path.read_bytes() if path.is_file() else None


@contextmanager
def opened(path: Path, *, run_plugins: bool = False) -> Iterator[Bundle]:
    """A bundle, unpacked for as long as the context lasts.

    Args:
        path: The file.
        run_plugins: Whether the user wants the code in it to be run.

    Raises:
        BadBundle: It is no bundle, is damaged or hostile, or a file in it was changed.
        RecordError: Its index is of a later release.
    """
    with archive.opened(path) as stream, TemporaryDirectory(prefix="repro-bundle-") as place:
        private.show_as(place, str(path))
        folder = Path(place)
        _unpack(Archive(path, stream), folder)
        yield Bundle(path, folder, _index(path, folder / RESULTS), run_plugins)


def _unpack(found: Archive, folder: Path) -> None:
    if crate.METADATA not in found.members:
        raise BadBundle(found.path, f"this is no bundle of repro: {crate.METADATA} is not in it")
    try:
        digests = crate.digests(found.read(crate.METADATA, most_bytes=MOST_METADATA))
    except ValueError as error:
        raise BadBundle(found.path, f"{crate.METADATA}: {error}") from None
    names = [name for name in found.members if name != crate.METADATA]
    if missing := sorted(digests.keys() - set(names)):
        raise BadBundle(found.path, f"{missing[0]} is not in it, although it is listed")
    with each(f"{found.path.name}: reading", names, unit="files") as listed:
        for name in listed:
            if name not in digests:
                raise BadBundle(found.path, f"{name}: it is not listed in {crate.METADATA}")
            kept = name.startswith(UNPACKED)
            there = found.unpack(name, folder) if kept else found.digest(name)
            if there != digests[name]:
                raise BadBundle(
                    found.path, f"{name} was changed: its SHA-256 is not the one that is listed"
                )


def _index(path: Path, results: Path) -> StudyIndex:
    """The index of the one study that a bundle holds."""
    indexes = records.read_indexes(results)
    if len(indexes) != 1:
        raise BadBundle(path, f"it holds {len(indexes)} studies, and a bundle holds one")
    index = indexes[0]
    file = Path(index.file or "")
    if file.is_absolute() or ".." in file.parts or file.parts[:1] != (FOLDER,):
        raise BadBundle(path, "its index does not name the study file in it")
    if not (results.parent / file).is_file():
        raise BadBundle(path, f"{file.as_posix()}, the study file, is not in it")
    return index
