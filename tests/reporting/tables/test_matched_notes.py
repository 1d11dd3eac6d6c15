"""The difference from the matched reference in every table, and what is said of it."""

import json
from dataclasses import replace

import jsonschema
import numpy as np
import pytest
from arms import arm, counted, noisy, outcomes

from repro.analysis import matched
from repro.reporting.tables import (
    json_output,
    label_file,
    matched_notes,
    notes,
    number_format,
    output_formats,
    tables,
    terminal_summary,
)
from repro.reporting.tables.presentation import Presentation
from repro.stats.disparity import DEFINITIONS

DEFINITION = DEFINITIONS["dehaan2020"]
OF_RUNS = replace(DEFINITION, runs="last")
MEANING = "Matched: the arm at logit 0 minus its reference"
ROW = "logit 0, reference matched"


def an_arm(name, seed, shift=0.0, *, runs=5):
    """Runs whose photographs without a face have the logits -3.9, -3.7, ..., 3.9, and a shift."""
    generator = np.random.default_rng(seed)
    others = np.arange(-3.9, 4, 0.2) + generator.normal(scale=0.3, size=(runs, 1))
    return arm(name, noisy(seed, runs, shift), nonfaces=others + shift)


PLAIN, EAGER, NEVER = an_arm("plain", 0, -1.0), an_arm("eager", 1), an_arm("never", 2, -9.0)
STUDY = outcomes(PLAIN, EAGER, NEVER)
REFUSED = "Cannot be matched: never detects none of 40 photographs without a face in 5 of 5 runs."


def told(which):
    """The remarks of a table."""
    return tables.part(STUDY, which).remarks


def document(found):
    """The study in JSON, valid under its schema."""
    whole = json.loads(output_formats.text(found, Presentation(form="json")))
    jsonschema.validate(whole, json_output.schema())
    return whole["studies"][0]


@pytest.mark.parametrize("which", ["false_alarms", "comparisons"])
def test_matched_is_explained_where_it_is_shown_and_refusals_are_told(which):
    """Once, below the table."""
    assert sum(one.startswith(MEANING) for one in told(which)) == 1
    assert REFUSED in told(which)


def test_the_table_of_rates_has_a_row_for_each_matched_arm():
    """Right after logit 0; only the rate that is matched and the differences."""
    table = tables.part(STUDY, "false_alarms").table
    eager = table.loc["eager"].set_index("Threshold")

    assert list(table["Threshold"]).count(ROW) == 1
    assert list(eager.index[:2]) == ["logit 0", ROW]
    assert eager.loc[ROW, "False positives"] == eager.loc["logit 0", "False positives"]
    assert eager.loc[ROW, "Recall"] == "—"
    for quantity in ("recall", "variance"):
        expected = matched.difference(EAGER, PLAIN, DEFINITION)[quantity]
        assert eager.loc[ROW, f"{quantity.capitalize()} minus reference"] == (
            number_format.difference(expected, quantity, decimals=1)
        )


def test_what_becomes_of_a_gain_is_also_told_of_the_matched_reference():
    """After the given rates; the gain at logit 0 comes from saying yes more often."""
    found = notes.gains(STUDY, DEFINITION)["eager"]
    gain = matched.gain(EAGER, PLAIN, "recall", DEFINITION).value

    assert gain < 0
    assert f"rates), matched lower by {100 * gain:.0f} % (95 % interval not above 0)" in found


def test_comparisons_have_the_difference_of_single_runs():
    """A dash for the arm that cannot be matched."""
    table = tables.part(STUDY, "comparisons").table.reset_index().set_index(["Arm", "Metric"])

    for quantity in ("recall", "variance"):
        expected = matched.difference(EAGER, PLAIN, OF_RUNS)[quantity]
        shown = number_format.difference(expected, quantity, decimals=1)
        assert table.loc[("eager", quantity), "Difference, matched"] == shown
        assert table.loc[("never", quantity), "Difference, matched"] == "—"


def test_the_summary_has_it_too():
    """The value alone, with one sentence."""
    part = terminal_summary.summary(STUDY, "dehaan2020")

    expected = matched.difference(EAGER, PLAIN, OF_RUNS)["recall"].value
    assert part.table.loc["eager", "Recall Δ, matched"] == f"{100 * expected:+.1f}"
    assert part.table.loc["never", "Recall Δ, matched"] == "—"
    assert sum(one.startswith("Matched:") for one in part.remarks) == 1


