"""Which study file the runs of an index belong to, and whether it says something else by now."""

from pathlib import Path

from repro.errors import RecordError, ReproError
from repro.records import records
from repro.records.records import StudyIndex
from repro.study import file_digest, plugin_files, study_files
from repro.study.study import Study


def written(file: Path, results: Path) -> str:
    """The path of a study file in an index, without the names of folders above the project.

    Returns:
        ``./studies/toy.yaml`` beside the results folder, ``~/toy.yaml`` in the home, the name alone
        of a study that ships with the program, else the whole path.
    """
    path, project = file.resolve(), results.resolve().parent
    if path.parent == study_files.shipped_folder().resolve():
        return path.stem
    for above, mark in ((project, "."), (_home(), "~")):
        if above is not None and path.is_relative_to(above):
            return f"{mark}/{path.relative_to(above).as_posix()}"
    return path.as_posix()


def file_of(index: StudyIndex, results: Path) -> Path | None:
    """The file of an index if it is still there; of one that was moved, the one of its name."""
    if index.file is None:
        return None
    first, home = _opened(index.file, results), study_files.find_name(index.name)
    found = [first] if first else []
    found += [home.path] if home else []
    return next((path for path in found if path.is_file()), None)


def change(index: StudyIndex, results: Path, *, given: Path | None = None) -> str | None:
    """A sentence if the study file says something else than when the index was written.

    Args:
        index: Of the study.
        results: The results folder.
        given: The file; None: the one that the index names.
    """
    file = given or file_of(index, results)
    if index.file_digest is None or file is None or not file.is_file():
        return None
    if file_digest.of_file(file, index.profile, name=index.name) == index.file_digest:
        return _changed_plugins(index, file)
    return (
        f"{file} was changed after {index.address} was run, or is another study: arms, claims and "
        f"numbers are those that were run; `repro plan {file}` shows what differs, and `repro run "
        f"{file}` runs it"
    )


def _changed_plugins(index: StudyIndex, file: Path) -> str | None:
    """A sentence if a plug-in of its runs has another text by now."""
    changed = plugin_files.missing_now(file, index.plugins) if index.plugins else []
    if not changed:
        return None
    named = ", ".join(
        f"the {one} of {index.plugins[one]['where']} (digest then {index.plugins[one]['digest']})"
        for one in changed
    )
    return (
        f"{named}: changed after {index.address} was run, or not there any more: numbers are those "
        f"that were run; `repro plan {file}` shows what differs, and `repro run {file}` runs it"
    )


def require_own(study: Study, results: Path) -> None:
    """Refuse a study whose name stands for another file in these results.

    Raises:
        ReproError: Another file, which is still there and says something else, was run under this
            name.
    """
    if study.file is None:
        return
    for path in sorted((results / "studies" / study.name).glob("*.json")):
        try:
            index = records.read_index(path)
        except RecordError:  # told where it is used
            continue
        other = _other_file(index, study.file, results)
        if other is not None:
            raise ReproError(
                f"{results}: the results of {study.name} belong to {other}, which {study.file} "
                f"would replace: give one of them another name, or pass --results DIR; if it "
                f"takes the place of {other}, move that file away"
            )


def _other_file(index: StudyIndex, file: Path, results: Path) -> Path | None:
    """The file of an index, if it is another one that still claims its name."""
    other = _opened(index.file, results) if index.file and index.file_digest else None
    if other is None or other.resolve() == file.resolve():
        return None
    if file_digest.of_file(other, index.profile, name=index.name) is None:
        return None
    own = file_digest.of_file(file, index.profile, name=index.name)
    return None if own == index.file_digest else other


def _opened(written: str, results: Path) -> Path | None:
    """The path that `written` stands for; None if it stands for none here."""
    if "\0" in written:
        return None
    if "/" not in written:
        return study_files.shipped_folder() / f"{written}.yaml"
    mark, _, rest = written.partition("/")
    if mark == ".":
        return results.parent / rest
    home = _home()
    if mark == "~":
        return home / rest if home else None
    return Path(written)


def _home() -> Path | None:
    try:
        return Path.home().resolve()
    except RuntimeError:  # an account without one
        return None
