"""A run as it is handed to a worker. Nothing here loads torch."""

from dataclasses import dataclass
from pathlib import Path

from repro.configuration import Configuration


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A run to execute, with all that a worker needs to know.

    Attributes:
        key: Of the record.
        arm: Its name.
        seed: The replicate.
        configuration: Of the arm.
        data: Digests of the data's content.
        commit: Of the program.
        results: Where the record goes.
        device: Where it trains, as torch names it: cpu, cuda:0.
    """

    key: str
    arm: str
    seed: int
    configuration: Configuration
    data: dict[str, str]
    commit: str | None
    results: Path
    device: str = "cpu"

    @property
    def title(self) -> str:
        """For people: the arm and the seed."""
        return f"{self.arm}, seed {self.seed}"
