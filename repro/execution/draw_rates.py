"""How often runs sample faces with rare attributes; only for the synthetic faces.

Real data sets lack labels such as hat or dim light; the synthetic faces are generated from such
factors, so that the effect of resampling on rare attributes can be measured.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from repro.analysis.samples import Floats, Rarity
from repro.data import sources
from repro.data.sources import synthetic
from repro.data.synthetic.rarity_levels import levels
from repro.records import records
from repro.records.records import ArmIndex, BriefRecord, StudyIndex
from repro.study.data_spec import SyntheticTraining
from repro.training.image_split import split_images


def of_study(
    index: StudyIndex, found: Mapping[str, BriefRecord], results: Path
) -> tuple[Rarity, ...]:
    """The arms that resample embedded faces, with their runs in the order of the seeds.

    Raises:
        RecordError: A file of weights is missing or damaged.
    """
    measured = (_of_arm(arm, found, results) for arm in index.arms)
    return tuple(one for one in measured if one is not None)


def _of_arm(arm: ArmIndex, found: Mapping[str, BriefRecord], results: Path) -> Rarity | None:
    runs = [
        one
        for key in arm.keys
        if key in found and (one := _of_run(found[key], results)) is not None
    ]
    if not runs:
        return None
    return Rarity(
        arm=arm.name,
        levels=tuple(runs[0]),
        shares=np.array([[share for share, _ in run.values()] for run in runs]),
        multiples=np.array([[multiple for _, multiple in run.values()] for run in runs]),
    )


def _of_run(record: BriefRecord, results: Path) -> dict[str, tuple[float, float]] | None:
    """Share and multiple of every level; None for a run without weights of synthetic faces."""
    choices = record.choices
    spec = choices.data.train
    if records.WEIGHTS not in record.files or not isinstance(spec, SyntheticTraining):
        return None
    if sources.fingerprint(spec) != record.data.get("train"):
        return None  # drawn by another version of the generator: their factors are not known
    split = split_images(
        np.arange(spec.faces + spec.nonfaces) < spec.faces,
        share=choices.validation_share,
        seed=record.seed,
    )
    faces = split.train[split.train < spec.faces]
    weights = records.read_weights(record, results, faces=len(faces))
    if weights is None:
        return None
    shown = levels(synthetic.true_factors(spec))
    return {name: draws_of(flags[faces], weights) for name, flags in shown.items()}


def draws_of(members: NDArray[np.bool_], weights: Floats) -> tuple[float, float]:
    """Share of members among the faces, and their sampling rate relative to uniform sampling.

    Args:
        members: Shape (F,).
        weights: Probabilities, shape (F,), sum 1.

    Returns:
        Share in [0, 1]; the multiple is 1 under uniform drawing, NaN without members.
    """
    share = float(members.mean())
    return share, float(weights[members].sum()) / share if share else float("nan")
