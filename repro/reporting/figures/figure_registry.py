"""The registry of a study's figures, in the order in which a report shows them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from repro.reporting.figures import (
    accuracy,
    claims,
    curves,
    face_grids,
    latents,
    recall,
    skin_tone,
    specification_curve,
)
from repro.reporting.figures.illustration import Illustration, without_users_settings
from repro.reporting.figures.study_view import StudyView
from repro.system.count_progress import each

FIGURES: Mapping[str, Callable[[StudyView], Illustration | None]] = {
    "claims": claims.effects,
    "recall": recall.by_group,
    "tone": skin_tone.curves,
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

PICTURED = (  # show faces, or what networks make of them: they need `Specimens` or `Rarity`
    *("bins", "extremes", "batches", "rarity"),
    *("collapse", "reconstructions", "interpolations", "traversals"),
)
WITHOUT_NOTE = ("claims", "specification")  # show everything, or say it themselves


def draw(view: StudyView, wanted: Iterable[str] | None = None) -> list[Illustration]:
    """The figures for which the study has data, among some, or among all."""
    named = [*FIGURES] if wanted is None else [*wanted]
    with without_users_settings(), each("drawing figures", named, unit="figures") as names:
        found = [drawn(name, view) for name in names]
    return [one for one in found if one is not None]


def drawn(name: str, view: StudyView) -> Illustration | None:
    """One figure; its caption says which arms and runs it leaves out."""
    found, left_out = FIGURES[name](view), view.said_of_left_out()
    if found is None or not left_out or name in WITHOUT_NOTE:
        return found
    return replace(found, caption=f"{found.caption} {left_out}")
