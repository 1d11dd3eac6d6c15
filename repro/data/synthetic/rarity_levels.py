"""Embedded faces sorted by their factors, so that rarity is known and not estimated.

A level is a subset of the faces: all with a hat, all of skin type VI. Levels of different factors
overlap. For a numeric factor, the level is its extreme end.
"""

import numpy as np

from repro.data.synthetic.drawing import Flags
from repro.data.synthetic.factors import BACKGROUNDS, Factors

TURNED, TILTED = 0.4, 0.25  # radians
DIM, AGED = 0.35, 0.7  # of scales from 0 to 1
TYPES = ("I", "II", "III", "IV", "V", "VI")


def levels(factors: Factors) -> dict[str, Flags]:
    """For each level, whether each face has it, shape (N,)."""
    found = {"darker skin (IV to VI)": factors.darker, "lighter skin (I to III)": ~factors.darker}
    found |= {f"skin type {name}": factors.fitzpatrick == i for i, name in enumerate(TYPES, 1)}
    found |= {f"{gender}": factors.gender == gender for gender in ("female", "male")}
    found |= {
        "hat": factors.hat,
        "glasses": factors.glasses,
        "beard": factors.beard > 0,
        "head turned aside": np.abs(factors.yaw) > TURNED,
        "head tilted": np.abs(factors.roll) > TILTED,
        "dim light": factors.light_strength < DIM,
        "old": factors.age > AGED,
    }
    places = {f"background: {name}": factors.background == i for i, name in enumerate(BACKGROUNDS)}
    return found | places
