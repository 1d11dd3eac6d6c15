"""The data of all figures of one study, and the sentences that captions share."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from repro.analysis import portrait_clusters
from repro.analysis.outcomes import Arm, Outcomes
from repro.analysis.samples import Floats, Rarity, Specimens
from repro.analysis.wording import count
from repro.records.records import ArmIndex, BriefRecord, Record, StudyIndex
from repro.study import methods

if TYPE_CHECKING:
    from repro.reporting.figures.style import Look

MANY = 8  # above this many groups their sizes are not listed one by one
MOST_ARMS = 50  # that a figure shows: more cannot be told apart
MOST_RUNS = 200  # of an arm that are drawn one by one
MOST_WEIGHTS = 500  # runs, over all arms, whose sampling probabilities are held in memory


def drawn_arms(index: StudyIndex) -> list[ArmIndex]:
    """The arms that figures show: all, or `MOST_ARMS` evenly spaced ones with the reference."""
    arms, count = index.arms, len(index.arms)
    if count <= MOST_ARMS:
        return list(arms)
    others = [place for place, arm in enumerate(arms) if arm.name != index.reference]
    chosen = np.linspace(0, len(others) - 1, MOST_ARMS - 1).round().astype(int)
    kept = {others[place] for place in chosen}
    return [a for place, a in enumerate(arms) if place in kept or a.name == index.reference]


def drawn_weights(index: StudyIndex) -> int:
    """Number of runs of each drawn arm whose sampling probabilities are shown."""
    return max(1, MOST_WEIGHTS // max(1, len(drawn_arms(index))))


def _whole(record: BriefRecord) -> Record:
    assert isinstance(record, Record)
    return record


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StudyView:
    """One study.

    Attributes:
        index: Index of the study.
        found: Its records by key, including failed runs.
        records: Its finished runs by arm, in the order of the seeds.
        outcomes: Their results, with scores.
        weights: For each arm that resamples, the weights of each run that has them, shape (F,).
        specimens: Pictures of one run of each arm; empty if none may be shown.
        rarity: Rarity of the embedded faces' factors; empty for other data.
        whole: Gives the whole record of a run, with its curves.
        cache: Results computed from it, see `object_cache`.
    """

    index: StudyIndex
    found: Mapping[str, BriefRecord]
    records: Mapping[str, Sequence[BriefRecord]]
    outcomes: Outcomes
    weights: Mapping[str, Sequence[Floats]] = field(default_factory=dict)
    specimens: Sequence[Specimens] = ()
    rarity: Sequence[Rarity] = ()
    whole: Callable[[BriefRecord], Record] = _whole
    cache: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    @property
    def arms(self) -> list[Arm]:
        """The arms that have runs, as far as figures show them."""
        names = {arm.name for arm in drawn_arms(self.index)}
        return [arm for arm in self.outcomes.arms if arm.runs and arm.name in names]

    @property
    def runs(self) -> dict[str, Sequence[BriefRecord]]:
        """The finished runs of each arm that figures show."""
        return {arm.name: self.records[arm.name] for arm in drawn_arms(self.index)}

    def said_of_left_out(self) -> str:
        """What the figures do not show, and where it is; empty if they show everything."""
        told, arms = [], len(self.index.arms)
        if arms > MOST_ARMS:
            told.append(
                f"Shown: {MOST_ARMS} of the {arms:,} arms, the reference and others evenly spaced "
                "in the order of the study; every arm is in the tables."
            )
        if self.index.seeds > MOST_RUNS:
            told.append(
                f"Single runs are drawn of the first {MOST_RUNS} seeds; means and intervals are "
                "over all runs."
            )
        if any(self.weights.values()) and self.index.seeds > drawn_weights(self.index):
            seeds = count(drawn_weights(self.index), "seed")
            told.append(f"Sampling probabilities are those of the first {seeds} of each arm.")
        return " ".join(told)

    @property
    def looks(self) -> "dict[str, Look]":
        """Colour, marker and line of each arm, the same in every figure."""
        from repro.reporting.figures.style import arm_looks  # matplotlib, only to draw

        return arm_looks([arm.name for arm in self.index.arms], self.index.reference)

    def said_of_data(self) -> str:
        """The data, the profile, and the changes to the study."""
        index = self.index
        changed = f"; changed: {', '.join(index.overrides)}" if index.overrides else ""
        return f"Data: {index.data}, profile {index.profile}{changed}."

    def said_of_runs(self) -> str:
        """The number of runs with results, and that no runs were selected."""
        seeds = [seed for arm in self.outcomes.arms for seed in arm.seeds]
        counts = {arm.name: (arm.runs, arm.wanted) for arm in self.outcomes.arms}
        return f"{_counted(counts, 'with results')}{_seeds(seeds)}, no selection."

    def said_of_training(self) -> str:
        """Like `said_of_runs`, for all runs that trained to the end, including collapsed ones."""
        seeds = [run.seed for of_arm in self.records.values() for run in of_arm]
        counts = {arm.name: (len(self.records[arm.name]), arm.wanted) for arm in self.outcomes.arms}
        return f"{_counted(counts, 'trained to the end')}{_seeds(seeds)}, no selection."

    def said_of_weights(self) -> str:
        """The arms whose probabilities weight losses instead of drawing, with a space; or empty."""
        arms = [arm for arm, runs in self.records.items() if runs and _weighs_losses(runs[0])]
        if not arms:
            return ""
        return (
            f"{listed(arms)}: every face is sampled equally often, and its loss is multiplied by N "
            "times the probability. "
        )

    def said_of_test(self) -> str:
        """The numbers of photographs in the test set."""
        arm = self.arms[0]
        sizes = set(map(int, arm.sizes))
        if len(sizes) == 1:
            each = f"{sizes.pop()} each"
        elif len(arm.sizes) <= MANY:
            each = ", ".join(map(str, arm.sizes))
        else:
            each = f"{min(sizes)} to {max(sizes)} each"
        others = f", {arm.nonfaces} photographs without a face" if arm.nonfaces else ""
        portraits = int(arm.sizes.sum())
        together = portrait_clusters.in_caption(self.outcomes)
        if not arm.can_differ:
            return f"{portraits} portraits in one group{others}.{together}"
        return f"{portraits} portraits in {len(arm.groups)} groups ({each}){others}.{together}"


def _weighs_losses(record: BriefRecord) -> bool:
    name = record.configuration.get("resampling", {}).get("rule", "none")
    rule = methods.BUILT_IN.find("rule", name)
    return rule is not None and rule.scope == "loss"


def _counted(counts: Mapping[str, tuple[int, int]], what: str) -> str:
    """Counts per arm, as one number if all arms have the same."""
    if len(set(counts.values())) == 1:
        ran, wanted = next(iter(counts.values()))
        return f"{ran} of {wanted} runs per arm {what}"
    if len(counts) > MOST_ARMS:
        least, most = min(counts.values()), max(counts.values())
        return f"{least[0]} to {most[0]} of {most[1]} runs per arm {what}"
    each = ", ".join(f"{arm} {ran} of {wanted}" for arm, (ran, wanted) in counts.items())
    return f"Runs {what}: {each}"


def _seeds(found: Sequence[int]) -> str:
    seeds = sorted(set(found))
    if not seeds:
        return ""
    if len(seeds) == 1:
        return f" (seed {seeds[0]})"
    if seeds == list(range(seeds[0], seeds[-1] + 1)):
        return f" (seeds {seeds[0]} to {seeds[-1]})"
    return f" (seeds {', '.join(map(str, seeds))})"


def span(values: Sequence[float] | Floats, decimals: int = 1) -> str:
    """The smallest and the largest value, in words."""
    low, high = float(np.min(values)), float(np.max(values))
    if f"{low:.{decimals}f}" == f"{high:.{decimals}f}":
        return f"{low:.{decimals}f}"
    return f"{low:.{decimals}f} to {high:.{decimals}f}"


def listed(names: Sequence[str]) -> str:
    """The names as a list in words: one, two and three."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1] if names else ""]))