def test_the_summary_redraws_no_photographs(monkeypatch):
    """A thousand arms would take half a minute."""

    def fail(*_, **__):
        raise AssertionError("photographs were redrawn")

    monkeypatch.setattr(matched.redrawn, "matched_statistic", fail)
    fresh = outcomes(an_arm("plain", 0, -1.0), an_arm("eager", 1))

    assert "Recall Δ, matched" in terminal_summary.summary(fresh, "dehaan2020").table


def test_nothing_is_matched_in_a_study_of_counts():
    """No column, no row, no remark."""
    study = outcomes(counted("plain", [[3, 4], [5, 6]]), counted("eager", [[4, 4], [6, 9]]))
    comparisons = tables.part(study, "comparisons")
    summary = terminal_summary.summary(study, "dehaan2020")

    for part in (comparisons, summary):
        assert not any("matched" in head for head in part.table.columns)
        assert not any("matched" in one.lower() for one in part.remarks)


def test_runs_that_are_not_paired_are_not_matched():
    """A seed says nothing of which runs belong together."""
    study = outcomes(PLAIN, EAGER, paired=False)

    assert "Difference, matched" not in tables.part(study, "comparisons").table
    assert document(study)["arms"][1]["matched"] is None


def test_ties_at_matched_thresholds_are_told():
    """One is detected in the arm's only run, three of the reference's are equal."""
    tied = arm("plain", noisy(0, 1), nonfaces=[[2.0, 2.0, 2.0, 1.0]])
    eager = arm("eager", noisy(1, 1), nonfaces=[[1.0, -1.0, -2.0, -3.0]])

    assert matched_notes.of_pairs([(eager, tied)])[-1] == (
        "Photographs without a face tie at the matched threshold in 1 of 1 run: up to 2 more are "
        "positive than in the arm's run."
    )


def test_json_has_the_matched_values_and_differences():
    """Of every arm but the reference, in the units of the tables; else why not."""
    plain, eager, never = (one["matched"] for one in document(STUDY)["arms"])
    apart = matched.difference(EAGER, PLAIN, DEFINITION)["variance"]
    level = matched.values(EAGER, PLAIN, DEFINITION)["variance"]

    assert plain is None
    assert (eager["reference"], eager["refusal"]) == ("plain", None)
    assert eager["values"]["variance"]["value"] == pytest.approx(1e4 * level)
    assert eager["differences"]["variance"]["value"] == pytest.approx(1e4 * apart.value)
    assert eager["differences"]["variance"]["interval"]["low"] == pytest.approx(
        1e4 * apart.interval.low
    )
    assert (never["values"], never["differences"]) == (None, None)
    assert f"Cannot be matched: {never['refusal']}." == REFUSED


def test_json_comparisons_have_the_matched_difference():
    """Null where there is none."""
    found = {(one["arm"], one["quantity"]): one for one in document(STUDY)["comparisons"]}
    expected = matched.difference(EAGER, PLAIN, OF_RUNS)["recall"].value

    assert found["never", "recall"]["matched_difference"] is None
    assert found["eager", "recall"]["matched_difference"]["value"] == pytest.approx(1e2 * expected)


def test_every_matched_column_can_have_a_label():
    """In the tables and the summary."""
    found = [*tables.parts(STUDY, style="full"), terminal_summary.summary(STUDY, "dehaan2020")]
    heads = {head for part in found for head in part.table.columns if "matched" in head}

    assert len(heads) == 3
    assert heads <= label_file.HEADS


def test_a_table_of_many_arms_has_no_intervals_of_matched_differences(monkeypatch):
    """They take most of its time; the note says so."""
    monkeypatch.setattr(matched_notes, "MANY_ARMS", 1)
    pair = EAGER, PLAIN

    cell = matched_notes.difference(*pair, "recall", DEFINITION, arms=2)
    assert "[" not in cell
    assert cell.number.value == pytest.approx(100 * matched.changes(*pair, DEFINITION)["recall"])
    assert "With more than 1 arms" in matched_notes.of_pairs([pair, pair])[0]
