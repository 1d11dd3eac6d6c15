"""The catalogue of data sets: what each contains, its terms of use, and where to get it."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, TypeAdapter, ValidationError, model_validator

from repro.errors import DataError
from repro.study.section import Section
from repro.system import input_file

OURS = Path(__file__).with_name("catalogue.yaml")
MOST_BYTES = 2**20  # ours has a few thousand


class Entry(Section):
    """A data set.

    Attributes:
        what: Description of the data set.
        terms: Terms of use.
        ask: Where to request it; None if it can be downloaded.
        url: Download address, together with `file`, its local name, and `size` in bytes.
        sha256: Hash of the file, in hex; None if none is published.
        note: What to know before using it.
    """

    what: str
    terms: str
    ask: str | None = None
    url: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = None
    file: Annotated[str, Field(pattern=r"^[\w-][\w.-]*$")] | None = None
    size: Annotated[int, Field(ge=1)] | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    note: str = ""

    @model_validator(mode="after")
    def _one_way(self) -> "Entry":
        missing = [value is None for value in (self.url, self.file, self.size)]
        if any(missing) if self.ask is None else not all(missing):
            raise ValueError("an entry has either ask, or url with file and size")
        return self


def read(path: Path = OURS) -> dict[str, Entry]:
    """The entries by name.

    Raises:
        DataError: The file is missing or is not a catalogue.
    """
    try:
        content = yaml.safe_load(input_file.read(path, most_bytes=MOST_BYTES))
        return TypeAdapter(dict[str, Entry]).validate_python(content, strict=True)
    except (OSError, yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"{path}: cannot be read as YAML ({_reason(error)})") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise DataError(f"{path}: {place}: {first['msg']}") from None


def _reason(error: Exception) -> str:
    said = error.strerror if isinstance(error, OSError) else error
    return str(said)[:200]


def one(entries: Mapping[str, Entry], name: str) -> Entry:
    """The entry with this name.

    Raises:
        DataError: There is no such entry.
    """
    if name not in entries:
        close = difflib.get_close_matches(name, entries, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise DataError(f"{name!r} is not in the catalogue; there are {', '.join(entries)}.{hint}")
    return entries[name]
