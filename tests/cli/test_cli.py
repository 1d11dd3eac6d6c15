"""The program as a user meets it."""

import contextlib
import json
import re
import signal
import subprocess
import sys
import time

import mirrors
import processes
import pytest
from click.testing import CliRunner
from places import ROOT

from repro import api
from repro.cli import main
from repro.records import records
from repro.reporting.figures import figure_registry

STUDY = str(ROOT / "studies" / "alpha_sweep.yaml")
SMALL = [
    "epochs=2",
    "batch_size=16",
    "data.train.faces=30",
    "data.train.nonfaces=30",
    "data.test.per_group=2",
    "data.test.size=64",
    "data.nonfaces.photographs=4",
    "data.nonfaces.size=64",
]
OVERRIDES = [word for choice in SMALL for word in ("--set", choice)]
VARIANT = [*OVERRIDES, "--set", "replicates=2"]  # of the study that the tests share
FEW = dict(choice.split("=") for choice in [*SMALL, "replicates=1"])

SOME = {name: figure_registry.FIGURES[name] for name in ("training", "extremes")}


def repro(*arguments):
    """The command in this process, whose children begin at once."""
    done = CliRunner().invoke(main, [str(word) for word in arguments])
    return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A whole study: 5 arms x 2 seeds, on the embedded data, very small; its mirror was there.

    It is mirrored with two figures of its many: a command in a process of its own, with all of
    them, is run by the tests of an installed program and of tutorials.
    """
    folder = tmp_path_factory.mktemp("cli") / "results"
    mirrors.copy_template(mirrors.template(tmp_path_factory), folder)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(figure_registry, "FIGURES", SOME)
        patched.setenv("MLFLOW_TRACKING_URI", "http://me:canary@host.test")
        done = repro("run", STUDY, *VARIANT, "--results", folder)
    assert done.returncode == 0, done.stderr
    return folder, done


def test_a_study_runs_and_prints_its_table(results):
    """Every run has a record, a line of progress, and a place in the table."""
    folder, done = results

    assert len(list((folder / "runs").iterdir())) == 10
    assert re.search(r"\[10/10\] .*, \d+ s, [\d,]+ images/s", done.stderr)
    assert "\x1b" not in done.stderr
    assert re.search(r"^alpha = 0.001\b", done.stdout, re.MULTILINE)
    told = " ".join(done.stdout.split())
    assert "changed: batch_size=16, data.nonfaces.photographs=4" in told


def test_a_server_that_was_not_followed_is_told_at_the_end(results):
    """With the command that sends the study there, and without the password."""
    _, done = results

    assert done.stderr.splitlines()[-1].startswith(
        "MLFLOW_TRACKING_URI is set and was not followed. To send the study there: repro sync "
    )
    assert "canary" not in done.stderr + done.stdout


def test_a_finished_study_trains_nothing_again(results):
    """Started again, it finds all records and prints the same table."""
    folder, done = results
    before = {p: p.stat().st_mtime_ns for p in (folder / "runs").rglob("*.json")}
    again = repro("run", STUDY, *VARIANT, "--results", folder)

    assert "10 runs, 10 done before" in again.stderr
    assert again.stdout == done.stdout
    assert {p: p.stat().st_mtime_ns for p in (folder / "runs").rglob("*.json")} == before


def test_more_replicates_train_only_what_is_missing(results):
    """Runs are named by what shapes them, so two of three seeds are there already."""
    folder, _ = results
    wanted = [*OVERRIDES, "--set", "replicates=3", "--results", folder]
    planned = repro("plan", STUDY, *wanted, "--no-calibration")

    assert planned.stdout.splitlines()[-1] == "15 runs: 10 have a record, 5 to run"


def test_a_plan_writes_nothing(tmp_path):
    """Looking is free, even with the time and memory to expect."""
    many = ["--workers", 2, "--machines", 3, "--hourly-price", 0.5]
    planned = repro("plan", STUDY, *OVERRIDES, "--results", tmp_path / "none", *many)

    assert planned.returncode == 0, planned.stderr
    assert re.fullmatch(
        r"Expected on 3 machines like this one, 2 workers on each: [\d a-z]+; [\d.]+ GB of "
        r"memory on each \([\d.]+ GB per run\); [\d.]+ machine-hours, [\d.]+ at 0.5 per hour",
        next(line for line in planned.stdout.splitlines() if line.startswith("Expected on")),
    )
    assert re.search(r"\n  3 machines like this one \(.+\), 2 workers on each: ", planned.stdout)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("command", ["run", "plan"])
def test_a_gpu_that_is_not_there_is_a_users_mistake(command, tmp_path):
    """The device is named, with what to do; there is no traceback."""
    there = ["--device", "cuda:99", "--workers", 1]
    arguments = [command, STUDY, *OVERRIDES, *there, "--results", tmp_path]
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])

    assert done.exit_code == 1
    assert re.search(r"Error: --device cuda:99: torch [\d.+a-z]+ sees \d+ GPUs here", done.stderr)
    assert "Traceback" not in done.stderr


def test_a_plan_without_calibration_ends_with_the_count_of_runs(results):
    """All of this study have a record."""
    folder, _ = results
    planned = repro("plan", STUDY, *VARIANT, "--results", folder, "--no-calibration")

    assert planned.stdout.splitlines()[-1] == "10 runs: 10 have a record, 0 to run"
    assert planned.stderr == ""


def test_a_record_holds_what_the_tables_and_figures_need(results):
    """Scores per photograph, counts, diagnostics, history, provenance."""
    folder, _ = results
    index = records.read_indexes(folder)[0]
    record = records.read_record(index.arms[-1].keys[0], folder)
    scores = (folder / "runs" / record.key / "scores.csv").read_text().splitlines()

    assert scores[0] == "set,photograph,group,top_logit,windows,positive"
    assert len(scores) == 1 + 8 + 4
    weights = {"weights.safetensors", "epoch_weights.safetensors"}
    assert set(record.files) == {"scores.csv", "model.safetensors", *weights}
    assert sum(count.n for count in record.groups.values()) == 8
    assert record.nonfaces.n == 4
    assert len(record.kl_per_latent) == 100
    assert {"val_active_units", "val_accuracy", "false_positive_rate"} <= set(record.metrics)
    assert {"ess", "largest_weight", "val_accuracy"} <= set(record.history[-1])
    assert record.provenance["threads"] == 1
    assert record.provenance["images_per_second"] > 0
    assert [epoch["epoch"] for epoch in record.history] == [1, 2]


def test_a_worker_and_a_lone_run_give_the_same_bits(results, tmp_path):
    """Results do not depend on how many run at once."""
    folder, _ = results
    alone = api.run_study(STUDY, overrides=FEW, workers=1, results=tmp_path)
    assert len(alone.runs) == 5

    for run in (tmp_path / "runs").iterdir():
        ours, theirs = (
            json.loads((path / "record.json").read_text())["files"]
            for path in (run, folder / "runs" / run.name)
        )
        assert ours == theirs


@pytest.mark.parametrize("form", ["latex", "markdown", "csv"])
def test_the_table_reads_records_only(results, form):
    """No torch, no MLflow, no study file."""
    folder, _ = results
    code = (
        "import sys; from repro.cli import main\n"
        f"main(['table', *{VARIANT}, '--format', '{form}', '--results', {str(folder)!r}], "
        "standalone_mode=False)\n"
        "sys.exit(bool({'torch', 'mlflow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "No debias" in done.stdout


def test_the_table_of_a_name_a_file_and_all_is_the_same(results):
    """One study with results: three ways to ask for it."""
    folder, _ = results
    tables = [
        CliRunner().invoke(main, ["table", *study, *VARIANT, "--results", str(folder)]).output
        for study in ([], ["alpha_sweep"], [STUDY])
    ]

    assert tables[0] == tables[1] == tables[2]
    assert r"\begin{table}" in tables[0]


def test_overrides_choose_among_variants(results):
    """--set finds the variant that was run with it, and no other."""
    folder, _ = results
    command = ["table", "alpha_sweep", "--results", str(folder)]
    found = CliRunner().invoke(main, [*command, *VARIANT])
    none = CliRunner().invoke(main, [*command, "--set", "epochs=3"])

    assert (found.exit_code, none.exit_code) == (0, 1)


def test_figures_are_drawn_from_a_study_with_its_synthetic_faces(results, tmp_path):
    """Statistics and pictures, each in three formats, and their captions."""
    folder, _ = results
    command = ["figures", "alpha_sweep", *VARIANT, "--results", str(folder), "--out", str(tmp_path)]
    done = CliRunner().invoke(main, [*command, "--only", "training", "--only", "extremes"])

    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [f"{name}.{form}" for name in ("training", "extremes") for form in ("png", "svg", "pdf")]
        + ["captions.md"]
    )


def test_a_figure_that_a_study_has_nothing_for_is_a_users_mistake(results, tmp_path):
    """Unknown names are told apart from known ones in the library's own test."""
    folder, _ = results
    command = [
        "figures",
        "alpha_sweep",
        *VARIANT,
        "--results",
        str(folder),
        "--out",
        str(tmp_path / "new"),
    ]
    done = CliRunner().invoke(main, [*command, "--only", "recal"])

    assert (done.exit_code, (tmp_path / "new").exists()) == (1, False)
    assert "did you mean 'recall'" in done.output


