"""What would decide a claim: seeds, and photographs where these are too few."""

from dataclasses import replace

import pytest
from asking import claim, of_difference, study

from repro.analysis import claim_findings, claims


def test_seeds_that_settle_are_those_of_the_power(monkeypatch):
    """Eleven pairs for an effect of one standard deviation: ten find it in 79.9 %."""
    found = of_difference(monkeypatch, -12.5, 25)

    assert found.word == "cannot tell yet"
    assert claim_findings.needed(found) == claim_findings.Needed(11, 1.0)


def test_seeds_that_settle_are_more_than_there_are(monkeypatch):
    """Where as many decide most studies, this one is not among them."""
    found = of_difference(monkeypatch, -12.5, 11)

    assert found.word == "cannot tell yet"
    assert claim_findings.needed(found).pairs == 6


@pytest.mark.parametrize("expect", ["lower", "kept"])
def test_photographs_that_are_too_few_are_told(monkeypatch, expect):
    """As many more as make their variance small enough, and never fewer to keep than to find."""
    found = of_difference(monkeypatch, -12.5, 25, expect=expect)
    wanted = claim_findings.needed(replace(found, noise=400.0))
    few = claim_findings.needed(replace(found, noise=0.0))

    assert wanted.pairs == 2 * few.pairs
    assert wanted.times > 1
    enough = replace(found, noise=400.0 / (1.01 * wanted.times))
    assert claim_findings.needed(enough).pairs <= wanted.pairs


def test_nothing_settles_what_has_no_spread():
    """A single pair, or no effect at all."""
    (found,) = claims.findings(study(claim(), runs=1))

    assert claim_findings.needed(found) == claim_findings.Needed()
