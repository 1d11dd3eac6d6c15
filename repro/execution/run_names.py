"""The names under which the runs of a study are kept, those of earlier releases among them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from repro.plugins import carriers
from repro.plugins.declared import Plugin
from repro.records import records
from repro.records.records import Computation
from repro.records.task import Source
from repro.study.arm import ArmSpec
from repro.study.section import digest
from repro.study.study import Study

ENDED = ("finished", "failed")  # states of runs with a usable record


def digests(plugins: Mapping[str, Plugin]) -> dict[str, str]:
    """The digest of each plug-in, by kind and name."""
    return {title: one.origin.digest for title, one in plugins.items() if one.origin is not None}


@dataclass(frozen=True, slots=True)
class Names:
    """The names under which the runs of a study are kept.

    Attributes:
        study: Resolved.
        data: For each arm's name, the digests of its data.
        computation: Of the workers.
        results: The results folder, where earlier releases may have left records of its runs.
    """

    study: Study
    data: Mapping[str, Mapping[str, str]]
    computation: Computation
    results: Path

    def variant(self) -> str:
        """The name of the variant: its profile, with a digest of what the command line changed."""
        study = self.study
        if not study.overrides:
            return study.profile
        changed = digest([study.overrides, {name: dict(d) for name, d in self.data.items()}])
        return f"{study.profile}-{changed[:6]}"

    def keys(self, arm: ArmSpec, seeds: int) -> list[str]:
        """Keys of the first runs of an arm.

        Each is the run's own, or that of an earlier release if there is a record that can be used.

        Raises:
            LaterRelease: A record is of a schema that this release does not know.
            Unreadable: The system cannot read it.
        """
        own, *earlier = self._digests(arm)
        return [self._in_use(seed, own, earlier) for seed in self.study.seeds(seeds)]

    def source(self, arm: ArmSpec) -> Source | None:
        """What the source runs of an arm's runs have in common; the key is empty."""
        source = self._source_of(arm)
        if source is None:
            return None
        digest, configuration = next(self._digests(source)), source.configuration
        return Source(
            key="",
            arm=source.name,
            digest=digest,
            configuration=configuration,
            plugins=carriers.carried(self.study.plugins_of(source)),
        )

    def _digests(self, arm: ArmSpec) -> Iterator[str]:
        """What the names of an arm's runs begin with: first today, then in earlier releases."""
        source = self._source_of(arm)
        return records.run_digests(
            arm.configuration,
            data=self.data[arm.name],
            computation=self.computation,
            source=next(self._digests(source)) if source else None,
            plugins=digests(self.study.plugins_of(arm)),
        )

    def _source_of(self, arm: ArmSpec) -> ArmSpec | None:
        name = arm.configuration.source_arm
        return next(one for one in self.study.arms if one.name == name) if name else None

    def _in_use(self, seed: int, own: str, earlier: Sequence[str]) -> str:
        key, *aliases = (records.key_of(one, seed) for one in (own, *earlier))
        if records.folder_of(key, self.results).exists():
            return key
        used = (one for one in aliases if records.state_of(one, self.results) in ENDED)
        return next(used, key)
