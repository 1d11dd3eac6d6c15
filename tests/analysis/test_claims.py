"""What a study says to its claims: sign, unit, interval and word, by hand and by symmetry."""

import math
from dataclasses import replace

import numpy as np
import pytest
from arms import GROUP, arm, lost, noisy, outcomes
from asking import (
    LOGIT,
    REFERENCE,
    answered,
    apart,
    asking,
    claim,
    of_difference,
    parts,
    put,
    recall_kept,
    study,
)
from scipy import special, stats

from repro.analysis import arm_parts, claims, matched
from repro.reporting.tables import label_file
from repro.stats import components
from repro.stats.disparity import DEFINITIONS
from repro.study.looks import Looks

EIGHT = Looks(planned=(5, 10, 15, 20, 25, 30, 35, 40), level=0.99)  # each at 99 %
RUNS = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])  # mean 0


@pytest.mark.parametrize(
    ("mean", "sd", "ends", "word", "opposite"),
    [
        (-241, 165, (36.1, 445.9), "holds", False),
        (-12, 8, (2.1, 21.9), "holds, but too small to matter", False),
        (-3, 10, (-9.4, 15.4), "does not hold", False),
        (30, 10, (-42.4, -17.6), "does not hold", True),
        (-20, 30, (-17.3, 57.3), "cannot tell yet", False),
    ],
)
def test_a_fall_is_answered_as_by_hand(monkeypatch, mean, sd, ends, word, opposite):
    """Five pairs, a smallest effect of 25: the half-width is 1.2417 standard deviations."""
    found = of_difference(monkeypatch, mean, sd)

    assert found.turned == (pytest.approx(-mean), pytest.approx(ends, abs=0.06))
    assert (found.word, found.opposite) == (word, opposite)
    assert (found.effect, found.spread) == (pytest.approx(mean), pytest.approx(sd))


@pytest.mark.parametrize(
    ("smallest", "word"), [(1.0, "holds, but too small to matter"), (0.9, "holds")]
)
def test_a_rise_is_answered_as_by_hand(monkeypatch, smallest, word):
    """.8 with a standard deviation of .1 gives [.68, .92], which 1 lies above and .9 within."""
    found = of_difference(
        monkeypatch,
        0.8,
        0.1,
        quantity="recall",
        expect="higher",
        smallest_effect={"absolute": smallest},
    )

    assert found.interval == pytest.approx((0.68, 0.92), abs=0.005)
    assert found.word == word


def test_a_ratio_is_answered_by_fiellers_two_intervals(monkeypatch):
    """B - A within [23.3, 36.7] and .75 B - A within [10.5, 19.4]: even less than a fall is out."""
    values = {"A": [60, 55, 70, 52, 64], "B": [30, 28, 33, 29, 31]}
    (found,) = answered(monkeypatch, {"variance": values}, claim(smallest_effect={"ratio": 0.75}))

    assert found.turned == (pytest.approx(30), pytest.approx((23.3, 36.7), abs=0.06))
    assert (found.word, found.exceeds) == ("holds", True)
    assert found.smallest == pytest.approx(0.25 * 60.2)


@pytest.mark.parametrize("ratio", [0.5, 0.52])
def test_the_second_comparison_of_a_ratio_is_that_of_each_pair(monkeypatch, ratio):
    """The upper end of ratio B - A, by Student's interval of the five pairs."""
    reference, ours = np.array([60, 55, 70, 52, 64.0]), np.array([36, 28, 33, 29, 31.0])
    (found,) = answered(
        monkeypatch,
        {"variance": {"A": reference, "B": ours}},
        claim(smallest_effect={"ratio": ratio}),
    )
    beyond = ratio * reference - ours
    half = stats.t.ppf(0.975, 4) * beyond.std(ddof=1) / math.sqrt(5)

    assert found.exceeds == (beyond.mean() - half >= 0)
    assert (found.word == "holds") == (beyond.mean() + half >= 0)


