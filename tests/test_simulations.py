"""What docs/statistics.md says of simulated studies is what the code of now gives."""

from dataclasses import replace

import numpy as np
import pytest
from simulations import (
    arms,
    bad_runs,
    differences,
    document,
    matched_threshold,
    populations,
    promises,
    stored_results,
)
from simulations import stopping as stopped_studies
from simulations.populations import Population
from simulations.registry import SIMULATIONS
from simulations.simulation import CHUNK, PROBE, STUDIES, averaged, generator, simulate

from repro.analysis import matched, operating_points
from repro.analysis.arm_scores import ArmScores
from repro.analysis.outcomes import Arm
from repro.stats import conclusions, redrawn, stopping

NAMES = [one.name for one in SIMULATIONS]
every_simulation = pytest.mark.parametrize("simulation", SIMULATIONS, ids=NAMES)


def cells(of):
    """Each simulation with each of its cells."""
    pairs = [(one, cell) for one in SIMULATIONS for cell in of(one)]
    return pytest.mark.parametrize(
        ("simulation", "cell"), pairs, ids=[f"{one.name}: {cell}" for one, cell in pairs]
    )


@cells(lambda one: one.tested)
def test_400_studies_keep_what_is_promised(simulation, cell):
    """One in fifty of those of `make simulations`, with what they have been then.

    The promise fails by chance once in 10,000.
    """
    studies = simulate(simulation, cell, 0, CHUNK)

    assert promises.broken(simulation, {cell: averaged(studies)}) == []
    assert stored_results.outdated(simulation, cell, studies) == []


@cells(lambda one: [cell for cell in one.cells if cell not in one.tested])
def test_a_stored_result_is_that_of_the_code(simulation, cell):
    """The first studies come out as they are stored; if not, run `make simulations` again."""
    studies = simulate(simulation, cell, 0, PROBE)

    assert stored_results.outdated(simulation, cell, studies) == []


@every_simulation
def test_stored_results_keep_what_is_promised(simulation):
    """Over all 20,000 studies."""
    assert promises.broken(simulation, stored_results.means(simulation)) == []


@every_simulation
def test_every_cell_is_stored_with_all_studies(simulation):
    """And no other; nothing is promised or tested of a cell that is not there."""
    content = stored_results.read(simulation)

    assert content["studies"] == STUDIES
    assert list(content["cells"]) == list(simulation.cells)
    assert {one.cell for one in simulation.promises} | {*simulation.tested} <= {*simulation.cells}
    for promise in simulation.promises:
        assert promise.column in content["cells"][promise.cell]


def test_no_result_is_stored_of_a_simulation_that_is_not_there():
    """A renamed one leaves nothing."""
    assert {path.stem for path in stored_results.FOLDER.iterdir()} == {*NAMES}


def test_the_document_prints_the_stored_results():
    """`make simulations` writes both."""
    before, after = document.around(document.DOCUMENT.read_text())

    assert document.DOCUMENT.read_text() == before + document.text(SIMULATIONS) + after


SMALL = Population(
    recalls=(0.8, 0.9), sizes=(6_000, 4_000), run=0.5, interaction=0.3, portrait=1.0, runs=300
)


@pytest.fixture(scope="module")
def recalls():
    """Of the groups in 300 good and bad runs."""
    bad = replace(SMALL, bad=0.3, drop=(0.1, 0.3))
    study = populations.draw(bad, generator("test", "", 0))
    return bad, study, populations.recalls(bad, study.detected)[0]


def test_a_populations_recalls_are_those_that_are_asked_for(recalls):
    """In good runs, and over all of them, within four standard errors."""
    population, study, found = recalls
    good = found[~study.bad[0]]
    for values, expected in ((good, population.recalls), (found, population.truth())):
        error = values.std(axis=0) / np.sqrt(len(values))
        assert values.mean(axis=0) == pytest.approx(expected, abs=4 * error.max())


def test_bad_runs_come_as_often_and_are_as_bad_as_is_asked_for(recalls):
    """Three in ten find a fifth fewer."""
    _, study, found = recalls
    bad = study.bad[0]

    assert bad.mean() == pytest.approx(0.3, abs=4 * np.sqrt(0.21 / 300))
    assert found[bad].mean() / found[~bad].mean() == pytest.approx(0.8, abs=0.03)


def test_only_faulty_arms_have_bad_runs():
    """Here the first of three."""
    some = replace(SMALL, sizes=(5, 5), arms=3, bad=0.5, drop=(0.1, 0.3), faulty=1)
    bad = populations.draw(some, generator("test", "", 0)).bad

    assert bad.any(axis=1).tolist() == [True, False, False]


def test_all_runs_see_the_same_portraits():
    """Where portraits alone differ, and by much, runs agree on most of them."""
    same = replace(SMALL, sizes=(500, 500), arms=2, runs=2, run=0, interaction=0, portrait=12.0)
    detected = populations.draw(same, generator("test", "", 0)).detected.reshape(4, -1)

    assert (detected == detected[0]).mean() > 0.9


