"""The answer of a study: exact sentences of many situations, and numbers that are its claims'."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from arms import arm, lost, noisy, outcomes
from asking import (
    GAIN,
    LOGIT,
    REFERENCE,
    SHARE,
    STANDARD,
    asking,
    claim,
    falls,
    put,
    recall_kept,
    recalls,
    study,
)
from published_arms import PUBLISHED

from repro.analysis import claim_findings, claims
from repro.reporting.tables import answer
from repro.stats.intervals import Interval
from repro.study.looks import Looks

RATE = {"false_positive_rate": 0.1}
KEPT = {"quantity": "recall", "expect": "kept", "smallest_effect": {"absolute": 2.0}}
EQUAL = "On the synthetic faces it holds that resampling makes the groups more equal"
OPEN = "On the synthetic faces it cannot be told yet whether"
NOT = "On the synthetic faces it does not hold that"
HERE = "at the papers' threshold (logit 0)"
FIVE = "This rests on 5 seeds per arm"


def answered(monkeypatch, values, *wanted, **changes):
    """The sentences of a study whose runs have these values."""
    put(monkeypatch, **values)
    return answer.of_study(study(*wanted, **changes)).sentences


TREND = {
    "A": REFERENCE,
    "B": np.subtract(REFERENCE, 100),
    "C": np.subtract(REFERENCE, 200) + 20 * STANDARD,
}
BENT = {
    "A": REFERENCE,
    "B": np.add(REFERENCE, -200),
    "C": np.add(REFERENCE, 400) + 10 * STANDARD,
    "D": np.add(REFERENCE, -5),
}
UPWARDS = {"A": [90.0] * 5, "B": [92.0] * 5, "C": 94 + STANDARD}
SITUATIONS = {
    "holds": (
        {"variance": falls(241, 165)},
        {"read_at": RATE, "smallest_effect": {"absolute": 50.0}},
        f"{EQUAL}: at 10 % false positives the variance between groups was 164 with B and 405 "
        "with A, lower by 241 [36, 446].",
    ),
    "holds by a ratio, and by more than it": (
        {"variance": falls(241, 50)},
        {"read_at": RATE, "smallest_effect": {"ratio": 0.75}},
        f"{EQUAL}: at 10 % false positives the variance between groups was 164 with B and 405 "
        "with A, lower by 241 [179, 303]; a smaller effect than a fall to 75 % is excluded.",
    ),
    "a rise by a ratio": (
        {"variance": falls(-241, 100)},
        {"expect": "higher", "smallest_effect": {"ratio": 1.7}},
        f"{EQUAL}: {HERE} the variance between groups was 646 with B and 405 with A, higher by "
        "241 [117, 365].",
    ),
    "holds, but too small to matter": (
        {"variance": falls(12, 8)},
        {},
        f"{EQUAL}, but too little to matter: {HERE} the variance between groups was 393 with B "
        "and 405 with A, lower by 12 [2, 22]; a fall by 25 or more is excluded.",
    ),
    "does not hold by a ratio": (
        {"variance": falls(3, 10)},
        {"smallest_effect": {"ratio": 0.75}},
        f"{NOT} resampling makes the groups more equal: {HERE} the variance between groups was "
        "402 with B and 405 with A, lower by 3 [-9, 15]; a fall to 75 % or less is excluded.",
    ),
    "a rise by a ratio that is too small": (
        {"variance": falls(-30, 10)},
        {"expect": "higher", "smallest_effect": {"ratio": 1.7}},
        f"{EQUAL}, but too little to matter: {HERE} the variance between groups was 435 with B "
        "and 405 with A, higher by 30 [18, 42]; a rise to 170 % or more is excluded.",
    ),
    "does not hold": (
        {"variance": falls(3, 10)},
        {},
        f"{NOT} resampling makes the groups more equal: {HERE} the variance between groups was "
        "402 with B and 405 with A, lower by 3 [-9, 15]; a fall by 25 or more is excluded.",
    ),
    "the other direction": (
        {"variance": falls(-30, 10)},
        {},
        f"{NOT} resampling makes the groups more equal: {HERE} the variance between groups was "
        "435 with B and 405 with A, higher by 30 [18, 42]; the effect is in the other direction.",
    ),
    "cannot tell yet": (
        {"variance": falls(20, 30)},
        {},
        f"{OPEN} resampling makes the groups more equal: {HERE} the variance between groups was "
        "385 with B and 405 with A, lower by 20 [-17, 57]; no effect and a fall by 25 are both "
        "possible.",
    ),
    "equal for all seeds": (
        {"variance": falls(100, 0)},
        {},
        f"{OPEN} resampling makes the groups more equal: {HERE} the variance between groups was "
        "305 with B and 405 with A, lower by 100; all pairs differ by the same, which tells "
        "nothing of others.",
    ),
    "an effect of nothing": (
        {"gap": recalls(0, 2)},
        {"quantity": "gap", "smallest_effect": {"absolute": 1.0}},
        f"{OPEN} resampling makes the groups more equal: {HERE} the gap between groups was 90.0 "
        "points with B and 90.0 points with A, no difference [-2.5, 2.5]; no effect and a fall "
        "by 1 point are both possible.",
    ),
    "an effect that rounds to nothing": (
        {"recall": recalls(0.02, 0.005)},
        {"quantity": "recall", "expect": "higher", "smallest_effect": {"absolute": 2.0}},
        f"{EQUAL}, but too little to matter: {HERE} recall was 90.02 % with B and 90.00 % with A, "
        "higher by 0.02 points [0.01, 0.03]; a rise by 2 points or more is excluded.",
    ),
    "kept": (
        {"recall": recalls(0.5, 1)},
        {"name": "recall is kept"} | KEPT,
        f"On the synthetic faces it holds that recall is kept: {HERE} recall was 90.5 % with B "
        "and 90.0 % with A, higher by 0.5 points [-0.7, 1.7]; a change of 2 points or more is "
        "excluded.",
    ),
    "not kept": (
        {"recall": recalls(-4, 1)},
        {"name": "recall is kept"} | KEPT,
        f"{NOT} recall is kept: {HERE} recall was 86.0 % with B and 90.0 % with A, lower by 4.0 "
        "points [2.8, 5.2]; a change of less than 2 points is excluded.",
    ),
    "perhaps kept": (
        {"recall": recalls(-1, 1)},
        {"name": "recall is kept"} | KEPT,
        f"{OPEN} recall is kept: {HERE} recall was 89.0 % with B and 90.0 % with A, lower by 1.0 "
        "points [-0.2, 2.2]; changes of more and of less than 2 points are both possible.",
    ),
    "largest": (
        {"a": recalls(9, 1), "b": recalls(3, -1)},
        GAIN,
        f"On the synthetic faces it holds that darker males gain most: {HERE} the recall of a was "
        "99.0 % with B and 90.0 % with A, a change 6.0 points [3.5, 8.5] above that of every "
        "other group; a smaller effect than a lead of 1 point is excluded.",
    ),
    "not largest": (
        {"a": recalls(1, 1), "b": recalls(9, -1)},
        GAIN,
        f"{NOT} darker males gain most: {HERE} the recall of a was 91.0 % with B and 90.0 % with "
        "A, a change 8.0 points [5.5, 10.5] below that of another group; the effect is in the "
        "other direction.",
    ),
    "perhaps largest": (
        {"a": recalls(2, 1), "b": recalls(1, -1)},
        GAIN,
        f"{OPEN} darker males gain most: {HERE} the recall of a was 92.0 % with B and 90.0 % with "
        "A, a change 1.0 points [-1.5, 3.5] above that of every other group; no effect and a lead "
        "of 1 point are both possible.",
    ),
    "a trend": (
        {"variance": TREND},
        {"contrast": {"trend": "alpha"}, "smallest_effect": {"absolute": 190.0}},
        f"{EQUAL}: {HERE} the variance between groups was 205 with C and 405 with A, and a line "
        "through the 3 arms falls by 200 [175, 225].",
    ),
    "a line that rises though the last arm is lower": (
        {"variance": BENT},
        {"contrast": {"trend": "alpha"}, "smallest_effect": {"absolute": 190.0}},
        f"{NOT} resampling makes the groups more equal: {HERE} the variance between groups was "
        "400 with D and 405 with A, and a line through the 4 arms rises by 176 [172, 179]; the "
        "effect is in the other direction.",
    ),
    "the largest gain along a trend": (
        {"a": UPWARDS, "b": {name: [90.0] * 5 for name in "ABC"}},
        GAIN | {"contrast": {"trend": "alpha"}, "smallest_effect": {"absolute": 3.0}},
        f"On the synthetic faces it holds that darker males gain most: {HERE} the recall of a was "
        "94.0 % with C and 90.0 % with A, a change 4.0 points [2.8, 5.2] above that of every "
        "other group along a line through the 3 arms.",
    ),
    "a false-positive rate for which there are too few photographs": (
        {},
        {"read_at": {"false_positive_rate": 0.01}},
        f"{OPEN} resampling makes the groups more equal: a false-positive rate of 1 % takes 99 "
        "photographs without a face, and there are 40; within a factor of 2 with 95 % confidence "
        "it takes 1,099.",
    ),
    "false-positive rates that cannot be matched": (
        {},
        {"read_at": {"matched_to": "reference"}},
        f"{OPEN} resampling makes the groups more equal: the false-positive rates cannot be "
        "matched: B detects none of 40 photographs without a face in 5 of 5 runs.",
    ),
}


def trending(values):
    """The arms of a trend."""
    names = "".join(next(iter(values.values())))
    return {"names": names, "trend": names}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_first_sentence_is_the_primary_claims(monkeypatch, situation):
    """Word, values, effect with interval, and what the word rests on."""
    values, changes, told = SITUATIONS[situation]
    arms = trending(values) if "contrast" in changes else {}

    assert answered(monkeypatch, values, claim(**changes), **arms)[0] == told


BY_WORD = {  # each is the answer to a claim that recall is kept
    "holds": recalls(0.5, 0.5),
    "does not hold": recalls(4, 0.5),
    "cannot tell yet": recalls(0.5, 1.5),
}


@pytest.mark.parametrize(
    ("fall", "word", "told"),
    [
        ((241, 100), "holds", "It also holds that recall is kept."),
        ((241, 100), "does not hold", "It does not hold that recall is kept."),
        ((241, 100), "cannot tell yet", "It cannot be told yet whether recall is kept."),
        ((20, 30), "holds", "It holds that recall is kept."),
        ((20, 30), "does not hold", "It does not hold that recall is kept."),
    ],
)
def test_another_claim_is_named(monkeypatch, fall, word, told):
    """After the primary one, with its word."""
    values = {"variance": falls(*fall), "recall": BY_WORD[word]}

    assert answered(monkeypatch, values, claim(), recall_kept())[1] == told


SMALL = {"name": "recall rises", "expect": "higher", "smallest_effect": {"absolute": 20.0}}
SAME = {"name": "it stays within one point", "smallest_effect": {"absolute": 1.5}}
LOSS = {"name": "recall falls", "expect": "lower"}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            [{}, SAME],
            "It also holds that recall is kept and that it stays within one point.",
        ),
        (
            [SMALL, {}, LOSS],
            "It also holds that recall is kept; it holds that recall rises, but too little to "
            "matter; it does not hold that recall falls.",
        ),
        (
            [SMALL | {"name": f"recall rises {k}"} for k in range(5)] + [LOSS],
            "Of 6 other claims 5 hold but too little to matter and 1 does not hold.",
        ),
        (
            [{"name": f"kept {k}"} for k in range(4)] + [SMALL],
            "Of 5 other claims 4 hold and 1 holds but too little to matter.",
        ),
        (
            [{"name": f"kept {k}"} for k in range(4)]
            + [{"name": "nearly kept", "smallest_effect": {"absolute": 0.6}}],
            "Of 5 other claims 4 hold and 1 cannot be told yet.",
        ),
        (
            [{"name": f"kept {k}"} for k in range(5)],
            "All 5 other claims hold.",
        ),
        (
            [LOSS | {"name": f"recall falls {k}"} for k in range(5)],
            "None of the 5 other claims holds.",
        ),
        (
            [{"name": f"kept {k}", "smallest_effect": {"absolute": 0.6}} for k in range(5)],
            "None of the 5 other claims can be told yet.",
        ),
        (
            [LOSS | {"name": f"recall falls {k}"} for k in range(3)],
            "It does not hold that recall falls 0, that recall falls 1 or that recall falls 2.",
        ),
    ],
)
def test_several_other_claims_are_named_or_counted(monkeypatch, changes, told):
    """Up to four by name, more by number, in the order of the words."""
    values = {"variance": falls(241, 100), "recall": recalls(0.5, 0.2)}
    others = [recall_kept(**one) for one in changes]

    assert answered(monkeypatch, values, claim(), *others)[1] == told


def test_the_last_sentence_says_how_many_seeds(monkeypatch):
    """And how many would settle what is open: first of all the primary claim."""
    open_one, shut = {"variance": falls(20, 30)}, {"variance": falls(241, 100)}
    kept = {"recall": BY_WORD["cannot tell yet"]}

    assert answered(monkeypatch, shut, claim())[-1] == f"{FIVE}."
    assert answered(monkeypatch, open_one, claim())[-1] == (
        f"{FIVE}; about 14 seeds per arm would probably settle it."
    )
    assert answered(monkeypatch, open_one | kept, claim(), recall_kept())[-1] == (
        f"{FIVE}; about 14 seeds per arm would probably settle the first claim."
    )
    assert answered(monkeypatch, shut | kept, claim(), recall_kept())[-1] == (
        f"{FIVE}; about 9 seeds per arm would probably settle whether recall is kept."
    )


def test_photographs_that_are_too_few_are_told():
    """Beside the seeds, where no number of seeds does."""
    (found,) = claims.findings(study(claim()))
    wide = replace(found, effect=-20.0, spread=30.0, smallest=25.0, noise=300.0)

    assert answer.takes(wide) == "about 28 seeds per arm with 6.4 times as many photographs"
    assert answer.takes(replace(wide, noise=90_000.0)) == (
        "about 28 seeds per arm with 2,000 times as many photographs"
    )


def test_planned_seeds_without_results_are_told():
    """Four of five failed; then all."""
    one = replace(arm("B", noisy(1, 1)), wanted=5, failed=("loss: nan",) * 4)
    few, none = (
        answer.of_study(asking(outcomes(arm("A", noisy(0)), other), claim())).sentences
        for other in (one, lost("B", failed=5))
    )

    assert few == (
        f"{OPEN} resampling makes the groups more equal: 1 of 5 planned seeds has results in all "
        "its arms, and an interval takes 2.",
        "This rests on 1 of 5 planned seeds per arm.",
    )
    assert none == (
        f"{OPEN} resampling makes the groups more equal: B has no run with results.",
        "This rests on none of 5 planned seeds per arm.",
    )


def test_a_share_of_runs_has_its_exact_interval():
    """No seeds that would settle it are given: nobody plans failures."""
    one = replace(arm("B", noisy(1, 1)), wanted=5, failed=("loss: nan",) * 4)
    told = answer.of_study(asking(outcomes(arm("A", noisy(0)), one), claim(**SHARE)))

    assert told.sentences == (
        "On the synthetic faces it holds that a small alpha makes runs fail: the share of failed "
        "runs was 80.0 % with B and 0.0 % with A, higher by 80.0 points [11.0, 99.5].",
        "This rests on 5 seeds per arm.",
    )


def test_bad_runs_are_told(monkeypatch):
    """The arm whose run lies far from the others comes first, before one that spreads unlike it."""
    found = study(claim())
    recall = found.arms[1].recall.copy()
    recall[3] = 0.5
    bad = replace(found.arms[1], recall=recall)
    put(monkeypatch, variance=falls(241, 100))
    one = answer.of_study(replace(found, arms=(found.arms[0], bad)))

    assert one.sentences[-1] == (
        f"{FIVE}; the interval may be wrong (B: seed 3 far from its median; also 1 other arm)."
    )


def test_the_level_of_a_repeated_look_is_told(monkeypatch):
    """Beside the interval, where it is not 95 %."""
    put(monkeypatch, variance=falls(241, 100))
    eight = Looks(planned=(5, 10, 15, 20, 25, 30, 35, 40), level=0.99)
    (found,) = claims.findings(study(claim(), looks=eight))

    assert "lower by 241 [35, 447] (99 % interval)" in answer.evidence(found)


def test_a_matched_threshold_is_named():
    """In words that need no knowledge of the program."""
    found = claims.findings(study(claim(read_at={"matched_to": "reference"})))[0]
    told = replace(found, reason="", first=5.0, last=3.0, effect=-2.0)

    assert answer.evidence(told).startswith("at equal false positives the variance")


def test_a_reproduction_and_a_replication_are_told_apart(monkeypatch):
    """By the data and settings of the published values, if the study has any."""
    put(monkeypatch, variance=falls(241, 100))
    synthetic = study(claim(), published=PUBLISHED)
    monkeypatch.setattr(answer.verdicts, "refusals", lambda outcomes, published: [])
    same = answer.of_study(replace(synthetic, synthetic=False))
    monkeypatch.undo()
    put(monkeypatch, variance=falls(241, 100))
    other = answer.of_study(synthetic)

    assert same.sentences[0].startswith("On these data it holds")
    assert same.sentences[-1] == (
        "This is a reproduction (data and settings are the published ones) with 5 seeds per arm."
    )
    assert other.sentences[-1] == (
        "This is a replication (data or settings differ from the published ones) with 5 seeds per "
        "arm."
    )


def test_a_study_without_claims_says_nothing():
    """No sentence, no finding."""
    assert answer.of_study(study()) == answer.Answer((), ())


NUMBER = re.compile(r"(?<![\w.])-?\d+(?:,\d{3})*(?:\.\d+)?")


def numbers_of(found):
    """Every number that a claim's sentences may show, as it is written there."""
    ends = [sign * end for end in found.interval for sign in (1, -1)]
    values = [found.first, found.last, abs(found.effect), *ends]
    shown = {answer.amount(value, found) for value in values if not math.isnan(value)}
    effect, at, wanted = (
        found.claim.smallest_effect,
        found.claim.read_at,
        claim_findings.needed(found),
    )
    shown |= {f"{found.pairs}", f"{found.started}", f"{len(found.declared.arms)}"}
    shown.add(f"{effect.absolute:g}" if effect.absolute else f"{100 * effect.ratio:g}")
    shown.add("0" if at == claim(read_at=LOGIT).read_at else "10")
    return shown | {f"{wanted.pairs}", f"{wanted.times:.1f}"} | set(NUMBER.findall(found.reason))


@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_number_is_one_of_its_claims(monkeypatch, situation):
    """And there are never more than three sentences."""
    values, changes, _ = SITUATIONS[situation]
    arms = trending(values) if "contrast" in changes else {}
    values = values | {"recall": values.get("recall", recalls(0.5, 1.5))}
    put(monkeypatch, **values)
    told = answer.of_study(study(claim(**changes), recall_kept(name="it is kept"), **arms))
    known = set().union(*map(numbers_of, told.findings))

    assert len(told.sentences) == 3
    assert [one for one in NUMBER.findall(told.text) if one not in known] == []
    assert all(re.fullmatch(r"[A-Z][^\n]*[^.,;: ]\.", one) for one in told.sentences)


def test_ends_never_show_a_negative_zero(monkeypatch):
    """An end of -0.04 points is 0.0."""
    (found,) = claims.findings(study(claim(quantity="recall", **{"expect": "higher"})))
    told = replace(found, reason="", effect=1.0, interval=Interval(-0.04, 2.0))

    assert answer.ends(told) == "[0.0, 2.0]"
