"""A study file and every file that it names, as a bundle carries them.

They lie to each other as they did, so that the study file is carried as it is: profiles and
published values beside it, plug-ins where it lists them. Absolute paths of data alone are changed.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from repro.bundles import private_parts
from repro.errors import ReproError
from repro.plugins import plugin_text
from repro.study import plugin_files, study_files, yaml_source
from repro.study.shared_profiles import FROM
from repro.system import input_file

FOLDER = "study"  # of a bundle
Files = dict[str, bytes]  # content by path below the bundle


@dataclass(frozen=True, slots=True)
class StudyParts:
    """What a bundle carries of a study.

    Attributes:
        main: Path of the study file below the bundle.
        files: All files by their paths below the bundle.
        plugins: Paths of those that are plug-ins' texts.
    """

    main: str
    files: Mapping[str, bytes]
    plugins: tuple[str, ...] = ()


def of_file(path: Path) -> StudyParts:
    """A study file with its shared profiles, its published values and its plug-ins.

    Raises:
        ReproError: The study file cannot be read, or a plug-in lies too far away.
        PluginError: A plug-in cannot be read.
    """
    content = yaml_source.read(path).value
    if not isinstance(content, dict):
        raise ReproError(f"{path}: not a study file")
    listed = content.get(plugin_files.KEY)
    names = [str(one) for one in listed] if isinstance(listed, list) else []
    top = _top(path.parent, names, path)
    beside = PurePosixPath(FOLDER, Path(os.path.abspath(path.parent)).relative_to(top).as_posix())
    main = (beside / path.name).as_posix()
    files: Files = {main: _portable(input_file.read(path), content)}
    for kind, found in _named(content, path.parent):
        files[(beside / kind / found.name).as_posix()] = _portable(
            input_file.read(found), yaml_source.read(found).value
        )
    plugins: Files = {}
    for name in names:
        text = plugin_text.read(path.parent / name)
        place = Path(os.path.abspath(path.parent / name)).relative_to(top)
        for inner, raw in text.files.items():
            below = PurePosixPath(FOLDER, place.as_posix())
            plugins[(below / inner if text.is_folder else below).as_posix()] = raw
    return StudyParts(main, {**files, **plugins}, tuple(plugins))


def _top(folder: Path, names: list[str], file: Path) -> Path:
    """The lowest folder that holds the study file and its plug-ins."""
    for name in names:
        if Path(name).is_absolute():
            raise ReproError(
                f"{file}: it lists the plug-in {name} by an absolute path, which no other machine "
                "has: copy it beside the study, list its name, and run the study again"
            )
    own = os.path.abspath(folder)
    places = [own, *(os.path.dirname(os.path.abspath(folder / name)) for name in names)]
    top = Path(os.path.commonpath(places))
    if len(Path(own).relative_to(top).parts) > 1:
        raise ReproError(
            f"{file}: its plug-ins lie more than one folder above it: copy them nearer, list their "
            "names, and run the study again"
        )
    return top


def _named(content: Mapping[str, Any], beside: Path) -> Iterator[tuple[str, Path]]:
    """Kind and path of each file that a study or one of its profiles names."""
    profiles = content.get("profiles")
    sections = [content, *(profiles.values() if isinstance(profiles, dict) else ())]
    for section in sections:
        if not isinstance(section, dict):
            continue
        published = section.get("published")
        source = published.get("source") if isinstance(published, dict) else None
        for kind, name, find in (
            (study_files.PROFILES, section.get(FROM), study_files.find_profile),
            (study_files.PUBLISHED, source, study_files.find_published),
        ):
            found = find(name, beside) if isinstance(name, str) else None
            if found is not None:
                yield kind, found


def _portable(raw: bytes, content: Any) -> bytes:
    """The text of a YAML file; absolute paths among its values keep what `private_parts` shows."""
    text = raw.decode("utf-8-sig")
    for written in sorted(set(_absolute(content)), key=len, reverse=True):
        whole = rf"(?<![\w./~\\-]){re.escape(written)}(?![\w./\\-])"
        shown = private_parts.path(written).replace("\\", r"\\")
        text = re.sub(whole, shown, text)
    return text.encode()


def _absolute(value: Any) -> Iterator[str]:
    """Values that are absolute paths."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _absolute(one)
    elif isinstance(value, str) and "\n" not in value and _is_absolute(value):
        yield value


def _is_absolute(path: str) -> bool:
    return PurePosixPath(path).is_absolute() or PureWindowsPath(path).is_absolute()
