"""`repro score`: a detector that was trained elsewhere beside a study's arms."""

import re

import pytest
import torch
from click.testing import CliRunner
from faults import studies
from places import ROOT
from scoring_here import here
from torch import nn

from repro.cli import main
from repro.records import records, scores

EXAMPLES = dict(
    re.findall(
        r"^<!-- (\w+\.py) -->\n```python\n(.*?)^```$",
        (ROOT / "docs" / "detectors.md").read_text(),
        re.M | re.S,
    )
)


def repro(*words, **options):
    """The command's output; it must end well unless told otherwise."""
    result = CliRunner().invoke(main, [*map(str, words)])
    assert result.exit_code == options.get("status", 0), result.output
    return result.output


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A toy study, and the two examples of the page."""
    monkeypatch.chdir(tmp_path)
    for name, text in EXAMPLES.items():
        (tmp_path / name).write_text(text)
    return studies.toy(tmp_path, arms=studies.ONE_ARM, replicates=2, keep=1)


def test_the_examples_of_the_page_run(study):
    """A study without results gets its index; the second time nothing is done."""
    network = nn.Sequential(
        nn.Conv2d(3, 8, 5, stride=4),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 1),
    )
    torch.save(network.state_dict(), "their_weights.pth")
    first = ("--model", "their_network.py:load", "--weights", "their_weights.pth")
    second = ("--model", "brightness.py:detector", "--name", "brightness")

    with here():
        repro("score", study, *first)
        told = repro("score", study, *second)
    again = repro("score", study, *second)  # nothing is loaded

    assert re.search(r"^Detector: brightness.py \([0-9a-f]{32}\)$", told, re.M)
    assert "brightness: scored already, nothing was done" in again
    table = repro("table", study, "--format", "markdown", "--part", "groups")
    assert [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("|")][
        2:
    ] == ["*Reference detectors, trained elsewhere*", "their_network", "brightness"]


def test_it_runs_in_a_process_of_its_own(study):
    """And says on standard error what is run, before it is run."""
    told = repro("score", study, "--model", "brightness.py:detector")
    with here():
        again = repro("score", study, "--model", "brightness.py:detector", "--check")

    assert re.search(r"brightness: scored; it finds a face in \d+ of \d+ portraits", told)
    assert "all scores are as in its record" in again


def test_run_keeps_it_and_its_own_weights_give_its_own_scores(study, tmp_path):
    """A run's network, scored as somebody else's, says what the run said, bit by bit."""
    with here():
        repro("score", study, "--model", "brightness.py:detector")
        studies.run_here(study, tmp_path / "results")
        (index,) = records.read_indexes(tmp_path / "results")
        run = records.folder_of(index.arms[0].keys[0], tmp_path / "results")
        architecture = records.read_record(run.name, tmp_path / "results").configuration
        repro(
            *("score", study, "--model", run / "model.safetensors", "--name", "again"),
            *("--architecture", architecture["architecture"]),
        )
    (index,) = records.read_indexes(tmp_path / "results")
    assert len(index.detectors) == 2
    mine = tmp_path / "results" / "detectors" / index.detectors[1] / "scores.csv"

    own, theirs = (scores.from_csv(one.read_bytes()) for one in (run / "scores.csv", mine))
    for name, expected in own.items():
        assert theirs[name].top_logit.tolist() == expected.top_logit.tolist()


def test_a_name_that_is_taken_is_refused_until_it_is_removed(study):
    """With both commands that help."""
    with here():
        repro("score", study, "--model", "brightness.py:detector")
        other = ("score", study, "--model", "brightness.py:detector", "--threshold", "0.1")
        told = repro(*other, status=1)
        removed = repro("score", study, "--remove", "brightness")
        repro(*other)

    assert "has a detector called 'brightness' already" in told
    assert "--remove 'brightness'" in told
    assert "brightness is taken out" in removed


def test_other_commands_know_it(study, tmp_path):
    """Status counts it, doctor checks it, show prints it, clean keeps it until it is removed."""
    with here():
        repro("score", study, "--model", "brightness.py:detector")
    assert "1 detector trained elsewhere" in repro("status")
    assert "and 1 detector trained elsewhere" in repro("doctor")
    shown = repro("show", "detector-")
    assert "given as" in shown
    assert "input_size" not in shown  # what was not said is not shown
    assert "Nothing to remove" in repro("clean")

    repro("score", study, "--remove", "brightness")
    assert "detectors/detector-" in repro("clean")

    (file,) = (tmp_path / "results" / "detectors").glob("*/scores.csv")
    file.write_bytes(b"")
    assert "damaged" in repro("doctor", status=1)


def test_a_model_is_needed(study):
    """Unless one is taken out."""
    assert "--model names the detector" in repro("score", study, status=2)


def test_a_variant_is_named_by_its_address(study):
    """As the answer of a study and the line below a score name it."""
    change = ("--set", "latent_dim=5")
    with here():
        first = repro("score", study, *change, "--model", "brightness.py:detector")
        address = re.search(r"More: repro table (toy@\w+)", first)[1]
        again = repro("score", address, "--model", "brightness.py:detector")

    assert "scored already, nothing was done" in again
    assert f"More: repro table {address}" in again
