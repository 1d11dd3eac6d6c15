"""Malformed studies are refused: where, why, at once, and with nothing left behind."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from faults.bad_studies import CASES, EXPANDS, GRID, LIMIT, SOUND, TAG, arms, but, epochs, write
from faults.refusals import MEGABYTES, SECONDS, check, costs, listing
from repro.cli import main
from repro.errors import StudyError
from repro.study import study

QUICK = (
    "size: laughs as mappings",
    "size: 18,000 values",
    "size: 10 MB",
    "place: pipe",
    "place: without an end",
)
COMMANDS = {
    "plan": ["--no-calibration", "--results", "results"],
    "run": ["--results", "results"],
    "table": ["--results", "results"],
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where nothing may appear; commands run in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_SUCH", raising=False)
    return tmp_path


@pytest.mark.parametrize("name", CASES)
def test_a_malformed_study_is_refused(name, folder, tally):
    """Exit status 1, file, line and column, what is wrong; nothing is created."""
    path = folder / "study.yaml"
    write(CASES[name][0], path)
    before = listing(folder)
    done = CliRunner().invoke(main, ["plan", str(path), *COMMANDS["plan"]])
    tally.bad_inputs += 1

    assert isinstance(done.exception, SystemExit)
    check(done.exit_code, done.stderr, CASES[name][1])
    assert listing(folder) == before


@pytest.mark.draws("costly", CASES, QUICK)
def test_a_refusal_costs_little(costly, folder, tally):
    """A process of its own ends within two seconds and 200 MB, whatever the file holds."""
    path = folder / "study.yaml"
    write(CASES[costly][0], path)
    before = listing(folder)
    status, errors, seconds, megabytes = costs(["plan", path, *COMMANDS["plan"]], folder)
    tally.bad_inputs += 1

    check(status, errors, CASES[costly][1])
    assert (seconds < SECONDS, megabytes < MEGABYTES) == (True, True), (seconds, megabytes)
    assert listing(folder) == before


@pytest.mark.parametrize("command", ["run", "table"])
def test_every_command_refuses_it(command, folder, tally):
    """Whichever command reads the file says the same and creates nothing."""
    name = "place: without an end"
    path = folder / "study.yaml"
    write(CASES[name][0], path)
    before = listing(folder)
    status, errors, _, _ = costs([command, path, *COMMANDS[command]], folder)
    tally.bad_inputs += 1

    check(status, errors, CASES[name][1])
    assert listing(folder) == before


@pytest.mark.parametrize(
    ("called", "shown"),
    [
        (b"two words.yaml", "two words.yaml"),
        (b"two\nlines.yaml", "two\\nlines.yaml"),
        (b"\x1b[31mred.yaml", "\\x1b[31mred.yaml"),
        (b"latin-\xfc.yaml", "latin-\\udcfc.yaml"),
        ("größe.yaml".encode(), "größe.yaml"),
        (b"-.yaml", "-.yaml"),
    ],
)
def test_a_file_by_any_name_is_refused_in_a_line(called, shown, folder, tally):
    """A terminal is shown the name, never made to act on it."""
    path = Path(os.fsdecode(bytes(folder) + b"/" + called))
    path.write_text(epochs("x"))
    done = CliRunner().invoke(main, ["plan", str(path), *COMMANDS["plan"]])
    tally.bad_inputs += 1

    assert done.exit_code == 1
    message = "epochs: input should be a valid integer, not 'x'"
    assert done.stderr == f"Error: {folder}/{shown}:13:39: {message}\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_is_refused(folder, tally):
    """What the system says is said on."""
    path = folder / "study.yaml"
    path.write_text(SOUND)
    path.chmod(0)
    tally.bad_inputs += 1

    with pytest.raises(StudyError, match="cannot be read: Permission denied"):
        study.load(path)


OPTIONS = {
    "epochs": ": write KEY=VALUE",
    "=2": ": write KEY=VALUE",
    "a..b=2": ": write KEY=VALUE",
    ".=2": ": write KEY=VALUE",
    "a." * 5000 + "b=2": ": write KEY=VALUE",
    "epochs=" + "[" * 5000: f":1:51: {LIMIT}",
    "epochs=" + "1" * 50_000: ": write KEY=VALUE",
    "epochs=1e3": ": epochs: '1e3' is text, not a number",
    "epochs=.nan": ": epochs: input should be a valid integer",
    "epochs=!!python/name:os.system": f":1:1: {TAG}",
    'data.train="a\\0b"': ":1:1: the text holds U+0000",
    'epochs="\\e[31m"': ":1:1: the text holds U+001B",
    "epochs=\x1b[31m2": ":1:1: U+001B is not a text character",
    "epochs={a: 1, a: 2}": ":1:8: duplicate key 'a'",
    "epochs=&a [*a]": f":1:1: {EXPANDS}",
    "\x1b[31m=2": ": unknown key '\\x1b[31m'",
    "replicates=0": ": replicates: input should be greater than or equal to 1",
    "arms=[]": ": unknown key 'arms'",
}


@pytest.mark.parametrize(
    "option", OPTIONS, ids=lambda option: option[:20].encode("unicode_escape").decode()
)
def test_a_malformed_option_is_refused(option, folder, tally):
    """What ``--set`` says is read as strictly as the file."""
    path = folder / "study.yaml"
    path.write_text(SOUND)
    done = CliRunner().invoke(main, ["plan", str(path), "--set", option, *COMMANDS["plan"]])
    tally.bad_inputs += 1

    assert done.exit_code == 1
    assert done.stderr.startswith("Error: --set ")
    assert OPTIONS[option] in done.stderr
    assert done.stderr.replace("\n", "").isprintable()


UNUSUAL = {
    "marked": "\ufeff" + SOUND,
    "CRLF": SOUND.replace("\n", "\r\n"),
    "CR": SOUND.replace("\n", "\r"),
    "letters": but("Does it?", "Größer – oder nicht? 大きい？ \N{NO-BREAK SPACE}!"),
    "aliases": but("[0.1, 0.01]", "[&a 0.1, 0.01], epochs: [&b 3, 4], latent_dim: [*b]"),
    "swept": but(GRID, f"{{resampling.alpha: [{', '.join(f'0.{i:03}' for i in range(1, 999))}]}}"),
    "written out": arms(900, "  - name: a %(i)d\n    epochs: 2\n    kl:\n      weight: %(i)d\n"),
}


@pytest.mark.parametrize("text", UNUSUAL.values(), ids=UNUSUAL)
def test_what_is_only_unusual_is_read(text, folder):
    """Limits and refusals leave room for every sensible study."""
    path = folder / "study.yaml"
    path.write_bytes(text.encode())

    assert study.load(path).name == "toy"
