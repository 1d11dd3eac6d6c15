"""Which runs can be trained as one network; nothing here loads torch.

Seeds and arms are trained as one network if they differ in nothing that a step computes. How an
epoch is sampled is such a thing, and so are the checkpoint, the windows and the test pictures.
"""

from typing import Any

from repro.study.configuration import STANDARD, Configuration
from repro.study.section import digest

OF_EACH = ("resampling", "checkpoint", "windows")  # settings in which runs of a stack may differ


def shape(configuration: Configuration) -> str:
    """Equal for configurations that one network can train, if it can train them; 32 hex digits.

    The training data are not part of it: they must be the same as well.
    """
    return digest(shared_settings(configuration))


def shared_settings(configuration: Configuration) -> dict[str, Any]:
    """The settings that all runs of a stack have alike, by the keys of a study file."""
    settings = configuration.settings()
    return {name: value for name, value in settings.items() if name not in OF_EACH}


def refusal(configuration: Configuration, *, own_network: bool) -> tuple[str, str] | None:
    """Why runs of an arm cannot be trained as one network with others.

    Args:
        configuration: Of the arm.
        own_network: Whether its network is that of a plug-in.

    Returns:
        The key of the setting, and a sentence without its full stop; None if they can.
    """
    if own_network:
        name = configuration.used["model"]
        return "architecture", f"{name} is a plug-in's network, whose weights cannot be stacked"
    if configuration.objective.name != STANDARD:
        return "objective.name", (
            f"{configuration.objective.name} follows one network, and cannot be trained with "
            "others as one"
        )
    if configuration.model == "dbvae" and configuration.decoder_input == "faces":
        return "decoder_input", (
            "with faces, batches have a different shape in each run, which cannot be trained as "
            "one network; all can"
        )
    return None
