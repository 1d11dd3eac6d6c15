"""The tables of recall against skin tone, their words, and the fields for programs."""

import csv
import io
import json
from dataclasses import replace

import jsonschema
import numpy as np
import pytest
import toned

from repro.analysis import tone
from repro.reporting.tables import json_output, label_file, output_formats, tables, tone_table
from repro.reporting.tables.presentation import Presentation
from repro.stats import redrawn


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """A hundred redrawn samples, and nothing kept for other tests."""
    monkeypatch.setattr(redrawn, "MOST", 100)
    redrawn.draws.cache_clear()
    yield
    redrawn.draws.cache_clear()


def said(outcomes, which="tone"):
    """The remarks, as one text."""
    return " ".join(tables.part(outcomes, which).remarks)


def one_rate(outcomes, change):
    """The outcomes as if the change of their first arm at logit 0 were this estimate."""
    arm = outcomes.arms[0]
    tone.slope(outcomes, arm)
    key = next(key for key in outcomes.cache if key[0] == "_slope" and key[1:] == (arm, None))
    outcomes.cache[key] = change
    return outcomes


def test_a_study_without_a_scale_has_no_such_table():
    """And programs get null."""
    plain = replace(toned.outcomes(), tone="")

    assert tables.part(plain, "tone") is None
    assert tables.part(plain, "tone_curve") is None
    assert tone_table.as_fields(plain, ["No debias"]) is None


def test_each_arm_has_a_row_for_each_threshold():
    """Logit 0 and the study's rate; the reference has no difference from itself."""
    table = tables.part(toned.outcomes(), "tone").table

    assert list(table.index) == ["No debias"] * 2 + ["alpha = 0.1"] * 2
    assert table["Threshold"].tolist() == ["logit 0", "10 % false positives"] * 2
    assert table["Change minus reference"].tolist()[:2] == ["—", "—"]
    assert table["p"].tolist()[:2] == ["—", "—"]


def test_a_cell_is_the_change_in_points():
    """With its interval."""
    found = toned.outcomes()
    read = tone.slope(found, found.arms[0])
    low, high = (100 * end for end in read.interval)

    assert tables.part(found, "tone").table["Change over the scale"].iloc[0] == (
        f"{100 * read.value:.1f} [{low:.1f}, {high:.1f}]"
    )


@pytest.mark.parametrize(
    ("value", "ends", "expected"),
    [
        (-0.123, (-0.2, -0.05), "falls by 12.3 points [5.0, 20.0] from the lightest tone (1) to"),
        (0.123, (0.05, 0.2), "rises by 12.3 points [5.0, 20.0] from the lightest tone (1) to"),
        (-0.123, (-0.3, 0.05), "falls by 12.3 points [-5.0, 30.0] from the lightest"),
        (-0.123, (np.nan, np.nan), "falls by 12.3 points from the lightest"),
        (0.0, (np.nan, np.nan), "does not change from the lightest tone (1) to"),
    ],
)
def test_the_sentence_says_how_much_recall_falls_or_rises(value, ends, expected):
    """A fall is a positive number; the ends of the interval go with it."""
    change = tone.Estimate(value, tone.intervals.Interval(*ends))
    (sentence,) = tone_table.sentences(one_rate(toned.outcomes(), change))

    assert f"At logit 0 the recall of “No debias” {expected}" in sentence
    assert ("cannot be told" in sentence) == (ends[0] < 0 < ends[1])


def test_the_words_name_column_ends_and_direction():
    """FHIBE has two columns: as in the picture, and as the person says."""
    apparent = said(toned.outcomes(column="apparent_skin_color"))
    natural = said(toned.outcomes(column="natural_skin_color"))
    own = said(toned.outcomes(column="mine"))

    assert (
        "Scale: the lightest tone (6) to the darkest (1) of the column apparent_skin_color, as it "
        "appears in the picture; a larger number is lighter. 72 portraits; each counts as "
        "independent of the others."
    ) in apparent
    assert "natural_skin_color, as the person says it is; a larger number is lighter" in natural
    assert "from tone 1 to tone 6 of the column mine" in own
    assert "its direction is not known" in own


def test_a_tone_of_a_single_person_is_told():
    """Tone and person cannot be separated there."""
    alone = np.where(toned.LEVELS == 6, 100, toned.PAIRS)
    found = toned.outcomes(cluster=alone)

    assert (
        "Tone 6: a single subject_id, so that what is found there may be due to it as well as to "
        "the tone."
    ) in said(found)
    assert (
        "Tones 1, 2, 3, 4, 5 and 6: fewer than 10 clusters each, recall without an interval."
    ) in said(found)
    assert "72 portraits in 31 clusters of equal subject_id." in said(found)


