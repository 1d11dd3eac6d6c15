"""Objects that share some features of a face: plain ovals, spotted ovals and hands.

Each distractor is one main object with up to four smaller ones on or around it. Darker and lighter
skin tones are drawn equally often, so that the tone of a non-face says nothing about how rare that
tone is among the faces.
"""

from dataclasses import replace

import numpy as np

from repro.data.synthetic.drawing import Floats, uniform
from repro.data.synthetic.scenery import KIND_NAMES, Objects, draw_objects, kind

PLAIN, SPOTTED, HAND = range(3)
_PARTS = 4
_COMMON = kind("box", "house", "ball", "patterned ball", "leaf", "vase", "wheel", "frame")
_FLESHY = kind("skin oval", "skin oval", "limb")
# Two dots and a bar, and a fourth spot that half of them have; in half widths of the main object.
_SPOTS = np.asarray([(-0.42, -0.1), (0.42, -0.1), (0.0, 0.62), (0.0, 0.2)], np.float32)
_SPOT_HALF = np.asarray([(0.15, 0.09), (0.15, 0.09), (0.32, 0.08), (0.1, 0.1)], np.float32)


def draw_distractors(
    generator: np.random.Generator,
    *,
    x: Floats,
    y: Floats,
    size: Floats,
    fleshy: np.ndarray[tuple[int], np.dtype[np.bool_]],
    style: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> Objects:
    """Draw one distractor per image at a place: the main object, then four parts."""
    count = x.size
    ovals = np.full(count, KIND_NAMES.index("skin oval"))
    flesh = np.where(style == PLAIN, generator.choice(_FLESHY, count), ovals)
    round_things = generator.choice(kind("ball", "patterned ball"), count)
    common = np.where(style == PLAIN, generator.choice(_COMMON, count), round_things)
    main = np.where(fleshy, flesh, common)
    parts = np.full((_PARTS, count), KIND_NAMES.index("limb"))
    kinds = np.concatenate([main[None], parts]).astype(np.int64)
    present = np.broadcast_to(style != PLAIN, kinds.shape).copy()
    present[0] = True
    present[_PARTS] &= (style == HAND) | (generator.random(count) < 0.5)
    objects = _fit_main(generator, draw_objects(generator, kinds, present), x, y, size)
    hand = _fit_fingers(generator, objects)
    spots = _fit_spots(generator, objects)
    chosen = [np.where(style == HAND, a, b) for a, b in zip(hand, spots, strict=True)]
    return _with_parts(objects, chosen)


def _fit_main(
    generator: np.random.Generator, objects: Objects, x: Floats, y: Floats, size: Floats
) -> Objects:
    half_x, half_y = objects.half_x.copy(), objects.half_y.copy()
    wanted = size * uniform(generator, 0.7, 1.15, size.size)
    longest = np.maximum(half_x[0], half_y[0] / 1.6)
    half_y[0] *= wanted / longest
    half_x[0] *= wanted / longest
    left, top = objects.x.copy(), objects.y.copy()
    left[0], top[0] = x, y
    return replace(objects, x=left, y=top, half_x=half_x, half_y=half_y)


def _fit_fingers(generator: np.random.Generator, objects: Objects) -> tuple[Floats, ...]:
    """Lay four fingers out as a fan on the palm: x, y, half extents, angle, colour."""
    count = objects.x.shape[1]
    fan = np.linspace(-0.45, 0.45, _PARTS, dtype=np.float32)[:, None]
    spread = fan * uniform(generator, 0.4, 1.3, count)
    palm_x, palm_y = objects.half_x[0], objects.half_y[0]
    turn = np.arctan2(objects.sine[0], objects.cosine[0]) + spread
    reach = palm_y * uniform(generator, 1.2, 1.5, count)
    sideways = fan * 2 * palm_x
    x = objects.x[0] + np.cos(turn) * sideways + np.sin(turn) * reach
    y = objects.y[0] + np.sin(turn) * sideways - np.cos(turn) * reach
    half_x = np.broadcast_to(palm_x * 0.22, x.shape)
    half_y = np.broadcast_to(palm_y * 0.75, x.shape)
    colour = np.broadcast_to(objects.first[:, :1], objects.first[:, 1:].shape)
    return x, y, half_x, half_y, turn, colour


def _fit_spots(generator: np.random.Generator, objects: Objects) -> tuple[Floats, ...]:
    """Arrange spots unlike a face: two dots and a bar, turned far from upright."""
    count = objects.x.shape[1]
    turn = uniform(generator, 1.1, 5.2, count)
    scatter = uniform(generator, -0.2, 0.2, 2, _PARTS, count)
    unit = objects.half_x[0]
    across = (_SPOTS[:, :1] + scatter[0]) * unit
    down = (_SPOTS[:, 1:] + scatter[1]) * unit
    x = objects.x[0] + np.cos(turn) * across - np.sin(turn) * down
    y = objects.y[0] + np.sin(turn) * across + np.cos(turn) * down
    half = _SPOT_HALF[:, :, None] * unit * uniform(generator, 0.7, 1.4, count)
    dark = objects.first[:, :1] * uniform(generator, 0.05, 0.5, count)
    own = generator.random(count) < 0.3
    colour = np.where(own, objects.second[:, 1:], dark)
    return x, y, half[:, 0], half[:, 1], np.broadcast_to(turn, x.shape), colour


def _with_parts(objects: Objects, parts: list[Floats]) -> Objects:
    x, y, half_x, half_y, turn, colour = (part.astype(np.float32) for part in parts)
    cosine, sine = np.cos(turn), np.sin(turn)
    plain = np.zeros_like(x)
    return replace(
        objects,
        x=np.concatenate([objects.x[:1], x]),
        y=np.concatenate([objects.y[:1], y]),
        half_x=np.concatenate([objects.half_x[:1], half_x]),
        half_y=np.concatenate([objects.half_y[:1], half_y]),
        cosine=np.concatenate([objects.cosine[:1], cosine]),
        sine=np.concatenate([objects.sine[:1], sine]),
        taper=np.concatenate([objects.taper[:1], plain]),
        roundness=np.concatenate([objects.roundness[:1], plain + 0.9]),
        first=np.concatenate([objects.first[:, :1], colour], axis=1),
    )
