"""Studies that ask: claims laid over made-up arms, and statistics put in their place."""

from dataclasses import replace

import numpy as np
from arms import arm, noisy, outcomes

from repro.analysis import arm_parts, claims
from repro.stats.components import Parts
from repro.study.claims import Claim, Declared

OTHERS = np.linspace(-20.0, -1.0, 40)  # photographs without a face: enough for 10 %
LOGIT = {"logit": 0}
EQUAL = "resampling makes the groups more equal"
GAIN = {
    "name": "darker males gain most",
    "quantity": "group_recall",
    "group": "a",
    "expect": "largest",
    "smallest_effect": {"absolute": 1.0},
}
SHARE = {
    "name": "a small alpha makes runs fail",
    "quantity": "failed_share",
    "read_at": None,
    "expect": "higher",
    "smallest_effect": {"absolute": 20.0},
}
REFERENCE = [405.0, 380.0, 430.0, 395.0, 415.0]
STANDARD = np.array([-1.0, -0.5, 0.0, 0.5, 1.0]) / np.std([-1, -0.5, 0, 0.5, 1], ddof=1)


def claim(**changes):
    """The primary claim that the variance falls by 25 percent squared or more."""
    plain = {
        "name": EQUAL,
        "quantity": "variance",
        "read_at": LOGIT,
        "contrast": {"arm": "B", "less": "A"},
        "expect": "lower",
        "smallest_effect": {"absolute": 25.0},
        "primary": True,
    }
    return Claim.model_validate(plain | changes)


def recall_kept(**changes):
    """Another claim: recall changes by less than two points."""
    plain = {
        "name": "recall is kept",
        "quantity": "recall",
        "expect": "kept",
        "smallest_effect": {"absolute": 2.0},
        "primary": False,
    }
    return claim(**(plain | changes))


def asking(found, *claims, trend=()):
    """The study with these claims; a trend goes through these arms."""
    declared = [
        Declared(one, (one.contrast.less, one.contrast.arm) if one.contrast.arm else tuple(trend))
        for one in claims
    ]
    return replace(found, claims=tuple(declared))


def study(*claims, names=("A", "B"), runs=5, trend=(), **changes):
    """Arms whose runs find every portrait and none of 40 other photographs, and claims on them."""
    found = noisy(7, runs, shift=9.0)
    arms = [arm(name, found, nonfaces=OTHERS) for name in names]
    return asking(outcomes(*arms, **changes), *claims, trend=trend)


def parts(values, *, scale, noise=0.0):
    """A statistic with these values of single runs, and this variance from the photographs."""
    runs = np.asarray(values, dtype=np.float64) / scale
    return Parts(
        value=runs.mean(),
        runs=runs,
        portraits=np.zeros(2),
        detected=np.zeros(1),
        group=np.zeros(2, dtype=np.int64),
        bound=np.zeros(()),
        redrawn=np.empty(0),
        nonfaces=np.empty(0),
        curved=np.asarray(noise / scale**2),
    )


def put(monkeypatch, **statistics):
    """Put values in place of what the runs would have: ``variance={"A": [...], "B": [...]}``.

    In percent, or in percent squared for a variance; a group's recall is called by the group.
    """

    def instead(found, name, definition, rate=None):
        values = statistics[name.removeprefix("group ")][found.name]
        return parts(values, scale=1e4 if name == "variance" else 1e2)

    monkeypatch.setattr(arm_parts, "parts", instead)


def falls(by, sd):
    """Variances of two arms whose pairs differ so."""
    return {"A": REFERENCE, "B": np.asarray(REFERENCE) - by + sd * STANDARD}


def recalls(by, sd):
    """Recalls of two arms whose pairs differ so."""
    return {"A": [90.0] * 5, "B": 90 + by + sd * STANDARD}


def apart(mean, sd):
    """Five values of this mean and standard deviation."""
    return mean + sd * STANDARD


def answered(monkeypatch, values, *wanted, **changes):
    """The answers to the claims, of runs with these values."""
    put(monkeypatch, **values)
    return claims.findings(study(*wanted, **changes))


def of_difference(monkeypatch, mean, sd, **changes):
    """The answer of five pairs that differ by this mean and standard deviation."""
    values = {"A": REFERENCE, "B": REFERENCE + apart(mean, sd)}
    kind = changes.get("quantity", "variance")
    return answered(monkeypatch, {kind: values}, claim(**changes))[0]
