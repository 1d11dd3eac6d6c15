"""From what a command names to the studies that a results folder holds."""

import re
from collections.abc import Sequence
from pathlib import Path

from repro import layers, records, yamlfile
from repro.errors import ReproError, StudyError
from repro.header import NAME
from repro.records import StudyIndex


def studies(
    results: Path, study: str | None, *, profile: str | None, overrides: Sequence[str]
) -> list[StudyIndex]:
    """The variants of a study that the options fit; of every study if none is named.

    Args:
        results: The results folder.
        study: A name, or the file of a study.
        profile: Of the variants; any if None.
        overrides: As given to ``--set``; any if there are none.

    Raises:
        ReproError: There is none.
    """
    name = None if study is None else study_name(study)
    found = records.read_indexes(results, name)
    if profile is not None:
        found = [index for index in found if index.profile == profile]
    if overrides:
        labels = list(layers.override_labels(overrides))
        found = [index for index in found if index.overrides == labels]
    if not found:
        raise ReproError(_nothing_to_show(study, results))
    return found


def study_name(study: str) -> str:
    """A study's name from its name or its file.

    Raises:
        ReproError: The file is no study.
    """
    if not study.endswith((".yaml", ".yml")):
        if not re.fullmatch(NAME, study):
            raise ReproError(f"{yamlfile.shown(study)}: no name of a study, and no .yaml file")
        return study
    file = yamlfile.read(Path(study))
    if file.problems:
        raise StudyError(file.problems)
    value = file.value
    name = value.get("name") if isinstance(value, dict) else None
    if not isinstance(name, str) or not re.fullmatch(NAME, name):
        raise ReproError(f"{yamlfile.printable(study)}: no study; it has no proper name")
    return name


def study_file(study: str, index: StudyIndex) -> str:
    """What a command calls a study by: the file that was named, or where it would be."""
    return study if study.endswith((".yaml", ".yml")) else f"studies/{index.name}.yaml"


def _nothing_to_show(study: str | None, results: Path) -> str:
    known = sorted({index.name for index in records.read_indexes(results)})
    hint = layers.did_you_mean(study or "", known)
    there = f"; there is {', '.join(known)}" if known else ""
    return (
        f"{results}: no results of {study or 'any study'}{hint or there}. Run it first: repro run"
    )
