"""Checks before a study runs: every picture is readable, and there are no duplicates.

A duplicate in the test set counts twice; a picture used for training and testing says nothing about
unseen pictures. Both stop a study, unless its data say ``doubles: allow``, as ``repro run
--allow-doubles`` does.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from repro.data import sources
from repro.data.pictures import duplicates, picture_files
from repro.data.pictures.duplicates import Look, Looks
from repro.data.pictures.images import Photographs, Pixels, TrainingImages
from repro.data.sources import mit_h5
from repro.errors import DataError
from repro.study.data_spec import Data, MitH5, Source

MOST = 3  # pairs per message
ADVICE = "or pass --allow-doubles (in a study: data: {doubles: allow})"


class Doubles(NamedTuple):
    """Duplicate pictures: those of one part that occur earlier, in it or in another part.

    Attributes:
        role: The part, such as ``test``.
        where: ``test`` or ``train``: the part with the earlier occurrence.
        among: Number of pictures in the part.
        pairs: Name of each such picture, and of the earlier one.
    """

    role: str
    where: str
    among: int
    pairs: list[tuple[str, str]]

    def __str__(self) -> str:
        """Their number, for captions."""
        beside = "" if self.where == self.role else f" that are in {self.where} as well"
        return f"{len(self.pairs):,} of {self.among:,} in {self.role}{beside}"


class _Opened(NamedTuple):
    """The data, and those parts of it that are read from files."""

    data: Data
    trained: TrainingImages | None
    parts: dict[str, Photographs]  # test pictures by role


def check(data: Data, *, smallest: float = 0.0) -> list[str]:
    """Open everything and decode every picture once, so that no run meets a damaged file.

    Args:
        data: Of some runs.
        smallest: The smallest window of a photograph in any of them, as a share of its width.

    Returns:
        Remarks for the user, a sentence each.

    Raises:
        DataError: A source is missing or damaged, a test portrait is among the photographs without
            a face, there are duplicates that are not allowed, or no window fits into any picture.
    """
    opened = _open(data)
    if "test" in opened.parts and "nonfaces" in opened.parts:
        _require_apart(opened.parts["test"], opened.parts["nonfaces"])
    if data.doubles == "refuse":
        for found in _doubles(opened):
            raise DataError(_refusal(data, found))
    looks: list[tuple[int, Look]] = []
    for role, photographs in opened.parts.items():
        fits = role == "crops"  # which are not scanned
        for index in range(len(photographs)):
            pixels = photographs.read(index)
            fits = fits or int(smallest * pixels.shape[1]) <= len(pixels)
            looks += [(index, look) for look in _looks(pixels, wanted=role == "test")]
        if not fits:
            raise DataError(
                f"windows.smallest: {smallest:g} of the width is more than the height of each of "
                f"the {len(photographs):,} pictures of data.{role}, such as "
                f"{picture_files.shown(photographs.files[0])}, so that no window fits into one; "
                "choose a smaller share"
            )
    return [*_without_labels(data), *_alike(opened, Looks.of(looks))]


def doubles(data: Data) -> list[Doubles]:
    """Duplicates by content, in any part that is read from files.

    In UTKFace equal names count too, because they contain the moment of a picture. Training images
    of a single colour do not count: crops of a white background are all the same.

    Raises:
        DataError: A source is missing or damaged.
    """
    return list(_doubles(_open(data)))


def allowed(data: Data) -> str:
    """For captions: the duplicates that were allowed; "" if they are not allowed."""
    if data.doubles == "refuse":
        return ""
    return f"; duplicates allowed: {', '.join(map(str, doubles(data))) or 'none found'}"


def _open(data: Data) -> _Opened:
    parts = {}
    trained = sources.training_images(data.train) if isinstance(data.train, MitH5) else None
    if _is_read(data.test):
        parts["test"] = sources.portraits(data.test)
    if data.nonfaces is not None and _is_read(data.nonfaces):
        parts["nonfaces"] = sources.nonface_photographs(data.nonfaces)
    if data.crops is not None and _is_read(data.crops):
        parts["crops"] = sources.crops(data.crops)
    return _Opened(data, trained, parts)


def _is_read(spec: Source) -> bool:
    """Whether it is read from files: neither drawn here, nor made by a plug-in."""
    return hasattr(spec, "path")


def _doubles(opened: _Opened) -> Iterator[Doubles]:
    if opened.trained is not None:
        images = opened.trained.images
        names = mit_h5.image_names(_path(opened.data.train), len(images))
        named = zip(names, images, strict=True)
        known = ((n, duplicates.digest(i)) for n, i in named if (i != i[0, 0]).any())
        if pairs := _repeated(known):
            yield Doubles("train", "train", len(images), pairs)
    for role, found in opened.parts.items():
        by_name = sources.reader(opened.data.parts[role]).unique_names
        if pairs := _repeated(_known_by(found, by_name=by_name)):
            yield Doubles(role, role, len(found), pairs)
    if pairs := _trained_on(opened):
        yield Doubles("test", "train", len(opened.parts["test"]), pairs)


def _path(spec: Source) -> Path:
    return Path(getattr(spec, "path", ""))


def _known_by(found: Photographs, *, by_name: bool) -> Iterator[tuple[str, bytes | str]]:
    """Each name with the digest of its file and, if `by_name`, with the last part of its name.

    Of several parts of one file only the first is yielded: they are not each other's duplicates.
    """
    first = {file: name for name, file in reversed([*zip(found.names, found.files, strict=True)])}
    for name, file in zip(found.names, found.files, strict=True):
        if first[file] != name:
            continue
        yield name, picture_files.sha256(file)
        if by_name:
            yield name, file.name


def _repeated(known: Iterable[tuple[str, bytes | str]]) -> list[tuple[str, str]]:
    """Pictures that share a value with an earlier picture, with the name of that picture."""
    first: dict[bytes | str, str] = {}
    found: dict[str, str] = {}
    for name, value in known:
        earlier = first.setdefault(value, name)
        if earlier != name:
            found.setdefault(name, earlier)
    return list(found.items())


def _trained_on(opened: _Opened) -> list[tuple[str, str]]:
    """Test pictures from whose files training images were cut, with those images."""
    if opened.trained is None or "test" not in opened.parts:
        return []
    looks = mit_h5.source_looks(_path(opened.data.train))
    names = mit_h5.image_names(_path(opened.data.train), len(opened.trained.images))
    known = {look.digest: n for look, n in zip(looks, names, strict=False) if look is not None}
    test = opened.parts["test"]
    both = (
        (n, known.get(picture_files.sha256(f))) for n, f in zip(test.names, test.files, strict=True)
    )
    return [(name, trained) for name, trained in both if trained is not None]


def _refusal(data: Data, found: Doubles) -> str:
    path = picture_files.shown(_path(data.parts[found.role]))
    count = f"{len(found.pairs):,} of {found.among:,} pictures"
    shown = ", ".join(
        f"{picture_files.shown(b)} = {picture_files.shown(a)}" for a, b in found.pairs[:MOST]
    )
    shown += ", ..." if len(found.pairs) > MOST else ""
    if found.where != found.role:
        return (
            f"{path}: {count} are among those that {picture_files.shown(_path(data.train))} was "
            f"cut from ({shown}): results on them say nothing about pictures that were never seen. "
            f"Take them out of either, {ADVICE}"
        )
    by_name = sources.reader(data.parts[found.role]).unique_names
    hint = "Name only one of its folders" if by_name else "Remove them"
    return (
        f"{path}: {count} repeat an earlier one ({shown}), so that these would count twice or "
        f"more. {hint}, {ADVICE}"
    )


def _without_labels(data: Data) -> Iterator[str]:
    """A sentence about test pictures that are omitted, as in UTKFace."""
    left_out, total = sources.reader(data.test).left_out(data.test)
    if left_out:
        shown = ", ".join(map(picture_files.shown, left_out[:MOST]))
        yield (
            f"Warning: {picture_files.shown(_path(data.test))}: {len(left_out):,} of "
            f"{total:,} pictures are left out, as their names lack a label "
            f"({shown}{', ...' if len(left_out) > MOST else ''})"
        )


def _looks(pixels: Pixels, *, wanted: bool) -> Iterator[Look]:
    return duplicates.of_picture(pixels) if wanted else iter(())


def _alike(opened: _Opened, test: Looks) -> Iterator[str]:
    """A sentence about test pictures that look like training pictures."""
    if opened.trained is None or not test:
        return
    images = enumerate(opened.trained.images)
    cut = ((n, Look(duplicates.digest(image), duplicates.UNKNOWN)) for n, image in images)
    kept = enumerate(mit_h5.source_looks(_path(opened.data.train)))
    trained = Looks.of([*cut, *((n, look) for n, look in kept if look is not None)])
    found = duplicates.matches(trained, test)
    if not found:
        return
    names, tested = (
        mit_h5.image_names(_path(opened.data.train), len(opened.trained.images)),
        opened.parts["test"].names,
    )
    count = len({match.second for match in found})
    places = " ".join(
        picture_files.shown(_path(part)) for part in (opened.data.train, opened.data.test)
    )
    yield (
        f"Warning: {count:,} of {len(tested):,} test pictures appear to be among those that were "
        f"trained on, such as {picture_files.shown(tested[found[0].second])} = "
        f"{picture_files.shown(names[found[0].first])}; look at `repro data info {places}`"
    )


def _require_apart(test: Photographs, nonfaces: Photographs) -> None:
    """Reject a picture that is both a portrait and a photograph without a face."""
    twice = picture_files.duplicates(test.files, nonfaces.files)
    if twice:
        portrait, other = twice[0]
        raise DataError(
            f"{picture_files.shown(other)}: the same picture as the test portrait "
            f"{picture_files.shown(portrait)}, so it shows a face; remove it ({len(twice)} in all)"
        )
