"""The results of a study as arrays, the input of statistics and tables.

This module makes them from records; `audit` makes them from files of others.
"""

import math
import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from repro.analysis import arm_scores, declarations
from repro.analysis.arm_scores import ArmScores
from repro.analysis.declarations import Declaration
from repro.errors import RecordError
from repro.metrics import collapsed, pooled_recall
from repro.plugins import loaded
from repro.plugins.declared import Plugin
from repro.records import detectors, portraits
from repro.records.detectors import DetectorRecord
from repro.records.portraits import ByTest
from repro.records.records import ArmIndex, BriefRecord, StudyIndex
from repro.stats import disparity, selection
from repro.stats.disparity import DEFINITIONS, Definition
from repro.stats.intervals import Floats, Integers
from repro.study.claims import Claim, Declared
from repro.study.configuration import density_rule
from repro.study.gap_share import GapShare
from repro.study.looks import Looks
from repro.study.published import Margin, Published, PublishedRow
from repro.study.section import digest
from repro.system.count_progress import each

MANY_ARMS, MANY_RUNS = 200, 5_000  # of a study; above them random draws are fewer, see `Arm.many`
ACCURACY = "val_accuracy"  # of a record's metrics
LOGIT_0 = "logit 0"  # the papers' threshold, as tables name it
CROPS = "crop_probability"  # of all crops; with "/GROUP" of one group


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


def of_study(
    index: StudyIndex,
    found: Mapping[str, BriefRecord],
    results: Path | None,
    *,
    shown: ByTest | None = None,
) -> Outcomes:
    """The outcomes of a study's records.

    Args:
        index: Of the study.
        found: Its records by key.
        results: Folder of their scores; None omits scores and detectors, for tables that need
            none.
        shown: What the index says of the portraits, of a plan; None: as the folder has it.

    Raises:
        RecordError: A file of scores, or the record of a detector, is missing or damaged.
    """
    changed = f"; changed: {', '.join(index.overrides)}" if index.overrides else ""
    data = f"Profile {index.profile}, {index.data}{changed}."
    if shown is None:
        shown = portraits.read(index.portraits, results) if index.portraits and results else {}
    with each(f"{index.name}: reading scores", index.arms, unit="arms") as listed:
        arms = tuple(_arm(arm, found, index, results, shown) for arm in listed)
    return Outcomes(
        name=index.address,
        caption=f"{index.address}: {index.question} {data}",
        arms=arms,
        **declared(index),
        cluster=index.portraits.cluster if index.portraits else "",
        tone=index.portraits.tone if index.portraits else "",
        **_published(index),
        claims=tuple(map(_declared, index.claims)),
        own_metrics={one: loaded.metric(index.name, one) for one in index.all_metrics},
        plugins=index.plugins,
        digest=_digest(found),
        declaration=declarations.of_index(index, found),
        detectors=_detectors(index, results, shown),
    )


def _detectors(index: StudyIndex, results: Path | None, shown: ByTest) -> tuple[Arm, ...]:
    """The detectors of a study, each an arm of one run."""
    if results is None:
        return ()
    found = detectors.read_all(index.detectors, results)
    return tuple(_detector(one, results, shown) for one in found)


def _detector(record: DetectorRecord, results: Path, shown: ByTest) -> Arm:
    groups = tuple(record.groups)
    return Arm(
        name=record.name,
        alpha=None,
        wanted=1,
        seeds=(0,),
        groups=groups,
        sizes=np.array([record.groups[name].n for name in groups], dtype=np.int64),
        recall=np.array([[record.groups[name].share for name in groups]], dtype=np.float64),
        selector=np.array([pooled_recall(record.groups)]),
        false_positive_rate=np.array([record.nonfaces.share]) if record.nonfaces else None,
        nonfaces=record.nonfaces.n if record.nonfaces else 0,
        scores=arm_scores.of_detector(record, groups, results, shown),
        keys=(record.key,),
    )


