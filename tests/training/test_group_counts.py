"""Groups that a method needs, and training faces that do not have them."""

import re

import numpy as np
import pytest
from builders import configuration

from repro.training import group_counts
from repro.training.image_split import split_images

IS_FACE = np.arange(30) < 20
EVEN = ("a", "b") * 10 + ("",) * 10


def problems(groups, *, is_face=IS_FACE, tested=(), share=0.2, seeds=range(3), fewest=0):
    """As a list."""
    found = group_counts.problems(
        is_face, groups, tested=tested, share=share, seeds=seeds, fewest_held_out=fewest
    )
    return list(found)


def test_nothing_is_wrong_with_faces_of_every_group():
    """Non-faces need none, and portraits may have groups of other names."""
    assert problems(EVEN) == []
    assert problems(EVEN, tested=("a", "b")) == []
    assert problems(EVEN, tested=("darker", "lighter")) == []


def test_a_source_without_groups_is_told():
    """With what to do."""
    (said,) = problems(None)

    assert said.startswith("needs the group of each training face, and data.train has no groups; ")
    assert "repro data prepare --group COLUMN" in said


def test_faces_without_a_group_are_counted():
    """They would be left out, or be a group of their own."""
    (said,) = problems(("", "", *EVEN[2:]))

    assert said.startswith("needs the group of each training face, and 2 of 20 faces of data.tra")


def test_a_group_of_the_portraits_without_a_training_face_is_named():
    """Where the names of both are the same otherwise; a photograph without a group counts not."""
    (said,) = problems(EVEN, tested=("", "a", "b", "c"))

    assert said.startswith("no face of data.train is of the group c, which data.test has")


@pytest.mark.parametrize("count", [1, 2])
def test_a_group_whose_faces_are_all_held_out_is_named_with_the_first_seed(count):
    """By the split of each seed."""
    groups = ("rare",) * count + ("common",) * (20 - count) + ("",) * 10
    trained = [set(split_images(IS_FACE, share=0.5, seed=seed).train) for seed in range(40)]
    first = next(seed for seed in range(40) if not trained[seed] & set(range(count)))

    assert problems(groups, share=0.5, seeds=range(first)) == []
    (said,) = problems(groups, share=0.5, seeds=range(40))
    assert said.startswith(
        f"no face of the group rare is left to train on with seed {first}: all {count} are held"
    )


def test_a_group_of_which_too_few_faces_are_held_out_is_named_with_the_first_seed():
    """DFR fits on half of them and scores on the others."""
    held_out = [split_images(IS_FACE, share=0.4, seed=seed).validation for seed in range(40)]
    counts = [sum(place < 20 and place % 2 == 0 for place in of_seed) for of_seed in held_out]
    first = next(seed for seed in range(40) if min(counts[seed], 8 - counts[seed]) < 4)
    few = "a" if counts[first] < 4 else "b"

    assert problems(EVEN, share=0.4, seeds=range(first), fewest=4) == []
    said = problems(EVEN, share=0.4, seeds=range(first + 1), fewest=4)[0]
    number = min(counts[first], 8 - counts[first])
    assert said.startswith(f"it fits on held-out faces, and {number} of the group {few} are held")


def kept(**changes):
    """What is said of groups of 16 and 4 faces, cut to 3 or 4 of each, with batches of 16."""
    own = {"rule": "subg", "replacement": "without", "balance": "exact", **changes}
    groups = ("common",) * 16 + ("rare",) * 4 + ("",) * 10
    found = group_counts.too_few_kept(
        configuration(resampling=own), IS_FACE, groups, seeds=range(20)
    )
    return list(found)


def test_groups_cut_too_small_for_half_a_batch_are_told_with_the_first_seed():
    """Half a batch is of eight different faces."""
    (said,) = kept()

    assert re.match(
        r"keeps \d faces with seed \d+, [0-3] of each group, and half a batch is 8", said
    )


@pytest.mark.parametrize("changes", [{"replacement": "with"}, {"rule": "oracle"}])
def test_faces_that_may_come_twice_are_enough(changes):
    """As are those of a rule that leaves none out."""
    assert kept(**changes) == []
