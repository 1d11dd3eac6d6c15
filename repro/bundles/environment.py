"""The environments of a study's runs as recorded, and the one that wrote the bundle."""

import importlib.metadata
import json
import platform
from collections.abc import Mapping
from typing import Any

from repro import __version__
from repro.records.records import BriefRecord

FIELDS = (
    *("python", "packages", "system", "processor", "device", "kernels", "kernels_build"),
    *("compiler", "threads"),
)


def of_runs(found: Mapping[str, BriefRecord]) -> list[dict[str, Any]]:
    """The different environments of some runs, each with the keys of its runs."""
    different: dict[str, dict[str, Any]] = {}
    for key, record in found.items():
        made = {name: record.provenance[name] for name in FIELDS if name in record.provenance}
        made["libraries"] = dict(record.computation.get("libraries", {}))
        one = different.setdefault(json.dumps(made, sort_keys=True), {**made, "runs": []})
        one["runs"].append(key)
    return list(different.values())


def here() -> dict[str, Any]:
    """This environment: Python, platform, and every installed package with its version."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "repro": __version__,
        "packages": packages(),
    }


def packages() -> dict[str, str]:
    """Installed distributions and their versions, by name; this program is not among them."""
    found = {}
    for one in importlib.metadata.distributions():
        name = one.metadata["Name"] if one.metadata else None
        if name and name.lower() != "repro-claims":
            found[str(name)] = one.version
    return dict(sorted(found.items(), key=lambda pair: (pair[0].lower(), pair[1])))


def document(found: Mapping[str, BriefRecord]) -> bytes:
    """``environment/environment.json``: what was recorded, and what wrote the bundle."""
    content = {"recorded": of_runs(found), "bundled": here()}
    return f"{json.dumps(content, indent=1, ensure_ascii=False)}\n".encode()


def constraints() -> bytes:
    """``environment/constraints.txt``: the packages that were there when the bundle was written."""
    lines = [f"{name}=={version}" for name, version in packages().items()]
    head = (
        "# What was installed where the bundle was written: pip install -c constraints.txt ...\n"
        "# What each run was made with stands in environment.json.\n"
    )
    return (head + "\n".join(lines) + "\n").encode()