def test_a_rise_by_a_ratio_is_the_fall_the_other_way(monkeypatch):
    """What rises to 4/3 from B to A has fallen to 3/4 from A to B, with the same effect."""
    values = {"A": [60, 55, 70, 52, 64], "B": [30, 28, 33, 29, 31]}
    fall, rise = (
        answered(monkeypatch, {"variance": values}, one)[0]
        for one in (
            claim(smallest_effect={"ratio": 0.75}),
            claim(
                contrast={"arm": "A", "less": "B"},
                expect="higher",
                smallest_effect={"ratio": 1.5},
            ),
        )
    )

    assert rise.turned == fall.turned
    assert (rise.word, rise.exceeds) == ("holds", True)
    assert rise.smallest == pytest.approx(0.5 * np.mean(values["B"]))


def test_pairs_at_exactly_one_distance_from_the_ratio_have_no_interval(monkeypatch):
    """3/4 of each is 10 more than the other: that says nothing about how far others are."""
    reference = np.array([60, 56, 72, 52, 64.0])
    values = {"A": reference, "B": 0.75 * reference - 10}
    (found,) = answered(monkeypatch, {"variance": values}, claim(smallest_effect={"ratio": 0.75}))

    assert (found.word, math.isnan(found.interval.low)) == ("cannot tell yet", True)
    assert "as far from the ratio" in found.reason


def test_one_pair_that_is_left_tells_nothing():
    """The others failed, which the reason counts."""
    found = study(claim())
    first = replace(found.arms[1].only((3,)), failed=("loss: nan",) * 4, failed_seeds=(0, 1, 2, 4))
    (told,) = claims.findings(replace(found, arms=(found.arms[0], first)))

    assert (told.word, told.pairs, told.started) == ("cannot tell yet", 1, 5)
    assert told.reason == (
        "1 of 5 planned seeds has results in all its arms, and an interval takes 2"
    )


@pytest.mark.parametrize(
    ("mean", "sd", "word"),
    [
        (0.5, 1, "holds"),
        (-0.5, 1, "holds"),
        (4, 1, "does not hold"),
        (-4, 1, "does not hold"),
        (1, 1, "cannot tell yet"),
        (0, 2, "cannot tell yet"),
    ],
)
def test_what_is_kept_changes_by_less_than_two_points_either_way(monkeypatch, mean, sd, word):
    """Half-widths of 1.24 and 2.48 points."""
    found = of_difference(
        monkeypatch,
        mean,
        sd,
        quantity="recall",
        expect="kept",
        smallest_effect={"absolute": 2.0},
    )

    assert found.word == word
    assert found.effect == pytest.approx(mean)


def test_a_trend_is_the_change_along_the_line_of_least_squares(monkeypatch):
    """From the first of four arms to the last, of each seed's line."""
    generator = np.random.default_rng(3)
    values = {name: generator.normal(400 - 50 * k, 20, 5) for k, name in enumerate("ABCD")}
    put(monkeypatch, variance=values)
    one = claim(contrast={"trend": "alpha"})
    (found,) = claims.findings(study(one, names="ABCD", trend="ABCD"))
    slopes = np.array(
        [np.polyfit(range(4), of_seed, 1)[0] for of_seed in zip(*values.values(), strict=True)]
    )
    half = stats.t.ppf(0.975, 4) * (3 * slopes).std(ddof=1) / math.sqrt(5)

    assert found.effect == pytest.approx(3 * slopes.mean())
    assert found.interval == pytest.approx((3 * slopes.mean() - half, 3 * slopes.mean() + half))
    assert (found.first, found.last) == pytest.approx((values["A"].mean(), values["D"].mean()))


def test_the_largest_gain_is_the_smallest_of_its_leads(monkeypatch):
    """Lower end: the lowest at the full level; upper end: the lowest at a shared one."""
    generator = np.random.default_rng(5)
    change = {"a": generator.normal(9, 1, 5), "b": generator.normal(3, 1, 5)}
    change["c"] = generator.normal(1, 1, 5)
    values = {name: {"A": np.full(5, 50.0), "B": 50 + by} for name, by in change.items()}
    put(monkeypatch, **values)
    one = claim(quantity="group_recall", group="a", expect="largest")
    found = study(one)
    three = [replace(x, groups=("a", "b", "c")) for x in found.arms]
    (told,) = claims.findings(replace(found, arms=tuple(three)))
    leads = [change["a"] - change[other] for other in "bc"]

    def end(sign, tail):
        t = special.stdtrit(4, 1 - tail)
        return min(x.mean() + sign * t * x.std(ddof=1) / math.sqrt(5) for x in leads)

    assert told.effect == pytest.approx(min(x.mean() for x in leads))
    assert told.interval == pytest.approx((end(-1, 0.025), end(1, 0.0125)))


