"""This program's synthetic pictures, drawn from a seed; nothing is read from files."""

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from repro.data.pictures.images import Photographs, Pixels, TrainingImages
from repro.data.sources.source_registry import Reader, reads
from repro.data.synthetic import scenes
from repro.study.data_spec import (
    SyntheticCrops,
    SyntheticPortraits,
    SyntheticScenes,
    SyntheticTraining,
)
from repro.study.section import Section

Spec = TypeVar("Spec", bound=Section)


class _Drawn(Reader[Spec]):
    """A source without files has no remarks."""

    def files(self, spec: Spec) -> None:
        """None: a synthetic source is identified by its parameters and the generator's version."""

    def remarks(self, spec: Spec) -> tuple[str, ...]:
        """None."""
        return ()


@reads(SyntheticTraining)
class TrainingReader(_Drawn[SyntheticTraining]):
    """Faces, then the requested number of pictures without one."""

    def open(self, spec: SyntheticTraining) -> TrainingImages:
        """Crops of 64 x 64."""
        faces, others = _training_streams(spec)
        factors = scenes.draw_factors(faces, spec.faces, darker_share=spec.darker_share)
        images = [
            scenes.render_faces(factors, faces),
            scenes.render_nonfaces(others, spec.nonfaces),
        ]
        return TrainingImages(np.concatenate(images), self.labels(spec), _of_faces(factors, spec))

    def labels(self, spec: SyntheticTraining) -> NDArray[np.bool_]:
        """The faces come first."""
        return np.arange(spec.faces + spec.nonfaces) < spec.faces

    def training_groups(self, spec: SyntheticTraining) -> tuple[str, ...]:
        """Skin and gender of the faces, without drawing them."""
        return _of_faces(true_factors(spec), spec)


@reads(SyntheticPortraits)
class PortraitsReader(_Drawn[SyntheticPortraits]):
    """Head and shoulders, balanced over skin and gender."""

    def open(self, spec: SyntheticPortraits) -> Photographs:
        """Square pictures with groups."""
        factors, generator = _portraits(spec)
        pictures = scenes.render_portraits(factors, generator, size=spec.size)
        return _numbered("portrait", pictures, _groups(factors))

    def groups(self, spec: SyntheticPortraits) -> tuple[str, ...]:
        """Of the portraits, without drawing them."""
        return _groups(_portraits(spec)[0])

    def attributes(self, spec: SyntheticPortraits) -> Mapping[str, tuple[str, ...]]:
        """Skin and gender; the type, 1 (lightest) to 6; reflectance, 0 (dark) to 1 (light)."""
        factors, _ = _portraits(spec)
        return {
            "skin": tuple(map(str, factors.skin)),
            "gender": tuple(map(str, factors.gender)),
            "fitzpatrick": tuple(map(str, factors.fitzpatrick.tolist())),
            "skin_reflectance": tuple(f"{one:.6g}" for one in factors.skin_reflectance.tolist()),
        }


@reads(SyntheticScenes)
class ScenesReader(_Drawn[SyntheticScenes]):
    """Pictures without a face."""

    def open(self, spec: SyntheticScenes) -> Photographs:
        """Square pictures without groups."""
        generator = np.random.default_rng((spec.seed, 2))
        pictures = scenes.render_scenes(generator, spec.photographs, size=spec.size)
        return _numbered("scene", pictures, self.groups(spec))

    def groups(self, spec: SyntheticScenes) -> tuple[str, ...]:
        """None of them has one."""
        return ("",) * spec.photographs


@reads(SyntheticCrops)
class CropsReader(_Drawn[SyntheticCrops]):
    """Faces framed as for training, balanced over skin and gender."""

    def open(self, spec: SyntheticCrops) -> Photographs:
        """Crops of 64 x 64 with groups."""
        generator = np.random.default_rng((spec.seed, 3))
        factors = scenes.draw_balanced_factors(generator, spec.per_group)
        return _numbered("crop", scenes.render_faces(factors, generator), _groups(factors))


def true_factors(spec: SyntheticTraining) -> scenes.Factors:
    """The factors of each embedded training face; unknown for real data."""
    faces, _ = _training_streams(spec)
    return scenes.draw_factors(faces, spec.faces, darker_share=spec.darker_share)


def _training_streams(spec: SyntheticTraining) -> list[np.random.Generator]:
    """One generator for the faces, one for the rest."""
    return np.random.default_rng((spec.seed, 0)).spawn(2)


def _of_faces(factors: scenes.Factors, spec: SyntheticTraining) -> tuple[str, ...]:
    """The groups of the faces, then none for each of the rest."""
    return _groups(factors) + ("",) * spec.nonfaces


def _portraits(spec: SyntheticPortraits) -> tuple[scenes.Factors, np.random.Generator]:
    """Who is portrayed, and the generator that goes on to draw them."""
    generator = np.random.default_rng((spec.seed, 1))
    return scenes.draw_balanced_factors(generator, spec.per_group), generator


def _numbered(word: str, pictures: Pixels, groups: tuple[str, ...]) -> Photographs:
    names = tuple(f"{word}_{index:05d}" for index in range(len(pictures)))
    return Photographs(names, groups, pictures.__getitem__)


def _groups(factors: scenes.Factors) -> tuple[str, ...]:
    both = zip(factors.skin, factors.gender, strict=True)
    return tuple(f"{skin}_{gender}" for skin, gender in both)
