"""A study whose arms close a gap between two groups, one of them with placebos."""

from dataclasses import replace

import numpy as np
from arms import arm, outcomes
from asking import OTHERS, asking, claim

from repro.study.gap_share import GapShare

GROUP = np.repeat([0, 1], 50)
GAPS = {"none": 1.4, "weighted": 0.8, "placebo": 1.3, "oracle": 0.3, "even faces": 0.0}
SOURCE = "0" * 32 + "-seed0"
DEALT = {"resampling": {"rule": "placebo", "parameters": {"within": "all"}}}


def of(name, gap, *, runs=5):
    """An arm whose second group is found less often, by this much of the logits' spread."""
    generator = np.random.default_rng(len(name))
    noise = generator.normal(0, 0.1, (runs, 1)) * GROUP
    logits = generator.normal(1, 1, (runs, 2 * 50)) - gap * GROUP + noise
    return arm(name, logits, nonfaces=OTHERS, group=GROUP)


def study(*claims, asked=(), runs=5, **gaps):
    """A study of these arms; `asked` changes what the gap's share is asked of."""
    made = {name: of(name, gap, runs=runs) for name, gap in {**GAPS, **gaps}.items()}
    made["weighted"] = replace(made["weighted"], keys=(SOURCE,))
    made["placebo"] = replace(made["placebo"], sources=(SOURCE,), configured=DEALT)
    plain = {
        "reference": "none",
        "ceilings": ["oracle", "even faces"],
        "arms": ["weighted", "oracle", "even faces"],
    }
    share = GapShare.model_validate(plain | dict(asked))
    contrast = {"contrast": {"arm": "weighted", "less": "placebo"}}
    asks = claims or (claim(**contrast),)
    return replace(asking(outcomes(*made.values()), *asks), gap_share=share)
