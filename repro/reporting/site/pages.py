"""The pages around reports as HTML: the list of studies, and what is shown when there is no report.

No page has a script. A page that waits is loaded again by the browser (the header `Refresh`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from repro.records.mlflow.request_rules import STUDIES
from repro.records.mlflow.study_pages import WORKFLOW
from repro.reporting.site.listing import Entry
from repro.reporting.site.maker import Made
from repro.system.printing import printable

MLFLOW = f"/#/experiments?{WORKFLOW}"  # its list of experiments


@dataclass(frozen=True, slots=True)
class Row:
    """A study in the list.

    Attributes:
        entry: What is known without reading its records.
        summary: Made of its records; None if that is not ready.
        mlflow: Address of its runs; empty if they are not in MLflow.
    """

    entry: Entry
    summary: Made | None
    mlflow: str

    @property
    def state(self) -> str:
        """How far the study is."""
        words = f"{self.entry.done} of {self.entry.wanted} runs done"
        failed = self.summary.failed if self.summary is not None else 0
        return f"{words}, {failed} of them failed" if failed else words


def start(rows: Sequence[Row], folder: str) -> str:
    """The list of studies.

    Args:
        rows: In the order of the list.
        folder: The results folder, for the heading.
    """
    return _render("start.html.j2", rows=rows, folder=folder)


def waiting(entry: Entry, progress: str) -> str:
    """While a report is made."""
    state = f"{entry.done} of {entry.wanted} runs have a record."
    return _notice(
        f"The page of {entry.name} is being made", ["It opens by itself.", progress, state]
    )


def broken(entry: Entry, reason: str) -> str:
    """In place of a report that cannot be made."""
    title = f"The page of {entry.name} cannot be made"
    sentences = [
        reason,
        "Nothing was changed. What the results folder has, and what it lacks:",
    ]
    return _notice(title, sentences, command="repro doctor")


def unknown(path: str) -> str:
    """In place of a page that there is none of."""
    return _notice("There is no such page", [f"Nothing is at {path}."])


def _notice(title: str, sentences: Sequence[str], command: str = "") -> str:
    return _render("notice.html.j2", title=title, sentences=sentences, command=command)


def _render(template: str, **values: object) -> str:
    environment = Environment(
        loader=ChoiceLoader(
            [PackageLoader("repro.reporting.site"), PackageLoader("repro.reporting.report")]
        ),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    text = environment.get_template(template).render(home=STUDIES, mlflow=MLFLOW, **values)
    return printable(text)
