"""Which column of a predictions file is what: by names that people use, or as declared."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from repro.analysis.wording import joined
from repro.errors import DataError
from repro.system.printing import one_line

LOGITS = ("logit", "logits", "top_logit", "y_logit", "log_odds")
TRUTH = ("y_true", "true_label")  # columns that no table of results has
PROBABILITIES = ("prob", "probs", "probability", "probabilities", "y_prob", "p_face")
PredictionRole = Literal["arm", "run", "image", "group", "label", "score", "cluster", "ignored"]
NAMES: Mapping[PredictionRole, frozenset[str]] = {
    "arm": frozenset(
        (
            *("arm", "method", "algorithm", "model", "technique", "approach", "detector"),
            *("classifier", "system", "company", "vendor", "service", "architecture", "network"),
            *("setting", "variant", "backbone"),
        )
    ),
    "run": frozenset(("run", "run_id", "seed", "replicate", "trial", "repetition", "repeat")),
    "image": frozenset(
        (
            *("image", "image_id", "image_name", "image_path", "img", "img_id", "img_name"),
            *("img_path", "file", "filename", "file_name", "filepath", "file_path", "path"),
            *("picture", "photograph", "photo", "id", "sample", "sample_id"),
        )
    ),
    "group": frozenset(("group", "subgroup", "demographic", "demographic_group", "group_name")),
    "label": frozenset(
        (
            *("label", "labels", "y", "y_true", "true_label", "target", "targets", "truth"),
            *("ground_truth", "gt", "is_face", "face", "set"),
        )
    ),
    "score": frozenset(
        (*("score", "scores", "y_score", "output", "confidence", *LOGITS, *PROBABILITIES),)
    ),
    "cluster": frozenset(("cluster", "subject_id", "person_id", "identity")),
}
NEEDED: tuple[PredictionRole, ...] = ("image", "label", "score")
CLUSTER = "cluster"  # of an exported file, the last column where portraits belong together
EXPORTED = ("arm", "run", "image", "group", "label", "score", "windows", "positive")


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column is what.

    Attributes:
        header: As written, in the order of the file.
        place: Of each role that the file has.
        unused: Columns that no table needs.
    """

    header: tuple[str, ...]
    place: Mapping[PredictionRole, int]
    unused: tuple[str, ...]

    def name(self, role: PredictionRole) -> str:
        """The column as written."""
        return self.header[self.place[role]]


def plain(name: str) -> str:
    """A name as it stands in the lists above."""
    return re.sub(r"[\s-]+", "_", name.strip().lower())


def roles(name: str, declared: Mapping[str, str]) -> list[str]:
    """What a column may be: as declared, else by its name."""
    if name in declared:
        return [declared[name]]
    return [role for role, names in NAMES.items() if plain(name) in names]


def are_predictions(names: Sequence[str], declared: Mapping[str, str]) -> bool:
    """Whether columns have pictures and scores, or the true label of each row."""
    found = {name: roles(name, declared) for name in names}
    every = {role for one in found.values() for role in one}
    return {"image", "score"} <= every or any(
        plain(name) in TRUTH and "label" in one for name, one in found.items()
    )


def of_header(header: Sequence[str], declared: Mapping[str, str], where: str) -> Columns:
    """The columns of a file.

    Args:
        header: Their names.
        declared: Roles by name; a declared column takes the place of others that may be the same.
        where: File and line, for messages.

    Raises:
        DataError: Pictures, labels or scores are missing; two columns may be the same; a declared
            one is not there, or has an unknown role.
    """
    _check_declared(header, declared, where)
    found: dict[PredictionRole, int] = {}
    for role in NAMES:
        places = [at for at, name in enumerate(header) if role in roles(name, declared)]
        said = [at for at in places if header[at] in declared]
        places = said or places
        if len(places) > 1:
            names = joined([f"'{one_line(header[at])}'" for at in places])
            raise DataError(
                f"{where}: {names} may all be the {role}: say which one, "
                f'--column "{one_line(header[places[0]])}={role}"'
            )
        if places:
            found[role] = places[0]
    for role in NEEDED:
        if role not in found:
            raise DataError(f"{where}: {_lacking(role)}")
    unused = (name for at, name in enumerate(header) if at not in found.values())
    return Columns(tuple(header), found, tuple(unused))


def _lacking(role: str) -> str:
    if role == "image":
        return (
            "no column names the pictures: add a column image with a name or number for each, or "
            'say which column it is: --column "NAME=image"'
        )
    if role == "label":
        return (
            "no column says which pictures show a face: add a column label with 1, or 0 for a "
            'picture without one, or say which column it is: --column "NAME=label"'
        )
    return f'no column is the {role}: say which one is, --column "NAME={role}"'


def _check_declared(header: Sequence[str], declared: Mapping[str, str], where: str) -> None:
    for name, role in declared.items():
        if name not in header:
            raise DataError(
                f"{where}: --column names '{one_line(name)}', but the columns are "
                f"{', '.join(map(one_line, header))}"
            )
        if role not in get_args(PredictionRole):
            raise DataError(
                f"{where}: the column '{one_line(name)}' is declared as '{one_line(role)}'; a "
                f"column of predictions is {joined(get_args(PredictionRole), 'or')}"
            )