def declared(index: StudyIndex) -> dict[str, Any]:
    """How a study compares and selects its runs: fields of `Outcomes`, and of its predictions."""
    return {
        "reference": index.reference,
        "keep": index.select["keep"],
        "by": index.select["by"],
        "split": index.select["split"],
        "paired": True,
        "rates": tuple(index.false_positive_rates),
        "metrics": tuple(index.compare["metrics"]),
        "test": index.compare["test"],
        "synthetic": index.synthetic,
        "changed": tuple(index.overrides),
        "gap_share": GapShare.model_validate(index.gap_share) if index.gap_share else None,
        "looks": index.looks,
        "label": f"{index.name}-{index.variant}",
    }


def answering(outcomes: Outcomes, published: Published, margin: Margin | None) -> Outcomes:
    """The outcomes of an audited file with published values to compare with.

    A file can name its arms freely, so a published row is matched with the only arm of its name, or
    else of its alpha; a row without alpha in its name has no resampling.
    """
    alphas = [arm.alpha for arm in outcomes.arms]
    names = {
        arm.alpha: arm.name for arm in outcomes.arms if alphas.count(arm.alpha) == 1 and arm.runs
    }
    own = {arm.name for arm in outcomes.arms}
    rows = [
        row if row.arm in own else row.model_copy(update={"arm": names.get(_row_alpha(row), "")})
        for row in published.rows
    ]
    kept = [row for row in rows if row.arm]
    return replace(
        outcomes, published=published.model_copy(update={"rows": kept}), margin=margin, refused=()
    )


def _row_alpha(row: PublishedRow) -> float:
    found = re.search(r"alpha = ([0-9.]+)", row.arm)
    return float(found[1]) if found else math.inf


def _published(index: StudyIndex) -> dict[str, Any]:
    if not index.published or "protocol" not in index.published:
        return {}
    printed = dict(index.published)
    margin = printed.pop("margin")
    return {
        "published": Published.model_validate(printed),
        "margin": Margin.model_validate(margin) if margin else None,
    }


def _digest(found: Mapping[str, BriefRecord]) -> str:
    """Of what the records say and of the files beside them."""
    return digest(
        {
            key: [
                {name: [one.n, one.detected] for name, one in record.groups.items()},
                record.nonfaces and [record.nonfaces.n, record.nonfaces.detected],
                {name: repr(value) for name, value in record.metrics.items()},
                record.failure,
                record.files,
            ]
            for key, record in found.items()
        }
    )


def _declared(plain: Mapping[str, Any]) -> Declared:
    rest = dict(plain)
    arms = tuple(rest.pop("arms"))
    return Declared(Claim.model_validate(rest), arms)


def _arm(
    arm: ArmIndex,
    found: Mapping[str, BriefRecord],
    index: StudyIndex,
    results: Path | None,
    shown: ByTest,
) -> Arm:
    select = index.select
    ranked = _otherwise(arm, select)
    by = ranked[0] if ranked else select["by"]
    ended = [found[key] for key in arm.keys if key in found]
    finished = [record for record in ended if record.finished]
    good = [record for record in finished if not _is_collapsed(record)]
    _require_same_groups(good)
    groups = tuple(good[0].groups) if good else ()
    false = [r.nonfaces.share for r in good if r.nonfaces]
    return Arm(
        name=arm.name,
        alpha=_alpha(ended),
        wanted=len(arm.keys),
        seeds=tuple(record.seed for record in good),
        groups=groups,
        sizes=np.array([good[0].groups[name].n for name in groups], dtype=np.int64)
        if good
        else np.empty(0, dtype=np.int64),
        recall=np.array(
            [[record.groups[name].share for name in groups] for record in good], dtype=np.float64
        ).reshape(len(good), len(groups)),
        selector=np.array([_selector(record, by) for record in good], dtype=np.float64),
        false_positive_rate=np.array(false) if good and len(false) == len(good) else None,
        nonfaces=good[0].nonfaces.n if good and good[0].nonfaces else 0,
        recall_alone=bool(finished) and not any(record.nonfaces for record in finished),
        scores=arm_scores.of_runs(good, groups, results, shown) if good and results else None,
        failed=tuple(_reason(record) for record in ended if not record.finished),
        failed_seeds=tuple(record.seed for record in ended if not record.finished),
        collapsed=tuple(record.seed for record in finished if _is_collapsed(record)),
        posterior_collapsed=sum(map(_has_collapsed_posterior, good)),
        configurations=tuple(record.configuration for record in good),
        training_images=tuple(_training_images(record) for record in good),
        configured=ended[0].configuration if ended else {},
        ranked=ranked,
        crops=_crops(good),
        hardware=tuple(map(_hardware, good)),
        keys=tuple(arm.keys),
        sources=tuple(record.source for record in ended if record.source),
        block=_block(index),
        many=_is_large(index),
    )


