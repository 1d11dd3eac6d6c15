"""Find the results that a command refers to: one variant of each study.

A name refers to the study as its file defines it: the first profile, nothing changed. ``--profile``
and ``--set`` select the variant run with them; ``NAME@ID`` selects one by id.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from repro.cli.shared import warn
from repro.errors import ReproError, StudyError
from repro.plugins import loaded
from repro.plugins.catalogue import Catalogue
from repro.plugins.declared import Kind
from repro.records import records, study_origin
from repro.records.records import StudyIndex
from repro.study import merge, methods, plugin_files, study_files, yaml_source
from repro.study.schema import NAME
from repro.study.yaml_source import Located, shown
from repro.system import private
from repro.system.printing import one_line, say

if TYPE_CHECKING:
    from repro.bundles.opening import Bundle

MOST = 10  # other variants that are listed


@dataclass(frozen=True, slots=True)
class Wish:
    """The requested variant.

    Attributes:
        variant: Its id, or None.
        profile: Value of ``--profile``; None for the study's first.
        labels: Values of ``--set``; empty if nothing is changed.
    """

    variant: str | None
    profile: str | None
    labels: tuple[str, ...]

    @property
    def is_plain(self) -> bool:
        """Whether the study is requested as its file defines it."""
        return self == Wish(None, None, ())

    def fits(self, index: StudyIndex, first: str | None) -> bool:
        """Whether it is the requested variant; ``first`` is the study's first profile if known."""
        if self.variant is not None:
            return index.variant == self.variant or index.short.startswith(self.variant)
        profile = self.profile or first
        return profile in (None, index.profile) and tuple(index.overrides) == self.labels


def studies(
    results: Path,
    study: str | None,
    *,
    profile: str | None,
    overrides: Sequence[str],
    bundle: "Bundle | None" = None,
) -> list[StudyIndex]:
    """The requested variant of the named study, or of every study if none is named.

    If no study is named, a study's only variant is used, whatever was changed in it. Other variants
    are listed on standard error.

    Args:
        results: The results folder.
        study: A name, ``NAME@ID``, or the file of a study.
        profile: Of the variant; the study's first if None.
        overrides: Values of ``--set``; empty if nothing is changed.
        bundle: That the results came in; None for those of this machine.

    Raises:
        ReproError: No variant, or more than one, matches.
    """
    if study is not None:
        return [one(results, study, profile=profile, overrides=overrides, bundle=bundle)]
    wish = Wish(None, profile, merge.override_labels(overrides))
    found = records.read_indexes(results)
    fitting = [
        index
        for name in dict.fromkeys(index.name for index in found)
        for index in _of_unnamed([i for i in found if i.name == name], wish, _first_profile(name))
    ]
    if found and not fitting:
        raise ReproError(f"{results}: no study has this variant. {_variants(found)}")
    if not found:
        raise ReproError(_nothing_to_show(None, results))
    _say_others(found, fitting)
    _say_changes(fitting, results)
    return fitting


def one(
    results: Path,
    study: str,
    *,
    profile: str | None,
    overrides: Sequence[str],
    bundle: "Bundle | None" = None,
) -> StudyIndex:
    """The requested variant of a study; the others are listed on standard error.

    Args:
        results: The results folder.
        study: A name, ``NAME@ID``, or the file of a study.
        profile: Of the variant; the study's first if None.
        overrides: Values of ``--set``; empty if nothing is changed.
        bundle: That the results came in; None for those of this machine.

    Raises:
        ReproError: No variant, or more than one, matches.
    """
    name, variant, first = _meant(study)
    wish = Wish(variant, profile, merge.override_labels(overrides))
    if variant is not None and not Wish(None, wish.profile, wish.labels).is_plain:
        named = f"{bundle.path} holds one" if bundle else f"{one_line(study)} names a"
        raise ReproError(f"{named} variant: leave out --profile and --set")
    found = records.read_indexes(results, name)
    if not found:
        raise ReproError(_nothing_to_show(name, results))
    fitting = _fitting(found, wish, first)
    if len(fitting) != 1:
        raise ReproError(_not_one(name, wish, first, fitting, found, results))
    _say_others(found, fitting)
    _say_changes(fitting, results, given=Path(study) if study_files.is_path(study) else None)
    _load_metrics(fitting[0], study, bundle)
    return fitting[0]


def catalogue(
    study: str, wanted: Collection[tuple[Kind, str]], bundle: "Bundle | None" = None
) -> Catalogue:
    """What the file of a study can name; of its plug-ins those with these names are loaded.

    Args:
        study: A name, ``NAME@ID``, or the file of a study.
        wanted: Kinds and names; without any, no file is read.
        bundle: That the study came in: nothing of it is run unless the user said so.

    Raises:
        ReproError: A plug-in with one of these names cannot be loaded.
    """
    if bundle is not None:
        if not (wanted and bundle.run_plugins):
            return methods.BUILT_IN
        return plugin_files.of_file(bundle.study, wanted)
    file = Path(study) if study_files.is_path(study) else None
    if file is None and (home := study_files.find_name(study_name(study))):
        file = home.path
    if not wanted or file is None or not file.is_file():
        return methods.BUILT_IN
    return plugin_files.of_file(file, wanted)


