"""Primitives of the synthetic images: canvases, shapes by signed distance, and the camera.

Every image of a batch is drawn at once on planar linear-light arrays, in the units of its own
frame (the whole photograph spans 0 to 1 both ways). A view selects the square of the frame that
the canvas shows, so one drawing serves tight crops and whole photographs. Inside a batch only
exactly rounded arithmetic is used, so a picture does not depend on which others share its batch.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]  # float32 throughout: NumPy keeps it beside Python numbers
Indices = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]
Pixels = npt.NDArray[np.uint8]
Record = TypeVar("Record")

BATCH_PIXELS = 1 << 16  # keeps one batch's planes inside a second-level cache
GRAIN_SIZE = 1 << 16
TILE = 128
SHADOWED_SHARE = 0.06
TONE = 0.68  # exponent of the tone curve: high contrast, the same for all pictures


def select(record: Record, index: Any) -> Record:
    """Take the entries `index` along the last axis of every array of a dataclass, nested or not."""
    columns = {field.name: getattr(record, field.name) for field in fields(record)}  # type: ignore[arg-type]
    return type(record)(
        **{
            name: select(column, index) if is_dataclass(column) else column[..., index]
            for name, column in columns.items()
        }
    )


def uniform(generator: np.random.Generator, low: float, high: float, *shape: int) -> Floats:
    """Draw float32 numbers uniform between two bounds."""
    return generator.uniform(low, high, shape).astype(np.float32)


def per_image(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Shape one number per image so that it broadcasts over the pixels."""
    return values[:, None, None]


@dataclass(frozen=True)
class View:
    """The square of the frame that each canvas shows."""

    left: Floats
    top: Floats
    extent: Floats


def whole_frame(count: int) -> View:
    """Show the whole photograph."""
    zero = np.zeros(count, np.float32)
    return View(left=zero, top=zero, extent=zero + 1)


@dataclass(frozen=True)
class Place:
    """A local frame of coordinates: centre, half extents and the angle's cosine and sine."""

    x: Floats
    y: Floats
    half_x: Floats
    half_y: Floats
    cosine: Floats
    sine: Floats


def place(x: Floats, y: Floats, half_x: Floats, half_y: Floats, *, angle: Floats) -> Place:
    """Make a local frame turned by an angle in radians."""
    cosine, sine = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
    return Place(x=x, y=y, half_x=half_x, half_y=half_y, cosine=cosine, sine=sine)