def _require_same_groups(good: Sequence[BriefRecord]) -> None:
    """Runs of an arm see the same test pictures, so other groups are those of a forged record.

    Raises:
        RecordError: Two runs count other groups, or groups of other sizes.
    """
    sizes = [{name: one.n for name, one in record.groups.items()} for record in good]
    for record, found in zip(good, sizes, strict=True):
        if found != sizes[0]:
            raise RecordError(
                f"{record.key}: its groups are not those of {good[0].key}, which saw the same test "
                "pictures, so one of the two is forged or damaged: move its folder away and run "
                "again"
            )


def _is_large(index: StudyIndex) -> bool:
    return len(index.arms) > MANY_ARMS or sum(len(arm.keys) for arm in index.arms) > MANY_RUNS


def _block(index: StudyIndex) -> range | None:
    if index.replicates is None:
        return None
    return range(index.first_seed, index.first_seed + index.replicates)


def _hardware(record: BriefRecord) -> str:
    """The hardware, which affects the last bits but not the name of a run."""
    made = record.provenance
    if made.get("device", "cpu") != "cpu":
        return str(made["device"])
    compiled = f", {made['compiler']}" if made.get("compiler") else ""
    return f"{made['processor']}{compiled}" if "processor" in made else ""


def _otherwise(arm: ArmIndex, select: Mapping[str, Any]) -> tuple[str, str] | None:
    """Metric and split that rank an arm; None if they are those of the study."""
    if arm.select is None:
        return None
    own = arm.select["by"], arm.select["split"]
    return None if own == (select["by"], select["split"]) else own


def _crops(good: Sequence[BriefRecord]) -> Crops | None:
    """Crop results of the runs of an arm; None unless all have the same groups."""
    named = [[name for name in r.metrics if name.startswith(f"{CROPS}/")] for r in good]
    if not named or not named[0] or any(names != named[0] for names in named):
        return None
    return Crops(
        groups=tuple(name.removeprefix(f"{CROPS}/") for name in named[0]),
        probability=np.array([[record.metrics[name] for name in named[0]] for record in good]),
        overall=np.array([record.metrics[CROPS] for record in good]),
        count=int(good[0].metrics["crops"]),
    )


def _selector(record: BriefRecord, by: str) -> float:
    if by == "recall":
        return pooled_recall(record.groups)
    if ACCURACY not in record.metrics:
        raise RecordError(f"{record.key}: its record has no {ACCURACY}, which ranks the runs here")
    return record.metrics[ACCURACY]


def _is_collapsed(record: BriefRecord) -> bool:
    return collapsed(record.groups, record.nonfaces)


def _has_collapsed_posterior(record: BriefRecord) -> bool:
    """Fewer than a tenth of the latents vary over images (Burda et al. 2016)."""
    latents = len(record.kl_per_latent)
    return latents > 0 and record.metrics["val_active_units"] < latents / 10


def _training_images(record: BriefRecord) -> int | None:
    count = record.metrics.get("training_images")
    return None if count is None else int(count)


def _reason(record: BriefRecord) -> str:
    assert record.failure is not None
    return f"{record.failure['term']}: {record.failure['reason']}"


def _alpha(ended: Sequence[BriefRecord]) -> float | None:
    choices = ended[0].configuration.get("resampling") if ended else None
    if choices is None:
        return None
    rule = choices.get("rule", "none")
    if rule == "none":
        return math.inf
    by = density_rule(rule, choices.get("parameters", {}))
    alpha: float | None = choices.get("alpha") if by else None
    return alpha
