"""What `repro table` shows: on a terminal, for programs, for a paper."""

import csv
import fcntl
import html
import io
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from dataclasses import replace

import asking
import jsonschema
import numpy as np
import pytest
from arms import arm, noisy, outcomes
from builders import study_index
from click.testing import CliRunner

from repro.analysis import arm_differences
from repro.cli import exhibits, main
from repro.errors import ReproError
from repro.metrics import Count
from repro.records import records
from repro.records.records import Record
from repro.reporting.figures.study_view import StudyView
from repro.reporting.tables import answer, json_output, label_file, output_formats, tables
from repro.reporting.tables.cell import Cell, Number
from repro.reporting.tables.paper_options import Layout
from repro.reporting.tables.presentation import Presentation
from repro.reporting.tables.terminal_table import Screen
from repro.stats.disparity import DEFINITIONS
from repro.stats.intervals import Interval


@pytest.fixture(scope="module")
def found():
    """Five arms of three runs with scores."""
    return outcomes(*(arm(f"alpha = {n}", noisy(n, 3)) for n in range(5)))


def half_failed():
    """An arm with a finished run and a failed one."""
    return replace(arm("half", noisy(7, 1)), failed=("loss: nan",), failed_seeds=(4,), wanted=2)


def shown(found, form, **options):
    """The text of a format."""
    ours = {name: options.pop(name) for name in ("screen", "closing") if name in options}
    return output_formats.text(found, Presentation(form=form, **options), **ours)


@pytest.mark.parametrize("style", [None, "paper", "full"])
@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_no_line_on_a_terminal_is_wider_than_its_window(found, width, style):
    """In any style."""
    text = shown(found, "terminal", style=style, screen=Screen(width=width))

    assert max(map(len, text.splitlines())) <= width


@pytest.mark.parametrize("width", [80, 120])
def test_a_terminal_shows_five_arms_in_about_a_dozen_lines(found, width):
    """Title, head, a line an arm, short notes."""
    text = shown(found, "terminal", screen=Screen(width=width))

    assert len(text.splitlines()) <= 18
    assert all(f"alpha = {n} " in text for n in range(5))


def test_a_terminal_without_unicode_gets_plain_letters(found):
    """Nothing is lost on the way to an old terminal, and columns stay aligned."""
    text = shown(found, "terminal", style="full", screen=Screen(width=80, encoding="ascii"))

    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 80


def test_colours_are_for_those_who_want_them(found):
    """Escape sequences stand in no plain text."""
    plain, coloured = (
        shown(found, "terminal", screen=Screen(colours=colours)) for colours in (False, True)
    )

    assert ("\x1b" in plain, "\x1b[" in coloured) == (False, True)


@pytest.mark.parametrize(
    ("environment", "escapes"),
    [({"TERM": "xterm"}, True), ({"TERM": "dumb"}, False), ({"NO_COLOR": "1"}, False)],
)
def test_a_terminal_is_asked_what_it_can_show(environment, escapes):
    """Its width, ``NO_COLOR`` and ``TERM``, in a real pseudo-terminal of 66 columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 66, 0, 0))
    kept = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR", "TERM")}
    probe = (
        "from repro.reporting.tables.terminal_table import Screen;"
        "s = Screen.here(); print(s.width, s.colours)"
    )
    subprocess.run(
        [sys.executable, "-c", probe],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={"TERM": "xterm"} | kept | environment,
        check=True,
    )
    os.close(theirs)

    assert os.read(ours, 1000).decode().split() == ["66", str(escapes)]
    os.close(ours)


def test_json_is_valid_under_its_schema(found):
    """With a single run and with a failed one, too."""
    for one in (found, outcomes(half_failed())):
        jsonschema.validate(json.loads(shown(one, "json")), json_output.schema())


def test_a_wrong_document_is_not_valid():
    """The schema asks for something."""
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"schema": 1, "kind": "table"}, json_output.schema())


def test_json_has_the_numbers_of_the_printed_tables(found):
    """Each estimate, formatted, is the cell of the same arm."""
    study = json.loads(shown(found, "json"))["studies"][0]
    printed = tables.part(found, "false_alarms").table
    compared = tables.part(found, "comparisons").table

    for one in study["arms"]:
        estimate = one["estimates"]["recall"]
        number = Number(
            value=estimate["value"],
            interval=Interval(estimate["interval"]["low"], estimate["interval"]["high"]),
        )
        assert number.text == printed.loc[one["name"], "Recall"].iloc[0]
    for one, cell in zip(study["comparisons"], compared["p, Holm"], strict=True):
        assert f"{one['adjusted']['p']:.4f}" == cell


def test_json_has_no_nan_and_names_failed_runs():
    """Null where a number is not defined, a reason where a run has none."""
    text = shown(outcomes(half_failed()), "json")
    one = json.loads(text, parse_constant=pytest.fail)["studies"][0]["arms"][0]

    assert one["estimates"]["recall"]["sd"] is None
    assert one["runs"][-1] == {
        "seed": 4,
        "status": "failed",
        "reason": "loss: nan",
        "kept": False,
        "groups": [],
        "false_positives": None,
    }


@pytest.mark.parametrize(("form", "separator"), [("csv", ","), ("tsv", "\t")])
@pytest.mark.parametrize("which", [*tables.PARTS, "curve"])
def test_files_have_one_number_a_cell(found, form, separator, which):
    """A cell is a number, nothing, or words without brackets and ±; no two columns are alike."""
    if tables.part(found, which) is None:
        pytest.skip("nothing to show")
    text = shown(found, form, style="full", part=which)
    head, *rows = csv.reader(io.StringIO(text), delimiter=separator)

    assert len(set(head)) == len(head)
    assert all(name == name.lower() and " " not in name for name in head)
    assert not [cell for row in rows for cell in row if "±" in cell or "[" in cell or cell == "—"]


def test_every_row_of_every_table_says_which_it_is(found):
    """Name and keys together are no two rows'."""
    for part in tables.parts(found, style="full"):
        rows = [row[: 1 + part.keys] for row in part.table.itertuples()]
        assert len(set(rows)) == len(rows), part.name


