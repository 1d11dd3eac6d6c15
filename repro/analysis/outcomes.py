"""The results of a study as arrays, the input of statistics and tables.

`study_data` makes them from records; `audit` makes them from files of others.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from repro.analysis.arm_scores import ArmScores
from repro.analysis.declarations import Declaration
from repro.plugins.declared import Plugin
from repro.stats import disparity, selection
from repro.stats.disparity import DEFINITIONS, Definition
from repro.stats.intervals import Floats, Integers
from repro.study.claims import Declared
from repro.study.gap_share import GapShare
from repro.study.looks import Looks
from repro.study.published import Margin, Published

MANY_ARMS, MANY_RUNS = 200, 5_000  # of a study; above them random draws are fewer, see `Arm.many`
LOGIT_0 = "logit 0"  # the papers' threshold, as tables name it


@dataclass(frozen=True, slots=True, kw_only=True)
class Crops:
    """Mean probabilities that detectors assign to face crops, without a threshold.

    Attributes:
        groups: Names, length G; may differ from those of the portraits.
        probability: Mean over each group's crops, in [0, 1], shape (R, G).
        overall: Mean over all crops, shape (R,).
        count: Number of crops, over all groups.
    """

    groups: tuple[str, ...]
    probability: Floats
    overall: Floats
    count: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class Arm:
    """One arm's runs. R counts the runs with results, in the order of the seeds.

    Arms compare by identity, so that results can be cached.

    Attributes:
        name: Name in tables.
        alpha: Smoothing; infinite without resampling, None if unknown.
        wanted: Number of planned runs.
        seeds: Of the runs with results.
        groups: Names, shape (K,).
        sizes: Portraits of each group, shape (K,).
        recall: Of each run and group, in [0, 1], shape (R, K).
        selector: Metric that selects the best runs, shape (R,).
        false_positive_rate: Of each run, shape (R,), or None without photographs.
        nonfaces: Number of photographs without a face.
        recall_alone: Whether its study has no photographs without a face.
        scores: Logits, or None.
        failed: For each run without results, term and reason.
        failed_seeds: Of the same runs; empty if a file does not give them.
        collapsed: Seeds of finished runs that do not separate faces from other pictures.
        posterior_collapsed: Number of runs with fewer than a tenth of the latents active.
        configurations: The configuration of each run, as plain values.
        training_images: Of each run; None if not in its record.
        configured: The configuration, also if all runs failed; empty before a run has ended.
        ranked: Metric and split that rank its runs; None: those of the study.
        crops: Results of its runs on face crops; None if a run has none.
        hardware: The kind of machine of each run; empty if not in its record.
        keys: Of all its runs; equal for two arms that differ only in `ranked`.
        sources: Keys of the runs that its runs started from; empty without any.
        block: Seeds from which the paper's columns select, the first ones; None: all.
        many: Whether its study has more than `MANY_ARMS` arms or `MANY_RUNS` runs: then random
            draws are a tenth as many, so that tables of 20,000 runs end within a minute or two.
        cache: Results computed from it, see `object_cache`.
    """

    name: str
    alpha: float | None
    wanted: int
    seeds: tuple[int, ...]
    groups: tuple[str, ...]
    sizes: Integers
    recall: Floats
    selector: Floats
    false_positive_rate: Floats | None = None
    nonfaces: int = 0
    recall_alone: bool = False
    scores: ArmScores | None = None
    failed: tuple[str, ...] = ()
    failed_seeds: tuple[int, ...] = ()
    collapsed: tuple[int, ...] = ()
    posterior_collapsed: int = 0
    configurations: tuple[Mapping[str, object], ...] = field(default=(), repr=False)
    training_images: tuple[int | None, ...] = ()
    configured: Mapping[str, object] = field(default_factory=dict, repr=False)
    ranked: tuple[str, str] | None = None
    crops: Crops | None = None
    hardware: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    block: range | None = None
    many: bool = False
    cache: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    @property
    def can_differ(self) -> bool:
        """Whether there are two groups or more: a single one has no variance or gap."""
        return len(self.groups) > 1

    @property
    def runs(self) -> int:
        """R."""
        return len(self.recall)

    @property
    def missing(self) -> int:
        """Runs that have not ended."""
        return self.wanted - self.runs - len(self.failed) - len(self.collapsed)

    def kept(self, keep: int) -> list[int]:
        """Positions of the best `keep` runs of the first block; empty if there are too few."""
        first = len(self.seeds_of_block)
        return selection.best(self.selector[:first], keep) if keep <= first else []

    @property
    def seeds_of_block(self) -> tuple[int, ...]:
        """Its seeds, of those with results, from which the paper's columns select."""
        block = self.block
        return self.seeds if block is None else tuple(s for s in self.seeds if s in block)

    def only(self, seeds: Sequence[int]) -> "Arm":
        """The arm with only these of its seeds, in this order."""
        places = {seed: place for place, seed in enumerate(self.seeds)}
        at = [places[seed] for seed in seeds]
        rates, scores, crops = self.false_positive_rate, self.scores, self.crops
        return replace(
            self,
            seeds=tuple(seeds),
            recall=self.recall[at],
            selector=self.selector[at],
            false_positive_rate=None if rates is None else rates[at],
            scores=scores
            and replace(scores, portraits=scores.portraits[at], nonfaces=scores.nonfaces[at]),
            crops=crops
            and replace(crops, probability=crops.probability[at], overall=crops.overall[at]),
        )

    def run_recall(self, definition: Definition) -> Floats:
        """Recall of each run, shape (R,)."""
        return disparity.run_recall(self.recall, self.sizes, definition)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """All arms of a study.

    Attributes:
        name: Of the study and its variant, ``STUDY@ID``, or of the audited file.
        caption: The question and the data.
        arms: In the order of the study.
        reference: Name of the arm that the others are compared with.
        keep: Number of runs in the paper's columns.
        by: ``recall`` or ``accuracy``: the metric that selects them.
        split: ``test`` or ``validation``: the data of that metric.
        paired: Whether runs of different arms with the same seed are pairs.
        rates: False-positive rates at which detectors are compared.
        metrics: Of the family of comparisons: ``recall``, ``variance``.
        test: The test whose p-values are Holm-adjusted: ``t``, ``sign_flip`` or ``permutation``.
        synthetic: Whether the data are synthetic, so that published values do not apply.
        changed: Overrides of the command line.
        published: The published values; None if there are none, or if a version that did not store
            their protocol wrote the index.
        margin: The equivalence margin.
        claims: What the study asks.
        own_metrics: Those of plug-ins that it shows or asks of, by name; None: not here.
        plugins: What the plug-ins of its runs say of themselves, by kind and name.
        digest: Of the records that it was made from; empty for an audited file.
        gap_share: Which arms close how much of which gap; None if it does not ask.
        looks: When its claims were planned to be looked at, and were; None without claims.
        declaration: What was declared before the results; None if nothing was.
        label: Of the table in LaTeX.
        refused: Why it cannot be compared with published values, where that is known of its study
            and its arms do not say it.
        cluster: The column that says which portraits are not independent; empty: all are.
        tone: The column with the scale of skin tone; empty: there is none.
        threshold: From which on a picture is called a face, as tables name it.
        detectors: Reference rows, trained elsewhere: each an arm of one run at its own threshold.
            They are in no comparison, claim or selection.
        withdrawn: Portraits of the test sets whose pictures were gone.
        cache: Results computed from it, see `object_cache`.
    """

    name: str
    caption: str
    arms: tuple[Arm, ...]
    reference: str
    keep: int
    by: str
    split: str
    paired: bool
    rates: tuple[float, ...]
    metrics: tuple[str, ...]
    test: str
    synthetic: bool
    changed: tuple[str, ...] = ()
    published: Published | None = None
    margin: Margin | None = None
    claims: tuple[Declared, ...] = ()
    own_metrics: Mapping[str, Plugin | None] = field(default_factory=dict)
    plugins: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    gap_share: GapShare | None = None
    digest: str = ""
    looks: Looks | None = None
    declaration: Declaration | None = None
    label: str = ""
    refused: tuple[str, ...] = ()
    cluster: str = ""
    tone: str = ""
    threshold: str = LOGIT_0
    detectors: tuple[Arm, ...] = ()
    withdrawn: tuple[str, ...] = ()
    cache: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def arm(self, name: str) -> Arm | None:
        """The arm of this name that has runs."""
        return next((arm for arm in self.arms if arm.name == name and arm.runs), None)

    def own_metric(self, name: str) -> Plugin | None:
        """The metric of a plug-in; None if it is none, or not here."""
        return self.own_metrics.get(name)

    @property
    def others(self) -> list[Arm]:
        """The arms with runs that are compared with the reference."""
        return [arm for arm in self.arms if arm.name != self.reference and arm.runs]

    @property
    def definition(self) -> Definition:
        """Of mean and variance: the published source's, so that two are not mixed."""
        return DEFINITIONS[self.definition_name]

    @property
    def definition_name(self) -> str:
        """Its name."""
        return self.published.definition if self.published else "dehaan2020"

    @property
    def replicates(self) -> int:
        """The planned number of runs per arm."""
        return max(arm.wanted for arm in self.arms)

    @property
    def block(self) -> int:
        """The number of runs per arm from which the paper's columns select."""
        return max(arm.wanted if arm.block is None else len(arm.block) for arm in self.arms)

    @property
    def has_grown(self) -> bool:
        """Whether seeds were added after the first block."""
        return self.block < self.replicates
