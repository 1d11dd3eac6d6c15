"""Sends the records of a study to a tracking server or a database of MLflow.

Only what is missing is sent, so an interrupted push goes on and a second one sends nothing. Runs of
other people are not touched, and a run of ours that somebody deleted there is not sent again. Only
`MlflowClient` is used: the rest of MLflow would go on with a run that the environment names.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from repro import __version__
from repro.errors import ReproError
from repro.records import records
from repro.records.mlflow import run_content, study_pages
from repro.records.mlflow.remote import experiments, failures, first_call, parcels, runs
from repro.records.mlflow.remote.destination import Destination, settings
from repro.records.mlflow.remote.experiments import Place
from repro.records.mlflow.remote.parcels import Parcel
from repro.records.mlflow.run_content import Name
from repro.records.records import StudyIndex
from repro.system.count_progress import counting
from repro.system.printing import one_line

if TYPE_CHECKING:
    from mlflow import MlflowClient

AGAIN = "What was sent is kept: run the same command again, and it goes on"
Page = tuple[str, Mapping[str, bytes]]  # as made by `study_pages.text`, and files by path


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is sent where.

    Attributes:
        destination: A server or a database.
        experiment: Name of the experiment; that of the study's variant if None.
        location: Where a new experiment keeps files of runs; None: where the server says.
        weights: Whether files of networks are sent, too.
    """

    destination: Destination
    experiment: str | None = None
    location: str | None = None
    weights: bool = False


@dataclass(slots=True)
class Sent:
    """What a push did.

    Attributes:
        where: Of the experiment: its name and address.
        runs: Runs of the study that have a record.
        new: Runs that were not there.
        completed: Runs of which a part was there.
        renewed: Runs that were there with another content.
        weights: Runs whose files of networks were sent.
        trashed: Runs that somebody deleted there.
        cut: Values that the server does not keep whole.
        page: Whether tables and figures were sent.
        remarks: Sentences about other observations.
    """

    where: str = ""
    runs: int = 0
    new: int = 0
    completed: int = 0
    renewed: int = 0
    weights: int = 0
    trashed: int = 0
    cut: int = 0
    page: bool = False
    remarks: list[str] = field(default_factory=list)

    @property
    def is_nothing(self) -> bool:
        """Whether all was there before."""
        return not (self.new or self.completed or self.renewed or self.weights or self.page)

    def __str__(self) -> str:
        counts = {
            "new": self.new,
            "completed": self.completed,
            "made again because their content changed": self.renewed,
            "with their networks": self.weights,
        }
        told = ", ".join(f"{number} {what}" for what, number in counts.items() if number)
        if self.is_nothing:
            line = f"nothing to send: all of the {self.runs} runs are there"
        else:
            page = ["the tables and figures"] * self.page
            line = f"sent {' and '.join([*([told] if told else []), *page])}; "
            line += f"{self.runs} runs have a record"
        deleted = f"{self.trashed} runs were deleted there; they are left as they are"
        return "\n".join(
            [*self.remarks, *([deleted] if self.trashed else []), f"{self.where}: {line}"]
        )


def push(
    index: StudyIndex, results: Path, wish: Wish, *, summary: Callable[[StudyIndex], Page]
) -> Sent:
    """Send the runs of a study that have a record, and its tables and figures.

    Args:
        index: The study.
        results: The results folder.
        wish: What is sent where.
        summary: Gives the page content of the study; called only if it has to be sent.

    Raises:
        ReproError: The destination cannot be used, or failed; what was sent is kept.
    """
    names = [(arm, key) for arm, _, key in index.wanted() if records.has_record(key, results)]
    if not names:
        raise ReproError(f"{results}: {index.address} has no finished run to send")
    name = experiments.name_of(index, wish.experiment)
    sent, destination = Sent(runs=len(names)), wish.destination
    with settings(destination):
        client = first_call.connect(destination)
        with failures.in_a_sentence(destination, advice=AGAIN):
            place = experiments.opened(
                client, destination, index, name=name, location=wish.location
            )
            link = destination.link(place.experiment)
            sent.where = f"Experiment {one_line(place.name)!r} at {link}"
            sent.remarks += place.remarks
            _Push(client, place, index, results, wish, sent).all(names, summary)
    if sent.cut:
        kept = f"in {parcels.LONG} of each run" if place.takes_files else "in the records here"
        sent.remarks.append(f"{sent.cut} long values were cut there; whole they are {kept}")
    return sent


