"""From a specification to a source: open it, name its content by digest, check it in advance."""

from pathlib import Path

import numpy as np

from repro.data import (
    content_digest,
    fairface,
    group_folders,
    labels_csv,
    mit_h5,
    picture_files,
    picture_formats,
    ppb,
    utkface,
)
from repro.data.images import Material, Photographs, Pixels, TrainingImages
from repro.data.synthetic import scenes
from repro.study.data_spec import (
    Crops,
    Data,
    FairFace,
    Folder,
    GroupFolders,
    Groups,
    MitH5,
    Nonfaces,
    Portraits,
    Ppb,
    Source,
    SyntheticTraining,
    Table,
    TableNegatives,
    Training,
    UtkFace,
)
from repro.study.section import digest


def material(data: Data) -> Material:
    """All that runs on these data need.

    Raises:
        DataError: A source is missing or damaged.
    """
    photographs = {
        "portraits": portraits(data.test),
        "nonfaces": nonface_photographs(data.nonfaces),
    }
    if data.crops is not None:
        photographs["crops"] = crops(data.crops)
    return Material(training_images(data.train), photographs)


def training_images(spec: Training) -> TrainingImages:
    """The crops to train on.

    Raises:
        DataError: The source is missing or damaged.
    """
    if isinstance(spec, MitH5):
        return mit_h5.read(Path(spec.path), channels=spec.channels)
    faces, others = _training_streams(spec)
    factors = scenes.draw_factors(faces, spec.faces, darker_share=spec.darker_share)
    images = [
        scenes.render_faces(factors, faces),
        scenes.render_nonfaces(others, spec.nonfaces),
    ]
    return TrainingImages(
        np.concatenate(images), np.arange(spec.faces + spec.nonfaces) < spec.faces
    )


def true_factors(spec: SyntheticTraining) -> scenes.Factors:
    """What each embedded training face was drawn from; no real data set can say."""
    faces, _ = _training_streams(spec)
    return scenes.draw_factors(faces, spec.faces, darker_share=spec.darker_share)


def _training_streams(spec: SyntheticTraining) -> list[np.random.Generator]:
    """One for the faces, one for the rest."""
    return np.random.default_rng((spec.seed, 0)).spawn(2)


def portraits(spec: Portraits) -> Photographs:
    """The test pictures, each with a face and a group.

    Raises:
        DataError: The source is missing or damaged.
    """
    match spec:
        case Ppb():
            return ppb.read(Path(spec.path), groups=spec.groups)
        case FairFace():
            return fairface.read(Path(spec.path), part=spec.part, groups=spec.groups)
        case UtkFace():
            bands = spec.age_bands
            return utkface.read(Path(spec.path), groups=spec.groups, age_bands=bands)
        case Table():
            return labels_csv.read(Path(spec.path), label=1, groups=spec.groups)
        case Groups():
            return group_folders.read(Path(spec.path))
    generator = np.random.default_rng((spec.seed, 1))
    factors = scenes.draw_balanced_factors(generator, spec.per_group)
    pictures = scenes.render_portraits(factors, generator, size=spec.size)
    return _drawn("portrait", pictures, _groups(factors))


def nonface_photographs(spec: Nonfaces) -> Photographs:
    """The test pictures without a face.

    Raises:
        DataError: The source is missing or damaged.
    """
    match spec:
        case Folder():
            return picture_files.read(Path(spec.path))
        case TableNegatives():
            return labels_csv.read(Path(spec.path), label=0)
    generator = np.random.default_rng((spec.seed, 2))
    pictures = scenes.render_scenes(generator, spec.photographs, size=spec.size)
    return _drawn("scene", pictures, ("",) * len(pictures))


def crops(spec: Crops) -> Photographs:
    """Face crops by group, (64, 64, 3) each: the lab averages a network's answers to them.

    Raises:
        DataError: The source is missing or damaged.
    """
    if isinstance(spec, GroupFolders):
        return group_folders.read_crops(Path(spec.path))
    generator = np.random.default_rng((spec.seed, 3))
    factors = scenes.draw_balanced_factors(generator, spec.per_group)
    return _drawn("crop", scenes.render_faces(factors, generator), _groups(factors))


def _drawn(word: str, pictures: Pixels, groups: tuple[str, ...]) -> Photographs:
    """Pictures of our own, numbered."""
    names = tuple(f"{word}_{index:05d}" for index in range(len(pictures)))
    return Photographs(names, groups, pictures.__getitem__)


def _groups(factors: scenes.Factors) -> tuple[str, ...]:
    both = zip(factors.skin, factors.gender, strict=True)
    return tuple(f"{skin}_{gender}" for skin, gender in both)


def fingerprints(data: Data) -> dict[str, str]:
    """Twelve hex digits for the content of each part: the same content has the same digest.

    A generated source is named by its parameters and the version of its generator.

    Raises:
        DataError: A source is missing.
    """
    return {role: fingerprint(spec) for role, spec in data.parts.items()}


def fingerprint(spec: Source) -> str:
    """Twelve hex digits for the content of one part, and for what decodes it beside Pillow."""
    choices = spec.model_dump(mode="json", exclude={"path"})
    files = content_digest.files(spec)
    content = scenes.VERSION if files is None else content_digest.content(files)
    decoders = picture_formats.decoders(file for _, file in files or ())
    return digest([choices, content, *decoders])[:12]


def remarks(data: Data) -> list[str]:
    """What is left out of the data or taken for granted, a sentence each.

    Raises:
        DataError: A source is missing.
    """
    return list(dict.fromkeys(line for spec in data.parts.values() for line in _remarks(spec)))


def _remarks(spec: Source) -> tuple[str, ...]:
    match spec:
        case Table():
            return labels_csv.remarks(Path(spec.path), groups=spec.groups)
        case Ppb():
            return picture_files.remarks(Path(spec.path) / ppb.PICTURES)
        case FairFace():
            return picture_files.remarks(Path(spec.path) / spec.part)
        case UtkFace() | Groups() | Folder() | GroupFolders():
            return picture_files.remarks(Path(spec.path))
    return ()


def describe(data: Data) -> str:
    """For captions: the sources, files by their last part."""
    names = {
        role: Path(spec.path).name if hasattr(spec, "path") else "synthetic"
        for role, spec in data.parts.items()
    }
    if set(names.values()) == {"synthetic"}:
        return "embedded synthetic data"
    return ", ".join(f"{role} {name}" for role, name in names.items())
