"""A run as sent to a worker; `events` are the replies. Nothing here loads torch."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from repro.plugins.carriers import Carried
from repro.plugins.catalogue import Catalogue
from repro.records.records import Computation, Record
from repro.study import methods
from repro.study.configuration import Configuration
from repro.study.section import digest
from repro.system.file_digests import Contents

CHECKPOINT_SECONDS = 30.0  # minimum time between two checkpoints of a run
LOST = "worker"  # failure term of a run whose worker died every time
OF_SOURCE = "source run"  # failure term of a run whose source run failed

Files = dict[str, bytes]  # content by file name


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The run on which another one depends, of the same seed.

    Attributes:
        key: Key of its record.
        arm: Name of its arm.
        digest: What the names of its arm's runs begin with today; part of the dependent's name.
        configuration: Configuration of its arm.
        files: The files beside its record, by name; empty until it has one.
        plugins: Those that it used, by kind and name; its network may be one.
    """

    key: str
    arm: str
    digest: str
    configuration: Configuration
    files: Files = field(default_factory=dict, repr=False)
    plugins: Mapping[str, Carried] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A run to execute, with everything that a worker needs to know.

    Attributes:
        key: Key of the record.
        arm: Name of the arm.
        seed: The replicate.
        configuration: Configuration of the arm.
        data: Digests of the data's content.
        contents: The files of the data when the study was planned, by role; see `content_digest`.
        source: The run that it depends on; None for most.
        plugins: Those that it uses, by kind and name; a worker loads them.
        computation: How it is computed.
        commit: Commit of the program.
        results: The results folder; a worker on another machine has no access to it.
        device: Training device in torch's notation: cpu, cuda:0, mps.
        checkpoint_seconds: Minimum time between two checkpoints; shorter epochs share one.
        shares_epochs: Whether its first epoch may be that of another run that begins alike.
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
    contents: Mapping[str, Contents] = field(default_factory=dict)
    plugins: Mapping[str, Carried] = field(default_factory=dict)
    source: Source | None = None
    shares_epochs: bool = True

    @property
    def beginning(self) -> str:
        """Equal for runs that differ in nothing but how faces are drawn; 32 hex digits."""
        choices = self.configuration.identity()
        del choices["resampling"]
        computed = self.computation.identity()
        return digest([choices, self.seed, self.data, computed, self.plugin_digests])

    @property
    def awaits(self) -> str | None:
        """The key of the run whose record it needs to start; None if it can start now."""
        return self.source.key if self.source and not self.source.files else None

    @property
    def title(self) -> str:
        """Name for people: the arm and the seed."""
        return f"{self.arm}, seed {self.seed}"

    @property
    def plugin_digests(self) -> dict[str, str]:
        """The digest of each plug-in, by kind and name."""
        return {title: one.digest for title, one in self.plugins.items()}

    def catalogue(self) -> Catalogue:
        """Where the methods of the run are found; loads its plug-ins.

        Raises:
            PluginError: One cannot be loaded, is not installed here, or differs here.
        """
        return methods.with_plugins(self.plugins.values())

    def record(self, **fields: Any) -> Record:
        """The record of this run.

        Args:
            fields: The results, as fields of `Record`.
        """
        return Record(
            key=self.key,
            seed=self.seed,
            configuration=self.configuration.without_arms().model_dump(mode="json"),
            data=self.data,
            computation=asdict(self.computation),
            plugins=self.plugin_digests,
            source=self.source.key if self.source else "",
            **fields,
        )
