"""The features of a face: eyes, brows, nose, mouth, cheeks, beard and glasses.

Turning the head moves the features over a sphere inside the outline. Each feature is painted on
a small canvas cut around it, which costs a fraction of painting over the whole picture.
"""

from collections.abc import Callable

import numpy as np

from repro.data.synthetic.drawing import (
    Canvas,
    Floats,
    Place,
    bump,
    cover,
    paint_some,
    per_image,
    rounded_box,
    select,
)
from repro.data.synthetic.people import Person

_EYE_DEPTH, _NOSE_DEPTH, _MOUTH_DEPTH = 0.9, 1.15, 0.95


def paint_features(canvas: Canvas, person: Person) -> None:
    """Paint all features of the face on the shaded head."""
    bearded = person.beard > 0
    paint_some(canvas, bearded, lambda part, i: _paint_beard(part, select(person, i)))
    _paint_lower_face(canvas, person)
    for side in (-1, 1):
        _paint_eye(canvas, person, side)
    paint_some(canvas, person.glasses, lambda part, i: _paint_glasses(part, select(person, i)))


def _paint_beard(canvas: Canvas, person: Person) -> None:
    u, v = canvas.local(person.frame_of_head())
    squared, _ = person.outline(u, v)
    mask = cover(np.sqrt(squared) - 1.03, canvas.edge(person.size))
    start = 0.62 - 0.5 * u * u + per_image(person.nod)
    area = np.clip((v - start) * 7, 0, 1)
    canvas.mix(mask * area * per_image(person.beard * 0.88), person.hair * 0.8)


def _paint_lower_face(canvas: Canvas, person: Person) -> None:
    one, turn, nod = person.ones(), person.turn, person.nod
    cheeks = person.spot(_EYE_DEPTH * turn, 0.5 + nod, one, one)
    _paint_around(canvas, person, cheeks, 0.72, lambda part: _paint_cheeks(part, person, cheeks))
    nose = person.spot(_NOSE_DEPTH * turn, nod * _NOSE_DEPTH, person.traits.nose, one)
    bridge = person.spot(_NOSE_DEPTH * turn, nod * _NOSE_DEPTH + 0.26, one, one)
    _paint_around(canvas, person, bridge, 0.48, lambda part: _paint_nose(part, person, nose))
    mouth = person.spot(_MOUTH_DEPTH * turn, 0.83 + nod, one, one)
    _paint_around(canvas, person, mouth, 0.52, lambda part: _paint_mouth(part, person, mouth))


def _paint_around(
    canvas: Canvas, person: Person, at: Place, reach: float, paint: Callable[[Canvas], None]
) -> None:
    """Paint on the pixels within a reach, in half widths of the head, of a feature's middle."""
    small, flat = canvas.cut(at.x, at.y, person.size * reach)
    paint(small)
    canvas.paste(small, flat)


def _paint_cheeks(canvas: Canvas, person: Person, at: Place) -> None:
    u, v = canvas.local(at)
    apart = np.abs(u)
    round_cheek = bump((apart - 0.46) * 4, v * 4)
    canvas.multiply(round_cheek, np.asarray([[1.06], [0.9], [0.9]], np.float32) + 0 * person.size)
    canvas.add(round_cheek * per_image(person.strength * 0.02))
    fold = np.abs(apart - 0.3 - 0.28 * (v + 0.1))
    crease = np.maximum(1 - fold * 22, 0) * (np.abs(v - 0.1) < 0.25)
    depth = 0.08 + 0.42 * person.age
    canvas.multiply(crease * per_image(depth), np.full((3, depth.size), 0.5, np.float32))


def _dim(person: Person, factor: float) -> Floats:
    dimmed = np.full_like(person.size, factor)
    return np.broadcast_to(dimmed, (3, dimmed.size))


def _paint_nose(canvas: Canvas, person: Person, at: Place) -> None:
    u, v = canvas.local(at)
    away = -np.sign(person.light_x) * 0.17
    side = bump((u - per_image(away)) * 7, (v - 0.24) * 2.9)
    side *= per_image(0.25 + person.strength * np.abs(person.light_x))
    canvas.multiply(side, _dim(person, 0.55))
    under = bump(u * 3.6, (v - 0.57) * 9)
    canvas.multiply(under, _dim(person, 0.6))
    wings = bump((np.abs(u) - 0.2) * 14, (v - 0.46) * 8)
    canvas.multiply(wings, _dim(person, 0.65))
    ridge = bump((u + per_image(away) * 0.25) * 9, (v - 0.2) * 2.8)
    tip = bump(u * 8, (v - 0.42) * 9)
    canvas.add((ridge + tip) * per_image(0.02 + 0.06 * person.strength))
    across = (np.abs(u) - 0.105) / 0.065
    down = (v - 0.525) / 0.04
    nostril = cover(np.sqrt(across * across + down * down) - 1, canvas.edge(person.size * 0.05))
    canvas.multiply(nostril, _dim(person, 0.22))


