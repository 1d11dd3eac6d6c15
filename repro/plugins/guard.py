"""Call code of a plug-in so that nothing else notices it.

What a process shares is as before afterwards: random states, torch's threads, default dtype,
deterministic mode, gradient mode and precision, NumPy's treatment of errors, the environment, the
working folder, Python's search path and its filters of warnings. What it prints goes to standard
error, line by line, so that tables stay clean.
"""

import contextlib
import functools
import io
import os
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from repro.system.printing import say

Restore = Callable[[], object]


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Within, code of a plug-in is called; what the process shares is restored afterwards."""
    restore = [*_of_python(), *_of_numpy(), *_of_torch()]
    printed = _Lines()
    try:
        with contextlib.redirect_stdout(printed):
            yield
    finally:
        for one in restore:
            one()
        printed.end()


class _Lines(io.TextIOBase):
    """Passes lines to standard error as they come: a plug-in may never end."""

    def __init__(self) -> None:
        """Nothing was printed yet."""
        self.rest = ""

    def write(self, text: str) -> int:
        """Say the lines that are complete."""
        *lines, self.rest = (self.rest + text).split("\n")
        if lines:
            say("\n".join(lines), err=True)
        return len(text)

    def end(self) -> None:
        """Say what has no line end."""
        if self.rest:
            say(self.rest, err=True)


def _of_python() -> Iterator[Restore]:
    state, path, environment, folder = random.getstate(), [*sys.path], {**os.environ}, _folder()
    yield lambda: random.setstate(state)
    yield lambda: _set_path(path)
    yield lambda: _set_environment(environment)
    yield lambda: _set_folder(folder)
    filters = [*warnings.filters]
    yield lambda: _set_filters(filters)


def _of_numpy() -> Iterator[Restore]:
    import numpy as np  # not above, for `repro --help` and whatever names plug-ins only

    state, errors = np.random.get_state(), np.geterr()  # noqa: NPY002 - the global one, as found
    yield lambda: np.random.set_state(state)  # noqa: NPY002
    yield lambda: np.seterr(**errors)


def _of_torch() -> Iterator[Restore]:
    """If torch is loaded only within, it is given the settings with which it starts."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield _as_torch_starts
        return
    yield functools.partial(torch.set_rng_state, torch.get_rng_state())
    yield functools.partial(torch.set_default_dtype, torch.get_default_dtype())
    yield functools.partial(torch.set_grad_enabled, torch.is_grad_enabled())
    precision, backends = torch.get_float32_matmul_precision(), torch.backends
    benchmark, tf32 = backends.cudnn.benchmark, backends.cudnn.allow_tf32
    yield lambda: torch.set_float32_matmul_precision(precision)
    yield lambda: setattr(backends.cudnn, "benchmark", benchmark)
    yield lambda: setattr(backends.cudnn, "allow_tf32", tf32)
    threads, strict, warns = (
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    yield lambda: torch.use_deterministic_algorithms(strict, warn_only=warns)
    yield lambda: threads == torch.get_num_threads() or torch.set_num_threads(threads)


def _as_torch_starts() -> None:
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_default_dtype(torch.float32)
        torch.set_grad_enabled(True)
        torch.use_deterministic_algorithms(False)
        torch.set_float32_matmul_precision("highest")
        torch.backends.cudnn.benchmark = False


def _set_path(path: list[str]) -> None:
    if sys.path != path:
        sys.path[:] = path


def _set_filters(filters: list[Any]) -> None:
    if warnings.filters != filters:
        warnings.filters[:] = filters  # type: ignore[index]
        warnings._filters_mutated()  # type: ignore[attr-defined]


def _set_environment(before: dict[str, str]) -> None:
    if dict(os.environ) != before:
        os.environ.clear()
        os.environ.update(before)


def _folder() -> str | None:
    try:
        return os.getcwd()
    except OSError:  # it was removed
        return None


def _set_folder(folder: str | None) -> None:
    if folder is not None and _folder() != folder:
        with contextlib.suppress(OSError):
            os.chdir(folder)
