"""Each study that ships runs from its file to its tables, on very little data."""

import pytest
from faults import studies
from places import ROOT

from repro.cli import exhibits
from repro.execution import planning, scheduler
from repro.execution.executors import hardware
from repro.execution.executors.inline import Inline
from repro.records import records
from repro.reporting.tables import rendering, tables
from repro.study import study
from repro.study.section import digest

STUDIES = sorted((ROOT / "studies").glob("*.yaml"))
SMALL = [
    "data.train.faces=20",
    "data.train.nonfaces=20",
    "data.train.darker_share=0.4",  # some of each group are left after the split
    "data.test={source: synthetic, per_group: 1, size: 64}",
    "data.nonfaces={source: synthetic, photographs: 2, size: 64}",
    "batch_size=16",
    "epochs=2",
    "replicates=1",
]
MORE = {  # longer than the first stage of JTT; DFR fits on held-out faces of each group
    "rivals": ["epochs=3", "data.train.faces=60", "data.train.darker_share=0.5"]
}
FAILS = {"product in float32"}  # by design: the product underflows


def kind(task):
    """What runs share that differ in a number alone: one of them stands for all."""
    choices = task.configuration.identity()
    choices["resampling"].pop("alpha", None)
    del choices["classification"]
    return digest([choices, task.data])


@pytest.fixture(scope="module")
def results():
    """One folder for all: a run that several studies want is trained once."""
    with studies.folder() as folder:
        folder.joinpath("runs").mkdir()
        yield folder


@pytest.fixture(scope="module")
def executor():
    """One for all, as a worker that has many runs: what they share it reads and trains once."""
    with Inline("cpu") as here:
        yield here


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_a_study_runs_from_its_file_to_its_tables(path, results, executor):
    """Every kind of arm ends with numbers, and tables and captions can be made of them."""
    planned = planning.plan(
        study.load(path, profile="embedded", overrides=[*SMALL, *MORE.get(path.stem, [])]),
        results,
        computation=hardware.computation(["cpu"]),
    )
    chosen = {task.key: task for task in {kind(task): task for task in planned.tasks}.values()}
    wanted = chosen.keys() | {task.awaits for task in chosen.values()}
    missing = [task for task in planned.tasks if task.key in wanted]
    assert len(list(scheduler.run_tasks(missing, executor))) >= len(missing)
    found = records.read_study(planned.index, results)
    view = exhibits.without_pictures(planned.index, results)
    shown = tables.parts(view.outcomes, style="full")

    ended = [(arm, found[key]) for arm, _, key in planned.index.wanted() if key in found]
    failed = {arm for arm, record in ended if not record.finished}
    text = rendering.render(shown, form="markdown", label=path.stem)
    assert failed == FAILS & {arm.name for arm in planned.index.arms}
    assert all(arm in text for arm, _ in ended)
