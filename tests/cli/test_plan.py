"""`repro plan`: what a study cannot tell is said before it is trained."""

import pytest
from click.testing import CliRunner
from data_layouts import put, write_h5, write_ppb

from repro.cli import main
from repro.errors import ReproError
from repro.execution import (
    calibration,
    measuring,
    paper_cost,
    planning,
    stack_cost,
    staleness,
)
from repro.execution.calibration import Cost
from repro.execution.paper_cost import Rates
from repro.execution.stack_cost import Steps
from repro.system import machine

STUDY = """name: toy
question: Does it?
base: {preset: dehaan2020, epochs: 1, batch_size: 4}
arms:
  - name: none
    resampling: {combine: none}
  - name: half
    resampling: {alpha: 0.5}
reference: none
replicates: 5
select: {keep: 3, by: recall, split: test}
false_positive_rates: [0.1]
published: {source: paper, margin: {recall: 0.9, variance: 12.0}}
profiles:
  real: {data: {train: train.h5, test: ppb, nonfaces: others}}
  synthetic: {data: synthetic}
"""
PAPER = """source: Somebody (2020)
printed: Table 1
definition: dehaan2020
replicates: 5
keep: 3
protocol: {groups: {a: 10}, configuration: {}}
rows:
  - {arm: none, recall: 92.0, variance: 46.0}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A study that answers a paper, with real pictures beside it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "published").mkdir()
    (tmp_path / "published" / "paper.yaml").write_text(PAPER)
    (tmp_path / "toy.yaml").write_text(STUDY)
    write_h5(tmp_path / "train.h5")
    write_ppb(tmp_path / "ppb")
    put(tmp_path / "others" / "a.png", 1)
    return tmp_path


def plan(*words):
    """Lines of the plan."""
    done = CliRunner().invoke(main, ["plan", "toy.yaml", "--no-calibration", *words])
    assert done.exit_code == 0, done.output
    return done.stdout.splitlines()


def test_a_study_that_answers_a_paper_is_told_what_its_verdict_can_tell(folder):
    """Three assumed spreads, recall and variance each, before the count of runs."""
    lines = plan()

    assert lines[10] == (
        "Verdict on Somebody (2020), Table 1, with assumed standard deviations between runs:"
    )
    assert [line.split(" ")[3] for line in lines[11:17]] == ["recall", "variance"] * 3
    assert "deviation of 0.5 points, then with the margin of 0.9 points and 5 runs" in lines[11]
    assert lines[17:] == ["10 runs: 0 have a record, 10 to run"]


def test_nothing_is_told_of_a_verdict_that_cannot_be_given(folder):
    """Synthetic data are compared with no paper."""
    assert plan("--profile", "synthetic")[10:] == ["10 runs: 0 have a record, 10 to run"]


def test_a_rate_that_the_photographs_cannot_support_is_told(folder):
    """Eight photographs set no threshold at 10 %: it takes nine."""
    few = ("--profile", "synthetic", "--set")

    assert plan(*few, "data.nonfaces.photographs=8")[10] == (
        "false_positive_rates: a false-positive rate of 10 % takes 9 photographs without a face, "
        "and there are 8; within a factor of 2 with 95 % confidence it takes 109"
    )
    assert len(plan(*few, "data.nonfaces.photographs=9")) == 11


def test_fresh_seeds_are_other_runs(folder):
    """`seeds: {first: 100}` plans seeds 100 to 104, with keys of their own."""
    runs = plan("--profile", "synthetic", "--set", "seeds.first=100")[:10]

    assert [line.split("seed ")[1] for line in runs] == [f"{100 + k // 2}: new" for k in range(10)]
    assert runs[0].split()[2].endswith("-seed100")


CLAIM = """claims:
  - name: somebody gains
    quantity: group_recall
    group: nobody
    read_at: {false_positive_rate: 0.001}
    contrast: {arm: half, less: none}
    expect: higher
    smallest_effect: {absolute: 10.0}
    primary: true
