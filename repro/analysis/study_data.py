"""From the records of a study to its `Outcomes`, the input of statistics and tables."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from repro.analysis import arm_scores, declarations
from repro.analysis.outcomes import MANY_ARMS, MANY_RUNS, Arm, Crops, Outcomes
from repro.errors import RecordError
from repro.metrics import collapsed, pooled_recall
from repro.plugins import loaded
from repro.records import detectors, portraits
from repro.records.detectors import DetectorRecord
from repro.records.portraits import ByTest
from repro.records.records import ArmIndex, BriefRecord, StudyIndex
from repro.study.claims import Claim, Declared
from repro.study.configuration import density_rule
from repro.study.gap_share import GapShare
from repro.study.published import Margin, Published, PublishedRow
from repro.study.section import digest
from repro.system.count_progress import each

ACCURACY = "val_accuracy"  # of a record's metrics
CROPS = "crop_probability"  # of all crops; with "/GROUP" of one group


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
        withdrawn=tuple(index.withdrawn),
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
    ranked = _otherwise(arm, index.select)
    by = ranked[0] if ranked else index.select["by"]
    ended = [found[key] for key in arm.keys if key in found]
    finished = [record for record in ended if record.finished]
    good = [record for record in finished if not _is_collapsed(record)]
    _require_same_groups(good)
    groups = tuple(good[0].groups) if good else ()
    return Arm(
        name=arm.name,
        alpha=_alpha(ended),
        wanted=len(arm.keys),
        seeds=tuple(record.seed for record in good),
        **_counted(good, groups),
        selector=np.array([_selector(record, by) for record in good], dtype=np.float64),
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


def _counted(good: Sequence[BriefRecord], groups: tuple[str, ...]) -> dict[str, Any]:
    """What runs detected: fields of `Arm`."""
    sizes = [good[0].groups[name].n for name in groups] if good else []
    recall = [[record.groups[name].share for name in groups] for record in good]
    false = [record.nonfaces.share for record in good if record.nonfaces]
    return {
        "groups": groups,
        "sizes": np.array(sizes, dtype=np.int64),
        "recall": np.array(recall, dtype=np.float64).reshape(len(good), len(groups)),
        "false_positive_rate": np.array(false) if good and len(false) == len(good) else None,
        "nonfaces": good[0].nonfaces.n if good and good[0].nonfaces else 0,
    }


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
