"""Tables of every run with the sizes of their groups -> runs by arm, and their outcomes.

A run without a number for every group has failed: it stays in the denominator. Recalls are
fractions; published accuracies percent.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from repro.analysis.audit.reading.arm_keys import Key, word_of
from repro.analysis.audit.reading.published_table import Cell, PublishedTable, Row, Share
from repro.analysis.outcomes import Arm, Outcomes
from repro.analysis.wording import count
from repro.errors import DataError
from repro.stats.forensics import GroupValues
from repro.stats.intervals import Floats

NO_NUMBER = "no number in the file"
NOT_THERE = "not in the file"


@dataclass(frozen=True, slots=True)
class Runs:
    """Every run and group of some arms.

    Attributes:
        part: Values of the label columns in this part; empty for an undivided file.
        arms: By their keys, those without a run that has numbers included.
        errors: Largest rounding error of each recall, by arm.
        rounded: Published accuracies with their n; empty for counts.
        kept: Best runs behind each published mean; None if not said.
    """

    path: Path
    part: str
    arms: Mapping[Key, Arm]
    errors: Mapping[Key, Floats]
    rounded: Sequence[tuple[Cell, int]]
    kept: int | None = None

    @property
    def keys(self) -> list[Key]:
        """Arms with results, in the order of the file."""
        return [key for key, arm in self.arms.items() if arm.runs]

    @property
    def title(self) -> str:
        """File name, and part if divided."""
        return f"{self.path.name} ({self.part})" if self.part else self.path.name

    @property
    def most_runs(self) -> int:
        """The largest number of runs of an arm that have numbers."""
        return max(arm.runs for arm in self.arms.values())

    def values(self, key: Key) -> GroupValues:
        """The recalls of an arm for `forensics`."""
        arm = self.arms[key]
        return GroupValues(arm.recall, self.errors[key], arm.sizes)


def runs_of(table: PublishedTable) -> Runs | None:
    """The runs of a table; None if it has none, one group, or groups of unknown sizes.

    None, too, if a share is above 1, because its unit is wrong: statistics have no sense then.
    """
    if not table.single_runs:
        return None
    arms, errors = {}, {}
    rounded: list[tuple[Cell, int]] = []
    for key in table.keys:
        rows = table.runs_of(key)
        groups = tuple(dict.fromkeys(group for row in rows for group in row.groups))
        sizes = _sizes(table, rows, groups)
        if sizes is None or len(groups) < 2:
            return None
        arms[key], errors[key] = _arm(table, key, rows, sizes)
        rounded += [
            (share.cell, sizes[group])
            for row in rows
            for group, share in row.groups.items()
            if share.cell and share.cell.state == "number"
        ]
    if not any(arm.runs for arm in arms.values()):
        return None
    if any((arm.recall > 1).any() or (arm.recall < 0).any() for arm in arms.values()):
        return None
    return Runs(table.path, table.part, arms, errors, rounded, table.description.keep)


def _sizes(
    table: PublishedTable, rows: Sequence[Row], groups: Sequence[str]
) -> dict[str, int] | None:
    """Portraits of each group; a failed run need not give them."""
    found = dict(table.description.groups)
    for row in (*table.rows, *rows):
        found |= {group: share.n for group, share in row.groups.items() if share.n is not None}
    return {g: found[g] for g in groups} if all(g in found for g in groups) else None


def _arm(
    table: PublishedTable, key: Key, rows: Sequence[Row], of_groups: Mapping[str, int]
) -> tuple[Arm, Floats]:
    """An arm, and the rounding errors of its recalls."""
    groups = tuple(of_groups)
    sizes = np.array([of_groups[group] for group in groups], dtype=np.int64)
    error_rates = table.description.measure == "error"
    seeds = _seeds([row.run or "" for row in rows])
    recalls, errors, own, lost = [], [], [], []
    for row, seed in zip(rows, seeds, strict=True):
        shares = [_recall(row.groups.get(group), of_groups[group]) for group in groups]
        known = [share for share in shares if share is not None]
        if len(known) < len(groups):
            lost.append(seed)
            continue
        own.append(seed)
        recalls.append([1 - r if error_rates and e else r for r, e in known])
        errors.append([error for _, error in known])
    recall = np.array(recalls, dtype=float).reshape(len(own), len(groups))
    wanted = max(len(rows), table.description.replicates or 0)
    arm = Arm(
        name=key.name,
        alpha=key.alpha,
        wanted=wanted,
        seeds=tuple(own),
        groups=groups,
        sizes=sizes,
        recall=recall,
        # Counts are summed before the division, so equal runs stay equal.
        selector=np.round(recall * sizes, 6).sum(axis=1) / sizes.sum(),
        failed=(NO_NUMBER,) * len(lost) + (NOT_THERE,) * (wanted - len(rows)),
        failed_seeds=tuple(lost) if wanted == len(rows) else (),
    )
    return arm, np.array(errors, dtype=float).reshape(recall.shape)


def _recall(share: Share | None, n: int) -> tuple[float, float] | None:
    """A share and its largest rounding error, as fractions; None if there is no number."""
    if share is None:
        return None
    if share.detected is not None:
        return share.detected / n, 0.0
    if share.cell is None or share.cell.state != "number" or share.cell.value is None:
        return None
    return float(share.cell.value) / 100, share.cell.value.half / 100


def _seeds(runs: Sequence[str]) -> list[int]:
    """The numbers of the runs; 1, 2, ... if they are no numbers."""
    numbers = [int(run) if re.fullmatch(r"\d{1,9}", run, re.ASCII) else -1 for run in runs]
    usable = min(numbers) >= 0 and len(set(numbers)) == len(runs)
    return numbers if usable else list(range(1, len(runs) + 1))


def outcomes_of(source: Runs, *, keep: int | None, reference: str | None) -> Outcomes:
    """The arms of a part of a file, for tables.

    Args:
        source: The part.
        keep: Number of kept runs of an arm; None keeps what the description says, or all.
        reference: Arm that the others are compared with; None: the first without resampling.

    Raises:
        DataError: `keep` is more than the number of runs, or the arm is unknown.
    """
    names = [key.name for key in source.arms]
    most, kept = source.most_runs, source.kept if keep is None else keep
    made = max(arm.wanted for arm in source.arms.values())
    if kept is not None and kept > made:
        raise DataError(
            f"{source.path}: keep is {kept}, but no arm has more than {count(made, 'run')}: "
            f"keep at most {made}"
        )
    stem = source.path.stem
    return Outcomes(
        name=f"{stem}, {source.part}" if source.part else stem,
        caption=f"{source.title}: published runs of {count(len(names), 'arm')}, "
        f"{_how_many(source)}.",
        arms=tuple(source.arms.values()),
        reference=_reference(source, reference),
        keep=most if kept is None else kept,
        by="recall",
        split="test",
        paired=False,
        rates=(),
        metrics=("recall", "variance"),
        test="permutation",
        synthetic=False,
        label="-".join([stem, *re.findall(r"\w+", source.part)]),
    )


def _reference(source: Runs, asked: str | None) -> str:
    """The arm that the others are compared with."""
    names = [key.name for key in source.arms]
    if asked is None:
        plain = [key.name for key in source.arms if key.alpha == math.inf]
        return (plain or names)[0]
    if word_of(asked) not in names:
        known = "; ".join(names)
        raise DataError(f"{source.path}: unknown arm '{asked}'; the arms are: {known}")
    return word_of(asked)


def _how_many(source: Runs) -> str:
    wanted = [arm.wanted for arm in source.arms.values()]
    fewest, most = min(wanted), max(wanted)
    return f"{count(most, 'run')} each" if fewest == most else f"{fewest} to {most} runs each"
