"""Addresses of MLflow's pages of a study, for pages of the same server: its runs, and each of them.

They are read from the database alone, so that MLflow need not be loaded; where it cannot be read,
or knows nothing of the study, there are no addresses.
"""

import contextlib
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

from repro.records.mlflow import bulk_writer, mirror, run_content, sqlite_store, study_pages
from repro.records.mlflow.run_content import Name
from repro.records.records import StudyIndex

EXPERIMENT = "SELECT experiment_id FROM experiments WHERE name = ? AND lifecycle_stage = 'active'"


@dataclass(frozen=True, slots=True)
class Links:
    """Where a study is in MLflow.

    Attributes:
        study: Address of its runs, grouped by arm; empty if it is not there.
        runs: Address of each run that is there, by arm and key.
    """

    study: str = ""
    runs: dict[Name, str] = field(default_factory=dict)


def of_study(results: Path, index: StudyIndex) -> Links:
    """The addresses of a study and its runs."""
    path = sqlite_store.database(results)
    if not path.is_file():
        return Links()
    with contextlib.suppress(sqlite3.Error), sqlite_store.opened(path) as connection:
        name = mirror.experiment_name(index)
        found = connection.execute(EXPERIMENT, [name]).fetchone()
        if found is None:
            return Links()
        experiment = str(found[0])
        rows = connection.execute(bulk_writer.LISTING, [found[0]])
        runs = [run_content.as_listed(*row) for row in rows]
        return Links(
            study=f"/{study_pages.view_link(experiment)}",
            runs={
                run.name: f"/{study_pages.run_link(experiment, run.identifier)}"
                for run in runs
                if run.name is not None
            },
        )
    return Links()
