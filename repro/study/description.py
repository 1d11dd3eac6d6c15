"""What a paper says beside its numbers: runs, sizes of groups, what ± is.

A YAML file beside a table, or options of `repro audit`; files of published values that studies are
compared with have the same keys, and more.
"""

from typing import Annotated, Any, Literal

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
        note: What else a reader must know of the numbers.
        part_of: The file beside it that has the same numbers under other names of arms.
        unit: Of the shares.
        measure: Whether a share is of right answers (recall, accuracy) or of wrong ones.
        replicates: Runs of an arm.
        keep: How many of them, the best, are averaged; None for all.
        average: Over the runs.
        spread: What ± is.
        reading_error: Largest error of shares that were read off a figure, in percentage points.
        images: Portraits behind an overall value, where not all groups are printed.
        groups: Portraits of each group.
        columns: Roles of columns, by their names.
    """

    source: str = ""
    printed: str = ""
    transcribed: str = ""
    note: str = ""
    part_of: str = ""
    unit: Unit | None = None
    measure: Measure = "recall"
    replicates: PositiveInt | None = None
    keep: PositiveInt | None = None
    average: Average = "mean"
    spread: Spread | None = None
    reading_error: Annotated[float, Field(ge=0, lt=100)] = 0.0
    images: PositiveInt | None = None
    groups: dict[str, PositiveInt] = Field(default_factory=dict)
    columns: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _no_more_kept_than_run(self) -> "Description":
        if self.keep and self.replicates and self.keep > self.replicates:
            raise ValueError(f"keep is {self.keep}, but there were {self.replicates} replicates")
        return self

    @property
    def averaged(self) -> int | None:
        """Runs behind a printed mean; None if not said."""
        return self.keep or self.replicates

    @property
    def said(self) -> dict[str, Any]:
        """What was given, by key; not the defaults."""
        given = self.model_fields_set
        return {key: getattr(self, key) for key in type(self).model_fields if key in given}
