"""Each study that ships runs from its file to its tables, on very little data."""

from pathlib import Path

import pytest
from conftest import execute

from repro import exhibits, machine, records, rendering, runner, study, tables
from repro.sections import digest

STUDIES = sorted((Path(__file__).parent.parent / "studies").glob("*.yaml"))
SMALL = [
    "data.train.faces=24",
    "data.train.nonfaces=24",
    "data.test={source: synthetic, per_group: 2, size: 64}",
    "data.nonfaces={source: synthetic, photographs: 4, size: 64}",
    "batch_size=16",
    "epochs=2",
    "replicates=1",
]
FAILS = {"product in float32"}  # by design: the product underflows


def kind(task):
    """What runs share that differ in alpha alone: one of them stands for all."""
    choices = task.configuration.identity()
    choices["resampling"].pop("alpha", None)
    return digest([choices, task.data])


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_a_study_runs_from_its_file_to_its_tables(path, tmp_path):
    """Every kind of arm ends with numbers, and tables and captions can be made of them."""
    planned = runner.plan(
        study.load(path, profile="embedded", overrides=SMALL),
        tmp_path,
        computation=machine.computation(["cpu"]),
    )
    tmp_path.joinpath("runs").mkdir()
    for task in {kind(task): task for task in planned.tasks}.values():
        execute(task)
    found = records.read_study(planned.index, tmp_path)
    material = exhibits.without_pictures(planned.index, tmp_path)
    shown = tables.parts(material.outcomes, style="full")

    ended = [(arm, found[key]) for arm, _, key in planned.index.wanted() if key in found]
    failed = {arm for arm, record in ended if not record.finished}
    text = rendering.render(shown, form="markdown", label=path.stem)
    assert failed == FAILS & {arm.name for arm in planned.index.arms}
    assert all(arm in text for arm, _ in ended)
