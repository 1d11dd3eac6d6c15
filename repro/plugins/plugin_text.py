"""A plug-in as text: one file, or one folder with ``__init__.py`` and relative imports.

The text travels to every worker, and its digest is part of the names of the runs that use it. The
digest covers the bytes of all files, data files included; ``__pycache__`` and hidden files are left
out. Line ends of text are those of Unix, so that a checkout on Windows has the same digest.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from repro.plugins.plugin_errors import PluginError
from repro.system import input_file

INIT = "__init__.py"
MOST_BYTES = 2_000_000  # of all files
MOST_FILES = 200
DIGITS = 32  # of a digest, hexadecimal
KIND = f"a plug-in is a file NAME.py, or a folder with {INIT}"


class Missing(PluginError):
    """There is no such file or folder."""


@dataclass(frozen=True, slots=True)
class PluginText:
    """What a plug-in is made of.

    Attributes:
        where: File or folder as the user named it.
        files: Content by path below the folder; of a file, its own name.
        digest: Of all files, 32 hex digits.
    """

    where: str
    files: Mapping[str, bytes] = field(repr=False, hash=False)
    digest: str

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return INIT in self.files

    @property
    def module(self) -> str:
        """Name of its module, which no other text has."""
        stem = re.sub(r"\W", "_", Path(self.where).name.removesuffix(".py"), flags=re.ASCII)
        return f"repro_plugin_{stem}_{self.digest}"

    def sources(self) -> Iterator[tuple[str, str]]:
        """Path, as in tracebacks, and text of each file of Python.

        Raises:
            PluginError: One is not UTF-8.
        """
        for name, content in self.files.items():
            if name.endswith(".py"):
                yield self.path(name), _decoded(content, self.path(name))

    def path(self, name: str) -> str:
        """One of its files, as in tracebacks."""
        return f"{self.where}/{name}" if self.is_folder else self.where


def read(path: Path) -> PluginText:
    """Read a plug-in; nothing of it is run.

    Args:
        path: Its file or folder.

    Raises:
        PluginError: It is missing, something else, too large, or lies in a results folder.
    """
    where = str(path)
    try:
        resolved = path.resolve(strict=True)
        require_no_results(resolved, where)
        files = _folder(path) if path.is_dir() else {path.name: _file(path)}
        if sum(map(len, files.values())) > MOST_BYTES:
            raise input_file.TooLarge(MOST_BYTES)
    except FileNotFoundError:
        raise Missing(f"{where}: file not found") from None
    except (OSError, ValueError, RuntimeError) as error:
        raise PluginError(f"{where}: {_reason(error)}") from None
    text = PluginText(where, files, _digest(files))
    for _ in text.sources():
        pass  # each is UTF-8
    return text


def _file(path: Path) -> bytes:
    if path.suffix != ".py":
        raise PluginError(f"{path}: {KIND}")
    return _normalised(input_file.read(path, most_bytes=MOST_BYTES))


def _folder(folder: Path) -> dict[str, bytes]:
    if not (folder / INIT).is_file():
        raise PluginError(f"{folder}: this folder has no {INIT}; {KIND}")
    files: dict[str, bytes] = {}
    for path in _paths(folder):
        if len(files) == MOST_FILES:
            raise PluginError(f"{folder}: more than {MOST_FILES} files; {KIND} and little else")
        files[path.relative_to(folder).as_posix()] = _normalised(
            input_file.read(path, most_bytes=MOST_BYTES)
        )
        if sum(map(len, files.values())) > MOST_BYTES:
            raise input_file.TooLarge(MOST_BYTES)
    return files


def _paths(folder: Path) -> Iterator[Path]:
    """The files of a folder and those below it, in the order of their names."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name == "__pycache__" or path.suffix == ".pyc":
            continue
        if path.is_symlink():
            raise PluginError(f"{path}: a link in a plug-in's folder: put the file itself there")
        if path.is_dir():
            yield from _paths(path)
        else:
            yield path


def _normalised(content: bytes) -> bytes:
    """Text with line ends of Unix; other content as it is."""
    if b"\0" in content:
        return content
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return content
    return content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _decoded(content: bytes, path: str) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PluginError(f"{path}: this is not UTF-8 text; {KIND}") from None
    if "\0" in text:
        raise PluginError(f"{path}: this is not text; {KIND}")
    return text


def _digest(files: Mapping[str, bytes]) -> str:
    """Of one file, the first digits of its SHA-256; of more, that of a list as `sha256sum` has."""
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    if INIT not in files:
        return next(iter(sums.values()))[:DIGITS]
    listed = "".join(f"{one}  {name}\n" for name, one in sorted(sums.items()))
    return hashlib.sha256(listed.encode("utf-8", "surrogateescape")).hexdigest()[:DIGITS]


def require_no_results(path: Path, where: str) -> None:
    """Refuse a path in a folder of results: code that came with results is never run.

    Args:
        path: Resolved, of a plug-in or of a study that lists one.
        where: The same as messages show it.

    Raises:
        PluginError: It lies in one.
    """
    for folder in path.parents:
        if _holds_results(folder):
            raise PluginError(
                f"{where}: it lies in a folder of results, {folder}; code is never run from there: "
                "read it, and copy it beside the study"
            )


def _holds_results(folder: Path) -> bool:
    marks = ("record.json", "runs/*/record.json", "studies/*/*.json")
    return any(next(folder.glob(mark), None) is not None for mark in marks)


def _reason(error: OSError | ValueError | RuntimeError) -> str:
    if isinstance(error, input_file.TooLarge):
        return f"{error.strerror}: a plug-in holds code and small tables; {KIND}"
    if isinstance(error, input_file.NotAFile):
        return f"{error.strerror}; {KIND}"
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror}"
    return f"cannot be read: {error}"
