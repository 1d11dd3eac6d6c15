"""Files of predictions, as somebody may have written them."""

import csv
import io

import numpy as np

HEADER = ("arm", "run", "image", "group", "label", "score")
GROUPS = ("darker", "lighter")


def text(rows, *, header=HEADER, remarks=()):
    """The text of a file: remarks, columns, rows."""
    file = io.StringIO()
    for remark in remarks:
        file.write(f"# {remark}\n")
    csv.writer(file, lineterminator="\n").writerows([header, *rows])
    return file.getvalue()


def rows(scores, *, arm="a", label=1):
    """A row for each run and picture of scores of shape (R, P); groups alternate."""
    return [
        (arm, run, f"p{place}", GROUPS[place % 2] if label else "", label, repr(float(score)))
        for run, row in enumerate(np.asarray(scores, dtype=float))
        for place, score in enumerate(row)
    ]


def arm(name, faces, others):
    """The rows of an arm, run by run."""
    both = zip(np.asarray(faces, float), np.asarray(others, float), strict=True)
    return [
        (found[0], run, *found[2:])
        for run, (portraits, nonfaces) in enumerate(both)
        for found in [
            *rows([portraits], arm=name),
            *rows([nonfaces], arm=name, label=0),
        ]
    ]
