"""Checks of the arguments of public functions; every message names the argument.

A wrong type raises `TypeError`; an unknown word, a number out of range, a wrong shape and a value
that is not allowed raise `ValueError`. Text and booleans are no numbers. What is returned is what
has to be used: plain numbers instead of NumPy's narrow ones, which wrap around, and arrays.
"""

import difflib
import numbers
import operator
from collections.abc import Collection
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

NEAR = 0.6  # similarity from which on an allowed word is suggested
ROUNDING = 1e-9  # tolerance for the range


def word(name: str, value: object, allowed: Collection[str]) -> None:
    """Refuse a word that is not allowed.

    Raises:
        ValueError: It lists the allowed words and suggests the nearest.
    """
    if isinstance(value, str) and value in allowed:
        return
    *first, last = (repr(one) for one in allowed)
    words = f"{', '.join(first)} or {last}" if first else last
    raise ValueError(f"{name} must be {words}, not {value!r}{_hint(value, allowed)}")


def _hint(value: object, allowed: Collection[str]) -> str:
    """``; did you mean 'x'?`` if one of the allowed words is near."""
    lower = {one.lower(): one for one in allowed}
    near = difflib.get_close_matches(str(value).lower()[:100], lower, n=1, cutoff=NEAR)
    return f"; did you mean {lower[near[0]]!r}?" if near else ""


def whole(name: str, value: Any, low: int, high: int | None = None) -> int:
    """A whole number from `low` to `high`, both included."""
    try:
        found = operator.index(value)
    except TypeError:
        found = None
    if found is None or isinstance(value, bool):
        raise TypeError(f"{name} must be a whole number, not {value!r}")
    if found < low or (high is not None and found > high):
        upper = "" if high is None else f" and at most {high}"
        raise ValueError(f"{name} must be at least {low}{upper}, not {found}")
    return found


def number(name: str, value: Any, low: float, high: float, *, ends: bool = True) -> float:
    """A number from `low` to `high`, with or without these ends; NaN is refused."""
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number, not {value!r}")
    found = _to_float(value)
    if not (low <= found <= high if ends else low < found < high):
        interval = f"[{low:g}, {high:g}]" if ends else f"({low:g}, {high:g})"
        raise ValueError(f"{name} must lie in {interval}, not {found:g}")
    return found


def _to_float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer beyond the largest float
        return np.inf if value > 0 else -np.inf


def text(name: str, value: object) -> None:
    """Refuse all but text of at least one letter.

    Raises:
        TypeError: Not text.
        ValueError: Empty.
    """
    if not isinstance(value, str):
        raise TypeError(f"{name} must be text, not {value!r}")
    if not value:
        raise ValueError(f"{name} must not be empty")


def path(name: str, value: object) -> Path:
    """A path, given as one or as text; bytes are refused, and so is what no file is called."""
    if not isinstance(value, Path):
        text(name, value)
    found = Path(cast(str, value))
    if "\0" in str(found):
        raise ValueError(f"{name} must be a path, not {value!r}")
    return found


