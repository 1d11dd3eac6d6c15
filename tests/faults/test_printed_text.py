"""What is printed or written has no control characters, formulas, links or secrets in it."""

import ast
import io
import json
import os
import re
import sys
from unittest import mock

import children
import pandas as pd
import pytest
from builders import configuration
from click.testing import CliRunner
from places import TESTS

from faults import studies
from repro.analysis.audit import inspection
from repro.cli import main
from repro.records import records
from repro.records.events import RunEnded
from repro.records.mlflow import run_content
from repro.records.records import Record
from repro.reporting.tables import json_output, output_formats
from repro.reporting.tables.table_part import Part
from repro.reporting.terminal import run_log
from repro.study import study
from repro.system import child_process, csv_file, printing, private
from repro.training import single_run

HOSTILE = {
    "escape": "\x1b[31mred\x1b]0;title\x07",
    "C1": "\x9b31m\x85",
    "bell": "\x07",
    "right to left": "\u202egnp.exe\u2066",
    "no width": "a\u200bb\ufeff",
    "NUL": "\x00",
    "return": "all is well\rError",
    "half a pair": "\ud800",
    "tag": "\U000e0041",
}
ALL = " ".join(HOSTILE.values())
FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "'=1", " =1", "＝1"]
CANARY = "canary9d41"
PACKAGE = TESTS.parent / "repro"
WAY_OUT = PACKAGE / "system" / "printing.py"


def is_plain(text):
    """Whether nothing in it acts on a terminal or hides."""
    return all(letter in "\n\t" or not printing.hides(letter) for letter in text)


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_hides_is_shown(kind, capsys, tally):
    """Every kind of invisible and control character, on both streams, with its text."""
    printing.say(f"a {HOSTILE[kind]} name")
    printing.say(f"a {HOSTILE[kind]} name", err=True, coloured=True)
    said = capsys.readouterr()

    tally.bad_inputs += 2
    assert is_plain(said.out)
    assert is_plain(re.sub(r"\x1b\[31m", "", said.err))
    assert said.out.startswith("a ")
    assert said.out.endswith(" name\n")


def test_every_print_takes_the_one_way_out(tally):
    """No module but `printing` calls click.echo or print, or writes to a standard stream."""
    found = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and path != WAY_OUT:
                called = ast.unparse(node.func)
                if called in ("print", "click.echo", "click.secho") or re.fullmatch(
                    r"sys\.std(out|err)\.write", called
                ):
                    found.append(f"{path}:{node.lineno}")

    assert found == []


def test_letters_that_an_encoding_lacks_are_replaced(monkeypatch, tally):
    """Signs of this program become ASCII, others their code points."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="latin-1"))

    printing.say("α ≥ 1 ± 2 日 é ▁█")

    tally.faults += 1
    assert raw.getvalue() == b"alpha >= 1 \xb1 2 \\u65e5 \xe9 _#\n"


def failing(task, material, begun, *_):
    """A run that fails with a hostile reason."""
    failure = {"epoch": 1, "term": "loss", "reason": ALL}
    yield RunEnded(task.key, task.title, task.record(failure=failure), {})


def test_a_hostile_reason_acts_nowhere(tmp_path, tally):
    """In the record, in every table, in what commands print, in the report and in the log."""
    file, results = studies.toy(tmp_path, arms=studies.ONE_ARM), tmp_path / "results"
    with studies.canned(), mock.patch.object(single_run, "_train_and_evaluate", failing):
        studies.run_here(file, results)
    key = next((results / "runs").glob("[!.]*")).name
    there = ["--results", str(results)]
    said = [
        CliRunner().invoke(main, [*words, *there]).output
        for words in (
            *(["table", str(file), "--format", form] for form in ("terminal", "html", "markdown")),
            *(["table", str(file), "--format", form] for form in ("csv", "json", "latex")),
            ["show", key],
            ["status"],
            ["plan", str(file), "--no-calibration"],
            ["report", str(file), "--out", str(tmp_path / "report")],
        )
    ]
    pages = [(tmp_path / "report" / name).read_text() for name in ("report.html", "report.tex")]
    index = records.read_indexes(results)[0]
    content = run_content.content(index, "even", records.read_record(key, results), results)

    tally.bad_inputs += len(said) + len(pages) + 2
    for text in (*said, *pages, *content.tags.values(), *content.params.values()):
        assert is_plain(text)
    assert any("\\x1b[31mred" in text for text in said)


def test_what_a_worker_prints_acts_nowhere(monkeypatch, capsys, tally):
    """Lines of libraries on a worker's standard error pass the one way out, too."""
    thread, descriptor = child_process.echo()
    os.write(descriptor, b"\x1b[2Jwarning: \xff\x9b\r\nnext")
    os.close(descriptor)
    thread.join(5)

    tally.bad_inputs += 1
    assert capsys.readouterr().err == "\\x1b[2Jwarning: \ufffd\ufffd\nnext\n"


