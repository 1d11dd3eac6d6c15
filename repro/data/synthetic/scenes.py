"""Synthetic faces, portraits, non-faces and face-free scenes, drawn from parameters.

Nothing here is copied from a photograph: a face is a function of its true factors and a random
generator. Faces, portraits and the partial heads among the non-faces share one drawing, seen
through different windows of the frame of a portrait. The same generator state gives the same
bytes on the same platform.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from repro.data.synthetic.distractors import HAND, PLAIN, SPOTTED, draw_distractors
from repro.data.synthetic.drawing import (
    Canvas,
    Flags,
    Floats,
    Indices,
    Pixels,
    View,
    cover,
    paint_some,
    render,
    rounded_box,
    select,
    uniform,
    whole_frame,
)
from repro.data.synthetic.factors import (
    BACKGROUNDS,
    Factors,
    draw_balanced_factors,
    draw_factors,
    fitzpatrick_type,
)
from repro.data.synthetic.heads import paint_person
from repro.data.synthetic.people import Person, draw_people
from repro.data.synthetic.scenery import (
    KIND_NAMES,
    Backdrop,
    Clothes,
    Objects,
    draw_backdrop,
    draw_clothes,
    draw_objects,
    draw_tiles,
    kind,
    paint_backdrop,
    paint_clothes,
    paint_objects,
)

__all__ = [
    "VERSION",
    "Factors",
    "draw_balanced_factors",
    "draw_factors",
    "fitzpatrick_type",
    "render_faces",
    "render_nonfaces",
    "render_portraits",
    "render_scenes",
]

_HIDDEN_SHARE = 0.06
# Identifies the generator in the name of every run that uses its pictures. Change it, to any other
# text, with every change that alters a pixel on the same machine; the changelog says so. (This one
# is the digest of the source, which was part of the names before.)
VERSION = "81cabc4a6df0b1e2658138bd4dc0ca333b4b4f38091e4419626713a1c4843f65"
FACE_WINDOW = 2.4  # side of a face crop in half widths of the head


# What each kind of background may contain, one row of choices per layer; an empty name is nothing.
_FURNISHING = {
    "studio": (("",), ("",), ("",)),
    "wall": (("", "box", "frame"), ("", "pole"), ("", "ball", "vase")),
    "pattern": (("panel",), ("", "box"), ("", "pole", "frame")),
    "town": (("house",), ("house", "box"), ("house", "pole", "wheel")),
    "garden": (("leaf", "panel"), ("leaf",), ("leaf", "ball", "pole")),
    "room": (("frame", "box"), ("vase", "ball", "wheel"), ("box", "patterned ball", "vase")),
}
_TEXTURED_SHARE = np.asarray((0.1, 0.9, 0.2, 0.3, 0.8, 0.4))
_CHOICES = 6  # a common multiple of the lengths of the rows above


def _furnishing_table() -> Indices:
    rows = [
        [[_kind_or_none(name) for name in layer * (_CHOICES // len(layer))] for layer in layers]
        for layers in (_FURNISHING[name] for name in BACKGROUNDS)
    ]
    return np.asarray(rows, np.intp)


def _kind_or_none(name: str) -> int:
    return KIND_NAMES.index(name) if name else -1


@dataclass(frozen=True)
class _Setting:
    """A background with its furniture."""

    ground: Backdrop
    furniture: Objects
    tiles: Floats

    def paint(self, canvas: Canvas, index: Indices) -> None:
        paint_backdrop(canvas, select(self.ground, index), self.tiles)
        paint_objects(canvas, select(self.furniture, index))


def _draw_setting(generator: np.random.Generator, background: npt.NDArray[np.int64]) -> _Setting:
    textured = generator.random(background.size) < _TEXTURED_SHARE[background]
    choice = generator.integers(0, _CHOICES, (3, background.size))
    kinds = _furnishing_table()[background, np.arange(3)[:, None], choice]
    return _Setting(
        ground=draw_backdrop(generator, textured),
        furniture=draw_objects(generator, np.maximum(kinds, 0), kinds >= 0),
        tiles=draw_tiles(generator),
    )


def _draw_pose(generator: np.random.Generator, count: int) -> tuple[Floats, Floats, Floats]:
    """Draw where the head of a portrait is: its centre and half width."""
    size = uniform(generator, 0.17, 0.27, count)
    x = 0.5 + uniform(generator, -0.09, 0.09, count)
    return x, 1.45 * size + uniform(generator, 0.02, 0.13, count), size


def _draw_before(generator: np.random.Generator, x: Floats, y: Floats, size: Floats) -> Objects:
    """Draw objects in front of a face that hide a part of it, on a few of the pictures."""
    shape = (1, x.size)
    kinds = generator.choice(kind("box", "leaf", "limb", "pole", "ball"), shape)
    objects = draw_objects(generator, kinds, generator.random(shape) < _HIDDEN_SHARE)
    around = uniform(generator, 0, 2 * np.pi, x.size)
    away = size * uniform(generator, 0.7, 1.5, x.size)
    shrink = np.minimum(0.4 * size / objects.half_x, 1)  # never the whole face
    return replace(
        objects,
        x=(x + np.cos(around) * away)[None],
        y=(y + (np.sin(around) + 0.2) * away)[None],
        half_x=objects.half_x * shrink,
        half_y=objects.half_y * shrink,
    )


def _face_view(
    generator: np.random.Generator, x: Floats, y: Floats, size: Floats, *, loose: float = 1.1
) -> View:
    """Frame a face like a window of a scan: near the middle, not quite to scale."""
    count = x.size
    extent = FACE_WINDOW * size * uniform(generator, 0.93, loose, count)
    shift = uniform(generator, -0.05, 0.05, 2, count)
    return View(
        left=x + (shift[0] - 0.5) * extent,
        top=y + 0.2 * size + (shift[1] - 0.5) * extent,
        extent=extent,
    )


def _render_people(
    who: Factors, generator: np.random.Generator, *, size: int, close: bool
) -> Pixels:
    x, y, half = _draw_pose(generator, len(who))
    people = draw_people(generator, who, x=x, y=y, size=half)
    clothes = draw_clothes(generator, len(who))
    before = _draw_before(generator, x, y, half)
    setting = _draw_setting(generator, who.background)
    view = _face_view(generator, x, y, half) if close else whole_frame(len(who))

    def paint(canvas: Canvas, index: Indices) -> None:
        setting.paint(canvas, index)
        paint_person(canvas, select(people, index), select(clothes, index))
        paint_objects(canvas, select(before, index))

    return render(view, paint, generator, size=size)


def render_faces(factors: Factors, generator: np.random.Generator, size: int = 64) -> Pixels:
    """Render tight square crops of faces, (N, size, size, 3)."""
    return _render_people(factors, generator, size=size, close=True)


def render_portraits(factors: Factors, generator: np.random.Generator, size: int = 160) -> Pixels:
    """Render heads and shoulders before a background, (N, size, size, 3)."""
    return _render_people(factors, generator, size=size, close=False)


# Shares of what a non-face shows.
_WINDOWS = (
    ("background", 0.28),
    ("clothes", 0.12),
    ("texture", 0.12),
    ("object", 0.27),
    ("flesh", 0.07),
    ("spots", 0.05),
    ("hand", 0.03),
    ("blank head", 0.03),
    ("part of a face", 0.03),
)
_NAMES = tuple(name for name, _ in _WINDOWS)


def _draw_shown(generator: np.random.Generator, count: int) -> npt.NDArray[np.str_]:
    return generator.choice(_NAMES, size=count, p=[share for _, share in _WINDOWS])


def render_nonfaces(generator: np.random.Generator, n: int, size: int = 64) -> Pixels:
    """Render crops without a face, from pure texture to a head without features."""
    shown = _draw_shown(generator, n)
    x, y, half = _draw_pose(generator, n)
    setting = _draw_setting(generator, _nonface_background(generator, shown))
    things = _draw_things(generator, shown, x=x, y=y, size=half)
    strewn = _draw_scene_things(generator, n)
    strewn = replace(strewn, present=strewn.present & (shown == "background"))
    people = _draw_faceless(generator, shown, x=x, y=y, size=half)
    clothes = draw_clothes(generator, n)
    dressed, headed = (
        shown == "clothes",
        np.isin(shown, ("blank head", "part of a face")),
    )

    def paint(canvas: Canvas, index: Indices) -> None:
        setting.paint(canvas, index)
        _paint_chosen(
            canvas, dressed, index, lambda part, i: _paint_stand(part, people, clothes, i)
        )
        paint_objects(canvas, select(things, index))
        paint_objects(canvas, select(strewn, index))
        _paint_chosen(
            canvas,
            headed,
            index,
            lambda part, i: paint_person(part, select(people, i), select(clothes, i)),
        )

    return render(_nonface_view(generator, shown, x, y, half), paint, generator, size=size)


def _paint_chosen(
    canvas: Canvas, chosen: Flags, index: Indices, paint: Callable[[Canvas, Indices], None]
) -> None:
    paint_some(canvas, chosen[index], lambda part, within: paint(part, index[within]))


def _paint_stand(canvas: Canvas, people: Person, clothes: Clothes, index: Indices) -> None:
    """Paint a garment that nobody wears, with a dark neck hole."""
    empty = select(people, index)
    paint_clothes(canvas, empty.upright(), select(clothes, index), empty.light_x)
    hole = empty.upright()
    hole = replace(
        hole,
        y=hole.y + 1.72 * hole.half_y,
        half_x=hole.half_x * empty.neck,
        half_y=hole.half_y * 0.22,
    )
    u, v = canvas.local(hole)
    mask = cover(rounded_box(u, v, 1), canvas.edge(hole.half_y))
    canvas.mix(mask, clothes.first[:, index] * 0.25)


def _nonface_background(
    generator: np.random.Generator, shown: npt.NDArray[np.str_]
) -> npt.NDArray[np.int64]:
    """Draw backgrounds as of portraits, but always a texture where a texture is shown."""
    drawn = generator.integers(0, len(BACKGROUNDS), shown.size)
    textures = generator.choice(
        [BACKGROUNDS.index("wall"), BACKGROUNDS.index("pattern")], shown.size
    )
    return np.where(shown == "texture", textures, drawn)


def _draw_things(
    generator: np.random.Generator,
    shown: npt.NDArray[np.str_],
    *,
    x: Floats,
    y: Floats,
    size: Floats,
) -> Objects:
    style = np.where(shown == "spots", SPOTTED, np.where(shown == "hand", HAND, PLAIN))
    fleshy = np.isin(shown, ("flesh", "hand")) | (
        (shown == "spots") & (generator.random(shown.size) < 0.7)
    )
    things = draw_distractors(generator, x=x, y=y, size=size, fleshy=fleshy, style=style)
    wanted = np.isin(shown, ("object", "flesh", "spots", "hand"))
    return replace(things, present=things.present & wanted)


def _draw_faceless(
    generator: np.random.Generator,
    shown: npt.NDArray[np.str_],
    *,
    x: Floats,
    y: Floats,
    size: Floats,
) -> Person:
    who = draw_factors(generator, shown.size, darker_share=0.5)
    people = draw_people(generator, who, x=x, y=y, size=size)
    return replace(people, featureless=shown == "blank head")


def _nonface_view(
    generator: np.random.Generator,
    shown: npt.NDArray[np.str_],
    x: Floats,
    y: Floats,
    size: Floats,
) -> View:
    """Frame things like faces, partial faces off the edge, clothes low, textures anywhere."""
    count = shown.size
    centred = _face_view(generator, x, y, size, loose=1.7)
    around = uniform(generator, 0, 2 * np.pi, count)
    off = np.where(shown == "part of a face", uniform(generator, 0.8, 1.0, count), 0)
    off = off * centred.extent / np.maximum(np.abs(np.cos(around)), np.abs(np.sin(around)))
    low = np.where(shown == "clothes", uniform(generator, 1.4, 2.4, count), 0) * size
    extent = uniform(generator, 0.5, 1, count)
    free = np.isin(shown, ("background", "texture"))
    return View(
        left=np.where(
            free,
            uniform(generator, 0, 1, count) * (1 - extent),
            centred.left + off * np.cos(around),
        ).astype(np.float32),
        top=np.where(
            free,
            uniform(generator, 0, 1, count) * (1 - extent),
            centred.top + off * np.sin(around) + low,
        ).astype(np.float32),
        extent=np.where(free, extent, centred.extent),
    )


def render_scenes(generator: np.random.Generator, n: int, size: int = 160) -> Pixels:
    """Render whole photographs without people, hard objects included, (N, size, size, 3)."""
    background = generator.integers(0, len(BACKGROUNDS), n)
    setting = _draw_setting(generator, background)
    first, second = (_draw_scene_things(generator, n) for _ in range(2))
    x, y, half = _draw_pose(generator, n)
    stands = generator.random(n) < 0.25
    people = _draw_faceless(generator, np.full(n, "clothes"), x=x, y=y, size=half)
    clothes = draw_clothes(generator, n)

    def paint(canvas: Canvas, index: Indices) -> None:
        setting.paint(canvas, index)
        _paint_chosen(canvas, stands, index, lambda part, i: _paint_stand(part, people, clothes, i))
        paint_objects(canvas, select(first, index))
        paint_objects(canvas, select(second, index))

    return render(whole_frame(n), paint, generator, size=size)


def _draw_scene_things(generator: np.random.Generator, count: int) -> Objects:
    shown = generator.choice(
        ("nothing", "object", "flesh", "spots", "hand"), size=count, p=(0.4, 0.32, 0.12, 0.1, 0.06)
    )
    return _draw_things(
        generator,
        shown,
        x=uniform(generator, 0.1, 0.9, count),
        y=uniform(generator, 0.15, 0.9, count),
        size=uniform(generator, 0.1, 0.28, count),
    )
