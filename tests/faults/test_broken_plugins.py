"""Broken plug-ins are told with their own file and line, and disturb nobody else."""

import os
import sys
from unittest import mock

import pytest
from click.testing import CliRunner

from faults import studies
from faults.refusals import listing
from repro.cli import main
from repro.plugins.plugin_errors import PluginError
from repro.records import records

ARM = "  - {name: even, resampling: {combine: none}}\n"
MINE = ARM + "  - {name: mine, resampling: {rule: mine}}\n"
HEAD = "import numpy as np\nfrom repro.plugins import rule\n\n"
RULE = HEAD + "@rule('mine', needs=())\ndef mine(latents, context):\n    {body}\n"
EVEN = "return np.full(context.faces, 1 / context.faces)"


def text(content):
    """A file with this content."""
    return lambda path: path.write_text(content)


def rule(body):
    """A file that declares the rule `mine`; its body is on line 6."""
    return text(RULE.format(body=body))


def folder(**files):
    """A folder in place of the file."""

    def made(path):
        path.mkdir()
        for name, content in files.items():
            (path / f"{name}.py").write_text(content)

    return made


def with_sibling(path):
    """A file that imports the one beside it."""
    (path.parent / "helper.py").write_text("x = 1\n")
    path.write_text("import helper\n" + RULE.format(body=EVEN))


def in_results(path):
    """A link to a file that came with somebody's results."""
    run = path.parent / "theirs" / "runs" / "a-seed0"
    run.mkdir(parents=True)
    (run / "record.json").write_text("{}")
    (path.parent / "theirs" / "mine.py").write_text(RULE.format(body=EVEN))
    path.symlink_to(path.parent / "theirs" / "mine.py")


def with_link(path):
    """A folder that holds a link to itself."""
    folder(__init__=RULE.format(body=EVEN))(path)
    (path / "loop").symlink_to(path)


AT_LOAD = {  # what is there, and what is said after the study's file
    "missing": (lambda path: None, ":3:11: plugins: {path}: file not found"),
    "syntax": (text("def f(:\n"), ":3:11: {path}:1: loading it: SyntaxError: invalid syntax"),
    "exception": (text("x = 1\n1 / 0\n"), ":3:11: {path}:2: loading it: ZeroDivisionError: div"),
    "missing import": (text("import no_such\n"), ":1: loading it: ModuleNotFoundError: No module"),
    "its own exception": (
        text("class E(Exception):\n    def __str__(self): return 1\nraise E\n"),
        "{path}:3: loading it: E",
    ),
    "exit": (text("import sys\nsys.exit(0)\n"), "{path}:2: loading it: it asks Python to exit"),
    "nothing declared": (text("x = 1\n"), "{path}: it declares nothing: put a decorator"),
    "nothing but an object that refuses": (
        text("class W:\n    def __getattribute__(self, n): raise RuntimeError(n)\nw = W()\n"),
        "{path}:2: loading it: RuntimeError: __dict__",
    ),
    "its own kind of exit": (
        text("class E(BaseException): ...\nraise E('x')\n"),
        "{path}:2: loading it: E: x",
    ),
    "bad name": (text(HEAD + "@rule('My Rule')\ndef f(l, c): ...\n"), "{path}:4: loading it: Val"),
    "taken by a built-in": (
        text(HEAD + "@rule('max')\ndef f(latents, context): ...\n"),
        "{path}: there is a rule called 'max' already, a built-in one: give this one another name",
    ),
    "taken by itself": (
        text(RULE.format(body=EVEN) + "@rule('mine')\ndef other(latents, context): ...\n"),
        "{path}: there is a rule called 'mine' already, that of {path}",
    ),
    "sibling": (with_sibling, "{path}:1: it imports helper, which is "),
    "binary": (lambda path: path.write_bytes(b"\0\1\2"), "plugins: {path}: this is not text"),
    "not UTF-8": (lambda path: path.write_bytes(b"x = '\xff'"), "{path}: this is not UTF-8 text"),
    "pipe": (
        os.mkfifo,
        "plugins: {path}: this is a pipe: give a file; a plug-in is a file NAME.py",
    ),
    "huge": (text("#" * 2_000_001), "plugins: {path}: more than 2,000,000 bytes"),
    "folder without __init__": (folder(part=""), "{path}: this folder has no __init__.py"),
    "link in a folder": (with_link, "loop: a link in a plug-in's folder: put the file itself"),
    "in results": (in_results, "plugins: {path}: it lies in a folder of results, "),
}
OWN = """\
from pydantic import Field, field_validator
from repro.plugins import Parameters, rule, source

class Own(Parameters):
    power: float = 1.0
    {line}

@rule("mine", parameters=Own, needs=())
def mine(latents, context): ...

@source("mine", role="train", parameters=Own)
def images(parameters): ...
"""
PARAMETERS = {  # a line in the class of parameters, and what is said
    "default": (
        "other: int = Field(default_factory=lambda: 1 // 0)",
        "mine.py:6: {title}: ZeroDiv",
    ),
    "no JSON": ("other: object = object()", "mine.py: {title}: PydanticSerializationError: Unable"),
    "NaN": ("other: float = float('nan')", "other: input should be a finite number"),
}
AT_CALL = {  # the rule's body, and what is said
    "exception": ("return 1 / 0", "mine.py:6: rule mine: ZeroDivisionError: division by zero"),
    "exit": ("raise SystemExit(0)", "mine.py:6: rule mine: it asks Python to exit"),
    "list": ("return [1.0]", "mine.py:4: rule mine: it returned list"),
    "shape": ("return np.ones(3) / 3", "mine.py:4: rule mine: it returned ndarray of shape (3,)"),
    "float32": (EVEN + ".astype(np.float32)", "float32"),
    "NaN": ("return np.full(context.faces, np.nan)", "24 values that are not finite"),
    "negative": ("return -np.ones(context.faces)", "24 values below 0"),
    "sum": ("return np.ones(context.faces)", "values with the sum 24"),
    "writes": (
        "context.groups[:] = 'x'",
        "mine.py:6: rule mine: ValueError: assignment destination",
    ),
    "chance": (
        "w = np.random.default_rng().random(context.faces); return w / w.sum()",
        "it returned other values when it was called again with the same arguments",
    ),
}


