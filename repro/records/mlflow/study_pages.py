"""A study in MLflow's pages besides its runs: description, links, figures and a saved view.

Text in, text out; nothing here connects to MLflow.
The saved view's format is internal to MLflow and undocumented, found in the script of its pages
(3.17); a page that does not understand it shows the runs one by one.
"""

import base64
import json
import zlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from repro.records.mlflow.run_content import LONGEST_TAG, THIS_RUN, Content, source_tags
from repro.records.records import StudyIndex
from repro.system.printing import as_markdown, printable

VIEW_KEY = "arms"  # name of the saved view that groups an experiment's runs by arm
VIEW_TAG = f"mlflow.sharedViewState.{VIEW_KEY}"
LONGEST_DESCRIPTION = 5000  # MLflow truncates longer ones
SUMMARY = "Tables and figures"  # the name of the run that holds them
SECTIONS = ("test", "val", "train", "debias")  # of charts, the results first
COLOURS = 29  # in the palette of MLflow's charts
WORKFLOW = "workflowType=machine_learning"  # the default would be pages for language models


def text(index: StudyIndex, table_markdown: str, *, answer: str = "") -> str:
    """What both pages of a study begin with: its answer, its question and a table, as Markdown.

    Its first line is plain, because the list of experiments shows the text raw.

    Args:
        index: The study.
        table_markdown: The table.
        answer: What the study found, as Markdown; empty if nothing is known.
    """
    kind = " (synthetic)" if index.synthetic else ""
    blocks = [
        " ".join(answer.split()),
        as_markdown(" ".join(index.question.split())),
        as_markdown(f"Data: {index.data}{kind}. Reference arm: {index.reference}."),
        table_markdown.strip(),
    ]
    return printable("\n\n".join(filter(None, blocks)))


def summary(
    index: StudyIndex, text: str, files: Mapping[str, bytes], *, tags: Mapping[str, str]
) -> Content:
    """The run that holds a study's tables and figures; it has no arm, and the view omits it.

    Args:
        index: The study.
        text: As made by `text`; content of ``table.md``, unless `files` has one.
        files: By path within the run; pictures are shown in this order.
        tags: Further tags.
    """
    held = {"table.md": text.encode(), **files}
    note = _cut(
        text,
        room=LONGEST_TAG - 32 * len(pictures(held)),  # an identifier is longer than its placeholder
        end="\n\n".join(["All tables and figures are files under Artifacts.", *_shown(held)]),
        otherwise="The table continues in table.md.",
    )
    return Content(
        name=SUMMARY,
        status="FINISHED",
        tags={"repro.kind": "summary", **source_tags(index), **tags},
        note=note,
        artifacts=held,
    )


def pictures(held: Collection[str]) -> list[str]:
    """The paths of the pictures among files, each once.

    The pages show a picture in its own size: an SVG has its print size, a PNG may be twice as wide
    as the page, so it is shown only if there is no SVG of the same name.
    """
    paths = {path.rpartition(".")[0]: path for path in held if path.endswith(".png")}
    paths |= {path.rpartition(".")[0]: path for path in held if path.endswith(".svg")}
    return [*paths.values()]


def _shown(held: Collection[str], run: str = THIS_RUN) -> list[str]:
    """Markdown that shows every picture; the files are artifacts of this run."""
    return [
        f"![{path}](get-artifact?path={quote(path, safe='')}&run_uuid={run})"
        for path in pictures(held)
    ]


def description(
    index: StudyIndex, text: str, *, files: Collection[str] = (), run: str = "", link: str = ""
) -> str:
    """The Markdown text of a study's experiment: a text, a link and every picture.

    Args:
        index: The study.
        text: As made by `text`; if too long for MLflow, its last lines are cut, with a note.
        files: Paths of the files of the run that holds the tables and figures.
        run: Identifier of that run.
        link: Address of its page; empty for none.
    """
    linked = [f"[{SUMMARY}]({link})"] if link else []
    return _cut(
        text,
        room=LONGEST_DESCRIPTION,
        end="\n\n".join([*linked, *_shown(files, run)]),
        otherwise=f"The table continues: `repro table {index.address}`.",
    )


def view_link(experiment: str) -> str:
    """The address of an experiment's runs grouped by arm, for a page of the same server."""
    shown = f"viewStateShareKey={VIEW_KEY}&compareRunsMode=CHART"
    return f"#/experiments/{experiment}/runs?{WORKFLOW}&{shown}"


def run_link(experiment: str, run: str) -> str:
    """The address of a run's page, for a page of the same server."""
    return f"#/experiments/{experiment}/runs/{run}?{WORKFLOW}"


def _cut(
    text: str, *, room: int, end: str, otherwise: str = "The table continues in table.md."
) -> str:
    """As many whole lines as fit, a note if some were cut, and the end."""
    lines, end = text.strip().splitlines(), f"\n\n{end}" if end else ""
    whole = "\n".join(lines) + end
    if len(whole) <= room:
        return whole
    room -= len(otherwise) + len(end) + 2
    kept: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    return "\n".join([*kept, "", otherwise]) + end


def view(arms: Sequence[str], *, created: int | None) -> str | None:
    """The value of `VIEW_TAG`: a line and a bar per arm, its mean over seeds.

    Args:
        arms: In the order of the study.
        created: Time in milliseconds since 1970.

    Returns:
        None if it would be too long for MLflow, which would truncate it.
    """
    packed = base64.b64encode(zlib.compress(json.dumps(_state(arms)).encode())).decode()
    value = json.dumps(
        {
            "name": "Arms (means over seeds)",
            "createdAt": created,
            "updatedAt": created,
            "state": f"deflate;{packed}",
        }
    )
    return value if len(value) <= LONGEST_DESCRIPTION else None


def _state(arms: Sequence[str]) -> dict[str, Any]:
    mode, name = grouping(arms)
    section = {"display": True, "isReordered": True, "columns": 2, "cardHeight": 280}
    return {
        "groupBy": {
            "aggregateFunction": "average",
            "groupByKeys": [{"mode": mode, "groupByData": name}],
        },
        "groupsExpanded": {f"{mode}.{name}.{arm}": False for arm in arms},
        # Otherwise runs without an arm would be in the legend of every curve, as "Unassigned".
        "searchFilter": f"attributes.run_name != '{SUMMARY}'",
        "orderByKey": "attributes.start_time",
        "orderByAsc": True,
        "runsHiddenMode": "SHOW_ALL",
        "useGroupedValuesInCharts": True,
        "compareRunCharts": [],  # the page adds one for every metric
        "compareRunSections": [{"uuid": word, "name": word, **section} for word in SECTIONS],
        "isAccordionReordered": True,  # otherwise the sections would be sorted by name
    }


def grouping(arms: Sequence[str]) -> tuple[str, str]:
    """Parameter or tag by which the pages group runs by arm: whichever has more distinct colours.

    MLflow computes a group's colour from its name, and two arms in one colour cannot be
    distinguished in a chart.
    """

    def colours(prefix: str) -> int:
        return len({_colour(f"{prefix}.{arm}") for arm in arms})

    by_tag = colours("tag.repro.arm") > colours("param.arm")
    return ("tag", "repro.arm") if by_tag else ("param", "arm")


def _colour(name: str) -> int:
    """The colour that MLflow gives a group: Fletcher's checksum of the name, modulo `COLOURS`.

    Always using the same one would give some shipped studies two arms in one colour needlessly.
    """
    low = high = 0
    for letter in name:
        low = (low + ord(letter)) % 255
        high = (high + low) % 255
    return (low | high << 8) % COLOURS
