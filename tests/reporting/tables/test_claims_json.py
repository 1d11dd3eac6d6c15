"""A study's claims as fields for programs."""

import json

import jsonschema
import pytest
from arms import arm, lost, noisy, outcomes
from asking import GAIN, SHARE, asking, claim, falls, put, recall_kept, recalls, study

from repro.analysis import claims
from repro.reporting.tables import answer, claims_json, json_output, output_formats
from repro.reporting.tables.presentation import Presentation


@pytest.fixture
def found(monkeypatch):
    """A claim that holds and one that is open."""
    put(monkeypatch, variance=falls(241, 100), recall=recalls(0.5, 1.5))
    return study(claim(source="Somebody (2020)"), recall_kept())


def document(found):
    """The whole output, as a program reads it."""
    return json.loads(output_formats.text(found, Presentation(form="json")))["studies"][0]


def test_a_claim_has_its_numbers(found):
    """Word, effect with interval and level, arms, smallest effect, pairs."""
    (first, _), (told, _) = claims_json.fields(found)["claims"], claims.findings(found)

    assert (first["word"], first["primary"], first["source"]) == ("holds", True, "Somebody (2020)")
    assert (first["arms"], first["pairs"]) == (["A", "B"], {"with_results": 5, "planned": 5})
    assert first["effect"] == {
        "value": told.effect,
        "unit": "percent_squared",
        "n": 5,
        "sd": told.spread,
        "interval": {
            "low": told.interval.low,
            "high": told.interval.high,
            "level": 0.95,
            "method": "paired runs and photographs, Student's quantile",
        },
    }
    assert first["smallest_effect"] == {"absolute": 25.0, "value": 25.0}
    assert (first["exceeds_smallest_effect"], first["opposite"]) == (True, False)
    assert first["definition"] == "dehaan2020"


def test_what_would_settle_is_told_of_open_claims_alone(found):
    """Seeds, and how many times as many photographs."""
    first, second = claims_json.fields(found)["claims"]

    assert first["to_settle"] is None
    assert second["to_settle"] == {
        "pairs": 9,
        "times_as_many_photographs": 1.0,
        "of": "photographs",
    }


def test_the_sentences_are_those_of_people(found):
    """As the other formats open with them."""
    told = claims_json.fields(found)

    assert told["answer"] == list(answer.of_study(found).sentences)
    assert told["claims"][0]["evidence"] in told["answer"][0]


def test_output_with_claims_fits_its_schema():
    """Also of an arm without runs, shares of runs, a trend and a gain."""
    small = outcomes(arm("A", noisy(0)), arm("B", noisy(1)), lost("C", failed=5))
    asked = asking(
        small,
        claim(),
        recall_kept(contrast={"arm": "C", "less": "A"}),
        claim(**SHARE, primary=False),
        claim(**GAIN, primary=False),
        claim(name="trend", contrast={"trend": "alpha"}, primary=False),
        trend=("A", "B"),
    )
    whole = json.loads(output_formats.text(asked, Presentation(form="json")))

    jsonschema.validate(whole, json_output.schema())
    assert [one["word"] for one in whole["studies"][0]["claims"]].count("cannot tell yet") >= 2
    assert whole["studies"][0]["claims"][1]["effect"]["interval"] is None


def test_a_study_without_claims_has_no_answer():
    """Null and empty, so that a program need not ask whether they exist."""
    told = document(outcomes(arm("A", noisy(0)), arm("B", noisy(1))))

    assert (told["answer"], told["claims"]) == (None, [])