def study(place, *, name="toy", arms=MINE, plugin="mine.py"):
    """The toy study of these arms, with a plug-in."""
    file = studies.toy(place, name=name, arms=arms, replicates=1, keep=1)
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join([*lines[:2], f"plugins: [{plugin}]\n", *lines[2:]]))
    return file


@pytest.mark.parametrize("what", AT_LOAD)
def test_what_cannot_be_loaded_is_told_at_its_place(what, tmp_path, tally):
    """Exit status 1, one sentence, no traceback; nothing is created, and nothing stays loaded."""
    write, said = AT_LOAD[what]
    path, file = tmp_path / "mine.py", study(tmp_path)
    write(path)
    before, modules = listing(tmp_path), set(sys.modules)
    done = CliRunner().invoke(
        main, ["plan", str(file), "--no-calibration", "--results", str(tmp_path / "results")]
    )
    tally.bad_inputs += 1

    assert (done.exit_code, type(done.exception)) == (1, SystemExit)
    assert said.format(path=path) in done.stderr
    assert f"Error: {file}:3:" in done.stderr
    assert listing(tmp_path) == before
    assert not [m for m in set(sys.modules) - modules if m.startswith("repro_plugin_mine")] or (
        what.startswith(("nothing", "taken"))
    )


@pytest.mark.parametrize("what", PARAMETERS)
@pytest.mark.parametrize("kind", ["rule", "source"])
def test_parameters_that_fail_are_told_at_the_name_of_the_plugin(what, kind, tmp_path, tally):
    """Validators and defaults are code of the plug-in, too."""
    line, said = PARAMETERS[what]
    text(OWN.format(line=line))(tmp_path / "mine.py")
    file = study(tmp_path, arms=MINE if kind == "rule" else ARM)
    if kind == "source":
        file.write_text(
            file.read_text().replace(
                "{source: synthetic, faces: 30, nonfaces: 30}", "{source: mine}"
            )
        )
    done = CliRunner().invoke(main, ["plan", str(file), "--no-calibration"])
    tally.bad_inputs += 1

    assert (done.exit_code, type(done.exception)) == (1, SystemExit)
    assert f"Error: {file}:" in done.stderr
    assert said.format(title=f"{kind} mine") in done.stderr


def test_a_parameter_with_the_name_of_a_setting_is_refused(tmp_path, tally):
    """Nobody could say which of both a study means."""
    text(OWN.format(line="alpha: float = 1.0"))(tmp_path / "mine.py")
    file = study(tmp_path)
    done = CliRunner().invoke(main, ["plan", str(file), "--no-calibration"])
    tally.bad_inputs += 1

    assert done.exit_code == 1
    assert (
        "the rule mine has a parameter 'alpha', which resampling has already: give it another name"
    ) in done.stderr