def _paint_mouth(canvas: Canvas, person: Person, at: Place) -> None:
    u, v = canvas.local(at)
    p = u / per_image(person.traits.mouth_w)
    arc = np.maximum(1 - p * p, 0)
    line = v + p * p * per_image(0.12 * (person.smile - 0.12))
    edge = canvas.edge(person.size)
    below = bump(u * 4, (v - 0.19) * 10)
    canvas.multiply(below, _dim(person, 0.75))
    full = per_image(person.traits.lips)
    dent = 1 - 0.3 * np.maximum(1 - np.abs(p) * 5, 0)
    inside = np.maximum(-line - full * arc * dent, line - full * 1.25 * arc)
    tint = person.tint
    redden = np.stack([0.86 - 0.12 * tint, 0.58 - 0.28 * tint, 0.6 - 0.25 * tint])
    lips = cover(inside, edge) * np.clip(arc * 12, 0, 1)
    canvas.multiply(lips, redden.astype(np.float32))
    moist = bump(u * 5, (line - full * 0.7) * 16)
    canvas.add(moist * per_image(0.015 + 0.04 * person.strength))
    gap = np.maximum(person.smile - 0.6, 0) * 0.16
    parted = cover(np.abs(line) - 0.016 - per_image(gap) * arc, edge)
    parted *= np.clip(arc * 12, 0, 1)
    canvas.multiply(parted, _dim(person, 0.2))
    teeth = cover(
        np.abs(line + per_image(gap * 0.15)) - per_image(gap) * arc * 0.8,
        edge,
    )
    teeth *= np.clip(per_image(gap) * 60, 0, 1) * (arc > 0.1)
    canvas.mix(teeth, np.asarray([[0.6], [0.56], [0.5]], np.float32) + 0 * tint)


def _eye_place(person: Person, side: int) -> tuple[Floats, Floats, Floats]:
    """Centre and foreshortening of the eye on one side of a turned head."""
    ahead = np.sqrt(1 - person.turn * person.turn)
    u = side * person.traits.eye_x * ahead + _EYE_DEPTH * person.turn
    return u, person.nod * _EYE_DEPTH, ahead - side * 0.45 * person.turn


def _paint_eye(canvas: Canvas, person: Person, side: int) -> None:
    u, v, narrow = _eye_place(person, side)
    eye = person.spot(u, v, person.traits.eye_w * narrow, person.traits.eye_h)
    brow_v = v - 0.26 - 0.6 * (person.traits.eye_h - 0.09)
    brow = person.spot(u, brow_v, 0.28 * narrow, person.ones())
    between = person.spot(u, v - 0.14, person.ones(), person.ones())

    def paint(part: Canvas) -> None:
        _paint_socket(part, person, eye)
        _paint_eyeball(part, person, eye)
        _paint_brow(part, person, brow, side)

    _paint_around(canvas, person, between, 0.52, paint)


def _paint_socket(canvas: Canvas, person: Person, at: Place) -> None:
    p, q = canvas.local(at)
    hollow = bump(p * 0.62, (q + 0.5) * 0.4)
    canvas.multiply(hollow, _dim(person, 0.68))
    bag = np.maximum(1 - np.abs(q - 1.9 + p * p * 0.7), 0)
    bag *= np.maximum(1 - p * p, 0) * per_image(person.age * 0.5)
    canvas.multiply(bag, _dim(person, 0.6))


def _paint_eyeball(canvas: Canvas, person: Person, at: Place) -> None:
    p, q = canvas.local(at)
    arc = 1 - p * p
    edge = canvas.edge(at.half_y)
    lids = np.maximum(-q - arc, q - 0.8 * arc)
    white = cover(lids, edge)
    shade = 0.85 - 0.25 * np.maximum(-q, 0)
    canvas.mix_shaded(white, np.asarray([[0.52], [0.48], [0.46]], np.float32) + 0 * at.x, shade)
    x = (p * per_image(at.half_x / person.size) - per_image(person.traits.gaze)) / 0.098
    y = q * per_image(person.traits.eye_h) / 0.098 + 0.1
    radius = np.sqrt(x * x + y * y)
    rim = canvas.edge(person.size * 0.098)
    canvas.mix(cover(radius - 1, rim) * white, person.iris)
    canvas.mix(cover(radius - 0.48, rim) * white, person.iris * 0.05)
    glint = bump((x + 0.3) * 2, (y + 0.35) * 2)
    canvas.add(glint * white * 0.5)
    lash = cover(np.abs(q + arc) - 0.24, edge) * (np.abs(p) < 1.15)
    canvas.multiply(lash * per_image(0.65 + 0.35 * person.tint), _dim(person, 0.12))
    crease = cover(np.abs(q + 0.75 + arc) - 0.12, edge) * (arc > 0)
    canvas.multiply(crease, _dim(person, 0.7))


def _paint_brow(canvas: Canvas, person: Person, at: Place, side: int) -> None:
    p, v = canvas.local(at)
    outward = p * side
    line = (
        v
        + per_image(person.traits.arch) * (1 - p * p)
        + per_image(person.traits.brow_tilt) * outward
    )
    thick = per_image(person.traits.brow) * (1 - 0.35 * outward - 0.25 * p * p)
    mask = cover(np.abs(line) - thick, canvas.edge(person.size)) * np.clip(
        (1 - np.abs(p)) * 6, 0, 1
    )
    pale = np.minimum(person.hair[1], 0.4)
    canvas.multiply(mask, np.broadcast_to(0.1 + pale, (3, pale.size)))


def _paint_glasses(canvas: Canvas, person: Person) -> None:
    for side in (-1, 1):
        u, v, narrow = _eye_place(person, side)
        at = person.spot(u, v, 0.31 * narrow, 0.25 * person.ones())
        p, q = canvas.local(at)
        ring = np.abs(rounded_box(p, q, 0.7) + 0.05) - 0.1
        canvas.mix(cover(ring, canvas.edge(at.half_y)), person.worn * 0.4)
    bridge = person.spot(
        _NOSE_DEPTH * person.turn,
        person.nod - 0.05,
        0.1 * person.ones(),
        0.03 * person.ones(),
    )
    p, q = canvas.local(bridge)
    bar = cover(rounded_box(p, q, 0.2), canvas.edge(bridge.half_y))
    canvas.mix(bar, person.worn * 0.4)
