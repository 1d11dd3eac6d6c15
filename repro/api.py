"""Run a study from Python; get its results as data frames and tables.

The public API is listed in ``docs/api.md``; everything else may change.
"""

import numbers
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd

from repro.analysis import study_data
from repro.analysis.outcomes import Outcomes
from repro.argument_checks import arrays
from repro.detectors.base import Channels, Range, Reads
from repro.detectors.given import MOST_PIXELS, of_option
from repro.execution import detector_scoring, stackable
from repro.execution import until_answered as rule
from repro.execution.executors.executor_options import (
    MOST_STACKED,
    MOST_WORKERS,
    ExecutorName,
    Kernels,
    Place,
)
from repro.execution.executors.executor_registry import executor_at
from repro.metrics import pooled_recall
from repro.records import records
from repro.records.records import BriefRecord, StudyIndex
from repro.reporting.tables import answer, claims_json, output_formats, run_notes
from repro.reporting.tables.presentation import Presentation
from repro.reporting.tables.table_part import Format, Style
from repro.reporting.terminal.progress import Quiet, on_this_terminal
from repro.stats.disparity import DEFINITIONS
from repro.stats.intervals import LARGEST
from repro.study import study_files
from repro.study.study import Study, load

PLAIN = (str, bool, numbers.Real, np.bool_, type(None), Mapping, list, tuple, Path)


@dataclass(frozen=True, slots=True, repr=False)
class StudyResults:
    """The results of a study.

    Attributes:
        index: The runs that the study needs.
        results: The folder of their records.
    """

    index: StudyIndex
    results: Path

    def __repr__(self) -> str:
        index, found = self.index, records.read_study(self.index, self.results)
        wanted = sum(len(arm.keys) for arm in index.arms)
        failed = sum(not record.finished for record in found.values())
        state = (
            f"<StudyResults of {index.name} ({index.variant}): {len(found)} of {wanted} runs "
            f"finished, {failed} failed; results in {self.results}>"
        )
        return "\n".join([self.answer, state]) if self.answer else state

    @property
    def answer(self) -> str:
        """What the study says to its claims, in at most three sentences, and of other detectors.

        Empty without either.
        """
        return answer.of_study(self.outcomes()).text

    @property
    def claims(self) -> pd.DataFrame:
        """A row for each claim, as in ``repro table --format json``: ``word``, ``effect`` ...

        ``effect``, ``low`` and ``high`` are in percentage points, of a variance in percent squared.
        """
        rows = claims_json.fields(self.outcomes())["claims"]
        return pd.DataFrame([_claim(row) for row in rows])

    @property
    def runs(self) -> pd.DataFrame:
        """A row for each run that ended.

        Columns: ``arm``, ``seed``, ``failure`` (None, or term and reason), ``recall`` over all
        portraits and every other number of the record, all fractions in [0, 1], not percent.
        """
        return pd.DataFrame([_run(arm, record) for arm, record in self._ended()])

    @property
    def groups(self) -> pd.DataFrame:
        """A row for each group of each run: ``arm, seed, group, n, detected, recall``."""
        rows = [
            {
                "arm": arm,
                "seed": record.seed,
                "group": name,
                "n": count.n,
                "detected": count.detected,
                "recall": count.share,
            }
            for arm, record in self._ended()
            for name, count in record.groups.items()
        ]
        return pd.DataFrame(rows)

    def outcomes(self) -> Outcomes:
        """The arms as arrays for `repro.stats`, with the scores of all photographs."""
        found = records.read_study(self.index, self.results)
        return study_data.of_study(self.index, found, self.results)

    def table(
        self, form: Format = "markdown", *, style: Style = "full", definition: str | None = None
    ) -> str:
        """The tables that ``repro table`` prints, as text; `runs` and `groups` are data frames.

        Args:
            form: ``markdown``, ``latex``, ``html``, ``csv`` or ``tsv`` (the first table alone),
                ``json`` (everything, docs/json.md) or ``terminal``.
            style: ``paper``, its two columns, or ``full``.
            definition: What E[A] and Var[A] are: ``amini2019``, ``dehaan2020`` or ``fijen2020``;
                None for the published source's.

        Raises:
            ValueError: An unknown form, style or definition.
        """
        arrays.word("form", form, get_args(Format))
        arrays.word("style", style, get_args(Style))
        if definition is not None:
            arrays.word("definition", definition, DEFINITIONS)
        wanted = None if form == "json" else style
        presentation = Presentation(form=form, style=wanted, definition=definition)
        return output_formats.text(self.outcomes(), presentation)

    def _ended(self) -> list[tuple[str, BriefRecord]]:
        found = records.read_study(self.index, self.results)
        return [(arm, found[key]) for arm, _, key in self.index.wanted() if key in found]


