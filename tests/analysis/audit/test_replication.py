"""Two studies of one effect: where effects come from, and what is said."""

import math
from dataclasses import replace

import arms
import numpy as np
import pytest

from repro.analysis.audit import replication
from repro.analysis.audit.inspection import audit
from repro.analysis.audit.reading.description import Description
from repro.analysis.audit.replication import Asked, Replication, Side
from repro.errors import DataError
from repro.stats.disparity import DEFINITIONS
from repro.stats.intervals import Interval
from repro.stats.replication import Effect

PLAIN = Asked("recall", "a", None, DEFINITIONS["dehaan2020"])
A = arms.counted("a", [[30, 34], [32, 34], [31, 36]])
B = arms.counted("b", [[36, 38], [35, 37], [39, 36]])
TABLE = "arm,recall,variance\na,80.0 ± 2.0,16.0 ± 4.0\nb,84.0 ± 1.0,9.0 ± 3.0\n"


def printed(tmp_path, text=TABLE, **said):
    """The tables of a file of printed means."""
    path = tmp_path / "means.csv"
    path.write_text(text)
    return audit([path], said=Description(**said), alone=True).tables


def sides(theirs, ours, *, is_effect=True, margin=None, quantity="variance"):
    """A replication of these effects."""
    both = (Side(name, "it", effect, "given") for name, effect in (("T", theirs), ("O", ours)))
    return Replication(quantity, is_effect, margin, None, *both)


def texts(found):
    """The sentences by their measures."""
    return {one.name: one.text for one in found.statements()}


def test_a_mean_of_runs_has_the_runs_standard_error():
    """Pooled recalls of 64, 66 and 67 of 80."""
    found = replication.of_outcomes(arms.outcomes(A, B), PLAIN)
    values = np.array([64, 66, 67]) / 0.8

    assert found.effect.value == pytest.approx(values.mean())
    assert found.effect.error == pytest.approx(values.std(ddof=1) / math.sqrt(3))
    assert (found.effect.degrees, found.what, found.basis) == (2, "recall of a", "3 runs")


def test_a_study_pairs_its_runs():
    """Differences run by run: 10, 6, 8 of 80 portraits."""
    found = replication.of_outcomes(arms.outcomes(B, A), replace(PLAIN, arm="b", less="a"))
    values = np.array([10, 6, 8]) / 0.8

    assert found.effect.value == pytest.approx(values.mean())
    assert found.effect.error == pytest.approx(values.std(ddof=1) / math.sqrt(3))
    assert found.basis == "3 pairs of runs"


def test_runs_of_a_file_are_no_pairs():
    """Welch's standard error and degrees of freedom."""
    asked = replace(PLAIN, arm="b", less="a")
    found = replication.of_outcomes(arms.outcomes(B, A, paired=False), asked)
    a, b = np.array([64, 66, 67]) / 0.8, np.array([74, 72, 75]) / 0.8

    assert found.effect.value == pytest.approx(b.mean() - a.mean())
    assert found.effect.error == pytest.approx(math.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 3))
    assert 2 < found.effect.degrees < 4
    assert found.basis == "3 and 3 runs, unpaired"


def test_a_variance_of_averages_has_a_jackknife_error():
    """The value is that of the table; leaving one run out gives the standard error."""
    found = replication.of_outcomes(arms.outcomes(A, B), replace(PLAIN, quantity="variance"))
    recall = A.recall
    left = np.array([np.delete(recall, at, 0).mean(axis=0).var() for at in range(3)])
    whole = recall.mean(axis=0).var()
    pseudo = 3 * whole - 2 * left

    assert found.effect.value == pytest.approx(1e4 * whole)
    assert found.effect.error == pytest.approx(1e4 * pseudo.std(ddof=1) / math.sqrt(3))


@pytest.mark.parametrize(
    ("spread", "divisor"),
    [("sd", math.sqrt(5)), ("sem", 1.0), ("ci95_t", 2.776445), ("ci95_normal", 1.959964)],
)
def test_a_printed_spread_becomes_a_standard_error(tmp_path, spread, divisor):
    """Of five runs."""
    tables = printed(tmp_path, spread=spread, replicates=5)
    found = replication.of_tables(tables, "means", PLAIN)

    assert found.effect.value == 80
    assert found.effect.error == pytest.approx(2 / divisor)
    assert (found.effect.degrees, found.basis) == (4, "printed mean of 5 runs")


def test_printed_arms_are_unpaired(tmp_path):
    """Variances 16 and 9, standard errors 4 and 3."""
    tables = printed(tmp_path, spread="sem", replicates=5, keep=3)
    asked = replace(PLAIN, quantity="variance", arm="B", less="a")
    found = replication.of_tables(tables, "means", asked)

    assert (found.effect.value, found.effect.error) == (-7, 5)
    assert found.effect.degrees == pytest.approx(25**2 / (16**2 / 2 + 9**2 / 2))
    assert found.basis == "printed means of the best 3 of 5 runs, unpaired"


def test_a_given_standard_error_is_of_the_effect(tmp_path):
    """Also of a difference of two printed means without ±."""
    tables = printed(tmp_path, "arm,recall,variance\na,80.0,16.0\nb,84.0,9.0\n")
    alone = replication.of_tables(tables, "means", replace(PLAIN, error=1.5))
    apart = replication.of_tables(tables, "means", replace(PLAIN, arm="b", less="a", error=1.5))

    assert (alone.effect.value, alone.effect.error) == (80, 1.5)
    assert (apart.effect.value, apart.effect.error) == (4, pytest.approx(1.5))


