"""What a study asks, so that a program can answer: claims and the smallest effect that matters."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BeforeValidator, Field, model_validator

from repro.study.section import Section, Share

Quantity = Literal[
    "recall",
    "group_recall",
    "variance",
    "gap",
    "worst_group",
    "tone_slope",
    "auc_variance",
    "false_positive_rate",
    "failed_share",
    "collapsed_share",
    "posterior_collapsed_share",
]
QUANTITIES: tuple[Quantity, ...] = get_args(Quantity)
OF_SHARES = ("failed_share", "collapsed_share", "posterior_collapsed_share")
MetricName = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")
]  # one of these, or a plug-in's
Expected = Literal["lower", "higher", "kept", "largest"]
AT_A_THRESHOLD = ("recall", "group_recall", "variance", "gap", "worst_group", "tone_slope")
MAX_CLAIMS = 50
Text = Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\n]*$")]


class ReadAt(Section):
    """The threshold at which detectors are read: exactly one of the three."""

    logit: float | None = None  # 0, as in the papers
    false_positive_rate: Share | None = None
    matched_to: Literal["reference"] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [name for name in ReadAt.model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                "give one threshold: {logit: 0}, {false_positive_rate: 0.1} or "
                "{matched_to: reference}"
            )
        if self.logit not in (None, 0):
            raise ValueError("0 is the only logit at which runs are read; or give a rate")
        return self


class Contrast(Section):
    """What is compared: an arm with another, or the last arm of a sweep with its first.

    A trend is the change that a straight line through the arms shows from its first arm to its
    last one; the arms are equally far apart, in the order of the key's values, beginning with the
    end at which the reference is.
    """

    arm: str | None = None
    less: str | None = None
    trend: str | None = None  # key of a configuration, such as alpha or resampling.alpha

    @model_validator(mode="after")
    def _either(self) -> Self:
        pair = self.arm is not None and self.less is not None
        if pair == (self.trend is not None) or (self.arm is None) != (self.less is None):
            raise ValueError("write {arm: ONE, less: ANOTHER}, or {trend: KEY}")
        if pair and self.arm == self.less:
            raise ValueError("an arm cannot be compared with itself")
        return self


class SmallestEffect(Section):
    """The least effect that would matter."""

    absolute: Annotated[float, Field(gt=0)] | None = None  # percentage points; of a variance %^2
    ratio: Annotated[float, Field(gt=0)] | None = None  # of the arm's value to the other's

    @model_validator(mode="after")
    def _either(self) -> Self:
        if (self.absolute is None) == (self.ratio is None):
            raise ValueError("write {absolute: 2.0} or {ratio: 0.75}")
        return self


def _threshold(value: Any) -> Any:
    if value is not None and not isinstance(value, (dict, ReadAt)):
        raise ValueError("give a threshold, such as {logit: 0} or {false_positive_rate: 0.1}")
    return value


class Claim(Section):
    """One question of a study.

    Attributes:
        name: What is claimed, in words.
        source: Who said so, with page or table; None for a claim of one's own.
        quantity: What is measured: one of `QUANTITIES`, or a metric of a plug-in.
        group: The group of ``group_recall``.
        read_at: Threshold; None for quantities without one.
        contrast: The arms.
        expect: ``kept`` is no change beyond the smallest effect in either direction, ``largest``
            that this group gains more than each other group.
        smallest_effect: The least that would matter.
        primary: Whether it is the one that the study is made for; the others are adjusted together.
    """

    name: Text
    source: Text | None = None
    quantity: MetricName
    group: str | None = None
    read_at: Annotated[ReadAt | None, BeforeValidator(_threshold)] = None
    contrast: Contrast
    expect: Expected
    smallest_effect: SmallestEffect
    primary: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        self._check_threshold()
        if self.group is None and self.quantity == "group_recall":
            raise ValueError("group_recall needs a group, such as group: darker_male")
        if self.group is not None and self.quantity != "group_recall":
            raise ValueError(f"{self.quantity} is of all groups: remove group")
        if self.expect == "largest" and self.quantity != "group_recall":
            raise ValueError("expect: largest needs quantity: group_recall and a group")
        self._check_ratio()
        return self

    @property
    def is_metric(self) -> bool:
        """Whether the quantity is a metric of a plug-in."""
        return self.quantity not in QUANTITIES

    @property
    def is_share(self) -> bool:
        """Whether it is about a share of an arm's runs."""
        return self.quantity in OF_SHARES

    def _check_threshold(self) -> None:
        if self.is_metric:
            if self.read_at == _MATCHED:
                raise ValueError("a metric of a plug-in is read at {logit: 0} or at a rate")
            return
        if self.quantity == "tone_slope" and self.read_at == _MATCHED:
            raise ValueError("tone_slope is read at {logit: 0} or at a rate")
        needs = self.quantity in AT_A_THRESHOLD
        if needs and self.read_at is None:
            raise ValueError(f"{self.quantity} needs read_at, such as read_at: {{logit: 0}}")
        if not needs and self.read_at not in (None, ReadAt(logit=0)):
            raise ValueError(f"{self.quantity} has no threshold to choose: remove read_at")
        if self.contrast.trend is None:
            return
        if needs and self.read_at == _MATCHED:
            raise ValueError("matched_to compares two arms: give contrast arm and less")
        if self.is_share:
            raise ValueError(f"{self.quantity} compares two arms: give contrast arm and less")

    def _check_ratio(self) -> None:
        ratio = self.smallest_effect.ratio
        if ratio is None:
            return
        if self.expect in ("kept", "largest") or self.is_share:
            raise ValueError("here the smallest effect is absolute: {absolute: 2.0}")
        if self.quantity == "tone_slope":
            raise ValueError("a change has no ratio: give the smallest effect as {absolute: 5.0}")
        if (ratio < 1) != (self.expect == "lower") or ratio == 1:
            raise ValueError("a ratio lies below 1 for lower, and above 1 for higher")


_MATCHED = ReadAt(matched_to="reference")


def check_family(claims: list[Claim]) -> list[Claim]:
    """The claims of a study.

    Raises:
        ValueError: Not exactly one is primary, or two have the same name.
    """
    names = [claim.name for claim in claims]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise ValueError(f"two claims are called '{twice[0]}': rename one")
    primary = sum(claim.primary for claim in claims)
    if claims and primary != 1:
        raise ValueError(f"{primary} claims are primary: mark one with primary: true")
    return claims


@dataclass(frozen=True, slots=True)
class Declared:
    """A claim and the names of its arms, from the first to the last.

    Attributes:
        claim: As written.
        arms: The arm that is subtracted, then the other; for a trend all arms in their order.
    """

    claim: Claim
    arms: tuple[str, ...]