@dataclass(frozen=True, slots=True)
class _Push:
    """One push to an open experiment."""

    client: "MlflowClient"
    place: Place
    index: StudyIndex
    results: Path
    wish: Wish
    sent: Sent

    def all(self, names: list[Name], summary: Callable[[StudyIndex], Page]) -> None:
        """Send every run, then the tables and figures."""
        there = runs.there(self.client, self.place.experiment, self.index)
        for double in there.doubles:  # of two pushes at once
            self.client.delete_run(double.info.run_id)
        with counting(f"{self.place.name} to MLflow", len(names), unit="runs") as advance:
            for arm, key in names:
                self.one(self.parcel(arm, key), there)
                advance(1)
        self.page(names, there, summary)

    def parcel(self, arm: str, key: str) -> Parcel:
        """A run as it is sent."""
        record = records.read_record(key, self.results)
        return parcels.parcel(
            f"{self.index.name}/{arm}/{key}",
            run_content.whole(self.index, arm, record, self.results),
            record.files,
            takes_files=self.place.takes_files,
            weights=self.wish.weights,
        )

    def one(self, wanted: Parcel, there: runs.There) -> None:
        """Send what is missing of a run."""
        run, sent = there.active.get(wanted.name), self.sent
        if wanted.name in there.trashed:
            sent.trashed += 1
            return
        if run is not None and not runs.is_whole(run, wanted):
            if runs.can_be_completed(self.client, run, wanted):
                sent.completed += 1
                sent.cut += runs.complete(self.client, run, wanted)
            else:
                self.client.delete_run(run.info.run_id)
                sent.renewed += 1
                run = None
        elif run is None:
            sent.new += 1
        if run is None:
            run = runs.create(self.client, self.place.experiment, wanted)
            sent.cut += runs.complete(self.client, run, wanted)
        if not runs.has_weights(run, wanted):
            runs.send_weights(self.client, run, wanted)
            sent.weights += 1

    def page(
        self, names: list[Name], there: runs.There, summary: Callable[[StudyIndex], Page]
    ) -> None:
        """Send the run that holds tables and figures, if it shows another state of the study."""
        name = f"{self.index.name}/{self.index.variant}/{study_pages.SUMMARY}"
        run = there.active.get(name)
        shown = {run_content.SHOWS_TAG: self._state(names)}
        if name in there.trashed or (
            run is not None
            and runs.PUSHED in run.data.tags
            and run.data.tags.get(run_content.SHOWS_TAG) == shown[run_content.SHOWS_TAG]
        ):
            return
        text, files = summary(self.index)
        content = study_pages.summary(self.index, text, files, tags=shown)
        wanted = parcels.parcel(
            name, content, {}, takes_files=self.place.takes_files, weights=False
        )
        run = run or runs.create(self.client, self.place.experiment, wanted)
        runs.complete(self.client, run, wanted)
        if self.place.is_ours:
            described = study_pages.description(
                self.index,
                text,
                files=content.artifacts if self.place.takes_files else (),
                run=run.info.run_id,
                link=study_pages.run_link(self.place.experiment, run.info.run_id),
            )
            self.client.set_experiment_tag(self.place.experiment, run_content.NOTE, described)
        self.sent.page = True

    def _state(self, names: list[Name]) -> str:
        """A digest of what tables and figures are made from, and of the release that makes them."""
        made_from = [__version__, asdict(self.index), sorted(names), self.place.takes_files]
        return hashlib.sha256(json.dumps(made_from).encode()).hexdigest()
