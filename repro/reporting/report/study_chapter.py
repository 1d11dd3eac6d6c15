"""The data of one study for a report."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from repro.analysis.study_data import Outcomes
from repro.records.records import ArmIndex, Record, StudyIndex
from repro.reporting import escaping

if TYPE_CHECKING:
    from repro.reporting.figures.illustration import Illustration


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One study, or one variant of it.

    Attributes:
        index: Which runs it wants.
        records: Those that there are, by key.
        outcomes: What they came to, with scores.
        illustrations: In the order in which they are shown.
        study_file: By which the study is called on the command line.
    """

    index: StudyIndex
    records: Mapping[str, Record]
    outcomes: Outcomes
    illustrations: "Sequence[Illustration]"
    study_file: str

    @property
    def anchor(self) -> str:
        """By which it can be linked; two variants of a study have two."""
        return escaping.anchor(self.index.name, self.index.variant)

    @property
    def ended(self) -> list[Record]:
        """The records that there are, arm by arm."""
        return [self.records[key] for _, _, key in self.index.wanted() if key in self.records]

    @property
    def wanted(self) -> int:
        """How many runs the study asks for."""
        return sum(len(arm.keys) for arm in self.index.arms)

    def of(self, arm: ArmIndex) -> Iterator[tuple[int, str, Record | None]]:
        """(seed, key, record if there is one) of each run of an arm."""
        for seed, key in enumerate(arm.keys):
            record = self.records.get(key)
            yield (seed if record is None else record.seed), key, record

    def runs_anchor(self, position: int) -> str:
        """Of the first run of the arm at this position."""
        return f"{self.anchor}-runs-{position + 1}"
