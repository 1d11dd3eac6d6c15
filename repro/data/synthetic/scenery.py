"""Everything around a face: colours, backdrops, objects and clothes.

Backdrops and objects have any brightness from darker than the darkest skin to lighter than the
lightest, and many of them have the colours of wood, sand, brick and leather, which are on the same
ramp as skin. None of it depends on a face.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from repro.data.synthetic.drawing import (
    TILE,
    Canvas,
    Flags,
    Floats,
    Indices,
    Place,
    cover,
    paint_some,
    per_image,
    place,
    rounded_box,
    select,
    uniform,
    wave,
)
from repro.data.synthetic.factors import draw_even_reflectance

# Linear sRGB of skin at the reflectances that bound the six types, near CIELAB with the ITA there;
# the two darkest are L* 24 and 35.
_RAMP_AT = (0.0, 0.2308, 0.5385, 0.6769, 0.7769, 0.8846, 1.0)
_RAMP = (
    (0.0605, 0.0363, 0.0259),
    (0.138, 0.0745, 0.047),
    (0.335, 0.1765, 0.107),
    (0.450, 0.253, 0.161),
    (0.516, 0.312, 0.215),
    (0.578, 0.383, 0.293),
    (0.642, 0.468, 0.405),
)

_ANY, _SKIN, _LEAF, _EARTH = range(4)  # palettes of objects

# name: half width, half height over half width, roundness, taper, ring, texture, palette, tilt
_KINDS: dict[str, tuple[float, ...]] = {
    "box": (0.05, 0.25, 0.5, 2.0, 0.02, 0.2, 0.0, 0.0, 0.0, 0.0, _ANY, 0.3),
    "house": (0.12, 0.35, 0.8, 2.2, 0.01, 0.05, 0.0, 0.0, 0.0, 1.0, _ANY, 0.03),
    "ball": (0.05, 0.24, 0.85, 1.2, 0.95, 1.0, 0.0, 0.0, 0.0, 0.0, _ANY, 0.5),
    "patterned ball": (0.08, 0.24, 0.9, 1.4, 0.8, 1.0, -0.1, 0.2, 0.0, 1.0, _EARTH, 0.6),
    "leaf": (0.02, 0.07, 2.5, 5.0, 0.9, 1.0, -0.4, 0.4, 0.0, 0.0, _LEAF, 3.1),
    "vase": (0.05, 0.14, 1.4, 3.0, 0.3, 0.9, -0.4, 0.5, 0.0, 0.3, _ANY, 0.1),
    "wheel": (0.08, 0.24, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.25, 0.0, _ANY, 0.0),
    "frame": (0.08, 0.25, 0.6, 1.6, 0.05, 0.3, 0.0, 0.0, 0.12, 0.0, _EARTH, 0.1),
    "limb": (0.04, 0.1, 3.0, 7.0, 0.4, 0.9, -0.25, 0.25, 0.0, 0.0, _SKIN, 3.1),
    "skin oval": (0.12, 0.28, 1.1, 1.5, 0.9, 1.0, -0.1, 0.25, 0.0, 0.0, _SKIN, 0.3),
    "pole": (0.005, 0.03, 10.0, 40.0, 0.3, 0.9, 0.0, 0.0, 0.0, 0.0, _ANY, 0.2),
    "panel": (1.2, 1.6, 1.0, 1.0, 0.0, 0.01, 0.0, 0.0, 0.0, 1.0, _ANY, 1.6),
}
KIND_NAMES = tuple(_KINDS)
_TABLE = np.asarray(list(_KINDS.values()), np.float32).T


def kind(*names: str) -> npt.NDArray[np.int64]:
    """Give the numbers of kinds of objects, to choose from."""
    return np.asarray([KIND_NAMES.index(name) for name in names], np.int64)


def skin_colour(reflectance: Floats) -> Floats:
    """Give the linear colour (3, N) of skin of a reflectance."""
    channels = [np.interp(reflectance, _RAMP_AT, row) for row in np.transpose(_RAMP)]
    return np.stack(channels).astype(np.float32)


def any_colour(generator: np.random.Generator, *shape: int) -> Floats:
    """Draw colours (3, ...) of any hue, with uniform brightness on the encoded scale."""
    level = uniform(generator, 0.12, 0.95, *shape) ** 2
    hue = uniform(generator, 0, 1, *shape)
    strength = uniform(generator, 0, 1, *shape) ** 2 * 0.9
    phase = np.stack([hue, hue + 1 / 3, hue + 2 / 3])
    colour: Floats = level * (1 + strength * (wave(phase) * 0.5 - 0.1)) * 0.95
    return colour


def earth_colour(generator: np.random.Generator, *shape: int) -> Floats:
    """Draw colours of wood, sand, brick and leather: the skin ramp, paled or reddened a little."""
    base = skin_colour(draw_even_reflectance(generator, *shape))
    gain = np.exp(uniform(generator, -0.5, 0.3, *shape))
    return np.clip(base * gain * (1 + uniform(generator, -0.25, 0.25, 3, *shape)), 0, 1)


def _leaf_colour(generator: np.random.Generator, *shape: int) -> Floats:
    level = uniform(generator, 0.2, 0.8, *shape) ** 2
    tint = np.asarray((0.6, 1.0, 0.35), np.float32).reshape(3, *([1] * len(shape)))
    return level * tint * (1 + uniform(generator, -0.3, 0.3, 3, *shape))


def mixed_colour(generator: np.random.Generator, *shape: int) -> Floats:
    """Draw colours of walls and clothes: any hue, a third of them earthen."""
    earthen = generator.random(shape) < 0.35
    return np.where(earthen, earth_colour(generator, *shape), any_colour(generator, *shape))


def draw_tiles(generator: np.random.Generator) -> Floats:
    """Draw the bank of periodic textures, each of mean zero and unit spread."""
    row = np.fft.fftfreq(TILE)[:, None] * TILE
    column = np.fft.fftfreq(TILE)[None, :] * TILE
    radius = np.hypot(row, column) + 1
    white = np.fft.fft2(generator.standard_normal((6, TILE, TILE)))
    spectra = np.stack(
        [
            np.exp(-((radius / 40) ** 2)),
            radius**-1.0,
            radius**-1.7,
            1 / (1 + (row / 25) ** 2 + (column / 1.5) ** 2),
            1 / (1 + (row / 2) ** 2 + (column / 20) ** 2),
            np.exp(-((radius - 9) ** 2) / 18),
        ]
    )
    soft = np.real(np.fft.ifft2(white * spectra))
    blotches = np.sign(soft[[0, 5]]) * (soft[[5, 5]] > 0)
    tiles = np.concatenate([soft, blotches, _rows_of_text(soft[4])[None]])
    tiles -= tiles.mean(axis=(1, 2), keepdims=True)
    tiles /= tiles.std(axis=(1, 2), keepdims=True)
    return tiles.astype(np.float32)


def _rows_of_text(strokes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    line = np.arange(TILE) % 16
    written = ((line > 4) & (line < 12))[:, None] & (strokes > 0)
    return written.astype(np.float64)


@dataclass(frozen=True)
class Backdrop:
    """A shaded, textured ground behind everything."""

    first: Floats
    second: Floats
    slope_x: Floats
    slope_y: Floats
    texture: Floats
    tile: Indices
    scale: Floats
    shift_x: Floats
    shift_y: Floats


def draw_backdrop(generator: np.random.Generator, textured: Flags) -> Backdrop:
    """Draw grounds; the textured ones carry a strong texture, the others a faint one."""
    count = textured.size
    first = mixed_colour(generator, count)
    near = np.clip(first * np.exp(uniform(generator, -0.7, 0.5, count)), 0, 1)
    far = generator.random(count) < 0.3
    strength = uniform(generator, 0.12, 0.5, count)
    return Backdrop(
        first=first,
        second=np.where(far, mixed_colour(generator, count), near),
        slope_x=uniform(generator, -1, 1, count),
        slope_y=uniform(generator, -1, 1, count),
        texture=np.where(textured, strength, strength * 0.1),
        tile=generator.integers(0, 9, count),
        scale=uniform(generator, 60, 160, count),
        shift_x=uniform(generator, 0, TILE, count),
        shift_y=uniform(generator, 0, TILE, count),
    )


def paint_backdrop(canvas: Canvas, ground: Backdrop, tiles: Floats) -> None:
    """Fill the canvas with the ground."""
    across = (canvas.x - 0.5) * per_image(ground.slope_x)
    down = (canvas.y - 0.5) * per_image(ground.slope_y) + 0.5
    blend = np.clip(across + down, 0, 1)
    column = np.floor(canvas.x * per_image(ground.scale) + per_image(ground.shift_x))
    row = np.floor(canvas.y * per_image(ground.scale) + per_image(ground.shift_y))
    row_start = (row.astype(np.intp) & (TILE - 1)) * TILE + per_image(ground.tile) * TILE * TILE
    flat = row_start + (column.astype(np.intp) & (TILE - 1))
    shade = np.maximum(1 + per_image(ground.texture) * tiles.take(flat), 0.08)
    for plane, low, high in zip(canvas.rgb, ground.first, ground.second, strict=True):
        np.multiply(shade, per_image(low) + blend * per_image(high - low), out=plane)


@dataclass(frozen=True)
class Objects:
    """Rounded, tapered boxes and rings: L layers of one object per image, arrays (L, N)."""

    x: Floats
    y: Floats
    half_x: Floats
    half_y: Floats
    cosine: Floats
    sine: Floats
    roundness: Floats
    taper: Floats
    ring: Floats
    textured: Flags
    waves: Floats
    fill: Floats
    first: Floats
    second: Floats
    shade_x: Floats
    shade_y: Floats
    present: Flags


def draw_objects(
    generator: np.random.Generator, kinds: npt.NDArray[np.int64], present: Flags
) -> Objects:
    """Draw the objects of the given kinds, (layers, images), anywhere in the frame."""
    shape = kinds.shape
    low_x, high_x, low_y, high_y, low_r, high_r, low_t, high_t, ring, texture, colour, tilt = (
        _TABLE[:, kinds]
    )
    part = uniform(generator, 0, 1, 4, *shape)
    half_x = low_x + part[0] * (high_x - low_x)
    angle = uniform(generator, -1, 1, *shape) * tilt
    regular = generator.random(shape) < 0.6
    count_x = uniform(generator, 0.6, 4, *shape)
    return Objects(
        x=uniform(generator, 0, 1, *shape),
        y=uniform(generator, 0, 1, *shape),
        half_x=half_x,
        half_y=half_x * (low_y + part[1] * (high_y - low_y)),
        cosine=np.cos(angle),
        sine=np.sin(angle),
        roundness=low_r + part[2] * (high_r - low_r),
        taper=low_t + part[3] * (high_t - low_t),
        ring=ring * uniform(generator, 0.5, 1.5, *shape),
        textured=generator.random(shape) < texture,
        waves=_draw_waves(generator, kinds, count_x, regular),
        fill=uniform(generator, -0.4, 0.4, *shape),
        first=_palette(generator, colour),
        second=mixed_colour(generator, *shape),
        shade_x=uniform(generator, -0.35, 0.35, *shape),
        shade_y=uniform(generator, -0.25, 0.25, *shape),
        present=present,
    )


def _draw_waves(
    generator: np.random.Generator, kinds: npt.NDArray[np.int64], across: Floats, regular: Flags
) -> Floats:
    """Draw the texture's waves per half extent and their phases, (4, layers, images)."""
    large = kinds == KIND_NAMES.index("panel")
    across = across * np.where(large, 3, 1).astype(np.float32)
    down = across * uniform(generator, 0.5, 1.5, *kinds.shape) * regular
    phases = uniform(generator, 0, 1, 2, *kinds.shape)
    phases[1] *= regular  # without a second wave its phase is at a crest: plain stripes
    return np.stack([across, down, phases[0], phases[1]]).astype(np.float32)


