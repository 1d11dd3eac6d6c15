"""What an argument may wrongly be, by what it has to be: each value under what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

HUGE = 2**70  # larger than every integer of NumPy


@dataclass(frozen=True)
class Argument:
    """A right value, and wrong ones by what is wrong.

    Attributes:
        named: What a refusal calls it, where that is not its name.
    """

    right: Any
    wrong: Mapping[str, Any] = field(default_factory=dict)
    named: str | None = None


OTHERS = {"None": None, "text": "text", "bytes": b"text", "object": object(), "type": float}


def whole(right: int, low: int, high: int | None = None, **more: Any) -> Argument:
    """A whole number in a range."""
    wrong = {"fraction": 2.5, "float": 2.0, "digits": "2", "boolean": True, "NaN": float("nan")}
    wrong |= {"NumPy boolean": np.True_, "NumPy float": np.float64(2), "list": [2], "dict": {}}
    wrong |= {"negative": -1, "too small": low - 1, "negative huge": -HUGE}
    if high is not None:
        wrong |= {"too large": high + 1, "huge": HUGE}
    return Argument(right, OTHERS | wrong | more)


def number(right: float, low: float, high: float, *, ends: bool) -> Argument:
    """A number in a range, with or without its ends."""
    wrong = {"NaN": float("nan"), "digits": "0.5", "boolean": True, "complex": 0.5 + 0j}
    wrong |= {"list": [0.5], "array": np.array([0.5]), "NumPy text": np.str_("0.5")}
    wrong |= {"negative": -0.5, "minus infinity": -np.inf}
    if not ends:
        wrong |= {"low end": low, "high end": high}
    if np.isfinite(high):
        wrong |= {"above": high + 0.5, "infinite": np.inf, "huge": HUGE}
    return Argument(right, OTHERS | wrong)


def word(right: str, *, none: bool = False) -> Argument:
    """A word out of a few; None as well where `none`."""
    wrong = OTHERS | {
        "empty": "",
        "upper case": right.upper(),
        "space": f"{right} ",
        "list": [right],
    }
    wrong |= {"number": 1, "boolean": True}
    return Argument(right, {k: v for k, v in wrong.items() if not (none and v is None)})


def numbers(
    right: np.ndarray,
    *,
    low: float | None = None,
    high: float | None = None,
    nan: bool = False,
    least: int = 1,
    leading: bool = False,
    **more: Any,
) -> Argument:
    """An array of real numbers; `least` of them at least, with leading axes where `leading`."""
    at = (0,) * right.ndim
    wrong = OTHERS | {
        "infinite": changed(right, at, np.inf),
        "minus infinity": changed(right, at, -np.inf),
        "words": right.astype(str),
        "booleans": right > 0,
        "complex": right.astype(complex),
        "objects": np.full_like(right, None, dtype=object),
        "dates": np.zeros(right.shape, dtype="datetime64[s]"),
        "ragged": [[1.0, 2.0], [3.0]],
        "masked": np.ma.masked_less(right, np.inf),
        "huge": np.full_like(right, HUGE, dtype=object),
        "no axis": np.float64(0.5),
    }
    if not nan:
        wrong["NaN"] = changed(right, at, np.nan)
    if not leading:
        wrong["another axis"] = right[None]
    if right.ndim > 1:
        wrong["one axis"] = right.ravel()
    if least:
        wrong["empty"] = right[..., :0]
        wrong["no rows"] = right[..., :0, :] if right.ndim > 1 else []
    if low is not None:
        wrong["below"] = changed(right, at, low - 0.5)
    if high is not None:
        wrong["above"] = changed(right, at, high + 0.5)
    return Argument(right, wrong | more)


def changed(array: Any, at: tuple[int, ...], value: float) -> Any:
    """A copy of an array or a tensor with one other value."""
    copy = array.clone() if isinstance(array, torch.Tensor) else array.copy()
    copy[at] = value
    return copy


def booleans(right: np.ndarray, **more: Any) -> Argument:
    """A boolean array."""
    wrong = {"integers": right.astype(int), "floats": right.astype(float), "empty": []}
    wrong |= {"words": right.astype(str), "objects": right.astype(object)}
    wrong |= {"another axis": right[None], "no axis": np.True_, "ragged": [[True, False], [True]]}
    wrong |= {"masked": np.ma.array(right, mask=right), "longer": np.append(right, True)}
    return Argument(right, OTHERS | wrong | more)


def tensor(right: torch.Tensor, *, finite: bool = True, alone: bool = False) -> Argument:
    """A tensor of floating-point numbers, which others have to fit if it is not `alone`."""
    at = (0,) * right.ndim
    wrong = OTHERS | {"array": right.numpy(), "list": right.tolist(), "integers": right.long()}
    wrong |= {"booleans": right > 0, "complex": right + 0j, "bytes of pixels": right.byte()}
    wrong |= {"another axis": right[None], "no axis": right[at]}
    if finite:
        bad = {"NaN": torch.nan, "infinite": torch.inf, "minus infinity": -torch.inf}
        wrong |= {name: changed(right, at, value) for name, value in bad.items()}
    if not alone:
        wrong |= {"shorter": right[:1], "longer": torch.cat([right, right]), "empty": right[:0]}
        if right.ndim > 1:
            wrong["narrower"] = right[:, :1]
    return Argument(right, wrong)


def face_tensor(right: torch.Tensor) -> Argument:
    """A boolean for each image."""
    wrong = {"array": right.numpy(), "list": right.tolist(), "integers": right.long()}
    wrong |= {"floats": right.float(), "another axis": right[None], "no axis": right[0]}
    wrong |= {"column": right[:, None], "shorter": right[:1], "longer": torch.cat([right, right])}
    return Argument(right, OTHERS | wrong | {"empty": right[:0]})


def generator() -> Argument:
    """A random stream of NumPy's."""
    wrong = {"seed": 0, "module": np.random, "old kind": np.random.RandomState(0)}
    wrong |= {"torch's": torch.Generator(), "bits": np.random.PCG64(0)}
    return Argument(np.random.default_rng(0), OTHERS | wrong)


def flag(right: bool) -> Argument:
    """True or False."""
    return Argument(right, OTHERS | {"zero": 0, "no": "no", "list": [], "NaN": float("nan")})


def text(right: str | None, *, none: bool = False, **more: Any) -> Argument:
    """Text of at least a letter; None as well where `none`."""
    wrong = {name: value for name, value in OTHERS.items() if name != "text"}
    wrong |= {"empty": "", "number": 3, "list": ["a"], "boolean": True, "NaN": float("nan")}
    return Argument(right, {k: v for k, v in wrong.items() if not (none and v is None)} | more)
