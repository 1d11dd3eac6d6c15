"""Whether the training faces have the groups that a method asks for, from their names alone.

A method that balances groups would divide by zero for a group without a face, or balance whatever
faces have a name. So its run is refused when it is planned. No picture is read here, and torch is
not loaded.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from repro.study.configuration import Configuration
from repro.training import image_counts
from repro.training.image_split import split_images

ADVICE = (
    "write them into the file with `repro data prepare --group COLUMN`, or choose a method that "
    "needs no groups"
)


def problems(
    is_face: NDArray[np.bool_],
    groups: tuple[str, ...] | None,
    *,
    tested: Collection[str],
    share: float,
    seeds: Iterable[int],
    fewest_held_out: int = 0,
) -> Iterator[str]:
    """What stands in the way of a method that needs the group of each training face.

    Args:
        is_face: Which images to train on show a face, shape (N,).
        groups: The group of each image; None if the source has none.
        tested: Groups of the test portraits. If the training faces have one of them, they are
            named alike, and must have all of them.
        share: Of each class, held out for validation.
        seeds: Of the runs, each with a split of its own.
        fewest_held_out: Faces of each group that the method needs among those held out.

    Yields:
        The rest of a sentence that begins with the method; empty if nothing is wrong.
    """
    if groups is None:
        yield f"needs the group of each training face, and data.train has no groups; {ADVICE}"
        return
    of_faces = np.asarray(groups)[is_face]
    unknown = int((of_faces == "").sum())
    if unknown:
        yield (
            f"needs the group of each training face, and {unknown:,} of {len(of_faces):,} faces of "
            f"data.train have none; {ADVICE}"
        )
        return
    known = set(of_faces.tolist())
    for name in sorted(set(tested) - known - {""}) if known & set(tested) else ():
        yield (
            f"no face of data.train is of the group {name}, which data.test has, so that nothing "
            "can be balanced; add faces of this group"
        )
    named = np.asarray(groups)
    yield from _by_split(
        is_face, named, known, share=share, seeds=seeds, fewest_held_out=fewest_held_out
    )


def too_few_kept(
    choices: Configuration,
    is_face: NDArray[np.bool_],
    groups: tuple[str, ...] | None,
    *,
    seeds: Iterable[int],
) -> Iterator[str]:
    """Whether cutting groups to the smallest leaves fewer faces than half a batch needs.

    Args:
        choices: Of an arm whose rule is ``subg``.
        is_face: As for `problems`, which must have found nothing.
        groups: Likewise.
        seeds: Likewise.

    Yields:
        The rest of a sentence that begins with the method, with the first such seed.
    """
    half, named = choices.batch_size // 2, np.asarray(groups or ())
    if choices.resampling.rule != "subg" or not image_counts.draws_halves(choices):
        return
    for seed in seeds:
        train = split_images(is_face, share=choices.validation_share, seed=seed).train
        _, counts = np.unique(named[train[is_face[train]]], return_counts=True)
        kept = len(counts) * int(counts.min())
        if kept < half:
            yield (
                f"keeps {kept:,} faces with seed {seed}, {int(counts.min()):,} of each group, and "
                f"half a batch is {half:,} different ones (resampling.replacement: without, "
                "balance: exact); choose a smaller batch_size, or replacement: with"
            )
            return


def _by_split(
    is_face: NDArray[np.bool_],
    groups: NDArray[np.str_],
    known: Collection[str],
    *,
    share: float,
    seeds: Iterable[int],
    fewest_held_out: int,
) -> Iterator[str]:
    """Groups with too few faces to train on, or among those held out, with the first such seed."""
    untold = {"train": set(known), "held out": set(known)}
    for seed in seeds:
        split = split_images(is_face, share=share, seed=seed)
        trained, held_out = (
            Counter(groups[part].tolist()) for part in (split.train, split.validation)
        )
        for name in sorted(n for n in untold["train"] if not trained[n]):
            untold["train"].remove(name)
            yield (
                f"no face of the group {name} is left to train on with seed {seed}: all "
                f"{held_out[name]:,} are held out (validation_share); add faces of this group, or "
                "choose a smaller share"
            )
        for name in sorted(n for n in untold["held out"] if held_out[n] < fewest_held_out):
            untold["held out"].remove(name)
            yield (
                f"it fits on held-out faces, and {held_out[name]:,} of the group {name} are held "
                f"out with seed {seed}: it needs {fewest_held_out}; hold out more "
                "(validation_share), or add faces of this group"
            )
