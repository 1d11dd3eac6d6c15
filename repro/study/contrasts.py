"""The arms of a claim's contrast: a pair, or a sweep in the order of a key."""

import math
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from repro.study.claims import Contrast
from repro.study.configuration import Configuration, density_rule
from repro.study.merge import did_you_mean
from repro.study.yaml_source import shown

Arms = Mapping[str, Configuration]  # by name, in the order of the study
ALPHA = ("resampling", "alpha")


def arms_of(contrast: Contrast, arms: Arms, reference: str) -> tuple[str, ...]:
    """Names of the arms: the one that is subtracted first; of a trend all, the reference first."""
    if contrast.trend is None:
        return (str(contrast.less), str(contrast.arm))
    return tuple(_in_order(contrast.trend, arms, reference))


def problems(contrast: Contrast, arms: Arms, reference: str) -> Iterator[tuple[str, str]]:
    """What is wrong with a contrast: (its key, a sentence)."""
    for role in ("arm", "less"):
        name = getattr(contrast, role)
        if name is not None and name not in arms:
            known = did_you_mean(name, arms) or f"; the arms are: {', '.join(arms)}"
            yield role, f"no arm is called {shown(name)}{known}"
    if contrast.trend is not None and (why := _no_trend(contrast.trend, arms, reference)):
        yield "trend", why


def _no_trend(key: str, arms: Arms, reference: str) -> str:
    values = {name: value_of(key, one) for name, one in arms.items()}
    known = {name: value for name, value in values.items() if value is not None}
    if not known:
        return f"no arm has a number at {shown(key)}"
    if len(set(known.values())) < 3:
        return f"{shown(key)} has {_numbers(known.values())} in the arms: a trend needs 3"
    if len(set(known.values())) < len(known):
        return f"two arms have the same {shown(key)}: compare two arms instead"
    if known.get(reference) not in (min(known.values()), max(known.values())):
        return f"the reference must have the smallest or the largest {shown(key)}"
    return ""


def _numbers(values: Collection[float]) -> str:
    different = len(set(values))
    return "1 number" if different == 1 else f"{different} numbers"


def _in_order(key: str, arms: Arms, reference: str) -> list[str]:
    values = {name: value_of(key, one) for name, one in arms.items()}
    known = {name: value for name, value in values.items() if value is not None}
    falling = known.get(reference) == max(known.values(), default=None)
    return sorted(known, key=lambda name: known[name], reverse=falling)


def value_of(key: str, configuration: Configuration) -> float | None:
    """The number at a key, such as ``alpha`` or ``resampling.alpha``; None if it has none.

    Without resampling alpha is infinite: a density plus infinity weighs every face alike.
    """
    path = tuple(key.split("."))
    if path in (ALPHA, ALPHA[1:]):
        resampling = configuration.resampling
        if resampling.rule == "none":
            return math.inf
        by = density_rule(resampling.rule, resampling.parameters)
        return float(resampling.alpha) if by else None
    value: Any = configuration.model_dump(mode="json")
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number else None
