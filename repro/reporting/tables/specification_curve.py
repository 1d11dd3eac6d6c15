"""The specification curve: the effect of each choice on recall and variance.

Source: Simonsohn, Simmons & Nelson (2020), "Specification curve analysis", without its joint test.
For a study whose arms differ from a central arm in several choices. The central arm, what each arm
changes, and the arm it is compared with follow from the records' configurations alone.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from repro.analysis import matched, operating_points
from repro.analysis.arm_differences import QUANTITIES
from repro.analysis.object_cache import cached_by_owner
from repro.analysis.operating_points import Estimate, Reading
from repro.analysis.outcomes import Arm, Outcomes
from repro.reporting.tables import interval_notes, matched_notes, number_format, run_notes
from repro.reporting.tables.cell import DASH, Cell
from repro.reporting.tables.table_part import Part
from repro.stats import rounding
from repro.stats.disparity import DEFINITIONS, Definition
from repro.study import literature
from repro.study.literature import NOT_USED

LEAST = 3  # different choices; with fewer, arms are points of a sweep
CHANCE = 0.025  # probability that a 95 % interval is below 0 if nothing differs
RESAMPLING = "resampling."
RANKED = "ranked"  # the choice that is not part of a configuration
_WORDS = ("yes", "no", "cannot tell")

Choices = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Specification:
    """One arm of the curve.

    Attributes:
        arm: With or without runs.
        changed: Value and central arm's value of each choice that differs; the latter is empty if
            the central arm does not use the choice.
        partner: The same arm without resampling; None if there is none.
        read: Recall and variance over all its runs; None without runs.
        apart: This arm minus its partner, over the seeds of both; None if it cannot be computed.
        matched: The same with the partner read at this arm's own false-positive rates.
        same_runs_as: Name of an earlier arm with the same runs but another ranking.
    """

    arm: Arm
    changed: Mapping[str, tuple[str, str]]
    partner: Arm | None
    read: Reading | None
    apart: Mapping[str, Estimate] | None
    matched: Mapping[str, Estimate] | None
    same_runs_as: str | None

    @property
    def falls(self) -> str:
        """Whether the variance is below the partner's, in words; a dash without a partner."""
        return DASH if self.apart is None else _sign(self.apart["variance"])


def _sign(apart: Estimate) -> str:
    """Whether a difference is below 0, in words."""
    low, high = apart.interval
    return "yes" if high < 0 else "no" if low > 0 else "cannot tell"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """All specifications, by increasing variance; those without runs are last."""

    definition: Definition
    central: Arm
    specifications: Sequence[Specification]

    @property
    def keys(self) -> list[str]:
        """The choices in which arms differ from the central arm, in the ledger's order."""
        found = {key for one in self.specifications for key in one.changed}
        known = [choice.key for choice in literature.load().choices]
        return [*(key for key in known if key in found), *sorted(found - set(known))]


@cached_by_owner()
def of_outcomes(outcomes: Outcomes, definition: Definition) -> Curve | None:
    """The curve; None unless the arms differ from a central arm in at least three choices."""
    ranked = f"{outcomes.by} on {outcomes.split}"
    made = _choices([arm for arm in outcomes.arms if "model" in arm.configured], ranked)
    if len(made) < 2:
        return None
    central = _central(made)
    changed = {arm: _changed(made, arm, central) for arm in made}
    if len({key for keys in changed.values() for key in keys}) < LEAST:
        return None
    if not any(arm.can_differ for arm in made):
        return None
    found = [_specification(outcomes, made, arm, changed[arm], definition) for arm in made]
    return Curve(definition=definition, central=central, specifications=_by_variance(found))


def _choices(arms: Sequence[Arm], ranked: str) -> dict[Arm, Choices]:
    """Text of every choice that affects each arm's runs, and how they are ranked."""
    by_key = literature.values({arm.name: arm.configured for arm in arms})
    found: dict[Arm, Choices] = {}
    for arm in arms:
        own = {key: values[arm.name] for key, values in by_key.items()}
        way = " on ".join(arm.ranked) if arm.ranked else ranked
        used = {key: value for key, value in own.items() if value != NOT_USED}
        found[arm] = used | literature.beside(arm.configured) | {RANKED: f"by {way}"}
    return found