def _load_metrics(index: StudyIndex, study: str, bundle: "Bundle | None") -> None:
    """Load the plug-ins of a study's metrics, which tables compute, from the file that is named.

    Of a bundle, their stored values.
    """
    wanted: list[tuple[Kind, str]] = [("metric", name) for name in index.all_metrics]
    if bundle is not None and not bundle.run_plugins:
        loaded.remember(index.name, bundle.metrics())
    elif wanted:
        loaded.remember(index.name, catalogue(study, wanted, bundle))


def study_name(study: str) -> str:
    """A study's name from its name, ``NAME@ID``, or its file.

    Raises:
        ReproError: The file is not a study.
    """
    return _meant(study)[0]


def study_file(study: str, index: StudyIndex, bundle: "Bundle | None" = None) -> str:
    """The study as an argument of a command: the given file, that of the bundle, or its name."""
    if bundle is not None:
        return str(index.file).removeprefix("./")
    return private.portable(study) if study_files.is_path(study) else index.name


def _of_unnamed(found: list[StudyIndex], wish: Wish, first: str | None) -> list[StudyIndex]:
    """The requested variant of a study when no study is named: the only one, if there is one."""
    fitting = _fitting(found, wish, first)
    return found if not fitting and wish.is_plain and len(found) == 1 else fitting


def _meant(study: str) -> tuple[str, str | None, str | None]:
    """Name, id of a variant if given, and the first profile if the file exists."""
    study_files.refuse_bundle(study)
    if study_files.is_path(study):
        return _from_file(Path(study))
    name, at, variant = study.partition("@")
    if not re.fullmatch(NAME, name) or (at and not variant):
        raise ReproError(f"{shown(study)}: write a study's name, NAME@ID or a .yaml file")
    return name, variant or None, _first_profile(name)


def _from_file(path: Path) -> tuple[str, str | None, str | None]:
    file = yaml_source.read(path)
    if file.problems:
        raise StudyError(file.problems)
    name = _name_in(file)
    if name is None:
        raise ReproError(f"{one_line(str(path))}: not a study file: it has no valid `name`")
    return name, None, _first_in(file)


def _name_in(file: Located) -> str | None:
    name = file.value.get("name") if isinstance(file.value, dict) else None
    return name if isinstance(name, str) and re.fullmatch(NAME, name) else None


def _first_in(file: Located) -> str | None:
    profiles = file.value.get("profiles")
    return str(next(iter(profiles))) if isinstance(profiles, dict) and profiles else None


def _first_profile(name: str) -> str | None:
    """The first profile in the study's file; None if no such file can be read."""
    found = study_files.find_name(name)
    try:
        file = yaml_source.read(found.path) if found else None
    except ReproError:
        return None
    return _first_in(file) if file and _name_in(file) == name else None


def _fitting(found: Sequence[StudyIndex], wish: Wish, first: str | None) -> list[StudyIndex]:
    """The matching variants; an exact id takes precedence over a prefix."""
    fitting = [index for index in found if wish.fits(index, first)]
    exact = [index for index in fitting if wish.variant in (index.variant, index.short)]
    return exact or fitting


def _say_others(found: Sequence[StudyIndex], chosen: Sequence[StudyIndex]) -> None:
    """List on standard error the shown and the other variants, if there are others."""
    others = [index for index in found if index not in chosen]
    if others:
        say(f"Shown:{_lines(chosen)}\nOther variants:{_lines(others)}", err=True)


def _say_changes(chosen: Sequence[StudyIndex], results: Path, *, given: Path | None = None) -> None:
    """Say on standard error which study files were changed after their runs."""
    for index in chosen:
        if told := study_origin.change(index, results, given=given):
            warn(told)


def _not_one(
    name: str,
    wish: Wish,
    first: str | None,
    fitting: Sequence[StudyIndex],
    found: Sequence[StudyIndex],
    results: Path,
) -> str:
    """The error for no variant, or more than one, that matches."""
    if fitting:
        return f"{results}: {len(fitting)} variants of {name} fit. Choose one:{_lines(fitting)}"
    if wish.variant is not None:
        asked = f"no variant {shown(wish.variant)} of {name}"
    else:
        profile = wish.profile or first
        asked = f"no results of {name}" + (f" with profile {profile}" if profile else "")
        asked += f" and {', '.join(wish.labels)}" if wish.labels else " and nothing changed"
    return f"{results}: {asked}. {_variants(found)}"


def _variants(found: Sequence[StudyIndex]) -> str:
    return f"Available:{_lines(found)}"


def _lines(found: Sequence[StudyIndex]) -> str:
    """One line for each variant."""
    lines = [f"\n  {_line(index, full=_is_shared(index, found))}" for index in found[:MOST]]
    more = len(found) - len(lines)
    return "".join(lines) + (f"\n  and {more} more: repro status" if more else "")


def _is_shared(index: StudyIndex, found: Sequence[StudyIndex]) -> bool:
    """Whether another variant has the same short id: the same changes of another profile."""
    return sum(other.address == index.address for other in found) > 1


def _line(index: StudyIndex, *, full: bool = False) -> str:
    address = f"{index.name}@{index.variant}" if full else index.address
    return one_line(f"{address}  {index.differs}")


def _nothing_to_show(study: str | None, results: Path) -> str:
    known = sorted({index.name for index in records.read_indexes(results)})
    hint = merge.did_you_mean(study or "", known)
    there = f"; there is {', '.join(known)}" if known else ""
    command = f"repro run {study or 'STUDY'}"
    return (
        f"{results}: no results of {study or 'any study'}{hint or there}. Run it first: {command}"
    )
