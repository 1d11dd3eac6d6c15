"""What a study says of plug-ins: which runs are named by them, and where mistakes are told."""

import pytest
from faults import studies

from repro.errors import StudyError
from repro.plugins.plugin_errors import PluginError
from repro.study import plugin_files, study

RULE = """\
import numpy as np
from repro.plugins import Parameters, metric, rule

class Power(Parameters):
    power: float = 0.5

@rule("mine", parameters=Power, needs=("groups",))
def mine(latents, context): ...
"""
METRIC = """\
from repro.plugins import metric

@metric("spread", unit="points", better="lower")
def spread(scores, groups, labels, threshold):
    return 0.5
"""
ARMS = """\
  - {name: even, resampling: {combine: none}}
  - {name: rarest, resampling: {alpha: 0.01}}
  - {name: mine, resampling: {rule: mine}}
"""
CLAIM = """\
claims:
  - name: it falls
    quantity: spread
    contrast: {arm: mine, less: even}
    expect: lower
    smallest_effect: {absolute: 2.0}
    primary: true
metrics: [spread]
"""


@pytest.fixture
def file(tmp_path):
    """A study with a rule and a metric of its own."""
    (tmp_path / "mine.py").write_text(RULE)
    (tmp_path / "spread.py").write_text(METRIC)
    path = studies.toy(tmp_path, arms=ARMS, replicates=1, keep=1)
    path.write_text(f"plugins: [mine.py, spread.py]\n{path.read_text()}{CLAIM}")
    return path


def keys(file):
    """The name of each arm's run."""
    return {arm: key for arm, _, key in studies.plan(file, file.parent / "results").index.wanted()}


def changed(file, old, new):
    """A file with one thing replaced."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_one_character_of_a_rule_renames_its_runs_and_no_others(file):
    """A comment counts: the bytes are digested."""
    before = keys(file)
    changed(file.parent / "mine.py", "...", "... ")
    after = keys(file)

    assert {arm for arm in before if before[arm] != after[arm]} == {"mine"}


def test_a_metric_renames_no_run(file):
    """It is computed from stored scores when a table is made."""
    before = keys(file)
    changed(file.parent / "spread.py", "0.5", "0.6")

    assert keys(file) == before


def test_a_parameter_that_is_its_default_renames_no_run(file):
    """The values that are filled in are part of the name, not those that are given."""
    before = keys(file)
    changed(file, "rule: mine", "rule: mine, power: 0.5")
    same = keys(file)
    changed(file, "power: 0.5", "power: 0.25")

    assert same == before
    assert keys(file)["mine"] != before["mine"]


def test_a_plugin_may_be_moved(file):
    """Its path is not part of a name."""
    before = keys(file)
    (file.parent / "deep").mkdir()
    (file.parent / "mine.py").rename(file.parent / "deep" / "other.py")
    changed(file, "[mine.py", "[deep/other.py")

    assert keys(file) == before


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "rule: mine}",
            "rule: mime}",
            "'mime' is not one of none, max, .*mine; did you mean 'mine'",
        ),
        ("rule: mine}", "rule: mine, pover: 1}", "unknown key 'pover'; did you mean 'power'?"),
        ("rule: mine}", "rule: mine, power: x}", "power: input should be a valid number, not 'x'"),
        ("rule: mine}", "rule: mine, of: even}", "the rule 'mine' starts from no other run"),
        ("metrics: [spread]", "metrics: [spred]", "'spred' is not one of spread; did you mean"),
        ("metrics: [spread]", "metrics: [recall]", "recall is in the tables already"),
        ("metrics: [spread]", "metrics: [spread, spread]", "spread is listed twice"),
        ("quantity: spread", "quantity: spraed", r"claims\[0\].quantity: 'spraed' is not one of"),
        (
            "quantity: spread\n",
            "quantity: spread\n    read_at: {matched_to: reference}\n",
            "a metric of a plug-in is read at",
        ),
        ("[mine.py, spread.py]", "[mine.py, mine.py]", "mine.py is listed twice: remove one"),
        ("[mine.py, spread.py]", "[mine.py]", "'spread' is no metric of a plug-in: list the"),
        ("[mine.py, spread.py]", "mine.py", "plugins: a list is expected, not 'mine.py'"),
        ("[mine.py, spread.py]", "[3]", "input should be a valid string"),
    ],
)
def test_a_mistake_is_told_at_its_place(file, old, new, said):
    """File, line and column, and what was meant."""
    changed(file, old, new)

    with pytest.raises(StudyError, match=said) as error:
        study.load(file)
    assert all(one.line for one in error.value.problems)


def test_only_files_that_declare_a_wanted_name_are_run(file):
    """A table needs the metric, and not the rule, which may be broken or gone."""
    changed(file.parent / "mine.py", "import numpy", "1 / 0\nimport numpy")

    found = plugin_files.of_file(file, [("metric", "spread")])
    (file.parent / "mine.py").unlink()
    again = plugin_files.of_file(file, [("metric", "spread")])

    assert found.find("metric", "spread") == again.find("metric", "spread")
    assert found.find("rule", "mine") is None


def test_a_study_that_came_with_results_runs_nothing(file):
    """Wherever the files that it lists are."""
    results = file.parent / "results"
    (results / "runs" / "a-seed0").mkdir(parents=True)
    (results / "runs" / "a-seed0" / "record.json").write_text("{}")
    theirs = results / "toy.yaml"
    theirs.write_text(file.read_text().replace("mine.py, spread.py", "../mine.py, ../spread.py"))

    with pytest.raises(StudyError, match="it lies in a folder of results"):
        study.load(theirs)
    with pytest.raises(PluginError, match="it lies in a folder of results"):
        plugin_files.of_file(theirs, [("metric", "spread")])
