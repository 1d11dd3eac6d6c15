"""Arms less their placebos: which belong together, and what their difference says."""

from dataclasses import replace

import pytest
from asking import SHARE, claim
from closing import DEALT, SOURCE, study

from repro.analysis import claims, placebos
from repro.stats import power

CONTRAST = {"contrast": {"arm": "weighted", "less": "placebo"}}


def test_an_arm_and_its_placebo_are_found_by_the_source_of_a_run():
    """Whatever the arms are called, since another study may have trained the placebo."""
    (found,) = placebos.contrasts(study())

    assert (found.arm, found.placebo, found.within) == ("weighted", "placebo", "all")


@pytest.mark.parametrize("changes", [{}, {"read_at": {"false_positive_rate": 0.1}}])
def test_the_difference_is_that_of_a_claim_on_both_arms(changes):
    """At its threshold, with its interval."""
    whole = study(claim(**CONTRAST, **changes))
    (found,), (said,) = placebos.contrasts(whole), claims.findings(whole)

    assert found.value == pytest.approx(said.effect)
    assert found.interval == pytest.approx(said.interval)
    assert (found.pairs, found.reason) == (5, "")


def test_what_would_be_seen_is_what_a_t_test_detects():
    """With 80 % probability; the photographs are part of the error."""
    (found,) = placebos.contrasts(study())
    (said,) = claims.findings(study())
    error = (said.spread**2 / 5 + said.noise) ** 0.5
    free = 4 * (error**2 / (said.spread**2 / 5)) ** 2

    assert found.seen == pytest.approx(error * power.detectable(free))
    assert found.sd == pytest.approx(said.spread)


def test_without_a_claim_on_detectors_the_variance_at_logit_0_is_read():
    """As where the primary claim is on runs that fail, or there is none."""
    failing = study(claim(**(SHARE | CONTRAST)))
    for whole in (replace(study(), claims=()), failing):
        (found,) = placebos.contrasts(whole)
        assert (found.claim.quantity, found.claim.read_at.logit) == ("variance", 0)
        assert found.value == pytest.approx(claims.findings(study())[0].effect)


def test_matched_thresholds_are_those_of_the_pair():
    """The placebo is read at the arm's own false-positive rates, or it is said why not."""
    (found,) = placebos.contrasts(study(claim(read_at={"matched_to": "reference"}, **CONTRAST)))

    assert found.reason.startswith("the false-positive rates cannot be matched: ")


def test_a_placebo_within_groups_is_told_apart():
    """By the parameter of its rule."""
    whole = study()
    within = {"resampling": {"rule": "placebo", "parameters": {"within": "groups"}}}
    arms = [replace(a, configured=within) if a.name == "placebo" else a for a in whole.arms]
    (found,) = placebos.contrasts(replace(whole, arms=tuple(arms)))

    assert (found.within, found.permutation) == ("groups", "run")


@pytest.mark.parametrize(
    "changes",
    [
        {"sources": ()},
        {"sources": ("1" * 32 + "-seed0",)},
        {"configured": {"resampling": {"rule": "frozen"}}},
        {"configured": {}},
    ],
)
def test_no_other_arm_is_a_placebo(changes):
    """Of no run of this study, of another rule, or one that has not ended."""
    whole = study()
    plain = {"sources": (SOURCE,), "configured": DEALT} | changes
    arms = [replace(a, **plain) if a.name == "placebo" else a for a in whole.arms]

    assert placebos.contrasts(replace(whole, arms=tuple(arms))) == []


def test_pairs_that_are_all_alike_have_no_interval():
    """A placebo by the identity is its arm."""
    whole = study()
    same = replace(whole.arms[1], name="placebo", keys=(), sources=(SOURCE,), configured=DEALT)
    arms = [same if one.name == "placebo" else one for one in whole.arms]
    (found,) = placebos.contrasts(replace(whole, arms=tuple(arms)))

    assert found.value == 0
    assert found.reason == "all pairs differ by the same, which tells nothing of others"
