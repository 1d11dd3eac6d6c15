"""The experiment of a study at a destination: found or created, never restored or moved."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from repro.errors import ReproError
from repro.records.mlflow import mirror, study_pages
from repro.records.mlflow.remote.destination import Destination
from repro.records.mlflow.sqlite_store import folder_of
from repro.records.records import StudyIndex
from repro.system.printing import one_line

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment

LONGEST = 500  # characters of a name
ON_A_DISK = ("", "file")  # schemes of artifacts that are files of whoever writes them


@dataclass(frozen=True, slots=True)
class Place:
    """Where the runs of a study are sent.

    Attributes:
        experiment: Its identifier.
        name: Its name.
        takes_files: Whether files of runs get to where the server reads them.
        is_ours: Whether this program made the experiment for this study.
        remarks: Sentences about it.
    """

    experiment: str
    name: str
    takes_files: bool
    is_ours: bool
    remarks: tuple[str, ...] = ()


def name_of(index: StudyIndex, given: str | None) -> str:
    """The name of the experiment of a study: the given one, or that of the variant.

    Raises:
        ReproError: MLflow takes no such name.
    """
    name = mirror.experiment_name(index) if given is None else given
    if not name.strip() or len(name) > LONGEST:
        raise ReproError(f"--experiment: a name has 1 to {LONGEST} characters")
    return name


def opened(
    client: "MlflowClient",
    destination: Destination,
    index: StudyIndex,
    *,
    name: str,
    location: str | None,
) -> Place:
    """The experiment; it is created if there is none of this name.

    Args:
        client: Of the destination.
        destination: Where it is.
        index: The study.
        name: Of the experiment.
        location: Where a new experiment keeps files of runs; None: where the server says.

    Raises:
        ReproError: The experiment was deleted, or keeps its files elsewhere than asked, or it is
            not known where a database keeps files.
    """
    found = client.get_experiment_by_name(name)
    if found is None:
        found = _created(client, destination, index, name, location)
    elif location is not None and location.rstrip("/") != found.artifact_location.rstrip("/"):
        raise ReproError(
            f"{destination.shown}: the experiment {one_line(name)!r} keeps its files at "
            f"{destination.clean(found.artifact_location)}, which cannot be changed; leave out "
            "--artifact-location, or give another name by --experiment"
        )
    if found.lifecycle_stage == "deleted":
        raise ReproError(
            f"{destination.shown}: somebody deleted the experiment {one_line(name)!r}. Nothing was "
            f"sent. Restore it (`mlflow experiments restore -x {found.experiment_id}`), or give "
            "another name by --experiment"
        )
    takes = _takes_files(found.artifact_location, destination)
    return Place(
        experiment=found.experiment_id,
        name=name,
        takes_files=takes,
        is_ours=found.tags.get(mirror.STUDY_TAG) == index.name,
        remarks=() if takes else (_left_out(found, destination),),
    )


def _created(
    client: "MlflowClient",
    destination: Destination,
    index: StudyIndex,
    name: str,
    location: str | None,
) -> "Experiment":
    if location is None and not destination.is_server:
        location = _beside(destination, name)
    view = study_pages.view([arm.name for arm in index.arms], created=None)
    tags = {mirror.STUDY_TAG: index.name, study_pages.VIEW_TAG: view}
    from mlflow.exceptions import MlflowException

    try:
        client.create_experiment(
            name,
            artifact_location=location,
            tags={tag: value for tag, value in tags.items() if value is not None},
        )
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    found = client.get_experiment_by_name(name)  # ours, or that of who was first
    if found is None:
        raise LookupError(f"the experiment {name!r} is not there after it was created")
    return found


def _beside(destination: Destination, name: str) -> str:
    """A folder beside the file of a database: MLflow's own choice is the current folder."""
    if destination.file is None:
        raise ReproError(
            f"{destination.shown}: a database does not say where files of runs belong: add "
            "--artifact-location with a store that its readers reach (s3://..., or an absolute "
            "folder as file:///...), or send to the server's http address"
        )
    file = destination.file
    plain = re.sub(r"[^\w.-]+", "_", name)
    return (file.with_name(f"{file.stem}-artifacts") / plain).as_uri()


def _takes_files(location: str, destination: Destination) -> bool:
    """Whether a client here writes files to where the experiment's readers look for them."""
    if urlsplit(location).scheme not in ON_A_DISK:
        return True
    if destination.file is None:
        return False
    return Path(location).is_absolute() or folder_of(location).is_absolute()


def _left_out(experiment: "Experiment", destination: Destination) -> str:
    where = destination.clean(experiment.artifact_location)
    return (
        f"Files of runs were left out: the experiment {one_line(experiment.name)!r} keeps them at "
        f"{where}, a folder, which here would be one of this machine. Parameters, metrics and tags "
        "are sent. For files, send to another name by --experiment on a server that is started "
        "with --artifacts-destination"
    )
