"""Lookup of study files, published values and shared profiles by path or name.

A name is ``./NAME.yaml``, then ``./studies/NAME.yaml``, then the study of this name that ships with
the program. Published values are looked up in ``published/`` beside the study, then among the
shipped ones; shared profiles likewise in ``profiles/``.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from repro.errors import ReproError
from repro.study.merge import did_you_mean
from repro.study.yaml_source import MAX_BYTES, shown
from repro.system import input_file
from repro.system.printing import one_line

ENDINGS = (".yaml", ".yml")
BUNDLE = ".zip"
READ_BUNDLES = "table, report, figures, status, show, audit and verify"
SHIPPED = Path(__file__).parent / "shipped_studies"  # in a checkout a link to its studies/
PUBLISHED, PROFILES = "published", "profiles"  # folders beside studies


@dataclass(frozen=True, slots=True)
class StudyFile:
    """A study file that a command uses.

    Attributes:
        path: Where it is.
        is_shipped: Whether it came with the program.
        hides: The shipped study of the same name, which it replaces.
    """

    path: Path
    is_shipped: bool = False
    hides: Path | None = None

    @property
    def name(self) -> str:
        """Its name for lookup."""
        return self.path.stem


def is_path(study: str | Path) -> bool:
    """Whether it is a path, not a name."""
    return isinstance(study, Path) or "/" in study or study.endswith(ENDINGS)


def is_bundle(study: str | Path) -> bool:
    """Whether it is the name of a bundle's file."""
    return str(study).lower().endswith(BUNDLE)


def refuse_bundle(study: str | Path) -> None:
    """Refuse a bundle, for commands that write results or need those of a folder.

    Raises:
        ReproError: It is one.
    """
    if is_bundle(study):
        raise ReproError(
            f"{shown(str(study))}: a bundle is only read, by {READ_BUNDLES}; "
            "this command needs a study's name or file"
        )


def find(study: str | Path) -> StudyFile:
    """The file of a study.

    Args:
        study: A path, or a name; a path object is always a path.

    Raises:
        ReproError: No study has this name; the text lists the known ones.
    """
    refuse_bundle(study)
    if is_path(study):
        return StudyFile(Path(study))
    found = find_name(str(study))
    if found is None:
        raise ReproError(_unknown(str(study)))
    return found


def find_name(name: str) -> StudyFile | None:
    """The file of the study of this name; None if there is none."""
    if "\0" in name or name in ("", ".", ".."):
        return None
    shipped = shipped_folder() / f"{name}.yaml"
    for folder in _local_folders():
        path = folder / f"{name}.yaml"
        if path.is_file():
            return _local(path, shipped)
    return StudyFile(shipped, is_shipped=True) if shipped.is_file() else None


def listed() -> list[StudyFile]:
    """All studies that can be found by name, one for each name."""
    here, *folders = [*_local_folders(), shipped_folder()]
    paths = [path for path in here.glob("*.yaml") if has_key(path, "arms")]
    paths += [path for folder in folders for path in folder.glob("*.yaml")]
    found = (find_name(name) for name in sorted({path.stem for path in paths}))
    return [one for one in found if one is not None]


def shipped_folder() -> Path:
    """Folder of the shipped studies; in a checkout without links, its ``studies/``."""
    return SHIPPED if SHIPPED.is_dir() else SHIPPED.parent.parent / "studies"


def find_published(name: str, beside: Path) -> Path | None:
    """The file of published values of this name: in the folder of a study, or shipped."""
    return next((path for path in _files(PUBLISHED, beside) if path.stem == name), None)


def find_profile(name: str, beside: Path) -> Path | None:
    """The file of the shared profile of this name: in the folder of a study, or shipped."""
    return next((path for path in _files(PROFILES, beside) if path.stem == name), None)


def published_file(wanted: str) -> Path:
    """The file of published values of a path or name, as a study in this folder finds it.

    Raises:
        ReproError: No published values have this name.
    """
    if is_path(wanted):
        return Path(wanted)
    for beside in _local_folders():
        if found := find_published(wanted, beside):
            return found
    known = known_published(Path("studies"))
    what = f"no published numbers are called {shown(wanted)}{did_you_mean(wanted, known)}"
    raise ReproError(f"{what}. Available: {', '.join(map(one_line, known))}")


def known_published(beside: Path) -> list[str]:
    """Names of the published values that studies in this folder can name, local ones first."""
    return _names(path for path in _files(PUBLISHED, beside) if has_key(path, "protocol"))


def known_profiles(beside: Path) -> list[str]:
    """Names of the shared profiles for studies in this folder, local ones first."""
    return _names(_files(PROFILES, beside))


def _local(path: Path, shipped: Path) -> StudyFile:
    same = shipped.is_file() and path.samefile(shipped)
    return StudyFile(
        path, is_shipped=same, hides=shipped if shipped.is_file() and not same else None
    )


def has_key(path: Path, key: str) -> bool:
    """Whether a YAML file, which may be of any program, has a key at its top."""
    try:
        return f"\n{key}:" in f"\n{input_file.read_text(path, most_bytes=MAX_BYTES)}"
    except (OSError, UnicodeDecodeError):
        return False


def _local_folders() -> tuple[Path, Path]:
    return Path(), Path("studies")


def _files(kind: str, beside: Path) -> Iterator[Path]:
    """YAML files of a kind: in the folder of a study, then shipped."""
    for folder in (beside / kind, shipped_folder() / kind):
        yield from sorted(folder.glob("*.yaml"))


def _names(paths: Iterable[Path]) -> list[str]:
    return list(dict.fromkeys(path.stem for path in paths))


def _unknown(name: str) -> str:
    known = [one.name for one in listed()]
    what = f"no study is called {shown(name)}{did_you_mean(name, known)}"
    places = "looked for it here, in studies/ and among the shipped studies"
    return f"{what} ({places}). Available: {', '.join(map(one_line, known))}"