def _palette(generator: np.random.Generator, colour: Floats) -> Floats:
    shape = colour.shape
    skin = skin_colour(draw_even_reflectance(generator, *shape))
    earth = earth_colour(generator, *shape)
    leaf = _leaf_colour(generator, *shape)
    rest = mixed_colour(generator, *shape)
    chosen = [colour == _SKIN, colour == _LEAF, colour == _EARTH]
    return np.select(chosen, [skin, leaf, earth], rest).astype(np.float32)


def paint_objects(canvas: Canvas, objects: Objects) -> None:
    """Paint the layers in order, each on the images that have it."""
    for layer in range(objects.x.shape[0]):
        paint_layer(canvas, objects, layer)


def paint_layer(canvas: Canvas, objects: Objects, layer: int) -> None:
    """Paint one object per image."""

    def paint(part: Canvas, index: Indices) -> None:
        columns = {
            name: getattr(objects, name)[..., layer, :][..., index]
            for name in objects.__dataclass_fields__
        }
        _paint_object(part, Objects(**columns))

    paint_some(canvas, objects.present[layer], paint)


def _paint_object(canvas: Canvas, item: Objects) -> None:
    frame = Place(item.x, item.y, item.half_x, item.half_y, item.cosine, item.sine)
    u, v = canvas.local(frame)
    edge = canvas.edge(np.minimum(item.half_x, item.half_y))
    distance = rounded_box(u * (1 + per_image(item.taper) * v), v, per_image(item.roundness))
    width = per_image(item.ring)
    distance = np.where(width > 0, np.abs(distance + width) - width, distance)
    mask = cover(distance, edge)
    shade = 1 + per_image(item.shade_x) * u + per_image(item.shade_y) * v
    shade = np.clip(shade, 0.35, 1.6)
    canvas.mix_shaded(mask, item.first, shade)

    def decorate(part: Canvas, index: Indices) -> None:
        pattern = _pattern(u[index], v[index], select(item, index), edge[index])
        part.mix_shaded(mask[index] * pattern, item.second[:, index], shade[index])

    paint_some(canvas, item.textured, decorate)


