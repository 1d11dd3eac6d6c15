"""A small study with every objective, from its file to its records."""

import re
from pathlib import Path

import pytest
from builders import configuration, training_images
from safetensors.torch import save

from repro.api import run_study
from repro.errors import ReproError
from repro.execution import calibration
from repro.plugins import plugin_module, plugin_text
from repro.records import records
from repro.study import methods
from repro.training import trainer
from repro.training.trainer import Fit

PAGE = Path(__file__).parents[2] / "docs" / "rivals.md"
STUDY = """\
name: tiny
question: Do the methods run?
base:
  preset: dehaan2020
  checkpoint: last
  validation_share: 0.4
  epochs: 2
  batch_size: 16
  resampling: {rule: none, uniform_epochs: draw}
  data:
    train: {source: synthetic, faces: 80, nonfaces: 80, darker_share: 0.5}
    test: {source: synthetic, per_group: 4}
    nonfaces: {source: synthetic, photographs: 4}
  windows: {sizes: 1, smallest: 0.55, stride: 0.3}
arms:
  - name: none
  - {name: group DRO, objective: {name: group_dro, step_size: 1.0, adjustment: 1.0}}
  - {name: LfF, objective: {name: lff, q: 0.5}}
  - {name: DFR, objective: {name: dfr, of: none, fits: 2}}
reference: none
replicates: 1
select: {keep: 1, by: recall, split: test}
compare: {metrics: [recall, variance], test: t}
profiles: {p: {}}
"""


GROUPS = ("darker_female", "darker_male", "lighter_female", "lighter_male")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """The whole records of the study, by objective."""
    folder = tmp_path_factory.mktemp("rivals")
    results = folder / "results"
    (folder / "tiny.yaml").write_text(STUDY)
    run_study(folder / "tiny.yaml", results=results, executor="inline", progress=False)
    made = [records.read_record(path.name, results) for path in (results / "runs").iterdir()]
    return {record.configuration["objective"]["name"]: record for record in made}


def test_every_objective_ends_with_a_record(found):
    """None of them fails."""
    assert {name: record.failure for name, record in found.items()} == dict.fromkeys(
        ("standard", "group_dro", "lff", "dfr")
    )


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("standard", set()),
        ("group_dro", {"loss", *(f"q/{group}" for group in GROUPS)}),
        ("lff", {"loss", *(f"mean_w/{part}" for part in ("faces", "nonfaces", *GROUPS))}),
    ],
)
def test_what_an_objective_says_is_in_the_history_of_each_epoch(found, name, numbers):
    """Beside the numbers that every run has; a standard run has none more."""
    own = [{n for n in epoch if n.startswith("objective/")} for epoch in found[name].history]
    assert own == [{f"objective/{number}" for number in numbers}] * 2


def test_a_run_of_dfr_starts_from_another_and_says_how_many_faces_it_fitted(found):
    """It has no epochs, and metrics of its own."""
    record = found["dfr"]
    assert (record.source, record.history) == (found["standard"].key, [])
    held_out = [record.metrics[f"objective/held_out/{group}"] for group in GROUPS]
    assert (sum(held_out), min(held_out) >= 4) == (32, True)
    assert record.metrics["objective/strength"] in methods.Dfr().strengths


def test_a_plan_refuses_dfr_where_too_few_faces_of_a_group_are_held_out(tmp_path):
    """At its name, before anything is trained."""
    (tmp_path / "tiny.yaml").write_text(STUDY.replace("share: 0.4", "share: 0.1", 1))
    with pytest.raises(
        ReproError, match=r"tiny\.yaml:19:35: the objective dfr: it fits on held-out face"
    ):
        run_study(tmp_path / "tiny.yaml", results=tmp_path / "results", progress=False)


@pytest.mark.parametrize("name", ["group_dro", "lff"])
def test_the_cost_of_a_method_is_measured_with_its_parameters_and_groups(name):
    """Also where a part of the images would have no face of a group."""
    small = {"source": "synthetic", "faces": 40, "nonfaces": 40, "darker_share": 0.05}
    rule = methods.BUILT_IN.find("rule", "oracle").filled({})
    chosen = methods.BUILT_IN.find("objective", name).filled({})
    arm = configuration(
        data={"train": small, "test": {"source": "synthetic", "per_group": 1}},
        objective={"name": name, "parameters": chosen},
        resampling={"rule": "oracle", "parameters": rule},
    )
    assert calibration.measure(arm, start=0.0, device="cpu").epoch > 0


def test_the_example_of_the_page_trains(tmp_path):
    """As it stands there; gamma 0 is the standard objective to the bit."""
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.S)
    (tmp_path / "focal.py").write_text(block)
    plugins = plugin_module.plugins_of(plugin_text.read(tmp_path / "focal.py"))
    catalogue = methods.BUILT_IN.with_plugins(plugins)

    def bits(name, **given):
        parameters = catalogue.find("objective", name).filled(given)
        arm = configuration(epochs=1, objective={"name": name, "parameters": parameters})
        run = Fit(arm, 0, training_images(), catalogue=catalogue)
        list(run.epochs())
        return save(trainer.checkpoint_tensors(run.fitted().model))

    assert bits("focal", gamma=0.0) == bits("standard") != bits("focal")
