"""The keys of a study file other than the configurations of its arms."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from repro.study.claims import MAX_CLAIMS, Claim, MetricName, check_family
from repro.study.gap_share import GapShare
from repro.study.looks import Stop
from repro.study.published import Answering
from repro.study.resources import PLAIN, Resources
from repro.study.section import PositiveInt, Section, Seed

NAME = r"^[a-z][a-z0-9_]{0,59}$"  # of a study
PROFILE = r"^\w[\w .+=-]{0,59}$"  # its name; part of the names of files
MAX_ARMS = 1000
MAX_PROFILES = 10
MOST_PLUGINS = MOST_METRICS = 20


class Ranking(Section):
    """The metric that ranks replicates; an arm can override it."""

    by: Literal["recall", "accuracy"]
    split: Literal["test", "validation"]

    @model_validator(mode="after")
    def _recorded(self) -> Self:
        if (self.by, self.split) not in {("recall", "test"), ("accuracy", "validation")}:
            raise ValueError("select by recall on test, or by accuracy on validation")
        return self


class Select(Ranking):
    """The replicates that the column of the paper averages."""

    keep: PositiveInt


class Ranked(Section):
    """The keys of an arm outside its configuration."""

    select: Ranking


class Seeds(Section):
    """The seeds of the replicates: consecutive numbers."""

    first: Annotated[Seed, Field(lt=2**32)] = 0


class Compare(Section):
    """The family of comparisons with the reference arm: every other arm, every metric."""

    metrics: Annotated[list[Literal["recall", "variance"]], Field(min_length=1)]
    test: Literal["t", "sign_flip", "permutation"]  # the test whose p-values are Holm-adjusted

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len(set(self.metrics)) < len(self.metrics):
            raise ValueError("name each metric once")
        return self


Rate = Annotated[float, Field(gt=0, lt=1)]


def _rates(value: Any) -> Any:
    if not isinstance(value, (list, tuple)):
        raise ValueError("give a list of shares, such as [0.01, 0.05, 0.1]")
    return tuple(value)


PluginPath = Annotated[str, Field(min_length=1, max_length=4096)]
Column = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\n\t]*$")]
NO_COLUMN = "none"  # of `cluster` and `tone`
Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\n]*$")]


class Header(Section):
    """The keys of a study file."""

    name: Annotated[str, Field(pattern=NAME)]
    question: Annotated[str, Field(min_length=1)]
    base: dict[str, Any]
    arms: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MAX_ARMS)]
    reference: str
    replicates: Annotated[int, Field(ge=1, le=10_000)]
    seeds: Seeds = Seeds()
    select: Select
    compare: Compare = Compare(metrics=["recall", "variance"], test="t")
    false_positive_rates: Annotated[
        tuple[Rate, ...], Field(max_length=10), BeforeValidator(_rates)
    ] = (
        0.01,
        0.05,
        0.1,
    )
    claims: Annotated[list[Claim], Field(max_length=MAX_CLAIMS), AfterValidator(check_family)] = (
        Field(default_factory=list)
    )
    metrics: Annotated[list[MetricName], Field(max_length=MOST_METRICS)] = Field(
        default_factory=list
    )  # of plug-ins, shown beside the others
    cluster: Column | None = None  # of the test portraits: who is shown; None: the source's own
    tone: Column | None = None  # likewise: a scale of skin tone, in numbers
    gap_share: GapShare | None = None
    stop: Stop | None = None
    plugins: Annotated[list[PluginPath], Field(max_length=MOST_PLUGINS)] = Field(
        default_factory=list
    )  # files and folders, relative to the study file
    published: Answering = None
    resources: Resources = PLAIN
    expected: Line | None = None  # time and memory, in words, for `repro studies`
    profiles: Annotated[
        dict[Annotated[str, Field(pattern=PROFILE)], dict[str, Any]],
        Field(min_length=1, max_length=MAX_PROFILES),
    ]
