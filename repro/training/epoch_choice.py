"""Which epoch's network a run keeps: the checkpoints that select on validation images."""

from torch import Tensor


def accuracy(positive: Tensor, is_face: Tensor) -> float:
    """Share of images that are called what they are, both boolean of shape (N,)."""
    return float((positive == is_face).double().mean())


def worst_class_recall(positive: Tensor, is_face: Tensor) -> float:
    """The lower recall of the two classes: min(TPR, TNR) for a detector.

    Selection by it needs no labels of groups (Yang et al. 2023, arXiv 2302.12254).

    Args:
        positive: Whether the network calls an image a face (logit 0), shape (N,).
        is_face: Whether it is one, shape (N,); with faces and non-faces.

    Returns:
        From 0 to 1.
    """
    right = (positive == is_face).double()
    return float(min(right[is_face].mean(), right[~is_face].mean()))


def replaces(value: float, best: float) -> bool:
    """Whether an epoch replaces the best so far: ties go to the latest."""
    return value >= best