@pytest.mark.parametrize(
    ("text", "said", "asked", "message"),
    [
        (TABLE, {}, PLAIN, "does not say what ± is: --plus-minus sd, sem"),
        (TABLE, {"spread": "sd"}, PLAIN, "does not say of how many runs its means are: --runs N"),
        (TABLE, {"spread": "sd", "replicates": 1}, PLAIN, "of 1 run beside the recall of a is no"),
        (
            "arm,recall,variance\na,80.0,16.0\nb,84.0,9.0\n",
            {},
            replace(PLAIN, side="their"),
            "prints no ± beside the recall of a: give the standard error .* --their-se SE",
        ),
        (TABLE, {}, replace(PLAIN, arm=None), "which arm. Name it, --arm ARM: a; b"),
        (TABLE, {}, replace(PLAIN, arm="c"), "no arm 'c' with results: name one, --arm ARM: a; b"),
        (
            TABLE,
            {"spread": "sem", "replicates": 5},
            replace(PLAIN, less="c", side="their"),
            "no arm 'c' with results: name one, --their-less ARM",
        ),
    ],
)
def test_what_a_printed_source_lacks_is_asked_for(tmp_path, text, said, asked, message):
    """By the name of the option."""
    with pytest.raises(DataError, match=message):
        replication.of_tables(printed(tmp_path, text, **said), "means", asked)


@pytest.mark.parametrize(
    ("arm", "message"),
    [
        (arms.counted("a", [[30, 34]]), "recall of a is of a single run: give the standard error"),
        (arms.counted("a", [[30, 34]] * 3), "recall of a is the same in all runs: give the"),
    ],
)
def test_runs_without_a_spread_have_no_standard_error(arm, message):
    """It can be given: --our-se."""
    study = arms.outcomes(arm)
    with pytest.raises(DataError, match=message):
        replication.of_outcomes(study, PLAIN)

    assert replication.of_outcomes(study, replace(PLAIN, error=2.0)).effect.error == 2.0


def test_a_single_group_has_no_variance():
    """It would be 0 by itself."""
    study = arms.outcomes(arms.counted("a", [[30], [31]]))
    with pytest.raises(DataError, match="a has a single group, so no variance"):
        replication.of_outcomes(study, replace(PLAIN, quantity="variance"))


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((math.nan, 1, None), "write an effect, and its standard error above 0"),
        ((1, 0, None), "write an effect, and its standard error above 0"),
        ((1, 1, 1), "a standard error takes at least 2 runs"),
    ],
)
def test_given_numbers_are_checked(numbers, message):
    """Each by itself."""
    with pytest.raises(DataError, match=message):
        replication.given(*numbers, "theirs")


def test_a_replicated_effect_is_told_with_its_size():
    """Both clear, of one size."""
    told = texts(sides(Effect(-20, 4), Effect(-18, 4), margin=15))

    assert told["Prediction interval"] == (
        "Ours is what one would expect from theirs, the noise of both included: -18.00 percent "
        "squared lies inside [-31.09, -8.91]."
    )
    assert told["Equivalence"] == (
        "Ours less theirs is +2.00 [-9.09, +13.09] percent squared: the two are equivalent: the "
        "interval lies within ±15."
    )
    assert told["Sceptical p (golden)"].startswith("p = 1.047e-05, one-sided, replicated: ")
    assert told["Sceptical p (golden)"].endswith("(theirs -20.00, ours -18.00 percent squared).")
    assert "so it is not shown to be too small" in told["Small telescopes"]
    assert "more for their effect than for none" in told["Replication Bayes factor"]


def test_an_effect_that_is_gone_is_told():
    """Precisely nothing, where theirs was large."""
    told = texts(sides(Effect(-20, 8), Effect(0.5, 1), margin=5))

    assert told["Prediction interval"].startswith("Ours is not what one would expect")
    assert told["Equivalence"].endswith("the two differ by 5 or more.") is False
    assert "cannot tell whether the two differ by less than 5" in told["Equivalence"]
    assert (
        "not shown to be replicated: our estimate is in the other direction"
        in told["Sceptical p (golden)"]
    )
    assert "so it is too small for their study to have seen" in told["Small telescopes"]
    assert "more for no effect than for theirs" in told["Replication Bayes factor"]


def test_an_original_within_its_noise_is_told():
    """Nothing can replicate what was not seen."""
    told = texts(sides(Effect(-20, 18), Effect(-11, 3)))["Sceptical p (golden)"]

    assert "not shown to be replicated: theirs alone is no more than noise may give" in told


@pytest.mark.parametrize("less", ["a", "A"])
def test_an_arm_less_itself_is_refused(tmp_path, less):
    """Also under another spelling."""
    with pytest.raises(DataError, match="'a' less itself is no effect: name two arms"):
        replication.of_tables(
            printed(tmp_path, spread="sd", replicates=5), "means", replace(PLAIN, less=less)
        )


def test_a_difference_beyond_the_margin_is_told():
    """By its whole interval."""
    told = texts(sides(Effect(-20, 1), Effect(0, 1), margin=5))

    assert told["Equivalence"].endswith("the two differ by 5 or more.")


def test_without_a_margin_there_is_no_word_on_equivalence():
    """The difference and its interval stand."""
    told = texts(sides(Effect(-20, 8), Effect(-10, 8)))

    assert "no margin was declared (--margin)" in told["Difference"]
    assert "Equivalence" not in told


def test_one_arm_has_no_effect_to_replicate():
    """Zero recall is no hypothesis; intervals stay where a recall can be."""
    found = sides(Effect(95, 4), Effect(97, 3), is_effect=False, quantity="recall")

    assert list(texts(found)) == ["Prediction interval", "Difference"]
    assert found.within(Interval(90, 104)) == (90, 100)
    assert "lies inside [85.20, 100.00]" in texts(found)["Prediction interval"]
