"""What a study file says of one of its profiles, as a digest.

Comments, layout, the order of keys and other profiles do not count, nor does what affects no
result; shared profiles and published values that the study names do.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from repro.errors import StudyError
from repro.study import study_files, yaml_source
from repro.study.shared_profiles import FROM

WITHOUT_EFFECT = ("expected", "resources")  # keys that affect no result


def of_file(path: Path, profile: str, *, name: str) -> str | None:
    """The digest of a file; None if it is not a study of this name with this profile, or is gone.

    Args:
        path: The study file.
        profile: One of its profiles.
        name: Of the study.
    """
    try:
        content = yaml_source.read(path).value
    except StudyError:
        return None
    if not isinstance(content, dict) or content.get("name") != name:
        return None
    profiles = content.get("profiles")
    if not isinstance(profiles, dict) or not isinstance(profiles.get(profile), dict):
        return None
    return of_content(content, profile, path.parent)


def of_content(content: Mapping[str, Any], profile: str, beside: Path) -> str:
    """The digest of a study.

    Args:
        content: Of its file.
        profile: One of its profiles.
        beside: Folder of the study.
    """
    own = content["profiles"][profile]
    top = {key: value for key, value in content.items() if key != "profiles"}
    said = [_effective(top), _effective(own), *_referred(top, own, beside)]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:32]


def _effective(section: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in section.items() if key not in WITHOUT_EFFECT}


def _referred(top: Mapping[str, Any], own: Mapping[str, Any], beside: Path) -> Iterator[Any]:
    """The content of the files that a study names: its shared profile, its published values."""
    published = own.get("published", top.get("published"))
    source = published.get("source") if isinstance(published, dict) else None
    for name, find in (
        (own.get(FROM), study_files.find_profile),
        (source, study_files.find_published),
    ):
        found = find(name, beside) if isinstance(name, str) else None
        try:
            value = yaml_source.read(found).value if found else None
        except StudyError:
            value = None
        yield _effective(value) if isinstance(value, dict) else value
