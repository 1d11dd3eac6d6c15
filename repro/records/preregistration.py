"""What a study declared before its results, kept beside them so that tables can compare.

``results/preregistered/NAME/VARIANT.json`` is never replaced by this program.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from repro.errors import RecordError, ReproError
from repro.records.records import ADVICE
from repro.system import atomic_files, checksum, input_file

FIELDS = {"date", "digest", "declared", "records"}


def path_of(name: str, variant: str, results: Path) -> Path:
    """The file of a variant of a study, whether it exists or not."""
    return results / "preregistered" / name / f"{variant}.json"


def write(content: Mapping[str, Any], path: Path) -> Path:
    """Write a preregistration, atomically and sealed.

    Raises:
        ReproError: There is one already.
        CannotWrite: The disk is full, or the path cannot be written.
    """
    if path.exists():
        raise ReproError(
            f"{path}: this study is preregistered already; a preregistration is not replaced: "
            "move the file away to give it up"
        )
    return atomic_files.put(path, checksum.seal(content), advice=ADVICE)


def read(name: str, variant: str, results: Path) -> dict[str, Any] | None:
    """The preregistration of a variant of a study; None if there is none.

    Raises:
        RecordError: It is damaged, changed or not readable.
    """
    path = path_of(name, variant, results)
    try:
        raw = input_file.read(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror}); make it readable") from None
    content = _parsed(raw)
    if content is None:
        raise RecordError(
            f"{path}: this preregistration was changed or damaged; restore it from a copy, or move "
            "it away to give it up"
        )
    return content


def _parsed(raw: bytes) -> dict[str, Any] | None:
    """The content as it was sealed; None if it is not."""
    try:
        content = json.loads(raw)
    except ValueError:
        return None
    if not checksum.is_whole(raw) or not isinstance(content, dict) or not content.keys() >= FIELDS:
        return None
    return {name: value for name, value in content.items() if name != "checksum"}
