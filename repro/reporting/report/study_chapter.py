"""The data of one study for a report."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from repro.analysis.outcomes import Outcomes
from repro.records.records import ArmIndex, BriefRecord, StudyIndex
from repro.reporting import escaping

if TYPE_CHECKING:
    from repro.reporting.figures.illustration import Illustration


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One study, or one variant of it.

    Attributes:
        index: Lists the runs of the study.
        records: The existing records, by key.
        outcomes: Their results, with scores.
        illustrations: In display order.
        study_file: The study's name or path for the command line.
    """

    index: StudyIndex
    records: Mapping[str, BriefRecord]
    outcomes: Outcomes
    illustrations: "Sequence[Illustration]"
    study_file: str

    @property
    def anchor(self) -> str:
        """Its link anchor; two variants of a study have different ones."""
        return escaping.anchor(self.index.name, self.index.variant)

    @property
    def ended(self) -> list[BriefRecord]:
        """The existing records, arm by arm."""
        return [self.records[key] for _, _, key in self.index.wanted() if key in self.records]

    @property
    def wanted(self) -> int:
        """The number of runs in the study."""
        return sum(len(arm.keys) for arm in self.index.arms)

    def of(self, arm: ArmIndex) -> Iterator[tuple[int, str, BriefRecord | None]]:
        """(seed, key, record or None) of each run of an arm."""
        for seed, key in self.index.runs_of(arm):
            record = self.records.get(key)
            yield (seed if record is None else record.seed), key, record

    def runs_anchor(self, position: int) -> str:
        """The anchor of the first run of the arm at this position."""
        return f"{self.anchor}-runs-{position + 1}"
