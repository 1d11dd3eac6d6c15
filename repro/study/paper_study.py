"""The study as its paper ran it: the profile with the paper's data, and their published sizes.

The data need not be there: what the study would cost is told from the sizes alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from repro.study.arm import ArmSpec
from repro.study.published import Protocol, Published
from repro.study.schema import Header

SOURCES = {"mit_h5": 109_914}  # faces and others in files that are handed out, train_face.h5


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperStudy:
    """A study on the paper's data.

    Attributes:
        profile: Of the study file.
        source: Of the published values.
        arms: With the paper's settings.
        replicates: Runs of each arm.
        images: Number of faces and others, held-out ones included.
        portraits: Number of test portraits.
    """

    profile: str
    source: str
    arms: tuple[ArmSpec, ...]
    replicates: int
    images: int
    portraits: int

    @property
    def runs(self) -> int:
        """Number of runs."""
        return len(self.arms) * self.replicates


def found(
    profiles: Mapping[str, tuple[Header | None, Sequence[ArmSpec]]],
    published: Mapping[str, Published | None],
    chosen: str,
) -> PaperStudy | None:
    """The study under the first profile that takes its data from where the paper did.

    Args:
        profiles: Header and arms by profile, all without mistakes.
        published: The values that each profile is compared with.
        chosen: The profile that is planned, which comes first.

    Returns:
        None if no profile does, or the number of the paper's images is not known.
    """
    for name in sorted(profiles, key=lambda one: one != chosen):
        header, arms = profiles[name]
        answers = published[name]
        if header is None or answers is None or not _on_its_data(arms, answers.protocol):
            continue
        images = answers.protocol.training_images or SOURCES.get(_sources(answers.protocol)[0])
        if images is not None:
            return PaperStudy(
                profile=name,
                source=answers.source,
                arms=tuple(arms),
                replicates=header.replicates,
                images=images,
                portraits=sum(answers.protocol.groups.values()),
            )
    return None


def _on_its_data(arms: Sequence[ArmSpec], protocol: Protocol) -> bool:
    wanted = _sources(protocol)
    all_data = [arm.configuration.data for arm in arms]
    return all((data.train.source, data.test.source) == wanted for data in all_data)


def _sources(protocol: Protocol) -> tuple[str, str]:
    """Where the paper's training images and portraits are from; empty where it does not say."""
    data = protocol.configuration.get("data")
    train, test = (_source(data, role) for role in ("train", "test"))
    return train, test


def _source(data: Any, role: str) -> str:
    spec = data.get(role) if isinstance(data, dict) else None
    source = spec.get("source") if isinstance(spec, dict) else None
    return source if isinstance(source, str) else ""
