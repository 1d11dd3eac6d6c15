"""A run as it is handed to a worker; `events` is what comes back. Nothing here loads torch."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from repro.records.records import Computation, Record
from repro.study.configuration import Configuration

CHECKPOINT_SECONDS = 30.0  # between two checkpoints of a run at least
LOST = "worker"  # the term of the failure of a run whose worker died every time

Files = dict[str, bytes]  # content by name


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A run to execute, with all that a worker needs to know.

    Attributes:
        key: Of the record.
        arm: Its name.
        seed: The replicate.
        configuration: Of the arm.
        data: Digests of the data's content.
        computation: How it is computed.
        commit: Of the program.
        results: Where the record goes; a worker on another machine does not see it.
        device: Where it trains, as torch names it: cpu, cuda:0.
        checkpoint_seconds: Between two checkpoints at least; epochs that are shorter share one.
    """

    key: str
    arm: str
    seed: int
    configuration: Configuration
    data: dict[str, str]
    computation: Computation
    commit: str | None
    results: Path
    device: str = "cpu"
    checkpoint_seconds: float = CHECKPOINT_SECONDS

    @property
    def title(self) -> str:
        """For people: the arm and the seed."""
        return f"{self.arm}, seed {self.seed}"

    def record(self, **fields: Any) -> Record:
        """The record of this run.

        Args:
            fields: What came out, as `Record` has it.
        """
        return Record(
            key=self.key,
            seed=self.seed,
            configuration=self.configuration.model_dump(mode="json"),
            data=self.data,
            computation=asdict(self.computation),
            **fields,
        )
