"""Every figure of a study, in the order in which a report shows them."""

from collections.abc import Callable, Mapping

from repro.figures import accuracy, curves, latents, pictures, recall, specification
from repro.figures.illustration import Illustration
from repro.figures.material import Material

FIGURES: Mapping[str, Callable[[Material], Illustration | None]] = {
    "recall": recall.by_group,
    "accuracy": accuracy.by_group,
    "tradeoff": recall.tradeoff,
    "specification": specification.curve,
    "false_alarms": recall.against_false_alarms,
    "training": curves.training,
    "effective_sample_size": curves.draws,
    "probabilities": latents.probabilities,
    "bins": pictures.bins,
    "extremes": pictures.extremes,
    "batches": pictures.batches,
    "rarity": latents.rarity,
    "collapse": latents.collapse,
    "reconstructions": pictures.reconstructions,
    "interpolations": pictures.interpolations,
    "traversals": pictures.traversals,
}


def draw(material: Material) -> list[Illustration]:
    """The figures that the study has something for."""
    drawn = (make(material) for make in FIGURES.values())
    return [one for one in drawn if one is not None]
