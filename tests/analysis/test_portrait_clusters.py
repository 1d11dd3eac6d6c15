"""Clusters of a study's portraits: what tables, claims and answers then say."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import scored_study
from arms import arm, outcomes
from asking import asking, claim, recall_kept
from scored_study import EACH, GROUPS

from repro.analysis import (
    arm_scores,
    claim_findings,
    claim_prospects,
    claims,
    operating_points,
    portrait_clusters,
    study_data,
)
from repro.records import records
from repro.records.portraits import Portraits
from repro.reporting.tables import (
    answer,
    claim_prospect_notes,
    interval_notes,
    output_formats,
    tables,
    terminal_summary,
)
from repro.reporting.tables.presentation import Presentation
from repro.stats.disparity import DEFINITIONS

POOLED = DEFINITIONS["dehaan2020"]
GROUP = np.repeat([0, 1], 40)
SOUND = "photographs of one subject_id are not independent"


def of_people(each, *, seeds=5, column="subject_id", cross=False):
    """Two arms of 80 portraits, with so many of each person; or people who are in both groups."""
    generator = np.random.default_rng(3)
    cluster = np.arange(40) // each
    cluster = np.concatenate([cluster, cluster if cross else cluster + 40 // each])
    person = generator.normal(1, 1, 80)[cluster]
    arms = [
        arm(
            name,
            person + shift * (GROUP == 1) + generator.normal(0, 0.7, (seeds, 80)),
            group=GROUP,
            nonfaces=np.linspace(-20, -1, 40),
        )
        for name, shift in (("A", -0.8), ("B", 0.0))
    ]
    known = None if each == 1 else cluster
    arms = [replace(one, scores=replace(one.scores, cluster=known)) for one in arms]
    return outcomes(*arms, cluster=column)


def intervals(found):
    """Of every quantity of the first arm, its groups and its difference from the second."""
    one, other = found.arms
    read = operating_points.reading(found, one, POOLED)
    return [
        *(estimate.interval for estimate in read.of.values()),
        *(estimate.interval for estimate in operating_points.group_estimates(found, one)),
        operating_points.without_noise(found, one, POOLED).interval,
        *(x.interval for x in operating_points.difference(one, other, POOLED).values()),
        *(x.interval for x in operating_points.difference(one, other, POOLED, rate=0.1).values()),
    ]


def test_people_widen_intervals():
    """Two pictures of each of 20 people in a group, against 80 pictures of others."""
    together, alone = of_people(2), of_people(2)
    alone = replace(
        alone,
        arms=tuple(replace(a, scores=replace(a.scores, cluster=None)) for a in alone.arms),
        cluster="",
    )
    recall = [
        operating_points.reading(found, found.arms[0], POOLED).of["recall"].interval
        for found in (together, alone)
    ]

    assert recall[0].high - recall[0].low > 1.05 * (recall[1].high - recall[1].low)


def test_with_too_few_people_nothing_has_an_interval():
    """Five people a group: every end is NaN, and the values stay."""
    found = of_people(8)

    assert all(math.isnan(end) for one in intervals(found) for end in one)
    assert operating_points.reading(found, found.arms[0], POOLED).of["recall"].value > 0


def test_with_ten_people_everything_has_an_interval():
    """And a warning, up to 19."""
    found = of_people(4)

    assert not any(math.isnan(end) for one in intervals(found) for end in one)
    assert interval_notes.of_intervals(found)[1:] == [
        "Photographs of one subject_id are not independent: intervals and tests are for new ones, "
        "over 20 clusters (subject_id) of 80 portraits.",
        "With fewer than 20 clusters (subject_id) in a group an interval can be too narrow: a 10 "
        "and b 10.",
    ]


def test_twenty_people_a_group_need_no_warning():
    """Nor has the answer one."""
    found = asking(of_people(2), claim())

    assert portrait_clusters.warning(found) == ""
    assert not any("too narrow" in one for one in answer.of_study(found).sentences)


def test_the_answer_names_the_clusters_and_warns_of_few():
    """In its last sentence."""
    told = answer.of_study(asking(of_people(4), claim())).sentences[-1]

    assert "This rests on 5 seeds per arm and 20 clusters (subject_id) of test portraits" in told
    assert "the interval may be too narrow (a group has only 10 clusters (subject_id))" in told


def test_a_claim_that_people_cannot_decide_says_why():
    """Cannot tell yet, no interval, the reason; and more seeds would not help."""
    study = asking(of_people(8), claim(), recall_kept(), claim(primary=False, name="c"))
    for found in claims.findings(study):
        assert (found.word, found.hopeless) == ("cannot tell yet", True)
        assert math.isnan(found.interval.low)
        assert found.reason.startswith(SOUND)
        assert "(a 5 and b 5)" in found.reason
        assert claim_findings.needed(found).pairs is None


def test_a_claim_needs_more_people_not_more_photographs():
    """Where the people are what is short."""
    study = asking(of_people(2), claim(smallest_effect={"absolute": 200.0}))
    (found,) = claims.findings(study)

    assert found.sampled == "clusters (subject_id)"
    assert "times as many clusters (subject_id)" in answer.takes(found)


def test_countries_with_one_group_each_are_said_to_be_confounded():
    """As those of the Pilot Parliaments Benchmark are with skin."""
    told = " ".join(interval_notes.of_intervals(of_people(20, column="country")))

    assert "no interval and no p for new ones" in told
    assert (
        "(a 2 and b 2); every country has portraits of some groups only, so country and group are "
        "confounded, and nothing can separate them." in told
    )


def test_a_p_of_comparisons_is_said_to_be_for_these_photographs():
    """It stands in a table whose note says that there is no p for new ones."""
    clustered = " ".join(terminal_summary.summary(of_people(20), "dehaan2020").remarks)
    alone = " ".join(terminal_summary.summary(of_people(1), "dehaan2020").remarks)

    assert "over 2 comparisons, for new seeds and these photographs." in clustered
    assert "over 2 comparisons." in alone


@pytest.mark.parametrize(("each", "expected"), [(20, False), (2, True)])
def test_over_too_few_clusters_no_noise_floor_is_told(each, expected):
    """Two clusters a group say nothing of it: it would be told as 0."""
    part = tables.part(of_people(each), "groups")

    assert ("Noise floor" in " ".join(part.remarks)) == expected


def test_countries_with_every_group_are_not():
    """Then they are only too few."""
    told = " ".join(interval_notes.of_intervals(of_people(20, column="country", cross=True)))

    assert "(a 2 and b 2)." in told
    assert "confounded" not in told


def test_each_portrait_of_another_person_changes_nothing():
    """Bit for bit the intervals of a study without the column: they are independent."""
    found = of_people(1)

    assert arm_scores.clusters_of([f"s{k}" for k in range(80)]) is None
    assert intervals(found) == intervals(replace(of_people(1), cluster=""))


def test_without_scores_there_is_no_interval_of_photographs():
    """It is unknown which portraits are missed together."""
    found = of_people(2)
    found = replace(found, arms=tuple(replace(one, scores=None) for one in found.arms))
    read = operating_points.reading(found, found.arms[0], POOLED).of

    assert all(math.isnan(one.interval.low) for one in read.values())
    assert "without scores it is unknown" in " ".join(interval_notes.of_intervals(found))


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A study whose portraits are of 40 people, two each."""
    folder = tmp_path_factory.mktemp("people")
    names = [f"p{i}" for i in range(EACH * len(GROUPS))]
    shown = Portraits(
        {name: f"s{i // 2}" for i, name in enumerate(names)}, dict.fromkeys(names, math.nan)
    )
    scored_study.write(folder, shown, ("subject_id", ""))
    return folder


