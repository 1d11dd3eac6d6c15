"""Differences between two runs, in words: choices, data, computation, environment, results.

A difference is a short text such as ``torch 2.13.0 -> 2.14.0``; the older value comes first.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from repro.records.numerics import numerics_of
from repro.records.records import EPOCH_WEIGHTS, WEIGHTS, Record

# Fields of a record's provenance that may change the last bits and are not part of a run's name.
ENVIRONMENT = (
    *("system", "processor", "cpu_capability", "device", "kernels_build", "compiler", "python"),
    "variables_kept",
)
SHOWN = 4  # maximum number of names in a text
ABSENT = "none"


def of_choices(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Fields in which two configurations, as plain values, differ, except the data."""
    before, after = dict(_leaves(old)), dict(_leaves(new))
    return [
        f"{name}: {before.get(name, ABSENT)} -> {after.get(name, ABSENT)}"
        for name in {**before, **after}
        if before.get(name, ABSENT) != after.get(name, ABSENT) and not name.startswith("data.")
    ]


def of_data(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Parts of the data whose content differs."""
    return [f"data.{part}: content changed" for part in new if old.get(part) != new[part]]


def of_computation(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Numerics, libraries, device, kernels and threads, which are part of a run's name."""
    if not old:
        return ["its record has schema 1, which does not hold code and libraries"]
    found = []
    known = numerics_of(old)
    if known is None:
        found.append(f"numerics: not known for the code that made it -> {new['numerics']}")
    elif known != new["numerics"]:
        found.append(f"numerics {known} -> {new['numerics']}")
    for name in new["libraries"]:
        if not _same(old, new, "libraries", name):
            before = old.get("libraries", {}).get(name, ABSENT)
            found.append(f"{name} {before} -> {new['libraries'][name]}")
    for name in ("device", "kernels", "threads"):
        if old.get(name) != new[name]:
            found.append(f"{name} {old.get(name, ABSENT)} -> {new[name]}")
    return found


def of_code(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Modules whose meaning differs; they may change no bit, and are not part of a run's name."""
    if not old:
        return []
    both = {**old.get("code", {}), **new["code"]}
    changed = [module for module in both if not _same(old, new, "code", module)]
    return [f"code: {_list([name.rpartition('.')[0] for name in changed])}"] if changed else []


def of_environment(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Other differences between two machines; a value that one side lacks is not a difference."""
    return [
        f"{name}: {old[name]} -> {new[name]}"
        for name in ENVIRONMENT
        if name in old and name in new and old[name] != new[name]
    ]


def of_results(old: Record, new: Record) -> list[str]:
    """Results that differ, to the last bit."""
    found = []
    if old.failure != new.failure:
        found.append(f"outcome: {_outcome(old)} -> {_outcome(new)}")
    for before, after in zip(old.history, new.history, strict=False):
        if before != after:
            names = [name for name in after if before.get(name) != after[name]]
            found.append(f"history from epoch {after['epoch']:.0f} on ({_list(names)})")
            break
    if len(old.history) != len(new.history):
        found.append(f"epochs: {len(old.history)} -> {len(new.history)}")
    for what in ("groups", "nonfaces", "metrics", "kl_per_latent"):
        if getattr(old, what) != getattr(new, what):
            found.append(what.replace("_", " "))
    files = [n for n in {**old.files, **new.files} if old.files.get(n) != new.files.get(n)]
    if EPOCH_WEIGHTS not in old.files and WEIGHTS in old.files:  # as earlier releases kept them
        files = [name for name in files if name != EPOCH_WEIGHTS]
    return [*found, *files]


def of_source(old: str, new: str) -> list[str]:
    """Source runs, by key."""
    return [f"source run {old or ABSENT} -> {new or ABSENT}"] if old != new else []


def of_plugins(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Plug-ins whose files differ, by kind and name, with the digests."""
    return [
        f"plug-in {name}: {old.get(name, ABSENT)} -> {new.get(name, ABSENT)}"
        for name in {**old, **new}
        if old.get(name) != new.get(name)
    ]


def _same(old: Mapping[str, Any], new: Mapping[str, Any], part: str, name: str) -> bool:
    return bool(old.get(part, {}).get(name) == new[part].get(name))


def _outcome(record: Record) -> str:
    if record.failure is None:
        return "finished"
    return f"failed in epoch {record.failure['epoch']} ({record.failure['term']})"


def _list(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
