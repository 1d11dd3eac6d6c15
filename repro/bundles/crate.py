"""``ro-crate-metadata.json``: the bundle as a Workflow Run RO-Crate.

RO-Crate 1.1 with the profiles Process Run Crate 0.5 and Workflow Run Crate 0.5
(https://www.researchobject.org/workflow-run-crate/), which the community validator checks. The
study file is the workflow; each run is an action of this program, a failed one with its error.
Every file has its SHA-256, by which a reader checks it.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from repro import __version__
from repro.bundles import environment
from repro.bundles.readme import README
from repro.bundles.staging import RESULTS, TERMS, Staged
from repro.records.records import BriefRecord

METADATA = "ro-crate-metadata.json"
CONTEXT = [
    "https://w3id.org/ro/crate/1.1/context",
    "https://w3id.org/ro/terms/workflow-run/context",
]
PROCESS = "https://w3id.org/ro/wfrun/process/0.5"
WORKFLOW = "https://w3id.org/ro/wfrun/workflow/0.5"
WORKFLOW_CRATE = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
PROFILES = {
    PROCESS: ("Process Run Crate", "0.5"),
    WORKFLOW: ("Workflow Run Crate", "0.5"),
    WORKFLOW_CRATE: ("Workflow RO-Crate", "1.0"),
}
PROGRAM, LANGUAGE, STUDY_RUN = "https://pypi.org/project/repro-claims/", "#study-file", "#study-run"
COMPLETED = "http://schema.org/CompletedActionStatus"
FAILED = "http://schema.org/FailedActionStatus"
KINDS = {
    ".json": "application/json",
    ".csv": "text/csv",
    ".md": "text/markdown",
    ".tex": "application/x-tex",
    ".html": "text/html",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".py": "text/x-python",
    ".txt": "text/plain",
    ".safetensors": "application/octet-stream",
}
NEVER = "1980-01-01T00:00:00+00:00"  # of a bundle none of whose runs has a time

Entity = dict[str, Any]


def document(staged: Staged) -> bytes:
    """The file, of a folder that holds all others; the same files give the same bytes."""
    files = {name: path for name, path in staged.files().items() if name != METADATA}
    graph = [
        _descriptor(),
        _root(staged, files),
        *_profiles(),
        *_program(),
        *_files(staged, files),
        *_data(staged),
        *_environment(staged),
        _study_run(staged, files),
        *(_run(staged, key, record, files) for key, record in staged.found.items()),
    ]
    content = {"@context": CONTEXT, "@graph": graph}
    return f"{json.dumps(content, indent=1, ensure_ascii=False)}\n".encode()


def digests(raw: bytes) -> dict[str, str]:
    """SHA-256 of each file that the metadata describe, by name.

    Raises:
        ValueError: It is no such document; one sentence.
    """
    try:
        graph = json.loads(raw)["@graph"]
        files = [one for one in graph if "File" in _types(one)]
        found = {one["@id"]: one["sha256"] for one in files}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError("it does not describe its files") from None
    if len(found) < len(files) or not all(
        isinstance(name, str) and isinstance(one, str) for name, one in found.items()
    ):
        raise ValueError("it describes a file twice, or without a digest")
    return found


def _types(entity: Any) -> list[str]:
    types = entity.get("@type")
    return types if isinstance(types, list) else [types]


def _descriptor() -> Entity:
    return {
        "@id": METADATA,
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": _refs(["https://w3id.org/ro/crate/1.1", WORKFLOW_CRATE]),
    }


def _root(staged: Staged, files: Mapping[str, Path]) -> Entity:
    index = staged.index
    return {
        "@id": "./",
        "@type": "Dataset",
        "name": f"{index.address}: {index.question}",
        "description": f"Study, records, tables and report of {index.address} ({index.differs}), "
        f"{len(staged.found)} runs, written by repro {__version__}.",
        "datePublished": _last_end(staged),
        "license": {"@id": TERMS},
        "conformsTo": _refs(PROFILES),
        "hasPart": _refs(files),
        "mainEntity": {"@id": staged.study.main},
        "mentions": _refs([STUDY_RUN, *map(_action, staged.found)]),
    }


def _profiles() -> Iterator[Entity]:
    for identifier, (name, version) in PROFILES.items():
        yield {"@id": identifier, "@type": "CreativeWork", "name": name, "version": version}


def _program() -> Iterator[Entity]:
    yield {
        "@id": PROGRAM,
        "@type": "SoftwareApplication",
        "name": "repro",
        "url": PROGRAM,
        "softwareVersion": __version__,
    }
    yield {
        "@id": LANGUAGE,
        "@type": "ComputerLanguage",
        "name": "study file of repro",
        "url": PROGRAM,
        "version": __version__,
    }


def _files(staged: Staged, files: Mapping[str, Path]) -> Iterator[Entity]:
    for name, path in files.items():
        content = path.read_bytes()
        entity: Entity = {
            "@id": name,
            "@type": "File",
            "name": PurePosixPath(name).name,
            "contentSize": str(len(content)),
            "encodingFormat": KINDS.get(PurePosixPath(name).suffix, "application/octet-stream"),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        if name == staged.study.main:
            entity |= {
                "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
                "name": staged.index.name,
                "description": staged.index.question,
                "version": staged.index.variant,
                "programmingLanguage": {"@id": LANGUAGE},
            }
        if name == README:
            entity["about"] = {"@id": "./"}
        yield entity


def _data(staged: Staged) -> Iterator[Entity]:
    for one in staged.datasets:
        entity: Entity = {
            "@id": one.identifier,
            "@type": "Dataset",
            "name": f"{one.role}: {one.source}",
            "identifier": one.digest,
            "description": one.terms,
            "license": {"@id": TERMS},
        }
        if one.where:
            entity["usageInfo"] = one.where
        yield entity


def _environment(staged: Staged) -> Iterator[Entity]:
    """Each version of each package, once."""
    seen: dict[str, Entity] = {}
    for made in environment.of_runs(staged.found):
        for name, version in _versions(made).items():
            identifier = _package(name, version)
            value = {"@id": identifier, "@type": "PropertyValue", "name": name, "value": version}
            seen.setdefault(identifier, value)
    yield from seen.values()


def _versions(made: Mapping[str, Any]) -> dict[str, str]:
    python = {"python": made["python"]} if made.get("python") else {}
    named = {**made.get("libraries", {}), **made.get("packages", {}), **python}
    return {name: str(version) for name, version in sorted(named.items()) if version}


def _study_run(staged: Staged, files: Mapping[str, Path]) -> Entity:
    made = [name for name in files if name.startswith(("tables/", "report/"))]
    return {
        "@id": STUDY_RUN,
        "@type": "CreateAction",
        "name": f"repro run {staged.index.address}",
        "description": f"All runs of the study, and its tables: {staged.index.differs}",
        "instrument": {"@id": staged.study.main},
        "object": _refs(one.identifier for one in staged.datasets),
        "result": _refs(made),
        "startTime": _first_start(staged),
        "endTime": _last_end(staged),
        "actionStatus": COMPLETED,
    }


def _run(staged: Staged, key: str, record: BriefRecord, files: Mapping[str, Path]) -> Entity:
    folder = f"{RESULTS}/runs/{key}/"
    arms = [f"{arm}, seed {seed}" for arm, seed, of in staged.index.wanted() if of == key]
    of_data = {(one.role, one.digest): one.identifier for one in staged.datasets}
    used = [of_data[pair] for pair in record.data.items() if pair in of_data]
    made = environment.of_runs({key: record})[0]
    entity: Entity = {
        "@id": _action(key),
        "@type": "CreateAction",
        "name": "; ".join(arms),
        "description": f"Training and evaluation of one network: {'; '.join(arms)}",
        "instrument": {"@id": PROGRAM},
        "object": _refs([staged.study.main, *dict.fromkeys(used)]),
        "result": _refs(sorted(name for name in files if name.startswith(folder))),
        "environment": _refs(_package(*pair) for pair in _versions(made).items()),
        "actionStatus": COMPLETED if record.finished else FAILED,
    }
    if record.failure is not None:
        failure = record.failure
        entity["error"] = f"epoch {failure['epoch']}: {failure['term']}: {failure['reason']}"
    if times := _times(record):
        entity["startTime"], entity["endTime"] = (one.isoformat() for one in times)
    return entity


def _times(record: BriefRecord) -> tuple[datetime, datetime] | None:
    """When a run began and ended, if its record says it with a time zone."""
    if not record.provenance.get("started"):
        return None
    begin = datetime.fromisoformat(record.provenance["started"])
    if begin.tzinfo is None:
        return None
    return begin, begin + timedelta(seconds=round(record.provenance.get("seconds", 0)))


def _first_start(staged: Staged) -> str:
    begins = [times[0] for one in staged.found.values() if (times := _times(one))]
    return min(begins).isoformat() if begins else NEVER


def _last_end(staged: Staged) -> str:
    ends = [times[1] for one in staged.found.values() if (times := _times(one))]
    return max(ends).isoformat() if ends else NEVER


def _action(key: str) -> str:
    return f"#run-{key}"


def _package(name: str, version: str) -> str:
    return f"#package-{name}-{version}".replace(" ", "-")


def _refs(identifiers: Any) -> list[dict[str, str]]:
    return [{"@id": one} for one in identifiers]