def test_json_has_the_clusters_of_a_study(results):
    """Their column, number, and those of each group."""
    (index,) = records.read_indexes(results)
    found = study_data.of_study(index, records.read_study(index, results), results)
    whole = json.loads(output_formats.text(found, Presentation(form="json")))
    (one,) = whole["studies"][0]["clusters"]

    assert (one["column"], one["clusters"], one["portraits"]) == ("subject_id", 40, 80)
    assert [group["clusters"] for group in one["groups"]] == [10] * 4
    assert one["refusal"] is None


def test_a_plan_says_that_too_few_people_decide_no_claim():
    """It forecasts no chances, and gives the reason."""
    study = asking(of_people(8), claim())
    (one,) = claim_prospects.of_study(
        study,
        groups={"A": ["a", "b"], "B": ["a", "b"]},
        photographs={"A": 40, "B": 40},
    )
    told = claim_prospect_notes.of_claims([one], cluster="subject_id")

    assert one.prospects == ()
    assert one.obstacles[0].startswith(SOUND)
    assert told == [
        f"Warning: claim '{claim().name}' (primary) cannot be answered: {one.obstacles[0]}."
    ]


@pytest.mark.parametrize(("seeds", "said"), [(5, "as known, as it was seen"), (1, "leave out")])
def test_a_plan_says_how_far_its_chances_take_clusters(seeds, said):
    """With the spread of runs that ended, and without."""
    study = asking(of_people(2, seeds=seeds), claim(smallest_effect={"absolute": 200.0}))
    plain = {"groups": {"A": ["a", "b"], "B": ["a", "b"]}, "photographs": {"A": 40, "B": 40}}
    grown = replace(study, arms=tuple(replace(one, wanted=5) for one in study.arms))
    outlooks = claim_prospects.of_study(grown, **plain)

    assert said in claim_prospect_notes.of_claims(outlooks, cluster="subject_id")[1]
    assert (
        len(claim_prospect_notes.of_claims(outlooks))
        == len(claim_prospect_notes.of_claims(outlooks, cluster="subject_id")) - 1
    )


def test_clusters_are_counted_before_anything_is_scored():
    """Ann is in both groups, Bob and Cy in one each; none where each portrait is of another."""
    found = portrait_clusters.of_portraits("who", ["x", "y", "x", "y"], ["ann", "ann", "bob", "cy"])

    assert (found.number, found.per_group, found.in_all) == (3, (2, 2), 1)
    assert portrait_clusters.too_few(found).endswith(
        "(x 2 and y 2); 2 of 3 have portraits of some groups only, so who and group are "
        "confounded, and nothing can separate them"
    )
    assert portrait_clusters.of_portraits("who", ["x", "y"], ["ann", "bob"]) is None
