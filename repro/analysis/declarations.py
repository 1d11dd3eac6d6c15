"""What a study declared before its results: which were known, and what was changed since."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from repro.errors import RecordError
from repro.records.records import BriefRecord, StudyIndex

Plain = Mapping[str, Any]
WORDS = {
    "false_positive_rates": "false-positive rates",
    "read_at": "threshold",
    "smallest_effect": "smallest effect",
    "select": "selection",
    "gap_share": "share of a gap",
    "expect": "expected direction",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """A study's preregistration, compared with its results.

    Attributes:
        date: In ISO 8601, with its zone.
        digest: Of what was declared.
        known: Number of runs that had a record then.
        said: Which these are, in words.
        changed: What is another now: keys of the study, of a claim or of an arm.
    """

    date: str
    digest: str
    known: int
    said: str
    changed: tuple[str, ...]


def of_index(index: StudyIndex, found: Mapping[str, BriefRecord]) -> Declaration | None:
    """The declaration of a study; None if it was not preregistered.

    Args:
        index: Of the study.
        found: Its records by key, whose configurations and data are compared.
    """
    content = index.preregistration
    if content is None:
        return None
    return Declaration(
        date=content["date"],
        digest=content["digest"],
        known=len(content["records"]["exist"]),
        said=content["records"]["said"],
        changed=tuple(_changes(content["declared"], index, found)),
    )


def _changes(declared: Plain, index: StudyIndex, found: Mapping[str, BriefRecord]) -> Iterator[str]:
    now = {
        "question": index.question,
        "reference": index.reference,
        "select": index.select,
        "compare": index.compare,
        "false_positive_rates": index.false_positive_rates,
        "margin": (index.published or {}).get("margin"),
        "seeds": {"first": index.first_seed, "replicates": index.replicates},
    }
    yield from (_word(key) for key, value in now.items() if _plain(declared[key]) != _plain(value))
    yield from _changed_claims(declared["claims"], index.claims)
    if _plain(declared.get("gap_share")) != _plain(index.gap_share):
        yield _word("gap_share")
    looks = index.looks
    if looks and (looks.changed or list(looks.planned) != declared["stop"]["looks"]):
        yield "stop"
    yield from _changed_arms(declared["arms"], index, found)


def _changed_claims(declared: Sequence[Plain], now: Sequence[Plain]) -> Iterator[str]:
    before, today = ({one["name"]: _given(one) for one in claims} for claims in (declared, now))
    for name, claim in before.items():
        if name not in today:
            yield f"the claim '{name}' (left out)"
        elif keys := [
            _word(key)
            for key in dict.fromkeys([*claim, *today[name]])
            if claim.get(key) != today[name].get(key)
        ]:
            yield f"the claim '{name}' ({', '.join(keys)})"
    yield from (f"the claim '{name}' (added)" for name in today if name not in before)


def _changed_arms(
    declared: Sequence[Plain], index: StudyIndex, found: Mapping[str, BriefRecord]
) -> Iterator[str]:
    today = {arm.name: arm for arm in index.arms}
    for arm in declared:
        own = today.pop(arm["name"], None)
        if own is None:
            yield f"the arm '{arm['name']}' (left out)"
            continue
        records = [found[key] for key in own.keys if key in found]
        keys = [*(["selection"] if own.select != arm["select"] else []), *_of_runs(arm, records)]
        if keys:
            yield f"the arm '{arm['name']}' ({', '.join(keys)})"
    yield from (f"the arm '{name}' (added)" for name in today)


def _of_runs(declared: Plain, runs: Sequence[BriefRecord]) -> Iterable[str]:
    """The choices in which a run of an arm differs from what was declared of it."""
    keys: dict[str, None] = {}
    for record in runs:
        keys |= dict.fromkeys(_differing(declared["configuration"], _choices(record)))
        if record.data != declared["data"]:
            keys["data"] = None
    return keys


def _choices(record: BriefRecord) -> dict[str, Any]:
    try:
        return record.choices.identity()
    except RecordError:  # of another release
        return dict(record.configuration)


def _differing(declared: Plain, now: Plain, prefix: str = "") -> Iterator[str]:
    """Keys that are declared and differ now; a later release may have more."""
    for key, value in declared.items():
        own = now.get(key)
        if isinstance(value, Mapping) and isinstance(own, Mapping):
            yield from _differing(value, own, f"{prefix}{key}.")
        elif value != own:
            yield f"{prefix}{key}"


def _given(value: Any) -> Any:
    """A plain value without the keys that have none."""
    if isinstance(value, Mapping):
        return {key: _given(one) for key, one in value.items() if one is not None}
    return value


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _word(key: str) -> str:
    return WORDS.get(key, key)