def test_arms_are_shown_in_the_order_that_was_asked_for_and_p_stays(found):
    """The family of comparisons is the study's, whatever is shown."""
    layout = Layout(arms=("alpha = 3", "alpha = 1"))
    text = shown(found, "csv", part="comparisons", layout=layout)
    rows = list(csv.DictReader(io.StringIO(text)))
    family = arm_differences.family(found, DEFINITIONS["dehaan2020"])

    assert [row["arm"] for row in rows[::2]] == ["alpha = 3", "alpha = 1"]
    assert float(rows[0]["p_holm"]) == pytest.approx(
        next(one.adjusted for one in family.made if one.arm.name == "alpha = 3")
    )


def test_an_unknown_arm_is_asked_back(found):
    """With the near one."""
    with pytest.raises(ReproError, match=r"no arm 'alpha=1'; did you mean 'alpha = 1'\?"):
        shown(found, "latex", layout=Layout(arms=("alpha=1",)))


def test_the_best_are_bold_and_equals_all(found):
    """Highest recall, lowest variance; what prints the same is the same."""
    layout = Layout(bold="best", decimals=0, arms=("alpha = 1", "alpha = 2"))
    text = shown(found, "markdown", style="paper", layout=layout)
    first, second = (line.split(" | ")[1] for line in text.splitlines() if "| alpha" in line)

    assert ("**" in first) + ("**" in second) == (2 if first == second else 1)
    assert "Bold: the best of the arms shown" in text


def test_standard_deviations_are_of_the_runs_shown(found):
    """Of the kept runs' own recalls, ddof 1, in percent."""
    layout = Layout(spread="sd", decimals=3)
    text = shown(found, "markdown", style="paper", layout=layout)
    one = found.arms[0]
    values = one.run_recall(DEFINITIONS["dehaan2020"])[one.kept(found.keep)]

    expected = "" if len(values) < 2 else f" ± {100 * np.std(values, ddof=1):.3f}"
    assert f"| {100 * values.mean():.3f}{expected} |" in text


def test_labels_stand_wherever_the_names_stood(found, tmp_path):
    """In rows, sentences and heads of columns."""
    file = tmp_path / "labels.yaml"
    file.write_text("alpha = 0: Baseline\nDifference, new seeds: Change\n")
    text = shown(found, "markdown", part="comparisons", layout=Layout(labels=file))

    assert "compared with Baseline" in text
    assert "| Change |" in text
    assert "alpha = 0" not in text


def test_a_label_of_nothing_is_refused_by_line(found, tmp_path):
    """With the near name."""
    file = tmp_path / "labels.yaml"
    file.write_text("alpha = 0: Baseline\nHedge's g: Change\n")
    with pytest.raises(ReproError, match=r"labels.yaml:2:1: .*did you mean \"Hedges' g\"\?"):
        shown(found, "markdown", layout=Layout(labels=file))


def test_every_column_can_have_a_label(found):
    """The list of heads is that of the tables."""
    heads = {
        str(head)
        for part in tables.parts(found, style="full")
        for head in [part.table.index.name, *part.table.columns]
    }

    assert heads <= label_file.HEADS | {group for one in found.arms for group in one.groups}


