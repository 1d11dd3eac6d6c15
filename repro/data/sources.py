"""From a specification to a source: open it, name its content by digest, check it in advance."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from repro.configuration import (
    Data,
    Folder,
    MitH5,
    Ppb,
    SyntheticPortraits,
    SyntheticScenes,
    SyntheticTraining,
    digest,
)
from repro.data import folder, mit_h5, ppb, synthetic
from repro.data.sets import Photographs, TrainingImages
from repro.errors import DataError


def training_images(spec: SyntheticTraining | MitH5) -> TrainingImages:
    """The crops to train on.

    Raises:
        DataError: The source is missing or damaged.
    """
    if isinstance(spec, MitH5):
        return mit_h5.read(Path(spec.path), channels=spec.channels)
    faces, others = _training_streams(spec)
    factors = synthetic.draw_factors(faces, spec.faces, darker_share=spec.darker_share)
    images = [
        synthetic.render_faces(factors, faces),
        synthetic.render_nonfaces(others, spec.nonfaces),
    ]
    return TrainingImages(
        np.concatenate(images), np.arange(spec.faces + spec.nonfaces) < spec.faces
    )


def true_factors(spec: SyntheticTraining) -> synthetic.Factors:
    """What each embedded training face was drawn from; no real data set can say."""
    faces, _ = _training_streams(spec)
    return synthetic.draw_factors(faces, spec.faces, darker_share=spec.darker_share)


def _training_streams(spec: SyntheticTraining) -> list[np.random.Generator]:
    """One for the faces, one for the rest."""
    return np.random.default_rng((spec.seed, 0)).spawn(2)


def portraits(spec: SyntheticPortraits | Ppb) -> Photographs:
    """The test pictures, each with a face and a group.

    Raises:
        DataError: The source is missing or damaged.
    """
    if isinstance(spec, Ppb):
        return ppb.read(Path(spec.path), groups=spec.groups)
    generator = np.random.default_rng((spec.seed, 1))
    factors = synthetic.draw_balanced_factors(generator, spec.per_group)
    pictures = synthetic.render_portraits(factors, generator, size=spec.size)
    groups = tuple(
        f"{skin}_{gender}" for skin, gender in zip(factors.skin, factors.gender, strict=True)
    )
    return Photographs(_numbered("portrait", len(pictures)), groups, pictures.__getitem__)


def nonface_photographs(spec: SyntheticScenes | Folder) -> Photographs:
    """The test pictures without a face.

    Raises:
        DataError: The source is missing or damaged.
    """
    if isinstance(spec, Folder):
        return folder.read(Path(spec.path))
    generator = np.random.default_rng((spec.seed, 2))
    pictures = synthetic.render_scenes(generator, spec.photographs, size=spec.size)
    return Photographs(
        _numbered("scene", len(pictures)), ("",) * len(pictures), pictures.__getitem__
    )


def _numbered(word: str, count: int) -> tuple[str, ...]:
    return tuple(f"{word}_{index:05d}" for index in range(count))


def fingerprints(data: Data) -> dict[str, str]:
    """Twelve hex digits for the content of each part: the same content has the same digest.

    A generated source is named by its parameters and the generator's own code.

    Raises:
        DataError: A source is missing.
    """
    return {role: fingerprint(getattr(data, role)) for role in ("train", "test", "nonfaces")}


def fingerprint(
    spec: SyntheticTraining | MitH5 | SyntheticPortraits | Ppb | SyntheticScenes | Folder,
) -> str:
    """Twelve hex digits for the content of one part."""
    choices = spec.model_dump(mode="json", exclude={"path"})
    return digest([choices, _identity(spec)])[:12]


def _identity(
    spec: SyntheticTraining | MitH5 | SyntheticPortraits | Ppb | SyntheticScenes | Folder,
) -> str:
    """What names the content: that of its files, or the generator's own code."""
    if isinstance(spec, MitH5):
        return _content(Path(spec.path), [Path(spec.path)])
    if isinstance(spec, Ppb | Folder):
        root = Path(spec.path)
        try:
            everything = sorted(root.rglob("*"))
        except OSError as error:
            raise DataError(f"{folder.shown(root)}: cannot be read ({error.strerror})") from None
        files = [f for f in everything if folder.is_picture(f) or f.name == ppb.METADATA]
        if not files:
            raise DataError(f"{root}: there is no such folder, or no picture in it")
        return _content(root, files)
    return synthetic.source_digest()


def _content(root: Path, files: Iterable[Path]) -> str:
    """SHA-256 over relative names and bytes."""
    whole = hashlib.sha256()
    for file in files:
        folder.require_file(file)
        try:
            with file.open("rb") as stream:
                inner = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise DataError(f"{file}: cannot be read ({error.strerror})") from None
        name = file.relative_to(root).as_posix() if file != root else ""
        whole.update(f"{name}\0{inner}\n".encode())
    return whole.hexdigest()


def check(data: Data) -> None:
    """Open everything and decode every picture once, so that no run meets a damaged file.

    Raises:
        DataError: What is missing or damaged, or a test portrait among the other photographs.
    """
    if data.train.source != "synthetic":
        training_images(data.train)
    if data.test.source != "synthetic":
        _read_all(portraits(data.test))
    if data.nonfaces.source != "synthetic":
        _read_all(nonface_photographs(data.nonfaces))
    if isinstance(data.test, Ppb) and isinstance(data.nonfaces, Folder):
        _require_apart(data.test, data.nonfaces)


def _require_apart(test: Ppb, nonfaces: Folder) -> None:
    """Refuse a picture that is a portrait here and a photograph without a face there."""
    faces, others = Path(test.path) / ppb.PICTURES, Path(nonfaces.path)
    twice = folder.duplicates(
        [faces / name for name in portraits(test).names],
        [others / name for name in nonface_photographs(nonfaces).names],
    )
    if twice:
        portrait, other = twice[0]
        raise DataError(
            f"{folder.shown(other)}: the same picture as the test portrait "
            f"{folder.shown(portrait)}, so it shows a face; remove it ({len(twice)} in all)"
        )


def _read_all(photographs: Photographs) -> None:
    for index in range(len(photographs)):
        photographs.read(index)


def describe(data: Data) -> str:
    """For captions: the sources, files by their last part."""
    names = {
        role: Path(spec.path).name if isinstance(spec, MitH5 | Ppb | Folder) else "synthetic"
        for role in ("train", "test", "nonfaces")
        for spec in (getattr(data, role),)
    }
    if set(names.values()) == {"synthetic"}:
        return "embedded synthetic data"
    return ", ".join(f"{role} {name}" for role, name in names.items())
