"""Draws a person: clothes, hair, neck, ears and a shaded head with its features."""

import numpy as np

from repro.data.synthetic.drawing import (
    Canvas,
    Floats,
    bump,
    cover,
    paint_some,
    per_image,
    place,
    rounded_box,
    select,
    wave,
)
from repro.data.synthetic.features import paint_features
from repro.data.synthetic.people import CROWN, Person
from repro.data.synthetic.scenery import Clothes, paint_clothes


def paint_person(canvas: Canvas, person: Person, clothes: Clothes) -> None:
    """Paint clothes, hair, neck, head and features, from back to front."""
    upright = person.upright()
    paint_clothes(canvas, upright, clothes, person.light_x)
    _paint_back_hair(canvas, person)
    _paint_neck(canvas, person, clothes)
    _paint_ears(canvas, person)
    _paint_skull(canvas, person)
    paint_some(canvas, ~person.featureless, lambda part, i: paint_features(part, select(person, i)))
    _paint_front_hair(canvas, person)
    paint_some(canvas, person.hat, lambda part, i: _paint_hat(part, select(person, i)))


def _paint_back_hair(canvas: Canvas, person: Person) -> None:
    top = CROWN - person.style.volume
    middle, half = (top + person.style.fall) / 2, (person.style.fall - top) / 2
    wide = 1.02 + person.style.volume
    at = person.spot(0 * middle, middle, wide, half)
    u, v = canvas.local(at)
    mask = cover(rounded_box(u, v, 0.75), canvas.edge(at.half_x) * 1.3)
    canvas.mix_shaded(mask, person.hair * 0.7, _hair_shade(person, u, v))


def _hair_shade(person: Person, u: Floats, v: Floats) -> Floats:
    strands = wave(
        u * (5 + 6 * per_image(person.style.curls)) + v * per_image(person.style.curls * 4)
    )
    light = 1 + per_image(person.light_x) * u * 0.35 - 0.12 * v
    sheen = bump(u - per_image(person.light_x * 0.6), (v + 0.85) * 3)
    light += 0.09 * strands + 0.35 * sheen
    shade: Floats = np.maximum(light, 0.3)
    return shade


def _paint_neck(canvas: Canvas, person: Person, clothes: Clothes) -> None:
    base = person.upright()
    low = 1.78
    opening = place(
        base.x,
        base.y + low * person.size,
        person.size * (person.neck + 0.14),
        person.size * clothes.neckline * 0.75,
        angle=0 * person.size,
    )
    u, v = canvas.local(opening)
    vee = np.abs(u) * (1 + per_image(clothes.pointed) * np.maximum(v, 0))
    distance = rounded_box(vee, v, 1)
    edge = canvas.edge(np.minimum(opening.half_x, opening.half_y))
    collar = cover(distance - 0.22, edge) * per_image(clothes.collar.astype(np.float32))
    canvas.mix(collar, clothes.second)
    chest = cover(distance, edge)
    column = place(
        base.x,
        base.y + 1.2 * person.size,
        person.size * person.neck,
        person.size * 0.75,
        angle=0 * person.size,
    )
    across, down = canvas.local(column)
    neck = cover(
        rounded_box(across * (1 - 0.12 * down), down, 0.3),
        canvas.edge(column.half_x),
    )
    light = 0.72 + across * per_image(person.light_x * person.strength * 0.3)
    shadow = np.clip(0.75 + 0.4 * down, 0.5, 1)
    shade = np.maximum(light, 0.25) * shadow
    canvas.mix_shaded(np.maximum(neck, chest), person.skin, shade)


def _paint_ears(canvas: Canvas, person: Person) -> None:
    u, v = canvas.local(person.frame_of_head())
    across = (np.abs(u + per_image(person.turn) * 0.1) - 0.99) / 0.14
    down = (v - 0.1 - per_image(person.nod) * 0.3) / 0.28
    radius = np.sqrt(across * across + down * down)
    mask = cover(radius - 1, canvas.edge(person.size * 0.18))
    shade = 0.5 + 0.32 * np.minimum(radius, 1)
    canvas.mix_shaded(mask, person.skin, shade)


def _paint_skull(canvas: Canvas, person: Person) -> None:
    u, v = canvas.local(person.frame_of_head())
    squared, height = person.outline(u, v)
    mask = cover(np.sqrt(squared) - 1, canvas.edge(person.size))
    facing = np.sqrt(np.maximum(1 - squared * 0.96, 0))
    lit = u * per_image(person.light_x) - height * 0.42
    lit += facing * per_image(person.light_z)
    strength = per_image(person.strength)
    shade = (1 - 0.72 * strength) + strength * np.maximum(lit, 0)
    shade *= 0.74 + 0.26 * facing
    canvas.mix_shaded(mask, person.skin, shade)
    gleam_u = u - per_image(person.light_x) * 0.6
    gleam = bump(gleam_u * 1.7, (v + 0.55) * 2.6)
    canvas.add(gleam * mask * (strength * 0.06))


def _paint_front_hair(canvas: Canvas, person: Person) -> None:
    u, v = canvas.local(person.frame_of_head())
    wide, tall = 1.03 + person.style.volume * 0.6, 1.3 + person.style.volume
    across, down = u * per_image(1 / wide), (v + 0.1) * per_image(1 / tall)
    edge = canvas.edge(person.size) * 1.2
    cap = cover(np.sqrt(across * across + down * down) - 1, edge)
    rise = 0.5 - person.style.hairline
    p = (u - per_image(0.22 * person.turn + person.style.parting)) * per_image(
        1 / person.style.frame
    )
    q = (v - 0.5 - per_image(person.nod * 0.7)) * per_image(1 / rise)
    q *= 1 - per_image(person.style.curtain) * np.maximum(1 - np.abs(p) * 1.6, 0)
    pp, qq = np.minimum(p * p, 2), np.minimum(q * q, 2)
    bare = cover(np.sqrt(pp + qq - 0.25 * pp * qq) - 1, edge)
    side = cover(
        v + across * across * 0.3 - per_image(np.minimum(person.style.fall, 1.6)),
        edge * 3,
    )
    hair = cap * (1 - bare) * side
    canvas.mix_shaded(hair, person.hair, _hair_shade(person, u, v))


def _paint_hat(canvas: Canvas, person: Person) -> None:
    shift = 0.3 * person.nod
    dome = person.spot(0 * shift, shift - 1.12, 1.1 + person.style.volume * 0.5, 0.62 + 0 * shift)
    brim = person.spot(
        person.turn * 0.3, shift - 0.6, 1.12 + 0.4 * person.style.curls, 0.1 + 0 * shift
    )
    for at, roundness, gain in ((dome, 0.85, 1.0), (brim, 0.6, 0.7)):
        u, v = canvas.local(at)
        mask = cover(rounded_box(u, v, roundness), canvas.edge(at.half_y))
        shade = 1 + per_image(person.light_x) * u * 0.3 - 0.15 * v
        canvas.mix_shaded(mask, person.worn * gain, shade)
