"""What a study declared before its results, kept beside them so that tables can compare.

``results/preregistered/NAME/VARIANT.json`` is never replaced by this program.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from repro.errors import RecordError, ReproError
from repro.records import declared, field_types
from repro.records.records import ADVICE
from repro.system import atomic_files, checksum, regular_file

MOST_BYTES = 64 << 20
_JSON = TypeAdapter(dict[str, Any])


def path_of(name: str, variant: str, results: Path) -> Path:
    """The file of a variant of a study, whether it exists or not."""
    return results / "preregistered" / name / f"{variant}.json"


def write(content: Mapping[str, Any], path: Path) -> Path:
    """Write a preregistration, atomically and sealed.

    Raises:
        ReproError: There is one already.
        CannotWrite: The disk is full, or the path cannot be written.
    """
    if path.parent.is_symlink():
        raise ReproError(f"{path}: its folder is a link, which leads elsewhere; move it away")
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
        return _parsed(regular_file.read(path, at_most=MOST_BYTES))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror}); make it readable") from None
    except ValueError as error:
        raise RecordError(
            f"{path}: this preregistration was changed or damaged ({error}); restore it from a "
            "copy, or move it away to give it up"
        ) from None


def _parsed(raw: bytes) -> dict[str, Any]:
    """The content as it was sealed.

    Raises:
        ValueError: It was changed, or is no preregistration.
    """
    if not checksum.is_whole(raw):
        raise ValueError("its checksum does not match")
    content = field_types.parsed(_JSON, raw)
    del content["checksum"]
    declared.require(content)
    return content
