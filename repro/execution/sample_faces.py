"""Checkpoint, weights and data of a run -> its pictures in figures.

Faces are chosen by rank or by a fixed random stream, never by hand. Reads the results of a run and
its training pictures, checked by their digest; writes nothing.
"""

import functools
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor

from repro import models
from repro.analysis.samples import (
    TRAVERSED,
    Drawn,
    FaceSampling,
    Floats,
    Latents,
    Pixels,
    Specimens,
)
from repro.data import sources
from repro.data.pictures.images import TrainingImages
from repro.errors import DataError, RecordError
from repro.models import DebiasingVae
from repro.records import records
from repro.records.records import MODEL, BriefRecord, StudyIndex
from repro.study.configuration import Configuration
from repro.study.data_spec import MitH5, Source, SyntheticTraining
from repro.training import inference, trainer
from repro.training.image_split import split_images
from repro.training.inference import as_float64

Faces = Literal["synthetic", "all"]
EXTREMES = 12  # faces with the lowest and the highest probability, as de Haan et al. 2020 show
BATCH = 16  # faces of each batch
BINS, EXAMPLES = 10, 4  # of probabilities, as Amini & Soleimany et al. 2019 show
HELD_OUT = 512  # faces for the analysis of latents
SHOWN, PAIRS, STEPS = 6, 2, 8  # faces shown, pairs to walk between, pictures on the way
UNITS = 5
STREAM = 2019  # seed of the choice of faces; independent of the runs


def of_study(
    index: StudyIndex, found: Mapping[str, BriefRecord], results: Path, *, faces: Faces
) -> tuple[Specimens, ...]:
    """The specimens of one run of each arm, all of the same seed.

    Args:
        index: Of the study.
        found: Its records by key.
        results: Where checkpoints and weights stand.
        faces: Whether runs that were trained on real faces are shown as well.

    Raises:
        DataError: The training pictures are missing or differ from those of the runs.
        RecordError: A checkpoint is missing or damaged.
    """
    trainer.prepare_process()
    return tuple(
        _specimens(arm, record, results)
        for arm, record in chosen_runs(index, found).items()
        if faces == "all" or record.shows_synthetic_faces
    )


def prepare(training: Iterable[Source]) -> None:
    """Read drawn training pictures before they are needed; the last two are kept."""
    trainer.prepare_process()
    for spec in training:
        if isinstance(spec, SyntheticTraining):
            _training_images(spec, sources.fingerprint(spec))


def chosen_runs(index: StudyIndex, found: Mapping[str, BriefRecord]) -> dict[str, BriefRecord]:
    """The run of each arm to show: that of the lowest seed with which most arms finished."""
    finished = {
        arm.name: {
            r.seed: r for key in arm.keys if (r := found.get(key)) is not None and r.finished
        }
        for arm in index.arms
    }
    seeds = [seed for of_arm in finished.values() for seed in of_arm]
    if not seeds:
        return {}
    seed = max(sorted(set(seeds)), key=seeds.count)
    return {arm: of_arm[seed] for arm, of_arm in finished.items() if seed in of_arm}


def _specimens(arm: str, record: BriefRecord, results: Path) -> Specimens:
    choices = record.choices
    data = _training_images(choices.data.train, record.data.get("train"))
    split = split_images(data.is_face, share=choices.validation_share, seed=record.seed)
    train, held_out = (part[data.is_face[part]] for part in (split.train, split.validation))
    weights = records.read_weights(record, results, faces=len(train))
    return Specimens(
        arm=arm,
        seed=record.seed,
        synthetic=record.shows_synthetic_faces,
        draws=None if weights is None else draws(data.images, train, weights),
        latents=_latents(record, choices, results, data.images, held_out),
    )


@functools.lru_cache(maxsize=2)
def _training_images(spec: Source, digest: str | None) -> TrainingImages:
    images, held = sources.read(spec)
    if held.fingerprint != digest or not isinstance(images, TrainingImages):
        what = spec.path if isinstance(spec, MitH5) else f"the source {spec.source}"
        raise DataError(f"{what}: not what the runs were trained on; run the study again")
    return images


