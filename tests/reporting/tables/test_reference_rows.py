"""Detectors that were trained elsewhere, as rows below the arms in every format."""

import csv
import io
import json
from dataclasses import replace

import jsonschema
import pytest
import reference_detectors
import scored_study

from repro.analysis import study_data
from repro.records import records
from repro.reporting.tables import json_output, output_formats, tables
from repro.reporting.tables.paper_options import Layout
from repro.reporting.tables.presentation import Presentation


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """A study of three arms and two detectors."""
    results = tmp_path_factory.mktemp("results")
    scored_study.write(results)
    reference_detectors.write(results, "Haar", "HOG")
    (index,) = records.read_indexes(results)
    return study_data.of_study(index, records.read_study(index, results), results)


@pytest.fixture(scope="module")
def without(outcomes):
    """The same study without them."""
    return replace(outcomes, detectors=())


def shown(outcomes, form, **options):
    """The printed text."""
    layout = options.pop("layout", Layout())
    return output_formats.text(outcomes, Presentation(form=form, layout=layout, **options))


def test_a_group_has_the_exact_interval_of_its_share(outcomes):
    """10 of 20, and 20 of 20: Clopper and Pearson's, from tables."""
    table = tables.part(outcomes, "groups").table

    assert table.loc["Haar", "darker_male"] == "50.00 [27.20, 72.80]"
    assert table.loc["Haar", "lighter_female"] == "100.00 [83.16, 100.00]"
    assert table.loc["Haar", "False positives"] == "10.00 [2.79, 23.66]"


@pytest.mark.parametrize("which", ["groups", "false_alarms", "areas", "results"])
def test_the_rows_of_arms_are_as_without_detectors(outcomes, without, which):
    """They only come below."""
    part, plain = tables.part(outcomes, which), tables.part(without, which)

    assert part.table.iloc[: part.above].to_csv() == plain.table.to_csv()
    assert {*part.table.index[part.above :]} == {"Haar", "HOG"}
    assert plain.below == 0


@pytest.mark.parametrize("which", ["claims", "comparisons", "inequality", "accuracy"])
def test_no_test_and_no_other_table_knows_them(outcomes, without, which):
    """Families of comparisons are those of the arms."""
    part, plain = tables.part(outcomes, which), tables.part(without, which)

    assert (part is None) == (plain is None)
    if part is not None:
        assert part.table.to_csv() == plain.table.to_csv()


def test_markdown_has_a_row_that_heads_them(outcomes):
    """Between the arms and the detectors."""
    lines = shown(outcomes, "markdown", part="groups").splitlines()
    names = [line.split("|")[1].strip() for line in lines if line.startswith("|")]

    assert names[2:] == [
        *scored_study.ARMS,
        "*Reference detectors, trained elsewhere*",
        "Haar",
        "HOG",
    ]


def test_latex_has_a_rule_above_them(outcomes):
    """And the heading over all columns."""
    text = shown(outcomes, "latex", part="groups")

    assert (
        "\\midrule\n\\multicolumn{10}{@{}l}{\\emph{Reference detectors, trained elsewhere}} \\\\\n"
        "Haar & 90.00"
    ) in text


def test_html_has_them_in_a_body_of_their_own(outcomes):
    """Whose heading spans all columns, for readers of screens, too."""
    text = shown(outcomes, "html", part="groups")

    assert (
        '</tbody>\n<tbody class="below"><tr><th scope="rowgroup" colspan="10">'
        'Reference detectors, trained elsewhere</th></tr>\n<tr><th scope="row">Haar</th>'
    ) in text


def test_a_terminal_has_a_rule_and_a_short_heading(outcomes):
    """Blocks in which they have no number leave them out."""
    text = shown(outcomes, "terminal")

    assert text.count("\nTrained elsewhere:") == 1
    assert text.count("\nHaar ") == 1


@pytest.mark.parametrize(("form", "separator"), [("csv", ","), ("tsv", "\t")])
def test_a_file_says_in_a_column_which_rows_they_are(outcomes, without, form, separator):
    """A study without detectors has no such column."""
    rows = list(
        csv.DictReader(io.StringIO(shown(outcomes, form, part="groups")), delimiter=separator)
    )

    assert [row["row"] for row in rows] == ["arm"] * 3 + ["detector"] * 2
    assert "row" not in shown(without, form, part="groups").splitlines()[0].split(separator)


def test_the_papers_columns_have_them_below_the_arms(outcomes):
    """67 of 80; 90, 50, 100 and 95 % have the variance 392.19 percent squared."""
    rows = list(csv.DictReader(io.StringIO(shown(outcomes, "csv"))))
    text = shown(outcomes, "latex")

    assert [row["row"] for row in rows] == ["arm"] * 3 + ["detector"] * 2
    assert rows[3]["recall_percent"] == "83.75"
    assert rows[3]["variance_percent_squared"] == "392.1875"
    assert "trained elsewhere}} \\\\\nHaar & 83.75 & 392.19" in text
    assert "its numbers are those of one network" in text


def test_json_has_their_numbers(outcomes):
    """In the units of an arm's, and by the schema."""
    document = json.loads(shown(outcomes, "json"))
    jsonschema.validate(document, json_output.schema())
    haar, _ = document["studies"][0]["detectors"]

    assert haar["estimates"]["recall"]["value"] == 83.75
    assert haar["estimates"]["worst_group"]["group"] == "darker_male"
    assert [one["detected"] for one in haar["groups"]] == [18, 10, 20, 19]
    assert [one["rate"]["value"] for one in haar["at_false_positive_rates"]] == [5.0, 10.0]


def test_they_stay_when_arms_are_chosen_and_are_never_the_best(outcomes):
    """Bold is for the arms that are compared."""
    layout = Layout(arms=("No debias", "alpha = 0.01"), bold="best")
    lines = shown(outcomes, "markdown", part="groups", layout=layout).splitlines()

    (haar,) = (line for line in lines if line.startswith("| Haar"))
    assert "**" not in haar
    assert not any(line.startswith("| alpha = 0.1 ") for line in lines)


def test_the_notes_say_what_they_are(outcomes):
    """That their data are not known, and what their intervals are for."""
    (note,) = (one for one in tables.part(outcomes, "groups").remarks if "Below the rule" in one)

    assert "2 detectors trained elsewhere, on what data is not known here" in note
    assert "for new photographs alone" in note
