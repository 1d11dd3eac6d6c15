"""The tables of shares of a gap and of placebos, and the same as fields for programs."""

import json
from dataclasses import replace

import jsonschema
import pytest
from closing import study

from repro.analysis import gap_closed, placebos
from repro.reporting.tables import json_output, output_formats, tables
from repro.reporting.tables.presentation import Presentation


@pytest.fixture(scope="module")
def found():
    """A study with two ceilings and a placebo."""
    return study()


def document(found):
    """The whole output, as a program reads it."""
    return json.loads(output_formats.text(found, Presentation(form="json")))


def test_two_ceilings_are_two_lines_with_two_names(found):
    """Balanced by the true group is not even training faces."""
    part = tables.part(found, "gap_share")

    assert list(part.table.index) == ["weighted", "even faces", "weighted", "oracle"]
    assert list(part.table["Ceiling"]) == ["oracle", "oracle", "even faces", "even faces"]
    assert any("question of its own" in remark for remark in part.remarks)


def test_a_row_has_share_numerator_denominator_and_seeds(found):
    """With the digits of a summary."""
    first = gap_closed.closings(found)[0].found
    row = tables.part(found, "gap_share").table.iloc[0]
    low, high = first.interval

    assert row["Share closed, %"] == (
        f"{100 * first.share:.1f} [{100 * low:.1f}, {100 * high:.1f}]"
    )
    assert row["Closed"].startswith(f"{first.numerator.value:.1f} [")
    assert row["Gap"].startswith(f"{first.denominator.value:.1f} [")
    assert row["Seeds"] == "5"
    assert row["Bootstrap"].startswith("[")


def test_what_is_measured_is_remarked(found):
    """Quantity, threshold, noise, unit, and the method of the interval."""
    first = tables.part(found, "gap_share").remarks[0]

    assert "the variance between groups at the papers' threshold (logit 0) without the noise" in (
        first
    )
    assert "percent squared" in first
    assert "Fieller's" in first


def test_a_refusal_prints_numerator_and_denominator():
    """With their intervals; arms with one reason are named together, a ceiling each."""
    part = tables.part(study(none=0.0), "gap_share")
    first, second = (one for one in part.remarks if one.startswith("No share of "))

    assert set(part.table["Share closed, %"]) == {"—"}
    assert all(" [" in cell for name in ("Closed", "Gap") for cell in part.table[name])
    assert first.startswith("No share of “weighted” and “even faces” with the ceiling “oracle”: ")
    assert f"nothing to close (gap {part.table['Gap'].iloc[0]}; " in first
    assert second.endswith("of resamples have no gap).")


def test_what_cannot_be_read_has_dashes_and_a_reason():
    """Two seeds."""
    part = tables.part(study(runs=2), "gap_share")

    assert set(part.table.iloc[0, 1:]) == {"—"}
    assert any("a variance without noise takes 3" in remark for remark in part.remarks)


def test_a_placebo_has_a_row_with_what_would_be_seen(found):
    """Effect, interval, smallest effect, seeds."""
    (one,) = placebos.contrasts(found)
    row = tables.part(found, "placebos").table.loc["weighted"]
    low, high = one.interval

    assert row.tolist() == [
        "placebo",
        "all faces",
        f"{one.value:+.1f} [{low:.1f}, {high:.1f}]",
        f"{one.seen:.1f}",
        "5",
    ]


def test_a_study_without_them_has_no_such_tables(found):
    """Neither alone nor among all."""
    plain = replace(found, gap_share=None, claims=(), arms=found.arms[:2])

    assert tables.part(plain, "gap_share") is None
    assert tables.part(plain, "placebos") is None
    assert not {"gap_share", "placebos"} & {one.name for one in tables.parts(plain, style="full")}


def test_columns_of_a_file_have_names_and_units(found):
    """One number a cell."""
    heads = [
        output_formats.text(found, Presentation(form="csv", part=part)).splitlines()[0]
        for part in ("gap_share", "placebos")
    ]

    assert heads[0].startswith("arm,ceiling,share_closed_percent,share_closed_percent_low,")
    assert "arm_less_placebo_percent_squared,arm_less_placebo_percent_squared_low," in heads[1]


@pytest.mark.parametrize("changes", [{}, {"none": 0.0}, {"runs": 2}])
def test_programs_get_the_same_numbers_by_the_schema(changes):
    """Also where a share is refused, or nothing can be read."""
    whole = study(**changes)
    told = document(whole)
    first, of_placebo = told["studies"][0]["gap_share"][0], told["studies"][0]["placebos"][0]
    closing, contrast = gap_closed.closings(whole)[0], placebos.contrasts(whole)[0]

    jsonschema.validate(told, json_output.schema())
    known = closing.found and not closing.found.refusal
    assert first["share"]["value"] == (pytest.approx(100 * closing.found.share) if known else None)
    assert bool(first["refusal"]) == (not known)
    assert of_placebo["difference"]["value"] == pytest.approx(contrast.value)
