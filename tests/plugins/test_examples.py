"""The examples of docs/extend.md are short, stand there as they are, and run."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from faults import studies
from small_torchvision import make_importable

import repro
from repro.cli import main
from repro.data import sources
from repro.records import records
from repro.study.data_spec import SyntheticTraining

DOCS = Path(repro.__file__).parent.parent / "docs"
EXAMPLES = sorted(path.name for path in (DOCS / "examples").glob("*.py"))
SHOWN = dict(
    re.findall(
        r"^<!-- docs/examples/(\w+\.py) -->\n```python\n(.*?)^```$",
        (DOCS / "extend.md").read_text(),
        re.M | re.S,
    )
)
STUDY = """\
name: mine
question: Do the examples run?
plugins: [inverse_root.py, equal_opportunity.py, small_resnet.py, npz_file.py]
metrics: [equal_opportunity_difference]
base:
  preset: dehaan2020
  epochs: 1
  batch_size: 16
  windows: {sizes: 1, smallest: 0.6}
  data:
    train: {source: npz_file, path: crops.npz}
    test: {source: synthetic, per_group: 2, size: 64}
    nonfaces: {source: synthetic, photographs: 4, size: 64}
arms:
  - {name: root, resampling: {rule: inverse_root, power: 1.0, first_epoch: resampled}}
  - name: resnet
    model: classifier
    architecture: {name: small_resnet, stride: 4}
    resampling: {rule: none}
reference: root
replicates: 1
select: {keep: 1, by: recall, split: test}
profiles: {embedded: {}}
"""


def test_all_four_are_shown():
    """A rule, a metric, a network and a source."""
    assert sorted(SHOWN) == EXAMPLES
    assert len(EXAMPLES) == 4


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_shown_as_it_is_and_is_short(name):
    """At most 20 lines."""
    text = (DOCS / "examples" / name).read_text()

    assert SHOWN[name] == text
    assert len(text.splitlines()) <= 20


@pytest.fixture
def examples(tmp_path, monkeypatch):
    """A study that uses all four, with its data, in the working folder."""
    make_importable()
    for name in EXAMPLES:
        shutil.copy(DOCS / "examples" / name, tmp_path)
    made = sources.training_images(SyntheticTraining(faces=24, nonfaces=24, darker_share=0.5))
    np.savez(
        tmp_path / "crops.npz",
        images=made.images,
        is_face=made.is_face,
        groups=np.array(made.groups),
    )
    (tmp_path / "mine.yaml").write_text(STUDY)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_study_that_uses_all_four_runs(examples):
    """Each run's record names its plug-ins, and the table has the metric."""
    studies.run_here(Path("mine.yaml"), Path("results"))
    tasks = studies.plan(Path("mine.yaml"), Path("results")).tasks
    found = [records.read_record(task.key, Path("results")) for task in tasks]
    shown = CliRunner().invoke(main, ["table", "mine.yaml", "--format", "json"])

    assert [record.failure for record in found] == [None, None]
    assert [sorted(record.plugins) for record in found] == [
        ["rule inverse_root", "source npz_file"],
        ["model small_resnet", "source npz_file"],
    ]
    assert "equal_opportunity_difference" in json.dumps(json.loads(shown.stdout))
