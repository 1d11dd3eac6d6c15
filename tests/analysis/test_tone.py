"""Change of recall over a scale of skin tone, and the recall at each tone."""

from dataclasses import replace

import numpy as np
import pytest
import toned

from repro.analysis import claim_prospects, claims, thresholds, tone
from repro.data.sources import READERS
from repro.reporting.tables import answer
from repro.stats import clusters, conclusions, covariate, redrawn
from repro.stats.intervals import NOWHERE
from repro.study.claims import Claim, Declared


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """A hundred redrawn samples, and nothing kept for other tests."""
    monkeypatch.setattr(redrawn, "MOST", 100)
    redrawn.draws.cache_clear()
    yield
    redrawn.draws.cache_clear()


def ends(column):
    """Of a study on that column."""
    found = toned.outcomes(column=column)
    return tone.scale(found, found.arms[0]).ends


def test_the_change_is_that_of_the_line_through_all_portraits():
    """From the lightest tone, 1, to the darkest, 6."""
    found = toned.outcomes()
    arm = found.arms[0]
    share = thresholds.detections(arm, None).mean(axis=0)

    assert tone.slope(found, arm).value == pytest.approx(5 * np.polyfit(toned.LEVELS, share, 1)[0])


@pytest.mark.parametrize(
    ("column", "expected"),
    [("fitzpatrick", (1, 6)), ("MST", (1, 6)), ("apparent_skin_color", (6, 1)), ("mine", (1, 6))],
)
def test_the_scale_begins_at_the_lightest_tone_where_that_is_known(column, expected):
    """FHIBE's numbers rise with lightness; of an unknown column the smallest is first."""
    assert ends(column) == expected


def test_a_scale_that_rises_with_lightness_gives_the_same_change():
    """Its numbers are turned, the interval and its sign stay."""
    one = toned.outcomes()
    other = toned.outcomes(7 - toned.LEVELS, column="apparent_skin_color")
    first, second = (tone.slope(each, each.arms[0]) for each in (one, other))

    assert second.value == pytest.approx(first.value)
    assert second.interval == pytest.approx(first.interval)


def test_portraits_of_unknown_tone_are_left_out():
    """As if they were not there."""
    lacking = toned.LEVELS.copy()
    lacking[:5] = np.nan
    found = toned.outcomes(lacking)
    known = tone.scale(found, found.arms[0])
    share = thresholds.detections(found.arms[0], None).mean(axis=0)

    assert (len(known.tones), known.clusters) == (67, 67)
    assert tone.slope(found, found.arms[0]).value == pytest.approx(
        5 * np.polyfit(toned.LEVELS[5:], share[5:], 1)[0]
    )


@pytest.mark.parametrize("which", [None, np.full(72, 3.0), np.full(72, np.nan)])
def test_there_is_no_scale_without_two_tones(which):
    """Nor without a column."""
    assert tone.scaled(toned.outcomes(which)) == []
    assert tone.scaled(replace(toned.outcomes(), tone="")) == []


def test_persons_are_what_counts():
    """Two portraits of each person: half as many clusters, another interval."""
    alone, pairs = toned.outcomes(), toned.outcomes(cluster=toned.PAIRS)
    known = tone.scale(pairs, pairs.arms[0])

    assert (known.clusters, known.at(4.0)) == (36, (12, 6))
    assert tone.slope(alone, alone.arms[0]).interval != tone.slope(pairs, pairs.arms[0]).interval


def test_fewer_than_ten_persons_have_no_interval():
    """The change and the recalls are there."""
    found = toned.outcomes(cluster=np.arange(72) % 9)
    arm = found.arms[0]
    apart = tone.slope_difference(found, found.arms[1], arm)

    assert not np.isnan(tone.slope(found, arm).value)
    assert tone.slope(found, arm).interval == NOWHERE
    assert apart.estimate.interval == NOWHERE
    assert np.isnan(apart.p)
    assert [point.recall.interval for point in tone.curve(found, arm)] == [NOWHERE] * 6


