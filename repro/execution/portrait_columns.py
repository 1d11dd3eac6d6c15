"""The columns of a study's test portraits that say who is shown and how dark."""

import difflib
import hashlib
import math
from collections.abc import Mapping

from repro.data import sources
from repro.errors import StudyError
from repro.records import portraits
from repro.records.portraits import ByTest, Portraits
from repro.records.study_index import PortraitsIndex
from repro.study.data_spec import Source
from repro.study.schema import NO_COLUMN
from repro.study.study import Study

KEYS = ("cluster", "tone")  # of a study; also the attributes of a reader that name its own columns


def of_study(study: Study, digests: Mapping[Source, str]) -> tuple[PortraitsIndex | None, bytes]:
    """What the index says of the portraits, and the content of the file with their values.

    Args:
        study: Resolved.
        digests: Of the content of each test set of its arms.

    Returns:
        None and nothing if the portraits have neither column.

    Raises:
        StudyError: A test set has no such column, or a tone is no number.
        DataError: A test set is missing or damaged.
    """
    names = {key: _column(study, key, list(digests)) for key in KEYS}
    if not any(names.values()):
        return None, b""
    found: ByTest = {digest: _read(study, spec, names) for spec, digest in digests.items()}
    content = portraits.to_csv(found)
    sha256 = hashlib.sha256(content).hexdigest()
    return PortraitsIndex(cluster=names["cluster"], tone=names["tone"], sha256=sha256), content


def _column(study: Study, key: str, tests: list[Source]) -> str:
    """The column that the study names, or else that all its test sets have of themselves."""
    asked = study.cluster if key == "cluster" else study.tone
    if asked is not None:
        return "" if asked == NO_COLUMN else asked
    own = {getattr(sources.reader(spec), key) for spec in tests}
    return str(own.pop()) if len(own) == 1 else ""


def _read(study: Study, spec: Source, names: Mapping[str, str]) -> Portraits:
    columns = sources.reader(spec).attributes(spec)
    for key, name in names.items():
        if name and name not in columns:
            close = difflib.get_close_matches(name, columns, n=1)
            hint = f" Did you mean {close[0]}?" if close else ""
            known = ", ".join(columns) or "none"
            message = f"{key}: no column '{name}' in data.test, whose columns are {known}.{hint}"
            raise StudyError([study.problem(key, message)])
    shown = sources.portraits(spec).names
    cluster = columns[names["cluster"]] if names["cluster"] else ("",) * len(shown)
    tones = columns[names["tone"]] if names["tone"] else ("",) * len(shown)
    _require_named(study, names["cluster"], shown, cluster)
    return Portraits(
        dict(zip(shown, cluster, strict=True)),
        {name: _tone(study, name, tone) for name, tone in zip(shown, tones, strict=True)},
    )


def _require_named(
    study: Study, column: str, shown: tuple[str, ...], cluster: tuple[str, ...]
) -> None:
    """Reject a portrait of nobody: it would be one person with all others of nobody."""
    lacking = [name for name, who in zip(shown, cluster, strict=True) if not who]
    if column and lacking:
        message = (
            f"cluster: {len(lacking):,} portraits have no value in '{column}', such as "
            f"{lacking[0]}; complete the table, or write `cluster: {NO_COLUMN}`"
        )
        raise StudyError([study.problem("cluster", message)])


def _tone(study: Study, name: str, text: str) -> float:
    if not text:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        message = f"tone: {text[:100]!r} of {name} is no number; name a column of numbers"
        raise StudyError([study.problem("tone", message)])
    return value