@pytest.mark.parametrize("what", AT_CALL)
def test_what_fails_in_a_run_is_told_with_its_line(what, tmp_path, tally):
    """In one sentence; the run has no record."""
    body, said = AT_CALL[what]
    rule(body)(tmp_path / "mine.py")
    file = study(tmp_path, arms=MINE.removeprefix(ARM))
    file.write_text(file.read_text().replace("reference: even", "reference: mine"))
    tally.faults += 1

    with pytest.raises(PluginError) as error:
        studies.run_here(file, tmp_path / "results")

    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert not studies.evidence(tmp_path / "results")


def test_runs_that_ended_before_are_kept(tmp_path, tally):
    """Of another arm of the same study."""
    rule("return 1 / 0")(tmp_path / "mine.py")
    tally.faults += 1

    with pytest.raises(PluginError, match="ZeroDivisionError"):
        studies.run_here(study(tmp_path), tmp_path / "results", overrides=["epochs=1"])

    (kept,) = (tmp_path / "results" / "runs").glob("*-seed0")
    assert records.read_record(kept.name, tmp_path / "results").configuration["resampling"][
        "rule"
    ] in ("none", "combine")


def test_a_broken_one_leaves_every_other_study_as_it_is(tmp_path, tally):
    """Beside it, in the same folder and process."""
    text("1 / 0\n")(tmp_path / "mine.py")
    broken, sound = study(tmp_path), studies.toy(tmp_path, name="sound", arms=ARM)
    tally.faults += 1

    statuses = [
        CliRunner()
        .invoke(
            main, ["plan", str(one), "--no-calibration", "--results", str(tmp_path / "results")]
        )
        .exit_code
        for one in (broken, sound)
    ]

    assert statuses == [1, 0]


def test_what_it_does_to_the_process_changes_no_other_run(tmp_path, capsys, tally):
    """Prints, random states, threads, types, and the search path."""
    disturbing = (
        "import random, os, sys, torch; print('noise'); random.seed(1); np.random.seed(1); "
        "torch.manual_seed(1); torch.set_default_dtype(torch.float64); torch.set_num_threads(3); "
        f"torch.set_grad_enabled(False); os.chdir('/'); sys.path.clear(); {EVEN}"
    )
    rule(disturbing)(tmp_path / "mine.py")
    both = study(tmp_path, arms="\n".join(reversed(MINE.splitlines())) + "\n")
    alone = studies.toy(tmp_path, name="alone", arms=ARM, replicates=1, keep=1)
    tally.faults += 1

    for file, results in ((both, "both"), (alone, "alone")):
        studies.run_here(file, tmp_path / results, overrides=["epochs=2"])

    of_both, of_one = (studies.evidence(tmp_path / name) for name in ("both", "alone"))
    assert set(of_one) < set(of_both)
    assert all(of_both[key] == one for key, one in of_one.items())
    assert "noise" not in capsys.readouterr().out


def test_a_list_of_studies_runs_nothing(tmp_path, monkeypatch, tally):
    """Neither does the list of plug-ins, nor a completion."""
    text(f"open({str(tmp_path / 'ran')!r}, 'w')\n" + RULE.format(body=EVEN))(tmp_path / "mine.py")
    file = study(tmp_path)
    monkeypatch.chdir(tmp_path)
    tally.faults += 1

    listed = CliRunner().invoke(main, ["studies"])
    plugins = CliRunner().invoke(main, ["plugins", str(file)])

    assert "toy\n    uses plug-ins, which are not run for this list: mine.py" in listed.stdout
    assert f"rule       mine                       {file.parent}/mine.py:5" in plugins.stdout
    assert not (tmp_path / "ran").exists()


def test_its_path_and_digest_are_printed_before_it_is_run(tmp_path, tally):
    """Once in a process."""
    text("import sys\nprint('it runs', file=sys.stderr)\n" + RULE.format(body=EVEN))(
        tmp_path / "mine.py"
    )
    file = study(tmp_path)
    tally.faults += 1

    with mock.patch.dict(sys.modules):
        done = CliRunner().invoke(main, ["plan", str(file), "--no-calibration"])

    lines = done.stderr.splitlines()
    assert lines[0].startswith(f"Plug-in: {tmp_path / 'mine.py'} (")
    assert lines[1] == "it runs"
