"""What a predictions file says before its columns, in lines ``# key: value``.

A value is JSON, or plain text: ``# scores: logit``, ``# rates: [0.01, 0.05]``. All keys are
optional. `repro table --format predictions` writes those that its tables need.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from repro.analysis import study_data
from repro.analysis.audit.reading import description
from repro.errors import DataError, StudyError
from repro.records.study_index import StudyIndex, wrong_looks
from repro.study import study_files, yaml_source
from repro.study.claims import Claim, Declared
from repro.study.gap_share import GapShare
from repro.study.looks import Looks
from repro.study.merge import did_you_mean
from repro.study.published import Margin, Published
from repro.study.section import NonNegative, PositiveInt, Section, Seed, Share
from repro.system.printing import one_line

ScoreKind = Literal["logit", "probability", "other"]
SCORE_KINDS: tuple[ScoreKind, ...] = ("logit", "probability", "other")
MARK = "#"


class ArmHeader(Section):
    """What the rows of an arm do not say.

    Attributes:
        name: As in the column of arms.
        alpha: Smoothing; ``none`` without resampling, null if unknown.
        runs: Planned, also those without rows; null: those with rows.
        failed: Why runs failed, by their name in the column of runs.
        ranked: Metric and split that rank its runs; null: those of the file.
        selector: That metric, by run; null: the recall of all portraits.
    """

    name: str
    alpha: NonNegative | Literal["none"] | None = None
    runs: PositiveInt | None = None
    failed: dict[str, str] = Field(default_factory=dict)
    ranked: tuple[str, str] | None = None
    selector: dict[str, float] | None = None

    @property
    def smoothing(self) -> float | None:
        """Alpha as `outcomes.Arm` has it."""
        return math.inf if self.alpha == "none" else self.alpha


class Header(Section):
    """The keys of a predictions file.

    Attributes:
        name: Of the study, in titles.
        caption: Question and data, in titles.
        label: Of the table in LaTeX.
        scores: What the column of scores holds; null if its name says so.
        threshold: A picture with this score or more is called a face; null: logit 0 or
            probability 0.5.
        reference: Arm that the others are compared with; null: the first.
        keep: Runs in the paper's columns; null: all.
        by: The metric that selects them.
        split: The data of that metric.
        paired: Whether runs of the same name in different arms are pairs.
        rates: False-positive rates at which detectors are compared.
        metrics: Of the family of comparisons.
        test: Whose p-values are adjusted; null: ``t`` if paired, else ``permutation``.
        synthetic: Whether the data are synthetic.
        changed: Overrides of the study.
        groups: In the order of tables; null: of the file.
        arms: In the order of tables; arms that are not listed follow as in the file.
        block: First seed and number of seeds from which the paper's columns select.
        published: Published values, with their margin.
        refused: Why the results cannot be compared with them.
        claims: What the study asks.
        gap_share: Which arms close how much of which gap.
        looks: When claims were planned to be looked at, and were.
        cluster: What the column of clusters names, such as ``subject_id``; null: as its header.
    """

    name: str | None = None
    caption: str | None = None
    label: str | None = None
    scores: ScoreKind | None = None
    threshold: float | None = None
    reference: str | None = None
    keep: PositiveInt | None = None
    by: Literal["recall", "accuracy"] = "recall"
    split: Literal["test", "validation"] = "test"
    paired: bool = False
    rates: Annotated[tuple[Share, ...], Field(max_length=10)] = (0.01, 0.05, 0.1)
    metrics: tuple[Literal["recall", "variance"], ...] = ("recall", "variance")
    test: Literal["t", "sign_flip", "permutation"] | None = None
    synthetic: bool = False
    changed: tuple[str, ...] = ()
    groups: tuple[str, ...] | None = None
    arms: tuple[ArmHeader, ...] = ()
    block: tuple[Seed, PositiveInt] | None = None
    published: dict[str, Any] | None = None
    refused: tuple[str, ...] = ()
    claims: tuple[dict[str, Any], ...] = ()
    gap_share: GapShare | None = None
    looks: Looks | None = None
    cluster: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [one.name for one in self.arms]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"arms: two are called '{name}'")
        for wrong in wrong_looks(self.looks):
            raise ValueError(wrong)
        self.printed()
        self.asked()
        return self

    def asked(self) -> tuple[Declared, ...]:
        """The claims."""
        found = []
        for plain in self.claims:
            rest = dict(plain)
            arms = rest.pop("arms", None)
            if not isinstance(arms, list) or len(arms) < 2:
                raise ValueError("claims: each has two arms or more")
            found.append(Declared(Claim.model_validate(rest), tuple(map(str, arms))))
        return tuple(found)

    @property
    def named(self) -> set[str]:
        """The arms that its claims and its gap are about."""
        found = {arm for one in self.asked() for arm in one.arms}
        if self.gap_share is not None:
            gap = self.gap_share
            found |= {*gap.ceilings, *(gap.arms or ())}
            found |= {gap.reference} if gap.reference else set()
        return found

    def arm(self, name: str) -> ArmHeader:
        """What it says of an arm."""
        return next((one for one in self.arms if one.name == name), ArmHeader(name=name))

    def printed(self) -> tuple[Published | None, Margin | None]:
        """The published values and their margin."""
        if self.published is None:
            return None, None
        values = dict(self.published)
        margin = values.pop("margin", None)
        return (
            Published.model_validate(values),
            Margin.model_validate(margin) if margin else None,
        )


def of_index(index: StudyIndex, refused: Sequence[str], **known: Any) -> Header:
    """The header of a study's predictions.

    Args:
        index: Of the study.
        refused: Why its results cannot be compared with published values.
        known: Further fields, of its records.
    """
    return Header(
        name=index.address,
        scores="logit",
        **study_data.declared(index),
        block=None if index.replicates is None else (index.first_seed, index.replicates),
        published=index.published if index.published and "protocol" in index.published else None,
        refused=tuple(refused),
        claims=tuple(index.claims),
        cluster=(index.portraits.cluster or None) if index.portraits else None,
        **known,
    )


def written(header: Header) -> str:
    """Its lines; keys with their default value are left out."""
    plain = header.model_dump(mode="json", exclude_defaults=True)
    return "".join(
        f"{MARK} {key}: {json.dumps(value, ensure_ascii=False, allow_nan=False)}\n"
        for key, value in plain.items()
    )


def read(path: Path, lines: Sequence[str]) -> Header:
    """The header of a file.

    Args:
        path: Of the file, for messages.
        lines: Those before the columns, each with its ``#``.

    Raises:
        DataError: A line has no key, or an unknown one, or a value that does not belong there.
    """
    found: dict[str, Any] = {}
    for number, line in enumerate(lines, start=1):
        key, colon, value = line.removeprefix(MARK).partition(":")
        key = key.strip()
        if not colon or not key.isidentifier():
            continue  # a remark
        if key not in Header.model_fields:
            hint = did_you_mean(key, Header.model_fields)
            raise DataError(f"{path}:{number}: unknown key '{one_line(key)}'{hint}")
        if key in found:
            raise DataError(f"{path}:{number}: the key {key} is twice in the header")
        found[key] = _value(value.strip())
    return checked(f"{path}", found)


def beside(path: Path) -> dict[str, Any]:
    """The same keys, and ``columns``, in a YAML file beside a file: scores.yaml for scores.csv.

    Raises:
        StudyError: It is no YAML.
        DataError: It is no mapping, or `columns` is none of texts.
    """
    found = description.beside(path)
    if found is None or study_files.has_key(found, "question"):  # the study that it is of
        return {}
    file = yaml_source.read(found)
    if file.problems:
        raise StudyError(list(file.problems))
    if not isinstance(file.value, dict):
        raise DataError(f"{found}: a mapping of keys is expected")
    columns = file.value.get("columns", {})
    if not isinstance(columns, dict) or not all(isinstance(v, str) for v in columns.values()):
        raise DataError(f"{found}: columns: a role for each name is expected")
    return {str(key): value for key, value in file.value.items()}


def checked(where: str, values: Mapping[str, Any]) -> Header:
    """The header with these values.

    Raises:
        DataError: A value does not belong there.
    """
    try:
        return Header.model_validate_json(json.dumps(values))
    except ValidationError as error:
        told = "; ".join(map(_told, error.errors()[:5]))
        raise DataError(f"{where}: the header is wrong: {one_line(told)}") from None


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _told(error: Mapping[str, Any]) -> str:
    """A problem of a value, with the place of the value."""
    said = str(error["msg"]).removeprefix("Value error, ")
    return f"{'.'.join(map(str, error['loc']))}: {said}" if error["loc"] else said