@pytest.mark.parametrize("name", bad_runs.UNITS)
def test_simulated_intervals_are_those_of_the_tables(name):
    """With the spread of the arm alone, and with that of all arms."""
    population = bad_runs.CELLS["one bad run in five, 3 arms"]
    for index in range(5):
        study = populations.draw(population, generator("test", "", index))
        recall = populations.recalls(population, study.detected)
        found = bad_runs.intervals(name, population, recall[None], study.detected[None, 0])
        whole = arms.outcomes(population, study.detected, scores=True)
        for kind, outcomes in (("wider", whole), ("own", replace(whole, arms=whole.arms[:1]))):
            expected = of_tables(name, outcomes).interval
            assert found[kind][:, 0].tolist() == pytest.approx(list(expected), rel=1e-9)


@pytest.mark.parametrize("cell", matched_threshold.CELLS)
def test_simulated_matched_intervals_are_those_of_the_tables(monkeypatch, cell):
    """Of as many redrawn samples."""
    monkeypatch.setattr(redrawn, "MOST", matched_threshold.SAMPLES)
    redrawn.draws.cache_clear()
    shift = matched_threshold.CELLS[cell]
    studies = [matched_threshold.draw(shift, generator("test", cell, i)) for i in range(3)]
    found = matched_threshold.measure(shift, studies)
    for place, study in enumerate(studies):
        reference, arm = (an_arm(study, which) for which in (0, 1))
        apart = matched.difference(arm, reference, matched_threshold.DEFINITION)
        assert found["matched"][place] == (not matched.refusal(arm, reference))
        for name, unit in matched_threshold.UNITS.items():
            low, high = apart[name].interval
            ours = found[name][place], found[f"{name}, width"][place]
            expected = unit * apart[name].value, unit * (high - low)
            assert ours == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True)
    redrawn.draws.cache_clear()


def an_arm(study, which):
    """One of a study's arms as those of the tables, with the recalls that its logits give."""
    portraits, nonfaces = study.portraits[which], study.nonfaces[which]
    groups, sizes = matched_threshold.GROUP, matched_threshold.SIZES
    recall = [(portraits[:, groups == k] >= 0).mean(axis=1) for k in range(len(sizes))]
    return Arm(
        name=str(which),
        alpha=None,
        wanted=len(portraits),
        seeds=tuple(range(len(portraits))),
        groups=tuple(map(str, range(len(sizes)))),
        sizes=sizes,
        recall=np.stack(recall, axis=1),
        selector=np.mean(recall, axis=0),
        scores=ArmScores(portraits=portraits, group=groups, nonfaces=nonfaces),
    )


def of_tables(name, outcomes):
    """The first arm's estimate as tables print it."""
    arm = outcomes.arms[0]
    if name == "group recall":
        return operating_points.group_estimates(outcomes, arm)[bad_runs.GROUP]
    if name == "variance without noise":
        return operating_points.without_noise(outcomes, arm, bad_runs.DEFINITION)
    if name == "variance of runs":
        return operating_points.reading(outcomes, arm, bad_runs.OF_RUNS).of["variance"]
    return operating_points.reading(outcomes, arm, bad_runs.DEFINITION).of[name]


def intervals_of(plan, values):
    """Of each look, by the functions of the program."""
    if not plan.anytime:
        return stopping.at_looks(values, plan.looks)
    return [stopping.anytime_interval(values[:pairs]) for pairs in plan.looks]


@pytest.mark.parametrize(
    "plan", [stopped_studies.PLANS[0], stopped_studies.PLANS[3], stopped_studies.PLANS[-1]]
)
def test_simulated_studies_stop_at_the_first_look_that_decides(plan):
    """With the word of that look's interval, or with none at the last look."""
    studies = [
        differences.draw(plan.runs, plan.looks[-1], generator("test", "", index))
        for index in range(40)
    ]
    found = stopped_studies.measure(plan, studies)
    for index, values in enumerate(studies):
        turned = [
            conclusions.Interval(low + plan.smallest, high + plan.smallest)
            for low, high in intervals_of(plan, values[0])
        ]
        said = [conclusions.of_interval(one, plan.smallest) for one in turned]
        look = next((i for i, one in enumerate(said) if one != "cannot tell yet"), -1)
        assert found[f"{said[look]}, true 1"][index] == 1
        assert found["pairs until a word, true 1"][index] == plan.looks[look]
        assert found["stopped, true 1"][index] == any(0 not in one for one in turned)


def test_bad_runs_leave_the_expected_difference_at_zero():
    """In one arm or in both, over 40,000 pairs; good pairs have a standard deviation of 1."""
    for runs in (differences.GOOD, differences.BOTH, differences.ARM, differences.REFERENCE):
        values = differences.draw(runs, 10, generator("test", runs.told, 0), studies=4_000)
        assert values.mean() == pytest.approx(0, abs=4 * values.std() / 200)
    good = differences.draw(differences.GOOD, 10, generator("test", "", 0), studies=4_000)
    assert good.std() == pytest.approx(1, abs=4 / np.sqrt(2 * 40_000))
