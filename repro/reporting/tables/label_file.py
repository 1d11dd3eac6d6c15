"""The file of labels: texts that replace the names of arms, groups and columns."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from repro.analysis.outcomes import Arm, Outcomes
from repro.errors import Problem, ReproError, StudyError
from repro.reporting.tables import metric_columns
from repro.study import merge, yaml_source
from repro.study.claims import Declared
from repro.study.published import Published

HEADS = frozenset(
    {
        "Arm",
        "E[A]: Recall",
        "Var[A]: Measure of Bias",
        "Expected recall",
        "Expected variance",
        "Published recall",
        "Published variance",
        "Recall, all runs",
        "Median [range]",
        "Recall of each run",
        "Runs with results",
        "Variance",
        "Variance without noise",
        "p, equal groups",
        "Variance of logits",
        "Variance of areas",
        "Gap",
        "Worst group",
        "False positives",
        "Measure",
        "Group",
        "Portraits",
        "Value",
        "Area",
        "Overall",
        "Recall",
        "Probability of crops",
        "Threshold",
        "Recall minus reference",
        "Variance minus reference",
        "Change over the scale",
        "Change minus reference",
        "p",
        "Tone",
        "Clusters",
        "Metric",
        "Runs",
        "Difference, new seeds",
        "Difference, matched",
        "Recall Δ, p",
        "Variance Δ, p",
        "Recall Δ, matched",
        "Variance Δ, matched",
        "New seeds and portraits",
        "r",
        "Hedges' g",
        "P(arm > reference)",
        "Spread ratio",
        "p, Brown-Forsythe",
        "p, t",
        "p, sign flip",
        "p, permutation",
        "p, Holm",
        "Changed",
        "Recall minus no debias",
        "Variance minus no debias",
        "Variance falls",
        "Recall minus matched no debias",
        "Variance minus matched no debias",
        "Subject",
        "Claim",
        "Answer",
        "Effect",
        "Smallest effect",
        "Measured",
        "To settle",
        "Published",
        "Ours",
        "95 % interval",
        "Verdict",
        "Why",
        "false_positive_rate",
    }
)


def known(outcomes: Outcomes) -> list[str]:
    """Every name that can have a label: arms, groups and columns."""
    names = {arm.name: None for arm in (*outcomes.arms, *outcomes.detectors)}
    for arm in (*outcomes.arms, *outcomes.detectors):
        names |= dict.fromkeys([*arm.groups, *(arm.crops.groups if arm.crops else ())])
    own = map(metric_columns.head, outcomes.own_metrics)
    return [*names, *sorted({*HEADS, *own})]


def read(path: Path, names: Sequence[str]) -> Mapping[str, str]:
    """The file's labels.

    Raises:
        StudyError: The file is not a mapping of known names to texts.
    """
    file = yaml_source.read(path)
    if file.problems:
        raise StudyError(file.problems)
    if not isinstance(file.value, dict):
        raise StudyError([file.problem((), "write a line for each name, such as  No debias: None")])
    problems = [problem for one in file.value.items() if (problem := _wrong(file, one, names))]
    if problems:
        raise StudyError(problems)
    return file.value


def _wrong(
    file: yaml_source.Located, item: tuple[str, object], names: Sequence[str]
) -> Problem | None:
    name, text = item
    if name not in names:
        hint = merge.did_you_mean(name, names)
        message = f"{yaml_source.shown(name)} is not an arm, group or column here{hint}"
        return file.problem((name,), message, at_key=True)
    if not isinstance(text, str) or not text.strip():
        return file.problem((name,), f"the label of {yaml_source.shown(name)} must be text")
    return None


def applied(outcomes: Outcomes, labels: Mapping[str, str], *, source: Path) -> Outcomes:
    """The outcomes with labels in place of the names of arms and groups.

    Raises:
        ReproError: Two arms, or two groups, would have the same label.
    """
    arms = tuple(_arm(arm, labels) for arm in outcomes.arms)
    detectors = tuple(_arm(one, labels) for one in outcomes.detectors)
    for names in ([arm.name for arm in (*arms, *detectors)], *(list(arm.groups) for arm in arms)):
        double = next((name for name in names if names.count(name) > 1), None)
        if double is not None:
            raise ReproError(f"{source}: two names have the label {yaml_source.shown(double)}")
    return replace(
        outcomes,
        arms=arms,
        detectors=detectors,
        reference=labels.get(outcomes.reference, outcomes.reference),
        published=outcomes.published and _printed(outcomes.published, labels),
        claims=tuple(_declared(one, labels) for one in outcomes.claims),
    )


def _declared(one: Declared, labels: Mapping[str, str]) -> Declared:
    group = one.claim.group and labels.get(one.claim.group, one.claim.group)
    claim = one.claim.model_copy(update={"group": group})
    return Declared(claim, tuple(labels.get(name, name) for name in one.arms))


def _arm(arm: Arm, labels: Mapping[str, str]) -> Arm:
    def renamed(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(labels.get(name, name) for name in names)

    crops = arm.crops and replace(arm.crops, groups=renamed(arm.crops.groups))
    name = labels.get(arm.name, arm.name)
    return replace(arm, name=name, groups=renamed(arm.groups), crops=crops)


def _printed(published: Published, labels: Mapping[str, str]) -> Published:
    def renamed(groups: Mapping[str, float]) -> dict[str, float]:
        return {labels.get(name, name): value for name, value in groups.items()}

    rows = [
        row.model_copy(
            update={
                "arm": labels.get(row.arm, row.arm),
                "groups": renamed(row.groups) if row.groups else row.groups,
            }
        )
        for row in published.rows
    ]
    protocol = published.protocol.model_copy(update={"groups": renamed(published.protocol.groups)})
    return published.model_copy(update={"rows": rows, "protocol": protocol})
