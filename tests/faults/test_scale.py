"""Studies of thousands of runs: memory stays bounded, and no command takes minutes.

What a command took is counted in seconds of the processor, three times the limit, so that a busy
machine fails no test; ``benchmarks/scale.py`` prints the figures themselves.
"""

import json
import subprocess
import sys
import tracemalloc

import commands
import numpy as np
import pytest
import scale

from repro.analysis.arm_scores import ArmScores
from repro.analysis.outcomes import Arm, Outcomes
from repro.reporting.tables import tables
from repro.stats import comparisons, redrawn, selection, trends

GROUP = np.repeat([0, 1], 30)  # sixty portraits
OTHERS = 60  # photographs without a face


def arm(place, runs):
    """Runs with logits that differ, a little higher from arm to arm."""
    generator = np.random.default_rng([place, runs])
    portraits = generator.normal(1 + 0.02 * place, size=(runs, len(GROUP)))
    nonfaces = generator.normal(-1, size=(runs, OTHERS))
    recall = np.stack([(portraits[:, k == GROUP] >= 0).mean(axis=1) for k in (0, 1)], axis=1)
    return Arm(
        name=f"arm {place}",
        alpha=1.0 / (1 + place),
        wanted=runs,
        seeds=tuple(range(runs)),
        groups=("a", "b"),
        sizes=np.array([30, 30]),
        recall=recall,
        selector=recall.mean(axis=1),
        false_positive_rate=(nonfaces >= 0).mean(axis=1),
        nonfaces=OTHERS,
        scores=ArmScores(portraits=portraits, group=GROUP, nonfaces=nonfaces),
    )


def outcomes(arms, runs):
    """A study of these sizes with everything that a table can show but print."""
    return Outcomes(
        name="toy",
        caption="toy: Does it?",
        arms=tuple(arm(place, runs) for place in range(arms)),
        reference="arm 0",
        keep=3,
        by="recall",
        split="test",
        paired=True,
        rates=(0.1,),
        metrics=("recall", "variance"),
        test="t",
        synthetic=True,
    )


def peak(function):
    """The most megabytes that are held at once, beyond what was there before."""
    tracemalloc.start()
    function()
    megabytes = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return megabytes


@pytest.fixture
def figured(amount):
    """Measures a command, which knows one figure unless the whole list is asked for."""

    def measure(*command):
        line = amount(commands.with_a_figure(*command), commands.with_all_figures(*command))
        done = subprocess.run([sys.executable, "-c", scale.WATCH, *line], capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        return scale.Measured(*json.loads(done.stdout))

    return measure


def test_a_table_of_many_runs_holds_little_at_a_time(amount):
    """300 (1,000) runs, all tables: arrangements and draws as one array would be 800 MB (2 GB)."""
    study = outcomes(5, amount(60, 200))

    assert peak(lambda: tables.parts(study, style="full")) < amount(150, 250)


def test_a_table_of_many_arms_holds_little_at_a_time(amount):
    """Nothing that is drawn for an arm is kept for all of them."""
    study = outcomes(amount(40, 200), 5)

    assert peak(lambda: tables.parts(study, style="full")) < 150


@pytest.mark.parametrize(
    "held",
    [
        lambda: comparisons.permutation(np.arange(150.0), np.arange(150.0)),  # 480 MB of keys
        lambda: comparisons.sign_flip(np.sin(np.arange(300.0))),  # 480 MB of signs
        lambda: trends.jonckheere(np.sin(np.arange(900.0)), np.arange(900) % 5),  # 144 MB
        lambda: trends.jonckheere(np.sin(np.arange(5e3)), np.arange(5000) % 1000),
        lambda: selection.pivot(1000, 3, 5),  # 3.2 GB of runs
        lambda: redrawn.statistic(
            np.zeros((2000, 10)),
            np.zeros((2000, 100)),
            np.repeat([0, 1], 5),
            2,
            rate=0.1,
            of=lambda recall: recall.mean(axis=(1, 2))[:, None],  # 320 MB of recalls
        ),
    ],
    ids=["permutation", "sign flip", "trend", "trend's limit", "pivot", "thresholds"],
)
def test_what_is_drawn_is_held_in_parts(held):
    """A few tens of megabytes, however many runs there are."""
    for kept in (comparisons._flips, comparisons._deals, trends._kept_shuffles):
        kept.cache_clear()

    assert peak(held) < 140


@pytest.mark.draws("sides", [(5, 1000), (1000, 5)], 1)
def test_5000_records_are_tabled_in_bounded_time_and_memory(tmp_path, amount, sides):
    """The paper's style in 10 s and 500 MB, everything in 30 s and 700 MB, times three."""
    arms, replicates = (amount(4, side) for side in sides)
    file = scale.write_study(tmp_path, arms=arms, replicates=replicates)
    scale.write_runs(file, tmp_path / "results")
    command = ["table", file, "--results", tmp_path / "results"]
    paper = scale.measure(*command)
    full = scale.measure(*command, "--format", "markdown")

    assert (paper.work < 3 * 10, paper.megabytes < 500) == (True, True), paper
    assert (full.work < 3 * 30, full.megabytes < 700) == (True, True), full


def test_a_large_study_is_shown_in_bounded_time_and_memory(tmp_path, amount, figured):
    """A quarter of 1,000 arms of 20 seeds: in a quarter of the time of each, times three.

    The whole has 120 s and 1 GB for a report, 60 s and 1 GB for MLflow's pages.
    """
    arms, replicates = amount(4, 250), amount(3, 20)
    file = scale.write_study(tmp_path, arms=arms, replicates=replicates)
    results = tmp_path / "results"
    scale.write_runs(file, results)
    of_study = (file, "--results", results)
    report = figured("report", *of_study, "--out", tmp_path / "report")
    sync = figured("sync", *of_study)
    left_out = (tmp_path / "report" / "report.html").read_text()

    assert (report.work < 3 * 30, report.megabytes < 1000) == (True, True), report
    assert (sync.work < 3 * 30, sync.megabytes < 1000) == (True, True), sync
    assert ("Shown: 50 of the 250 arms" in left_out) == (arms == 250)
    assert ("The first 1,000 of 5,000 rows" in left_out) == (arms == 250)


@pytest.mark.draws("sides", [(5, 2000), (1000, 10)], 1)
def test_10000_runs_are_planned_in_bounded_time(tmp_path, amount, sides):
    """In 5 s, times three."""
    arms, replicates = (amount(4, side) for side in sides)
    file = scale.write_study(tmp_path, arms=arms, replicates=replicates)
    took = scale.measure("plan", file, "--results", tmp_path / "results", "--no-calibration")

    assert took.work < 3 * 5, took
    assert not (tmp_path / "results").exists()
