"""The evidence for a study's numbers: its runs, their data and machines, and their computing time.

Tables of text cells, made from records alone. Data and machines that runs share are listed once and
referenced by number.
"""

import shlex
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from repro.records.records import ArmIndex, BriefRecord
from repro.reporting.report.document import MOST_ROWS
from repro.reporting.report.study_chapter import Chapter
from repro.reporting.tables.cell import DASH
from repro.reporting.tables.table_part import Part

SHORT = 9  # digits of a commit
_MACHINE = ("device", "kernels", "threads", "cpu_capability", "system", "python")
_TITLES = ("Device", "Kernels", "Threads", "Processor", "System", "Python")


def runs(chapter: Chapter) -> Part:
    """Every run of the study: an arm and a seed."""
    data, machines = _data(chapter), _machines(chapter)
    collapsed = _collapsed(chapter)
    names, rows = [], []
    for arm in chapter.index.arms:
        kept = _kept(chapter, arm.name)
        for seed, key, record in chapter.of(arm):
            names.append(arm.name)
            rows.append(
                {
                    "Seed": str(seed),
                    "Run": key,
                    "State": _state(record, collapsed[arm.name]),
                    "In the paper's column": "kept" if seed in kept and record else "no",
                    "Commit": _commit(record),
                    "Data": _called("data", data, _digests(record) if record else {}),
                    "Machine": _called("machine", machines, _machine(record) if record else {}),
                }
            )
    return _part(
        "runs",
        f"{chapter.index.address}: every run, arm by arm, in the order of the seeds.",
        rows,
        names,
        "Arm",
        remarks=_about_runs(chapter),
    )


def _about_runs(chapter: Chapter) -> list[str]:
    found = [
        "A run's name is that of its folder under results/runs: a digest of configuration, data "
        "and computing code, and the seed."
    ]
    commits = sorted({str(r.provenance["commit"]) for r in chapter.ended if _has_commit(r)})
    if commits:
        found.append(f"Commits in full: {', '.join(commits)}.")
    if any(commit.endswith("-dirty") for commit in commits):
        found.append("-dirty: the program differed from the commit; such a run cannot be repeated.")
    return found


def first_rows(chapter: Chapter) -> dict[int, str]:
    """The position in `runs` of the first row of each arm, and its anchor."""
    found, row = {}, 0
    for position, arm in enumerate(chapter.index.arms):
        if arm.keys and row < MOST_ROWS:
            found[row] = chapter.runs_anchor(position)
        row += len(arm.keys)
    return found


def links(chapter: Chapter) -> dict[str, str]:
    """For each arm's name, the anchor of its first run, if the report prints it."""
    printed = set(first_rows(chapter).values())
    arms = ((arm, chapter.runs_anchor(place)) for place, arm in enumerate(chapter.index.arms))
    return {arm.name: anchor for arm, anchor in arms if anchor in printed}


def _kept(chapter: Chapter, name: str) -> set[int]:
    """The seeds of the runs in the paper's column."""
    arm = chapter.outcomes.arm(name)
    return {arm.seeds[at] for at in arm.kept(chapter.outcomes.keep)} if arm else set()


def _collapsed(chapter: Chapter) -> dict[str, set[int]]:
    """The seeds of the collapsed runs of each arm."""
    return {arm.name: set(arm.collapsed) for arm in chapter.outcomes.arms}


def _state(record: BriefRecord | None, collapsed: Container[int]) -> str:
    if record is None:
        return "no record yet"
    if not record.finished:
        return "failed"
    return "collapsed" if record.seed in collapsed else "finished"


def _has_commit(record: BriefRecord) -> bool:
    return bool(record.provenance.get("commit"))


def _commit(record: BriefRecord | None) -> str:
    if record is None or not _has_commit(record):
        return DASH
    sha, dirty, _ = str(record.provenance["commit"]).partition("-dirty")
    return f"{sha[:SHORT]}{dirty}"


def _called(what: str, known: Sequence[Mapping[str, str]], value: Mapping[str, str]) -> str:
    return f"{what} {known.index(value) + 1}" if value else DASH


def data(chapter: Chapter) -> Part | None:
    """The digests of the data's content; None if no run records its data."""
    found = _data(chapter)
    return _numbered(
        "data",
        f"{chapter.index.address}: the data, {chapter.index.data}, by digests of their content.",
        "Data",
        "data",
        found,
    )


def machines(chapter: Chapter) -> Part | None:
    """The machines used for training and the package versions; None if no run records them."""
    found = [
        one | {"Packages": packages} if (packages := _packages(chapter, one)) else one
        for one in _machines(chapter)
    ]
    return _numbered(
        "machines",
        f"{chapter.index.address}: machines and package versions of the runs.",
        "Machine",
        "machine",
        found,
    )


def _numbered(
    name: str, title: str, head: str, what: str, rows: Sequence[dict[str, str]]
) -> Part | None:
    if not rows:
        return None
    names = [f"{what} {number + 1}" for number in range(len(rows))]
    return _part(name, title, rows, names, head)


def _data(chapter: Chapter) -> list[dict[str, str]]:
    return _distinct(_digests(record) for record in chapter.ended)


def _digests(record: BriefRecord) -> dict[str, str]:
    return {role.capitalize(): digest for role, digest in record.data.items()}


def _machines(chapter: Chapter) -> list[dict[str, str]]:
    return _distinct(map(_machine, chapter.ended))


