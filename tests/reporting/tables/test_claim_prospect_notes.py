"""What `repro plan` says of claims."""

import pytest
from arms import lost, outcomes

from repro.analysis import claim_prospects, looks
from repro.reporting.tables import claim_prospect_notes
from repro.study.claims import Claim, Declared
from repro.study.looks import Looks

CLAIM = {
    "name": "MIT's arm finds more",
    "quantity": "recall",
    "read_at": {"logit": 0.0},
    "contrast": {"arm": "half", "less": "none"},
    "expect": "higher",
    "smallest_effect": {"absolute": 10.0},
    "primary": True,
}
SHARE = CLAIM | {
    "quantity": "failed_share",
    "read_at": None,
    "smallest_effect": {"absolute": 50.0},
}


def told(claim, *, seeds=5, planned=None, groups=("a", "b")):
    """The sentences on a claim of a study without a record."""
    declared = Declared(Claim.model_validate(claim), ("none", "half"))
    study = outcomes(
        *(lost(name, wanted=seeds) for name in ("none", "half")),
        claims=(declared,),
        looks=Looks(planned=planned or (seeds,), level=looks.level_of(planned or (seeds,))),
    )
    outlooks = claim_prospects.of_study(
        study,
        groups=dict.fromkeys(("none", "half"), groups),
        photographs=dict.fromkeys(("none", "half"), 100),
    )
    return claim_prospect_notes.of_claims(outlooks)


@pytest.mark.parametrize(
    ("changes", "spreads"),
    [
        ({}, "5, 10 or 20 points"),
        ({"smallest_effect": {"ratio": 1.25}}, "0.5, 1 or 2 times the smallest effect"),
    ],
)
def test_a_claim_is_told_with_its_power_and_the_seeds_that_it_needs(changes, spreads):
    """For three assumed spreads, in words."""
    explained, line = told(CLAIM | changes)

    assert explained == claim_prospect_notes.DECIDED
    assert line == (
        "Claim 'MIT's arm finds more' (primary): if pairs of runs differ with a standard deviation "
        f"of {spreads}, it is decided with 5 seeds an arm in 89, 40 or 14 % of studies; 80 % takes "
        "5, 11 or 34 seeds at a single look."
    )


def test_a_study_that_goes_on_is_told_with_both_ends():
    """The first look and the last one."""
    _, line = told(CLAIM, planned=(5, 10))

    assert "it is decided with 5 seeds an arm in " in line
    assert " % of studies and with 10 seeds an arm in " in line


def test_three_pairs_get_a_warning():
    """They hardly decide anything."""
    *_, line = told(CLAIM, seeds=3)

    assert line == (
        "Warning: claim 'MIT's arm finds more' (primary) is likely to stay undecided with 3 seeds "
        "an arm, even with the smallest of these spreads."
    )


def test_what_cannot_be_answered_gets_a_warning():
    """And no power."""
    assert told(CLAIM, seeds=1) == [
        "Claim 'MIT's arm finds more' (primary): with 1 seed an arm it can get only \"cannot tell "
        'yet".',
        "Warning: claim 'MIT's arm finds more' (primary) cannot be answered: 1 seed an arm cannot "
        "decide it, whatever they show.",
    ]


def test_a_share_of_runs_is_told_with_its_words():
    """It has no spread between pairs."""
    (line,) = told(SHARE, seeds=2)

    assert line.endswith(
        'with 2 seeds an arm it can get only "does not hold" or "cannot tell yet".'
    )


def test_a_study_without_claims_is_told_nothing():
    """Not even what decided means."""
    assert claim_prospect_notes.of_claims([]) == []
