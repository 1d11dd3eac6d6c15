"""What goes wrong in the code of a plug-in, as one sentence with its own file and line.

The sentence is text: the exception's class may be the plug-in's own, which another process lacks.
"""

import contextlib
import traceback
from collections.abc import Iterator

from repro.errors import ReproError, RunFailed
from repro.system.printing import one_line

MOST_LETTERS = 400  # of what an exception says


class PluginError(ReproError):
    """A plug-in cannot be read, loaded or used; its text is the whole message."""


@contextlib.contextmanager
def told(what: str, *, root: str, shown: str = "") -> Iterator[None]:
    """Within, code of a plug-in is called.

    Args:
        what: What is done, such as ``rule inverse_root``.
        root: The plug-in's file or folder, as in its tracebacks.
        shown: The same as messages show it; as in tracebacks if empty.

    Raises:
        PluginError: It raised an exception, or asked Python to exit.
        RunFailed: It said that this run has failed.
        MemoryError: There is not enough memory.
    """
    try:
        yield
    except (PluginError, RunFailed, MemoryError, KeyboardInterrupt):
        raise
    except BaseException as error:
        if type(error).__name__ == "OutOfMemoryError":  # torch's
            raise
        raise PluginError(_sentence(error, what, root, shown or root)) from None


def _sentence(error: BaseException, what: str, root: str, shown: str) -> str:
    """File and line in the plug-in, what was done, and what the exception says."""
    place = root
    if isinstance(error, SyntaxError) and error.filename and _is_within(error.filename, root):
        place, said = f"{error.filename}:{error.lineno}", f"{type(error).__name__}: {error.msg}"
    else:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if _is_within(frame.filename, root)]
        place = f"{own[-1].filename}:{own[-1].lineno}" if own else root
        said = _said(error)
    return one_line(f"{shown}{place.removeprefix(root)}: {what}: {said}")


def _said(error: BaseException) -> str:
    try:
        text = " ".join(str(error).split())
    except Exception:  # noqa: BLE001 - the exception's class may be the plug-in's own
        text = ""
    if isinstance(error, SystemExit):
        return "it asks Python to exit: raise an exception instead"
    if len(text) > MOST_LETTERS:
        text = f"{text[:MOST_LETTERS]}..."
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _is_within(file: str, root: str) -> bool:
    return file == root or file.startswith(f"{root.rstrip('/')}/")