profiles:"""


def test_what_keeps_a_claim_from_an_answer_is_said_before_training(folder):
    """Groups of the test portraits, and photographs for its false-positive rate."""
    (folder / "toy.yaml").write_text(STUDY.replace("profiles:", CLAIM))
    for profile, groups, there in (
        ("synthetic", "darker_female, darker_male, lighter_female, lighter_male", "200"),
        ("real", "darker_male, lighter_female", "1"),
    ):
        lines = plan("--profile", profile)
        warned = [line for line in lines if line.startswith("Warning: claim 'somebody gains'")]
        assert len(warned) == 2
        assert warned[0].endswith(f"no group is called 'nobody'; the groups are {groups}.")
        assert f"takes 999 photographs without a face, and there are {there};" in warned[1]


COST = Cost(start=2.0, load=3.0, epoch=1.5, scan=4.0, memory=5e8, images=96)
STEPS = Steps(step=0.1, memory=3e9)
RATES = Rates(trained=0.001, validated=0.0001, window=0.0002, windows=87.0)
ON_ITS_DATA = "configuration: {data: {train: {source: mit_h5}, test: {source: ppb}}}"


@pytest.fixture
def kernels():
    """Those that were measured."""
    return []


@pytest.fixture
def measured(folder, monkeypatch, kernels):
    """A study of a paper of known size; every measurement finds the same. What was measured."""
    paper = PAPER.replace("configuration: {}", f"training_images: 109914, {ON_ITS_DATA}")
    (folder / "published" / "paper.yaml").write_text(paper)
    found = {calibration: COST, paper_cost: RATES, stack_cost: STEPS}
    found = {module.measure: one for module, one in found.items()}
    asked, used = [], kernels

    def measure(works, slots, *, kernels):
        functions = {name: _function(work.measure) for name, work in works.items()}
        asked.append((sorted(one.__module__ for one in functions.values()), list(slots)))
        used.append(kernels)
        return {name: [found[function]] for name, function in functions.items()}

    monkeypatch.setattr(measuring, "measured", measure)
    monkeypatch.setattr(machine, "processor_name", lambda: "A Processor")
    return asked


def _function(measure):
    """Without what it is called with in any case."""
    return getattr(measure, "func", measure)


def costs(*words):
    """The lines of the plan after the count of runs."""
    done = CliRunner().invoke(main, ["plan", "toy.yaml", "--workers", "2", *words])
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    count = next(place for place, line in enumerate(lines) if line.startswith("10 runs: "))
    return lines[count + 1 :]


def test_what_the_papers_own_study_would_cost_is_told(measured):
    """Ten runs of one epoch here and on a card; all kinds are measured by the same processes.

    By hand: 5 x (87,928 x .001 + 21,983 x .0001 + 10 x 87 x .0002) s is 7 min 32 s, of which
    evaluation takes 2.6 %. The card has a smallest batch of 24, and these have 4.
    """
    assert costs("--profile", "synthetic") == [
        "Expected on this machine, 2 workers: 32 s; 1.0 GB of memory (0.50 GB per run)",
        "The paper's study (profile real: 10 runs x 1 epochs x 87,931 images, batch 4):",
        "  this machine (A Processor), 2 workers: 7 min 32 s, evaluation 2.6 % of it",
        "  one NVIDIA H200: not known; all runs have networks or settings that were not measured",
        "Evaluation is validation after each epoch and the windows of 10 portraits (taken as 87 "
        "each). Reading files is not counted.",
    ]
    assert measured == [
        (["repro.execution.calibration"] * 2 + ["repro.execution.paper_cost"] * 2, ["cpu"] * 2)
    ]


def test_a_card_that_was_measured_is_told_with_how_its_times_were_made(measured, folder):
    """A batch of 64 lies between measured ones."""
    text = (folder / "toy.yaml").read_text()
    (folder / "toy.yaml").write_text(text.replace("batch_size: 4", "batch_size: 64"))
    lines = costs("--profile", "synthetic")

    assert [line.partition(":")[0] for line in lines[1:5]] == [
        "The paper's study (profile real",
        "  this machine (A Processor), 2 workers",
        "  one NVIDIA H200, one run after the other",
        "  one NVIDIA H200, 25 runs as one network (`repro run --stack 25`)",
    ]
    assert lines[6] == (
        "The times of the NVIDIA H200 are estimates: steps, encoding and validation were "
        "measured on 2026-11-27, and a window is taken to cost what a held-out image does. Steps "
        "of 64 images lie between those measured at 24 and 256."
    )


def test_a_plan_in_stacks_measures_stacks_and_says_so(measured, kernels):
    """Ten runs of one shape in stacks of four, here and of the paper.

    By hand: 2 s to start, 3 to load, 24 steps of 0.1 s and 4 runs of 5.5 s, then a stack of two:
    42.8 s. For the paper 21,982 steps twice, and six runs of 2.4 s one after the other.
    """
    lines = costs("--profile", "synthetic", "--stack", "4")

    assert lines[:2] == [
        "In stacks of 4: 3 stacks, of whose 12 networks 2 are copies that fill them up",
        "Expected on this machine, 2 workers with stacks of 4: 43 s; 6.0 GB of memory (3.0 GB per "
        "stack)",
    ]
    assert lines[3].startswith("  this machine (A Processor), 2 workers with stacks of 4: 1 h 14 ")
    assert measured == [
        (
            ["repro.execution.calibration"] * 2
            + ["repro.execution.paper_cost"] * 2
            + ["repro.execution.stack_cost"],
            ["cpu"] * 2,
        )
    ]
    assert kernels == ["torch"]


def test_a_papers_runs_that_cannot_be_stacked_are_measured_singly(measured, kernels, folder):
    """Those of the profile that is planned can."""
    text = (folder / "toy.yaml").read_text()
    faces = "real: {decoder_input: faces, data"
    (folder / "toy.yaml").write_text(text.replace("real: {data", faces))
    lines = costs("--profile", "synthetic", "--stack", "5")

    assert lines[0] == "In stacks of 5: 2 stacks"
    assert lines[1].startswith("Expected on this machine, 2 workers with stacks of 5: ")
    assert lines[3].startswith("  this machine (A Processor), 2 workers: ")
    assert [modules for modules, _ in measured] == [
        ["repro.execution.calibration"] * 2 + ["repro.execution.stack_cost"],
        ["repro.execution.paper_cost"] * 2,
    ]
    assert kernels[0] == "torch"


def test_arms_that_cannot_be_stacked_are_refused_before_a_measurement(measured):
    """With nothing printed before it."""
    out, error = refused("--stack", "4", "--set", "decoder_input=faces")

    assert (out, measured) == ("", [])
    assert error.startswith("Error: --set decoder_input=faces: --stack 4: with faces, batches ")


def test_the_papers_study_is_told_on_several_machines(measured):
    """Five of them take a fifth of the time."""
    lines = costs("--profile", "synthetic", "--machines", "5")

    assert lines[2] == (
        "  5 machines like this one (A Processor), 2 workers on each: 1 min 30 s, "
        "evaluation 2.6 % of it"
    )


@pytest.mark.parametrize("words", [("--executor", "inline"), ("--cpus-per-run", "1000")])
def test_the_workers_are_those_that_would_run(words, measured):
    """One in this very process, and one where a run takes more cores than there are."""
    done = CliRunner().invoke(main, ["plan", "toy.yaml", "--profile", "synthetic", *words])

    assert "\nExpected on this machine, 1 worker: " in done.stdout


def test_of_a_finished_study_the_papers_alone_is_measured(measured, monkeypatch):
    """Its own runs cost nothing any more."""
    monkeypatch.setattr(planning.Plan, "missing", [])
    lines = costs("--profile", "synthetic")

    assert lines[0].startswith("The paper's study (profile real: ")
    assert measured == [(["repro.execution.paper_cost"] * 2, ["cpu"] * 2)]


def test_a_single_missing_run_is_measured_alone(measured, monkeypatch):
    """The paper's ten are measured two at a time, as they would run."""
    tasks = planning.Plan.missing.fget
    monkeypatch.setattr(planning.Plan, "missing", property(lambda plan: tasks(plan)[:1]))
    costs("--profile", "synthetic")

    assert measured == [
        (["repro.execution.calibration"], ["cpu"]),
        (["repro.execution.paper_cost"] * 2, ["cpu"] * 2),
    ]


