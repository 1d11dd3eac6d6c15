"""Profiles that several studies share: ``from: NAME`` in a profile, ``profiles/NAME.yaml``.

The file is looked for beside the study, then among the shipped ones. What the profile of the study
writes itself is laid over it, key by key.
"""

from pathlib import Path
from typing import Any

from repro.errors import Problem
from repro.study import study_files, yaml_source
from repro.study.merge import Layer, combined, did_you_mean
from repro.study.yaml_source import shown

FROM = "from"
# What no shared profile holds.
OF_A_STUDY = (FROM, "arms", "claims", "gap_share", "expected", "published")


def opened(profile: Layer, beside: Path, problems: list[Problem]) -> Layer:
    """A profile, over the shared one that it names.

    Args:
        profile: As it is written in the study.
        beside: Folder of the study.
        problems: Mistakes are added, each at its place in the file that has it.

    Raises:
        StudyError: The shared profile cannot be read.
    """
    if FROM not in profile.value:
        return profile
    own, name = profile.without(FROM), profile.value[FROM]
    found = study_files.find_profile(name, beside) if isinstance(name, str) else None
    if found is None:
        document, place = profile.origins[(FROM,)]
        _note(document.problem(place, _unknown(name, beside)), problems)
        return own
    return combined([_read(found, problems), own])


def _read(path: Path, problems: list[Problem]) -> Layer:
    file = yaml_source.read(path)
    found = list(file.problems)
    if not isinstance(file.value, dict):
        found.append(file.problem((), "a mapping of keys is expected, as in a study's profile"))
    else:
        found += [
            file.problem((key,), f"{shown(key)} belongs in the study, beside 'from'", at_key=True)
            for key in file.value
            if key in OF_A_STUDY
        ]
    for problem in found:
        _note(problem, problems)
    return Layer({}) if found else Layer.from_file(file, ())


def _unknown(name: Any, beside: Path) -> str:
    known = study_files.known_profiles(beside)
    if not isinstance(name, str):
        return f"from: name a shared profile, not {shown(name)}; known: {', '.join(known)}"
    hint = did_you_mean(name, known)
    where = f"looked for it in {study_files.PROFILES}/ beside the study and among the shipped ones"
    return f"no shared profile is called {shown(name)}{hint} ({where}); known: {', '.join(known)}"


def _note(problem: Problem, problems: list[Problem]) -> None:
    if problem not in problems:  # another profile can name the same file
        problems.append(problem)
