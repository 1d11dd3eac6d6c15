"""A run as it is sent: with the values that MLflow keeps, its files, and a digest of all of it."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from repro.records.mlflow import run_content
from repro.records.mlflow.run_content import Content

LONG = "long_values.json"  # file of a run with values that MLflow cuts or refuses
CUT = f" ... [whole in {LONG}]"
LONGEST_NAME = 250
WEIGHTS = ".safetensors"

Files = Mapping[str, Path | bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A run as it is sent.

    Attributes:
        name: Identifies it at the destination.
        whole: Its content, with values of any length.
        content: The same with values that MLflow keeps.
        takes_files: Whether there is a place for files.
        files: By path within the run.
        weights: Files of networks; none unless asked for.
        digest: Of the whole content and the files.
        weights_digest: Of the weights; empty if there are none.
    """

    name: str
    whole: Content
    content: Content
    takes_files: bool
    files: Files
    weights: Files
    digest: str
    weights_digest: str


def parcel(
    name: str, whole: Content, digests: Mapping[str, str], *, takes_files: bool, weights: bool
) -> Parcel:
    """A run as it is sent.

    Args:
        name: Identifies it at the destination.
        whole: Its content, with values of any length.
        digests: Of files that lie beside the record, by path; of others they are computed.
        takes_files: Whether there is a place for files.
        weights: Whether files of networks are sent.
    """
    files = dict(whole.artifacts) if takes_files else {}
    of_networks = {path: files.pop(path) for path in [*files] if path.endswith(WEIGHTS)}
    if not weights:
        of_networks = {}
    sent = [(path, digests.get(path) or _digest_of(one)) for path, one in sorted(files.items())]
    sent_weights = [(path, digests.get(path)) for path in sorted(of_networks)]
    return Parcel(
        name=name,
        whole=whole,
        content=replace(
            whole,
            params=_kept(whole.params, run_content.LONGEST_PARAM),
            tags=_kept(whole.tags, run_content.LONGEST_TAG),
            points=[point for point in whole.points if len(point[0]) <= LONGEST_NAME],
            artifacts={},
        ),
        takes_files=takes_files,
        files=files,
        weights=of_networks,
        digest=_digest([*_fields(whole), sent]),
        weights_digest=_digest(sent_weights) if of_networks else "",
    )


def lacking(wanted: Mapping[str, str], found: Mapping[str, str]) -> dict[str, str]:
    """The wanted values that are not there whole, by name."""
    return {name: value for name, value in wanted.items() if found.get(name) != value}


def as_json(values: Mapping[str, Mapping[str, str]]) -> bytes:
    """The file `LONG`: values by name, for parameters and for tags."""
    return json.dumps(values, indent=1).encode()


def _kept(values: Mapping[str, str], longest: int) -> dict[str, str]:
    """Values as MLflow takes them, without those whose name it refuses."""
    return {
        name: value if len(value) <= longest else value[: longest - len(CUT)] + CUT
        for name, value in values.items()
        if len(name) <= LONGEST_NAME
    }


def _fields(content: Content) -> Iterator[Any]:
    yield from (content.name, content.status, content.started, content.ended, content.note)
    yield from (sorted(content.params.items()), sorted(content.tags.items()))
    yield sorted(content.points)


def _digest_of(source: Path | bytes) -> str:
    data = source if isinstance(source, bytes) else source.read_bytes()
    return hashlib.sha256(data).hexdigest()


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