def test_nothing_is_measured_or_told_if_nobody_wants_it(measured):
    """`--no-calibration`."""
    assert costs("--profile", "synthetic", "--no-calibration") == []
    assert measured == []


def refused(*words):
    """A plan that ends with an error: what it printed on both streams."""
    done = CliRunner().invoke(main, ["plan", "toy.yaml", "--profile", "synthetic", *words])
    assert done.exit_code == 1
    return done.stdout, done.stderr


def _fail(*_, **__):
    raise ReproError("something is wrong")


def test_a_gpu_that_is_not_here_is_told_before_anything_else(measured, monkeypatch):
    """One sentence on standard error, and no line of a plan."""
    monkeypatch.setattr(measuring, "require", _fail)

    assert refused("--device", "cuda") == ("", "Error: something is wrong\n")


@pytest.mark.parametrize("place", [measuring, staleness], ids=lambda one: one.__name__)
def test_an_error_leaves_no_half_of_a_plan(place, measured, monkeypatch):
    """Neither one of the measurement, which comes last, nor one of the records."""
    monkeypatch.setattr(place, "measured" if place is measuring else "reasons", _fail)
    out, error = refused()

    assert out == ""
    assert error.endswith("Error: something is wrong\n")


def test_runs_of_a_gpu_elsewhere_are_planned_without_a_measurement(measured, monkeypatch):
    """`--no-calibration` asks for no device."""
    monkeypatch.setattr(measuring, "require", _fail)

    assert plan("--profile", "synthetic", "--device", "cuda")[-1].startswith("10 runs: ")


def test_a_finished_study_is_planned_without_a_gpu(folder, monkeypatch):
    """Nothing is measured, so that none is asked for."""
    monkeypatch.setattr(measuring, "require", _fail)
    monkeypatch.setattr(planning.Plan, "missing", [])
    monkeypatch.setattr(planning.Plan, "ended", [])

    assert costs("--profile", "synthetic", "--device", "cuda") == []
