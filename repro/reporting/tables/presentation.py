"""Options for printing tables that the commands `table` and `audit` share."""

from dataclasses import dataclass, field, fields
from typing import Any

from repro.errors import ReproError
from repro.reporting.tables.paper_options import Layout
from repro.reporting.tables.table_part import Format, Style


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """A user's options for printed tables.

    Attributes:
        form: Output format.
        style: ``paper`` or ``full``; None for the default of the format.
        definition: Name of the definition of E[A] and Var[A]; None for the published source's.
        part: Name of the only table of the full style to show; None for all.
        layout: Options of the tables' layout.
    """

    form: Format
    style: Style | None = None
    definition: str | None = None
    part: str | None = None
    layout: Layout = field(default_factory=Layout)

    @property
    def shown_style(self) -> Style | None:
        """The style that is printed; None for the summary on a terminal."""
        if self.style is not None or self.form == "terminal":
            return self.style
        return "full" if self.form in ("markdown", "html") else "paper"

    @property
    def is_summary(self) -> bool:
        """Whether the output is the one summary table for a terminal."""
        return self.shown_style is None and self.part is None

    @property
    def answers(self) -> bool:
        """Whether the answer to the study's claims comes before the tables."""
        return self.part is None and self.form not in ("csv", "tsv", "json")

    def require_plain(self) -> None:
        """Refuse options of tables, for a format that has none.

        Raises:
            ReproError: Names the option.
        """
        given: dict[str, Any] = {
            "style": self.style,
            "definition": self.definition,
            "part": self.part,
        }
        given |= {f.name: getattr(self.layout, f.name) for f in fields(self.layout)}
        for name, value in given.items():
            if value not in (None, ()):
                raise ReproError(
                    f"--{name} is for tables; {self.form} has every score: leave it out"
                )

    @property
    def needs_scores(self) -> bool:
        """Whether the logits of photographs must be read."""
        return self.part is not None or self.form == "json" or self.shown_style != "paper"