def _pattern(u: Floats, v: Floats, item: Objects, edge: Floats) -> Floats:
    across, down, phase_x, phase_y = (per_image(row) for row in item.waves)
    crest = wave(u * across + phase_x) * wave(v * down + phase_y)
    steep = 1 / (edge * np.maximum(across, down) * 8 + 0.1)
    pattern: Floats = np.clip((crest - per_image(item.fill)) * steep + 0.5, 0, 1)
    return pattern


@dataclass(frozen=True)
class Clothes:
    """What covers the shoulders: a garment with a neckline, plain, striped or checked."""

    wide: Floats
    slope: Floats
    neckline: Floats
    pointed: Floats
    first: Floats
    second: Floats
    textured: Flags
    waves: Floats
    fill: Floats
    collar: Flags


def draw_clothes(generator: np.random.Generator, count: int) -> Clothes:
    """Draw garments."""
    plain_across = generator.random(count) < 0.5
    waves = uniform(generator, 1.5, 8, 2, count)
    phases = uniform(generator, 0, 1, 2, count)
    waves[1, plain_across] = 0
    phases[1, plain_across] = 0
    return Clothes(
        wide=uniform(generator, 1.75, 2.35, count),
        slope=uniform(generator, 0.6, 0.95, count),
        neckline=uniform(generator, 0.25, 1.0, count),
        pointed=uniform(generator, 0, 1, count),
        first=mixed_colour(generator, count),
        second=mixed_colour(generator, count),
        textured=generator.random(count) < 0.4,
        waves=np.concatenate([waves, phases]),
        fill=uniform(generator, -0.5, 0.5, count),
        collar=generator.random(count) < 0.35,
    )


