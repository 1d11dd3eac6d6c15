"""A study of three arms with three seeds each, with scores: records as a run leaves them."""

import csv
import hashlib
import io

import numpy as np
from builders import study_index

from repro.metrics import Count
from repro.records import portraits, records
from repro.records.records import Record
from repro.records.study_index import PortraitsIndex

GROUPS = ("darker_female", "darker_male", "lighter_female", "lighter_male")
ARMS = {"No debias": -0.5, "alpha = 0.1": 0.0, "alpha = 0.01": 0.5}
RUNS, EACH, OTHERS = 3, 20, 40


def scores(arm, seed):
    """Top logits of 80 portraits, darker ones lower, and of 40 photographs without a face."""
    generator = np.random.default_rng([seed, len(arm)])
    shift = np.repeat([ARMS[arm], ARMS[arm], 1.0, 1.0], EACH)
    return generator.normal(1 + shift), generator.normal(-1, 1, OTHERS)


def scores_csv(portraits, others):
    """A file of a run's scores in the layout of the records."""
    file = io.StringIO()
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(["set", "photograph", "group", "top_logit", "windows", "positive"])
    for i, logit in enumerate(portraits):
        rows.writerow(["portraits", f"p{i}", GROUPS[i // EACH], logit, 1, int(logit >= 0)])
    for i, logit in enumerate(others):
        rows.writerow(["nonfaces", f"n{i}", "", logit, 1, int(logit >= 0)])
    return file.getvalue().encode()


def write(results, shown=None, columns=("person", "tone")):
    """Its records and its index, and what is known of the portraits p0 to p79, if anything.

    Args:
        results: Folder.
        shown: `Portraits`, or None.
        columns: Names of the columns of cluster and tone.
    """
    keys = {}
    for arm, alpha in zip(ARMS, (None, 0.1, 0.01), strict=True):
        keys[arm] = [f"{alpha}-seed{seed}" for seed in range(RUNS)]
        for seed, key in enumerate(keys[arm]):
            faces, others = scores(arm, seed)
            found = (faces >= 0).reshape(len(GROUPS), EACH).sum(axis=1)
            resampling = {"rule": "max" if alpha else "none", "alpha": alpha or 0.0}
            record = Record(
                key=key,
                seed=seed,
                configuration={"resampling": resampling},
                data={"test": "0a"} if shown else {},
                groups={g: Count(EACH, int(n)) for g, n in zip(GROUPS, found, strict=True)},
                nonfaces=Count(OTHERS, int((others >= 0).sum())),
            )
            records.write_record(record, results, {"scores.csv": scores_csv(faces, others)})
    select = {"keep": 2, "by": "recall", "split": "test"}
    changes = {"portraits": _written(shown, columns, results)} if shown else {}
    records.write_index(study_index(keys, select=select, **changes), results)


def _written(shown, columns, results):
    content = portraits.to_csv({"0a": shown})
    portraits.write(content, results)
    sha256 = hashlib.sha256(content).hexdigest()
    return PortraitsIndex(cluster=columns[0], tone=columns[1], sha256=sha256)
