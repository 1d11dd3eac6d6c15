"""Ours against print: verdicts where the answer is known, refusals where there is none."""

from dataclasses import replace

import numpy as np
import pytest
from published_arms import CONFIGURATION, NARROW, PUBLISHED, SWEEP, WIDE, arm, outcomes

from repro.analysis import verdicts
from repro.reporting.tables import tables
from repro.stats import disparity
from repro.stats.disparity import DEFINITIONS
from repro.study.published import PublishedRow


def word(found, subject, claim):
    """The verdict on one claim."""
    judged = verdicts.judge(found, told={})
    (one,) = [one.word for one in judged if (one.subject, one.claim) == (subject, claim)]
    return one


def test_the_compared_statistic_is_the_best_three_of_five():
    """0.84 and the mean of the three largest steps, 0.003."""
    ours = verdicts.statistic(SWEEP[0], PUBLISHED, "recall")

    assert ours.value == pytest.approx(0.843)
    assert ours.selects == "itself"


def test_variances_are_compared_by_their_roots():
    """Groups 5 points on either side of their mean in every run."""
    ours = verdicts.statistic(SWEEP[0], PUBLISHED, "variance")

    assert ours.value == pytest.approx(0.05)
    assert ours.deviation == pytest.approx(0, abs=1e-12)


def test_more_runs_than_in_print_estimate_the_same_selection():
    """Six runs: the mean over all six choices of five, each with its best three kept."""
    six = arm("none", 0.79, 0.89)
    recall = np.vstack([six.recall, six.recall[0] - 0.01])
    more = replace(six, recall=recall, selector=recall.mean(axis=1), seeds=tuple(range(6)))
    values = recall.mean(axis=1)
    expected = [np.sort(np.delete(values, i))[-3:].mean() for i in range(6)]

    assert verdicts.statistic(more, PUBLISHED, "recall").value == pytest.approx(np.mean(expected))


@pytest.mark.parametrize(
    ("margin", "dark", "expected"),
    [
        (WIDE, 0.80, "reproduced"),  # 84.8 against 85.0, margin 5
        (NARROW, 0.60, "not reproduced"),  # 74.8, far outside
        (NARROW, 0.80, "cannot tell"),  # inside the interval, but the margin is tiny
    ],
)
def test_a_number_is_judged_by_interval_and_margin(margin, dark, expected):
    """Close beyond doubt, far beyond doubt, or neither."""
    found = outcomes([arm("none", dark, 0.89), *SWEEP[1:]], margin=margin)

    assert word(found, "none", "recall") == expected


def test_a_number_within_the_margin_is_never_not_reproduced():
    """Outside the prediction interval of steady runs, and yet close enough by the study's word."""
    steady = arm("none", 0.78, 0.89, spread=0.01)

    assert word(outcomes([steady, *SWEEP[1:]]), "none", "recall") == "reproduced"


def test_fewer_runs_than_in_print_cannot_tell():
    """The best three of five need five."""
    found = outcomes([SWEEP[0].only((0, 1, 2, 3)), *SWEEP[1:]])

    assert word(found, "none", "recall") == "cannot tell"


@pytest.mark.parametrize(
    ("dark", "expected"),
    [(0.81, "reproduced"), (0.77, "not reproduced")],
)
def test_a_direction_is_judged_apart_from_the_number(dark, expected):
    """Print says that recall rises from none to weak."""
    found = outcomes([SWEEP[0], arm("weak", dark, 0.89, spread=1.1), SWEEP[2]], margin=NARROW)

    assert word(found, "weak against none", "recall rises") == expected


def test_a_direction_without_spread_cannot_tell():
    """All pairs differ by the same, so nothing says how far other seeds are; no interval."""
    found = outcomes([SWEEP[0], arm("weak", 0.81, 0.89), SWEEP[2]], margin=NARROW)
    (judged,) = [
        one
        for one in verdicts.judge(found, told={})
        if (one.subject, one.claim) == ("weak against none", "recall rises")
    ]

    assert (judged.word, judged.interval) == ("cannot tell", "—")
    assert judged.reason == "the runs give no interval: a single one, or no spread between them"