def test_the_way_a_worker_died_acts_nowhere(monkeypatch, tally):
    """The last line of a worker that cannot start is part of an error."""
    monkeypatch.setattr(child_process, "launch", children.started_by("fork"))
    error = child_process.NotStarted(HOSTILE["escape"])

    tally.bad_inputs += 1
    assert is_plain(printing.printable(str(error)))


def test_the_log_of_a_study_holds_plain_lines(tmp_path, tally):
    """One line stays one line, whatever is in it."""
    log = tmp_path / "log"
    with run_log.Log(log, warn=pytest.fail) as display:
        display.remark(ALL)
    text = log.read_text()

    tally.bad_inputs += 1
    assert is_plain(text)
    assert len(text.splitlines()) == 2  # and how it ended


def test_json_escapes_what_hides_and_loses_nothing(tally):
    """It reads back equal."""
    text = json_output.document("table", names=list(HOSTILE.values()))

    tally.bad_inputs += len(HOSTILE)
    assert is_plain(text)
    assert json.loads(text)["names"] == list(HOSTILE.values())


@pytest.mark.parametrize("form", ["csv", "tsv"])
def test_no_cell_of_text_is_a_formula(form, tmp_path, tally):
    """Numbers stay numbers, with their signs; our own reader gets every text back."""
    table = pd.DataFrame({"Note": FORMULAS, "Change": ["-0.5"] * len(FORMULAS)}, index=FORMULAS)
    table.index.name = "Arm"
    part = Part(name="results", title="T.", table=table)
    text = output_formats.written([part], form, label="x", screen=None)
    (tmp_path / "table.csv").write_text(text)
    rows = [cells for _, cells in csv_file.read(tmp_path / "table.csv", most_bytes=10_000)][1:]

    tally.bad_inputs += len(FORMULAS)
    assert len(rows) == len(FORMULAS)
    for name, (arm, note, change) in zip(FORMULAS, rows, strict=True):
        assert arm.startswith("'")
        assert note.startswith("'")
        assert change == "-0.5"
        assert csv_file.as_meant(arm).split() == name.split()


def test_an_audit_reads_back_what_a_table_quoted(tmp_path, tally):
    """An arm called =1+1 keeps its name."""
    file = tmp_path / "t.csv"
    runs = [(run, group) for run in range(3) for group in "ab"]
    rows = [f"'=1+1,0.1,{run},{group},10,{run + 5}" for run, group in runs]
    file.write_text("\n".join(["arm,alpha,run,group,n,detected", *rows]))
    done = CliRunner().invoke(main, ["audit", str(file), "--format", "csv", "--part", "groups"])

    tally.bad_inputs += 1
    assert done.exit_code == 0, done.output
    assert [arm.name for arm in inspection.audit([file], alone=True).outcomes[0].arms] == [
        "=1+1, alpha = 0.1"
    ]
    assert "'=1+1, alpha = 0.1" in done.output