def _central(made: Mapping[Arm, Choices]) -> Arm:
    """The arm that differs from all others in the fewest choices; the first of equals."""
    keys = {key for choices in made.values() for key in choices}
    counts = {key: Counter(choices.get(key) for choices in made.values()) for key in keys}

    def apart(arm: Arm) -> int:
        return sum(len(made) - counts[key][made[arm].get(key)] for key in keys)

    return min(made, key=apart)


def _changed(made: Mapping[Arm, Choices], arm: Arm, central: Arm) -> dict[str, tuple[str, str]]:
    """The choices that an arm changes; those that follow from another choice are left out."""
    own, usual = made[arm], made[central]
    found = {}
    for key, value in own.items():
        if key in usual:
            if value != usual[key]:
                found[key] = value, usual[key]
        elif len({choices[key] for choices in made.values() if key in choices}) > 1:
            found[key] = value, ""
    return found


def _specification(
    outcomes: Outcomes,
    made: Mapping[Arm, Choices],
    arm: Arm,
    changed: Mapping[str, tuple[str, str]],
    definition: Definition,
) -> Specification:
    partner = _partner(made, arm)
    shared = partner is not None and bool(set(arm.seeds) & set(partner.seeds))
    match = partner is not None and not matched.refusal(arm, partner)
    first = next(one for one in made if one.keys == arm.keys)
    return Specification(
        arm=arm,
        changed=changed,
        partner=partner,
        read=operating_points.reading(outcomes, arm, definition) if arm.runs else None,
        apart=operating_points.difference(arm, partner, definition) if partner and shared else None,
        matched=matched.difference(arm, partner, definition) if partner and match else None,
        same_runs_as=None if first is arm else first.name,
    )


def _partner(made: Mapping[Arm, Choices], arm: Arm) -> Arm | None:
    """The arm with the same choices but without resampling.

    The ranking of runs is ignored, because it does not affect results over all runs.
    """
    if made[arm][f"{RESAMPLING}rule"] == "none":
        return None
    wanted = _but(made[arm], RANKED, RESAMPLING)
    return next(
        (
            one
            for one, choices in made.items()
            if choices[f"{RESAMPLING}rule"] == "none"
            and _but(choices, RANKED, RESAMPLING) == wanted
        ),
        None,
    )


def _but(choices: Choices, *prefixes: str) -> Choices:
    return {key: value for key, value in choices.items() if not key.startswith(prefixes)}


def _by_variance(found: Sequence[Specification]) -> list[Specification]:
    """By increasing variance, equal ones in the order of the arms; those without one are last."""
    variances = [one.read.of["variance"].value if one.read else np.nan for one in found]
    return [found[at] for at in rounding.rising(np.array(variances))]


def spoken(key: str) -> str:
    """A choice's key as plain words."""
    return key.replace(".", ": ").replace("_", " ")


def part(outcomes: Outcomes, name: str) -> Part | None:
    """The arms sorted by variance: what each changes, and the effect of resampling."""
    definition = DEFINITIONS[name]
    curve = of_outcomes(outcomes, definition)
    if curve is None:
        return None
    return Part(
        name="specification",
        title=f"{outcomes.name}: specification curve, all runs with results, sorted by variance.",
        table=number_format.frame(
            [_row(one, curve) for one in curve.specifications],
            [one.arm.name for one in curve.specifications],
        ),
        remarks=_remarks(outcomes, curve, definition),
    )


