"""Whether there are images enough for a configuration, from their numbers alone.

A run that trains nothing, or has nothing to validate on, would end with numbers all the same. So it
is refused when it is planned. No picture is read here, and torch is not loaded.
"""

from collections.abc import Iterator
from typing import NamedTuple

from repro.study import methods
from repro.study.configuration import Configuration
from repro.study.yaml_source import KeyPath

# Settings that are wrong, the likeliest first, and a sentence that names it.
Mistake = tuple[tuple[KeyPath, ...], str]
WORDS = ("a face", "no face")  # what an image shows, as in `ImageCounts`
FEWEST_FACES = 2  # to train on: the density of one latent value says nothing


class ImageCounts(NamedTuple):
    """Numbers of training images, with those that are held out for validation."""

    faces: int
    others: int


def held_out(count: int, *, share: float) -> int:
    """Number of images of a class that are held out: the share, rounded half to even."""
    return round(share * count)


def problems(choices: Configuration, images: ImageCounts) -> Iterator[Mistake]:
    """What stands in the way of a run.

    Args:
        choices: Of the run.
        images: Of its data.
    """
    held = ImageCounts(*(held_out(count, share=choices.validation_share) for count in images))
    trained = ImageCounts(images.faces - held.faces, images.others - held.others)
    empty = [*_empty(choices.validation_share, images, held)]
    if empty:
        yield from empty
        return
    if trained.faces < FEWEST_FACES:
        yield (
            (("data", "train"),),
            f"data.train: {trained.faces} of {images.faces} faces is trained on, and at least "
            f"{FEWEST_FACES} are needed; give more faces",
        )
    if choices.batch_size > sum(trained):
        yield (
            (("batch_size",), ("data", "train")),
            f"batch_size: {choices.batch_size:,} is more than the {sum(trained):,} images that are "
            f"trained on (of {sum(images):,}, {sum(held):,} are held out), so that no batch is "
            "complete; choose a smaller one",
        )
    elif draws_halves(choices):
        half = choices.batch_size // 2
        yield from _too_few_for_halves(ImageCounts(half, choices.batch_size - half), trained)


def _empty(share: float, images: ImageCounts, held: ImageCounts) -> Iterator[Mistake]:
    """Classes of which nothing is held out, or everything."""
    for count, out, what in zip(images, held, WORDS, strict=True):
        if out in (0, count):
            yield (
                (("validation_share",), ("data", "train")),
                f"validation_share: {share:g} of the images with {what} ({count:,}) leaves none to "
                f"{'train' if out else 'validate'} on; choose another share, or give more images",
            )


def draws_halves(choices: Configuration) -> bool:
    """Whether half a batch is drawn from the faces, all of them different, in some epoch."""
    rule = choices.resampling
    evenly, weighted = _epochs(choices)
    drawn = weighted or (evenly and rule.uniform_epochs == "draw")
    return drawn and rule.replacement == "without" and rule.balance == "exact"


def _epochs(choices: Configuration) -> tuple[bool, bool]:
    """Whether there are epochs that draw all alike, and epochs that draw by weights."""
    rule = choices.resampling
    method = methods.BUILT_IN.find("rule", rule.rule)
    if rule.rule == "none" or (method is not None and method.scope == "loss"):
        return True, False
    waits = method is None or methods.follows_network(method)
    first_is_even = rule.first_epoch == "uniform" and waits
    return first_is_even, choices.epochs > 1 or not first_is_even


def _too_few_for_halves(needed: ImageCounts, trained: ImageCounts) -> Iterator[Mistake]:
    for half, there, what in zip(needed, trained, WORDS, strict=True):
        if half > there:
            yield (
                (("batch_size",), ("data", "train")),
                f"batch_size: half a batch is {half:,} different images with {what} "
                "(resampling.replacement: without, balance: exact), and "
                f"{there:,} are trained on; choose a smaller one",
            )