def _machine(record: BriefRecord) -> dict[str, str]:
    known = record.provenance
    return {
        title: str(known[key]) for key, title in zip(_MACHINE, _TITLES, strict=True) if key in known
    }


def _packages(chapter: Chapter, machine: Mapping[str, str]) -> str:
    """Every package version used on a machine; several for a package that was changed."""
    found: dict[str, list[str]] = {}
    for record in chapter.ended:
        if _machine(record) == machine:
            for name, version in record.provenance.get("packages", {}).items():
                found.setdefault(name, []).append(str(version))
    return ", ".join(f"{name} {' or '.join(dict.fromkeys(vs))}" for name, vs in found.items())


def _distinct(values: Iterator[dict[str, str]]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for value in values:
        if value and value not in found:
            found.append(value)
    return found


def commands(chapter: Chapter) -> tuple[str, ...]:
    """The commands that reproduce the runs and the table."""
    index = chapter.index
    chosen = ["--profile", index.profile]
    for label in index.overrides:
        chosen += ["--set", label]
    devices = {str(r.provenance.get("device", "cpu")) for r in chapter.ended}
    kinds = {r.computation.get("device") for r in chapter.ended}
    device = [] if devices <= {"cpu"} else ["--device", "mps" if "mps" in kinds else "cuda"]
    return (
        shlex.join(["repro", "run", chapter.study_file, *chosen, *device]),
        shlex.join(["repro", "table", index.name, *chosen]),
    )


def failures(chapter: Chapter) -> Part | None:
    """Runs that ended without results, with the reasons; None if there are none."""
    names, rows, collapsed = [], [], _collapsed(chapter)
    for arm in chapter.index.arms:
        for seed, key, record in chapter.of(arm):
            if record is None or _state(record, collapsed[arm.name]) == "finished":
                continue
            names.append(arm.name)
            rows.append({"Seed": str(seed), "Run": key, **_why(record)})
    if not rows:
        return None
    title = f"{chapter.index.address}: runs that ended without results; they count as runs."
    return _part("failures", title, rows, names, "Arm")


def _why(record: BriefRecord) -> dict[str, str]:
    if record.failure is None:
        reason = "classifies faces as faces no more often than other photographs"
        return {"Epoch": DASH, "Term": "collapsed", "Reason": reason}
    known = record.failure
    return {
        "Epoch": str(known.get("epoch", DASH)),
        "Term": str(known["term"]),
        "Reason": str(known["reason"]),
    }


def cost(chapter: Chapter) -> Part | None:
    """Computing time of each arm's runs; None if no run records it."""
    timed = [record for record in chapter.ended if "seconds" in record.provenance]
    if not timed:
        return None
    machines = _machines(chapter)
    arms = [(arm.name, _timed(chapter, arm)) for arm in chapter.index.arms]
    listed = [*arms, ("All arms", timed)] if len(arms) > 1 else arms
    on_cpu = all(record.provenance.get("device", "cpu") == "cpu" for record in timed)
    shared = " A run that was trained with others as one network counts its share of the hours."
    has_stacks = any(_together(record) > 1 for record in timed)
    return _part(
        "cost",
        f"{chapter.index.address}: computing time of the runs.",
        [_cost_cells(found, machines, "CPU hours" if on_cpu else "Hours") for _, found in listed],
        [name for name, _ in listed],
        "Arm",
        holds="numbers",
        remarks=[
            "Seconds per run: mean time from the first epoch to the last scored photograph, failed "
            "runs included. Hours: sum over the runs of the arm, times their threads. Images per "
            "second: mean in training. A run that two studies share is counted in both."
            + shared
            * has_stacks
        ],
    )


def _timed(chapter: Chapter, arm: ArmIndex) -> list[BriefRecord]:
    found = (record for _, _, record in chapter.of(arm) if record)
    return [record for record in found if "seconds" in record.provenance]


def _cost_cells(
    found: Sequence[BriefRecord], machines: Sequence[Mapping[str, str]], hours: str
) -> dict[str, str]:
    if not found:
        return dict.fromkeys(
            ("Runs", "Seconds per run", hours, "Images per second", "Machine"), DASH
        )
    spent = [float(record.provenance["seconds"]) for record in found]
    work = [
        _threads(record.provenance) * s / _together(record)
        for record, s in zip(found, spent, strict=True)
    ]
    rates = [
        float(r.provenance["images_per_second"])
        for r in found
        if r.provenance.get("images_per_second")
    ]
    used = dict.fromkeys(_called("machine", machines, _machine(record)) for record in found)
    return {
        "Runs": str(len(found)),
        "Seconds per run": f"{sum(spent) / len(spent):,.1f}",
        hours: f"{sum(work) / 3600:,.3f}",
        "Images per second": f"{sum(rates) / len(rates):,.0f}" if rates else DASH,
        "Machine": ", ".join(used),
    }


def _together(record: BriefRecord) -> int:
    """The number of runs that were trained as one network with a run, itself among them."""
    return int(record.provenance.get("stacked_runs", 1))


def _threads(provenance: Mapping[str, Any]) -> int:
    return int(provenance.get("threads", 1))


def _part(
    name: str,
    title: str,
    rows: Sequence[Mapping[str, str]],
    names: Sequence[str],
    head: str,
    *,
    holds: Any = "words",
    remarks: Sequence[str] = (),
) -> Part:
    table = pd.DataFrame(list(rows), index=pd.Index(list(names), name=head)).fillna(DASH)
    return Part(name=name, title=title, table=table, remarks=remarks, holds=holds)
