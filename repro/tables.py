"""Records -> the paper's table, as LaTeX, Markdown or CSV. Never torch, never MLflow.

``E[A]: Recall`` is the mean over the kept runs of the recall pooled over all portraits;
``Var[A]: Measure of Bias`` is the population variance of the run-averaged recalls of the groups,
in percent squared. These are the definitions that give de Haan et al.'s Table 3 from their counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from repro import stats
from repro.metrics import pooled_recall
from repro.records import ArmIndex, Record, StudyIndex

Format = Literal["latex", "markdown", "csv"]
Style = Literal["paper", "full"]
RECALL, VARIANCE = "E[A]: Recall", "Var[A]: Measure of Bias"
DASH = "—"


@dataclass(frozen=True, slots=True)
class ArmResult:
    """One arm's records.

    Attributes:
        wanted: Runs that the study asks for.
        finished: Records with numbers, in the order of the seeds.
        failed: Records with a reason.
        kept: The finished records that the selection keeps; empty if there are too few.
    """

    name: str
    wanted: int
    finished: list[Record]
    failed: list[Record]
    kept: list[Record]

    @property
    def missing(self) -> int:
        """Runs without a record."""
        return self.wanted - len(self.finished) - len(self.failed)


def arm_result(arm: ArmIndex, records: Mapping[str, Record], *, keep: int, by: str) -> ArmResult:
    """Sort an arm's records into finished and failed, and select among the finished."""
    found = [records[key] for key in arm.keys if key in records]
    finished = [record for record in found if record.finished]
    values = [_selection_value(record, by) for record in finished]
    kept = stats.best(values, keep) if keep <= len(finished) else []
    return ArmResult(
        name=arm.name,
        wanted=len(arm.keys),
        finished=finished,
        failed=[record for record in found if not record.finished],
        kept=[finished[i] for i in kept],
    )


def _selection_value(record: Record, by: str) -> float:
    return pooled_recall(record.groups) if by == "recall" else record.metrics["val_accuracy"]


def group_recall(records: Sequence[Record]) -> pd.DataFrame:
    """Recall of each run (rows) and group (columns), in [0, 1]."""
    return pd.DataFrame([{name: count.share for name, count in r.groups.items()} for r in records])


def frame(index: StudyIndex, records: Mapping[str, Record], *, style: Style) -> pd.DataFrame:
    """The table as text cells, one row per arm, indexed by the arm's name."""
    results = [
        arm_result(arm, records, keep=index.select["keep"], by=index.select["by"])
        for arm in index.arms
    ]
    rows = [_paper_cells(r) | (_full_cells(r) if style == "full" else {}) for r in results]
    table = pd.DataFrame(rows, index=pd.Index([r.name for r in results], name="Arm"))
    if style == "full" and index.published and not index.synthetic:
        table = table.join(_published_cells(index))
    return table.fillna(DASH)


def _paper_cells(result: ArmResult) -> dict[str, str]:
    if not result.kept:
        return {RECALL: DASH, VARIANCE: DASH}
    recalls = [pooled_recall(record.groups) for record in result.kept]
    variance = stats.variance_between_groups(group_recall(result.kept).to_numpy())
    return {RECALL: _percent(float(np.mean(recalls))), VARIANCE: f"{1e4 * variance:.2f}"}


def _full_cells(result: ArmResult) -> dict[str, str]:
    cells = {"Finished": f"{len(result.finished)}/{result.wanted}"}
    if result.finished:
        recalls = [pooled_recall(record.groups) for record in result.finished]
        half = stats.t_half_width(recalls)
        spread = "" if np.isnan(half) else f" ± {_percent(half)}"
        cells["Recall, all runs"] = f"{_percent(float(np.mean(recalls)))}{spread}"
    if result.kept:
        groups = group_recall(result.kept)
        cells |= {str(name): _percent(value) for name, value in groups.mean().items()}
        cells["Gap"] = _percent(stats.group_gap(groups.to_numpy()))
        cells["False positives"] = _mean_share(
            [r.nonfaces.share for r in result.kept if r.nonfaces]
        )
        accuracies = [r.metrics["val_accuracy"] for r in result.kept if "val_accuracy" in r.metrics]
        cells["Validation accuracy"] = _mean_share(accuracies)
    return cells


def _published_cells(index: StudyIndex) -> pd.DataFrame:
    assert index.published is not None
    return pd.DataFrame(
        {
            "Published recall": {r["arm"]: f"{r['recall']:.2f}" for r in index.published["rows"]},
            "Published variance": {
                r["arm"]: f"{r['variance']:.2f}" for r in index.published["rows"]
            },
        }
    )


