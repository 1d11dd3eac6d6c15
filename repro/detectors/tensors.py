"""A network as a detector: what it is handed of each picture, and its output as scores."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from repro.detectors.base import DetectorError, Given, Pixels, Reads
from repro.plugins import guard, plugin_errors

Array = NDArray[Any]
DTYPES = ("float32", "float16", "uint8")  # of an input


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a network's own file says of its input; None where it does not say.

    Attributes:
        batch: Number of pictures at a time.
        size: Height and width.
        last: Whether the channels come last, as in (N, H, W, 3).
        dtype: ``float32``, ``float16`` or ``uint8``.
    """

    batch: int | None = None
    size: tuple[int, int] | None = None
    last: bool = False
    dtype: str = "float32"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnTensors:
    """A detector that is a function of one array.

    Attributes:
        given: As the user gave it.
        run: Array (N, 3, H, W) -> one number each.
        wanted: Of its input.
    """

    given: Given
    run: Callable[[Array], Any]
    wanted: Wanted = Wanted()

    @property
    def name(self) -> str:
        """As the user gave it."""
        return self.given.name

    @property
    def reads(self) -> Reads:
        """Windows, unless the user says otherwise."""
        return self.given.reads or "windows"

    def scores(self, pictures: Pixels | Sequence[Pixels]) -> NDArray[np.float64]:
        """One number for each picture; see `Detector`."""
        batch = np.stack([self._fitted(one) for one in pictures])
        found = [self._answer(part)[:count] for part, count in self._parts(batch)]
        return np.concatenate(found)

    def _answer(self, batch: Array) -> Array:
        given = self.given
        with plugin_errors.told("running it", root=given.origin), guard.undisturbed():
            made = self.run(batch)
        return numbers(made, len(batch), given.name)

    def _parts(self, batch: Array) -> Iterator[tuple[Array, int]]:
        """Of the size that it wants, the last one filled up; with the number of pictures in it."""
        step = self.wanted.batch or len(batch)
        for start in range(0, len(batch), step):
            part = batch[start : start + step]
            lacking = step - len(part) if self.wanted.batch else 0
            filled = np.concatenate([part, np.repeat(part[-1:], lacking, axis=0)])
            yield np.ascontiguousarray(filled), len(part)

    def _fitted(self, pixels: Pixels) -> Array:
        """A picture in the size, order, range and type that it wants."""
        own, settings = self.wanted, self.given.settings
        side = settings.get("input_size")
        size = (side, side) if side else own.size
        if size and own.size and size != own.size:
            raise DetectorError(
                f"{self.given.origin}: --input-size {side}, and the file says that its pictures "
                f"are {own.size[0]} x {own.size[1]}: leave the option out"
            )
        if size and pixels.shape[:2] != size:
            pixels = resized(pixels, size)
        if settings.get("channels") == "bgr":
            pixels = pixels[..., ::-1]
        if own.dtype == "uint8":
            values: Array = pixels
        else:
            white = 1.0 if settings.get("range") == "raw" else 255.0
            values = (pixels.astype(np.float32) / np.float32(white)).astype(own.dtype)
        return values if own.last else values.transpose(2, 0, 1)


def resized(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Bilinear with anti-aliasing, as the study's windows with ``resize: bilinear``."""
    batch = torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None].float()
    fitted = torch.nn.functional.interpolate(
        batch, size=size, mode="bilinear", antialias=True, align_corners=False
    )
    found = fitted.round().clamp(0, 255).to(torch.uint8)[0].permute(1, 2, 0)
    return np.ascontiguousarray(found.numpy())


def numbers(made: Any, count: int, name: str) -> Array:
    """The output of a network as an array, shape (N,).

    Raises:
        DetectorError: It is no array, or of another shape than (N,) or (N, 1).
    """
    if isinstance(made, torch.Tensor):
        made = made.detach().cpu()
        made = made.numpy() if made.dtype != torch.bfloat16 else made.float().numpy()
    if not isinstance(made, np.ndarray):
        what = f"it returned {type(made).__name__}"
    elif made.shape not in ((count,), (count, 1)):
        what = f"it returned {made.dtype} of shape {made.shape} for {count} pictures"
    else:
        return made.reshape(count)
    raise DetectorError(
        f"{name}: {what}: one number for each picture is expected, of shape ({count},) or "
        f"({count}, 1); a function of Python (FILE.py:NAME) can make that of it"
    )


def of_module(module: torch.nn.Module) -> Callable[[Array], Any]:
    """A module of torch in evaluation mode, without gradients."""

    def run(batch: Array) -> Any:
        module.eval()
        with torch.inference_mode():
            return module(torch.from_numpy(batch))

    return run


def shaped(given: Given, shape: Sequence[int | None], dtype: str) -> Wanted:
    """What a file wants, from the shape and type of its input; None where it is free.

    Raises:
        DetectorError: It is no batch of pictures with three channels.
    """
    told = " x ".join("?" if one is None else f"{one}" for one in shape)
    if len(shape) != 4 or (3 not in (shape[1], shape[3]) and None not in (shape[1], shape[3])):
        raise DetectorError(
            f"{given.origin}: its input has the shape {told}: pictures as (N, 3, H, W) or "
            "(N, H, W, 3) are expected"
        )
    if dtype not in DTYPES:
        raise DetectorError(
            f"{given.origin}: its input is {dtype}: {', '.join(DTYPES)} can be handed to it"
        )
    batch, *rest = shape
    last = rest[2] == 3 and rest[0] != 3
    height, width = rest[:2] if last else rest[1:]
    size = None if height is None or width is None else (height, width)
    return Wanted(batch=batch, size=size, last=last, dtype=dtype)


def refused(given: Given, what: str, error: Exception) -> DetectorError:
    """The error for a file that cannot be loaded, with the first line of what a library says."""
    if isinstance(error, DetectorError):
        return error
    said = (str(error).strip().splitlines() or [""])[0][:200]
    return DetectorError(f"{given.origin}: {what} ({type(error).__name__}: {said})")