def flag(name: str, value: object) -> None:
    """Refuse all but True and False: ``"no"`` would count as True."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False, not {value!r}")


def level(value: Any) -> float:
    """The level of an interval, above 0 and below 1."""
    return number("level", value, 0, 1, ends=False)


def array(
    name: str,
    values: ArrayLike,
    shape: str,
    *,
    low: float = -np.inf,
    high: float = np.inf,
    nan: bool = False,
) -> NDArray[Any]:
    """Finite floating-point numbers; integers become float64.

    Args:
        name: Of the argument.
        values: An array, or what NumPy converts to one.
        shape: As documented: ``(R,)``, ``(N, D)``; with leading axes ``(..., R, K)``.
        low: The smallest allowed value.
        high: The largest allowed value.
        nan: Whether NaN is allowed.
    """
    found = _converted(name, values)
    if found.dtype.kind not in "fiu" and found.size:
        raise TypeError(f"{name} must be real numbers, not {found.dtype}")
    _dimensions(name, found, shape)
    if found.dtype.kind != "f":
        found = found.astype(np.float64)
    wrong = np.isinf(found) if nan else ~np.isfinite(found)
    if wrong.any():
        raise not_finite(name, found, wrong)
    wrong = (found < low - ROUNDING) | (found > high + ROUNDING) if low > -np.inf else None
    if wrong is not None and wrong.any():
        raise ValueError(f"{name} must lie in [{low:g}, {high:g}]: {_where(found, wrong)}")
    return found


def vector(name: str, values: ArrayLike, shape: str = "(R,)", **limits: Any) -> NDArray[np.float64]:
    """A row of at least one number, as float64; the limits are those of `array`."""
    found = array(name, values, shape, **limits)
    if not len(found):
        raise ValueError(f"{name} must have at least one value")
    return found.astype(np.float64, copy=False)


def booleans(name: str, values: ArrayLike, shape: str = "(N,)") -> NDArray[np.bool_]:
    """A boolean array; 0 and 1 are refused, because ``~`` negates only booleans."""
    found = _converted(name, values)
    if found.dtype != np.bool_:
        raise TypeError(f"{name} must be boolean, not {found.dtype}")
    _dimensions(name, found, shape)
    return found


def probabilities(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Weights that sum to 1 within the precision of their type (NumPy's rule), as float64."""
    given = _converted(name, values)
    found = vector(name, given, "(N,)", low=0.0)
    total = float(found.sum())
    if abs(total - 1) > np.sqrt(np.finfo(given.dtype if given.dtype.kind == "f" else float).eps):
        raise ValueError(f"{name} must sum to 1, not {total:g}; divide them by their sum")
    return found if given.dtype == np.float64 else found / total


def equal_shapes(**arrays: Any) -> None:
    """Refuse arrays or tensors of different shapes, which would broadcast."""
    if len({tuple(one.shape) for one in arrays.values()}) > 1:
        shapes = ", ".join(f"{name} {tuple(one.shape)}" for name, one in arrays.items())
        raise ValueError(f"shapes differ: {shapes}")


def generator(value: object) -> None:
    """Refuse anything but a NumPy generator, such as a seed."""
    if not isinstance(value, np.random.Generator):
        raise TypeError(
            "generator must be a numpy.random.Generator, such as numpy.random.default_rng(seed), "
            f"not {value!r}"
        )


def not_finite(name: str, values: NDArray[Any], wrong: NDArray[np.bool_]) -> ValueError:
    """The error for values that are NaN or infinite: how many, and where the first one is."""
    return ValueError(f"{name} must be finite: {_where(values, wrong)}")


def _converted(name: str, values: ArrayLike) -> NDArray[Any]:
    """An array, unless rows differ in length or values are masked, which NumPy would uncover."""
    if np.any(getattr(values, "mask", False)):
        raise ValueError(f"{name} must have no masked values: leave them out")
    try:
        return np.asarray(values)
    except ValueError:
        raise ValueError(f"{name} must have rows of equal length") from None


def _where(values: NDArray[Any], wrong: NDArray[np.bool_]) -> str:
    """How many values are wrong, and which is the first."""
    count, first = int(wrong.sum()), np.argwhere(wrong)[0]
    are = "is" if count == 1 else "are"
    place = f" at [{', '.join(map(str, first))}]" if values.ndim else ""
    return f"{count:,} of {values.size:,} {are} not; the first is {values[tuple(first)]:g}{place}"


def _dimensions(name: str, values: NDArray[Any], shape: str) -> None:
    """Refuse a number of axes that differs from the documented shape."""
    axes = [axis for axis in shape.strip("()").split(",") if axis.strip()]
    more = axes[0] == "..."
    least = len(axes) - more
    if values.ndim < least or (values.ndim > least and not more):
        raise ValueError(f"{name} must have shape {shape}, not {values.shape}")