def _mean_share(values: Sequence[float]) -> str:
    return _percent(float(np.mean(values))) if values else DASH


def _percent(share: float) -> str:
    return f"{100 * share:.2f}"


def caption(index: StudyIndex) -> str:
    """What the table shows, of which data, under which profile and overrides."""
    changed = f"; changed: {', '.join(index.overrides)}" if index.overrides else ""
    return f"{index.name}: {index.question} Profile {index.profile}, {index.data}{changed}."


def notes(index: StudyIndex, records: Mapping[str, Record]) -> list[str]:
    """What a reader must know to read the table: selection, definitions, failures, gaps."""
    keep, by = index.select["keep"], index.select["by"]
    found = [
        f"{RECALL} and {VARIANCE} are of {_selection(index)}. Recall is pooled over portraits; the "
        "variance is the population variance of the run-averaged recalls of the groups, in "
        "percent squared."
    ]
    for arm in index.arms:
        result = arm_result(arm, records, keep=keep, by=by)
        if result.failed:
            found.append(f"{_failed(result)}.")
        if result.missing:
            found.append(
                f"{arm.name}: {result.missing} of {result.wanted} runs have no record yet."
            )
    return found + _published_note(index)


def _selection(index: StudyIndex) -> str:
    keep, by, split = (index.select[key] for key in ("keep", "by", "split"))
    wanted = max(len(arm.keys) for arm in index.arms)
    if keep == wanted:
        return f"all {wanted} runs" if wanted > 1 else "a single run"
    flattering = ", which flatters them" if split == "test" else ""
    return f"the best {keep} of {wanted} runs by {by} on the {split} data{flattering}"


def _published_note(index: StudyIndex) -> list[str]:
    if not index.published:
        return []
    where = f"{index.published['source']}, {index.published['printed']}"
    if index.synthetic:
        return [f"Not comparable with {where}: the data are synthetic."]
    return [f"Published: {where}."]


def _failed(result: ArmResult) -> str:
    reasons = sorted(
        {f"{r.failure['term']}: {r.failure['reason']}" for r in result.failed if r.failure}
    )
    return (
        f"{result.name}: {len(result.failed)} of {result.wanted} runs failed ({'; '.join(reasons)})"
    )


def render(index: StudyIndex, records: Mapping[str, Record], *, form: Format, style: Style) -> str:
    """The whole table as text, caption and notes included where the format has a place for them."""
    table = frame(index, records, style=style)
    if form == "csv":
        return table.to_csv().rstrip("\n")
    remarks = notes(index, records)
    if form == "markdown":
        return _markdown(table, caption(index), remarks)
    return _latex(table, caption(index), remarks, label=f"tab:{index.name}-{index.variant}")


def _markdown(table: pd.DataFrame, title: str, remarks: Sequence[str]) -> str:
    header = [str(table.index.name), *map(str, table.columns)]
    rows = [[str(name), *map(str, cells)] for name, *cells in table.itertuples()]
    lines = [_row(header), _row(["---", *["---:"] * (len(header) - 1)]), *map(_row, rows)]
    return "\n".join(
        [f"**{title}**", "", *lines, "", *(f"{remark}\n" for remark in remarks)]
    ).rstrip()


def _row(cells: Sequence[str]) -> str:
    escaped = (cell.replace("|", "\\|").replace("\n", " ") for cell in cells)
    return f"| {' | '.join(escaped)} |"


def _latex(table: pd.DataFrame, title: str, remarks: Sequence[str], *, label: str) -> str:
    """A booktabs table that needs no other package."""
    columns = [_latex_text(str(name)) for name in table.columns]
    body = table.map(_latex_text)
    body.columns = pd.Index(columns)
    body.index = pd.Index([_latex_text(str(name)) for name in table.index])
    text = body.style.to_latex(
        hrules=True,
        column_format="l" + "r" * len(columns),
        caption=_latex_text(title),
        label=label,
        position="ht",
        position_float="centering",
    )
    foot = "".join(f"\\par\\smallskip\\footnotesize {_latex_text(r)}\n" for r in remarks)
    return text.replace("\\end{table}", f"{foot}\\end{{table}}").rstrip("\n")


_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    DASH: "--",
    "±": r"$\pm$",
}


def _latex_text(text: str) -> str:
    escaped = "".join(_LATEX.get(character, character) for character in text)
    escaped = escaped.replace("alpha = ", r"$\alpha$ = ")
    return escaped.replace("E[A]", "$E[A]$").replace("Var[A]", r"$\mathrm{Var}[A]$")
