"""What a paper says beside its numbers: runs, sizes of groups, what ± is.

A YAML file beside the table, or options. Files in `studies/published/` have the same keys.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from repro.study.section import PositiveInt, Section

Unit = Literal["percent", "fraction"]
Spread = Literal["sd", "sem", "ci95_t", "ci95_normal"]
Average = Literal["mean", "median"]
Measure = Literal["recall", "error"]


class Description(Section):
    """What stands beside the numbers of one table; None where nothing is said.

    Attributes:
        source: Who published it.
        printed: Where: "Table 4".
        transcribed: From what, if not from the page itself.
        unit: Of the shares.
        measure: Whether a share is of right answers (recall, accuracy) or of wrong ones.
        replicates: Runs of an arm.
        keep: How many of them, the best, are averaged; None for all.
        average: Over the runs.
        spread: What ± is.
        groups: Portraits of each group.
        columns: Roles of columns, by their names.
    """

    source: str = ""
    printed: str = ""
    transcribed: str = ""
    unit: Unit | None = None
    measure: Measure = "recall"
    replicates: PositiveInt | None = None
    keep: PositiveInt | None = None
    average: Average = "mean"
    spread: Spread | None = None
    groups: Annotated[dict[str, PositiveInt], Field(default_factory=dict)]
    columns: Annotated[dict[str, str], Field(default_factory=dict)]

    @model_validator(mode="after")
    def _consistent(self) -> "Description":
        if self.keep and self.replicates and self.keep > self.replicates:
            raise ValueError(f"keep is {self.keep}, but there were {self.replicates} replicates")
        return self

    @property
    def averaged(self) -> int | None:
        """Runs behind a printed mean; None if not said."""
        return self.keep or self.replicates