@pytest.mark.parametrize("found", [0.95, 1.0])
def test_numbers_without_spread_cannot_tell(found):
    """Five equal runs: an interval of zero width would deny every other value."""
    study = outcomes([arm("none", found, found, spread=0), *SWEEP[1:]], margin=NARROW)
    judged = [one for one in verdicts.judge(study, told={}) if one.subject == "none"]

    assert [(one.word, one.interval) for one in judged] == [("cannot tell", "—")] * 2
    assert {one.reason for one in judged} == {
        "the runs give no interval: a single one, or no spread between them"
    }
    assert judged[0].ours == f"{100 * found:.2f}"


def test_a_prediction_interval_ends_at_what_can_be():
    """One run of five far lower: a recall above 100 % is not predicted."""
    wild = arm("none", 0.97, 0.99)
    recall = wild.recall - np.array([0, 0, 0, 0, 0.4])[:, None]
    study = outcomes([replace(wild, recall=recall, selector=recall.mean(axis=1)), *SWEEP[1:]])
    judged = verdicts.judge(study, told={})[0]

    assert judged.ends.high == 100
    assert judged.interval.endswith(", 100.00]")


def test_a_direction_within_the_spread_cannot_tell():
    """Pairs that differ now one way and now the other."""
    mixed = arm("weak", 0.79, 0.89)
    recall = mixed.recall[::-1]
    found = outcomes([SWEEP[0], replace(mixed, recall=recall), SWEEP[2]])

    assert word(found, "weak against none", "recall rises") == "cannot tell"


def test_the_order_of_the_arms_is_judged_by_one_trend_test():
    """Ours rise as print does."""
    assert word(outcomes(), "all arms", "order by recall, lowest first") == "reproduced"


def test_arms_with_equal_published_values_share_a_place_in_the_order():
    """Print does not say which of weak and strong is larger, nor does rounding of ours."""
    rows = [row.model_copy(update={"recall": 86.0}) for row in PUBLISHED.rows]
    tied = PUBLISHED.model_copy(update={"rows": [PUBLISHED.rows[0], *rows[1:]]})
    swapped = arm("strong", 0.89, 0.81)  # as recall is, weak's
    found = outcomes([SWEEP[0], SWEEP[1], swapped], published=tied)
    (judged,) = [
        one
        for one in verdicts.judge(found, told={})
        if one.claim == "order by recall, lowest first"
    ]

    assert judged.printed == judged.ours == "none; weak and strong (equal)"


def test_equal_published_values_are_in_no_order():
    """Nothing to reproduce."""
    tied = PUBLISHED.model_copy(
        update={"rows": [row.model_copy(update={"recall": 86.0}) for row in PUBLISHED.rows]}
    )
    claims = [one.claim for one in verdicts.judge(outcomes(published=tied), told={})]

    assert "order by recall, lowest first" not in claims
    assert "order by variance, lowest first" in claims


def test_an_opposite_order_is_not_reproduced():
    """Ours fall where print rises."""
    turned = [replace(a, name=b.name) for a, b in zip(SWEEP, SWEEP[::-1], strict=True)]
    found = outcomes(turned)

    assert word(found, "all arms", "order by recall, lowest first") == "not reproduced"


def test_what_became_of_a_gain_stands_in_the_reason():
    """The verdict on a direction says what is left at equal false alarms."""
    judged = verdicts.judge(outcomes(), told={"weak": "the gain vanishes"})
    reasons = [one.reason for one in judged if one.subject == "weak against none"]

    assert reasons
    assert all(reason.endswith("; the gain vanishes") for reason in reasons)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"synthetic": True}, "the data are synthetic"),
        ({"changed": ("kl.weight=2", "replicates=5")}, "changed on the command line: kl.weight=2"),
        (
            {"arms": (arm("none", 0.8, 0.9, sizes=np.array([100, 99])),)},
            "the test portraits differ: 100 dark, 99 light, not 100 dark, 100 light",
        ),
        (
            {"arms": (arm("none", 0.8, 0.9, training_images=(500,) * 5),)},
            "trained on 500 images, not 1,000",
        ),
        (
            {"arms": (arm("none", 0.8, 0.9, training_images=(None,) * 5),)},
            "trained on an unknown number of images, not 1,000",
        ),
        (
            {
                "arms": (
                    arm("none", 0.8, 0.9, configurations=({"epochs": 8, "windows": {"sizes": 5}},)),
                )
            },
            "epochs is 8, not 60",
        ),
        (
            {
                "arms": (
                    arm(
                        "none", 0.8, 0.9, configurations=({"epochs": 60, "windows": {"sizes": 4}},)
                    ),
                )
            },
            "windows.sizes is 4, not 5",
        ),
        ({"arms": (arm("other", 0.8, 0.9),)}, "no arm with runs has published values"),
    ],
)
def test_other_data_or_protocol_are_refused(changes, reason):
    """Numbers made otherwise are no answer, and the table says why there is no verdict."""
    found = outcomes(**changes)
    part = tables.part(found, "verdict")

    assert verdicts.refusals(found, PUBLISHED) == [reason]
    assert part.remarks == [f"No verdict: {reason}."]
    assert part.table.empty