def test_a_report_holds_the_studies_that_are_named(results, tmp_path, monkeypatch):
    """By file or name, once each; a page, a LaTeX document and its figures."""
    folder, _ = results
    monkeypatch.setattr(figure_registry, "FIGURES", SOME)
    command = [
        "report",
        "alpha_sweep",
        *VARIANT,
        STUDY,
        "--results",
        str(folder),
        "--out",
        str(tmp_path),
    ]
    done = CliRunner().invoke(main, command)

    assert done.exit_code == 0, done.output
    written = {path.name for path in tmp_path.iterdir()}
    assert written == {"report.html", "report.tex", "verdict.json", "figures"}
    assert (tmp_path / "report.html").read_text().count("<h2") == 1


def test_status_counts_runs(results):
    """One line per study and variant."""
    folder, _ = results
    output = CliRunner().invoke(main, ["status", "--results", str(folder)]).output

    assert "10 of 10 runs finished, 0 failed" in output


@pytest.mark.parametrize(
    "command",
    [
        ["run", STUDY, "--set", "epocs=2"],
        ["run", "nowhere.yaml"],
        ["run", STUDY, "--profile", "papr"],
        ["run", STUDY, "--set", "data.train=nowhere.h5"],
        ["run", STUDY, "--set", "data.test=nowhere"],
        ["table", "alpha_swep"],
        ["ui"],
    ],
    ids=lambda command: " ".join(command[:1] + command[2:]),
)
def test_a_mistake_costs_one_message_and_leaves_nothing(command, tmp_path):
    """Exit status 1, a sentence, no traceback, nothing created."""
    done = repro(*command, "--results", tmp_path / "none")

    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "none").exists()


