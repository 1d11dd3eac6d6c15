"""What the planned runs can tell of a claim."""

import pytest
from arms import arm, lost, noisy, outcomes

from repro.analysis import claim_prospects, looks
from repro.study.claims import Claim, Declared
from repro.study.looks import Looks

ALL = ("holds", "holds, but too small to matter", "does not hold", "cannot tell yet")
CLAIM = {
    "name": "more faces are found",
    "quantity": "recall",
    "read_at": {"logit": 0.0},
    "contrast": {"arm": "half", "less": "none"},
    "expect": "higher",
    "smallest_effect": {"absolute": 10.0},
    "primary": True,
}


def study(claim, *, seeds=5, planned=None, arms=None, others=()):
    """A study of two arms without a record, and this claim."""
    both = arms or [lost(name, wanted=seeds) for name in ("none", "half")]
    declared = [Declared(Claim.model_validate(one), ("none", "half")) for one in (claim, *others)]
    return outcomes(
        *both,
        claims=tuple(declared),
        looks=Looks(planned=planned or (seeds,), level=looks.level_of(planned or (seeds,))),
    )


def outlook(claim=CLAIM, *, groups=("a", "b"), photographs=100, **changes):
    """The first claim's."""
    found, *_ = claim_prospects.of_study(
        study(claim, **changes),
        groups=dict.fromkeys(("none", "half"), groups),
        photographs=dict.fromkeys(("none", "half"), photographs),
    )
    return found


@pytest.mark.parametrize(("seeds", "chance"), [(3, 0.172), (5, 0.395), (10, 0.799), (20, 0.971)])
def test_the_chance_of_a_decision_is_that_of_a_paired_t_test(seeds, chance):
    """If pairs differ with a standard deviation of the smallest effect (simulated, +-.004)."""
    prospects = outlook(seeds=seeds).prospects

    assert [one.spread for one in prospects] == [0.5, 1.0, 2.0]
    assert prospects[1].chances == (pytest.approx(chance, abs=0.004),)
    assert [one.needed.pairs for one in prospects] == [5, 11, 34]


def test_a_study_with_a_rule_has_its_first_and_its_last_look():
    """Both at the level of all its looks, 99 % for eight of them."""
    found = outlook(planned=(5, 10, 15, 20, 25, 30, 35, 40))
    first, last = found.prospects[1].chances

    assert found.seeds == (5, 40)
    assert first == pytest.approx(0.12, abs=0.02)
    assert last == pytest.approx(0.995, abs=0.001)
    assert found.found.level == pytest.approx(0.99)


def test_seeds_by_hand_have_the_chance_of_the_wider_interval():
    """Seven where five are planned."""
    by_hand, planned = outlook(planned=(5,), seeds=7), outlook(seeds=7)

    assert by_hand.seeds == (7,)
    assert by_hand.prospects[1].chances[0] < planned.prospects[1].chances[0] / 2
    assert by_hand.found.level == looks.anytime_level(7)


def test_records_give_the_spread():
    """In smallest effects, with the variance from the photographs."""
    arms = [arm(name, noisy(seed)) for seed, name in enumerate(("none", "half"))]
    found = outlook(arms=arms)
    (prospect,) = found.prospects

    assert found.seen
    assert prospect.spread == pytest.approx(found.found.spread / 10)
    assert found.found.noise > 0
    assert prospect.chances[0] < 0.5
    assert found.is_doubtful


@pytest.mark.parametrize(("seeds", "doubtful"), [(2, True), (3, True), (5, False)])
def test_few_pairs_are_doubted(seeds, doubtful):
    """Three pairs decide hardly anything, even where pairs differ little."""
    assert outlook(seeds=seeds).is_doubtful == doubtful


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"seeds": 1}, "1 seed an arm cannot decide it, whatever they show"),
        ({"seeds": 3, "planned": (5,)}, "3 seeds an arm cannot decide it, whatever they show"),
        (
            {"claim": CLAIM | {"read_at": {"false_positive_rate": 0.01}}, "photographs": 40},
            "a false-positive rate of 1 % takes 99 photographs without a face, and there are 40; "
            "within a factor of 2 with 95 % confidence it takes 1,099",
        ),
        (
            {"claim": CLAIM | {"quantity": "group_recall", "group": "c"}},
            "no group is called 'c'; the groups are a, b",
        ),
        (
            {"claim": CLAIM | {"quantity": "variance"}, "groups": ("a",)},
            "the test portraits have one group, and a variance takes two",
        ),
    ],
)
def test_what_stands_in_the_way_of_an_answer_is_found_before_training(changes, why):
    """Seeds, photographs and groups."""
    assert outlook(**changes).obstacles == (why,)


SHARE = CLAIM | {
    "quantity": "failed_share",
    "read_at": None,
    "smallest_effect": {"absolute": 50.0},
}


@pytest.mark.parametrize(
    ("claim", "seeds", "words"),
    [
        (CLAIM, 5, ALL),
        (CLAIM, 1, ALL[3:]),
        (CLAIM | {"expect": "kept"}, 5, (ALL[0], *ALL[2:])),
        (SHARE, 2, ALL[2:]),
        (SHARE, 10, (ALL[0], *ALL[2:])),
    ],
)
def test_the_words_that_a_claim_can_get(claim, seeds, words):
    """Of a share of runs only those between no run and all runs."""
    found = set(outlook(claim, seeds=seeds).attainable)

    assert found <= set(words)
    assert ("holds" in found) == ("holds" in words)


def test_a_share_of_runs_has_no_assumed_spread():
    """It has no standard deviation between pairs."""
    assert outlook(SHARE).prospects == ()


def test_secondary_claims_share_their_error():
    """So they need more seeds than the primary one."""
    second = CLAIM | {"name": "another", "primary": False}
    third = second | {"name": "third"}
    one, two, _ = claim_prospects.of_study(
        study(CLAIM, others=(second, third)),
        groups=dict.fromkeys(("none", "half"), ("a", "b")),
        photographs=dict.fromkeys(("none", "half"), 100),
    )

    assert two.prospects[1].chances[0] < one.prospects[1].chances[0]
    assert two.found.level == pytest.approx(0.975)