@pytest.mark.parametrize(
    "layout", [Layout(decimals=1), Layout(spread="sd"), Layout(bold="best")], ids=str
)
def test_what_is_for_people_is_refused_for_programs(found, layout):
    """They get every digit and every spread."""
    with pytest.raises(ReproError, match="for tables that people read"):
        shown(found, "csv", layout=layout)


def test_a_cell_keeps_its_number():
    """Its text is that of any other cell."""
    cell = Cell.of(Number(value=12.5, interval=Interval(10.0, 15.0)))

    assert cell == "12.50 [10.00, 15.00]"
    assert cell.number.columns == {"": 12.5, "low": 10.0, "high": 15.0}


def test_a_saved_table_is_audited_as_printed_means(found, tmp_path):
    """Its columns are taken for no groups."""
    file = tmp_path / "own.csv"
    file.write_text(shown(found, "csv", style="paper") + "\n")
    done = CliRunner().invoke(main, ["audit", str(file), "--format", "json"])
    document = json.loads(done.output)
    jsonschema.validate(document, json_output.schema())

    assert document["audit"]["sources"] == ["own.csv: published means, 5 arms."]


def test_a_run_ends_on_a_terminal_with_its_summary(found, monkeypatch):
    """And says how to see the rest; a pipe gets the same, 100 columns wide, without colours."""
    index = study_index({"alpha = 0": ["k"]})
    nothing = StudyView(index=index, found={}, records={}, outcomes=found, weights={})
    piped = exhibits.conclusion(nothing)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    summary, whole = (exhibits.conclusion(nothing), f"repro table {index.address} --style full")

    for shown in (piped, summary):
        assert shown.count("Arm ") == 1
        assert f"More: {whole}" in shown
    assert max(map(len, piped.splitlines())) <= 100
    assert "\x1b" not in piped


def test_the_last_line_repeats_the_command_that_was_given(tmp_path):
    """With the options that were given, quoted for a shell."""
    key = "k-seed0"
    record = Record(key=key, seed=0, configuration={}, data={}, groups={"a": Count(9, 8)})
    records.write_record(record, tmp_path, {})
    records.write_index(study_index({"an arm": [key]}), tmp_path)
    words = ["--results", str(tmp_path), "--arms", "an arm", "--decimals", "1"]
    done = CliRunner().invoke(main, ["table", "toy", *words, "--format", "terminal"])

    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[-1] == (
        f"LaTeX: repro table toy --results {tmp_path} --decimals 1 --arms 'an arm' --format latex"
    )


@pytest.fixture(scope="module")
def asked():
    """The shape of the papers' sweep: five arms of five runs, and a claim at 10 %."""
    names = ["No debias", "alpha = 0.1", "alpha = 0.05", "alpha = 0.01", "alpha = 0.001"]
    arms = [arm(name, noisy(n, 5), nonfaces=asking.OTHERS) for n, name in enumerate(names)]
    one = asking.claim(
        contrast={"arm": names[-1], "less": names[0]}, read_at={"false_positive_rate": 0.1}
    )
    return asking.asking(outcomes(*arms), one)


@pytest.mark.parametrize("form", ["terminal", "markdown", "html"])
def test_the_answer_comes_first(asked, form):
    """Before every table, in every format for people."""
    text = " ".join(shown(asked, form).split())
    told = answer.of_study(asked).text

    assert 0 <= text.index(html.escape(told) if form == "html" else told) < 2500
    assert text.index("No debias 9") > 0 if form == "terminal" else True


def test_the_answer_stands_in_latex_as_comments(asked):
    """So that a pipe into a paper's file compiles, and the table stays what it was."""
    text = shown(asked, "latex")
    before, table, rest = text.partition(r"\begin{table}")
    plain = shown(replace(asked, claims=()), "latex")

    assert before.splitlines() == [f"% {one}" for one in answer.of_study(asked).sentences]
    assert table + rest == plain


@pytest.mark.parametrize("form", ["csv", "tsv"])
@pytest.mark.parametrize("style", ["paper", "full"])
def test_files_for_programs_do_not_change_by_an_answer(asked, form, style):
    """Not a byte."""
    plain = replace(asked, claims=())

    assert shown(asked, form, style=style) == shown(plain, form, style=style)


def test_the_summary_with_an_answer_fits_100_columns(asked):
    """Each arm in a line, at the threshold of the primary claim."""
    lines = shown(asked, "terminal", screen=Screen(width=100)).splitlines()

    assert max(map(len, lines)) <= 100
    assert all(sum(line.startswith(f"{one.name} ") for line in lines) == 1 for one in asked.arms)
    assert any("10 % FP" in line for line in lines)
    assert len(lines) <= 26


def test_a_single_table_has_no_answer_before_it(asked):
    """Who asks for a part gets that part."""
    assert "more equal" not in shown(asked, "markdown", part="results")