def test_a_group_that_gains_less_than_another_leads_nothing(monkeypatch):
    """The claim is wrong on the other side."""
    values = {"a": {"A": [50] * 5, "B": 51 + RUNS}, "b": {"A": [50] * 5, "B": 60 - RUNS}}
    one = claim(quantity="group_recall", group="a", expect="largest")
    (found,) = answered(monkeypatch, values, one)

    assert (found.word, found.opposite) == ("does not hold", True)
    assert found.effect == pytest.approx(-9)


def test_the_largest_gain_along_a_trend_is_that_of_each_groups_line(monkeypatch):
    """Lines that rise by 8 and by 2 from the first arm to the third."""
    values = {
        "a": {"A": 50 + RUNS, "B": [54] * 5, "C": [58] * 5},
        "b": {"A": [50] * 5, "B": [51] * 5, "C": 52 + RUNS},
    }
    put(monkeypatch, **values)
    one = claim(quantity="group_recall", group="a", expect="largest", contrast={"trend": "alpha"})
    (found,) = claims.findings(study(one, names="ABC", trend="ABC"))

    assert found.effect == pytest.approx(6)


def with_states(name, runs=5, *, failed=0, collapsed=0):
    """An arm of which some runs failed or collapsed."""
    made = arm(name, noisy(1, runs - failed - collapsed)) if runs > failed + collapsed else None
    made = made or lost(name)
    return replace(
        made,
        wanted=runs,
        failed=("loss: nan",) * failed,
        collapsed=tuple(range(collapsed)),
    )


@pytest.mark.parametrize(
    ("quantity", "state"), [("failed_share", "failed"), ("collapsed_share", "collapsed")]
)
def test_a_share_of_runs_is_answered_from_counts(quantity, state):
    """0 of 5 against 5 of 5, and an arm without any run that has results does no harm."""
    one = claim(quantity=quantity, read_at=None, expect="higher")
    arms = with_states("A"), with_states("B", **{state: 5})
    (found,) = claims.findings(asking(outcomes(*arms), one))

    assert (found.first, found.last, found.effect) == (0, 100, 100)
    assert (found.word, found.exceeds, found.pairs) == ("holds", True, 5)
    assert 25 < found.interval.low < 60
    assert found.interval.high == pytest.approx(100)


def test_a_share_is_answered_at_a_look_that_nobody_planned():
    """Failed runs count there, too: eight of each arm have ended, none of one has a result."""
    one = claim(quantity="failed_share", read_at=None, expect="higher")
    arms = with_states("A", 8), with_states("B", 8, failed=8)
    (found,) = claims.findings(asking(outcomes(*arms, looks=EIGHT), one))

    assert 0.99 < found.level < 1
    assert found.word == "holds"


def test_a_share_of_equal_counts_cannot_be_told():
    """Five runs say little about shares."""
    one = claim(quantity="failed_share", read_at=None, expect="kept")
    arms = with_states("A", failed=1), with_states("B", failed=1)
    (found,) = claims.findings(asking(outcomes(*arms), one))

    assert (found.word, found.effect) == ("cannot tell yet", 0)
    assert found.interval.low == pytest.approx(-found.interval.high, abs=0.01)


def test_shares_without_any_run_are_unknown():
    """Nothing has ended."""
    one = claim(quantity="failed_share", read_at=None)
    (found,) = claims.findings(asking(outcomes(lost("A"), lost("B")), one))

    assert found.reason == "no run of one of its arms has ended"