def _claim(row: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a claim, its effect and interval as columns."""
    effect = row["effect"]
    ends = effect["interval"] or {"low": float("nan"), "high": float("nan"), "level": float("nan")}
    own = {name: ends[name] for name in ("low", "high", "level")}
    return {**row, "effect": effect["value"], **own, "unit": effect["unit"]}


def _run(arm: str, record: BriefRecord) -> dict[str, Any]:
    row: dict[str, Any] = {"arm": arm, "seed": record.seed, "failure": None}
    if record.failure is not None:
        return row | {"failure": f"{record.failure['term']}: {record.failure['reason']}"}
    return row | {"recall": pooled_recall(record.groups)} | record.metrics


def run_study(
    path: str | Path,
    *,
    profile: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    results: str | Path = "results",
    device: str = "cpu",
    workers: int | None = None,
    executor: ExecutorName = "local",
    address: str | None = None,
    progress: bool = True,
    retry_lost: bool = False,
    until_answered: bool = False,
    at_most: int | None = None,
    kernels: Kernels | None = None,
    stack: int | None = None,
) -> StudyResults:
    """Execute every run of a study that has no record yet, as ``repro run`` does.

    It works from any program: a script, with or without ``if __name__ == "__main__":``, lines on
    standard input, a notebook, a thread. In a daemonic worker of multiprocessing, which may not
    start processes, runs execute in that worker, one at a time. Nothing is sent to MLflow; use
    ``repro sync`` afterwards.

    Args:
        path: The study's YAML file, or its name: ``alpha_sweep`` is ``./alpha_sweep.yaml``,
            ``./studies/alpha_sweep.yaml``, or the study that ships with the program.
        profile: One of the file's profiles; the first one if None.
        overrides: Settings to change, by dotted key, such as ``{"epochs": 2}``; text is read as
            after ``--set``.
        results: Folder of the records; ``.`` is the current one.
        device: ``cpu``, ``cuda``, several GPUs, ``cuda:0,cuda:1``, or Apple's, ``mps``.
        workers: Runs at a time; None: as many as the device allows.
        executor: ``local``: child processes; ``inline``: this one; ``ray``: a Ray cluster.
        address: Of the cluster, ``HOST:PORT`` or ``auto``; None starts Ray on this machine.
        progress: Whether to show progress on standard error: bars on a terminal, else lines.
        retry_lost: Whether to repeat runs whose worker died three times.
        until_answered: Whether to add seeds until the primary claim is decided, as a study with
            ``stop`` does.
        at_most: Seeds of each arm at which that ends undecided; None: the study's, or eight times
            its replicates.
        kernels: What computes networks on a processor, ``blocked`` or ``torch``; None: what
            ``REPRO_KERNELS`` says, or blocked ones if there is a C compiler, and a processor with
            AVX2 or a 64-bit ARM. A study whose finished runs were computed with the others is then
            refused.
        stack: Runs of one shape that are trained as one network, in one process for each GPU, 2 to
            1,000; None or 1: each run singly. It is part of the runs' names: a study whose
            finished runs were trained in stacks is refused without it.

    Returns:
        The results, with the runs that failed; if all runs failed, a `UserWarning` says why.

    Raises:
        TypeError: An argument of another type, such as text for a number or a flag.
        ValueError: An unknown executor or unknown kernels, `workers` or `stack` out of range, an
            empty text, or `at_most` without `until_answered`.
        ReproError: An error in the study, the data, the disk or the device; or workers cannot
            start here, and then no run is recorded as failed.
        Busy: Another process is running this study.
    """
    arrays.flag("progress", progress)
    arrays.flag("retry_lost", retry_lost)
    folder = arrays.path("results", results)
    place = _place(
        executor=executor,
        device=device,
        workers=workers,
        address=address,
        kernels=kernels,
        stack=stack,
    )
    study = _study(path, profile, overrides)
    stackable.refuse(study, place)
    if _stops_by_rule(until_answered, at_most):
        study = rule.with_rule(study, at_most)
    display = on_this_terminal() if progress else Quiet()
    with executor_at(place, study.resources, remark=display.remark) as where, display:
        index = rule.execute(
            study,
            folder,
            executor=where,
            on_event=display.on_event,
            retry_lost=retry_lost,
            asked=place.asked,
        )
    _warn_without_numbers(index, folder)
    return StudyResults(index, folder)


def _warn_without_numbers(index: StudyIndex, results: Path) -> None:
    """Warn the caller of the public function if all runs failed."""
    found = study_data.of_study(index, records.read_study(index, results), None)
    if failure := run_notes.of_no_numbers(found):
        warnings.warn(failure, stacklevel=3)


def score_detector(
    path: str | Path,
    model: str | Path,
    *,
    name: str | None = None,
    threshold: float | None = None,
    reads: Reads | None = None,
    input_size: int | None = None,
    channels: Channels = "rgb",
    range: Range = "unit",
    architecture: str | None = None,
    weights: str | Path | None = None,
    profile: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    results: str | Path = "results",
) -> StudyResults:
    """Score a detector that was trained elsewhere on a study's pictures, as ``repro score`` does.

    It stands below the arms in every table. The study need not have been run. Files of Python,
    ``.pt2`` and ``.pt`` are code and are run, in a process of their own: give only files that you
    trust.

    Args:
        path: The study, as for `run_study`.
        model: ``FILE.py:NAME``, an exported program (``.pt2``), TorchScript (``.pt``), ONNX
            (``.onnx``), or weights (``.safetensors``, ``.pth``) with `architecture`.
        name: In tables; the file's name if None.
        threshold: Score from which on a picture is a face; None: the detector's own, or 0.
        reads: ``windows``, those of the study, or ``whole`` pictures; None: what an object of
            Python says, or windows.
        input_size: Side of the squares that it is given, in pixels; None: what its file says.
        channels: ``rgb`` or ``bgr``.
        range: Of the pixels: ``unit``, 0 to 1, or ``raw``, 0 to 255.
        architecture: Of weights: a network of this program, or of the study's plug-ins.
        weights: A file that the function of ``FILE.py:NAME`` is given, opened.
        profile: One of the study's profiles; the first one if None.
        overrides: Settings to change, as for `run_study`.
        results: Folder of the records.

    Returns:
        The results of the study, with the detector in its tables.

    Raises:
        TypeError: An argument of another type.
        ValueError: An unknown word, or a number out of range.
        ReproError: An error in the detector, the study, the data or the disk.
        Busy: Another process is running this study.
    """
    folder = arrays.path("results", results)
    if not isinstance(model, Path):
        arrays.text("model", model)
    for argument, text in (("name", name), ("architecture", architecture)):
        if text is not None:
            arrays.text(argument, text)
    if threshold is not None:
        threshold = arrays.number("threshold", threshold, -LARGEST, LARGEST)
    if input_size is not None:
        input_size = arrays.whole("input_size", input_size, 1, MOST_PIXELS)
    if reads is not None:
        arrays.word("reads", reads, get_args(Reads))
    arrays.word("channels", channels, get_args(Channels))
    arrays.word("range", range, get_args(Range))
    given = of_option(
        str(model),
        name=name,
        threshold=threshold,
        reads=reads,
        input_size=input_size,
        channels=channels,
        range=range,
        architecture=architecture,
        weights=None if weights is None else arrays.path("weights", weights),
    )
    scored = detector_scoring.score(_study(path, profile, overrides), given, folder)
    return StudyResults(scored.index, folder)


def _place(
    *,
    executor: ExecutorName,
    device: str,
    workers: int | None,
    address: str | None,
    kernels: Kernels | None,
    stack: int | None,
) -> Place:
    """Where runs execute, checked."""
    arrays.word("executor", executor, get_args(ExecutorName))
    arrays.text("device", device)
    if workers is not None:
        workers = arrays.whole("workers", workers, 1, MOST_WORKERS)
    if address is not None:
        arrays.text("address", address)
    if kernels is not None:
        arrays.word("kernels", kernels, get_args(Kernels))
    if stack is not None:
        stack = arrays.whole("stack", stack, 1, MOST_STACKED)
    return Place(
        executor=executor,
        device=device,
        workers=workers,
        address=address,
        kernels=kernels,
        stack=stack,
    )


def _study(path: str | Path, profile: str | None, overrides: Mapping[str, Any] | None) -> Study:
    """The study that is asked for, with what is changed in it."""
    if not isinstance(path, Path):
        arrays.text("path", path)
    if profile is not None:
        arrays.text("profile", profile)
    if not isinstance(overrides, Mapping | None):
        raise TypeError(f"overrides must be a mapping of keys to values, not {overrides!r}")
    options = [f"{key}={_written(value)}" for key, value in (overrides or {}).items()]
    return load(study_files.find(path).path, profile=profile, overrides=options)


def _stops_by_rule(until_answered: bool, at_most: int | None) -> bool:
    """Whether seeds are added until the study is answered."""
    arrays.flag("until_answered", until_answered)
    if at_most is not None:
        arrays.whole("at_most", at_most, 2)
        if not until_answered:
            raise ValueError("at_most is for until_answered=True")
    return bool(until_answered)


def _written(value: Any) -> str:
    """A plain value in one line of YAML; text is read as YAML, as after ``--set``."""
    if not isinstance(value, PLAIN):
        raise TypeError(
            f"overrides must be text, numbers, booleans or lists of them, not {value!r}"
        )
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_written(v)}" for key, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_written, value)) + "]"
    if isinstance(value, float) and "e" in repr(value) and "." not in repr(value):
        return repr(value).replace("e", ".0e")  # YAML needs a dot before an exponent
    words = {"True": "true", "False": "false", "None": "null"}
    return words.get(str(value), str(value))