@dataclass
class Canvas:
    """Linear-light planes (3, N, h, w) with the frame coordinates of their pixel centres."""

    rgb: Floats
    x: Floats
    y: Floats
    pixel: Floats
    softness: Floats

    def local(self, at: Place) -> tuple[Floats, Floats]:
        """Give every pixel's coordinates in a local frame."""
        across, down = self.x - per_image(at.x), self.y - per_image(at.y)
        half_x, half_y = per_image(at.half_x), per_image(at.half_y)
        cosine, sine = per_image(at.cosine), per_image(at.sine)
        u = across * (cosine / half_x) + down * (sine / half_x)
        v = down * (cosine / half_y) - across * (sine / half_y)
        return u, v

    def edge(self, scale: Floats) -> Floats:
        """Give the width of a softened pixel in local units of the given scale."""
        width: Floats = per_image(self.pixel * self.softness / scale)
        return width

    def mix(self, mask: Floats, colour: Floats) -> None:
        """Lay one colour (3, N) per image over the canvas where the mask says."""
        for plane, tint in zip(self.rgb, colour, strict=True):
            plane += mask * (per_image(tint) - plane)

    def mix_shaded(self, mask: Floats, colour: Floats, shade: Floats) -> None:
        """Lay one colour (3, N) per image, times a shade per pixel, over the canvas."""
        for plane, tint in zip(self.rgb, colour, strict=True):
            plane += mask * (shade * per_image(tint) - plane)

    def multiply(self, mask: Floats, factor: Floats) -> None:
        """Multiply the light by a factor (3, N) per image where the mask says."""
        for plane, gain in zip(self.rgb, factor, strict=True):
            plane *= 1 + mask * per_image(gain - 1)

    def add(self, mask: Floats) -> None:
        """Add white light."""
        self.rgb += mask

    def cut(self, x: Floats, y: Floats, half: Floats) -> tuple["Canvas", Indices]:
        """Copy the pixels around a centre into a small canvas, with their flat positions."""
        count, height, width = self.rgb.shape[1:]
        reach = int(np.ceil(np.max(half / self.pixel + self.softness / 2, initial=0))) + 1
        rows, columns = min(height, 2 * reach), min(width, 2 * reach)
        first_row = _start(y - self.y[:, 0, 0], self.pixel, reach, height - rows)
        first_column = _start(x - self.x[:, 0, 0], self.pixel, reach, width - columns)
        row = first_row[:, None] + np.arange(rows)
        column = first_column[:, None] + np.arange(columns)
        image = np.arange(count)[:, None]
        flat = (image * height + row)[:, :, None] * width + column[:, None, :]
        small = Canvas(
            rgb=self.rgb.reshape(3, -1).take(flat, axis=1),
            x=self.x[image, 0, column][:, None, :],
            y=self.y[image, row, 0][:, :, None],
            pixel=self.pixel,
            softness=self.softness,
        )
        return small, flat

    def paste(self, small: "Canvas", flat: Indices) -> None:
        """Put a small canvas back where it was cut."""
        self.rgb.reshape(3, -1)[:, flat] = small.rgb

    def subset(self, index: Indices) -> "Canvas":
        """Copy the canvases of some of the images."""
        return Canvas(
            rgb=self.rgb.take(index, axis=1),
            x=self.x[index],
            y=self.y[index],
            pixel=self.pixel[index],
            softness=self.softness[index],
        )


def _start(offset: Floats, pixel: Floats, reach: int, last: int) -> Indices:
    centre = np.floor(offset / pixel + 0.5).astype(np.intp)
    return np.clip(centre - reach, 0, last)


def paint_some(canvas: Canvas, chosen: Flags, paint: Callable[[Canvas, Indices], None]) -> None:
    """Run a painter on the chosen images only, which spares the rare layers' cost."""
    index = np.flatnonzero(chosen)
    if index.size == chosen.size:
        paint(canvas, index)
    elif index.size:
        part = canvas.subset(index)
        paint(part, index)
        canvas.rgb[:, index] = part.rgb


def cover(distance: Floats, edge: Floats) -> Floats:
    """Turn a signed distance (negative inside) into an anti-aliased coverage."""
    mask = distance * (-1 / edge)
    mask += 0.5
    return np.clip(mask, 0, 1, out=mask)


def rounded_box(u: Floats, v: Floats, roundness: Floats | float) -> Floats:
    """Distance to the unit box with rounded corners: a box at 0, an ellipse at 1."""
    across = np.maximum(np.abs(u) - (1 - roundness), 0)
    down = np.maximum(np.abs(v) - (1 - roundness), 0)
    distance: Floats = np.sqrt(across * across + down * down) - roundness
    return distance


def bump(u: Floats, v: Floats) -> Floats:
    """Give a smooth hill of height one on the unit disc, zero outside."""
    hill = np.maximum(1 - u * u - v * v, 0)
    return hill * hill


def wave(phase: Floats) -> Floats:
    """Triangular wave of period one between -1 and 1."""
    swing: Floats = np.abs(phase - np.floor(phase) - 0.5) * 4 - 1
    return swing


@dataclass(frozen=True)
class Camera:
    """The effects of the camera on each picture, independent of its content."""

    softness: Floats
    gain: Floats
    contrast: Floats
    noise: Floats
    balance: Floats
    grain: Indices
    shadowed: Flags
    shadow_angle: Floats
    shadow_offset: Floats
    shadow_light: Floats


