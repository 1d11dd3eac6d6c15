"""Small studies for the tests of reports: records made up, figures drawn from nothing."""

import dataclasses

import numpy as np
from builders import configuration, study_index
from matplotlib.figure import Figure

from repro.analysis import study_data
from repro.metrics import Count
from repro.records.records import Record
from repro.reporting.figures.illustration import Illustration
from repro.reporting.report.study_chapter import Chapter
from repro.study.claims import Claim, Declared

HOSTILE = (
    r'<script>alert(1)</script> & 50 % _a_ {b} \c $d$ #e ~f ^g "h" |i| é ü – “ ” ≥ α 日本 😀 [j]'
)
GROUPS = ("darker_female", "darker_male", "lighter_female", "lighter_male")
PROVENANCE = {
    "commit": "0123456789abcdef0123456789abcdef01234567",
    "python": "3.11.7",
    "packages": {"torch": "2.13.0", "numpy": "2.4.6"},
    "system": "Linux x86_64",
    "cpu_capability": "AVX512",
    "device": "cpu",
    "kernels": "blocked",
    "threads": 2,
    "started": "2026-11-24T19:08:37+00:00",
    "seconds": 900.0,
    "images_per_second": 1400.0,
}
DATA = {"train": "aaaaaaaaaaaa", "test": "bbbbbbbbbbbb", "nonfaces": "cccccccccccc"}
UNDERFLOW = {"epoch": 2, "term": "resampling weights", "reason": "underflow in float32"}
PUBLISHED = {
    "source": "de Haan et al. (2020)",
    "printed": "Table 3",
    "definition": "dehaan2020",
    "replicates": 3,
    "keep": 2,
    "protocol": {"groups": dict.fromkeys(GROUPS, 100), "configuration": {"epochs": 2}},
    "rows": [
        {"arm": "none", "recall": 90.0, "variance": 20.0},
        {"arm": "alpha = 0.1", "recall": 80.0, "variance": 4.0},
    ],
    "margin": {"recall": 2.0, "variance": 10.0},
}
ARMS = {"none": {"rule": "none"}, "alpha = 0.1": {"rule": "max", "alpha": 0.1}}


def record(key, seed, *, resampling, **changes):
    """A run that ended."""
    generator = np.random.default_rng([seed, len(key)])
    plain = {
        "configuration": configuration(resampling=resampling).model_dump(mode="json"),
        "data": DATA,
        "groups": {name: Count(100, int(generator.integers(80, 100))) for name in GROUPS},
        "nonfaces": Count(50, 5),
        "metrics": {"val_accuracy": 0.9, "val_active_units": 90.0},
        "kl_per_latent": [0.5] * 100,
        "provenance": PROVENANCE,
    }
    return Record(key=key, seed=seed, **(plain | changes))


def illustration(name="recall", **changes):
    """A line from corner to corner."""
    figure = Figure(figsize=(4, 3))
    figure.subplots().plot([0, 1], [0, 1])
    plain = {
        "title": "Recall of each group",
        "caption": "Five runs an arm.",
        "alt": "Points that rise from left to right.",
        "figure": figure,
    }
    return Illustration(name=name, **(plain | changes))


def chapter(*, arms=None, changed=None, drawn=None, missing=(), of=3, **index):
    """A study of a few runs.

    Args:
        arms: Resampling of each, by name.
        changed: What is different in a run, by (arm, seed).
        drawn: Its illustrations.
        missing: Runs without a record, as (arm, seed).
        of: Runs an arm.
        index: What is different in the study's index.
    """
    arms, changed = arms or ARMS, changed or {}
    keys = {
        arm: [f"{position:012x}-seed{seed}" for seed in range(of)]
        for position, arm in enumerate(arms)
    }
    found = {
        keys[arm][seed]: record(
            keys[arm][seed], seed, resampling=resampling, **changed.get((arm, seed), {})
        )
        for arm, resampling in arms.items()
        for seed in range(of)
        if (arm, seed) not in missing
    }
    select = {"keep": 2, "by": "recall", "split": "test"}
    plain = study_index(keys, **({"select": select} | index))
    return Chapter(
        index=plain,
        records=found,
        outcomes=study_data.of_study(plain, found, None),
        illustrations=[illustration()] if drawn is None else drawn,
        study_file="studies/toy.yaml",
    )


def judged(**changes):
    """A study that print can be compared with."""
    return chapter(**({"published": PUBLISHED, "synthetic": False} | changes))


def asking(one, **changes):
    """The study with a claim on its collapsed runs, which needs no scores."""
    first, second, *_ = (arm.name for arm in one.outcomes.arms)
    plain = {
        "name": "a small alpha makes runs collapse",
        "source": "Somebody (2020)",
        "quantity": "collapsed_share",
        "contrast": {"arm": second, "less": first},
        "expect": "higher",
        "smallest_effect": {"absolute": 20.0},
        "primary": True,
    }
    claim = Claim.model_validate(plain | changes)
    outcomes = dataclasses.replace(one.outcomes, claims=(Declared(claim, (first, second)),))
    return dataclasses.replace(one, outcomes=outcomes)


def hostile():
    """A study whose every text tries to be something else."""
    return chapter(
        name="hostile",
        arms={HOSTILE: ARMS["none"], "W" * 60: ARMS["alpha = 0.1"], "[x] *y": ARMS["none"]},
        changed={(HOSTILE, 0): {"failure": UNDERFLOW | {"reason": HOSTILE}, "groups": {}}},
        drawn=[illustration(title=HOSTILE, caption=HOSTILE, alt=HOSTILE, sources=HOSTILE)],
        question=f"{HOSTILE} {'x' * 90}?",
        data=HOSTILE,
        overrides=[f"data.train={HOSTILE}", "kl.weight=0.5", f"note='{'y' * 120}'"],
    )
