"""The table of claims: a row each, and what an answer is made from."""

import dataclasses

import pytest
from asking import REFERENCE, STANDARD, claim, falls, put, recall_kept, recalls, study

from repro.analysis import claims, looks
from repro.reporting.tables import claim_table, output_formats, tables
from repro.reporting.tables.presentation import Presentation


@pytest.fixture
def found(monkeypatch):
    """A primary claim that holds, one that is open, and one that cannot be read."""
    put(monkeypatch, variance=falls(241, 100), recall=recalls(0.5, 1.5))
    too_few = {"name": "they are equal at 1 %", "read_at": {"false_positive_rate": 0.01}}
    return study(
        claim(source="Somebody (2020), Table 3"),
        recall_kept(),
        claim(primary=False, **too_few),
    )


def test_each_claim_has_a_row(found):
    """Word, effect with interval, what would matter, what was measured, what would settle it."""
    rows = tables.part(found, "claims").table

    assert list(rows.index) == [one.claim.name for one in found.claims]
    assert rows.to_numpy().tolist() == [
        ["holds", "-241 [-365, -117]", "a fall by 25", "variance at logit 0: B less A", "—"],
        [
            "cannot tell yet",
            "+0.5 [-1.8, 2.8]",
            "2 points",
            "recall at logit 0: B less A",
            "about 10 seeds per arm",
        ],
        ["cannot tell yet", "—", "a fall by 25", "variance at 1 % FP: B less A", "—"],
    ]


def test_remarks_say_what_an_answer_rests_on(found):
    """The primary claim, levels, sources, what has no interval, and the three words."""
    remarks = tables.part(found, "claims").remarks

    assert remarks[0].startswith("Primary claim: resampling makes the groups more equal. ")
    assert remarks[1] == (
        "Level of the primary claim's interval: 95 %; of the others 97.5 %, so that all together "
        "err in 5 % (Bonferroni)."
    )
    assert "Sources: resampling makes the groups more equal: Somebody (2020), Table 3." in remarks
    assert (
        "No interval for “they are equal at 1 %”: a false-positive rate of 1 % takes 99 "
        "photographs without a face, and there are 40; within a factor of 2 with 95 % confidence "
        "it takes 1,099." in remarks
    )
    assert [word in remarks[-1] for word in ("Replication", "Reproduction", "Robustness")] == (
        [True] * 3
    )


def test_an_early_look_that_nobody_planned_has_no_level(found):
    """Its interval has no ends, so "100 %" would say nothing."""
    findings = claims.findings(found)
    early = dataclasses.replace(claims.primary(findings), level=looks.WIDEST)

    assert claim_table._level(early) == "none, a look that nobody planned needs at least 5 pairs"


def test_a_trend_and_a_matched_threshold_are_told_in_short(monkeypatch):
    """As a reader of the table needs them."""
    put(monkeypatch, variance={"A": REFERENCE, "B": REFERENCE, "C": REFERENCE + 20 * STANDARD})
    one = claim(contrast={"trend": "alpha"})
    other = claim(name="matched", primary=False, read_at={"matched_to": "reference"})
    rows = tables.part(study(one, other, names="ABC", trend="ABC"), "claims").table

    assert list(rows["Measured"]) == [
        "variance at logit 0: A to C (3 arms)",
        "variance at equal FP: B less A",
    ]


def test_bad_runs_are_remarked_once(found, monkeypatch):
    """Not for each claim on the same arm."""
    doubted = ["B: seed 3 far from its median"]
    monkeypatch.setattr(claims, "doubts_of", lambda *rest: tuple(doubted))
    remarks = tables.part(found, "claims").remarks

    assert sum(one.startswith(doubted[0]) for one in remarks) == 1


def test_a_study_without_claims_has_no_such_table():
    """Neither alone nor among all."""
    assert claim_table.part(study(), "dehaan2020") is None


def test_a_file_for_programs_has_the_numbers_in_columns(found):
    """Word, effect and its ends; an empty cell where there is none."""
    text = output_formats.text(found, Presentation(form="csv", part="claims"))
    head, first, *_, last = text.splitlines()

    assert head.startswith("claim,answer,effect,effect_low,effect_high,smallest_effect,")
    assert first.startswith("resampling makes the groups more equal,holds,-241,-365.1")
    assert last.startswith("they are equal at 1 %,cannot tell yet,,,,")