def draw_camera(generator: np.random.Generator, count: int) -> Camera:
    """Draw focus, exposure, contrast, white balance, sensor noise and cast shadows."""
    return Camera(
        softness=uniform(generator, 1.0, 2.0, count),
        gain=np.exp(uniform(generator, -0.35, 0.25, count)),
        contrast=uniform(generator, 0.85, 1.15, count),
        noise=uniform(generator, 0.004, 0.012, count),
        balance=1 + uniform(generator, -0.09, 0.09, 3, count),
        grain=generator.integers(0, GRAIN_SIZE, (3, count)),
        shadowed=generator.random(count) < SHADOWED_SHARE,
        shadow_angle=uniform(generator, 0, 2 * np.pi, count),
        shadow_offset=uniform(generator, -0.25, 0.35, count),
        shadow_light=uniform(generator, 0.15, 0.55, count),
    )


def cast_shadows(canvas: Canvas, camera: Camera, view: View) -> None:
    """Lay a shadow with a straight edge over a part of the shadowed pictures."""
    paint_some(
        canvas,
        camera.shadowed,
        lambda part, i: _cast_shadow(part, select(camera, i), select(view, i)),
    )


def _cast_shadow(canvas: Canvas, camera: Camera, view: View) -> None:
    across = view.extent * np.cos(camera.shadow_angle)
    down = view.extent * np.sin(camera.shadow_angle)
    middle = view.left + view.extent / 2, view.top + view.extent / 2
    square = view.extent * view.extent
    beyond = (canvas.x - per_image(middle[0])) * per_image(across / square)
    beyond = beyond + (canvas.y - per_image(middle[1])) * per_image(down / square)
    mask = np.clip((beyond - per_image(camera.shadow_offset)) * 12, 0, 1)
    canvas.multiply(mask, np.broadcast_to(camera.shadow_light, (3, square.size)))


def develop(canvas: Canvas, camera: Camera, grain: Floats) -> Pixels:
    """Expose the planes and encode them as 8-bit RGB, images first."""
    _, count, height, width = canvas.rgb.shape
    image = np.empty((count, height, width, 3), np.uint8)
    step = np.arange(height * width).reshape(height, width)
    for channel, plane in enumerate(canvas.rgb):
        exposed = (plane * per_image(camera.gain * camera.balance[channel])) ** TONE
        exposed *= per_image(camera.contrast)
        exposed += per_image(0.45 * (1 - camera.contrast))
        first = per_image(camera.grain[channel])
        exposed += per_image(camera.noise) * grain.take((first + step) & (GRAIN_SIZE - 1))
        exposed *= 255
        exposed += 0.5
        image[..., channel] = np.clip(exposed, 0, 255, out=exposed)
    return image


def batches(count: int, size: int) -> Iterator[Indices]:
    """Split the images into batches of about `BATCH_PIXELS` pixels."""
    step = max(1, BATCH_PIXELS // (size * size))
    for start in range(0, count, step):
        yield np.arange(start, min(start + step, count))


def render(
    view: View,
    paint: Callable[[Canvas, Indices], None],
    generator: np.random.Generator,
    *,
    size: int,
) -> Pixels:
    """Paint, expose and encode every view, batch by batch."""
    count = view.left.size
    camera = draw_camera(generator, count)
    grain = generator.standard_normal(GRAIN_SIZE, dtype=np.float32)
    images = np.empty((count, size, size, 3), np.uint8)
    for index in batches(count, size):
        seen, taken = select(view, index), select(camera, index)
        canvas = _blank(seen, taken.softness, size)
        paint(canvas, index)
        cast_shadows(canvas, taken, seen)
        images[index] = develop(canvas, taken, grain)
    return images


def _blank(view: View, softness: Floats, size: int) -> Canvas:
    pixel = view.extent / size
    step = np.arange(size, dtype=np.float32) + 0.5
    return Canvas(
        rgb=np.zeros((3, view.left.size, size, size), np.float32),
        x=view.left[:, None, None] + per_image(pixel) * step[None, None, :],
        y=view.top[:, None, None] + per_image(pixel) * step[None, :, None],
        pixel=pixel,
        softness=softness,
    )
