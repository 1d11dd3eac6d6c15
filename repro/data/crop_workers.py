"""Crop pictures to 64 x 64 in child processes."""

from collections.abc import Generator, Sequence
from typing import NamedTuple

import numpy as np

from repro.data.pictures.duplicates import Look
from repro.data.pictures.images import Pixels
from repro.data.pictures.raw_pictures import BoxOutside, Picture
from repro.data.pictures.square_crops import SIDE
from repro.errors import DataError, ReproError
from repro.system.child_process import Answer, Child, Gone, NotStarted, Say

BATCH = 64  # pictures per request to a child


class Cut(NamedTuple):
    """The result for a batch.

    Attributes:
        images: Shape (n, 64, 64, 3), RGB; zero where a picture could not be read.
        looks: Look of each whole picture; None if unknown.
        failures: Error messages, by position in the batch.
        outside: The failures whose box is outside its picture.
    """

    images: Pixels
    looks: list[Look | None]
    failures: dict[int, str]
    outside: frozenset[int]


def batches(pictures: Sequence[Picture], *, workers: int) -> Generator[tuple[int, Cut]]:
    """Crop all pictures, in order; yields the index of each batch's first picture, and its result.

    Args:
        pictures: The pictures to crop.
        workers: Number of processes; 1 is this one. The result does not depend on it.
    """
    starts = range(0, len(pictures), BATCH)
    requests = [pictures[start : start + BATCH] for start in starts]
    count = min(workers, len(requests))
    if count <= 1:
        yield from zip(starts, map(cut, requests), strict=True)
        return
    # Each child has one request at a time, and answers are received in turn.
    children = [Child(cutter) for _ in range(count)]
    try:
        for child, request in zip(children, requests, strict=False):
            child.send(request)
        for number, start in enumerate(starts):
            child = children[number % count]
            answer = _answer(child)
            if number + count < len(requests):
                child.send(requests[number + count])
            yield start, answer
    finally:
        for child in children:
            child.stop()
        for child in children:
            child.join()


def _answer(child: Child) -> Cut:
    try:
        answer: Cut = child.answer()
    except (Gone, NotStarted) as fate:
        raise ReproError(
            f"a process that cuts pictures ended early ({fate}): is there enough memory? "
            "Fewer --workers need less, and --workers 1 needs no other process"
        ) from None
    return answer


def cutter() -> Answer:
    """The function with which a child answers requests."""

    def answer(request: Sequence[Picture], _: Say) -> Cut:
        return cut(request)

    return answer


def cut(pictures: Sequence[Picture]) -> Cut:
    """The crop of each picture, or what is wrong with it."""
    images = np.zeros((len(pictures), SIDE, SIDE, 3), np.uint8)
    looks: list[Look | None] = [None] * len(pictures)
    failures: dict[int, str] = {}
    outside = set()
    for index, picture in enumerate(pictures):
        try:
            images[index], looks[index] = picture.crop()
        except DataError as error:
            failures[index] = str(error)
            if isinstance(error, BoxOutside):
                outside.add(index)
    return Cut(images, looks, failures, frozenset(outside))
