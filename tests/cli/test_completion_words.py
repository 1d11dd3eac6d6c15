"""What a shell offers after a part of a command."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import click
import pytest
import reference_detectors
from builders import study_index
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from repro.cli import completion_words, main
from repro.records import detectors, records
from repro.study.study_files import listed

BIN = Path(sys.executable).parent


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A folder with one study of its own, and results of it and of a variant."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "mine.yaml").write_text(
        "name: mine\narms: []\nprofiles: {small: {}, paper: {}}\n"
    )
    arms = {"No debias": ["ab12-seed0"], "alpha = 0.1": ["cd34-seed0", "cd34-seed1"]}
    plain = study_index(arms, name="mine")
    changed = study_index(
        {"x": ["ef56-seed0"]}, name="mine", variant="embedded-123abc", overrides=["epochs=2"]
    )
    for index in (plain, changed):
        records.write_index(index, Path("results"))
    for key in ("ab12-seed0", "cd34-seed0"):
        (tmp_path / "results" / "runs" / key).mkdir(parents=True)


def offered(*words):
    """What is offered for the last of the words."""
    *before, incomplete = words
    completion = ShellComplete(main, {}, "repro", "_REPRO_COMPLETE")
    return [item.value for item in completion.get_completions(before, incomplete)]


def test_commands_and_options_are_offered():
    """As click does it."""
    assert offered("sta") == ["status"]
    assert offered("run", "--qui") == ["--quiet"]


@pytest.mark.parametrize("command", ["run", "plan", "verify", "table", "figures", "report", "sync"])
def test_studies_are_offered_by_name_and_by_path(command):
    """The folder's own and the shipped ones."""
    assert offered(command, "") == [one.name for one in listed()]
    assert "mine" in offered(command, "")
    assert "alpha_sweep" in offered(command, "alpha")
    assert offered(command, "studies/") == ["studies/mine.yaml"]


def test_profiles_of_the_study_on_the_line_are_offered():
    """Of a study that is not there, none."""
    assert offered("run", "mine", "--profile", "") == ["small", "paper"]
    assert offered("run", "nowhere", "--profile", "") == []


def test_keys_of_choices_are_offered_up_to_their_value():
    """Every choice of the configuration; no value."""
    assert offered("run", "mine", "--set", "resampling.a") == [
        "resampling.alpha=",
        "resampling.arithmetic=",
    ]
    assert offered("run", "mine", "--set", "resampling.alpha=") == []
    assert "data.train=" in offered("run", "mine", "--set", "data")


def test_runs_are_offered_part_by_part_and_by_key():
    """Every word can be typed without quotation marks."""
    assert offered("show", "m") == ["mine/", "mine@123abc/"]
    assert offered("show", "mine/") == ["mine/No-debias/", "mine/alpha-0.1/"]
    assert offered("show", "mine/alpha-0.1/") == ["mine/alpha-0.1/0", "mine/alpha-0.1/1"]
    assert offered("show", "mine@123abc/") == ["mine@123abc/x/"]
    assert offered("show", "c") == ["cd34-seed0"]
    assert offered("show", "--results", "none", "m") == []


def test_arms_are_offered_as_results_name_them():
    """Of the study on the line; for options that take arms."""

    @click.command()
    @click.option("--arms", shell_complete=completion_words.arms)
    @click.argument("study")
    def command(study, arms):
        """Anything."""

    completion = ShellComplete(command, {}, "x", "_X")
    found = completion.get_completions(["mine", "--arms"], "")

    assert {item.value for item in found} == {"No debias", "alpha = 0.1", "x"}


def test_a_damaged_index_offers_nothing_and_is_no_error(tmp_path):
    """Somebody is in the midst of a line."""
    (tmp_path / "results" / "studies" / "mine" / "embedded.json").write_text("{")

    assert offered("show", "mine/") == []


def test_completing_loads_nothing_heavy(tmp_path):
    """It answers while somebody waits with a finger on the key."""
    words = [(["show"], "mine/"), (["run"], ""), (["run", "mine", "--set"], "e")]
    code = (
        "import sys\nfrom click.shell_completion import ShellComplete\nfrom repro.cli import main\n"
        f"for before, last in {words!r}:\n"
        "    found = ShellComplete(main, {}, 'repro', '_R').get_completions(before, last)\n"
        "    assert found, last\n"
        "sys.exit(bool({'torch', 'mlflow', 'pandas', 'numpy', 'scipy'} & set(sys.modules)))"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_is_printed(shell):
    """It asks this program what to offer."""
    done = CliRunner().invoke(main, ["completion", shell])

    assert done.exit_code == 0
    assert f"_REPRO_COMPLETE={shell}_complete" in done.stdout


@pytest.mark.parametrize(
    ("words", "replies"),
    [
        (["show", "mine/al"], ["-o nospace", "mine/alpha-0.1/"]),
        (["stat"], ["status"]),
    ],
)
def test_bash_completes(words, replies):
    """In a real one: the words that it would offer, no blank where a word goes on."""
    typed = " ".join(f"'{word}'" for word in ["repro", *words])
    script = (
        'eval "$(repro completion bash)"; compopt() { echo "$@"; }\n'
        f"COMP_WORDS=({typed}) COMP_CWORD={len(words)}; _repro_completion repro\n"
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        env={"PATH": f"{BIN}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.splitlines() == replies, done.stderr


def test_detectors_of_the_study_are_offered_to_be_taken_out():
    """By the names in its tables."""
    index = study_index({"x": ["ef56-seed0"]}, name="mine", variant="embedded-123abc")
    one = reference_detectors.record()
    detectors.write(one, Path("results"), reference_detectors.scores())
    records.write_index(replace(index, detectors=[one.key]), Path("results"))

    assert offered("score", "mine", "--remove", "") == ["Haar"]
