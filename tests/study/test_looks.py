"""When a study was planned to be looked at, and was."""

import pytest

from repro.study.looks import Looks, Stop, looks

PLAN = (5, 10, 15)


def test_looks_are_taken_in_their_order():
    """And each once."""
    assert Looks(planned=PLAN, level=0.98).at(10).at(5).at(10).taken == (5, 10)


@pytest.mark.parametrize(
    ("taken", "today", "kept", "changed"),
    [
        ((), (3, 6), (3, 6), False),  # nobody has looked yet
        ((5,), PLAN, PLAN, False),
        ((5, 10), (5,), PLAN, False),  # run again without the rule
        ((5,), (5, 10), PLAN, True),
        ((5,), (7, 12), PLAN, True),
        ((5,), (7,), PLAN, True),
    ],
)
def test_a_plan_that_changes_after_a_look_is_told_apart(taken, today, kept, changed):
    """Before the first look it can be anything."""
    found = Looks(planned=PLAN, level=0.98, taken=taken).followed_by(
        Looks(planned=today, level=0.95)
    )

    assert (found.planned, found.changed) == (kept, changed)
    assert found.taken == taken


def test_a_look_that_nobody_planned_is_not_one_of_the_plan():
    """Whether it lies between two looks, or the plan has changed since."""
    assert Looks(planned=PLAN, level=0.98).include(10)
    assert not Looks(planned=PLAN, level=0.98).include(7)
    assert not Looks(planned=PLAN, level=0.98, changed=True).include(10)


def test_the_looks_of_a_rule():
    """Eight of five seeds each."""
    assert looks(5, Stop(every=5, at_most=40)) == (5, 10, 15, 20, 25, 30, 35, 40)


def test_a_decision_is_not_taken_back_by_another_plan():
    """It keeps the plan and the level by which it was made."""
    decided = Looks(planned=PLAN, level=0.98, taken=(5, 10), decided=10)

    assert decided.followed_by(Looks(planned=(5, 10, 20), level=0.97)) == decided