def test_names_make_no_links_and_no_elements(tally):
    """In Markdown, HTML and on a terminal, where rich has a markup of its own."""
    name = "[x](javascript:alert(1))|<img src=x onerror=alert(1)>[bold red]y[/][link=file:///]z"
    table = pd.DataFrame({"Recall": ["1"]}, index=[name])
    table.index.name = "Arm"
    part = Part(name="results", title=f"{name}.", table=table, remarks=[f"[a]: {name}", name])

    def shown(form):
        return output_formats.written([part], form, label=name, screen=None, opening=[name])

    tally.bad_inputs += 3
    assert not re.search(r"\]\(|(?<!\\)<img|^\[a\]:", shown("markdown"), re.MULTILINE)
    assert "<img" not in shown("html")
    assert "javascript:" not in re.findall(r'href="([^"]*)"', shown("html"))
    assert "[bold red]y[/]" in "".join(shown("terminal").split("\n")).replace(" ", "").replace(
        "boldred", "bold red"
    )


def test_a_path_from_a_variable_is_shown_as_it_was_written(tmp_path, monkeypatch, tally):
    """In errors of the study and of its data, for whole paths and for parts."""
    monkeypatch.setenv("A_SECRET_PLACE", str(tmp_path / CANARY))
    text = studies.toy(tmp_path).read_text()
    for where in ("${A_SECRET_PLACE}/train.h5", "${A_SECRET_PLACE}"):
        file = tmp_path / "secret.yaml"
        file.write_text(
            text.replace("{source: synthetic, faces: 30, nonfaces: 30}", f'"{where}"', 1)
        )
        done = CliRunner().invoke(main, ["plan", str(file), "--results", str(tmp_path / "r")])

        tally.bad_inputs += 1
        assert done.exit_code == 1
        assert CANARY not in done.output
        assert where in done.output


def test_records_hold_no_folder_of_a_person_and_no_secret(tmp_path, monkeypatch, tally):
    """Paths come back such that they can be opened, and no run has another name."""
    monkeypatch.setenv("HOME", str(tmp_path / "home" / "alice"))
    monkeypatch.setenv("A_SECRET_PLACE", f"/{CANARY}")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    paths = {
        private.expanded("${A_SECRET_PLACE}/train.h5"): "${A_SECRET_PLACE}/train.h5",
        str(tmp_path / "home" / "alice" / "train.h5"): "~/train.h5",
        str(tmp_path / "work" / "data" / "train.h5"): "data/train.h5",
        "data/train.h5": "data/train.h5",
        "/shared/train.h5": "/shared/train.h5",
    }
    for n, (path, shown) in enumerate(paths.items()):
        data = {"train": path, "test": "synthetic", "nonfaces": "synthetic"}
        choices = configuration(data=data)
        record = Record(
            key=f"{n}-seed0",
            seed=0,
            configuration=choices.model_dump(mode="json"),
            data={},
            failure={"epoch": 1, "term": "worker", "reason": f"lost {path}"},
        )
        file = records.write_record(record, tmp_path / "results", {}) / records.RECORD
        back = records.read_record(record.key, tmp_path / "results")

        tally.bad_inputs += 1
        assert CANARY not in file.read_text()
        assert back.configuration["data"]["train"]["path"] == shown
        assert os.path.abspath(back.choices.data.train.path) == os.path.abspath(path)
        assert back.choices.identity() == choices.identity()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:pa55@host.test/x", "https://***@host.test/x"),
        ("http://host.test/a?token=abc&n=2", "http://host.test/a?token=***&n=2"),
        ("https://s3.test/a?X-Amz-Signature=abc", "https://s3.test/a?X-Amz-Signature=***"),
        ("postgresql://user:pw@db/mlflow", "postgresql://***@db/mlflow"),
        ("see http://host.test/a?page=2", "see http://host.test/a?page=2"),
    ],
)
def test_addresses_are_shown_without_passwords_and_tokens(text, shown, capsys, tally):
    """What tells who somebody is, is replaced; the rest of the address stays."""
    printing.say(text)

    tally.bad_inputs += 1
    assert capsys.readouterr().out == f"{shown}\n"


def test_a_home_in_a_path_of_a_study_is_found(tmp_path, monkeypatch, tally):
    """`~` is the home directory in a study, as it is in a record."""
    monkeypatch.setenv("HOME", str(tmp_path))
    file = studies.toy(tmp_path)
    read = study.load(file, overrides=["data.train=~/train.h5"])

    tally.bad_inputs += 1
    assert read.arms[0].configuration.data.train.path == str(tmp_path / "train.h5")
