"""True factors of the synthetic faces and the distributions they are drawn from.

Skin is a reflectance from 0 (dark) to 1 (light), a linear rescaling of the individual typology
angle (ITA) from -60 to 70 degrees; the six types are the published ITA classes (Chardon 1991,
Del Bino 2013: very light above 55, light above 41, intermediate above 28, tan above 10, brown
above -30, dark below), numbered I to VI. Every other factor is drawn independently of skin, so a
skewed draw changes only the share of darker faces.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from repro.data.synthetic.drawing import Flags, Floats, uniform

ITA_LOW, ITA_HIGH = -60.0, 70.0
ITA_CUTS = (55.0, 41.0, 28.0, 10.0, -30.0)  # above the first: type I; below the last: type VI
DARKER_FROM = 4
# Shares of the types within each half as in the Pilot Parliaments Benchmark.
LIGHTER_TYPES, LIGHTER_SHARES = (1, 2, 3), (0.17, 0.64, 0.19)
DARKER_TYPES, DARKER_SHARES = (4, 5, 6), (0.11, 0.46, 0.43)
NATURAL_DARKER_SHARE = 0.13
FEMALE_SHARE = 0.58
HAT_SHARE, GLASSES_SHARE = 0.05, 0.07
BACKGROUNDS = ("studio", "wall", "pattern", "town", "garden", "room")


@dataclass(frozen=True)
class Factors:
    """The factors of N faces, one entry per face in every array."""

    skin_reflectance: Floats
    fitzpatrick: npt.NDArray[np.int64]
    gender: npt.NDArray[np.str_]
    hair_length: Floats
    hair_colour: Floats
    beard: Floats
    hat: Flags
    glasses: Flags
    yaw: Floats
    pitch: Floats
    roll: Floats
    light_angle: Floats
    light_strength: Floats
    background: npt.NDArray[np.int64]
    smile: Floats
    age: Floats
    jaw: Floats
    brow: Floats
    lip_tint: Floats
    build: Floats

    def __len__(self) -> int:
        return int(self.skin_reflectance.size)

    @property
    def darker(self) -> Flags:
        """Whether each face has one of the types IV to VI."""
        return self.fitzpatrick >= DARKER_FROM

    @property
    def skin(self) -> npt.NDArray[np.str_]:
        """Name each face's half of the scale: 'darker' or 'lighter'."""
        return np.where(self.darker, "darker", "lighter")


def type_cuts() -> Floats:
    """Give the reflectances that separate the types, from I/II down to V/VI."""
    cuts = (np.asarray(ITA_CUTS) - ITA_LOW) / (ITA_HIGH - ITA_LOW)
    return cuts.astype(np.float32)


def fitzpatrick_type(reflectance: Floats) -> npt.NDArray[np.int64]:
    """Number the skin type, 1 (lightest) to 6, of each reflectance."""
    below = np.asarray(reflectance, np.float32)[..., None] < type_cuts()
    kinds: npt.NDArray[np.int64] = 1 + below.sum(axis=-1, dtype=np.int64)
    return kinds


def draw_reflectance(generator: np.random.Generator, darker: Flags) -> Floats:
    """Draw a type in the requested half of the scale, then a reflectance within the type."""
    lighter_type = generator.choice(LIGHTER_TYPES, size=darker.shape, p=LIGHTER_SHARES)
    darker_type = generator.choice(DARKER_TYPES, size=darker.shape, p=DARKER_SHARES)
    kind = np.where(darker, darker_type, lighter_type)
    bounds = np.concatenate(([1.0], type_cuts().astype(np.float64), [0.0]))
    inside = generator.uniform(
        0.02, 0.98, darker.shape
    )  # a margin, so that rounding keeps the type
    low, high = bounds[kind], bounds[kind - 1]
    reflectance: Floats = (low + inside * (high - low)).astype(np.float32)
    return reflectance


def draw_even_reflectance(generator: np.random.Generator, *shape: int) -> Floats:
    """Draw skin for things that are not faces: as often darker as lighter."""
    return draw_reflectance(generator, generator.random(shape) < 0.5)


def draw_factors(generator: np.random.Generator, n: int, *, darker_share: float | None) -> Factors:
    """Draw n training faces; `None` stands for the skewed share of a celebrity collection."""
    share = NATURAL_DARKER_SHARE if darker_share is None else darker_share
    darker = generator.random(n) < share
    female = generator.random(n) < FEMALE_SHARE
    return _draw_rest(generator, darker, female)


def draw_balanced_factors(generator: np.random.Generator, per_group: int) -> Factors:
    """Draw exactly `per_group` faces of each skin half and gender, in a shuffled order."""
    cell = generator.permutation(np.repeat(np.arange(4), per_group))
    return _draw_rest(generator, cell < 2, cell % 2 == 0)


def _draw_rest(generator: np.random.Generator, darker: Flags, female: Flags) -> Factors:
    count = darker.size
    reflectance = draw_reflectance(generator, darker)
    return Factors(
        skin_reflectance=reflectance,
        fitzpatrick=fitzpatrick_type(reflectance),
        gender=np.where(female, "female", "male"),
        hair_length=_by_gender(generator, female, (0.68, 0.2), (0.2, 0.14)),
        hair_colour=uniform(generator, 0, 1, count),
        beard=_draw_beard(generator, female),
        hat=generator.random(count) < HAT_SHARE,
        glasses=generator.random(count) < GLASSES_SHARE,
        yaw=_bell(generator, count, 0.24, 0.5),
        pitch=_bell(generator, count, 0.14, 0.3),
        roll=_bell(generator, count, 0.15, 0.4),
        light_angle=uniform(generator, -1.3, 1.3, count),
        light_strength=uniform(generator, 0.25, 1, count),
        background=generator.integers(0, len(BACKGROUNDS), count),
        smile=uniform(generator, 0, 1, count),
        age=generator.beta(1.5, 2.5, count).astype(np.float32),
        jaw=_by_gender(generator, female, (0.35, 0.17), (0.65, 0.17)),
        brow=_by_gender(generator, female, (0.4, 0.16), (0.64, 0.17)),
        lip_tint=_by_gender(generator, female, (0.62, 0.25), (0.2, 0.12)),
        build=uniform(generator, 0, 1, count),
    )


def _by_gender(
    generator: np.random.Generator,
    female: Flags,
    women: tuple[float, float],
    men: tuple[float, float],
) -> Floats:
    mean = np.where(female, women[0], men[0])
    spread = np.where(female, women[1], men[1])
    return np.clip(generator.normal(mean, spread), 0, 1).astype(np.float32)


def _draw_beard(generator: np.random.Generator, female: Flags) -> Floats:
    grown = ~female & (generator.random(female.size) < 0.38)
    return np.where(grown, generator.uniform(0.2, 1, female.size), 0).astype(np.float32)


def _bell(generator: np.random.Generator, count: int, spread: float, limit: float) -> Floats:
    return np.clip(generator.normal(0, spread, count), -limit, limit).astype(np.float32)
