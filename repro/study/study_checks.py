"""Mistakes that the merged settings of a study show: arms, claims, rules, idle options."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from repro.errors import Problem
from repro.plugins.catalogue import Catalogue
from repro.study import contrasts, gap_share, looks, method_settings
from repro.study.claims import QUANTITIES, Claim
from repro.study.configuration import Configuration
from repro.study.merge import Layer, did_you_mean, merged
from repro.study.schema import Header
from repro.study.yaml_source import KeyPath, shown

if TYPE_CHECKING:
    from repro.study.arm import ArmSpec

Mistake = tuple[KeyPath, str]  # where in the study, and a sentence


def of_arms(names: Sequence[str], arms: "Sequence[ArmSpec]", reference: Any) -> Iterator[Mistake]:
    """Equal names, equal configurations, and a reference that is no arm."""
    for name in (name for name, times in Counter(names).items() if times > 1):
        yield ("arms",), f"two arms are called '{name}': rename one"
    seen: dict[str, str] = {}
    for arm in arms:
        # The data is included: two arms may differ only in it.
        key = repr((arm.configuration.settings(), arm.configuration.data, arm.select))
        if seen.setdefault(key, arm.name) != arm.name:
            message = f"arms '{seen[key]}' and '{arm.name}' are the same configuration: drop one"
            yield ("arms",), message
    if isinstance(reference, str) and reference not in names:
        message = f"unknown arm {shown(reference)}{did_you_mean(reference, names)}"
        yield ("reference",), f"{message}; the arms are: {', '.join(names)}"


def of_profiles(names: Sequence[str]) -> Iterator[Mistake]:
    """Profiles whose results could not be told apart: in names of files, or in those of variants.

    A variant of a profile that the command line changed is called by the profile and six digits.
    """
    seen: dict[str, str] = {}
    for name in names:
        letters = re.sub(r"\W+", "-", name, flags=re.ASCII).lower()
        if seen.setdefault(letters, name) != name:
            message = f"profiles '{seen[letters]}' and '{name}' would have files of the same names"
            yield ("profiles", name), f"{message}: rename one"
        before, _, digits = name.rpartition("-")
        if before in names and re.fullmatch("[0-9a-f]{6}", digits):
            message = f"'{name}' may be called like a variant of the profile '{before}'"
            yield ("profiles", name), f"{message}: rename it"


def of_claims(
    claims: Sequence[Claim], arms: "Sequence[ArmSpec]", reference: str
) -> Iterator[Mistake]:
    """Claims on arms that are unknown, or that no key orders."""
    by_name = {arm.name: arm.configuration for arm in arms}
    for place, claim in enumerate(claims):
        for key, message in contrasts.problems(claim.contrast, by_name, reference):
            yield ("claims", place, "contrast", key), message


def of_gap_share(header: Header, arms: "Sequence[ArmSpec]") -> Iterator[Mistake]:
    """Shares of a gap of arms that are unknown, or that no primary claim says how to read."""
    if header.gap_share is None:
        return
    names = [arm.name for arm in arms]
    found = gap_share.problems(header.gap_share, names, header.reference, header.claims)
    for place, message in found:
        yield ("gap_share", *place), message


def of_metrics(header: Header, catalogue: Catalogue) -> Iterator[Mistake]:
    """Metrics, of the tables and of claims, that are neither built in nor a plug-in's."""
    for place, name in enumerate(header.metrics):
        if name in QUANTITIES:
            yield ("metrics", place), f"metrics: {name} is in the tables already: remove it"
        elif name in header.metrics[:place]:
            yield ("metrics", place), f"metrics: {name} is listed twice: remove one"
        elif catalogue.find("metric", name) is None:
            known = [one for one in catalogue.names("metric") if one not in QUANTITIES]
            yield ("metrics", place), f"metrics: {_unknown(name, known)}"
    for place, claim in enumerate(header.claims):
        if catalogue.find("metric", claim.quantity) is None:
            what = _unknown(claim.quantity, catalogue.names("metric"))
            yield ("claims", place, "quantity"), f"claims[{place}].quantity: {what}"


def _unknown(name: str, known: Sequence[str]) -> str:
    if not known:
        return f"{shown(name)} is no metric of a plug-in: list the plug-in's file under 'plugins'"
    return f"{shown(name)} is not one of {', '.join(known)}{did_you_mean(name, known)}"


def of_stop(header: Header, layers: Sequence[Layer]) -> Iterator[Mistake]:
    """A rule that cannot stop a study, or that the command line, the last layer, changes."""
    if "stop" in layers[-1].value:
        yield ("stop",), "the study file declares stop; or pass --until-answered with --at-most"
    elif header.stop is not None:
        declared: int = merged(layers[:-1], ("replicates",))
        for key, message in looks.problems(header.stop, declared, claims=len(header.claims)):
            yield ("stop", key) if key else ("stop",), message


def idle_options(
    options: Layer, written: Sequence[Layer], arms: "Sequence[ArmSpec]"
) -> Iterator[Problem]:
    """Overrides that affect no arm.

    Args:
        options: Of the command line.
        written: What the study file says of each arm alone.
        arms: The arms, resolved.
    """
    for path, (document, place) in options.origins.items():
        is_leaf = path and not any(longer[:-1] == path for longer in options.origins)
        own = [path in layer.origins for layer in written]
        uses = [_matters(path, arm.configuration) for arm in arms]
        if is_leaf and not any(use and not o for use, o in zip(uses, own, strict=True)):
            key = ".".join(map(str, path))
            message = f"has no effect: every arm that uses '{key}' sets it in the study file"
            yield document.problem(place, message)


def _matters(path: KeyPath, configuration: Configuration) -> bool:
    """Whether the setting at the path affects a run of this configuration."""
    value: Any = method_settings.named(configuration.settings()) | {"data": {}}
    for key in path:
        if not isinstance(value, dict) or (key not in value and path[0] != "data"):
            return False
        value = value.get(key, {})
    return True
