"""What the metrics of a study's plug-ins returned, so that a bundle is shown without their code.

A value belongs to a metric, to the exact scores, groups and labels of one run, and to a threshold:
``inputs`` is the digest of what the function was given. Scores that were changed have no value.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter

from repro.analysis import own_metrics
from repro.analysis.outcomes import Arm, Outcomes
from repro.bundles import private_parts
from repro.plugins.catalogue import Catalogue
from repro.plugins.declared import Origin, Plugin
from repro.plugins.plugin_errors import PluginError
from repro.records import field_types
from repro.records.records import StudyIndex
from repro.study import methods
from repro.study.claims import QUANTITIES
from repro.study.section import Section
from repro.system import regular_file

FILE = "metrics.json"  # of a bundle
MOST_BYTES = 256 << 20
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Value(Section):
    """What a metric returned for one run."""

    arm: str
    seed: int
    threshold: float | Literal["logit 0"]  # a false-positive rate, or the papers' threshold
    inputs: Digest
    value: float


class Stored(Section):
    """A metric and its values."""

    name: str
    unit: str
    better: Literal["higher", "lower"] | None
    paper: str
    where: str
    digest: str
    values: tuple[Value, ...]


_FILE = TypeAdapter(tuple[Stored, ...])


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The values of one metric by what its function was given; callable as the function is."""

    name: str
    values: Mapping[str, float]

    def __call__(
        self, scores: NDArray[Any], groups: NDArray[Any], labels: NDArray[Any], threshold: float
    ) -> float:
        """The stored value.

        Raises:
            PluginError: None is stored for these inputs.
        """
        found = self.values.get(inputs(scores, groups, labels, threshold))
        if found is None:
            raise PluginError(
                f"metric {self.name}: the bundle has no value for these scores: read the plug-in's "
                "text, then pass --run-plugins"
            )
        return found


@dataclass(frozen=True, slots=True, eq=False)
class _Recorder:
    """Calls a metric's function, and keeps the digest of what it was given, call by call."""

    plugin: Plugin
    given: list[str]

    def __call__(self, *given: Any) -> Any:
        self.given.append(inputs(*given))
        return self.plugin.function(*given)


def of_outcomes(outcomes: Outcomes, index: StudyIndex) -> tuple[Stored, ...]:
    """The values of all metrics of a study that are here, at every threshold that tables use.

    Raises:
        PluginError: A metric raised an exception, or returned no finite number.
    """
    arms = [arm for arm in (*outcomes.arms, *getattr(outcomes, "detectors", ())) if arm.runs]
    return tuple(
        Stored(
            name=name,
            unit=plugin.unit,
            better=plugin.better,
            paper=plugin.paper,
            where=_where(plugin),
            digest=plugin.origin.digest if plugin.origin else "",
            values=tuple(value for arm in arms for value in _values(arm, plugin, _rates(index))),
        )
        for name, plugin in outcomes.own_metrics.items()
        if plugin is not None
    )


def to_json(stored: tuple[Stored, ...]) -> bytes:
    """The file."""
    return _FILE.dump_json(stored, indent=1) + b"\n"


def read(path: Path) -> Catalogue:
    """What a bundle's tables can name: what is built in, and its metrics with their stored values.

    Raises:
        ValueError: The file is not one of these.
        OSError: It is missing.
    """
    found = field_types.parsed(_FILE, regular_file.read(path, at_most=MOST_BYTES))
    return Catalogue(
        {**methods.BUILT_IN.entries, **{("metric", one.name): _plugin(one) for one in found}}
    )


def inputs(
    scores: NDArray[Any], groups: NDArray[Any], labels: NDArray[Any], threshold: float
) -> str:
    """The digest of what a metric's function is given."""
    whole = hashlib.sha256(np.ascontiguousarray(scores, dtype="<f8").tobytes())
    whole.update(json.dumps([groups.tolist(), labels.tolist()]).encode())
    whole.update(np.float64(threshold).astype("<f8").tobytes())
    return whole.hexdigest()


def _rates(index: StudyIndex) -> list[float | None]:
    """Every false-positive rate at which a claim asks of a metric; None: the papers' threshold."""
    found: list[float | None] = [None]
    for claim in index.claims:
        if claim["quantity"] not in QUANTITIES:
            found.append((claim.get("read_at") or {}).get("false_positive_rate"))
    return list(dict.fromkeys(found))


def _values(arm: Arm, plugin: Plugin, rates: list[float | None]) -> Iterator[Value]:
    if arm.scores is None:
        return
    for rate in rates:
        if rate is not None and not arm.scores.nonfaces.shape[1]:
            continue
        recorder = _Recorder(plugin, [])
        found = own_metrics.values(arm, replace(plugin, make=recorder), rate)
        for seed, digest, value in zip(arm.seeds, recorder.given, found, strict=True):
            yield Value(
                arm=arm.name,
                seed=seed,
                threshold="logit 0" if rate is None else rate,
                inputs=digest,
                value=float(value),
            )


def _plugin(stored: Stored) -> Plugin:
    """The metric with its stored values in place of its code."""
    return Plugin(
        kind="metric",
        name=stored.name,
        make=Table(stored.name, {one.inputs: one.value for one in stored.values}),
        unit=stored.unit,
        better=stored.better,
        paper=stored.paper,
        origin=Origin(stored.where, stored.digest, root=stored.where, shown=stored.where),
    )


def _where(plugin: Plugin) -> str:
    return private_parts.path(plugin.origin.where) if plugin.origin else ""
