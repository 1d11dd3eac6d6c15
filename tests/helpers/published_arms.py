"""Arms about published values, and studies that answer to print."""

import math

import numpy as np

from repro.analysis.outcomes import Arm, Outcomes
from repro.study.published import Margin, Published

GROUPS = {"dark": 100, "light": 100}
CONFIGURATION = {"epochs": 60, "windows": {"sizes": 5, "stride": 0.2}}
WINDOWS_4 = {"epochs": 60, "windows": {"sizes": 4}}
PUBLISHED = Published.model_validate(
    {
        "source": "Somebody (2020)",
        "printed": "Table 1",
        "definition": "dehaan2020",
        "replicates": 5,
        "keep": 3,
        "protocol": {
            "groups": GROUPS,
            "training_images": 1000,
            "configuration": {"epochs": 60, "windows": {"sizes": 5}},
        },
        "rows": [
            {"arm": "none", "recall": 85.0, "variance": 25.0},
            {"arm": "weak", "recall": 86.0, "variance": 16.0},
            {"arm": "strong", "recall": 87.0, "variance": 9.0},
        ],
    }
)
WIDE, NARROW = Margin(recall=5.0, variance=20.0), Margin(recall=0.01, variance=0.01)
STEPS = np.array([-0.006, -0.003, 0.0, 0.003, 0.006])


def arm(name, dark, light, *, spread=1.0, **changes):
    """Five runs about these recalls, both groups moving together."""
    recall = np.stack([dark + spread * STEPS, light + spread * STEPS], axis=1)
    plain = {
        "name": name,
        "alpha": math.inf if name == "none" else 0.1,
        "wanted": 5,
        "seeds": (0, 1, 2, 3, 4),
        "groups": tuple(GROUPS),
        "sizes": np.array([100, 100]),
        "recall": recall,
        "selector": recall.mean(axis=1),
        "configurations": (CONFIGURATION,) * 5,
        "training_images": (1000,) * 5,
    }
    return Arm(**(plain | changes))


def uneven(name, dark, light):
    """The same mean recalls, but the dark group alone moves, so that variances vary too."""
    recall = np.stack([dark + 2 * STEPS, light + 0 * STEPS], axis=1)
    return arm(name, dark, light, recall=recall, selector=recall.mean(axis=1))


SWEEP = (arm("none", 0.79, 0.89), arm("weak", 0.81, 0.89), arm("strong", 0.83, 0.89))


def outcomes(arms=SWEEP, *, margin=WIDE, published=PUBLISHED, **changes):
    """A study that answers to print."""
    plain = {
        "name": "toy",
        "caption": "toy: Does it?",
        "arms": tuple(arms),
        "reference": "none",
        "keep": 3,
        "by": "recall",
        "split": "test",
        "paired": True,
        "rates": (),
        "metrics": ("recall", "variance"),
        "test": "t",
        "synthetic": False,
        "published": published,
        "margin": margin,
        "label": "toy",
    }
    return Outcomes(**(plain | changes))
