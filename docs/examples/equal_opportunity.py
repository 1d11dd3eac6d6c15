"""The largest difference between two groups' shares of detected faces (Hardt et al. 2016)."""

import numpy as np

from repro.plugins import metric


@metric("equal_opportunity_difference", unit="points", better="lower")
def equal_opportunity_difference(scores, groups, labels, threshold):
    """Best group's recall minus that of the worst."""
    faces, detected = groups[labels], scores[labels] >= threshold
    recalls = [detected[faces == group].mean() for group in np.unique(faces)]
    return float(max(recalls) - min(recalls))
