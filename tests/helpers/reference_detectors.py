"""Detectors that were trained elsewhere, beside the study of `scored_study`."""

from dataclasses import replace

import numpy as np
import scored_study

from repro.metrics import Count
from repro.records import detectors, records
from repro.records.detectors import DetectorRecord
from repro.records.scores import Scores

FOUND = (18, 10, 20, 19)  # portraits of each group that the detector finds, of 20
FALSE = 4  # of 40 photographs without a face


def scores(found=FOUND, false=FALSE):
    """Scores of the study's photographs: above 1 where it says face, below -1 where not."""
    each, others = scored_study.EACH, scored_study.OTHERS
    logits = np.concatenate([_logits(each, n) for n in found])
    of_others = _logits(others, false)
    groups = tuple(np.repeat(scored_study.GROUPS, each).tolist())
    return {
        "portraits": _set([f"p{i}" for i in range(len(logits))], groups, logits),
        "nonfaces": _set([f"n{i}" for i in range(others)], ("",) * others, of_others),
    }


def _logits(count, found):
    """The first ones are faces; no two are alike."""
    places = np.arange(count)
    return np.where(places < found, 1.0, -1.0) - places / 1024


def _set(names, groups, logits):
    one = np.ones(len(names), dtype=np.int64)
    return Scores(tuple(names), groups, logits, one, (logits >= 0).astype(np.int64))


def record(name="Haar", found=FOUND, false=FALSE, **changes):
    """Its record, with the key that its fields give."""
    groups = zip(scored_study.GROUPS, found, strict=True)
    plain = {
        "key": "detector-000000000000",
        "name": name,
        "origin": "haar",
        "kind": "package",
        "digest": "0" * 32,
        "reads": "whole",
        "data": {"test": "0123456789ab", "nonfaces": "ba9876543210"},
        "groups": {group: Count(scored_study.EACH, n) for group, n in groups},
        "nonfaces": Count(scored_study.OTHERS, false),
    }
    made = DetectorRecord(**(plain | changes))
    return replace(made, key=detectors.key_of(made))


def write(results, *names, found=FOUND, false=FALSE):
    """Records of detectors of these names, and the study's index with them; the records."""
    made = [record(name, found, false) for name in names or ("Haar",)]
    for one in made:
        detectors.write(one, results, scores(found, false))
    (index,) = records.read_indexes(results)
    records.write_index(replace(index, detectors=[one.key for one in made]), results)
    return made