def _row(one: Specification, curve: Curve) -> dict[str, str]:
    row = {"Changed": _told(one, curve), "Recall": DASH, "Variance": DASH}
    if one.read is not None:
        row["Recall"] = number_format.estimate(one.read.of["recall"], "recall")
        row["Variance"] = number_format.estimate(one.read.of["variance"], "variance")
    if any(other.partner for other in curve.specifications):
        apart = one.apart or dict.fromkeys(("recall", "variance"), Estimate(float("nan")))
        row["Recall minus no debias"] = number_format.difference(apart["recall"], "recall")
        row["Variance minus no debias"] = number_format.difference(apart["variance"], "variance")
        row["Variance falls"] = one.falls
    if any(other.matched for other in curve.specifications):
        for q in QUANTITIES:
            head = f"{q.capitalize()} minus matched no debias"
            row[head] = Cell(DASH)
            if one.partner and one.matched:
                row[head] = matched_notes.difference(one.arm, one.partner, q, curve.definition)
    return row


def _told(one: Specification, curve: Curve) -> str:
    if one.arm is curve.central:
        return "nothing: the central arm"
    return "; ".join(f"{key}: {told_change(*both)}" for key, both in one.changed.items())


def told_change(value: str, was: str) -> str:
    """A value and the previous one; for two data sources of the same kind only the differences.

    Args:
        value: As in the ledger; a source of data as ``name (detail 1, other 2)``.
        was: Same format; empty if there was none.
    """
    if not was:
        return value
    ours, theirs = (re.fullmatch(r"(.*?) \((.*)\)", text) for text in (value, was))
    if not ours or not theirs or ours[1] != theirs[1]:
        return f"{value} (was {was})"
    details = [found[2].split(", ") for found in (ours, theirs)]
    new, old = (
        ", ".join(one for one in own if one not in other)
        for own, other in (details, reversed(details))
    )
    return f"{new} (was {old})"


def _remarks(outcomes: Outcomes, curve: Curve, definition: Definition) -> list[str]:
    """Footnotes: what the curve shows, its result and its limits."""
    found = [
        f"The central arm is {curve.central.name}: it differs from the others in the fewest "
        "choices. Changed lists the differences from it, without choices that follow from another "
        "one, such as the options of resampling in an arm that does not resample.",
        f"Recall and variance: {definition}.",
        *interval_notes.of_intervals(outcomes),
        *_verdicts(curve),
        *matched_notes.of_pairs(
            (one.arm, one.partner)
            for one in curve.specifications
            if one.partner is not None and one.apart is not None
        ),
        *_sharing(curve),
    ]
    return [*found, *run_notes.of_single_groups(outcomes), *run_notes.of_runs(outcomes)]


def _verdicts(curve: Curve) -> Iterator[str]:
    """How often the variance falls, and how often that is expected by chance."""
    counts = Counter(one.falls for one in curve.specifications if one.apart is not None)
    total = sum(counts.values())
    read = [one.matched["variance"] for one in curve.specifications if one.matched is not None]
    if not total:
        yield f"{len(curve.specifications)} specifications, none with a partner without debiasing."
        return
    yield (
        f"{len(curve.specifications)} specifications; {total} of them have a counterpart with the "
        "same choices but without resampling (no debias) and are paired with it by seed. Does "
        f"resampling lower the variance: {_counted(counts)}. Yes or no requires an interval that "
        "excludes 0."
    )
    yield (
        f"The intervals are not adjusted for the number of specifications: without any effect, "
        f"{CHANCE * total:.1f} of {total} would be below 0 by chance, and as many above 0."
    )
    if read:
        yield f"With the counterpart matched: {_counted(Counter(map(_sign, read)))}."


def _counted(words: Counter[str]) -> str:
    return ", ".join(f"{words[word]} {word}" for word in _WORDS)


def _sharing(curve: Curve) -> list[str]:
    pairs = [
        f"{one.arm.name} with {one.same_runs_as}"
        for one in curve.specifications
        if one.same_runs_as
    ]
    if not pairs:
        return []
    return [
        "Arms that differ only in how runs are ranked share their runs; over all runs they are not "
        f"independent evidence: {'; '.join(pairs)}."
    ]
