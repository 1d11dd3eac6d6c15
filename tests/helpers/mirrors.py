"""A small study, its records on disk, and what its mirror holds: for the tests of the mirror."""

import hashlib
import json
import shutil
from dataclasses import replace

from builders import study_index

from repro.metrics import Count
from repro.records import records
from repro.records.mlflow import run_content, sqlite_store, study_pages
from repro.records.records import Record

INDEX = study_index(
    {"alpha 0.1": ["a-seed0", "a-seed1"]},
    name="alpha_sweep",
    question="Does bias fall\nas alpha falls?",
    data="12 faces",
)
RECORD = Record(
    key="a-seed0",
    seed=0,
    configuration={"data": {"train": {"faces": 12}}, "layers": [8, 16], "weight": None},
    data={"train": "0123abcd"},
    groups={"darker/female": Count(8, 6)},
    metrics={"recall": 0.75, "val_accuracy": 0.5},
    history=[
        {"epoch": 1.0, "train_loss": 0.9, "val_accuracy": 0.4, "ess": 11.0},
        {"epoch": 2.0, "train_loss": 0.7, "val_accuracy": 0.5, "ess": 12.0},
    ],
    provenance={"commit": "c" * 40, "started": "2026-01-02T03:04:05+00:00", "seconds": 1.5},
)
FAILED = replace(
    RECORD,
    key="a-seed1",
    seed=1,
    failure={"epoch": 2, "term": "kl", "reason": "not finite"},
    groups={},
    metrics={},
    history=[],
)
TABLE = "| arm | recall |\n|---|---|\n| alpha 0.1 | 75 |"
FIGURES = {
    "figures/recall.svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
    "figures/recall.pdf": b"%PDF",
}


BUILT = []


def template(tmp_path_factory):
    """A database that MLflow has built, once for all tests; to copy one takes no time."""
    if not BUILT:
        path = sqlite_store.database(tmp_path_factory.mktemp("template"))
        with sqlite_store.quiet():
            sqlite_store.create_database(path)
        BUILT.append(path)
    return BUILT[0]


def copy_template(path, results):
    """Give a results folder an empty mirror."""
    target = sqlite_store.database(results)
    target.parent.mkdir(parents=True)
    shutil.copyfile(path, target)
    return results


def write_study(results, index=INDEX, found=(RECORD, FAILED)):
    """Records on disk, with a checkpoint where the run finished; the records as they are read."""
    for record in found:
        files = {"model.safetensors": record.key.encode()} if record.finished else {}
        records.write_record(record, results, files)
    records.write_index(index, results)
    return [records.read_record(record.key, results) for record in found]


def client_of(results):
    """A client of the mirror."""
    with sqlite_store.quiet():
        return sqlite_store.connect(sqlite_store.store_uri(results))


def experiment_of(results, name="alpha_sweep/embedded"):
    """The experiment of the small study, or of another."""
    return client_of(results).get_experiment_by_name(name)


def runs_of(results, name="alpha_sweep/embedded"):
    """The runs of its records and somebody's own, less the summary."""
    runs = client_of(results).search_runs([experiment_of(results, name).experiment_id])
    return [run for run in runs if run.data.tags.get("repro.kind") != "summary"]


def summary_of(results):
    """The run that holds tables and figures."""
    runs = client_of(results).search_runs([experiment_of(results).experiment_id])
    (run,) = [run for run in runs if run.data.tags.get("repro.kind") == "summary"]
    return run


def one_run_of(results):
    """A run that finished."""
    return next(run for run in runs_of(results) if run.info.status == "FINISHED")


def folder_of(run):
    """Where the artifacts of a run are."""
    return sqlite_store.folder_of(run.info.artifact_uri)


def holding(results):
    """All that a mirror holds and shows, with MLflow's identifiers and its clock taken out."""
    client = client_of(results)
    found = {}
    for experiment in client.search_experiments():
        runs = client.search_runs([experiment.experiment_id])
        text = repr([_experiment(experiment), sorted(_run(client, run) for run in runs)])
        for run in runs:
            text = text.replace(run.info.run_id, "RUN")
        found[experiment.name] = text.replace(f"experiments/{experiment.experiment_id}/", "")
    return found


def _experiment(experiment):
    tags = dict(experiment.tags)
    if view := tags.pop(study_pages.VIEW_TAG, None):
        tags["view"] = json.loads(view).get("state")
    return sorted(tags.items())


def _run(client, run):
    clock = "repro.key" in run.data.tags
    files = {p for p in folder_of(run).rglob("*") if p.is_file()}
    return (
        run.info.run_name,
        run.info.status,
        (run.info.start_time, run.info.end_time) if clock else None,
        sorted(run.data.params.items()),
        sorted(run.data.tags.items()),
        sorted(
            (name, point.step, point.value, point.timestamp)
            for name in run.data.metrics
            for point in client.get_metric_history(run.info.run_id, name)
        ),
        sorted((p.name, hashlib.sha256(p.read_bytes()).hexdigest()) for p in files),
    )


def write_run(results, record):
    """Mirror a record of the small study, whatever is there already."""
    content = run_content.content(INDEX, "alpha 0.1", record, results)
    with sqlite_store.quiet():
        run_content.write(client_of(results), experiment_of(results).experiment_id, content)