def test_a_float32_product_is_a_failed_run_with_its_reason(tmp_path):
    """The study goes on, the run stays in the denominator, the table says why."""
    study = ROOT / "studies" / "resampling.yaml"
    shown = api.run_study(study, overrides=FEW, workers=1, results=tmp_path).table("markdown")

    assert "| product in float32 | — | — | — | — | — | 0/1 [0.00, 79.35] |" in shown
    assert (
        "product in float32: 1 of 1 runs (21 to 100 %) failed (resampling weights: underflow"
        in shown
    )


STARTED = [sys.executable, "-m", "repro.cli", "run", STUDY, "--workers", "1"]


@contextlib.contextmanager
def started(results):
    """A study that takes a while, and has begun; it ends with the test."""
    with subprocess.Popen(
        [*STARTED, "--results", str(results)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        # A shell's background jobs ignore Ctrl-C, and so would what they start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as running:
        try:
            assert "25 runs" in running.stderr.readline()
            yield running
        finally:
            running.kill()


@pytest.mark.parametrize(
    ("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"]
)
def test_an_interrupted_study_ends_at_once_and_says_how_to_go_on(tmp_path, sent, status):
    """No traceback, no worker left behind."""
    with started(tmp_path) as running:
        processes.wait_until(lambda: processes.below(running.pid))
        time.sleep(2)
        workers = processes.below(running.pid)
        running.send_signal(sent)
        _, errors = running.communicate(timeout=120)

    assert running.returncode == status
    assert "the same command continues" in errors
    assert "Traceback" not in errors
    assert processes.soon(lambda: not processes.left(workers))


def test_a_second_process_on_one_study_is_told_to_wait(tmp_path):
    """Exit status 3, naming the first."""
    with started(tmp_path) as first:
        second = repro("run", STUDY, "--results", tmp_path)

    assert second.returncode == 3
    assert f"process {first.pid} on " in second.stderr
    assert "is running alpha_sweep" in second.stderr


def test_every_command_has_help():
    """--help says what each does."""
    for name, command in main.commands.items():
        assert command.help, name