def test_the_primary_claim_has_its_own_level(monkeypatch):
    """The others share 5 %; a study that is looked at repeatedly takes a higher one for it."""
    values = {"variance": {"A": REFERENCE, "B": REFERENCE + apart(-241, 165)}}
    others = [recall_kept(name=f"claim {k}", quantity="variance") for k in range(4)]
    once = answered(monkeypatch, values, claim(), *others)
    looked = answered(monkeypatch, values, claim(), *others, looks=EIGHT)

    assert [one.level for one in once] == pytest.approx([0.95] + [0.9875] * 4)
    assert [one.level for one in looked] == pytest.approx([0.99] + [0.9875] * 4)
    assert looked[0].interval == pytest.approx((-241 - 2.05905 * 165, -241 + 2.05905 * 165), 1e-4)
    assert looked[0].word == "cannot tell yet"


def measured(name, seed):
    """An arm with noisy portraits and 40 noisy photographs without a face."""
    others = np.random.default_rng([seed, 1]).normal(-2 + seed / 4, 2, (5, 40))
    return arm(name, noisy(seed, shift=-seed / 4), nonfaces=others)


@pytest.mark.parametrize("read_at", [LOGIT, {"false_positive_rate": 0.2}])
@pytest.mark.parametrize(
    ("quantity", "value"),
    [
        ("recall", lambda recall: 100 * recall.mean(axis=1)),
        ("variance", lambda recall: 1e4 * recall.var(axis=1)),
        ("gap", lambda recall: 100 * np.ptp(recall, axis=1)),
        ("worst_group", lambda recall: 100 * recall.min(axis=1)),
        ("group_recall", lambda recall: 100 * recall[:, 1]),
    ],
)
def test_values_are_those_of_the_scores(quantity, value, read_at):
    """Each quantity of run-averaged groups, at logit 0 and at each run's own threshold."""
    arms = measured("A", 1), measured("B", 2)
    group = "b" if quantity == "group_recall" else None
    one = claim(quantity=quantity, group=group, read_at=read_at)
    (found,) = claims.findings(asking(outcomes(*arms), one))

    def by_hand(one):
        logits, rate = one.scores.portraits, read_at.get("false_positive_rate")
        level = 0.0
        if rate is not None:  # an expected rate r of N: the logit of rank floor(r (N + 1))
            level = np.sort(one.scores.nonfaces, axis=1)[:, -int(rate * 41)][:, None]
        runs = np.stack([(logits >= level)[:, k == GROUP].mean(axis=1) for k in (0, 1)], axis=1)
        return float(value(runs.mean(axis=0)[None])[0])

    assert (found.first, found.last) == pytest.approx(tuple(map(by_hand, arms)))
    assert found.effect == pytest.approx(found.last - found.first)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"read_at": {"false_positive_rate": 0.2}},
        {"quantity": "recall"},
        {"quantity": "auc_variance", "read_at": None},
        {"quantity": "false_positive_rate", "read_at": None},
    ],
)
def test_arms_turned_around_turn_the_effect(changes):
    """Effect and interval change their sign, and a fall becomes a rise."""
    found = outcomes(measured("A", 1), measured("B", 2))
    turned = {"contrast": {"arm": "A", "less": "B"}, "expect": "higher"}
    (one,) = claims.findings(asking(found, claim(**changes)))
    (other,) = claims.findings(asking(found, claim(**changes, **turned)))

    assert other.effect == pytest.approx(-one.effect)
    assert other.interval == pytest.approx((-one.interval.high, -one.interval.low))
    assert one.effect != 0
    assert other.word == one.word


@pytest.mark.parametrize("expect", ["lower", "higher", "kept"])
@pytest.mark.parametrize("quantity", ["recall", "variance", "worst_group"])
def test_a_copy_of_an_arm_shows_no_effect(quantity, expect):
    """No word is made from runs that cannot differ."""
    arms = measured("A", 1), measured("B", 1)
    one = claim(quantity=quantity, expect=expect)
    (found,) = claims.findings(asking(outcomes(*arms), one))

    assert (found.word, found.effect) == ("cannot tell yet", 0)
    assert found.reason == "all pairs differ by the same, which tells nothing of others"


@pytest.mark.parametrize("factor", [0.01, 100.0])
def test_words_do_not_depend_on_the_unit(monkeypatch, factor):
    """Values and the smallest effect in another unit give the same word and scaled ends."""
    for mean, sd in ((-241, 165), (-12, 8), (-3, 10), (30, 10), (-20, 30)):
        one = of_difference(monkeypatch, mean, sd)
        values = {"A": REFERENCE, "B": REFERENCE + apart(mean, sd)}
        scaled = {name: factor * np.asarray(found) for name, found in values.items()}
        (other,) = answered(
            monkeypatch,
            {"variance": scaled},
            claim(smallest_effect={"absolute": 25.0 * factor}),
        )

        assert other.word == one.word
        assert other.interval == pytest.approx([factor * end for end in one.interval])