def test_the_same_protocol_is_not_refused():
    """Only then is anything compared."""
    assert verdicts.refusals(outcomes(), PUBLISHED) == []


def test_without_a_margin_there_is_no_verdict():
    """How close is close enough is not for the program to say."""
    part = tables.part(outcomes(margin=None), "verdict")

    assert part.remarks == ["No verdict: no margin is declared."]


def test_the_verdicts_stand_in_a_table():
    """Claim, print, ours, interval, word and reason; numbers, directions and orders."""
    table = tables.part(outcomes(), "verdict").table

    assert list(table.columns) == ["Claim", "Published", "Ours", "95 % interval", "Verdict", "Why"]
    assert len(table) == 3 * 2 + 2 * 2 + 2


def test_a_printed_row_is_restated_by_its_groups():
    """From pooled and ddof 0 to mean over groups and ddof 1: 25 becomes 50."""
    row = PUBLISHED.rows[0].model_copy(update={"groups": {"dark": 80.0, "light": 90.0}})
    found = verdicts.restated(row, PUBLISHED, DEFINITIONS["amini2019"])

    assert found == pytest.approx({"recall": 85.0, "variance": 50.0})


def test_a_printed_row_without_groups_keeps_what_cannot_be_restated_back():
    """An average of single runs' variances is another thing altogether."""
    found = verdicts.restated(PUBLISHED.rows[0], PUBLISHED, DEFINITIONS["fijen2020"])

    assert found == {"recall": 85.0, "variance": None}


def test_a_verdict_keeps_to_the_printed_definition():
    """A table on another scale does not change what is compared."""
    once, twice = (
        tables.part(outcomes(), "verdict", definition=name).table.to_csv()
        for name in ("dehaan2020", "amini2019")
    )

    assert once == twice


def test_every_named_definition_is_one_of_all_readings():
    """Mean, ddof and runs: eight readings, three of them in print."""
    assert len(set(disparity.ALL)) == 8
    assert set(DEFINITIONS.values()) <= set(disparity.ALL)


def with_rows(*rows):
    return PUBLISHED.model_copy(update={"rows": [PublishedRow.model_validate(r) for r in rows]})


def test_an_arm_without_a_printed_row_may_differ_from_the_protocol():
    """Only what is compared must agree."""
    odd = arm("odd", 0.8, 0.9, configurations=({"epochs": 9, "windows": {"sizes": 1}},) * 5)
    found = outcomes((*SWEEP, odd))

    assert verdicts.refusals(found, PUBLISHED) == []


def test_a_printed_row_may_have_a_protocol_of_its_own():
    """Runs that were shorter than the others are compared with runs as short."""
    published = with_rows(
        {"arm": "none", "recall": 85.0, "variance": 25.0, "configuration": {"epochs": 20}},
        {"arm": "weak", "recall": 86.0, "variance": 16.0},
    )
    short = arm("none", 0.79, 0.89, configurations=({**CONFIGURATION, "epochs": 20},) * 5)

    assert verdicts.refusals(outcomes((short, *SWEEP[1:])), published) == []
    assert verdicts.refusals(outcomes(), published) == ["epochs is 60, not 20"]


def test_what_was_not_printed_is_not_judged():
    """A row of groups alone has neither recall nor variance to answer to."""
    published = with_rows(
        {"arm": "none", "groups": {"dark": 80.0}}, {"arm": "weak", "recall": 86.0}
    )
    found = outcomes(published=published)

    judged = verdicts.judge(found, told={})

    assert [(one.subject, one.claim) for one in judged] == [("weak", "recall")]