def test_a_level_is_the_recall_of_its_portraits():
    """With an interval from ten portraits on; here each has twelve."""
    found = toned.outcomes()
    points = tone.curve(found, found.arms[0])
    share = thresholds.detections(found.arms[0], None).mean(axis=0)

    assert [point.tone for point in points] == [1, 2, 3, 4, 5, 6]
    assert [point.portraits for point in points] == [12] * 6
    assert [point.recall.value for point in points] == pytest.approx(
        [share[level == toned.LEVELS].mean() for level in range(1, 7)]
    )
    assert all(0 <= p.recall.interval.low < p.recall.interval.high <= 1 for p in points)


def test_a_level_of_few_has_no_interval():
    """Nine of one tone."""
    moved = toned.LEVELS.copy()
    moved[:3] = 5
    found = toned.outcomes(moved)
    points = {point.tone: point for point in tone.curve(found, found.arms[0])}

    assert points[4.0].portraits == 9
    assert points[4.0].recall.interval == NOWHERE
    assert points[5.0].recall.interval != NOWHERE


def test_a_smooth_curve_stays_where_portraits_are():
    """Between the smallest tone and the largest, and only where ten are near."""
    found = toned.outcomes(toned.SMOOTH)
    points = tone.curve(found, found.arms[0])

    assert tone.scale(found, found.arms[0]).levels is None
    assert 0 < len(points) <= tone.GRID
    assert all(point.clusters >= clusters.LEAST for point in points)
    assert toned.SMOOTH.min() <= points[0].tone < points[-1].tone <= toned.SMOOTH.max()
    assert all(0 <= point.recall.value <= 1 for point in points)


def test_a_rate_sets_its_own_thresholds():
    """The change there, and the uncertainty of the threshold in its interval."""
    found = toned.outcomes()
    arm = found.arms[0]
    share = thresholds.detections(arm, 0.1).mean(axis=0)
    read = tone.slope(found, arm, rate=0.1)

    assert read.value == pytest.approx(5 * np.polyfit(toned.LEVELS, share, 1)[0])
    assert read.interval != NOWHERE


def test_a_difference_is_of_the_common_seeds():
    """Arm less reference; none of the reference itself."""
    found = toned.outcomes()
    reference, arm = found.arms
    apart = tone.slope_difference(found, arm, reference)
    values = [tone.slope(found, one).value for one in (arm, reference)]

    assert apart.estimate.value == pytest.approx(values[0] - values[1])
    assert (apart.p < 0.05) == (0 not in apart.estimate.interval)
    assert tone.slope_difference(found, reference, reference) is None


def test_arms_on_other_portraits_are_not_compared():
    """Here the tones of one are others."""
    found = toned.outcomes()
    reference, arm = found.arms
    other = replace(arm, scores=replace(arm.scores, tone=toned.LEVELS[::-1]))

    assert tone.slope_difference(found, other, reference) is None


def test_arms_that_find_the_same_have_no_interval_of_their_difference():
    """Equal pairs do not say how far others are."""
    found = toned.outcomes()
    reference = found.arms[0]
    twin = replace(reference, name="twin")
    apart = tone.slope_difference(found, twin, reference)

    assert apart.estimate.value == 0
    assert apart.estimate.interval == NOWHERE


def test_a_detector_has_an_interval_for_new_portraits_alone():
    """One run, of which there are no others; no spread of other arms is lent to it."""
    found = toned.outcomes()
    detector = replace(found.arms[0].only([0]), name="haar")
    found = replace(found, detectors=(detector,))
    fit = covariate.slope_fit(toned.LEVELS, unit=5)
    read = covariate.read(fit, thresholds.detections(detector, None))

    assert tone.detectors(found) == [detector]
    assert tone.slope(found, detector).interval == covariate.interval(read, seeds=False)
    assert all(point.recall.interval != NOWHERE for point in tone.curve(found, detector))


def asking(**changes):
    """A study that claims that recall falls less with the second arm."""
    plain = {
        "name": "recall depends less on skin tone",
        "quantity": "tone_slope",
        "read_at": {"logit": 0},
        "contrast": {"arm": "alpha = 0.1", "less": "No debias"},
        "expect": "higher",
        "smallest_effect": {"absolute": 5.0},
        "primary": True,
    }
    return (Declared(Claim.model_validate(plain | changes), ("No debias", "alpha = 0.1")),)


