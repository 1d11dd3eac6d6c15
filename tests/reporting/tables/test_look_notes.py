"""What is said of the looks at a study that grows."""

import dataclasses

import numpy as np
import pytest
from arms import arm, counted, noisy, outcomes

from repro.analysis import claim_findings, claims, looks
from repro.reporting.tables import look_notes, run_notes, study_json, tables
from repro.stats import intervals, stopping
from repro.study.claims import Claim, Contrast, Declared, ReadAt, SmallestEffect
from repro.study.looks import Looks

CLAIM = Claim(
    name="more faces are found",
    quantity="recall",
    read_at=ReadAt(logit=0.0),
    contrast=Contrast(arm="half", less="none"),
    expect="higher",
    smallest_effect=SmallestEffect(absolute=10.0),
    primary=True,
)
PLAN = (5, 10, 15, 20, 25, 30, 35, 40)


def study(runs, *, planned=PLAN, missing=0, **changes):
    """Two arms with a claim, looked at after so many seeds."""
    both = [arm(name, noisy(seed, runs)) for seed, name in enumerate(("none", "half"))]
    both[1] = dataclasses.replace(both[1], wanted=runs + missing)
    found = outcomes(
        *(dataclasses.replace(one, wanted=runs + missing) for one in both),
        claims=(Declared(CLAIM, ("none", "half")),),
        looks=Looks(planned=planned, level=looks.level_of(planned), **changes),
    )
    return found


@pytest.mark.parametrize(
    ("planned", "runs", "level"), [((5,), 5, 0.95), (PLAN, 5, 0.99), (PLAN, 10, 0.99)]
)
def test_the_interval_of_a_planned_look_has_the_level_of_its_plan(planned, runs, level):
    """95 % for a single look, 99 % for eight of them."""
    (found,) = claims.findings(study(runs, planned=planned))

    assert found.level == pytest.approx(level)


@pytest.mark.parametrize(
    ("runs", "changes"),
    [
        (7, {"planned": (5,)}),
        (7, {}),
        (10, {"changed": True}),
        (8, {"missing": 2}),  # on the way to the look at ten
    ],
)
def test_a_look_that_was_not_planned_has_the_anytime_interval(runs, changes):
    """As wide as the bound on t that holds at any number of pairs."""
    (found,) = claims.findings(study(runs, **changes))

    bound = intervals.t_quantile(runs - 1, level=found.level)
    assert bound == pytest.approx(stopping.anytime_boundary(runs), rel=1e-9)


@pytest.mark.parametrize("runs", [2, 4])
def test_so_few_pairs_have_no_word_at_a_look_that_was_not_planned(runs):
    """Values are told, an interval is not."""
    (found,) = claims.findings(study(runs))

    assert (found.word, found.level, found.reason) == ("cannot tell yet", 1.0, looks.TOO_FEW)
    assert np.isfinite(found.effect)
    assert np.isnan(found.interval.low)
    assert claim_findings.needed(found) == claim_findings.Needed()


def test_a_planned_look_is_told_with_its_level():
    """And how many seeds there could be."""
    assert look_notes.of_looks(study(10)) == [
        "Looked at after 5 and 10 of at most 40 seeds an arm. At every look the primary claim has "
        "an interval of 99 %, so that all looks together err in at most 5 % of studies."
    ]


@pytest.mark.parametrize(
    ("runs", "changes", "told"),
    [
        (7, {}, "7 seeds an arm are no look of the study's plan (5, 10, ..., 40): "),
        (7, {"planned": (5,)}, "7 seeds an arm are no look of the study's plan (5): "),
        (
            10,
            {"planned": (5, 10), "changed": True},
            "The plan to look after 5 and 10 seeds was changed after a look: ",
        ),
        (8, {"missing": 2}, "Not all runs of the look after 10 seeds have ended: "),
    ],
)
def test_a_look_that_was_not_planned_is_told(runs, changes, told):
    """And what the interval is then."""
    (line,) = look_notes.of_looks(study(runs, **changes))

    assert line.startswith(
        f"{told}the primary claim has an interval that holds at any number of pairs, which is "
        "wider (Student's of 99."
    )
    assert line.endswith(f" % with {runs}).")


def test_three_pairs_are_told_to_have_no_word():
    """At a number of seeds that was not planned."""
    (line,) = look_notes.of_looks(study(3))

    assert line.endswith("(5, 10, ..., 40): the primary claim cannot be decided with so few pairs.")


def test_a_single_planned_look_needs_no_words():
    """Nor does a study without claims."""
    assert look_notes.of_looks(study(5, planned=(5,))) == []
    assert look_notes.of_looks(outcomes(arm("none", noisy(0)))) == []


def test_programs_get_the_looks():
    """With the level at which the claim is judged; null without claims."""
    found = study_json.study(study(5, taken=(5,)), "dehaan2020")

    assert found["looks"] == {
        "planned": [*PLAN],
        "taken": [5],
        "changed": False,
        "as_planned": True,
        "level": pytest.approx(0.99),
        "decided": None,
    }
    assert study_json.study(outcomes(arm("none", noisy(0))), "dehaan2020")["looks"] is None


GROWN = counted(
    "none", [(10, 30), (20, 30), (30, 30), (40, 30), (40, 40)], block=range(3), wanted=5
)


def test_the_papers_columns_keep_the_first_block():
    """The best 2 of the first 3 runs, though later ones are better."""
    found = outcomes(GROWN, keep=2)

    assert GROWN.kept(2) == [1, 2]
    assert (found.block, found.replicates, found.has_grown) == (3, 5, True)
    (line,) = run_notes.of_selection(found, "dehaan2020")
    assert line.startswith("E[A] and Var[A] are of the best 2 of the first 3 runs by recall")


def test_a_grown_study_shows_what_a_selection_is_expected_to_give():
    """The best 2 of 3 of five runs: all ten sets of three, averaged by hand."""
    recall = [50.0, 62.5, 75.0, 87.5, 100.0]
    best = [sorted((a, b, c))[1:] for a in recall for b in recall for c in recall if a < b < c]
    row = tables.results(outcomes(GROWN, keep=2), "dehaan2020").table.iloc[0]

    assert len(best) == 10
    assert row["Expected recall"] == f"{np.mean(best):.2f}"
    assert float(row["Expected variance"]) > 0


def test_a_study_that_has_not_grown_has_no_such_columns():
    """Its tables are as before."""
    same = dataclasses.replace(GROWN, block=range(5))

    assert "Expected recall" not in tables.results(outcomes(same, keep=2), "dehaan2020").table
