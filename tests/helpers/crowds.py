"""Studies of any number of arms, groups and runs, made up, for tables and figures."""

import dataclasses

import numpy as np
from builders import configuration, study_index

from repro.analysis import study_data
from repro.analysis.arm_scores import ArmScores
from repro.metrics import Count
from repro.records.records import Record
from repro.reporting.figures.study_view import StudyView

PLAIN = {"resampling": {"rule": "none"}}
SWEEP = {"No debias": PLAIN, "alpha = 0.1": {"resampling": {"alpha": 0.1}}}
FAILURE = {"epoch": 1, "term": "loss", "reason": "nan"}


def names(count):
    """Groups called as people call them: spaces, umlauts, strokes, some long."""
    races = ["East Asian", "Größere Antillen", "Middle Eastern/North African", "Latino_Hispanic"]
    found = [f"{race}, {age}" for age in range(20, 70, 5) for race in races]
    return found[:count]


def record(arm, seed, *, detected, size, changes, crops):
    """A run that finds so many of each group's portraits."""
    probability = 0.5 + 0.1 * seed
    metrics = {"val_active_units": 50.0, "val_accuracy": 0.9 - 0.01 * seed}
    metrics |= {f"crop_probability/{name}": probability for name in crops}
    metrics |= {"crop_probability": probability, "crops": 5.0 * len(crops)} if crops else {}
    return Record(
        key=f"{arm}-{seed}",
        seed=seed,
        configuration=configuration(**changes).model_dump(mode="json"),
        data={},
        groups={name: Count(size, found) for name, found in detected.items()},
        nonfaces=Count(20, 2),
        metrics=metrics,
        history=[{"epoch": 1.0, "train_loss": 1.0, "val_accuracy": 0.9, "ess_share": 1.0}],
        kl_per_latent=[0.5] * 100,
    )


def scores(runs):
    """Top logits that give the runs' counts."""
    sizes = [count.n for count in runs[0].groups.values()]
    portraits = [
        np.concatenate([np.arange(c.n) < c.detected for c in run.groups.values()]) * 2.0 - 1.0
        for run in runs
    ]
    others = [np.linspace(-4, 0.4, 20) + 0.01 * run.seed for run in runs]
    return ArmScores(
        portraits=np.stack(portraits) + np.linspace(0, 0.1, sum(sizes)),
        group=np.repeat(np.arange(len(sizes)), sizes),
        nonfaces=np.stack(others),
    )


def drawn(arm, seed, groups, size):
    """Detections that differ from group to group and from run to run."""
    generator = np.random.default_rng([len(arm), seed])
    shares = np.linspace(0.97, 0.8, len(groups))
    return dict(zip(groups, generator.binomial(size, shares).tolist(), strict=True))


def view(arms, groups, *, runs=3, size=20, found=None, crops=(), failed=(), **index):
    """A study.

    Args:
        arms: What each changes in the configuration, by name.
        groups: Names.
        runs: Of each arm.
        size: Portraits of each group.
        found: Detections of each group in every run, or a list of them for each run, by arm; made
            up for the others.
        crops: Groups of face crops.
        failed: Arms without results.
        index: What is different in the study's index; `select` of arms under ``ranked``.
    """
    ranked = index.pop("ranked", {})
    made = {}
    for arm, changes in arms.items():
        of_arm = []
        for seed in range(runs):
            counts = (found or {}).get(arm)
            if isinstance(counts, list):
                counts = counts[seed]
            detected = (
                dict(zip(groups, counts, strict=True)) if counts else drawn(arm, seed, groups, size)
            )
            run = record(arm, seed, detected=detected, size=size, changes=changes, crops=crops)
            of_arm.append(dataclasses.replace(run, failure=FAILURE) if arm in failed else run)
        made[arm] = of_arm
    plain = study_index({arm: [run.key for run in of_arm] for arm, of_arm in made.items()}, **index)
    listed = [dataclasses.replace(arm, select=ranked.get(arm.name)) for arm in plain.arms]
    plain = dataclasses.replace(plain, arms=listed)
    by_key = {run.key: run for of_arm in made.values() for run in of_arm}
    told = study_data.of_study(plain, by_key, None)
    with_scores = [
        dataclasses.replace(arm, scores=scores(made[arm.name])) if arm.runs else arm
        for arm in told.arms
    ]
    return StudyView(
        index=plain,
        found=by_key,
        records={arm: [run for run in of_arm if run.finished] for arm, of_arm in made.items()},
        outcomes=dataclasses.replace(told, arms=tuple(with_scores)),
    )