@pytest.mark.parametrize("read_at", [{"logit": 0}, {"false_positive_rate": 0.1}])
def test_a_claim_may_ask_how_much_the_change_differs(read_at):
    """In points: the change of one arm less that of the other."""
    found = replace(toned.outcomes(), claims=asking(read_at=read_at))
    (told,) = claims.findings(found)
    rate = read_at.get("false_positive_rate")
    first, last = (100 * tone.slope(found, arm, rate=rate).value for arm in found.arms)

    assert (told.first, told.last) == pytest.approx((first, last))
    assert told.effect == pytest.approx(last - first)
    assert told.interval.low < told.effect < told.interval.high
    assert told.unit == "points"
    assert answer.quantity(told.claim) == "the change of recall over the scale of skin tone"


def test_the_parts_of_a_claim_vary_as_the_table_says():
    """The portraits' part is that of the jackknife within a tenth, floor included."""
    found = toned.outcomes()
    arm = found.arms[0]
    parts = tone.parts(arm, found.tone)
    fit = covariate.slope_fit(toned.LEVELS, unit=5)
    read = covariate.read(fit, thresholds.detections(arm, None))

    assert parts.value == pytest.approx(read.value)
    assert float(parts.of_photographs) == pytest.approx(float(read.of_persons), rel=0.1)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"tone": ""}, "the study has no scale of skin tone (key `tone:`)"),
        ({"arms": "single"}, "no two different tones are known from the column fitzpatrick"),
        ({"arms": "other"}, "its arms were tested on different portraits"),
        ({"arms": "few"}, "9 values of subject_id have a tone, and an interval takes 10"),
    ],
)
def test_a_claim_says_why_it_has_no_interval(changes, reason):
    """Then it cannot be told yet."""
    found = toned.outcomes()
    if changes.get("arms") == "single":
        found = toned.outcomes(np.full(72, 2.0))
    elif changes.get("arms") == "few":
        found = toned.outcomes(cluster=np.arange(72) % 9)
    elif changes.get("arms") == "other":
        first, last = found.arms
        moved = replace(last, scores=replace(last.scores, tone=toned.LEVELS[::-1]))
        found = replace(found, arms=(first, moved))
    else:
        found = replace(found, **changes)
    (told,) = claims.findings(replace(found, claims=asking()))

    assert told.word == conclusions.CANNOT_TELL
    assert told.reason == reason
    assert told.interval == NOWHERE


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"read_at": {"matched_to": "reference"}}, r"tone_slope is read at \{logit: 0\} or"),
        ({"smallest_effect": {"ratio": 1.5}}, "a change has no ratio"),
        ({"read_at": None}, "tone_slope needs read_at"),
        ({"group": "darker"}, "tone_slope is of all groups"),
    ],
)
def test_a_claim_on_the_change_is_checked(changes, message):
    """As it is read."""
    with pytest.raises(ValueError, match=message):
        asking(**changes)


@pytest.mark.parametrize(("column", "expected"), [("fitzpatrick", ()), ("", (tone.NO_SCALE,))])
def test_a_plan_says_that_a_claim_lacks_a_scale(column, expected):
    """Before anything is trained."""
    found = replace(toned.outcomes(), claims=asking(), tone=column)
    groups = {arm.name: toned.GROUPS for arm in found.arms}
    photographs = {arm.name: 20 for arm in found.arms}
    (told,) = claim_prospects.of_study(found, groups=groups, photographs=photographs)

    assert told.obstacles == expected


def test_the_direction_of_every_scale_that_a_source_brings_is_known():
    """FHIBE's numbers fall as skin gets darker, the ten Monk tones rise."""
    known = {one.kind: tone.direction(one.tone) for one in READERS.values() if one.tone}

    assert known == {"fhibe": "lighter", "mst_e": "darker", "facet": "darker"}
