"""Studies with a scale of skin tone: darker portraits of tones 4 to 6, lighter ones of 1 to 3."""

import dataclasses

import crowds
import numpy as np

GROUPS = ("darker", "lighter")
EACH = 36  # portraits of a group, 12 of each tone
LEVELS = np.concatenate([np.repeat([4.0, 5, 6], 12), np.repeat([1.0, 2, 3], 12)])
PAIRS = np.repeat(np.arange(EACH), 2)  # two portraits of each person
SMOOTH = LEVELS + np.tile(np.linspace(-0.4, 0.4, 12), 6)


def view(tone=LEVELS, cluster=None, *, column="fitzpatrick", arms=crowds.SWEEP, **changes):
    """A study of three runs an arm, at logit 0 and at 10 % false positives."""
    plain = crowds.view(arms, GROUPS, size=EACH, **changes)
    toned = tuple(
        dataclasses.replace(
            arm, scores=arm.scores and dataclasses.replace(arm.scores, tone=tone, cluster=cluster)
        )
        for arm in plain.outcomes.arms
    )
    known = {"tone": column, "cluster": "" if cluster is None else "subject_id", "rates": (0.1,)}
    return dataclasses.replace(
        plain, outcomes=dataclasses.replace(plain.outcomes, arms=toned, **known)
    )


def outcomes(*arguments, **changes):
    """Their outcomes."""
    return view(*arguments, **changes).outcomes