def draws(images: Pixels, faces: NDArray[np.int64], weights: Floats) -> FaceSampling:
    """How a run samples its training faces.

    Args:
        images: All, shape (N, 64, 64, 3).
        faces: Positions of the training faces, shape (F,).
        weights: Of each, shape (F,).
    """
    generator = np.random.default_rng(STREAM)
    rising = np.argsort(weights, kind="stable")
    size = min(BATCH, len(faces))
    edges = np.linspace(0, weights.max(), BINS + 1)
    places = np.clip(np.searchsorted(edges, weights, side="left") - 1, 0, BINS - 1)

    def drawn(which: NDArray[np.int64]) -> Drawn:
        return Drawn(images[faces[which]], weights[which])

    return FaceSampling(
        faces=len(faces),
        expected=len(faces) * float(np.square(weights).sum()),
        lowest=drawn(rising[:EXTREMES]),
        highest=drawn(rising[::-1][:EXTREMES]),
        uniform=drawn(generator.choice(len(faces), size)),
        adaptive=drawn(generator.choice(len(faces), size, p=weights)),
        edges=edges,
        counts=np.bincount(places, minlength=BINS),
        examples=tuple(
            images[faces[np.flatnonzero(places == place)[:EXAMPLES]]] for place in range(BINS)
        ),
    )


def _latents(
    record: BriefRecord,
    choices: Configuration,
    results: Path,
    images: Pixels,
    held_out: NDArray[np.int64],
) -> Latents | None:
    state = records.read_file(record, results, MODEL)
    if not choices.latents or state is None:  # a classifier, or the network of a plug-in
        return None
    model = models.build(choices.used["model"], latent_dim=choices.latents, seed=0)
    assert isinstance(model, DebiasingVae)
    order = np.random.default_rng(STREAM).permutation(len(held_out))[:HELD_OUT]
    faces = images[held_out[order]]
    if not spread(faces):  # of a single face, or of equal ones: nothing to compare a spread with
        return None
    try:
        model.load_state_dict(safetensors.torch.load(state))
    except (SafetensorError, RuntimeError, ValueError) as error:
        why = str(error).splitlines()[0]
        raise RecordError(f"{record.key}/{MODEL}: not the network of this run ({why})") from None
    means = inference.encode(model, torch.from_numpy(faces)).latent_mean
    decoded = inference.decode(model, means)
    by_batch = inference.decode(model, means, statistics="batch")
    units = most_active(means)
    return Latents(
        originals=faces[:SHOWN],
        reconstructions=decoded[:SHOWN],
        by_batch=by_batch[:SHOWN],
        spread=spread(decoded) / spread(faces),
        spread_by_batch=spread(by_batch) / spread(faces),
        interpolations=_decoded(model, interpolated(means[: 2 * PAIRS], STEPS)),
        units=units,
        traversals=_decoded(model, traversed(means, units)),
    )


def spread(pictures: Pixels) -> float:
    """Root mean square over pixels of the standard deviation over pictures (N, 64, 64, 3)."""
    return float(np.sqrt(pictures.var(axis=0, dtype=np.float64).mean()))


def most_active(means: Tensor) -> tuple[int, ...]:
    """Positions of the latents whose mean varies most over faces, means (N, D), at most `UNITS`."""
    variance = as_float64(means).var(axis=0)
    return tuple(int(unit) for unit in np.argsort(-variance, kind="stable")[:UNITS])


def interpolated(ends: Tensor, steps: int) -> Tensor:
    """Linear interpolations between the latents of each pair.

    Args:
        ends: Shape (2 P, D); an odd last one is dropped.
        steps: Points of each interpolation, both ends included.

    Returns:
        Shape (P, steps, D).
    """
    first, last = ends[: len(ends) // 2 * 2 : 2], ends[1::2]
    share = torch.linspace(0, 1, steps)[None, :, None]
    return first[:, None] + share * (last - first)[:, None]


def traversed(means: Tensor, units: tuple[int, ...]) -> Tensor:
    """Vary one latent at a time over `TRAVERSED` standard deviations, the others at their mean.

    Args:
        means: Of faces, shape (N, D).
        units: Which latents, U.

    Returns:
        Shape (U, steps, D).
    """
    centre, spread = means.mean(dim=0), means.std(dim=0, correction=0)
    walks = centre.repeat(len(units), len(TRAVERSED), 1)
    for walk, unit in zip(walks, units, strict=True):
        walk[:, unit] += torch.tensor(TRAVERSED) * spread[unit]
    return walks


def _decoded(model: DebiasingVae, walks: Tensor) -> Pixels:
    """Latents (W, steps, D) as pictures (W, steps, 64, 64, 3)."""
    pictures = inference.decode(model, walks.flatten(0, 1))
    return pictures.reshape(*walks.shape[:2], *pictures.shape[1:])
