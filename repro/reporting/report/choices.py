"""The choices that the papers left open, a study's values, and deviations from the sources."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import pandas as pd

from repro.analysis import verdicts
from repro.reporting.report.study_chapter import Chapter
from repro.reporting.tables.cell import DASH
from repro.reporting.tables.run_notes import few
from repro.reporting.tables.table_part import Part
from repro.study import literature
from repro.study.literature import NOT_SAID, NOT_USED, Choice, Deviation, Ledger

MANY = 3  # from this many arms on a value is listed as that of "the others"
_BY_COMMAND = "changed on the command line: "  # from `verdicts.refusals`; listed one by one here


def made(chapter: Chapter) -> Part | None:
    """Every choice: the value used, the sources with the same value, and the other values.

    None if no run has ended, because the values come from the runs.
    """
    used = _used(chapter)
    if not used:
        return None
    book = literature.load()
    rows = [
        {
            "What it is": choice.means.replace("`", ""),
            "Used here": "; ".join(
                few([f"{v}{_of(arms)}" for v, arms in used[choice.key].items()], "values")
            ),
            "Left open": choice.left_open or "by no source",
            "Same in": "; ".join(few([*_others(choice, used[choice.key])], "values")),
            "Other sources": _elsewhere(choice, used[choice.key]),
        }
        for choice in book.choices
    ]
    return Part(
        name="choices",
        title=f"{chapter.index.address}: choices that the papers left open, and those made here.",
        table=_frame(rows, [choice.key for choice in book.choices], "Choice"),
        remarks=[_legend(book)],
        holds="words",
    )


def _legend(book: Ledger) -> str:
    sources = "; ".join(f"{s.letter}: {s.cite}" for s in book.sources)
    return f"Sources: {sources}."


def _used(chapter: Chapter) -> dict[str, dict[str, list[str]]]:
    """The values of each choice with the arms that use them; no arms if all use the same value."""
    configurations = {
        arm.name: record.configuration
        for arm in chapter.index.arms
        for _, _, record in list(chapter.of(arm))
        if record and record.configuration
    }
    if not configurations:
        return {}
    found = {key: _by_value(arms) for key, arms in literature.values(configurations).items()}
    index = chapter.index
    of_study: dict[str, object] = {"replicates": index.replicates or index.seeds}
    of_study |= {f"select.{key}": value for key, value in index.select.items()}
    of_study["definition"] = chapter.outcomes.definition_name
    return found | {key: {str(value): []} for key, value in of_study.items()}


def _by_value(arms: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for arm, value in arms.items():
        found.setdefault(value, []).append(arm)
    if len(found) == 1:
        return {value: [] for value in found}
    most = max(found, key=lambda value: len(found[value]))
    return found | {most: ["the others"]} if len(found[most]) >= MANY else found


def _of(arms: Iterable[str]) -> str:
    named = ", ".join(few([*arms], "arms"))
    return f" ({named})" if named else ""


def _others(choice: Choice, used: Iterable[str]) -> Iterator[str]:
    """The letters of the sources that use the same value; for each value where arms differ."""
    used = list(used)
    for value in used:
        if value == NOT_USED:
            continue
        letters = ", ".join(literature.users(choice, value)) or "no source"
        yield letters if len(used) == 1 else f"{value}: {letters}"


def _elsewhere(choice: Choice, used: Iterable[str]) -> str:
    """What the other sources do, and which sources do not say."""
    same = {letter for value in used for letter in literature.users(choice, value)}
    rest = {letter: use for letter, use in choice.uses.items() if letter not in same}
    told = [f"{letter}: {use.text}" for letter, use in rest.items() if use.text != NOT_SAID]
    silent = [letter for letter, use in rest.items() if use.text == NOT_SAID]
    if silent:
        told.append(f"not reported by {', '.join(silent)}")
    return "; ".join(told) or DASH


def standing() -> Part:
    """Differences between this program and its sources that apply to every study."""
    return _deviations(
        "standing",
        "Standing deviations: differences between this program and a source in every study.",
        [_standing_row(one) for one in literature.load().deviations],
        remarks=[_legend(literature.load())],
    )


def _standing_row(one: Deviation) -> tuple[int, dict[str, str]]:
    cells = {
        "What differs": one.text,
        "Effect": one.effect,
        "From": ", ".join(one.applies_to),
        "Where": ", ".join(one.where),
    }
    return one.number, cells


def own(chapter: Chapter) -> Part | None:
    """The deviations of this study, numbered after the general ones."""
    found = [*_changed(chapter), *_contradictions(chapter)]
    if not found:
        return None
    first = 1 + max((one.number for one in literature.load().deviations), default=0)
    return _deviations(
        "deviations",
        f"{chapter.index.address}: deviations of this study.",
        list(enumerate(found, start=first)),
    )


def _changed(chapter: Chapter) -> Iterator[dict[str, str]]:
    """The changes made on the command line."""
    for label in chapter.index.overrides:
        harmless = label.startswith(verdicts.HARMLESS)
        yield {
            "What differs": f"{label}, on the command line",
            "Effect": "does not prevent a verdict"
            if harmless
            else "no verdict on the published values",
            "From": "study file",
            "Where": f"--set {label}",
        }


def _contradictions(chapter: Chapter) -> Iterator[dict[str, str]]:
    """Why there is no comparison with published values; for synthetic data further reasons too."""
    outcomes = chapter.outcomes
    if outcomes.published is None:
        return
    found = verdicts.refusals(outcomes, outcomes.published)
    if outcomes.synthetic:
        found += verdicts.refusals(replace(outcomes, synthetic=False), outcomes.published)
    for reason in found:
        if not reason.startswith(_BY_COMMAND):
            yield {
                "What differs": reason,
                "Effect": "no verdict on the published values",
                "From": f"{outcomes.published.source}, {outcomes.published.printed}",
                "Where": f"profile {chapter.index.profile}",
            }


def _deviations(
    name: str,
    title: str,
    rows: list[tuple[int, dict[str, str]]],
    *,
    remarks: Iterable[str] = (),
) -> Part:
    cells = [row for _, row in rows]
    table = _frame(cells, [str(number) for number, _ in rows], "No.")
    return Part(name=name, title=title, table=table, remarks=list(remarks), holds="words")


def _frame(rows: list[dict[str, str]], names: list[str], head: str) -> pd.DataFrame:
    return pd.DataFrame(rows, index=pd.Index(names, name=head)).fillna(DASH)
