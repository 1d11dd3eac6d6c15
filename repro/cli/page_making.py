"""Makes the pages of studies for `repro ui`, in a child process of its server.

No plug-in of a study is loaded: the results may be somebody else's.
"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from repro.errors import ReproError
from repro.records.records import BriefRecord, StudyIndex
from repro.reporting.site.maker import Made, Wish
from repro.system.child_process import Answer, Say

if TYPE_CHECKING:
    from repro.reporting.report.document import Surroundings

LEFT_OUT = "Pictures of faces need the networks, and are left out here. To draw them:"


def prepare(results: Path) -> Answer:
    """In the child: load what draws, and answer wishes."""
    from repro.cli import exhibits  # noqa: F401 - what is loaded now is not waited for later

    return functools.partial(_answer, results)


def _answer(results: Path, wish: Wish, say: Say) -> Made:
    from repro.records import records

    index = records.read_index(results / "studies" / wish.name / f"{wish.variant}.json")
    if not any(records.has_record(key, results) for _, _, key in index.wanted()):
        if wish.kind == "summary":
            return Made(remark="No run has a record yet.")
        raise ReproError("no run has a record yet; this page fills as runs end")
    say("the records are read")
    return _summary(index, results) if wish.kind == "summary" else _page(index, results, say)


def _summary(index: StudyIndex, results: Path) -> Made:
    """The answer in one paragraph, what is beside it, and how many runs failed."""
    from repro.analysis import study_data
    from repro.records import records
    from repro.reporting.tables import answer

    found = records.read_study(index, results)
    told = answer.of_study(study_data.of_study(index, found, results))
    return Made(
        content=" ".join(told.sentences),
        remark=told.comparison,
        failed=sum(not record.finished for record in found.values()),
    )


def _page(index: StudyIndex, results: Path, say: Callable[[str], None]) -> Made:
    """The report of a study, with links to its runs."""
    from repro.cli import exhibits
    from repro.reporting.report import html, report_sections
    from repro.reporting.tables import csv_tsv
    from repro.system.printing import printable

    view = exhibits.without_pictures(index, results)
    say("the figures are drawn")
    chapter = exhibits.chapter(view, study_file=index.name)
    say("the page is written")
    document = report_sections.document([chapter], title=None)
    text = html.render(document, _around(index, dict(view.found), results))
    files = {
        file: f"{csv_tsv.text([part], separator=',')}\n".encode()
        for file, part in report_sections.whole_tables(document)
    }
    return Made(content=printable(text), files=files)


def _around(index: StudyIndex, found: dict[str, BriefRecord], results: Path) -> "Surroundings":
    from repro.records.mlflow import page_links
    from repro.records.mlflow.request_rules import STUDIES
    from repro.reporting.report.document import RunLink, Surroundings

    links = page_links.of_study(results, index)

    def state_of(key: str) -> str:
        if key not in found:
            return ", not run yet"
        return "" if found[key].finished else ", failed"

    wanted = {key for _, _, key in index.wanted()}
    failed = sum(not record.finished for record in found.values())
    told = f", {failed} of them failed" if failed else ""
    partial = " More come as runs end." if len(found) < len(wanted) else ""
    return Surroundings(
        home=STUDIES,
        runs=links.study,
        state=f"{len(found)} of {len(wanted)} runs done{told}.{partial}",
        arms={
            arm.name: tuple(
                RunLink(
                    label=f"seed {seed}{state_of(key)}",
                    address=links.runs.get((arm.name, key), ""),
                )
                for seed, key in index.runs_of(arm)
            )
            for arm in index.arms
        },
        remark=LEFT_OUT,
        command=f"repro report {index.address}",
    )
