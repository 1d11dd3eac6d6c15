"""An arm of a study: a configuration, its name, and where each setting was written."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from repro.errors import Problem
from repro.study.configuration import Configuration
from repro.study.merge import Layer, locate
from repro.study.schema import Ranking
from repro.study.yaml_source import KeyPath


@dataclass(frozen=True, slots=True)
class ArmSpec:
    """A configuration and its name in tables.

    Attributes:
        select: How its replicates are ranked; None: as in the study.
        layers: Where its settings were written.
    """

    name: str
    configuration: Configuration
    select: Ranking | None = None
    layers: tuple[Layer, ...] = field(default=(), repr=False, compare=False)

    def problem(self, paths: Sequence[KeyPath], message: str) -> Problem:
        """A problem of settings, at the place of the first of them that somebody wrote.

        Args:
            paths: Of the settings in the configuration; a preset's are written nowhere.
            message: What is wrong and what to do.
        """
        written = (path for path in paths for layer in self.layers if path in layer.origins)
        found = locate(next(written, paths[0]), self.layers)
        if found is None:
            return Problem(self.name, 0, 0, message)
        document, place = found
        return document.problem(place, message)
