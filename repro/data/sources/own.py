"""Data of a plug-in's function: crops to train on, or photographs."""

import functools
import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from repro.data.pictures.images import Photographs, Pixels, TrainingImages
from repro.data.sources.source_registry import Reader, reads
from repro.errors import DataError
from repro.plugins import calls, loaded
from repro.plugins.declared import Plugin
from repro.study.data_spec import OwnSource

CROP = (64, 64, 3)


@reads(OwnSource)
class OwnReader(Reader[OwnSource]):
    """Calls the function once for each specification; what it returns is checked."""

    def open(self, spec: OwnSource) -> Photographs | TrainingImages:
        """The pictures."""
        return _made(spec)

    def files(self, spec: OwnSource) -> None:
        """None: its content is what the function returns."""
        return None

    def content(self, spec: OwnSource) -> str:
        """SHA-256 of everything that the function returns."""
        found, hashed = _made(spec), hashlib.sha256()
        if isinstance(found, TrainingImages):
            parts = [found.images.tobytes(), found.is_face.tobytes(), repr(found.groups).encode()]
            for part in parts:
                hashed.update(hashlib.sha256(part).digest())
            return hashed.hexdigest()
        for place, (name, group) in enumerate(zip(found.names, found.groups, strict=True)):
            pixels = found.read(place)
            hashed.update(repr((name, group, pixels.shape)).encode())
            hashed.update(hashlib.sha256(pixels.tobytes()).digest())
        return hashed.hexdigest()

    def remarks(self, spec: OwnSource) -> tuple[str, ...]:
        """Where it comes from."""
        plugin = _plugin(spec)
        assert plugin.origin is not None
        return (f"the source {spec.source} is a plug-in: {plugin.origin.where}",)


@functools.lru_cache(maxsize=4)
def _made(spec: OwnSource) -> Photographs | TrainingImages:
    plugin = _plugin(spec)
    found = calls.call(plugin, plugin.typed(spec.parameters))
    if plugin.role == "train":
        return _training_images(plugin, found)
    return _photographs(plugin, found)


def _plugin(spec: OwnSource) -> Plugin:
    plugin = loaded.exactly("source", spec.source, spec.digest)
    if plugin is None:
        raise DataError(
            f"the source {spec.source} ({spec.digest}) is a plug-in that is not loaded here: name "
            "the study's file that lists it"
        )
    return plugin


def _training_images(plugin: Plugin, found: Any) -> TrainingImages:
    if not isinstance(found, TrainingImages):
        raise calls.refuse(
            plugin, f"it returned {calls.described(found)}: return TrainingImages for {plugin.role}"
        )
    images, is_face, groups = found.images, found.is_face, found.groups
    count = len(images)
    if not _is(images, np.uint8, (count, *CROP)) or not _is(is_face, np.bool_, (count,)):
        raise calls.refuse(
            plugin,
            f"its images are {calls.described(images)} and is_face {calls.described(is_face)}: "
            f"uint8 of shape (N, 64, 64, 3) and bool of shape (N,) are expected",
        )
    if groups is not None and not _are_names(groups, count):
        raise calls.refuse(plugin, "groups are a tuple of strings, one for each image, or None")
    if groups is not None and any(np.asarray(groups)[~is_face]):
        raise calls.refuse(plugin, 'groups are "" for images without a face')
    _require_both(plugin, is_face)
    return replace(found, images=np.require(images, requirements=["C", "W"]))  # as torch wants it


def _require_both(plugin: Plugin, is_face: NDArray[np.bool_]) -> None:
    if not len(is_face):
        raise calls.refuse(plugin, "it returned no images")
    if is_face.all() or not is_face.any():
        there, lacking = ("faces alone", "without") if is_face.all() else ("no faces", "with")
        raise calls.refuse(plugin, f"it returned {there}: images {lacking} a face must occur, too")


def _photographs(plugin: Plugin, found: Any) -> Photographs:
    if not isinstance(found, Photographs):
        raise calls.refuse(
            plugin, f"it returned {calls.described(found)}: return Photographs for {plugin.role}"
        )
    names, groups = found.names, found.groups
    if not names or not _are_names(names, len(names)) or len(set(names)) < len(names):
        raise calls.refuse(plugin, "names are a tuple of strings, one for each photograph, unique")
    if not _are_names(groups, len(names)):
        raise calls.refuse(plugin, "groups are a tuple of strings, one for each photograph")

    def read(place: int) -> Pixels:
        with calls.own_code(plugin):
            pixels = found.read(place)
        if not _is(pixels, np.uint8, (*np.shape(pixels)[:2], 3)):
            raise calls.refuse(
                plugin,
                f"it read {calls.described(pixels)}: uint8 of shape (H, W, 3) is expected",
            )
        return pixels

    return Photographs(names, groups, read)


def _is(values: Any, kind: type[np.generic], shape: tuple[int, ...]) -> bool:
    return isinstance(values, np.ndarray) and values.dtype == kind and values.shape == shape


def _are_names(values: Any, count: int) -> bool:
    is_tuple = isinstance(values, tuple) and len(values) == count
    return is_tuple and all(isinstance(one, str) for one in values)