def test_photographs_widen_the_interval(monkeypatch):
    """By the root of both variances, with Satterthwaite's degrees of freedom."""
    values = {"A": REFERENCE, "B": REFERENCE + apart(-241, 165)}
    monkeypatch.setattr(
        arm_parts,
        "parts",
        lambda arm, *rest: parts(values[arm.name], scale=1e4, noise=900.0),
    )
    (found,) = claims.findings(study(claim()))
    between, noise = 165**2 / 5, 2 * 900.0
    t = special.stdtrit(4 * (1 + noise / between) ** 2, 0.975)

    assert found.noise == pytest.approx(noise)
    assert found.interval.high == pytest.approx(-241 + t * math.sqrt(between + noise))


def test_thresholds_of_a_single_group_are_redrawn_too():
    """Its recall at a false-positive rate varies with the photographs without a face."""
    found = measured("A", 1)
    definition = DEFINITIONS["dehaan2020"]
    drawn = [arm_parts.parts(found, arm_parts.of_group(name), definition, 0.2) for name in "ab"]
    whole = arm_parts.parts(found, "recall", definition, 0.2).redrawn

    assert whole.std() > 0
    assert np.mean([one.redrawn for one in drawn], axis=0) == pytest.approx(whole)


def test_a_matched_threshold_is_that_of_the_other_arm():
    """The arm at logit 0, less the arm it is compared with at as many false positives."""
    found = outcomes(measured("A", 1), measured("B", 2))
    one = claim(quantity="recall", read_at={"matched_to": "reference"})
    (told,) = claims.findings(asking(found, one))
    definition = DEFINITIONS["dehaan2020"]
    apart = matched.parts(found.arms[1], found.arms[0], "recall", definition)

    assert told.effect == pytest.approx(100 * float(apart.value))
    assert told.interval == pytest.approx(tuple(100 * x for x in components.interval(apart)))


def without_photographs(found):
    """The arm, tested on portraits alone."""
    scores = replace(found.scores, nonfaces=np.empty((found.runs, 0)))
    return replace(found, scores=scores, nonfaces=0, false_positive_rate=None)


@pytest.mark.parametrize(
    ("arms", "changes", "reason"),
    [
        (
            [arm("A", noisy(1)), lost("B", failed=5)],
            {},
            "B has no run with results",
        ),
        (
            [arm("A", noisy(1), seeds=(0, 1, 2, 3, 4)), arm("B", noisy(2), seeds=range(5, 10))],
            {},
            "none of 5 planned seeds has results in all its arms, and an interval takes 2",
        ),
        (
            [replace(arm(name, noisy(1)), scores=None) for name in "AB"],
            {},
            "the scores of its runs are missing",
        ),
        (
            [arm(name, noisy(1)) for name in "AB"],
            {"quantity": "group_recall", "group": "c"},
            "no group is called 'c'; the groups are a, b",
        ),
        (
            [arm(name, noisy(1)) for name in "AB"],
            {"read_at": {"false_positive_rate": 0.01}},
            "a false-positive rate of 1 % takes 99 photographs without a face, and there are 10; "
            "within a factor of 2 with 95 % confidence it takes 1,099",
        ),
        (
            [without_photographs(arm(name, noisy(1))) for name in "AB"],
            {"quantity": "auc_variance", "read_at": None},
            "there are no photographs without a face",
        ),
        (
            [arm(name, noisy(1)) for name in "AB"],
            {"read_at": {"matched_to": "reference"}},
            "the false-positive rates cannot be matched: B detects none of 10 photographs without "
            "a face in 5 of 5 runs",
        ),
    ],
)
def test_what_cannot_be_read_has_a_reason(arms, changes, reason):
    """And neither an effect nor an interval."""
    (found,) = claims.findings(asking(outcomes(*arms), claim(**changes)))

    assert (found.word, found.reason) == ("cannot tell yet", reason)
    assert math.isnan(found.effect)
    assert math.isnan(found.interval.low)


