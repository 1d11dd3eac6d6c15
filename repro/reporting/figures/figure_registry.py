"""The registry of a study's figures, in the order in which a report shows them."""

from collections.abc import Callable, Mapping

from repro.reporting.figures import (
    accuracy,
    claims,
    curves,
    face_grids,
    latents,
    recall,
    specification_curve,
)
from repro.reporting.figures.illustration import Illustration, without_users_settings
from repro.reporting.figures.study_view import StudyView

FIGURES: Mapping[str, Callable[[StudyView], Illustration | None]] = {
    "claims": claims.effects,
    "recall": recall.by_group,
    "accuracy": accuracy.by_group,
    "tradeoff": recall.tradeoff,
    "specification": specification_curve.curve,
    "false_alarms": recall.against_false_alarms,
    "training": curves.training,
    "effective_sample_size": curves.draws,
    "probabilities": latents.probabilities,
    "bins": face_grids.bins,
    "extremes": face_grids.extremes,
    "batches": face_grids.batches,
    "rarity": latents.rarity,
    "collapse": latents.collapse,
    "reconstructions": face_grids.reconstructions,
    "interpolations": face_grids.interpolations,
    "traversals": face_grids.traversals,
}


def draw(view: StudyView) -> list[Illustration]:
    """The figures for which the study has data."""
    with without_users_settings():
        drawn = [make(view) for make in FIGURES.values()]
    return [one for one in drawn if one is not None]