def paint_clothes(canvas: Canvas, at: Place, clothes: Clothes, light: Floats) -> None:
    """Paint the shoulders' garment below the face placed at `at` (half width of a head)."""
    top, half = 1.62, 1.7
    body = place(
        at.x,
        at.y + (top + half) * at.half_y,
        clothes.wide * at.half_x,
        half * at.half_y,
        angle=np.zeros_like(at.x),
    )
    u, v = canvas.local(body)
    mask = cover(rounded_box(u, v, per_image(clothes.slope)), canvas.edge(at.half_x * 1.7))
    shade = 0.85 + u * per_image(light * 0.25) - v * 0.1
    shade = shade * (1 - 0.25 * u * u)
    canvas.mix_shaded(mask, clothes.first, np.maximum(shade, 0.2))

    def decorate(part: Canvas, index: Indices) -> None:
        chosen = select(clothes, index)
        across, down, phase_x, phase_y = (per_image(row) for row in chosen.waves)
        crest = wave(u[index] * across + phase_x) * wave(v[index] * down + phase_y)
        pattern = np.clip((crest - per_image(chosen.fill)) * 2 + 0.5, 0, 1)
        part.mix_shaded(mask[index] * pattern, chosen.second, shade[index])

    paint_some(canvas, clothes.textured, decorate)