def test_one_group_has_no_variance():
    """And no other group that could gain less."""
    single = [
        replace(
            arm(name, noisy(seed)),
            groups=("a",),
            sizes=np.array([8]),
            recall=(noisy(seed) >= 0).mean(axis=1)[:, None],
            scores=replace(arm(name, noisy(seed)).scores, group=np.zeros(8, dtype=np.int64)),
        )
        for seed, name in enumerate("AB")
    ]
    asked = [
        claim(),
        claim(name="area", quantity="auc_variance", read_at=None, primary=False),
        claim(name="gain", quantity="group_recall", group="a", expect="largest", primary=False),
        claim(name="recall", quantity="recall", expect="higher", primary=False),
    ]
    found = claims.findings(asking(outcomes(*single), *asked))

    assert [one.reason for one in found] == [
        "the test portraits have one group, and a variance takes two",
        "the test portraits have one group, and a variance of areas under the curve takes two",
        "the test portraits have one group, and a gain is compared",
        "",
    ]


def test_bad_runs_are_told(monkeypatch):
    """Of each arm of the claim; a share of runs has an exact interval and no doubts."""
    logits = np.full((5, 8), 2.0)
    logits[3] = -2.0
    others = np.where(np.arange(8) < np.arange(5)[:, None], -1.0, 1.0)
    shares = claim(name="share", quantity="failed_share", read_at=None, primary=False)
    found = asking(outcomes(arm("A", others), arm("B", logits)), claim(), shares)
    first, second = claims.findings(found)

    assert "B: seed 3 far from its median" in first.doubts
    assert second.doubts == ()


def test_labels_of_arms_and_groups_change_no_answer(tmp_path):
    """Renamed arms and groups are those that a claim names."""
    found = asking(
        outcomes(measured("A", 1), measured("B", 2)),
        claim(),
        claim(name="gain", quantity="group_recall", group="b", expect="largest", primary=False),
    )
    labels = {"A": "no resampling", "B": "resampling", "b": "women"}
    named = label_file.applied(found, labels, source=tmp_path / "labels.yaml")
    before, after = claims.findings(found), claims.findings(named)

    assert [one.declared.arms for one in after] == [("no resampling", "resampling")] * 2
    assert [(one.word, one.interval) for one in after] == [
        (one.word, one.interval) for one in before
    ]


def test_a_study_without_claims_answers_nothing():
    """No claim, no primary one."""
    assert claims.findings(study()) == []
    assert claims.primary([]) is None


FACES = np.repeat([0, 1], 40)


def simulated(generator, pairs, shift):
    """Two arms of new runs on new portraits; the logits of the second are lower by the shift."""
    portraits = generator.normal(1, 0.8, 80)
    found = []
    for name, less in (("A", 0.0), ("B", shift)):
        runs = generator.normal(0, 0.3, (pairs, 1))
        logits = portraits + runs + generator.normal(0, 0.5, (pairs, 80)) - less
        found.append(arm(name, logits, group=FACES))
    return outcomes(*found)


@pytest.mark.parametrize("pairs", [3, 5, 20])
@pytest.mark.parametrize(
    ("shift", "wrong"),
    [
        (0.0, ("holds", "holds, but too small to matter")),
        (0.5, ("does not hold", "holds, but too small to matter")),
    ],
)
def test_wrong_words_are_rare_in_simulated_studies(shift, wrong, pairs):
    """2.5 % of 300 at no effect and at the smallest one, and no more than chance adds to it."""
    generator = np.random.default_rng(int(10 * shift) + pairs)
    spread = math.sqrt(0.8**2 + 0.3**2 + 0.5**2)
    fall = 100 * (special.ndtr(1 / spread) - special.ndtr(0.5 / spread))
    asked = claim(quantity="recall", smallest_effect={"absolute": fall})
    told = [
        claims.findings(asking(simulated(generator, pairs, shift), asked))[0].word
        for _ in range(300)
    ]

    assert sum(word in wrong for word in told) <= stats.binom.ppf(0.999, 300, 0.025)
    assert len(set(told)) > 1
