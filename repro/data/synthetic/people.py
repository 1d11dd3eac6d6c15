"""Turns the factors of a face into the geometry and colours of a head.

A head has its own units: its half width is one, the eyes are near the origin, the chin near 1.35
and the crown near -1.3. Skin reflectance affects only the skin's colour: no position, no shadow and
no highlight depends on it.
"""

from dataclasses import dataclass

import numpy as np

from repro.data.synthetic.drawing import Flags, Floats, Place, per_image, uniform
from repro.data.synthetic.factors import Factors
from repro.data.synthetic.scenery import mixed_colour, skin_colour

CROWN = -1.32
_HAIR_AT = (0.0, 0.4, 0.65, 0.8, 0.92, 1.0)
_HAIR = (
    (0.008, 0.007, 0.007),
    (0.030, 0.018, 0.012),
    (0.090, 0.045, 0.022),
    (0.200, 0.085, 0.035),
    (0.420, 0.270, 0.120),
    (0.560, 0.500, 0.430),
)
_IRISES = ((0.05, 0.025, 0.012), (0.11, 0.06, 0.025), (0.10, 0.14, 0.07), (0.12, 0.19, 0.30))


@dataclass(frozen=True)
class Traits:
    """Sizes and places of the features, in half widths of the head."""

    eye_x: Floats
    eye_w: Floats
    eye_h: Floats
    gaze: Floats
    brow: Floats
    arch: Floats
    brow_tilt: Floats
    nose: Floats
    mouth_w: Floats
    lips: Floats


@dataclass(frozen=True)
class HairStyle:
    """How full and long the hair is and how it frames the face."""

    volume: Floats
    fall: Floats
    hairline: Floats
    parting: Floats
    frame: Floats
    curtain: Floats
    curls: Floats


@dataclass(frozen=True)
class Person:
    """Everything the drawing needs of N people, in head units and linear colours (3, N)."""

    x: Floats
    y: Floats
    size: Floats
    cosine: Floats
    sine: Floats
    turn: Floats
    nod: Floats
    light_x: Floats
    light_z: Floats
    strength: Floats
    skin: Floats
    hair: Floats
    iris: Floats
    traits: Traits
    style: HairStyle
    chin: Floats
    square: Floats
    taper: Floats
    tint: Floats
    smile: Floats
    age: Floats
    beard: Floats
    neck: Floats
    hat: Flags
    glasses: Flags
    worn: Floats
    featureless: Flags

    def upright(self) -> Place:
        """Give the head's frame without its roll, in which the body stands."""
        zero = np.zeros_like(self.size)
        return Place(self.x, self.y, self.size, self.size, cosine=zero + 1, sine=zero)

    def spot(self, u: Floats, v: Floats, half_u: Floats, half_v: Floats) -> Place:
        """Give the frame of a feature centred at (u, v) of the head."""
        return Place(
            x=self.x + self.size * (self.cosine * u - self.sine * v),
            y=self.y + self.size * (self.sine * u + self.cosine * v),
            half_x=self.size * half_u,
            half_y=self.size * half_v,
            cosine=self.cosine,
            sine=self.sine,
        )

    def frame_of_head(self) -> Place:
        """Give the head's own frame."""
        return Place(self.x, self.y, self.size, self.size, self.cosine, self.sine)

    def outline(self, u: Floats, v: Floats) -> tuple[Floats, Floats]:
        """Squared radius (one on the outline) and relative height of points of the head."""
        below = np.maximum(v, 0)
        across = u * (1 + per_image(self.taper / self.chin) * below)
        height = v * np.where(v > 0, per_image(1 / self.chin), 1 / -CROWN)
        q, s = np.minimum(across * across, 2), np.minimum(height * height, 2)
        return q + s - per_image(self.square) * (q * s) * (below > 0), height

    def ones(self) -> Floats:
        """Give a one per person."""
        return np.ones_like(self.size)


def hair_tone(colour: Floats) -> Floats:
    """Give the linear colour (3, N) of hair from black, 0, through brown to pale, 1."""
    channels = [np.interp(colour, _HAIR_AT, row) for row in np.transpose(_HAIR)]
    return np.stack(channels).astype(np.float32)


def draw_people(
    generator: np.random.Generator, factors: Factors, *, x: Floats, y: Floats, size: Floats
) -> Person:
    """Turn factors into geometry and colours, with the individual variation around them."""
    count = len(factors)
    vary = uniform(generator, -1, 1, 3, count)
    iris = np.asarray(_IRISES, np.float32)[generator.integers(0, len(_IRISES), count)].T
    return Person(
        x=x,
        y=y,
        size=size,
        cosine=np.cos(factors.roll),
        sine=np.sin(factors.roll),
        turn=np.sin(factors.yaw),
        nod=np.sin(factors.pitch),
        light_x=np.sin(factors.light_angle) * 0.8,
        light_z=np.cos(factors.light_angle) * 0.8,
        strength=factors.light_strength,
        skin=skin_colour(factors.skin_reflectance),
        hair=hair_tone(factors.hair_colour),
        iris=iris,
        traits=_draw_traits(generator, factors),
        style=_draw_style(generator, factors),
        chin=1.42 - 0.16 * factors.build + 0.05 * vary[0],
        square=0.08 + 0.42 * factors.jaw,
        taper=0.30 - 0.2 * factors.jaw + 0.04 * vary[1],
        tint=factors.lip_tint,
        smile=factors.smile,
        age=factors.age,
        beard=factors.beard,
        neck=0.6 + 0.06 * vary[2] + 0.1 * (factors.jaw - 0.5),
        hat=factors.hat,
        glasses=factors.glasses,
        worn=mixed_colour(generator, count),
        featureless=np.zeros(count, np.bool_),
    )


def _draw_traits(generator: np.random.Generator, factors: Factors) -> Traits:
    vary = uniform(generator, -1, 1, 9, len(factors))
    return Traits(
        eye_x=0.41 + 0.035 * vary[0],
        eye_w=0.19 + 0.025 * vary[1],
        eye_h=0.086 + 0.028 * vary[2] - 0.015 * factors.smile,
        gaze=0.07 * vary[3],
        brow=0.022 + 0.055 * factors.brow,
        arch=0.06 + 0.04 * vary[4],
        brow_tilt=0.025 + 0.05 * vary[5],
        nose=1 + 0.2 * vary[6],
        mouth_w=0.34 + 0.05 * vary[7] + 0.08 * factors.smile,
        lips=0.075 + 0.03 * vary[8],
    )


def _draw_style(generator: np.random.Generator, factors: Factors) -> HairStyle:
    vary = uniform(generator, -1, 1, 6, len(factors))
    length = factors.hair_length
    return HairStyle(
        volume=0.05 + 0.22 * np.abs(vary[0]) * (0.35 + length),
        fall=np.where(length < 0.3, -0.3 + 3 * length, 0.1 + 2.6 * (length - 0.15)),
        hairline=-0.74 + 0.13 * vary[1] - 0.2 * np.maximum(factors.age - 0.7, 0),
        parting=0.22 * vary[2] * (0.3 + length),
        frame=1.06 - 0.24 * length + 0.04 * vary[3],
        curtain=0.28 * np.maximum(vary[4], 0),
        curls=np.abs(vary[5]),
    )