def test_too_few_persons_are_told():
    """No interval below ten."""
    found = toned.outcomes(cluster=np.arange(72) % 9)

    assert "72 portraits in 9 clusters of equal subject_id. There is no interval below 10." in (
        said(found)
    )


def test_left_out_portraits_are_counted():
    """Those of unknown tone."""
    lacking = toned.LEVELS.copy()
    lacking[0] = np.nan

    assert "Left out: 1 portrait of unknown tone." in said(toned.outcomes(lacking))


def test_p_is_called_exploratory():
    """It is no member of the family; nothing is said of it where nothing is compared."""
    alone = toned.outcomes(arms={"No debias": {}})

    assert "Its p is not adjusted and belongs to no family of tests" in said(toned.outcomes())
    assert "Its p" not in said(alone)


def test_the_curve_has_a_row_for_each_tone():
    """Of each arm and threshold; clusters are portraits here."""
    table = tables.part(toned.outcomes(), "tone_curve").table

    assert len(table) == 2 * 2 * 6
    assert table["Tone"].tolist()[:6] == list("123456")
    assert table["Clusters"].tolist()[:6] == ["12"] * 6


def test_a_smooth_curve_tells_its_bandwidth():
    """And that what it smooths away is not in the interval."""
    found = toned.outcomes(toned.SMOOTH)
    bandwidth = tone.scale(found, found.arms[0]).bandwidth

    assert f"Gaussian kernel, standard deviation {bandwidth:.3g}" in said(found, "tone_curve")
    assert len(tables.part(found, "tone_curve").table) <= 2 * 2 * 11


@pytest.mark.parametrize("shape", ["levels", "smooth"])
def test_json_has_every_number_and_keeps_its_schema(shape):
    """Arms at thresholds, with their curves; of a smooth one all points."""
    found = toned.outcomes(toned.LEVELS if shape == "levels" else toned.SMOOTH)
    text = output_formats.text(found, Presentation(form="json"))
    document = json.loads(text, parse_constant=pytest.fail)
    jsonschema.validate(document, json_output.schema())
    told = document["studies"][0]["tone"]

    assert (told["column"], told["larger_is"]) == ("fitzpatrick", "darker")
    assert [(one["arm"], one["rate"]) for one in told["readings"]] == [
        (arm, rate)
        for arm in ("No debias", "alpha = 0.1")
        for rate in (None, {"value": 10, "unit": "percent"})
    ]
    assert (told["bandwidth"] is None) == (shape == "levels")
    assert len(told["levels"]) == (6 if shape == "levels" else 0)
    first = told["readings"][0]
    assert first["change"]["value"] == pytest.approx(100 * tone.slope(found, found.arms[0]).value)
    assert len(first["curve"]) == len(tone.curve(found, found.arms[0]))


@pytest.mark.parametrize("which", ["tone", "tone_curve"])
def test_files_have_a_number_a_cell(which):
    """No brackets, no dash."""
    found = toned.outcomes()
    text = output_formats.text(found, Presentation(form="csv", part=which))
    head, *rows = csv.reader(io.StringIO(text))

    assert len(set(head)) == len(head)
    assert not [cell for row in rows for cell in row if "[" in cell or cell == "—"]


def test_every_column_can_have_a_label():
    """As in a file of labels."""
    found = toned.outcomes()
    for which in ("tone", "tone_curve"):
        assert set(tables.part(found, which).table.columns) <= label_file.HEADS


def test_detectors_stand_below_the_arms():
    """Named as trained elsewhere, at their own threshold, compared with nothing."""
    found = toned.outcomes()
    found = replace(found, detectors=(replace(found.arms[0].only([0]), name="haar"),))
    part = tables.part(found, "tone")
    told = tone_table.as_fields(found, ["No debias"])["readings"]

    assert list(part.table.index)[-2:] == ["haar", "haar"]
    assert part.table["Threshold"].tolist()[-2:] == ["its own", "10 % false positives"]
    assert part.table["p"].tolist()[-2:] == ["—", "—"]
    assert part.below == 2
    assert "Below the rule: 1 detector trained elsewhere" in said(found)
    assert [(one["arm"], one["detector"], one["difference"]) for one in told[-1:]] == [
        ("haar", True, None)
    ]
